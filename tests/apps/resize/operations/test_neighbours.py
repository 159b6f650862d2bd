"""Neighbours mix as each operation's name says, to the picture's edge, and what is hidden does not mix."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tests.apps.resize.making import array, near
from tests.apps.resize.operations.doing import MODES, done, sample

MIXING = ["blur", "sharpen:5", "unsharp:5,500,0", "median:15", "edge", "emboss"]


@pytest.mark.parametrize("text", MIXING)
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_neighbours_when_they_are_hidden(mode: str, text: str) -> None:
    """What is seen does not depend on the colours under transparency."""
    seen = Image.new("L", (40, 30))
    seen.paste(255, (7, 5, 28, 22))
    results = []
    for hidden in ("white", "black", (0, 255, 0)):
        image = Image.new("RGB", seen.size, hidden)
        image.paste(sample("RGB"), mask=seen)
        image.putalpha(seen)
        pixels = array(done(image.convert(mode), text))
        results.append(pixels[..., :-1] * (pixels[..., -1:] > 0))
    assert np.abs(results[0] - results[1]).max() <= 1
    assert np.abs(results[0] - results[2]).max() <= 1


@pytest.mark.parametrize("text", MIXING)
def test_neighbours_when_an_edge_is_soft(text: str) -> None:
    """One colour that fades out stays that colour, with no seam where it ends; only blur softens the fading itself."""
    image = Image.new("RGBA", (64, 64), (180, 120, 60, 0))
    image.putalpha(Image.radial_gradient("L").resize((64, 64)).point([max(0, 255 - 2 * v) for v in range(256)]))
    pixels = array(done(image, text))
    wanted = {"edge": (0, 0, 0), "emboss": (128, 128, 128)}.get(text, (180, 120, 60))
    shown = pixels[..., :3] * pixels[..., 3:] / 255
    assert np.abs(shown - np.array(wanted) * pixels[..., 3:] / 255).max() <= 3


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("text", [*MIXING, "sharpen:0", "unsharp:1,0,0"])
def test_neighbours_when_all_are_alike(text: str, mode: str) -> None:
    """A plain picture stays, to its very edge; where only differences are shown, there is nothing."""
    image = Image.new("RGBA", (9, 7), (120, 120, 120, 200)).convert(mode)
    wanted = {"edge": 0, "emboss": 128}.get(text, 120)
    assert near(array(done(image, text).convert("RGB")), (wanted,) * 3, 1)


def test_blur_spreads_a_point() -> None:
    """A point becomes a hill that keeps its sum."""
    image = Image.new("L", (41, 41))
    image.putpixel((20, 20), 255)
    pixels = array(done(image, "blur:2"))
    assert pixels[20, 20] < 20
    assert pixels[20, 22] > 0
    assert abs(int(pixels.sum()) - 255) < 80


def test_blur_softens_alpha() -> None:
    """The outline is blurred with what it outlines."""
    image = Image.new("RGBA", (32, 32))
    image.paste((200, 0, 0, 255), (0, 0, 16, 32))
    alpha = array(done(image, "blur:2"))[16, :, 3]
    assert alpha[0] == 255
    assert alpha[31] == 0
    assert 100 < alpha[15] < 160


def test_sharpen_steepens_a_step() -> None:
    """Both sides of a step move away from each other; flat parts stay."""
    image = Image.new("L", (20, 8), 100)
    image.paste(150, (10, 0, 20, 8))
    row = array(done(image, "sharpen"))[4]
    assert row[9] < 95
    assert row[10] > 155
    assert (row[2], row[17]) == (100, 150)
    assert array(done(image, "sharpen:0"))[4].tolist() == [100] * 10 + [150] * 10


def test_unsharp_has_radius_percent_and_threshold() -> None:
    """The arguments are those of Pillow's mask; differences up to the threshold stay."""
    image = sample("RGB")
    wanted = image.filter(ImageFilter.UnsharpMask(3, 150, 4))
    assert done(image, "unsharp:radius=3,percent=150,threshold=4").tobytes() == wanted.tobytes()
    step = Image.new("L", (20, 8), 100)
    step.paste(110, (10, 0, 20, 8))
    assert done(step, "unsharp:2,500,10").tobytes() == step.tobytes()
    assert done(step, "unsharp:2,500,2").tobytes() != step.tobytes()


def test_median_removes_specks_and_keeps_steps() -> None:
    """A lone pixel goes, a step stays where it is."""
    image = Image.new("L", (20, 9), 50)
    image.paste(200, (10, 0, 20, 9))
    image.putpixel((4, 4), 255)
    assert array(done(image, "median"))[4].tolist() == [50] * 10 + [200] * 10


def test_median_of_a_neighbourhood() -> None:
    """The size is the side of the square whose middle value is taken."""
    image = Image.frombytes("L", (5, 5), bytes(range(0, 250, 10)))
    assert done(image, "median:5").getpixel((2, 2)) == 120
    assert done(image, "median:3").getpixel((1, 1)) == 60


def test_edge_finds_a_step_and_nothing_at_the_border() -> None:
    """Only where something changes is there light; the picture's own border is no edge."""
    image = Image.new("L", (20, 8), 50)
    image.paste(90, (10, 0, 20, 8))
    pixels = array(done(image, "edge"))
    assert pixels[:, 10].min() == 120
    assert pixels[:, :9].max() == 0
    assert pixels[:, 11:].max() == 0


def test_emboss_lights_from_the_north_west() -> None:
    """A rise to the south-east is light, a fall is dark, and what is flat is grey, also at the border."""
    image = Image.new("L", (12, 12), 50)
    image.paste(90, (4, 4, 8, 8))
    pixels = array(done(image, "emboss"))
    assert (pixels[4, 4], pixels[6, 4], pixels[4, 6]) == (168, 168, 168)
    assert (pixels[8, 8], pixels[6, 8], pixels[8, 6]) == (88, 88, 88)
    assert set(pixels[0]) == set(pixels[:, 0]) == set(pixels[11]) == {128}


def test_detail_under_half_transparency() -> None:
    """What is half seen is worked on as what is seen: alpha of 128 does not weaken an operation."""
    image = sample("RGB")
    half = image.convert("RGBA")
    half.putalpha(128)
    for text in ["sharpen", "unsharp", "median:5", "edge", "emboss"]:
        assert np.abs(array(done(half, text), "RGB") - array(done(image, text))).max() <= 1, text
