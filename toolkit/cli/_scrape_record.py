"""toolkit scrape record: pages saved as they are now, for rules to be tried on."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from toolkit.apps.scrape.record import RecordApp, RecordOptions
from toolkit.cli._flags import flags, take
from toolkit.cli._start import ReportOptions, _page, _print_report, _reporters, _show_plan
from toolkit.core.errors import UsageError
from toolkit.core.options import check
from toolkit.options import NetworkOptions, RunOptions, network_of
from toolkit.places import check_places
from toolkit.run import Run

GROUPS = (RecordOptions, RunOptions, NetworkOptions)
HELP = """Save pages as they are now: for each its bytes, and a file of facts beside it. robots.txt is obeyed.

What comes is saved whatever its status is, but for 429 and 503, which are tried again. A page
that was saved before is saved anew, under the same name. With --rules, it logs in as they say;
with --render, too, pages are saved as their scripts leave them.

\b
Examples:
  toolkit scrape record https://example.org/ -o pages/
  toolkit scrape record https://example.org/prices -o pages/ --rules shop.toml --render
  toolkit scrape record urls.txt -o pages/ && toolkit scrape test shop.toml pages/
"""


def run(sources: tuple[str, ...], out: Path, chosen: tuple[Any, ...], report: ReportOptions) -> int:
    """Save the pages and return the exit code. Raises UsageError."""
    for group in chosen:
        check(group)
    own, common, network = chosen
    if report.json and report.dry_run:
        raise UsageError("--dry-run prints a plan and --json a report: choose one")
    check_places(sources, out, (*chosen, report))
    app = RecordApp(sources, out, own, network=network_of(common, network))
    with ExitStack() as stack:
        reporters = [] if report.dry_run else _reporters(report, stack, is_first=True)
        reporters += [] if report.dry_run else _page(report.report)
        recording = Run(
            app,
            common,
            network=network,
            output=str(out),
            sources=sources,
            reporters=reporters,
            command=["toolkit", *sys.argv[1:]],
        )
        if report.dry_run:
            return _show_plan(recording)
        summary = recording.finish()
    code = summary.exit_code
    if report.json:
        code = _print_report(summary) or code
    if recording.abandoned:  # threads that nothing can stop must not keep us
        os._exit(code)
    return code


def _call(sources: tuple[str, ...], out: str, **values: Any) -> int:
    if not out.strip() or out == "-":
        raise UsageError("-o: name a folder")
    return run(sources, Path(out), tuple(take(values, group) for group in GROUPS), take(values, ReportOptions))


COMMAND = click.Command(
    "record",
    callback=_call,
    params=[
        click.Argument(["sources"], nargs=-1, required=True, metavar="URL|FILE|- ..."),
        click.Option(["-o", "--out", "out"], required=True, metavar="FOLDER", help="The folder that pages go to."),
        *flags(*GROUPS, ReportOptions),
    ],
    help=HELP,
)
