"""What the three app commands share: their options, reporters, dry run and exit code."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

import click

from toolkit.api import groups_of, make_run
from toolkit.cli._flags import flags, take
from toolkit.cli._watch import watch
from toolkit.core.errors import RunStopped, UsageError
from toolkit.core.options import option
from toolkit.core.task import Failure, Outcome, Skip, Task
from toolkit.passes import again, written
from toolkit.places import check_places
from toolkit.reporting import Reporter, Summary
from toolkit.reporting.json import EventsReporter, document
from toolkit.reporting.plain import PlainReporter
from toolkit.reporting.words import plural, shown, size
from toolkit.run import Run

if TYPE_CHECKING:
    from toolkit.reporting.html import HtmlReporter

READER_GONE = "the reader of the output has gone away"


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What is shown, and where."""

    dry_run: bool = option(False, "Show what would be done, and do nothing.")
    progress: Literal["auto", "rich", "plain", "none"] = option("auto", "How progress is shown, on standard error.")
    json: bool = option(False, "Print the report as one JSON document on standard output.")
    events: Path | None = option(None, "Write every event to this file, as JSON lines.", metavar="FILE", writes=True)
    report: Path | None = option(None, "Write a report as a web page.", metavar="FILE.html", writes=True)
    quiet: bool = option(False, "Say nothing but errors.", flags=("--quiet", "-q"))
    verbose: bool = option(False, "Name every task as it ends.", flags=("--verbose", "-v"))
    debug: bool = option(False, "Name every task as it ends, and show tracebacks.")


def app_command(name: str, *, help: str, metavar: str, out_help: str) -> click.Command:  # noqa: A002
    """Return the command of an app."""
    groups = groups_of(name)

    def call(sources: tuple[str, ...], out: str | None, **values: Any) -> int:
        if out is not None and not out.strip():  # mostly a variable of a script that is not set
            raise UsageError("-o: the name is empty")
        place = None if out is None else Path(out)
        return start(name, sources, place, tuple(take(values, group) for group in groups), take(values, ReportOptions))

    parameters: list[click.Parameter] = [
        click.Argument(["sources"], nargs=-1, metavar=metavar),
        click.Option(["-o", "--out", "out"], help=out_help),
        *flags(*groups, ReportOptions),
    ]
    return click.Command(name, callback=call, params=parameters, help=help)


def start(app: str, sources: tuple[str, ...], out: Path | None, chosen: tuple[Any, ...], report: ReportOptions) -> int:
    """Run an app as the command line asks, and return the exit code."""
    command = ["toolkit", *sys.argv[1:]]
    if report.json and str(out) == "-":
        raise UsageError("--json and -o - both want standard output: choose one")
    if report.json and report.dry_run:
        raise UsageError("--dry-run prints a plan and --json a report: choose one")
    if sys.stdout is None and (report.json or report.dry_run or str(out) == "-"):
        raise UsageError("standard output is closed")
    check_places(sources, out, (*chosen, report))  # before --events is opened
    if not getattr(chosen[0], "watch", False) or report.dry_run:
        return _once(app, sources, out, chosen, report, command)

    stop = threading.Event()

    def once(first: bool) -> int:  # noqa: FBT001 - passes() tells it so
        options = chosen if first else again(chosen)
        return _once(app, sources, out, options, report, command, is_first=first, interrupted=stop.set)

    return watch(once, sources, written(sources, out, (*chosen, report)), stop, quiet=report.quiet)


def _once(
    app: str,
    sources: tuple[str, ...],
    out: Path | None,
    chosen: tuple[Any, ...],
    report: ReportOptions,
    command: list[str],
    *,
    is_first: bool = True,
    interrupted: Callable[[], None] = lambda: None,
) -> int:
    with ExitStack() as stack:
        page = _page(report.report)
        reporters = [] if report.dry_run else [*_reporters(report, stack, is_first=is_first), *page]
        run = make_run(app, sources, out, chosen, soon=not report.dry_run, reporters=reporters, command=command)
        for each in page:
            each.illustrate(getattr(run.app, "gallery", None), getattr(run.app, "thumbnail", None))
        if report.dry_run:
            try:
                return _show_plan(run)
            except BrokenPipeError:  # as by `| head`
                return _sigpipe()
        printer = _printer(run) if str(out) == "-" else None
        summary = run.finish(printer)
        if printer is not None:
            printer(None)
    if run.interrupted:  # perhaps when all was done but the report
        interrupted()
    code = _sigpipe() if summary.reason == READER_GONE else summary.exit_code
    if report.json:
        code = _print_report(summary) or code
    if run.abandoned:  # threads that nothing can stop must not keep us
        os._exit(code)
    return code


