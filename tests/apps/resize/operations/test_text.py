"""Words are written whole, in their colour, and only in letters that the font has."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.apps.resize.making import array, near
from tests.apps.resize.operations.doing import done
from toolkit.apps.resize.operations.catalogue import parse_operation


def _ink(text: str, size: tuple[int, int] = (300, 200)) -> tuple[int, int, int, int]:
    box = done(Image.new("L", size), text).getbbox()
    assert box is not None
    return box


def test_text_lies_at_its_margin() -> None:
    """The ink itself keeps the distance, on the sides that the position names."""
    left, top, right, bottom = _ink('text:"© Me, 2026",southeast,1,size=20,margin=10')
    assert (right, bottom) == (290, 190)
    assert 90 < right - left < 140
    assert 12 < bottom - top < 26
    assert _ink('text:"© Me, 2026",northwest,1,size=20,margin=10')[:2] == (10, 10)


def test_text_grows_with_the_picture() -> None:
    """A size in percent is of the shorter side."""
    widths = [_ink("text:Wide,size=10%", (side, side)) for side in (200, 400)]
    small, large = (right - left for left, _, right, _ in widths)
    assert 1.9 < large / small < 2.1


def test_text_that_is_too_long() -> None:
    """It is written smaller, so that all of it is between the margins."""
    for size in [(300, 200), (40, 30), (8, 8)]:
        left, top, right, bottom = _ink('text:"A very long line, much too long for this",center,1,60,margin=2', size)
        assert left >= 2
        assert right <= size[0] - 2
        assert bottom - top <= size[1] - 4


@pytest.mark.parametrize(
    ("mode", "colour", "result", "pixel"),
    [
        ("L", "white", "L", 128),
        ("L", "red", "RGB", (128, 0, 0)),
        ("LA", "white", "LA", (128, 255)),
        ("RGB", "#ff8000", "RGB", (128, 64, 0)),
        ("RGB", "#ff800080", "RGB", (64, 32, 0)),
        ("RGBA", "red", "RGBA", (128, 0, 0, 255)),
    ],
)
def test_text_in_any_colour(mode: str, colour: str, result: str, pixel: tuple[int, ...] | int) -> None:
    """Colour and opacity are as given; grey pictures stay grey under grey words."""
    image = Image.new("RGBA", (100, 60), (0, 0, 0, 255)).convert(mode)
    written = done(image, f"text:IIIII,center,0.5,size=60,colour={colour}")
    assert written.mode == result
    assert near(array(written).reshape(60 * 100, -1).max(axis=0), pixel, 1)


def test_text_of_several_lines() -> None:
    """A line end in the text is one in the picture."""
    one, two = _ink("text:Me,size=20"), _ink("text:Me\nMe,size=20")
    assert two[3] - two[1] > 1.5 * (one[3] - one[1])


@pytest.mark.parametrize("word", ["Zoë", "Привет", "a – b", "漢字"])
def test_text_when_the_built_in_font_lacks_a_letter(word: str) -> None:
    """No picture gets boxes in place of letters: the options are refused, with the way out."""
    with pytest.raises(ValueError, match=r"the built-in font has no .*: give your own with font=FILE"):
        parse_operation(f"text:{word}")


def test_text_that_the_built_in_font_has() -> None:
    """All of ASCII, and the sign that such texts begin with."""
    letters = "".join(map(chr, range(32, 127))).replace('"', '""')
    assert parse_operation(f'text:"© {letters}"').name == "text"


def test_text_in_a_font_of_its_own(tmp_path: Path) -> None:
    """The font is known by its content, and draws its own letters."""
    font = _any_font()
    text = f"text:Żółw,size=30,font={font}"
    assert parse_operation(text).values[-1] is not None
    own = array(done(Image.new("L", (200, 100)), f"text:Me,size=30,font={font}"))
    built_in = array(done(Image.new("L", (200, 100)), "text:Me,size=30"))
    assert np.abs(own - built_in).max() > 100
    (tmp_path / "a.ttf").write_bytes(b"no font")
    with pytest.raises(ValueError, match=r"a\.ttf is not a font that can be used: "):
        parse_operation(f"text:Me,font={tmp_path / 'a.ttf'}")


def _any_font() -> Path:
    folders = ["/usr/share/fonts", "/Library/Fonts", "C:/Windows/Fonts", f"{sys.prefix}/share/fonts"]
    for folder in folders:
        for name in ("DejaVuSans.ttf", "Arial Unicode.ttf", "arial.ttf"):
            for path in Path(folder).rglob(name):
                return path
    pytest.skip("no font with more than plain English is installed")
