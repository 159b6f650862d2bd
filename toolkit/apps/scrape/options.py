"""What can be asked of a scrape, described once for the command line and for Python."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.core.options import option
from toolkit.core.quantities import parse_bytes


@dataclass(frozen=True, slots=True)
class ScrapeOptions:
    """The options of one scrape; every default is polite."""

    field: tuple[str, ...] = option(
        (),
        "A column: name=selector, name=selector@attribute, or name[]=… for a list of all matches; may be repeated"
        " (default: title, h1, description and links[]).",
        metavar="NAME=SELECTOR",
    )
    url_column: str | None = option(
        None, "The column of a table, or field of an object, that holds the URLs: its name or number.", metavar="NAME"
    )
    parser: str = option("lexbor", "What reads the pages: lexbor, lxml or bs4.", metavar="NAME")
    ignore_robots: bool = option(default=False, help="Fetch what robots.txt forbids, too.")
    user_agent: str | None = option(
        None, "How to introduce yourself to servers (default: toolkit and its version).", metavar="TEXT"
    )
    contact: str | None = option(None, "A URL or mail address to add to the default introduction.", metavar="TEXT")
    max_body: int = option(10_000_000, "Fail pages that are larger, once decoded.", metavar="SIZE", parse=parse_bytes)


OPTIONS = ScrapeOptions
NETWORK = True
