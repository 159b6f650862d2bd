"""toolkit scrape: rows from pages; `test` and `record` as its first argument are commands of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from toolkit.cli._start import app_command

EPILOG = """\b
Commands:
  toolkit scrape test    Try rules on saved pages, without a network.
  toolkit scrape record  Save pages for rules to be tried on.
(A list of URLs that is called test or record is given as ./test.)
"""


def _test() -> click.Command:
    from toolkit.cli._scrape_test import COMMAND

    return COMMAND


def _record() -> click.Command:
    from toolkit.cli._scrape_record import COMMAND

    return COMMAND


COMMANDS: dict[str, Callable[[], click.Command]] = {"test": _test, "record": _record}


class ScrapeCommand(click.Command):
    """The command itself, unless the first argument is one of COMMANDS."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Return the context in which to go on; it knows its command."""
        if args and args[0] in COMMANDS:
            name, *rest = args
            return COMMANDS[name]().make_context(f"{info_name} {name}", rest, parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


_PLAIN = app_command(
    "scrape",
    metavar="URL|FILE|- ...",
    out_help="The file of rows: .jsonl, .csv, .tsv, .sqlite, .db or .parquet; - prints JSON lines as they come.",
    help="""Scrape pages into rows: URLs, lists of them (text, CSV, JSON, …), - for standard input, HTML
    files and folders.

    Links are followed by --follow or by rules; --sitemap and --feed name pages, too.

    \b
    Examples:
      toolkit scrape urls.txt -o rows.jsonl --field title=title --field 'links[]=a@href'
      toolkit scrape urls.txt -o prices.csv --field name=h1 --field 'price=.price | price'
      toolkit scrape https://example.org/ -o - --auto title,og,jsonld
      toolkit scrape https://example.org/shop/ -o shop.sqlite --rules shop.toml
      toolkit scrape https://example.org/ -o site.jsonl --follow a --max-depth 3 --limit 1000
      toolkit scrape --sitemap https://example.org/ -o news.csv --since 7d --field title=h1
      toolkit scrape saved/ -o rows.jsonl --base-url https://example.org/ --field title=title
    """,
)
COMMAND = ScrapeCommand(_PLAIN.name, callback=_PLAIN.callback, params=_PLAIN.params, help=_PLAIN.help, epilog=EPILOG)
