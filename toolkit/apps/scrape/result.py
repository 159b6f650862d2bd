"""What became of one visit: rows, and where the page leads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from toolkit.apps.scrape.packing import Lines, lines_of
from toolkit.apps.scrape.rules import FACTS, Problem
from toolkit.apps.scrape.urls import without_password
from toolkit.apps.scrape.visit import Visit

CHANGE = "change"
"""The column that says what became of a row since the page was seen before."""

Found = tuple[str, Visit]
"""The key of a page that a link leads to, and the visit."""


@dataclass(frozen=True, slots=True)
class Page:
    """What became of one visit.

    rows: the fields of each, without what all have in common. lost: rows as they were written that it had when it was
    seen before, and has no more. found: where its links lead, each key once; refused: how
    many were not followed, by reason. problems: values that are not what the rules say; dropped: the
    rows that were left out for them. crawl_delay: seconds between
    requests that the host asks for, if it does. robots: what the page asks robots not to do. seconds: spent on reading.
    lines: the rows as they are written; made where the page was read.
    """

    visit: Visit
    final_url: str
    status: int | None
    rows: tuple[dict[str, Any], ...] = ()
    found: tuple[Found, ...] = ()
    refused: tuple[tuple[str, int], ...] = ()
    problems: tuple[Problem, ...] = ()
    dropped: tuple[dict[str, Any], ...] = ()
    bytes: int = 0
    crawl_delay: float | None = None
    robots: frozenset[str] = frozenset()
    fetched_at: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    lost: tuple[dict[str, Any], ...] = ()
    kept: str = ""
    lines: Lines = Lines()  # noqa: RUF009 - frozen

    @property
    def url(self) -> str:
        """The URL that was asked for, as the user wrote it."""
        return self.visit.name or self.visit.url

    @property
    def lane_delay(self) -> float | None:
        """Seconds between two visits that the host asks for."""
        return self.crawl_delay

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the report is to tell."""
        return self.notes

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the first row, if there is one."""
        return self.rows[0] if self.rows else {}

    def row(self) -> dict[str, Any]:
        """Return the first row, with what all rows of the page have in common."""
        return next(iter(self.records()), self._facts())

    def records(self) -> list[dict[str, Any]]:
        """Return every row, with what they have in common: what is the same whenever the page is the same."""
        return [{**self._facts(), **row} for row in self.rows]

    def written(self) -> list[dict[str, Any]]:
        """Return every row as it is written: what all have in common first, with when the page was fetched."""
        facts = self._facts()
        told = {name: facts[name] for name in FACTS} | {"fetched_at": self.fetched_at}
        rest = {name: value for name, value in facts.items() if name not in told}
        return [told | {name: row[name] for name in (CHANGE,) if name in row} | rest | row for row in self.rows]

    def json(self) -> Lines:
        """Return the rows as they are written, as lines of JSON: those that were made already, if they are there."""
        return self.lines if len(self.lines.texts) == len(self.rows) else lines_of(self.written())

    def _facts(self) -> dict[str, Any]:
        url = without_password(self.url)
        final = url if self.final_url == self.url else without_password(self.final_url)
        return {"url": url, "final_url": final, "status": self.status, **dict(self.visit.columns)}
