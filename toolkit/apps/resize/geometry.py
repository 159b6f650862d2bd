"""Which part of a picture becomes how many pixels, and where: whole-number arithmetic, nothing else.

Rounding: a side that follows from the other, or from a factor, is rounded to the nearest pixel, halves up, and is at
least 1. Of a number of pixels, the longer side is the largest whose product with its rounded shorter side is not above.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction

from toolkit.apps.resize.sizes import (
    CENTER,
    MAX_SIDE,
    Area,
    Box,
    Edge,
    Fit,
    Geometry,
    Goal,
    Gravity,
    Place,
    Region,
    Scale,
    Size,
    When,
    parse_focus,
    parse_geometry,
    parse_scale,
    place_of,
)
from toolkit.apps.resize.turns import SWAPPED, Flip, as_stored, combine, rotated_size, upright
from toolkit.core.errors import FailureKind, TaskError

__all__ = [
    "CENTER",
    "MAX_SIDE",
    "SWAPPED",
    "Area",
    "Box",
    "Edge",
    "Fit",
    "Flip",
    "Geometry",
    "Goal",
    "Gravity",
    "Layout",
    "Place",
    "Region",
    "Scale",
    "Size",
    "as_stored",
    "combine",
    "draft_size",
    "layout",
    "parse_focus",
    "parse_geometry",
    "parse_scale",
    "place_of",
    "rotated_size",
    "upright",
]
"""With the language of sizes and the turns, so that one import gives all that a layout needs."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a picture is laid out, in upright pixels.

    region: the part of the picture that is used. size: what it is scaled to. canvas: the size of the result. at: where
    the scaled part goes on the canvas.
    """

    region: Region
    size: Size
    canvas: Size
    at: tuple[int, int] = (0, 0)


def layout(picture: Size, geometry: Geometry | None, fit: Fit, *, enlarge: bool, place: Place = CENTER) -> Layout:
    """Lay a picture (upright size) out for a geometry; None keeps its size.

    contain (inside): all of it, inside the box. cover: the box filled, what sticks out cut off, place says where.
    stretch: exactly the box. pad: as contain, on a canvas of exactly the box. outside: as cover, with nothing cut off.
    A box with one side, and every goal that is no box, keeps the picture's shape whatever the fit. What the geometry
    itself says (`!`, `^`) goes before fit.

    Unless enlarge, no side is scaled up: cover then gives the largest cut of the box's shape, and pad a wider margin.
    `!` and factors mean what they say, and enlarge too. `>` never enlarges. `<` enlarges what the fit makes larger, and
    leaves all else as it is. Raises TaskError too_large if a side would grow above MAX_SIDE.
    """
    if geometry is None:
        return _whole(picture, picture)
    goal, fit = geometry.goal, geometry.fit or fit
    exact = geometry.fit == "stretch" or isinstance(goal, Scale)
    grow = geometry.when == "smaller" or (geometry.when is None and (enlarge or exact))
    if isinstance(goal, Box) and goal.width is not None and goal.height is not None and fit in {"cover", "pad"}:
        laid = _in_box(picture, (goal.width, goal.height), fit, place, geometry.when, grow=grow)
    else:
        size = _goal_size(picture, geometry, fit)
        laid = _whole(picture, _limited(picture, size, grow=grow, shrink=geometry.when != "smaller"))
    for side in (0, 1):
        if laid.canvas[side] > max(MAX_SIDE, picture[side]):
            would = f"it would be {laid.canvas[0]} x {laid.canvas[1]} pixels"
            raise TaskError(FailureKind.TOO_LARGE, f"{would}, and a side may have {MAX_SIDE}: ask for less")
    return laid


def draft_size(stored: Size, region: Region, size: Size) -> Size:
    """Return how large the whole stored picture must at least be decoded for the region to be twice `size`.

    Twice, because the final filter then does the same work as on the full picture (measured: 57.6 against 58.6 dB); but
    for the half pixel that rounding may have added to size, which would often cost the next larger decoding.
    """
    width, height = region[2] - region[0], region[3] - region[1]
    return _ceil((2 * size[0] - 1) * stored[0] / width), _ceil((2 * size[1] - 1) * stored[1] / height)


def _whole(picture: Size, size: Size) -> Layout:
    return Layout((0.0, 0.0, float(picture[0]), float(picture[1])), size, size)


def _limited(picture: Size, size: Size, *, grow: bool, shrink: bool) -> Size:
    """Return the size, but for sides that would be changed in a way that is not allowed."""
    width, height = (
        wanted if (grow if wanted > own else shrink) else own for own, wanted in zip(picture, size, strict=True)
    )
    return width, height


def _goal_size(picture: Size, geometry: Geometry, fit: Fit) -> Size:
    """Return the size that all of the picture would get, were there no limit."""
    match geometry.goal:
        case Scale(x, y):
            return _times(picture[0], x), _times(picture[1], y)
        case Area(pixels):
            return _area(picture, pixels)
        case Edge(side, which):
            return _around(picture, (side, side), outside=which == "short")
        case Box(int(width), int(height)) if fit != "stretch":
            return _around(picture, (width, height), outside=fit == "outside")
        case Box(width, height):
            return _boxed(picture, (width, height), alone=geometry.fit == "stretch")


def _boxed(picture: Size, box: tuple[int | None, int | None], *, alone: bool) -> Size:
    """Return the box; a side that it lacks stays as it is (alone, as with `800x!`) or else follows."""
    own_width, own_height = picture
    width = box[0] or (own_width if alone else _share(own_width, box[1] or own_height, own_height))
    return width, box[1] or (own_height if alone else _share(own_height, width, own_width))


def _around(picture: Size, box: Size, *, outside: bool) -> Size:
    """Return the picture's size with both sides inside the box and one touching it; or outside, and one touching it."""
    width, height = picture
    wider = width * box[1] >= height * box[0]  # the picture is the wider of the two
    if wider != outside:
        return box[0], _share(height, box[0], width)
    return _share(width, box[1], height), box[1]


