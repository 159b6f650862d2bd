"""Turns of a picture are one code, whatever they are made of: checked against pixels."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from toolkit.apps.resize.sizes import Size
from toolkit.apps.resize.turns import SWAPPED, Flip, as_stored, combine, rotated_size, upright

sides = st.integers(1, 20_000)
sizes = st.tuples(sides, sides)

EXIF = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
FLIPS: dict[Flip | None, tuple[Image.Transpose, ...]] = {
    None: (),
    "horizontal": (Image.Transpose.FLIP_LEFT_RIGHT,),
    "vertical": (Image.Transpose.FLIP_TOP_BOTTOM,),
    "both": (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM),
}


@pytest.mark.parametrize(("orientation", "turns", "flip"), [*itertools.product(range(1, 9), range(4), FLIPS)])
def test_combined_turns_when_done_to_pixels(orientation: int, turns: int, flip: Flip | None) -> None:
    """One code does what the orientation, the quarter turns clockwise and the flip do one after the other."""
    picture = Image.frombytes("L", (2, 3), bytes(range(6)))
    expected = _turned(picture, orientation)
    for _ in range(turns):
        expected = expected.transpose(Image.Transpose.ROTATE_270)  # Pillow turns anticlockwise
    for step in FLIPS[flip]:
        expected = expected.transpose(step)
    code = combine(orientation, turns, flip)
    assert (upright((2, 3), code), _turned(picture, code).tobytes()) == (expected.size, expected.tobytes())


def test_combined_turns_when_more_than_a_circle() -> None:
    """Turns are counted round the circle, and anticlockwise below 0."""
    assert [combine(1, turns, None) for turns in (-1, 0, 1, 2, 3, 4, 5)] == [8, 1, 6, 3, 8, 1, 6]


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


@pytest.mark.parametrize(
    ("degrees", "size"),
    [
        (0, (400, 300)),
        (90, (300, 400)),
        (-90, (300, 400)),
        (180, (400, 300)),
        (450, (300, 400)),
        (45, (495, 495)),  # 700 / sqrt 2 is 494.97
        (-45, (495, 495)),
        (30, (497, 460)),  # 496.41 and 459.81
        (150, (497, 460)),
        (0.1, (401, 301)),
        (1e-9, (400, 300)),
    ],
)
def test_rotated_size_when_known(degrees: float, size: Size) -> None:
    """The canvas is what trigonometry says, rounded up; quarter turns are exact."""
    assert rotated_size((400, 300), degrees) == size


def test_rotated_size_when_the_sides_come_out_whole() -> None:
    """The last bit of a sine adds no pixel: a 3-4-5 triangle's angle makes whole sides."""
    assert rotated_size((500, 1000), 36.86989764584402) == (1000, 1100)


@given(sizes, st.floats(-720, 720))
def test_rotated_size_holds_the_picture(size: Size, degrees: float) -> None:
    """The canvas is as large for either sense of turning, holds the shorter side, and is within the diagonal."""
    canvas = rotated_size(size, degrees)
    assert canvas == rotated_size(size, -degrees)
    diagonal = (size[0] ** 2 + size[1] ** 2) ** 0.5
    for side in canvas:
        assert min(size) <= side <= diagonal + 1


def _turned(picture: Image.Image, orientation: int) -> Image.Image:
    step = EXIF[orientation]
    return picture if step is None else picture.transpose(step)


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
