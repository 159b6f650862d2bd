"""The downloader's own options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolkit.core.errors import UsageError
from toolkit.core.lists.digests import algorithm_of
from toolkit.core.options import option
from toolkit.core.quantities import parse_bytes

MOST_SEGMENTS = 64


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    """What to fetch, what to call it, and what to do with files that are there."""

    existing: Literal["skip", "update", "overwrite", "rename"] = option(
        "skip",
        "Files that are there: leave them, ask the server whether they changed, fetch them again, or (files of others)"
        " take another name.",
    )
    url_column: str | None = option(None, "The column of a table that holds the URLs, or its number.", metavar="NAME")
    checksums: tuple[str, ...] = option(
        (), "Check files against this list, as sha256sum writes it; may be repeated.", metavar="FILE"
    )
    name_template: str | None = option(
        None,
        "Names from {host} {path} {dir} {name} {stem} {ext} {query} {hash} {index} and columns; slashes make folders.",
        metavar="TEXT",
    )
    tree: bool = option(False, "Keep files in folders by host and path, as the server does.")
    url_names: bool = option(False, "Name files by their URLs only, whatever the server calls them.")
    expect_type: tuple[str, ...] = option(
        (), "Fail what is not of this type: pdf, image/*, .zip; may be repeated.", metavar="TYPE"
    )
    max_size: int | None = option(None, "Fail files that are larger: 500k, 10M.", metavar="SIZE", parse=parse_bytes)
    keep_encoded: bool = option(False, "Keep a body that comes compressed as it came.")
    segments: str | int = option(
        "auto", "Connections for one large file, where one alone is slow: auto, or the most.", metavar="auto|N"
    )
    hash: str | None = option(None, "Record this checksum of every file, such as sha256.", metavar="NAME")
    fsync: bool = option(False, "Wait until every file is really on the disk.")
    no_mtime: bool = option(False, "Give files the time of now, not the server's.")
    user_agent: str = option("", "How to introduce yourself to servers.", metavar="TEXT")
    header: tuple[str, ...] = option(
        (), "Send this header field too; may be repeated.", metavar="'NAME: VALUE'", secret=True
    )
    no_probe: bool = option(False, "With --dry-run: ask no server for sizes.")

    @property
    def most_segments(self) -> int:
        """Connections for one file at most, 0 for as many as help; raises UsageError."""
        text = str(self.segments)
        if text == "auto":
            return 0
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST_SEGMENTS):
            raise UsageError(f"--segments {text!r}: give auto, or a number from 1 to {MOST_SEGMENTS}")
        return int(text)

    @property
    def algorithm(self) -> str:
        """The checksum to record, or ""; raises UsageError."""
        try:
            return algorithm_of(self.hash) if self.hash else ""
        except ValueError as error:
            raise UsageError(f"--hash: {error}") from error


OPTIONS = DownloadOptions
NETWORK = True
