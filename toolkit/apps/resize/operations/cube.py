"""Colour tables from .cube files, of one or three dimensions (Adobe, Cube LUT Specification 1.0, 2013).

A file is refused rather than guessed at: a wrong table would spoil every picture of a run.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from toolkit.apps.resize.operations.files import File

_MOST = {1: 65_536, 3: 65}
"""The largest sizes: of 1D tables by the specification, of 3D tables by what Pillow looks up."""

_HUGEST = 1e6
_SIZES: dict[str, Literal[1, 3]] = {"LUT_1D_SIZE": 1, "LUT_3D_SIZE": 3}
_RANGES = ("LUT_1D_INPUT_RANGE", "LUT_3D_INPUT_RANGE")  # DaVinci Resolve's way to give the domain


@dataclass(frozen=True, slots=True)
class Cube:
    """A table for levels from 0 to 1: size rows (1D) or size cubed (3D, red changes fastest) of red, green, blue."""

    dimensions: Literal[1, 3]
    size: int
    rows: array[float] = field(repr=False)

    def curve(self, channel: int) -> list[float]:
        """Return what a 1D table makes of the 256 levels of a channel, 0.0 to 1.0 as a rule."""
        return _resampled(self.rows[channel::3], 256, (0.0, 1.0))


@dataclass(slots=True)
class _Draft:
    """What is known of a table while its file is read."""

    dimensions: Literal[1, 3] | None = None
    size: int = 0
    low: Sequence[float] = (0.0, 0.0, 0.0)
    high: Sequence[float] = (1.0, 1.0, 1.0)
    rows: array[float] = field(default_factory=lambda: array("d"))

    def expected(self) -> int:
        """How many rows there must be."""
        return self.size**3 if self.dimensions == 3 else self.size  # noqa: PLR2004 - as the name of the field says


@lru_cache(maxsize=8)
def cube_of(file: File) -> Cube:
    """Read a .cube file; raises ValueError with a message, and TaskError if the file has changed."""
    try:
        return parse_cube(file.content().decode("utf-8-sig", "replace"))
    except ValueError as error:
        raise ValueError(f"{file.path} is not a .cube table that can be used: {error}") from error


def parse_cube(text: str) -> Cube:
    """Read the text of a .cube file; a domain other than 0 to 1 is worked in. Raises ValueError with a message."""
    draft = _Draft()
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if words and not words[0].startswith("#"):
            try:
                _take(words, draft)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from error
    if draft.dimensions is None:
        raise ValueError("there is no LUT_1D_SIZE or LUT_3D_SIZE")
    found = len(draft.rows) // 3
    if found != draft.expected():
        raise ValueError(f"there are {found:,} rows of numbers, and its size needs {draft.expected():,}")
    return _over_unit(draft, draft.dimensions)


def _take(words: list[str], draft: _Draft) -> None:
    keyword, *rest = words
    if keyword in _SIZES:
        _take_size(_SIZES[keyword], rest, draft)
    elif keyword == "DOMAIN_MIN":
        draft.low = _numbers(rest, 3)
    elif keyword == "DOMAIN_MAX":
        draft.high = _numbers(rest, 3)
    elif keyword in _RANGES:
        low, high = _numbers(rest, 2)
        draft.low, draft.high = (low,) * 3, (high,) * 3
    elif keyword.startswith(("LUT_", "DOMAIN_")):
        raise ValueError(f"{keyword} is not supported")
    elif keyword == "TITLE" or (keyword[0].isalpha() and not _is_number(keyword)):
        return  # notes that some programs leave; a row that is none is missed when rows are counted
    elif draft.dimensions is None:
        raise ValueError("numbers before LUT_1D_SIZE or LUT_3D_SIZE")
    else:
        if len(draft.rows) >= 3 * draft.expected():
            raise ValueError(f"more rows of numbers than the {draft.expected():,} of its size")
        draft.rows.extend(_numbers(words, 3))


def _take_size(dimensions: Literal[1, 3], words: list[str], draft: _Draft) -> None:
    if draft.dimensions is not None:
        raise ValueError("a second size: only one table in a file is supported")
    most = _MOST[dimensions]
    try:
        (size,) = map(int, words)
    except ValueError:
        size = 0
    if not 2 <= size <= most:  # noqa: PLR2004 - two ends
        raise ValueError(f"the size is a whole number from 2 to {most:,} here, not {' '.join(words)[:40] or 'nothing'}")
    draft.dimensions, draft.size = dimensions, size


def _numbers(words: list[str], count: int) -> list[float]:
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(-_HUGEST <= number <= _HUGEST for number in numbers):
        raise ValueError(f"expected {count} numbers from -1e6 to 1e6, not {' '.join(words)[:60]!r}")
    return numbers


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _over_unit(draft: _Draft, dimensions: Literal[1, 3]) -> Cube:
    """Return the table over levels from 0 to 1, resampled as finely as can be if its domain is another."""
    domains = list(zip(draft.low, draft.high, strict=True))
    if any(low >= high for low, high in domains):
        raise ValueError("DOMAIN_MIN must be below DOMAIN_MAX")
    if all(domain == (0.0, 1.0) for domain in domains):
        return Cube(dimensions, draft.size, draft.rows)
    if dimensions == 1:
        # The 256 levels themselves: nothing is lost.
        channels = [_resampled(draft.rows[channel::3], 256, domains[channel]) for channel in range(3)]
        return Cube(1, 256, array("d", [value for row in zip(*channels, strict=True) for value in row]))
    rows, size = draft.rows, _MOST[3]
    for axis in range(3):
        rows = _resampled_along(axis, rows, draft.size, size, domains[axis])
    return Cube(3, size, rows)


def _resampled(values: Sequence[float], size: int, domain: tuple[float, float]) -> list[float]:
    """Return size values, evenly spread from 0 to 1, of the line through values that are spread over the domain."""
    return [
        values[below] + rest * (values[below + 1] - values[below]) for below, rest in _places(len(values), size, domain)
    ]


def _resampled_along(axis: int, rows: array[float], old: int, new: int, domain: tuple[float, float]) -> array[float]:
    """Return a lattice with another number of points along one axis; the axes before it have theirs already."""
    slab = 3 * new**axis
    places = _places(old, new, domain)
    result = array("d")
    for start in range(0, len(rows), slab * old):
        for below, rest in places:
            at = start + below * slab
            pairs = zip(rows[at : at + slab], rows[at + slab : at + 2 * slab], strict=True)
            result.extend(lower + rest * (upper - lower) for lower, upper in pairs)
    return result


def _places(old: int, new: int, domain: tuple[float, float]) -> list[tuple[int, float]]:
    """Return where new points, evenly spread from 0 to 1, lie among old ones over the domain: point below, share."""
    low, high = domain
    places = []
    for index in range(new):
        at = min(1.0, max(0.0, (index / (new - 1) - low) / (high - low))) * (old - 1)
        below = min(int(at), old - 2)
        places.append((below, at - below))
    return places
