"""Tones stretched and equalized: by what can be seen, over all frames."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.apps.resize.making import array
from tests.apps.resize.operations.doing import done, sample
from toolkit.apps.resize.operations import apply
from toolkit.apps.resize.operations.catalogue import parse_operation


def test_autocontrast_stretches_the_tones() -> None:
    """The darkest becomes black and the lightest white; hues do not shift."""
    image = Image.new("RGB", (10, 10), (100, 80, 60))
    image.paste((160, 140, 120), (5, 0, 10, 10))
    pixels = array(done(image, "autocontrast:0"))
    assert pixels[0, 0].min() == 0
    assert pixels[0, 9].max() == 255
    grey = array(done(image, "autocontrast:0", "grayscale"))
    assert (grey[0, 0], grey[0, 9]) == (20, 233)


@pytest.mark.parametrize("name", ["autocontrast", "autolevels"])
@pytest.mark.parametrize("percent", [0, 1, 10])
def test_stretch_clips_its_share(name: str, percent: int) -> None:
    """The argument is the percentage of pixels that may clip at each end."""
    row = Image.frombytes("L", (100, 1), bytes(range(100, 200)))
    pixels = array(done(row, f"{name}:{percent}"))[0]
    assert np.count_nonzero(pixels == 0) == np.count_nonzero(pixels == 255) == percent + 1


@pytest.mark.parametrize("name", ["autocontrast:0", "autolevels:0", "equalize"])
def test_stretch_when_pixels_are_hidden(name: str) -> None:
    """Transparent pixels do not count, whatever their colour."""
    image = Image.new("LA", (10, 10), (0, 0))
    image.paste((100, 255), (0, 0, 5, 10))
    image.putpixel((0, 0), (120, 255))
    for picture in (image, image.convert("RGBA")):
        result = done(picture, name).convert("LA")
        assert result.getpixel((0, 0)) == (255, 255)
        assert result.getpixel((1, 1)) == (0, 255)


@pytest.mark.parametrize("name", ["autocontrast", "autolevels", "equalize"])
def test_stretch_when_there_is_one_tone_or_none(name: str) -> None:
    """A plain picture, and one that cannot be seen at all, stay as they are."""
    for picture in (Image.new("RGB", (5, 5), (10, 20, 30)), Image.new("RGBA", (5, 5), (10, 20, 30, 0))):
        assert done(picture, name).tobytes() == picture.tobytes()


def test_autolevels_takes_a_cast_away() -> None:
    """Each channel reaches from black to white by itself."""
    image = Image.new("RGB", (3, 1))
    for at, colour in enumerate([(50, 100, 0), (100, 150, 10), (150, 200, 20)]):
        image.putpixel((at, 0), colour)
    assert array(done(image, "autolevels:0"))[0].tolist() == [[0, 0, 0], [128, 128, 128], [255, 255, 255]]


def test_equalize_has_known_answers() -> None:
    """A level becomes the share of the pixels that are above the darkest and not above it."""
    row = Image.frombytes("L", (8, 1), bytes([10, 10, 20, 20, 20, 30, 90, 90]))
    assert array(done(row, "equalize"))[0].tolist() == [0, 0, 128, 128, 128, 170, 255, 255]


def test_equalize_spreads_a_photograph() -> None:
    """Every quarter of the scale holds about a quarter of the pixels."""
    grey = array(done(sample("L", 200, 150), "equalize"))
    shares = np.histogram(grey, bins=4, range=(0, 256))[0] / grey.size
    assert np.abs(shares - 0.25).max() < 0.03


@pytest.mark.parametrize(
    ("name", "levels"),
    [("autocontrast:0", [0, 128, 255]), ("autolevels:0", [0, 128, 255]), ("equalize", [0, 128, 255])],
)
@pytest.mark.parametrize("mixed", [False, True])
def test_stretch_when_several_frames(name: str, levels: list[int], *, mixed: bool) -> None:
    """One table for all frames, so that they do not flicker; also where only some have alpha or colour."""
    frames = [Image.new("L", (4, 4), level) for level in (100, 110, 120)]
    if mixed:
        frames = [frames[0], frames[1].convert("RGBA"), frames[2].convert("RGB")]
    results = apply([parse_operation(name)], frames)
    assert [result.convert("L").getpixel((0, 0)) for result in results] == levels
