"""`--watch`: one run, and another after each burst of changes, until Ctrl-C."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from toolkit.core.errors import ToolkitError
from toolkit.passes import passes
from toolkit.reporting.words import shown


def watch(
    once: Callable[[bool], int], sources: Sequence[str], exclude: Sequence[Path], stop: threading.Event, *, quiet: bool
) -> int:
    """Run, and run again after each burst of changes until stop is set; return the exit code of the last run.

    once: a run, told whether it is the first. What makes a later run impossible, such as two pictures for one name, is
    told, and the next change may mend it.
    """

    def tolerant(first: bool) -> int:  # noqa: FBT001 - passes() tells it so
        try:
            return once(first)
        except ToolkitError as error:
            if first:
                raise
            click.echo(f"toolkit: {shown(' '.join(str(error).split()))}", err=True)
            return 2

    codes: list[int] = []
    for code in passes(tolerant, sources, exclude, stop):
        if not (codes or quiet or stop.is_set()):
            click.echo("watching for changes; Ctrl-C ends", err=True)
        codes = [code]
    return codes[-1] if codes else 0