def _area(picture: Size, pixels: int) -> Size:
    """Return the largest size in the picture's shape, as rounding allows, of at most so many pixels."""
    long, short = max(picture), min(picture)
    side = bisect_right(range(1, pixels + 1), pixels, key=lambda side: side * _share(short, side, long))
    return (side, _share(short, side, long)) if picture[0] == long else (_share(short, side, long), side)


def _in_box(picture: Size, box: Size, fit: Fit, place: Place, when: When | None, *, grow: bool) -> Layout:
    """Fill the box (cover), or put the picture on a canvas of its size (pad)."""
    full = _around(picture, box, outside=fit == "cover")
    if when == "smaller" and full[0] <= picture[0] and full[1] <= picture[1]:
        return _whole(picture, picture)
    if fit == "cover":
        return _cover(picture, box, place, grow=grow)
    size = _limited(picture, full, grow=grow, shrink=True)
    left, top = (0.5, 0.5) if place.is_focus else (place.x, place.y)  # nothing is cut, so no point needs saving
    at = int((box[0] - size[0]) * left), int((box[1] - size[1]) * top)
    return Layout(_whole(picture, size).region, size, box, at)


def _cover(picture: Size, box: Size, place: Place, *, grow: bool) -> Layout:
    width, height = picture
    wider = width * box[1] >= height * box[0]
    used = (height * box[0] / box[1], float(height)) if wider else (float(width), width * box[1] / box[0])
    size = box
    if not grow and (height < box[1] if wider else width < box[0]):
        size = (_share(box[0], height, box[1]), height) if wider else (width, _share(box[1], width, box[0]))
    left = _cut(width, used[0], place.x, is_focus=place.is_focus)
    top = _cut(height, used[1], place.y, is_focus=place.is_focus)
    return Layout((left, top, left + used[0], top + used[1]), size, size)


def _cut(whole: float, used: float, at: float, *, is_focus: bool) -> float:
    spare = whole - used
    return min(max(at * whole - used / 2, 0.0), spare) if is_focus else spare * at


def _times(side: int, factor: float) -> int:
    # A factor is the decimal number that was written, not the binary one beside it: 0.145 x 100 is 14.5.
    exact = Fraction(repr(factor)) * side
    return _share(exact.numerator, 1, exact.denominator)


def _share(part: int, goal: int, whole: int) -> int:
    """Return part * goal / whole, rounded half up, at least 1."""
    return max(1, (2 * part * goal + whole) // (2 * whole))


def _ceil(value: float) -> int:
    return -int(-value // 1)
