"""Borders, rounded corners and vignettes: where they begin, and how they end."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from tests.apps.resize.making import array, near
from tests.apps.resize.operations.doing import done, sample


@pytest.mark.parametrize(
    ("mode", "colour", "result", "ink"),
    [
        ("L", "white", "L", 255),
        ("L", "red", "RGB", (255, 0, 0)),
        ("L", "#80808080", "LA", (128, 128)),
        ("LA", "black", "LA", (0, 255)),
        ("LA", "#ff000080", "RGBA", (255, 0, 0, 128)),
        ("RGB", "red", "RGB", (255, 0, 0)),
        ("RGB", "transparent", "RGBA", (255, 255, 255, 0)),
        ("RGBA", "#102030", "RGBA", (16, 32, 48, 255)),
    ],
)
def test_border_in_any_colour(mode: str, colour: str, result: str, ink: int | tuple[int, ...]) -> None:
    """The picture grows by the border, keeps its own alpha, and becomes coloured or clear only where it must."""
    image = sample(mode)
    framed = done(image, f"border:3,{colour}")
    assert (framed.mode, framed.size) == (result, (46, 36))
    assert framed.getpixel((0, 0)) == framed.getpixel((45, 35)) == framed.getpixel((2, 17)) == ink
    inside = framed.crop((3, 3, 43, 33))
    assert inside.convert("RGBA").tobytes() == image.convert("RGBA").tobytes()


def test_border_in_percent() -> None:
    """Percent are of the shorter side, to the nearest pixel, halves up."""
    assert done(Image.new("L", (40, 30)), "border:5%").size == (44, 34)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_round_cuts_four_corners(mode: str) -> None:
    """Alpha is 0 outside of the circles, full inside of them, and the share that is covered between."""
    alpha = array(done(Image.new(mode, (60, 40), 200), "round:16").getchannel("A"))
    assert alpha.shape == (40, 60)
    assert (alpha == alpha[::-1]).all()
    assert (alpha == alpha[:, ::-1]).all()
    assert alpha[0, 0] == 0
    assert alpha[:, 16:44].min() == alpha[16:24].min() == 255
    y, x = np.mgrid[0:16, 0:16] + 0.5
    inside = 16 - np.hypot(16 - x, 16 - y)
    assert (alpha[:16, :16][inside > 1] == 255).all()
    assert (alpha[:16, :16][inside < -1] == 0).all()
    assert abs(alpha[:16, :16].sum() / 255 - math.pi * 64) < 1


def test_round_when_there_is_alpha() -> None:
    """What was transparent stays so; what is cut is gone whatever it was."""
    image = Image.new("RGBA", (40, 40), (10, 20, 30, 100))
    pixels = array(done(image, "round:50%"))
    assert pixels[20, 20].tolist() == [10, 20, 30, 100]
    assert pixels[0, 0, 3] == 0
    assert pixels[..., 3].max() == 100


@pytest.mark.parametrize(("text", "cut"), [("round:0", 0), ("round:5%", 2), ("round:50%", 20), ("round:9999", 20)])
def test_round_by_any_radius(text: str, cut: int) -> None:
    """The radius is in pixels, or percent of the shorter side, and at most half of that."""
    result = done(Image.new("RGB", (60, 40)), text)
    if cut == 0:
        assert result.mode == "RGB"
        return
    top = array(result.getchannel("A"))[0]
    full = np.flatnonzero(top >= 250)
    assert abs(full[0] - cut) <= max(1, cut // 4)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_vignette_darkens_with_the_square_of_the_distance(mode: str) -> None:
    """The centre stays, corners lose the share given, the middle of each side half of it; alpha stays."""
    image = Image.new("RGBA", (200, 100), (200, 200, 200, 77)).convert(mode)
    result = done(image, "vignette:0.6")
    pixels = array(result)
    level = pixels if pixels.ndim == 2 else pixels[..., 0]
    assert near(level[50, 100], 200, 2)
    assert near([level[0, 0], level[0, 199], level[99, 0], level[99, 199]], [80] * 4, 3)
    assert near([level[50, 0], level[0, 100]], [140] * 2, 3)
    if "A" in mode:
        assert set(pixels[..., -1].ravel()) == {77}


def test_vignette_of_no_strength() -> None:
    """Nothing is darkened by 0, all but the centre by 1."""
    assert done(sample("RGB"), "vignette:0").tobytes() == sample("RGB").tobytes()
    assert near(array(done(Image.new("L", (101, 101), 255), "vignette:1"))[0, 0], 0, 4)