def _print_report(summary: Summary) -> int:
    """Print the report; return an exit code if nobody could take it."""
    try:
        click.echo(json.dumps(document(summary), indent=2))
        sys.stdout.flush()
    except BrokenPipeError:
        return _sigpipe()
    except OSError as error:
        raise RunStopped(f"cannot write the report to standard output: {error.strerror or error}") from error
    return 0


def _sigpipe() -> int:
    """Keep Python from complaining about its standard output when it ends; return what shells expect."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141


def _printer(run: Run) -> Callable[[Outcome | None], None]:
    """Return what prints results as they land, for `-o -`; to be called with None at the end."""
    lines: Callable[[Outcome | None], list[str]] | None = getattr(run.app, "lines", None)
    if lines is None:
        raise UsageError("-o -: this command makes files; name a folder")

    stdout = sys.stdout.buffer

    def each(outcome: Outcome | None) -> None:
        if run.stopping:
            return
        try:
            for line in lines(outcome):
                stdout.write(line.encode("utf-8", "replace") + b"\n")
            stdout.flush()
        except BrokenPipeError:
            run.stop(READER_GONE)
        except OSError as error:
            run.stop(f"cannot write to standard output: {error.strerror or error}")

    return each


def _reporters(report: ReportOptions, stack: ExitStack, *, is_first: bool) -> list[Reporter]:
    reporters: list[Reporter] = []
    if report.verbose or report.debug:
        from toolkit.reporting.verbose import VerboseReporter

        reporters.append(VerboseReporter(sys.stderr, tracebacks=report.debug))
    if not report.quiet:
        reporters.append(_progress(report, stack))
    if report.events:
        try:
            # The runs of one command that watches follow each other in one file.
            stream = report.events.open("w" if is_first else "a", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise UsageError(f"cannot write --events {report.events}: {error.strerror}") from error
        stack.callback(_close, stream)
        reporters.append(EventsReporter(stream))
    return reporters


def _page(path: Path | None) -> list[HtmlReporter]:
    """Return what writes the web page, if one is wanted; raises UsageError for a place where none can be."""
    if path is None:
        return []
    from toolkit.reporting.html import HtmlReporter

    return [HtmlReporter(path)]


def _close(stream: TextIO) -> None:
    with suppress(OSError):  # a full disk has been told of already
        stream.close()


def _progress(report: ReportOptions, stack: ExitStack) -> Reporter:
    wanted = report.progress
    if wanted == "auto":
        live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")
        wanted = "rich" if live and not report.verbose else "plain"
    if wanted != "rich":
        return PlainReporter(sys.stderr, progress=wanted == "plain")
    from rich.console import Console

    from toolkit.reporting.console import ConsoleReporter

    reporter = ConsoleReporter(Console(stderr=True, highlight=False))
    stack.callback(reporter.close)
    return reporter


def _show_plan(run: Run) -> int:
    """Print a line for each task: what would be done, skipped or fail, and why."""
    counts = {"do": 0, "skip": 0, "fail": 0}
    sizes = 0
    for planned in run.preview(probe=True):
        if isinstance(planned, Task):
            counts["do"] += 1
            found = getattr(planned.payload, "size", 0)
            sizes += found if isinstance(found, int) else 0
            click.echo(f"do    {shown(planned.key)} {_target(run, planned)}".rstrip())
        elif isinstance(planned, Skip):
            counts["skip"] += 1
            click.echo(f"skip  {shown(planned.task.key)}: {planned.reason}")
        elif isinstance(planned, Failure):
            counts["fail"] += 1
            click.echo(f"fail  {shown(planned.task.key)}: {shown(planned.message)}")
    known = f" ({size(sizes)})" if sizes else ""
    click.echo(
        f"{plural(counts['do'], 'task')} to do{known}, {counts['skip']:,} to skip, {counts['fail']:,} bad", err=True
    )
    return 1 if counts["fail"] else 0


def _target(run: Run, task: Task[Any]) -> str:
    describe = getattr(run.app, "describe", None)
    if describe is not None:
        return shown(describe(task))
    name = getattr(task.payload, "name", None) or getattr(task.payload, "target", None)
    return f"-> {shown(str(name))}" if name else ""
