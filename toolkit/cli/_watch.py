"""`--watch`: one run, and another after each burst of changes, until Ctrl-C."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import click

from toolkit.core.errors import ToolkitError
from toolkit.watching import changes

INTERRUPTED = 130


def watch(
    first: Callable[[], int], following: Callable[[], int], sources: Sequence[str], exclude: Sequence[Path]
) -> int:
    """Run, and run again after each burst of changes; return the exit code of the last run.

    It is watched from before the first run on, so nothing is missed that changes meanwhile. What makes a later run
    impossible, such as two pictures for one name, is told, and the next change may mend it.
    """
    stop = threading.Event()
    signals = changes(sources, exclude=exclude, stop=stop)
    code = first()
    if code == INTERRUPTED:
        return code
    click.echo("watching for changes; Ctrl-C ends", err=True)
    for _ in signals:
        try:
            code = following()
        except ToolkitError as error:
            click.echo(f"toolkit: {error}", err=True)
            code = 2
        if code == INTERRUPTED:
            return code
    return code


def again(chosen: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the options for all runs but the first: nothing is forgotten between them."""
    return tuple(
        replace(group, fresh=False, retry_failed=False) if hasattr(group, "fresh") else group for group in chosen
    )


def written(sources: Sequence[str], out: Path | None, chosen: tuple[Any, ...]) -> list[Path]:
    """Return what the runs write themselves, as far as their options name it; never a folder that sources lie in."""
    named = [
        getattr(group, field.name)
        for group in chosen
        if is_dataclass(group)
        for field in fields(group)
        if isinstance(getattr(group, field.name), Path)
    ]
    real = [os.path.realpath(source) for source in sources]
    places = [*named, *([out] if out is not None else [])]
    return [path for path in places if not any(Path(source).is_relative_to(os.path.realpath(path)) for source in real)]
