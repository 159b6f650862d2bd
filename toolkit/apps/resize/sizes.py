"""The language of sizes: ImageMagick's geometry words, factors and places, read into plain values.

The words: https://imagemagick.org/script/command-line-processing.php#geometry
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NoReturn

Size = tuple[int, int]
Region = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

Fit = Literal["contain", "cover", "stretch", "pad", "inside", "outside"]
"""inside is sharp's word for contain; outside covers the box, but nothing is cut."""

Gravity = Literal["northwest", "north", "northeast", "west", "center", "east", "southwest", "south", "southeast"]
When = Literal["larger", "smaller"]

MAX_SIDE = 65_535
"""Pixels; the longest side that JPEG can hold. Nothing is scaled up beyond it."""

LARGEST_FACTOR = 10
"""A factor without a per cent sign that is larger is a slip of the hand."""
_NUMBER = r"([0-9]{1,7}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})"


@dataclass(frozen=True, slots=True)
class Box:
    """A size in pixels; a side that is None follows from the other."""

    width: int | None
    height: int | None


@dataclass(frozen=True, slots=True)
class Scale:
    """Factors of the width and of the height: 0.5 is half."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Area:
    """At most so many pixels, in the picture's own shape."""

    pixels: int


@dataclass(frozen=True, slots=True)
class Edge:
    """The length in pixels of the longer or the shorter side, whichever way the picture lies."""

    side: int
    which: Literal["long", "short"]


Goal = Box | Scale | Area | Edge


@dataclass(frozen=True, slots=True)
class Geometry:
    """What a word asks for.

    fit: what the word itself says of it, `!` stretch or `^` outside. when: only what is larger, or only what is smaller
    than the goal is changed. label: the goal as a part of file names.
    """

    goal: Goal
    fit: Fit | None = None
    when: When | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cut is taken from, or a margin is put; x and y go from 0 (left, top) to 1.

    Usually the share of the spare room that is left of it and above it. With is_focus the point of the upright picture
    that the cut is centred on, as far as the picture reaches.
    """

    x: float
    y: float
    is_focus: bool = False


CENTER = Place(0.5, 0.5)


def parse_geometry(text: str) -> Geometry:
    """Read one of ImageMagick's geometry words; raises ValueError with a message.

    `800x600`, `800x`, `800` (width) or `x600`, and behind it `!` (exactly), `^` (cover it), `>` (only what is larger),
    `<` (only what is smaller); `50%` or `50%x25%`; `2000000@` (pixels), with `>` or `<`. One side with `^` is the
    shorter side, as with ImageMagick.
    """
    found = re.fullmatch(r"([^!^<>@]*)([!^<>@]*)", text.strip())
    body, signs = found.groups() if found else ("", "")
    if len(set(signs)) < len(signs) or {"<", ">"} <= set(signs) or {"!", "^"} <= set(signs):
        raise ValueError(f"{text!r}: write each of ! ^ < > @ once, and only one of ! and ^, and of < and >")
    when: When | None = "larger" if ">" in signs else "smaller" if "<" in signs else None
    if "%" in body:
        return _parse_percent(body, text) if not signs else _refuse(text, "a percentage takes none of ! ^ < > @")
    if "@" in signs:
        fits = not {"!", "^"} & set(signs)
        return _parse_area(body, when, text) if fits else _refuse(text, "a number of pixels takes only > or <")
    return _parse_box(body, signs, when, text)


def parse_scale(text: str) -> Geometry:
    """Read a factor, `0.5` or `2`, or a percentage, `50%` or `50%x25%`; raises ValueError with a message."""
    if "%" in text:
        return _parse_percent(text.strip(), text)
    if not re.fullmatch(_NUMBER, text.strip()):
        raise ValueError(f"{text!r} is not a scale: write 50%, 0.5 or 2")
    if float(text) > LARGEST_FACTOR:
        raise ValueError(f"{text!r} would be so many times as large: write {text.strip()}% if that is meant")
    return _scaled(Decimal(text.strip()), Decimal(text.strip()), text)


def parse_focus(text: str) -> Place:
    """Read the point that matters, `0.3,0.7` or `30%,70%` from the left and top; raises ValueError with a message."""
    found = re.fullmatch(rf"{_NUMBER}(%?)\s*,\s*{_NUMBER}\2", text.strip())
    if found is None:
        raise ValueError(
            f"{text!r} is not a point of a picture: write 0.3,0.7 or 30%,70% (from the left, from the top)"
        )
    unit = 100 if found[2] else 1
    x, y = Decimal(found[1]) / unit, Decimal(found[3]) / unit
    if x > 1 or y > 1:
        raise ValueError(f"{text!r} is outside the picture: each goes from 0 to {'100%' if found[2] else '1'}")
    return Place(float(x), float(y), is_focus=True)


def place_of(gravity: Gravity) -> Place:
    """Return the place that a compass point stands for."""
    x = 0.0 if gravity.endswith("west") else 1.0 if gravity.endswith("east") else 0.5
    y = 0.0 if gravity.startswith("north") else 1.0 if gravity.startswith("south") else 0.5
    return Place(x, y)


def _parse_box(body: str, signs: str, when: When | None, text: str) -> Geometry:
    found = re.fullmatch(r"([0-9]{0,6})(?:[xX×]([0-9]{0,6}))?", body)
    if found is None or not (found[1] or found[2]):
        raise ValueError(f"{text!r} is not a size: write 800x600, 800x, x600, 50% or 2000000@")
    width, height = (int(side) if side else None for side in found.groups())
    for side in (width, height):
        if side is not None and not 1 <= side <= MAX_SIDE:
            raise ValueError(f"{text!r}: a side must be from 1 to {MAX_SIDE} pixels")
    if "^" in signs and (width is None or height is None):
        short = width or height or 1
        return Geometry(Edge(short, "short"), None, when, f"short{short}")
    fit: Fit | None = "stretch" if "!" in signs else "outside" if "^" in signs else None
    label = f"{width or ''}x{height}" if height else f"{width}"
    return Geometry(Box(width, height), fit, when, label)


def _parse_area(body: str, when: When | None, text: str) -> Geometry:
    pixels = int(body) if re.fullmatch(r"[0-9]{1,12}", body) else 0
    if not 1 <= pixels <= MAX_SIDE**2:
        raise ValueError(f"{text!r}: write a number of pixels from 1 to {MAX_SIDE**2}, as in 2000000@")
    return Geometry(Area(pixels), None, when, f"{pixels}px")


def _parse_percent(body: str, text: str) -> Geometry:
    found = re.fullmatch(rf"{_NUMBER}%(?:[xX×]{_NUMBER}%)?", body)
    if found is None:
        raise ValueError(f"{text!r} is not a percentage: write 50% or 50%x25%")
    return _scaled(Decimal(found[1]) / 100, Decimal(found[2] or found[1]) / 100, text)


def _scaled(x: Decimal, y: Decimal, text: str) -> Geometry:
    if not (x and y):
        raise ValueError(f"{text!r}: a scale must be above 0")
    across, down = (format((100 * factor).normalize(), "f") for factor in (x, y))
    label = f"{across}pct" if x == y else f"{across}x{down}pct"
    return Geometry(Scale(float(x), float(y)), label=label)


def _refuse(text: str, why: str) -> NoReturn:
    raise ValueError(f"{text!r}: {why}")
