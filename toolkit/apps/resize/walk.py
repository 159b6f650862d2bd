"""What the sources hold: every picture below them, told by content, with the names that its results take."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from pathlib import Path

from toolkit.apps.resize import formats, pixel_size
from toolkit.apps.resize.names import shown
from toolkit.apps.resize.targets import Target
from toolkit.apps.resize.template import Named, Naming
from toolkit.core.errors import UsageError

NOT_A_PICTURE = "not a picture"
LINK_TO_A_FOLDER = "link to a folder"
LINK_IN_PLACE = "link to a picture"
"""Why a link is left alone in place: its file would stay as it is, or lies where nobody said that we may write."""

_KINDS = {suffix: kind for kind, suffixes in formats.SUFFIXES.items() for suffix in suffixes}
"""What a file is by its name."""


@dataclass(frozen=True, slots=True)
class Found:
    """A picture at source. origin: its place below what was named; targets: its results. size in bytes.

    kind: its format, as sniff() calls it. width, height: its pixels as they are stored, where they were asked for and
    its header tells, else 0.
    """

    source: str
    origin: str
    targets: tuple[Target, ...]
    size: int
    mtime_ns: int
    width: int = 0
    height: int = 0
    kind: str = ""


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


def walk(
    named: Sequence[Root],
    out: Path,
    naming: Naming,
    *,
    also: frozenset[str] = frozenset(),
    exclude: Sequence[Path] = (),
    measure: bool = False,
) -> Iterator[Finding]:
    """Yield everything below the roots, folders in the order of names, holding the names of one folder at a time.

    Hidden files are left out, as are the output folder (but in place) and those in exclude. also: sorts of pictures
    that are not read otherwise. measure: whether to find out width and height.
    """
    left_out = [*exclude] if naming.beside else [out, *exclude]
    look = _Look(os.path.realpath(out), naming, formats.READABLE | also, measure=measure)
    for root in named:
        if root.is_pattern:
            yield from _matching(root, left_out, look)
        else:
            yield from _below(root, left_out, look)


def _root(source: str) -> Root:
    if os.path.lexists(source):
        return Root(source, "" if os.path.isdir(source) else os.path.basename(source))
    if not glob.has_magic(source):
        raise UsageError(f"there is no file or folder {shown(source)}")
    if next(glob.iglob(source, recursive=True), None) is None:
        raise UsageError(f"no file matches {shown(source)}")
    return Root(source, is_pattern=True)


def _matching(root: Root, left_out: Sequence[Path], look: _Look) -> Iterator[Finding]:
    base = fixed_part(root.path)
    start = os.path.join(os.path.abspath(base), "")
    folders = (os.path.join(os.path.abspath(path), "") for path in left_out)
    closed = tuple(folder for folder in folders if not start.startswith(folder))  # else nothing could match
    matches = glob.iglob(root.path, recursive=True)
    for match in sorted(matches) if look.naming.counts else matches:  # glob's own order may be another one next time
        if os.path.join(os.path.abspath(match), "").startswith(closed):
            continue
        name = os.path.relpath(match, base)
        if not os.path.isdir(match):
            yield look(match, name)
        elif "**" not in root.path:  # `photos/**` names folders and also what is in them: the files are enough
            yield from _below(Root(match, name), left_out, look)


def fixed_part(pattern: str) -> str:
    """Return the folder that a pattern starts from."""
    folder = os.path.dirname(pattern)
    while glob.has_magic(folder):
        folder = os.path.dirname(folder)
    return folder or "."


def _below(root: Root, left_out: Sequence[Path], look: _Look) -> Iterator[Finding]:
    if not os.path.isdir(root.path):
        yield look(root.path, root.name)
        return
    closed = {identity for path in left_out if (identity := _identity(path))}
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
                yield look(path, place)
            elif os.path.islink(path):
                yield Passed(path, place, LINK_TO_A_FOLDER)
            elif _identity(path) not in closed:
                inner.append((path, place))
        folders.extend(reversed(inner))


@dataclass(frozen=True, slots=True)
class _Look:
    """Tells what a file is. home: the real output folder; readable: sorts of pictures; numbers: of the pictures."""

    home: str
    naming: Naming
    readable: frozenset[str]
    measure: bool
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    refusals: dict[str, str | None] = field(default_factory=dict)

    def __call__(self, path: str, origin: str) -> Finding:
        width = height = 0
        try:
            facts = os.stat(path)
            if not stat.S_ISREG(facts.st_mode):  # opening a pipe would wait for ever
                return Passed(path, origin, NOT_A_PICTURE)
            with open(path, "rb", buffering=0) as file:
                kind = formats.sniff(head := file.read(formats.HEAD))
                if self.measure and kind in self.readable:
                    width, height = pixel_size.of(file, head, facts.st_size)
        except OSError as error:
            return Unreadable(path, origin, f"cannot be read: {error.strerror}")
        if kind is None:
            return self._unknown(path, origin, facts.st_size)
        if refusal := self._refusal(kind):
            return Unreadable(path, origin, refusal, unsupported=True)
        if self.naming.beside and os.path.islink(path):
            return Passed(path, origin, LINK_IN_PLACE)
        return self._named(path, origin, kind, facts, (width, height))

    def _unknown(self, path: str, origin: str, size: int) -> Finding:
        """Pass over what is no picture, but not what its name says is one: somebody may have lost it."""
        named = _KINDS.get(os.path.splitext(path)[1].lower())
        if named is None or named not in self.readable:
            return Passed(path, origin, NOT_A_PICTURE)
        what = "it is no picture, or damaged at its start" if size else "it is empty"
        return Unreadable(path, origin, f"the name is a picture's, but {what}")

    def _refusal(self, kind: str) -> str | None:
        """Return why pictures of this sort are not read, or None; the answer is looked up once a walk."""
        if kind not in self.refusals:
            self.refusals[kind] = _refusal(kind, self.readable)
        return self.refusals[kind]

    def _named(self, path: str, origin: str, kind: str, facts: os.stat_result, pixels: tuple[int, int]) -> Finding:
        place = place_below(path, self.home) if self.naming.beside else origin
        if place is None:
            return Unreadable(path, origin, f"lies outside of {shown(self.home)}, where it would be replaced")
        try:
            targets = self.naming.targets(Named(path, place, kind, next(self.numbers), facts.st_mtime_ns))
        except ValueError as error:
            return Unreadable(path, origin, str(error))
        return Found(path, origin, targets, facts.st_size, facts.st_mtime_ns, *pixels, kind)


def _refusal(kind: str, readable: frozenset[str]) -> str | None:
    if kind in formats.EXTRA_DECODERS and kind not in readable:
        return f"{kind} pictures are read only if asked for: --also-read {kind}"
    if kind not in readable:
        return f"{kind} pictures are not read"
    if extra := formats.missing(kind):
        return f"{kind.upper()} pictures need: pip install 'toolkit[{extra}]'"
    return None


def place_below(source: str, home: str) -> str | None:
    """Return where a file (not a link) lies below a real folder, or None if it does not."""
    folder, name = os.path.split(source)
    inside = _folder_below(folder, home)
    return None if inside is None else os.path.normpath(os.path.join(inside, name))


@lru_cache(maxsize=16)  # the pictures of a folder follow each other
def _folder_below(folder: str, home: str) -> str | None:
    try:
        place = os.path.relpath(os.path.realpath(folder), home)
    except ValueError:  # another drive
        return None
    return None if place.split(os.sep)[0] == os.pardir else place


def _identity(path: str | Path) -> tuple[int, int] | None:
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return facts.st_dev, facts.st_ino
