"""Which files a run writes and reads: none that it writes may be another one, or everything in that would be lost."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from toolkit.core.errors import UsageError
from toolkit.core.lists import is_url

Identity = tuple[object, ...]
"""What two names of one file have in common."""
Named = tuple[str, Path]
"""A place as it was asked for, and its path."""


def check_places(sources: Sequence[str], out: Path | None, chosen: Sequence[Any]) -> None:
    """Raise UsageError if what is written is one file with a source, or with another file that an option names.

    chosen: instances of option classes. Files only: each app knows what its folders may be. Nothing is opened.
    """
    written: list[Named] = [] if out is None or str(out) == "-" else [(f"-o {out}", out)]
    read: list[Named] = [(f"the source {source}", Path(source)) for source in sources if not is_url(source)]
    for shown, path, writes in _options(chosen):
        (written if writes else read).append((shown, path))
    known: dict[Identity, str] = {}
    for shown, path in written:
        if (identity := _identity(path)) is not None:
            if identity in known:
                raise UsageError(f"{known[identity]} and {shown} are one file: choose another name for one of them")
            known[identity] = shown
    for shown, path in read if known else ():
        if (same := known.get(_identity(path) or ())) is not None:
            raise UsageError(f"{same} and {shown} are one file, which would be lost: choose another name")
    _check_folders(sources, written, chosen)


def _check_folders(sources: Sequence[str], written: Sequence[Named], chosen: Sequence[Any]) -> None:
    """Raise UsageError for a place where a folder, as the app reads it, has one of its files."""
    readers = [group.reads for group in chosen if hasattr(group, "reads")]
    folders = [source for source in sources if readers and os.path.isdir(source)]
    for shown, path in written if folders else ():
        for folder in folders:
            if any(reads(folder, path) for reads in readers):
                raise UsageError(f"{shown} is among what is read from the source {folder}: choose another name")


def _options(chosen: Sequence[Any]) -> Iterator[tuple[str, Path, bool]]:
    """Yield each file that options name, how it was asked for, and whether it is written."""
    for group in filter(is_dataclass, chosen):
        for each in fields(group):
            described, value = each.metadata["option"], getattr(group, each.name)
            named = value if isinstance(value, tuple) else () if value is None else (value,)
            if not (isinstance(value, Path) or (described.metavar or "").startswith("FILE")):
                continue
            for name in named:
                yield f"--{each.name.replace('_', '-')} {name}", Path(name), described.writes


def _identity(path: Path) -> Identity | None:
    """Return what tells a file from others, be it there or not; None for what is no file, such as /dev/null."""
    try:
        facts = os.stat(path)
    except (OSError, ValueError):  # it is not there yet, or never can be
        return _place(path)
    return (facts.st_dev, facts.st_ino) if stat.S_ISREG(facts.st_mode) else None


def _place(path: Path) -> Identity | None:
    try:
        return (os.path.normcase(os.path.realpath(path)),)
    except (OSError, ValueError):
        return None
