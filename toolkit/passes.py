"""One run after another: the first, and one after each burst of changes, for `--watch` and toolkit.resize.watch()."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from toolkit.watching import changes

T = TypeVar("T")


def passes(
    once: Callable[[bool], T], sources: Sequence[str], exclude: Sequence[Path], stop: threading.Event
) -> Iterator[T]:
    """Yield what once(True) returns, and once(False) after each burst of changes, until stop is set or by Ctrl-C.

    once: a run, told whether it is the first. exclude: what the runs write themselves. The sources are watched from
    before the first run on, so nothing is missed that changes meanwhile. Raises UsageError for what cannot be watched,
    MissingExtra, and whatever a run raises.
    """
    signals = changes(sources, exclude=exclude, stop=stop)
    yield once(True)
    for _ in signals:
        yield once(False)


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
