"""Quarter turns and mirrorings of a picture as EXIF counts them, 1 to 8; and the room that any other turn takes."""

from __future__ import annotations

import math
from typing import Literal

from toolkit.apps.resize.sizes import Region, Size

Flip = Literal["horizontal", "vertical", "both"]

SWAPPED = frozenset({5, 6, 7, 8})
"""EXIF orientations that turn width into height (EXIF 2.32, tag 0x0112)."""

_Matrix = tuple[int, int, int, int]

_TURNS: dict[int, _Matrix] = {
    1: (1, 0, 0, 1),
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, -1, 1, 0),
    7: (0, -1, -1, 0),
    8: (0, 1, -1, 0),
}
"""Where EXIF's orientations put what is stored at (x, y), measured from the middle: (ax + by, cx + dy)."""

_CODES = {matrix: code for code, matrix in _TURNS.items()}


def upright(stored: Size, orientation: int) -> Size:
    """Return the size a stored picture has once it is turned as its EXIF orientation says."""
    return (stored[1], stored[0]) if orientation in SWAPPED else stored


def as_stored(region: Region, size: Size, orientation: int) -> Region:
    """Return where a region of the upright picture (of this size) lies in the picture as it is stored."""
    left, top, right, bottom = region
    width, height = size
    mirrored, flipped = (width - right, width - left), (height - bottom, height - top)
    across = mirrored if orientation in {2, 3, 6, 7} else (left, right)
    down = flipped if orientation in {3, 4, 7, 8} else (top, bottom)
    if orientation in SWAPPED:
        across, down = down, across
    return across[0], down[0], across[1], down[1]


def combine(orientation: int, quarter_turns: int, flip: Flip | None) -> int:
    """Return the EXIF orientation (1 to 8) that is: orientation, then so many quarter turns clockwise, then the flip.

    horizontal swaps left and right, vertical top and bottom.
    """
    matrix = _TURNS[orientation]
    for _ in range(quarter_turns % 4):
        matrix = _after(_TURNS[6], matrix)
    if flip is not None:
        matrix = _after(_TURNS[{"horizontal": 2, "both": 3, "vertical": 4}[flip]], matrix)
    return _CODES[matrix]


def rotated_size(size: Size, degrees: float) -> Size:
    """Return the canvas that holds a picture turned by any angle: rounded up, and exact for quarter turns."""
    turns, rest = divmod(degrees, 90)
    if rest == 0:
        return size if turns % 2 == 0 else (size[1], size[0])
    cosine, sine = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    width, height = size
    return math.ceil(width * cosine + height * sine - 1e-6), math.ceil(width * sine + height * cosine - 1e-6)


def _after(second: _Matrix, first: _Matrix) -> _Matrix:
    a, b, c, d = second
    e, f, g, h = first
    return a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h
