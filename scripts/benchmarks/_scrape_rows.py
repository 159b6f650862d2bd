"""The rows of the scrape benchmark: which pages, how they are come by, and what must be reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolkit.core.errors import UsageError

How = Literal["list", "crawl", "one"]


@dataclass(frozen=True, slots=True)
class Goal:
    """One of toolkit's must be so many times as fast as the fastest of a family of peers."""

    ours: str
    peers: str
    times: float


@dataclass(frozen=True, slots=True)
class Row:
    """One table. most: the seconds that toolkit's first may take."""

    name: How
    title: str
    goals: tuple[Goal, ...] = ()
    most: float | None = None


ASYNCIO, HYBRID = "toolkit asyncio", "toolkit hybrid"
"""Those whose speed is compared with all others', both with lexbor."""
ROWS: dict[str, Row] = {
    row.name: row
    for row in (
        Row("list", "pages of a list", (Goal(ASYNCIO, "scrapy", 5.0), Goal(HYBRID, "scrapy", 7.0))),
        Row("crawl", "pages found by following all links", (Goal(ASYNCIO, "scrapy", 4.0),)),
        Row("one", "page, from the shell to its row", most=0.6),
    )
}
FRONTIER = "frontier"
"""The row that is no race."""


def choose(names: str) -> tuple[list[Row], bool]:
    """Return the rows of a list of names with commas, and whether the frontier is among them; raises UsageError."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in (*ROWS, FRONTIER):
            raise UsageError(f"--rows {name}: choose from {', '.join(ROWS)}, {FRONTIER}")
    return [ROWS[name] for name in wanted if name != FRONTIER], FRONTIER in wanted
