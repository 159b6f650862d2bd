"""What failed as the sources were looked through, looked at once more: it may have become a picture meanwhile."""

from __future__ import annotations

from pathlib import Path

from toolkit.apps.resize.picture import Picture
from toolkit.apps.resize.template import Naming
from toolkit.apps.resize.walk import Found, Passed, Root, Unreadable, place_below, walk

LATER = "it can be read now: repeat the command without --retry-failed"
"""Why something fails again that cannot be done by itself: it is a folder, or its name depends on other pictures."""


def look(failed: Picture, out: Path, naming: Naming, also: frozenset[str]) -> Found | Unreadable:
    """Return what is at a place now; also: sorts of pictures that are not read otherwise."""
    source, origin = failed.source, failed.origin
    finding = next(walk([Root(source, origin)], out, naming, also=also, measure=True), None)
    if finding is None or finding.source != source:
        return Unreadable(source, origin, LATER)
    if isinstance(finding, Passed):
        return Unreadable(source, origin, finding.reason)
    if isinstance(finding, Found) and not _is_alone(finding, out, naming):
        return Unreadable(source, origin, LATER)
    return finding


def _is_alone(found: Found, out: Path, naming: Naming) -> bool:
    """Tell whether a picture can be done with no regard to others: in place, its result takes no place but its own."""
    if naming.beside:
        return [target.name for target in found.targets] == [place_below(found.source, str(out.resolve()))]
    return not naming.counts
