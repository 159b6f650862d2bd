"""The parts of what a page says by itself: each is one column, and the set is known before the first page."""

from __future__ import annotations

from importlib.util import find_spec

from toolkit.core.errors import MissingExtra, UsageError

TYPES: dict[str, type] = {
    "title": str,
    "description": str,
    "canonical": str,
    "language": str,
    "meta": dict,
    "og": dict,
    "twitter": dict,
    "jsonld": list,
    "microdata": list,
    "related": list,
    "links": list,
    "images": list,
    "tables": list,
    "text": str,
}
"""Each part's type; a text is None where the page does not say it, a dict or list is empty."""

PARTS = tuple(TYPES)
"""The parts, in the order of their columns."""

TEXT = "text"
LIBRARY = "trafilatura"
"""What finds the main text; an extra."""


def usual_parts() -> tuple[str, ...]:
    """Return the parts that `--auto` stands for: all that can be had with the packages installed."""
    return PARTS if _has_library() else tuple(part for part in PARTS if part != TEXT)


def parse_parts(text: str) -> tuple[str, ...]:
    """Return the parts that `title,og,jsonld` names, in the order of the columns; "" and "all" are the usual ones.

    Raises UsageError for a name that is no part, MissingExtra for a text that nothing here can find.
    """
    named = [part.strip().lower() for part in text.split(",") if part.strip()]
    return usual_parts() if named in ([], ["all"]) else check_parts(named)


def check_parts(named: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Return the named parts in the order of the columns, each once; raises as parse_parts does."""
    if wrong := next((part for part in named if part not in TYPES), None):
        raise UsageError(f"there is no part {wrong!r} of a page: choose from {', '.join(PARTS)}")
    if TEXT in named and not _has_library():
        raise MissingExtra("the main text of pages needs the package 'trafilatura', which", "text")
    return tuple(part for part in PARTS if part in named)


def _has_library() -> bool:
    return find_spec(LIBRARY) is not None
