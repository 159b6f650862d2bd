"""What can be asked of a scrape, described once for the command line and for Python."""

from __future__ import annotations

import re
from dataclasses import dataclass

from toolkit.core.options import option

UNITS = {"": 1, "k": 1000, "M": 1000**2, "G": 1000**3, "Ki": 1024, "Mi": 1024**2, "Gi": 1024**3}


def parse_size(text: str) -> int:
    """Return bytes from text such as `10M`, `512KiB` or `65536`; raises ValueError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kKMG]?i?)[Bb]?", text.strip())
    unit = found[2].replace("k", "K") if found else "?"
    unit = "k" if unit == "K" else unit
    if found is None or unit not in UNITS:
        raise ValueError(f"{text!r} is not a size: write it as 500k, 10M or 16MiB")
    return int(float(found[1]) * UNITS[unit])


@dataclass(frozen=True, slots=True)
class ScrapeOptions:
    """The options of one scrape; every default is polite."""

    field: tuple[str, ...] = option(
        (),
        "A column: name=selector, name=selector@attribute, or name[]=… for a list of all matches; may be repeated"
        " (default: title, h1, description and links[]).",
        metavar="NAME=SELECTOR",
    )
    parser: str = option("lexbor", "What reads the pages: lexbor, lxml or bs4.", metavar="NAME")
    ignore_robots: bool = option(default=False, help="Fetch what robots.txt forbids, too.")
    user_agent: str | None = option(
        None, "How to introduce yourself to servers (default: toolkit and its version).", metavar="TEXT"
    )
    contact: str | None = option(None, "A URL or mail address to add to the default introduction.", metavar="TEXT")
    max_body: int = option(10_000_000, "Fail pages that are larger, once decoded.", metavar="SIZE", parse=parse_size)


OPTIONS = ScrapeOptions
