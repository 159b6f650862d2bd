"""The plan: two results never share a name, no result replaces a picture that was named, and none is made twice.

The sources are walked twice, so that a million pictures cost 8 bytes each while the plan is checked, and nothing after.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from toolkit.apps.resize.formats import Format
from toolkit.apps.resize.names import folded, short_hash, shown
from toolkit.apps.resize.walk import Finding, Found, roots, walk
from toolkit.core.errors import UsageError

_ORIGIN = "//"
"""Starts the claim of an origin, so that it cannot be taken for that of a result."""


class Plan:
    """What is to be done with the sources. Iterate it: it is checked first, unless check() was called.

    total: how many findings there are, once they were counted.
    """

    def __init__(self, sources: Sequence[str], out: Path, wanted: Format | None) -> None:
        self._roots = roots(sources)
        self._out = out
        self._home = os.path.realpath(out)
        self._wanted = wanted
        self._repeated: frozenset[int] | None = None
        self.total: int | None = None

    def check(self) -> frozenset[int]:
        """Raise UsageError if the plan is wrong, having written nothing; return the hashes of names claimed twice."""
        check_apart([root.path for root in self._roots], self._out)
        count, repeated = self._survey()
        self.total = count - (self._check_owners(repeated) if repeated else 0)
        self._repeated = repeated
        return repeated

    def __iter__(self) -> Iterator[Finding]:
        return self._once(self.check() if self._repeated is None else self._repeated)

    def _walk(self) -> Iterator[Finding]:
        return walk(self._roots, self._out, self._wanted)

    def _survey(self) -> tuple[int, frozenset[int]]:
        """Return how many findings there are, and the hashes of names that more than one claims."""
        count, hashes = 0, array("Q")
        for finding in self._walk():
            count += 1
            if isinstance(finding, Found):
                _check_itself(finding, self._out)
                hashes.extend(map(short_hash, self._claims(finding)))
        return count, frozenset(one for one, other in pairwise(sorted(hashes)) if one == other)

    def _claims(self, picture: Found) -> Iterator[str]:
        """Yield each name that this picture alone may have: its result's, its key, its own if in the output folder."""
        yield picture.target
        if len(self._roots) > 1:
            yield _ORIGIN + picture.origin
        place = _place(picture.source, self._home)
        if place is not None and place != picture.target:
            yield place

    def _check_owners(self, repeated: frozenset[int]) -> int:
        """Raise UsageError if two pictures claim one name; return how many findings are the same picture again."""
        # Names are compared, not only hashes: chance must never cause an error.
        owners: dict[str, Found] = {}
        again = 0
        for picture in self._walk():
            if not isinstance(picture, Found):
                continue
            for name in self._claims(picture):
                if short_hash(name) in repeated:
                    owner = owners.setdefault(folded(name), picture)
                    if not _same(owner.source, picture.source):
                        raise UsageError(_collision(name, owner, picture))
                    again += name == picture.target and owner is not picture
        return again

    def _once(self, repeated: frozenset[int]) -> Iterator[Finding]:
        made: set[str] = set()
        for finding in self._walk():
            if isinstance(finding, Found) and repeated and short_hash(finding.target) in repeated:
                if folded(finding.target) in made:
                    continue
                made.add(folded(finding.target))
            yield finding


def check_apart(sources: Sequence[str], out: Path) -> None:
    """Raise UsageError if a source is the output folder itself."""
    if os.path.realpath(out) in map(os.path.realpath, sources):
        raise UsageError(f"{shown(str(out))} is both input and output: give another output folder")


def _place(source: str, home: str) -> str | None:
    """Return where a file lies below a (real) folder, or None if it does not."""
    folder, name = os.path.split(os.path.realpath(source) if os.path.islink(source) else source)
    inside = _folder_place(folder, home)
    return None if inside is None else os.path.normpath(os.path.join(inside, name))


@lru_cache(maxsize=16)  # the pictures of a folder follow each other
def _folder_place(folder: str, home: str) -> str | None:
    place = os.path.relpath(os.path.realpath(folder), home)
    return None if place.split(os.sep)[0] == os.pardir else place


def _check_itself(picture: Found, out: Path) -> None:
    target = os.path.join(out, picture.target)
    if _same(target, picture.source):  # mostly the first does not exist, and that is the end of it
        where = f"{shown(picture.source)} would be replaced by its own result ({shown(target)} is the same file)"
        raise UsageError(f"{where}: give another output folder")


def _collision(name: str, one: Found, other: Found) -> str:
    for picture, endangered in ((one, other), (other, one)):
        if folded(picture.target) == folded(name) != folded(endangered.target):
            what = f"the result of {shown(picture.source)} would replace {shown(endangered.source)}"
            return f"{what}, which is an input too: give another output folder"
    place = shown(name.removeprefix(_ORIGIN))
    both = f"{shown(one.source)} and {shown(other.source)} would both become {place}"
    return f"{both}: rename one, or resize them into different output folders"


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
