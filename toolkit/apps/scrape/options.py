"""What can be asked of a scrape, described once for the command line and for Python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from toolkit.core.options import option
from toolkit.core.quantities import parse_bytes, parse_seconds


@dataclass(frozen=True, slots=True)
class ScrapeOptions:
    """The options of one scrape; every default is polite."""

    rules: Path | None = option(None, "Fields, page types and links to follow, from a TOML file.", metavar="FILE")
    field: tuple[str, ...] = option(
        (),
        "A column: name=selector, name=selector@attribute, or name[]=… for a list of all matches, with casts such as"
        " ' | float' behind; may be repeated (default: title, h1, description and links[]).",
        metavar="NAME=SELECTOR",
    )
    auto: str | None = option(
        None,
        "Columns that need no rules: all, or some of title, description, canonical, language, meta, og, twitter,"
        " jsonld, microdata, related, links, images, tables, text.",
        metavar="all|PART,...",
    )
    follow: tuple[str, ...] = option(
        (), "Go on along the links that match, such as a or 'a.next'; may be repeated.", metavar="SELECTOR"
    )
    domain: tuple[str, ...] = option(
        (), "Where links may lead: a host with all below it (default: the host of the start page).", metavar="HOST"
    )
    allow: tuple[str, ...] = option((), "Follow only URLs that match this regular expression.", metavar="REGEX")
    deny: tuple[str, ...] = option((), "Never follow URLs that match this regular expression.", metavar="REGEX")
    max_depth: int | None = option(None, "Links from a start page, at most; pagination does not count.", metavar="N")
    max_per_host: int | None = option(None, "Pages of one host that links may lead to, at most.", metavar="N")
    limit: int | None = option(None, "Pages visited in this run, at most.", metavar="N")
    sitemap: tuple[str, ...] = option(
        (), "Visit what this sitemap lists; a site's own URL: what its robots.txt announces.", metavar="URL"
    )
    feed: tuple[str, ...] = option((), "Visit what this feed (RSS, Atom, JSON Feed) lists.", metavar="URL")
    since: str | None = option(
        None, "Of sitemaps and feeds, only what changed since this day: 2026-11-01.", metavar="DATE"
    )
    url_column: str | None = option(
        None, "The column of a table, or field of an object, that holds the URLs: its name or number.", metavar="NAME"
    )
    parser: str | None = option(None, "What reads the pages: lexbor (the default), lxml or bs4.", metavar="NAME")
    append: bool = option(False, "Add rows to the file as they come, and leave those that are there.")
    ordered: bool = option(
        False,
        "Rows in the order of the list, not as they come: with --append, when the run ends; with -o -, held back until"
        " it is their turn. (A file that is replaced always has that order.)",
    )
    incremental: bool = option(
        False,
        "Visit every page again, and say in the column `change` which rows are new, changed, unchanged or gone.",
    )
    cache: Path | None = option(
        None,
        "Keep pages in this file: what HTTP calls fresh is not asked for again, what may be stale is confirmed"
        " (with --incremental there is one beside the output).",
        metavar="FILE",
        writes=True,
    )
    max_age: float | None = option(
        None,
        "Pages that are kept and younger than this are not asked for again: 30m, 12h, 7d.",
        metavar="TIME",
        parse=parse_seconds,
    )
    render: bool = option(
        False,
        "Run the scripts of pages whose type asks for it (render = true; without a rules file, of all), in an installed"
        " Chromium (extra render).",
    )
    bad_rows: Literal["drop", "keep"] = option(
        "drop", "Rows whose values are not what the rules say: left out, or kept with null; both are told."
    )
    coverage: str | None = option(None, "Exit with 1 if any field has a value in fewer rows than this.", metavar="N%")
    base_url: str | None = option(
        None, "Where pages from this disk stood: their links are relative to that.", metavar="URL"
    )
    escape_formulas: bool = option(False, "In CSV, keep spreadsheets from running cells that begin with = + - or @.")
    ignore_robots: bool = option(False, "Fetch what robots.txt forbids, too, and heed no robots tags.")
    follow_nofollow: bool = option(False, "Follow links that the page does not vouch for (rel=nofollow), too.")
    user_agent: str | None = option(
        None, "How to introduce yourself to servers (default: toolkit and its version).", metavar="TEXT"
    )
    contact: str | None = option(None, "A URL or mail address to add to the default introduction.", metavar="TEXT")
    max_body: int = option(10_000_000, "Fail pages that are larger, once decoded.", metavar="SIZE", parse=parse_bytes)

    @property
    def names_sources(self) -> bool:
        """Whether an option says what to visit, so that nothing else need be named."""
        return bool(self.sitemap or self.feed)

    def reads(self, folder: str, path: Path) -> bool:
        """Tell whether a file is one of the pages that a folder is read for."""
        from toolkit.apps.scrape.localfiles import holds

        return holds(folder, path)


OPTIONS = ScrapeOptions
NETWORK = True
