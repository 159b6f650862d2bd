"""The plan: two results never share a name, no result replaces a picture that was named, and none is made twice.

The sources are walked twice: a million pictures cost 8 bytes a name while the plan is checked, and nothing after.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

from toolkit.apps.resize.names import folded, short_hash, shown
from toolkit.apps.resize.template import Naming
from toolkit.apps.resize.walk import Finding, Found, Passed, Root, fixed_part, place_below, roots, walk
from toolkit.core.errors import UsageError

_ORIGIN = "//"
"""Starts the claim of an origin, so that it cannot be taken for that of a result."""

LEFT_OVER = "result of a picture that is done again"
"""Why a picture is left alone in place that a killed run had made, while its original is still there."""

_PARTS = 256
"""Hashes are kept and sorted in so many parts, by their first bits: numbers to sort take five times their space."""


class Plan:
    """What is to be done with the sources. Iterate it: it is checked first, unless check() was called.

    also: sorts of pictures that are not read otherwise; exclude: folders that are not looked into (of backups);
    reserved: files that the run writes besides (reports). unfinished: tells whether a killed run has left a picture
    beside its result, in place. total: how many findings there are, once they were counted.
    """

    def __init__(
        self,
        sources: Sequence[str],
        out: Path,
        naming: Naming,
        *,
        also: frozenset[str] = frozenset(),
        exclude: Sequence[Path] = (),
        reserved: Sequence[Path] = (),
        unfinished: Callable[[Found], bool] = lambda _: False,
    ) -> None:
        self._roots = roots(sources)
        self._out = out
        self._home = os.path.realpath(out)
        self._naming = naming
        self._also = also
        self._exclude = tuple(exclude)
        self._reserved = {folded(os.path.realpath(path)): path for path in reserved}
        self._unfinished = unfinished
        self._left_over: set[str] = set()
        self._repeated: frozenset[int] | None = None
        self.total: int | None = None

    def check(self) -> frozenset[int]:
        """Raise UsageError if the plan is wrong, having written nothing; return the hashes of names claimed twice."""
        if self._naming.beside:
            _check_in_place(self._naming)
        else:
            check_apart([root.path for root in self._roots], self._out)
        count, repeated = self._survey()
        self.total = count - (self._check_owners(repeated) if repeated else 0)
        self._repeated = repeated
        return repeated

    def __iter__(self) -> Iterator[Finding]:
        return self._once(self.check() if self._repeated is None else self._repeated)

    def _walk(self, *, measure: bool = False) -> Iterator[Finding]:
        return walk(self._roots, self._out, self._naming, also=self._also, exclude=self._exclude, measure=measure)

    def _survey(self) -> tuple[int, frozenset[int]]:
        """Return how many findings there are, and the hashes of names that more than one claims."""
        inner = () if self._naming.beside else _inner_roots(self._roots, self._home)
        single = _Single(self._out, self._home, self._naming, self._reserved, inner)
        count, parts = 0, [array("Q") for _ in range(_PARTS)]
        for finding in self._walk():
            count += 1
            if isinstance(finding, Found):
                single.check(finding)
                for claim in self._claims(finding):
                    hashed = short_hash(claim)
                    parts[hashed >> 56].append(hashed)
        twice = (one for part in parts for one, other in pairwise(sorted(part)) if one == other)
        return count, frozenset(twice)

    def _claims(self, picture: Found) -> Iterator[str]:
        """Yield each name that this picture alone may have: its results', its key, its own if in the output folder."""
        names = [target.name for target in picture.targets]
        yield from names
        if self._needs_origins:
            yield _ORIGIN + picture.origin
        place = _place(picture.source, self._home)
        if place is not None and place not in names:
            yield place

    @property
    def _needs_origins(self) -> bool:
        """Whether two pictures may have one origin; in place, their results' names tell them apart."""
        return len(self._roots) > 1 and not self._naming.beside

    def _marks(self, picture: Found) -> set[str]:
        """Return the claims that tell that a picture is done already, when the same file has them; folded."""
        keys = [_ORIGIN + picture.origin] if self._needs_origins else []
        return {folded(name) for name in (picture.targets[0].name, *keys)}

    def _check_owners(self, repeated: frozenset[int]) -> int:
        """Raise UsageError if two pictures claim one name; return how many findings are the same picture again."""
        # Names are compared, not only hashes: chance must never cause an error.
        owners: dict[str, Found] = {}
        again = 0
        for picture in self._walk():
            if not isinstance(picture, Found):
                continue
            claims = [name for name in self._claims(picture) if short_hash(name) in repeated]
            taken = [(name, owners[folded(name)]) for name in claims if folded(name) in owners]
            if any(self._is_left_over(name, owner, picture) for name, owner in taken):
                continue
            for name, owner in taken:
                if not _same(owner.source, picture.source):
                    raise UsageError(_collision(name, owner, picture))
            if any(self._marks(owner) & self._marks(picture) for _, owner in taken):
                again += 1
            elif taken:
                raise UsageError(_collision(*taken[0], picture))
            for name in claims:
                owners.setdefault(folded(name), picture)
        return again

    def _is_left_over(self, name: str, *both: Found) -> bool:
        """Tell whether one of two pictures is the result of the other, which a killed run did not come to remove."""
        if not self._naming.beside:
            return False
        for one, other in (both, both[::-1]):
            if folded(_place(other.source, self._home) or "") == folded(name) and self._unfinished(one):
                self._left_over.add(other.source)
                return True
        return False

    def _once(self, repeated: frozenset[int]) -> Iterator[Finding]:
        made: set[str] = set()
        for finding in self._walk(measure=True):
            if isinstance(finding, Found) and finding.source in self._left_over:
                yield Passed(finding.source, finding.origin, LEFT_OVER)
                continue
            if isinstance(finding, Found) and repeated:
                names = {name for name in self._marks(finding) if short_hash(name) in repeated}
                if names & made:
                    continue
                made |= names
            yield finding


