"""The rows of the download benchmark: what is fetched, from where, and what must be reached."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from toolkit.core.errors import UsageError

LATENCY = 0.05
"""Seconds that the slow server waits before each answer."""


@dataclass(frozen=True, slots=True)
class Row:
    """One table.

    shelf: the folder of files, of which the first `most` are fetched. server: which one. at_once: every tool at so many
    tasks at once, in turn, with None for its defaults. ahead: how many times as fast as the best peer, however it is
    run, toolkit must be in the first of these ways, and of aria2c alone.
    """

    name: str
    title: str
    shelf: str
    server: Literal["http", "https", "slow"]
    most: int | None = None
    at_once: tuple[int | None, ...] = (None,)
    ahead: float = 1.0
    ahead_of_aria2c: float | None = None


ROWS = {
    row.name: row
    for row in (
        Row("small-http", "5,000 × 10 KB, HTTP", "small", "http", at_once=(None, 16), ahead=1.3, ahead_of_aria2c=4.0),
        Row("small-tls", "5,000 × 10 KB, TLS", "small", "https", at_once=(None, 16), ahead_of_aria2c=4.0),
        Row("medium-http", "200 × 1 MB, HTTP", "medium", "http", at_once=(None, 8)),
        Row("medium-tls", "200 × 1 MB, TLS", "medium", "https", at_once=(None, 8)),
        Row("big-http", "4 × 256 MB, HTTP", "large", "http", at_once=(None, 4), ahead=1.3),
        Row("big-tls", "4 × 256 MB, TLS", "large", "https", at_once=(None, 4)),
        Row("slow", "2,000 × 10 KB, 50 ms latency, defaults", "small", "slow", most=2000),
        Row("slow-64", "2,000 × 10 KB, 50 ms latency, 64 at once", "small", "slow", most=2000, at_once=(64,)),
        Row("capped", "1 × 512 MB, 20 MB/s a connection", "capped", "http"),
    )
}


def choose(names: str) -> list[Row]:
    """Return the rows of a list of names with commas; raises UsageError for an unknown one."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in ROWS:
            raise UsageError(f"--rows {name}: choose from {', '.join(ROWS)}, million")
    return [ROWS[name] for name in wanted]


def write_lists(row: Row, root: Path, address: str, place: Path, limit: int | None) -> tuple[Path, Path, list[Path]]:
    """Write the list of a row, plain and for curl; return both and the files that must come."""
    files = sorted((root / row.shelf).iterdir())[: min(filter(None, (row.most, limit)), default=None)]
    urls = [f"{address}/{row.shelf}/{path.name}" for path in files]
    plain, config = place / f"{row.name}.txt", place / f"{row.name}.curl"
    plain.write_text("".join(f"{url}\n" for url in urls))
    config.write_text("remote-name-all\n" + "".join(f'url = "{url}"\n' for url in urls))
    return plain, config, files
