"""Each filter does what its name says, on colour, grey and transparency."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.apps.resize.making import array, near, one, photo, saved
from toolkit.apps.resize.operations.catalogue import OPERATIONS as FILTERS, parse_operation as parse_filter
from toolkit.apps.resize.operations import apply

MODES = ["L", "LA", "RGB", "RGBA"]


def _done(image: Image.Image, *filters: str) -> Image.Image:
    (result,) = apply([parse_filter(text) for text in filters], [image])
    return result


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", FILTERS)
def test_any_filter_keeps_size_and_alpha_channel(name: str, mode: str) -> None:
    """Every filter takes every mode, and no filter loses transparency."""
    image = photo(40, 30).convert(mode)
    if mode in {"LA", "RGBA"}:
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    result = _done(image, name)
    assert result.size == image.size
    assert ("A" in result.getbands()) == ("A" in image.getbands())
    if "A" in image.getbands() and name not in {"blur", "sharpen"}:
        assert result.getchannel("A").tobytes() == image.getchannel("A").tobytes()


@pytest.mark.parametrize("name", ["blur", "sharpen", "edge"])
def test_filter_when_neighbours_are_hidden(name: str) -> None:
    """The colour under transparency never bleeds into what is seen."""
    image = Image.new("RGBA", (32, 32), (0, 255, 0, 0))
    image.paste((200, 0, 0, 255), (0, 0, 16, 32))
    pixels = array(_done(image, name))
    seen = pixels[pixels[..., 3] > 20]
    assert seen[:, 1].max() <= 4


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("invert", (10, 200, 0), (245, 55, 255)),
        ("grayscale", (255, 0, 0), 76),
        ("grayscale", (0, 255, 0), 150),
        ("grayscale", (0, 0, 255), 29),
        ("sepia", (255, 255, 255), (255, 255, 239)),
        ("sepia", (100, 100, 100), (135, 120, 94)),
        ("sepia:0", (10, 20, 30), (10, 20, 30)),
        ("sepia:0.5", (100, 100, 100), (118, 110, 97)),
        ("contrast:1", (10, 20, 30), (10, 20, 30)),
        ("contrast:2", (100, 127, 150), (73, 127, 173)),
        ("contrast:0", (100, 127, 150), (128, 128, 128)),
        ("blur", (10, 20, 30), (10, 20, 30)),
        ("sharpen", (10, 20, 30), (10, 20, 30)),
        ("edge", (10, 20, 30), (0, 0, 0)),
        ("autocontrast", (10, 20, 30), (10, 20, 30)),
    ],
)
def test_filter_on_one_colour(text: str, before: tuple[int, ...], after: tuple[int, ...] | int) -> None:
    """Known answers on a plain picture, with and without alpha, to its very edge."""
    plain = _done(Image.new("RGB", (9, 7), before), text)
    assert near(array(plain), after, 1)
    clear = _done(Image.new("RGBA", (9, 7), (*before, 200)), text)
    wanted = (*after, 200) if isinstance(after, tuple) else (after, 200)
    assert near(array(clear), wanted, 2)


def test_blur_spreads_a_point() -> None:
    """A point becomes a hill that keeps its sum."""
    image = Image.new("L", (41, 41))
    image.putpixel((20, 20), 255)
    pixels = array(_done(image, "blur:2"))
    assert pixels[20, 20] < 20
    assert pixels[20, 22] > 0
    assert abs(int(pixels.sum()) - 255) < 80


def test_sharpen_steepens_a_step() -> None:
    """Both sides of a step move away from each other; flat parts stay."""
    image = Image.new("L", (20, 8), 100)
    image.paste(150, (10, 0, 20, 8))
    row = array(_done(image, "sharpen"))[4]
    assert row[9] < 95
    assert row[10] > 155
    assert (row[2], row[17]) == (100, 150)
    assert array(_done(image, "sharpen:0"))[4].tolist() == [100] * 10 + [150] * 10


def test_autocontrast_stretches_the_tones() -> None:
    """The darkest becomes black and the lightest white; hues do not shift."""
    image = Image.new("RGB", (10, 10), (100, 80, 60))
    image.paste((160, 140, 120), (5, 0, 10, 10))
    pixels = array(_done(image, "autocontrast:0"))
    assert pixels[0, 0].min() == 0
    assert pixels[0, 9].max() == 255
    grey = array(_done(image, "autocontrast:0", "grayscale"))
    assert (grey[0, 0], grey[0, 9]) == (20, 233)


@pytest.mark.parametrize("percent", [0, 1, 10])
def test_autocontrast_clips_its_share(percent: int) -> None:
    """The amount is the percentage of pixels that may clip at each end."""
    row = Image.frombytes("L", (100, 1), bytes(range(100, 200)))
    pixels = array(_done(row, f"autocontrast:{percent}"))[0]
    assert np.count_nonzero(pixels == 0) == np.count_nonzero(pixels == 255) == percent + 1


def test_autocontrast_does_not_see_what_is_hidden() -> None:
    """Transparent pixels do not count."""
    image = Image.new("LA", (10, 10), (0, 0))
    image.paste((100, 255), (0, 0, 5, 10))
    image.putpixel((0, 0), (120, 255))
    assert _done(image, "autocontrast:0").getpixel((0, 0)) == (255, 255)
    assert _done(image, "autocontrast:0").getpixel((1, 1)) == (0, 255)


def test_autocontrast_when_several_frames() -> None:
    """One table for all frames, so that they do not flicker."""
    frames = [Image.new("L", (4, 4), level) for level in (100, 110, 120)]
    assert [frame.getpixel((0, 0)) for frame in apply([parse_filter("autocontrast:0")], frames)] == [0, 128, 255]


def test_edge_finds_a_step_and_nothing_at_the_border() -> None:
    """Only where something changes is there light; the picture's own border is no edge."""
    image = Image.new("L", (20, 8), 50)
    image.paste(90, (10, 0, 20, 8))
    pixels = array(_done(image, "edge"))
    assert pixels[:, 10].min() == 120
    assert pixels[:, :9].max() == 0
    assert pixels[:, 11:].max() == 0


def test_filters_when_several_go_in_order() -> None:
    """The order given is the order done."""
    image = Image.new("RGB", (4, 4), (255, 0, 0))
    assert _done(image, "invert", "grayscale").getpixel((0, 0)) == 179
    assert _done(image, "grayscale", "contrast:2", "invert").getpixel((0, 0)) == 230


def test_filters_when_asked_for_by_option(tmp_path: Path) -> None:
    """--filter works on the upright, resized picture in sRGB."""
    source = saved(photo(200, 100), tmp_path / "a.png")
    image, _ = one(source, tmp_path / "out", size="100x", filter=("grayscale", "invert"))
    plain, _ = one(source, tmp_path / "out2", size="100x")
    assert np.abs(255 - array(plain, "L") - array(image)).max() <= 1
