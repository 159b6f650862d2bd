"""The plan: two results never share a name, no result replaces a picture that was named, and none is made twice.

The sources are walked twice, so that a million pictures cost 8 bytes each while the plan is checked, and nothing after.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from toolkit.apps.resize.formats import Format
from toolkit.apps.resize.names import folded, short_hash, shown
from toolkit.apps.resize.walk import Finding, Found, Root, roots, walk
from toolkit.core.errors import UsageError

_ORIGIN = "//"
"""Starts the claim of an origin, so that it cannot be taken for that of a result."""


def plan(sources: Sequence[str], out: Path, wanted: Format | None) -> Iterator[Finding]:
    """Yield each picture once, and what else there is; raises UsageError before the first if the plan is wrong."""
    named = roots(sources)
    home = os.path.realpath(out)
    if any(os.path.realpath(root.path) == home for root in named):
        raise UsageError(f"{shown(str(out))} is both input and output: give another output folder")
    repeated = _shared_hashes(_claims(named, out, wanted))
    if repeated:
        _check_owners(_claims(named, out, wanted), repeated)
    yield from _once(walk(named, out, wanted), repeated)


def _claims(named: Sequence[Root], out: Path, wanted: Format | None) -> Iterator[tuple[str, Found]]:
    """Yield each name that must be one picture's alone: its result's, its key, its own if it lies in the output folder."""
    home = os.path.realpath(out)
    for finding in walk(named, out, wanted):
        if not isinstance(finding, Found):
            continue
        _check_itself(finding, out)
        yield finding.target, finding
        if len(named) > 1:
            yield _ORIGIN + finding.origin, finding
        place = os.path.relpath(os.path.realpath(finding.source), home)
        if not place.startswith(os.pardir) and place != finding.target:
            yield place, finding


def _shared_hashes(claims: Iterator[tuple[str, Found]]) -> frozenset[int]:
    hashes = array("Q", (short_hash(name) for name, _ in claims))
    return frozenset(one for one, other in pairwise(sorted(hashes)) if one == other)


def _check_owners(claims: Iterator[tuple[str, Found]], repeated: frozenset[int]) -> None:
    # Names are compared, not only hashes: chance must never cause an error.
    owners: dict[str, Found] = {}
    for name, picture in claims:
        if short_hash(name) in repeated:
            owner = owners.setdefault(folded(name), picture)
            if not _same(owner.source, picture.source):
                raise UsageError(_collision(name, owner, picture))


def _once(findings: Iterator[Finding], repeated: frozenset[int]) -> Iterator[Finding]:
    made: set[str] = set()
    for finding in findings:
        if isinstance(finding, Found) and repeated and short_hash(finding.target) in repeated:
            if folded(finding.target) in made:
                continue
            made.add(folded(finding.target))
        yield finding


def _check_itself(picture: Found, out: Path) -> None:
    target = os.path.join(out, picture.target)
    if _same(picture.source, target):
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
