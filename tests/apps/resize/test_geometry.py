"""Geometry is whole-number arithmetic that keeps what it promises for every size."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.apps.resize.geometry import (
    SWAPPED,
    Box,
    Fit,
    Size,
    as_stored,
    draft_size,
    layout,
    parse_size,
    upright,
)

sides = st.integers(1, 20_000)
sizes = st.tuples(sides, sides)


@pytest.mark.parametrize(
    ("text", "box"),
    [("800x600", Box(800, 600)), ("800x", Box(800, None)), ("x600", Box(None, 600)), (" 1X1 ", Box(1, 1))],
)
def test_size_when_written_well(text: str, box: Box) -> None:
    """A size is two numbers with an x between, of which one may be missing."""
    assert parse_size(text) == box


@pytest.mark.parametrize("text", ["", "x", "0x5", "-1x5", "800x600x2", "70000x1", "8.5x2", "axb"])
def test_size_when_written_badly(text: str) -> None:
    """Anything else is refused, with a message that says what to write."""
    with pytest.raises(ValueError, match=r"800x600|65535"):
        parse_size(text)


@pytest.mark.parametrize(
    ("picture", "box", "fit", "enlarge", "size", "canvas"),
    [
        ((600, 400), "300x300", "contain", False, (300, 200), (300, 200)),
        ((400, 600), "300x300", "contain", False, (200, 300), (200, 300)),
        ((600, 400), "300x", "contain", False, (300, 200), (300, 200)),
        ((600, 400), "x100", "cover", False, (150, 100), (150, 100)),
        ((60, 40), "300x300", "contain", False, (60, 40), (60, 40)),
        ((60, 40), "300x300", "contain", True, (300, 200), (300, 200)),
        ((60, 40), "300x", "contain", False, (60, 40), (60, 40)),
        ((60, 40), "300x", "contain", True, (300, 200), (300, 200)),
        ((60, 40), "x80", "contain", True, (120, 80), (120, 80)),
        ((600, 400), "300x300", "stretch", False, (300, 300), (300, 300)),
        ((600, 100), "300x300", "stretch", False, (300, 100), (300, 100)),
        ((600, 100), "300x300", "stretch", True, (300, 300), (300, 300)),
        ((600, 400), "300x300", "cover", False, (300, 300), (300, 300)),
        ((600, 200), "300x300", "cover", False, (200, 200), (200, 200)),
        ((600, 200), "300x300", "cover", True, (300, 300), (300, 300)),
        ((200, 600), "400x300", "cover", False, (200, 150), (200, 150)),
        ((600, 400), "300x300", "pad", False, (300, 200), (300, 300)),
        ((60, 40), "300x300", "pad", False, (60, 40), (300, 300)),
        ((60, 40), "300x300", "pad", True, (300, 200), (300, 300)),
        ((1000, 1), "10x10", "contain", False, (10, 1), (10, 1)),
        ((3, 2), "2x2", "contain", False, (2, 1), (2, 1)),
        ((4, 3), "2x2", "contain", False, (2, 2), (2, 2)),  # 1.5 is rounded up
    ],
)
def test_layout_when_known(picture: Size, box: str, fit: Fit, enlarge: bool, size: Size, canvas: Size) -> None:
    """Each fit gives the sizes that its description says."""
    laid = layout(picture, parse_size(box), fit, enlarge=enlarge)
    assert (laid.size, laid.canvas) == (size, canvas)


def test_layout_when_covering_uses_the_middle() -> None:
    """What sticks out is cut off evenly."""
    assert layout((600, 400), Box(100, 100), "cover", enlarge=False).region == (100, 0, 500, 400)
    assert layout((400, 600), Box(100, 100), "cover", enlarge=False).region == (0, 100, 400, 500)


def test_layout_when_padded_is_centred() -> None:
    """The margins are even."""
    assert layout((600, 400), Box(100, 101), "pad", enlarge=False).at == (0, 17)


@pytest.mark.parametrize("width", range(1, 441))
def test_rounding_at_every_width(width: int) -> None:
    """The side that follows is the exact share, rounded half up, at least 1."""
    for picture in ((440, 293), (293, 440), (441, 440), (1000, 3)):
        laid = layout(picture, Box(width, None), "contain", enlarge=True)
        assert laid.size == (width, max(1, floor(Fraction(width * picture[1], picture[0]) + Fraction(1, 2))))


@given(sizes, sizes, st.sampled_from(["contain", "cover", "stretch", "pad"]), st.booleans())
def test_layout_always(picture: Size, wanted: Size, fit: Fit, enlarge: bool) -> None:
    """Nothing exceeds the box, nothing is empty, and nothing grows unless that was asked for."""
    laid = layout(picture, Box(*wanted), fit, enlarge=enlarge)
    for side in (0, 1):
        used = laid.region[side + 2] - laid.region[side]
        assert 1 <= laid.size[side] <= laid.canvas[side] <= wanted[side]
        assert 0 <= laid.at[side] <= laid.canvas[side] - laid.size[side]
        assert laid.region[side] >= -1e-6
        assert laid.region[side + 2] <= picture[side] + 1e-6
        if not enlarge:
            assert laid.size[side] < used + 1
    if fit == "pad" or (enlarge and fit != "contain"):
        assert laid.canvas == wanted


@given(sizes, sizes)
def test_layout_when_contained_touches_the_box(picture: Size, wanted: Size) -> None:
    """A picture that is made to fit has at least one side of the box."""
    size = layout(picture, Box(*wanted), "contain", enlarge=True).size
    assert size[0] == wanted[0] or size[1] == wanted[1]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_region_when_stored_turned(orientation: int) -> None:
    """A region of the upright picture is found again in the stored one: every orientation, pixel by pixel."""
    width, height = 5, 3
    for x in range(width):
        for y in range(height):
            left, top, right, bottom = as_stored((x, y, x + 1, y + 1), (width, height), orientation)
            stored = upright((width, height), orientation)
            assert (right - left, bottom - top) == (1, 1)
            assert _shown_at(int(left), int(top), stored, orientation) == (x, y)


@given(sizes, st.integers(1, 8))
def test_region_when_whole_stays_whole(size: Size, orientation: int) -> None:
    """The whole picture is the whole picture, however it is stored."""
    stored = size[::-1] if orientation in SWAPPED else size
    assert as_stored((0, 0, *size), size, orientation) == (0, 0, *stored)


@given(sizes, sizes)
def test_draft_size_leaves_twice_the_result(picture: Size, wanted: Size) -> None:
    """Shrink-on-load leaves at least twice the pixels that are needed, but for half a pixel of rounding."""
    laid = layout(picture, Box(*wanted), "cover", enlarge=False)
    draft = draft_size(picture, laid.region, laid.size)
    for side in (0, 1):
        used = laid.region[side + 2] - laid.region[side]
        assert draft[side] * used / picture[side] >= 2 * laid.size[side] - 1 - 1e-6


def _shown_at(x: int, y: int, stored: Size, orientation: int) -> tuple[int, int]:
    """Return where EXIF says that a stored pixel is seen: what row 0 and column 0 of the file are (tag 0x0112)."""
    width, height = stored
    return {
        1: (x, y),
        2: (width - 1 - x, y),
        3: (width - 1 - x, height - 1 - y),
        4: (x, height - 1 - y),
        5: (y, x),
        6: (height - 1 - y, x),
        7: (height - 1 - y, width - 1 - x),
        8: (y, width - 1 - x),
    }[orientation]
