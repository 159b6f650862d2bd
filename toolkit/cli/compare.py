"""toolkit compare: the same work under several models."""

from __future__ import annotations

import json as jsons
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click

from toolkit.api import APPS, groups_of
from toolkit.cli._flags import flags, take
from toolkit.compare import ROUNDS, SEED, Step, Watch, compare
from toolkit.compare.commands import OURS
from toolkit.compare.document import document
from toolkit.core import plugins
from toolkit.core.errors import UsageError
from toolkit.core.options import option
from toolkit.reporting.markdown import HEADINGS, WORDS, how, markdown, notes, plain, rows
from toolkit.reporting.words import shown

STYLES = {"faster": "green", "slower": "yellow", "INVALID": "bold red", "reference": "cyan"}
WIDE = 122
"""Columns of a terminal that all of the table needs."""
WIDE_ONLY = ("workers", "client", "range", "tasks/s", "start-up")
"""What is left out where it is narrower; --json and --markdown have it all."""


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """What is compared, how often, and what is shown."""

    models: str = option("all", "Models with commas between them, or all that are installed.", metavar="A,B|all")
    rounds: int = option(ROUNDS, "Times that each variant runs, after a warm-up; 5 is the least for a verdict.")
    seed: int = option(SEED, "Decides the order of the runs.", metavar="S")
    scratch: Path | None = option(
        None, "Folder on the disk to write to; what runs write is removed. [default: the temporary folder]"
    )
    json: bool = option(False, "Print the comparison as one JSON document on standard output.")
    markdown: Path | None = option(None, "Write a page of Markdown, too.", metavar="FILE")
    progress: Literal["auto", "rich", "plain", "none"] = option("auto", "How progress is shown, on standard error.")
    quiet: bool = option(False, "Say nothing but errors and the result.", flags=("--quiet", "-q"))
    debug: bool = option(False, "Show tracebacks.")


class Apps(click.Group):
    """A sub-command for each app, made when it is used: it has the options of the app."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of the apps."""
        return plugins.names(APPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command that compares an app."""
        return _command(cmd_name) if cmd_name in plugins.names(APPS) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the apps without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(app, f"Compare models at `toolkit {app}`.") for app in self.list_commands(ctx)])


@click.command(
    cls=Apps,
    epilog="""\b
    Examples:
      toolkit compare download urls.txt --models sequential,threads --workers 16
      toolkit compare resize photos/ --size 800x --models all --rounds 10
      toolkit compare scrape urls.txt --json > comparison.json
    """,
)
def _compare() -> None:
    """Run the same work under several models; first check that all results are equal, then tell which is faster.

    Every run is a fresh process with an empty folder. Exit code 1 if a variant's results differ.
    """


def _command(app: str) -> click.Command:
    own, *others = groups_of(app)
    shared = [flag for flag in flags(*others) if flag.name not in OURS or flag.name == "workers"]

    def call(sources: tuple[str, ...], **values: Any) -> int:
        asked: CompareOptions = take(values, CompareOptions)
        for name in asked.__slots__:
            del values[name]
        return _run(app, sources, asked, values)

    return click.Command(
        app,
        callback=call,
        params=[
            click.Argument(["sources"], nargs=-1, required=True, metavar="SOURCE..."),
            *flags(own, CompareOptions),
            *shared,
        ],
        help=f"Compare models at `toolkit {app}`: the same sources and options, without -o.",
        epilog=f"Example: toolkit compare {app} SOURCE --models sequential,threads --workers 8",
    )


def _run(app: str, sources: tuple[str, ...], asked: CompareOptions, options: dict[str, Any]) -> int:
    if asked.markdown and not asked.markdown.absolute().parent.is_dir():
        raise UsageError(f"cannot write --markdown {asked.markdown}: there is no such folder")
    with _progress(asked) as observe:
        comparison = compare(
            app,
            sources,
            models=asked.models,
            rounds=asked.rounds,
            seed=asked.seed,
            scratch=asked.scratch,
            observe=observe,
            command=["toolkit", *sys.argv[1:]],
            **options,
        )
    found = document(comparison)
    if asked.json:
        click.echo(jsons.dumps(found, indent=2))
    elif sys.stdout.isatty():
        _draw(found)
    else:
        click.echo(plain(found), nl=False)
    if asked.markdown:
        try:
            asked.markdown.write_text(markdown(found), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot write --markdown {asked.markdown}: {error.strerror}") from error
    return comparison.exit_code


@contextmanager
def _progress(asked: CompareOptions) -> Iterator[Watch]:
    """Lend what shows how far the comparison is: a live line, a line for each run, or nothing."""
    wanted = "none" if asked.quiet else asked.progress
    if wanted == "auto":
        live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")
        wanted = "rich" if live else "plain"
    if wanted != "rich":
        yield _line if wanted == "plain" else lambda _: None
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    # Drawn when a run begins, not all the time: whatever we do meanwhile is taken from the run.
    with Live(
        redirect_stdout=False, redirect_stderr=False, console=Console(stderr=True), auto_refresh=False, transient=True
    ) as live_line:
        yield lambda step: live_line.update(Text(_words(step), no_wrap=True, overflow="ellipsis"), refresh=True)


def _line(step: Step) -> None:
    if step.point:
        click.echo(_words(step), err=True)


def _words(step: Step) -> str:
    place = f"round {step.round} of {step.rounds}" if step.round else "warm-up (dropped)"
    text = f"[{step.number}/{step.total}] {place}: {step.variant}"
    if step.point is None:
        return text
    seconds = f" {step.point.measured.seconds:.2f} s" if step.point.measured else ""
    return f"{text}{seconds}" + (f", {shown(step.point.problem)}" if step.point.problem else "")


def _draw(found: dict[str, Any]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    left_out = WIDE_ONLY if console.width < WIDE else ()
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    for heading in HEADINGS:
        if heading not in left_out:
            table.add_column(heading, justify="left" if heading in WORDS else "right", no_wrap=True)
    for cells, variant in zip(rows(found), found["variants"], strict=True):
        styles = {"verdict": STYLES.get(variant["verdict"], "")}
        kept = [(name, cell) for name, cell in zip(HEADINGS, cells, strict=True) if name not in left_out]
        table.add_row(*(Text(cell, styles.get(name, "")) for name, cell in kept))
    console.print(table, "", sep="\n")
    for note in notes(found):
        console.print(Text(note, "red" if " is INVALID: " in note else "yellow"))
    for text in how(found):
        console.print(Text(text, "dim"))


COMMAND = _compare
