"""Where marks lie, and how they mix with what is below."""

from __future__ import annotations

import pytest
from PIL import Image

from tests.apps.resize.making import array, near
from toolkit.apps.resize.geometry import Gravity
from toolkit.apps.resize.operations.arguments import Length
from toolkit.apps.resize.operations.marks import faded, fitted, laid, room

NONE = Length(0.0)


@pytest.mark.parametrize(
    ("position", "at"),
    [
        ("northwest", (5, 5)),
        ("north", (40, 5)),
        ("northeast", (75, 5)),
        ("west", (5, 20)),
        ("center", (40, 20)),
        ("east", (75, 20)),
        ("southwest", (5, 35)),
        ("south", (40, 35)),
        ("southeast", (75, 35)),
    ],
)
def test_mark_at_each_position(position: Gravity, at: tuple[int, int]) -> None:
    """It lies at the margin, or in the middle."""
    result = laid(Image.new("L", (100, 50)), Image.new("LA", (20, 10), (255, 255)), position, Length(5.0))
    assert result.getbbox() == (*at, at[0] + 20, at[1] + 10)


@pytest.mark.parametrize("position", ["northwest", "center", "southeast"])
def test_mark_when_margins_leave_too_little(position: Gravity) -> None:
    """A mark about as large as the picture lies in its middle."""
    result = laid(Image.new("L", (20, 10)), Image.new("LA", (20, 10), (255, 255)), position, Length(50.0))
    assert result.getextrema() == (255, 255)
    result = laid(Image.new("L", (26, 14)), Image.new("LA", (20, 10), (255, 255)), position, Length(50.0))
    assert result.getbbox() == (3, 2, 23, 12)


@pytest.mark.parametrize(
    ("mode", "below", "mark", "result", "pixel"),
    [
        ("L", 100, (200, 128), "L", 150),
        ("L", 100, (200, 100, 0, 255), "RGB", (200, 100, 0)),
        ("LA", (100, 255), (200, 128), "LA", (150, 255)),
        ("LA", (7, 0), (200, 128), "LA", (200, 128)),
        ("LA", (7, 0), (200, 100, 0, 128), "RGBA", (200, 100, 0, 128)),
        ("RGB", (100, 0, 0), (200, 128), "RGB", (150, 100, 100)),
        ("RGB", (100, 0, 0), (0, 200, 0, 128), "RGB", (50, 100, 0)),
        ("RGBA", (0, 255, 0, 0), (200, 100, 50, 128), "RGBA", (200, 100, 50, 128)),
        ("RGBA", (100, 0, 0, 255), (0, 200, 0, 128), "RGBA", (50, 100, 0, 255)),
        ("RGBA", (100, 0, 0, 255), (200, 0), "RGBA", (100, 0, 0, 255)),
    ],
)
def test_mark_on_any_mode(
    mode: str, below: tuple[int, ...] | int, mark: tuple[int, ...], result: str, pixel: tuple[int, ...] | int
) -> None:
    """Colours mix by alpha (Porter and Duff's over); a hidden colour takes no part; grey stays grey under grey."""
    image = Image.new(mode, (9, 9), below)
    before = image.tobytes()
    mixed = laid(image, Image.new("LA" if len(mark) == 2 else "RGBA", (5, 5), mark), "center", NONE)
    assert mixed.mode == result
    assert near(array(mixed)[4, 4], pixel, 1)
    assert near(array(mixed)[0, 0], array(image.convert(result))[0, 0], 0)
    assert image.tobytes() == before


def test_mark_that_is_faded() -> None:
    """Opacity is a factor on alpha alone."""
    assert faded(Image.new("RGBA", (1, 1), (10, 20, 30, 200)), 0.5).getpixel((0, 0)) == (10, 20, 30, 100)


@pytest.mark.parametrize(
    ("size", "most", "result"),
    [
        ((10, 10), (20, 20), (10, 10)),
        ((40, 20), (20, 20), (20, 10)),
        ((20, 40), (20, 20), (10, 20)),
        ((1000, 1), (20, 20), (20, 1)),
        ((30, 20), (15, 15), (15, 10)),
    ],
)
def test_mark_that_must_fit(size: tuple[int, int], most: tuple[int, int], result: tuple[int, int]) -> None:
    """It is never enlarged, keeps its shape, and has a pixel at least."""
    assert fitted(size, most) == result


def test_room_between_margins() -> None:
    """Margins in percent are of the shorter side; a pixel is always left."""
    assert room((200, 100), Length(10.0, percent=True)) == (180, 80)
    assert room((20, 10), Length(50.0)) == (1, 1)