@dataclass(frozen=True, slots=True)
class _Single:
    """What can be wrong with one picture alone. inner: the source folders below the output folder, as places."""

    out: Path
    home: str
    naming: Naming
    reserved: dict[str, Path]
    inner: tuple[str, ...]

    def check(self, picture: Found) -> None:
        """Raise UsageError if its results replace each other, itself, an input of another run, or a report."""
        if len({folded(target.name) for target in picture.targets}) < len(picture.targets):
            raise UsageError(_told_apart(picture))
        for target in picture.targets:
            self._check_target(picture, target.name)
        if self.reserved:
            self._check_reserved(picture)

    def _check_target(self, picture: Found, name: str) -> None:
        target = os.path.join(self.out, name)
        own = self.naming.beside and name == place_below(picture.source, self.home)
        if not own and _same(target, picture.source):  # mostly the first does not exist, and that is the end of it
            where = f"{shown(picture.source)} would be replaced by its own result ({shown(target)} is the same file)"
            raise UsageError(f"{where}: give another output folder")
        if self.inner and folded(name).startswith(self.inner):
            what = f"{shown(target)}, the result of {shown(picture.source)}, would lie among the sources"
            raise UsageError(f"{what} and be an input of the next run: give another output folder")

    def _check_reserved(self, picture: Found) -> None:
        where = os.path.realpath(os.path.dirname(picture.source)), os.path.basename(picture.source)
        names = [os.path.join(self.home, target.name) for target in picture.targets]
        for name, what in ((os.path.join(*where), "an input"), *((name, "the name of a result") for name in names)):
            if path := self.reserved.get(folded(name)):
                raise UsageError(f"{shown(str(path))} is {what} too: write it elsewhere")


def home(sources: Sequence[str]) -> Path:
    """Return the folder that holds all sources, where those are done in place; raises UsageError if none does."""
    folders = [
        fixed_part(root.path) if root.is_pattern or not os.path.isdir(root.path) else root.path
        for root in roots(sources)
    ]
    try:
        return Path(os.path.commonpath([os.path.realpath(folder) for folder in folders]))
    except ValueError as error:
        raise UsageError("the sources lie on different drives: do those of each drive by themselves") from error


def check_apart(sources: Sequence[str], out: Path) -> None:
    """Raise UsageError if a source is the output folder itself."""
    if os.path.realpath(out) in map(os.path.realpath, sources):
        raise UsageError(f"{shown(str(out))} is both input and output: give another output folder")


def _check_in_place(naming: Naming) -> None:
    if len(naming.labels) > 1 or len(naming.formats) > 1:
        raise UsageError("in place, one file takes the place of each picture: give one size and one format")


def _inner_roots(named: Sequence[Root], home: str) -> tuple[str, ...]:
    folders = (os.path.realpath(root.path) for root in named if not root.is_pattern and os.path.isdir(root.path))
    places = (place_below(folder, home) for folder in folders)
    return tuple(folded(place) + os.sep for place in places if place not in {None, "."})


def _place(source: str, home: str) -> str | None:
    """Return where a file lies below a (real) folder, links followed, or None if it does not."""
    return place_below(os.path.realpath(source) if os.path.islink(source) else source, home)


def _told_apart(picture: Found) -> str:
    pairs = combinations(picture.targets, 2)
    one, other = next((one, other) for one, other in pairs if folded(one.name) == folded(other.name))
    lacking = "{size}" if one.size != other.size else "{ext} or {format}"
    what = f"two results of {shown(picture.source)} would be called {shown(one.name)}"
    return f"{what}: --name-template needs {lacking}, and no size or format may be given twice"


def _collision(name: str, one: Found, other: Found) -> str:
    for picture, endangered in ((one, other), (other, one)):
        if _makes(picture, name) and not _makes(endangered, name) and not name.startswith(_ORIGIN):
            what = f"the result of {shown(picture.source)} would replace {shown(endangered.source)}"
            return f"{what}, which is an input too: give another output folder"
    place = shown(name.removeprefix(_ORIGIN))
    both = f"{shown(one.source)} and {shown(other.source)} would both become {place}"
    return f"{both}: rename one, or resize them into different output folders"


def _makes(picture: Found, name: str) -> bool:
    return any(folded(target.name) == folded(name) for target in picture.targets)


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
