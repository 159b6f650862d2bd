"""Operations one after another, on every mode and on several frames."""

from __future__ import annotations

import inspect
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.apps.resize.making import array, one, photo, saved
from tests.apps.resize.operations.doing import CLEAR, MODES, done, sample
from toolkit.apps.resize.operations import apply
from toolkit.apps.resize.operations.catalogue import OPERATIONS, parse_operation
from toolkit.apps.resize.operations.chain import MAKERS

NEEDED = {"tint": "tint:#ff8800", "text": "text:Hello"}
PLAIN = [NEEDED.get(name, name) for name in OPERATIONS if name not in {"lut", "watermark"}]
COLOURING = {"sepia", "tint"}


@pytest.fixture
def every(tmp_path: Path) -> list[str]:
    """Every operation there is, with what it must be given."""
    mark = saved(Image.new("RGBA", (8, 4), (255, 0, 0, 128)), tmp_path / "mark.png")
    table = tmp_path / "table.cube"
    table.write_text("LUT_1D_SIZE 2\n1 1 1\n0 0 0\n")
    return [*PLAIN, f"watermark:{mark}", f"lut:{table}"]


def test_makers_when_compared_with_the_catalogue() -> None:
    """Each operation has its maker, whose parameters are the arguments in the same order."""
    assert set(MAKERS) == set(OPERATIONS)
    for name, described in OPERATIONS.items():
        _, *parameters = inspect.signature(MAKERS[name]).parameters
        assert parameters == [argument.name for argument in described.arguments], name


@pytest.mark.parametrize("mode", MODES)
def test_operation_on_any_mode(mode: str, every: list[str]) -> None:
    """Every operation takes every mode, leaves what it was given alone, and loses no transparency."""
    assert len(every) == len(OPERATIONS)
    for text in every:
        image = sample(mode)
        before = image.tobytes()
        result = done(image, text)
        assert image.tobytes() == before, text
        grown = 32 if text == "border" else 0
        assert result.size == (image.width + grown, image.height + grown), text
        assert result.mode in MODES
        assert ("A" in result.getbands()) == (mode in CLEAR or text == "round"), text
        touches_alpha = text.startswith(("blur", "border", "round", "watermark", "text"))
        if mode in CLEAR and not touches_alpha:
            assert result.getchannel("A").tobytes() == image.getchannel("A").tobytes(), text


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_operation_on_grey_and_the_same_grey_in_colour(mode: str, every: list[str]) -> None:
    """Grey is what its three equal channels are: the result looks the same."""
    grey = sample(mode)
    coloured = grey.convert("RGBA" if mode == "LA" else "RGB")
    for text in every:
        one, other = done(grey, text), done(coloured, text)
        assert np.abs(array(one, "RGBA") - array(other, "RGBA")).max() <= 1, text
        assert (one.mode in {"RGB", "RGBA"}) == (text.split(":")[0] in COLOURING | {"watermark"}), text


def test_operation_on_opaque_alpha(every: list[str]) -> None:
    """Alpha that hides nothing changes nothing."""
    image = sample("RGB")
    for text in every:
        plain, with_alpha = done(image, text), done(image.convert("RGBA"), text)
        assert np.abs(array(plain, "RGBA") - array(with_alpha, "RGBA")).max() <= 1, text


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 7), (3, 3)])
def test_operation_on_hardly_any_pixels(size: tuple[int, int], every: list[str]) -> None:
    """The smallest pictures come through everything."""
    for text in every:
        for mode in MODES:
            assert done(Image.new(mode, size), text).width >= size[0], text


def test_operations_when_several_go_in_order() -> None:
    """The order given is the order done."""
    image = Image.new("RGB", (4, 4), (255, 0, 0))
    assert done(image, "invert", "grayscale").getpixel((0, 0)) == 179
    assert done(image, "grayscale", "contrast:2", "invert").getpixel((0, 0)) == 230


def test_frames_that_are_equal_stay_equal(every: list[str]) -> None:
    """What differs between frames does not change what is done to the rest: nothing flickers."""
    dark, light = Image.new("RGB", (20, 20), (90, 60, 30)), Image.new("RGB", (20, 20), (90, 60, 30))
    light.paste((250, 240, 200), (0, 0, 20, 5))
    for text in every:
        one, other = apply([parse_operation(text)], [dark, light])
        below = (0, 12, 2, 20)  # far from what differs, and from marks in the south-east
        assert one.crop(below).tobytes() == other.crop(below).tobytes(), text


def test_grey_result_when_it_must_stay_rgb() -> None:
    """Where an RGB profile is kept, grey is written in three channels."""
    (result,) = apply([parse_operation("grayscale")], [sample("RGBA")], stay_rgb=True)
    assert result.mode == "RGBA"
    bands = result.split()
    assert bands[0].tobytes() == bands[1].tobytes() == bands[2].tobytes()


def test_operations_when_pickled(every: list[str]) -> None:
    """Operations cross to other processes as they are."""
    operations = [parse_operation(text) for text in every]
    assert pickle.loads(pickle.dumps(operations)) == operations


def test_operations_when_asked_for_by_option(tmp_path: Path) -> None:
    """--op works on the upright, resized picture in sRGB."""
    source = saved(photo(200, 100), tmp_path / "a.png")
    image, _ = one(source, tmp_path / "out", size="100x", op=("grayscale", "invert"))
    plain, _ = one(source, tmp_path / "out2", size="100x")
    assert np.abs(255 - array(plain, "L") - array(image)).max() <= 1
