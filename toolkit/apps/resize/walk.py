"""What the sources hold: every picture below them, told by content, with the name that its result takes."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.apps.resize import formats
from toolkit.apps.resize.names import shown
from toolkit.core.errors import UsageError

NOT_A_PICTURE = "not a picture"
LINK_TO_A_FOLDER = "link to a folder"


@dataclass(frozen=True, slots=True)
class Found:
    """A picture at source. origin: its place below what was named; target: the place of its result below the output."""

    source: str
    origin: str
    target: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Passed:
    """Something that is no picture; reason is one phrase for all of its sort."""

    source: str
    origin: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A picture or folder that cannot be used; unsupported: it is a picture, but of a sort that we do not read."""

    source: str
    origin: str
    message: str
    unsupported: bool = False


Finding = Found | Passed | Unreadable


@dataclass(frozen=True, slots=True)
class Root:
    """A file, folder or pattern that was named. name: what the names of its results start with, "" for a folder's."""

    path: str
    name: str = ""
    is_pattern: bool = False


def roots(sources: Sequence[str]) -> list[Root]:
    """Return what the sources name, each once; raises UsageError for one that names nothing."""
    if not sources:
        raise UsageError("no pictures were named: give files, folders or patterns such as 'photos/*.jpg'")
    return list(dict.fromkeys(_root(os.fspath(source)) for source in sources))


def walk(named: Sequence[Root], out: Path, wanted: formats.Format | None) -> Iterator[Finding]:
    """Yield everything below the roots, folders in the order of names; hidden files and the output folder are left out.

    Holds the names of one folder at a time.
    """
    for root in named:
        if root.is_pattern:
            yield from _matching(root, out, wanted)
        else:
            yield from _below(root, out, wanted)


def _root(source: str) -> Root:
    if os.path.lexists(source):
        return Root(source, "" if os.path.isdir(source) else os.path.basename(source))
    if not glob.has_magic(source):
        raise UsageError(f"there is no file or folder {shown(source)}")
    if next(glob.iglob(source, recursive=True), None) is None:
        raise UsageError(f"no file matches {shown(source)}")
    return Root(source, is_pattern=True)


def _matching(root: Root, out: Path, wanted: formats.Format | None) -> Iterator[Finding]:
    base, output = _fixed_part(root.path), os.path.abspath(out)
    for match in glob.iglob(root.path, recursive=True):
        if (os.path.abspath(match) + os.sep).startswith(output + os.sep):
            continue
        name = os.path.relpath(match, base)
        if not os.path.isdir(match):
            yield _look(match, name, wanted)
        elif "**" not in root.path:  # `photos/**` names folders and also what is in them: the files are enough
            yield from _below(Root(match, name), out, wanted)


def _fixed_part(pattern: str) -> str:
    folder = os.path.dirname(pattern)
    while glob.has_magic(folder):
        folder = os.path.dirname(folder)
    return folder or "."


def _below(root: Root, out: Path, wanted: formats.Format | None) -> Iterator[Finding]:
    if not os.path.isdir(root.path):
        yield _look(root.path, root.name, wanted)
        return
    output = _identity(out)
    folders = [(root.path, root.name)]
    while folders:
        folder, origin = folders.pop()
        try:
            names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
        except OSError as error:
            yield Unreadable(folder, origin or root.path, f"the folder cannot be read: {error.strerror}")
            continue
        inner = []
        for name in names:
            path, place = os.path.join(folder, name), os.path.join(origin, name)
            # Links to folders are not followed: they may lead round in a circle, or anywhere.
            if not os.path.isdir(path):
                yield _look(path, place, wanted)
            elif os.path.islink(path):
                yield Passed(path, place, LINK_TO_A_FOLDER)
            elif output is None or _identity(path) != output:
                inner.append((path, place))
        folders.extend(reversed(inner))


def _look(path: str, origin: str, wanted: formats.Format | None) -> Finding:
    try:
        facts = os.stat(path)
        if not stat.S_ISREG(facts.st_mode):  # opening a pipe would wait for ever
            return Passed(path, origin, NOT_A_PICTURE)
        with open(path, "rb", buffering=0) as file:
            kind = formats.sniff(file.read(formats.HEAD))
    except OSError as error:
        return Unreadable(path, origin, f"cannot be read: {error.strerror}")
    if kind is None:
        return Passed(path, origin, NOT_A_PICTURE)
    if kind not in formats.READABLE:
        return Unreadable(path, origin, f"{kind} pictures are not read", unsupported=True)
    target = formats.output_name(origin, formats.output_format(kind, wanted))
    return Found(path, origin, target, facts.st_size, facts.st_mtime_ns)


def _identity(path: str | Path) -> tuple[int, int] | None:
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return facts.st_dev, facts.st_ino
