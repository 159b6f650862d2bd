"""toolkit scrape test: what rules find in saved pages, and whether it is what was expected."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import click

from toolkit.apps.scrape.coverage import parse_share
from toolkit.apps.scrape.rules import Rules, load_rules
from toolkit.apps.scrape.saved import load
from toolkit.apps.scrape.trial import totals_of, trials
from toolkit.cli._flags import flags, take
from toolkit.cli._start import _sigpipe
from toolkit.cli._trial import trial_json, trial_lines
from toolkit.core.errors import RunStopped, UsageError
from toolkit.core.options import option

HELP = """Try rules on saved pages, without a network: the rows that they find, what is missing, and what differs.

RULES is a file of rules; what follows are saved pages, or folders of them. Pages are saved by a browser, or by
`toolkit scrape record`. With --update, what is found now is kept beside each page as NAME.expected.json; from then on
other rows are a difference. The exit code is 1 if anything differs, fails, or is covered less than --coverage asks for.

\b
Examples:
  toolkit scrape test shop.toml pages/
  toolkit scrape test shop.toml pages/ --update
  toolkit scrape test shop.toml pages/ --coverage 90% --json
"""


@dataclass(frozen=True, slots=True)
class TrialOptions:
    """How pages are tried."""

    page: str | None = option(None, "Read all as this type of page, whatever their URLs say.", metavar="NAME")
    coverage: str | None = option(None, "Exit with 1 if a field has a value in fewer rows than this.", metavar="N%")
    update: bool = option(False, "Keep what is found now as what is expected.")
    json: bool = option(False, "Print one JSON document instead of text.")


def run(rules: Path, pages: tuple[Path, ...], options: TrialOptions) -> int:
    """Try the rules and print what they find; return the exit code. Raises UsageError."""
    if sys.stdout is None:
        raise UsageError("standard output is closed")
    share = None if options.coverage is None else parse_share(options.coverage)
    chosen = load_rules(rules, offline=True)
    _check_type(chosen, options.page)
    totals = totals_of(chosen)
    found = trials(chosen, chain.from_iterable(map(load, pages)), page=options.page, update=options.update)
    if options.json:
        pieces = trial_json(found, totals, threshold=share)
    else:
        width = shutil.get_terminal_size((100, 24)).columns
        pieces = (line + "\n" for line in trial_lines(found, totals, width=width, threshold=share))
    return _print(pieces) or (0 if totals.good else 1)


def _check_type(rules: Rules, name: str | None) -> None:
    known = [page.name for page in rules.pages]
    if name is not None and name not in known:
        raise UsageError(f"--page {name}: the rules have no such type of page: choose from {', '.join(known)}")


def _print(pieces: Iterator[str]) -> int:
    """Print pieces as they come; return an exit code if nobody could take them."""
    try:
        for piece in chain(
            [*islice(pieces, 2)], pieces
        ):  # what is wrong from the start is told without half a document
            sys.stdout.buffer.write(piece.encode("utf-8", "replace"))
        sys.stdout.flush()
    except BrokenPipeError:
        return _sigpipe()
    except OSError as error:
        raise RunStopped(f"cannot write to standard output: {error.strerror or error}") from error
    return 0


def _call(rules: Path, pages: tuple[Path, ...], **values: Any) -> int:
    return run(rules, pages, take(values, TrialOptions))


COMMAND = click.Command(
    "test",
    callback=_call,
    params=[
        click.Argument(["rules"], type=click.Path(path_type=Path), metavar="RULES"),
        click.Argument(["pages"], nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PAGE|FOLDER ..."),
        *flags(TrialOptions),
    ],
    help=HELP,
)
