"""A watermark is read as pictures are, scaled with the picture, and refused where it cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.apps.resize.making import array, corners, near, profile, saved
from tests.apps.resize.operations.doing import done
from toolkit.apps.resize.operations import apply
from toolkit.apps.resize.operations.catalogue import parse_operation
from toolkit.core.errors import TaskError


def test_watermark_grows_with_the_picture(tmp_path: Path) -> None:
    """Its width is a share of the picture's, its shape stays; opacity and margin are as given."""
    mark = saved(Image.new("RGBA", (80, 40), (255, 0, 0, 255)), tmp_path / "m.png")
    for width, height in [(200, 100), (400, 300)]:
        image = Image.new("RGB", (width, height))
        result = done(image, f"watermark:{mark},position=southeast,opacity=0.5,scale=0.2,margin=16")
        right, bottom = width - 16, height - 16
        assert result.getbbox() == (right - width // 5, bottom - width // 10, right, bottom)
        assert near(result.getpixel((right - 10, bottom - 10)), (128, 0, 0), 1)


def test_watermark_when_it_would_not_fit(tmp_path: Path) -> None:
    """One higher than there is room for is as high as there is room."""
    mark = saved(Image.new("L", (10, 100), 255), tmp_path / "m.png")
    result = done(Image.new("L", (100, 50)), f"watermark:{mark},northwest,1,1,5")
    assert result.getbbox() == (5, 5, 9, 45)


def test_watermark_with_hidden_colours(tmp_path: Path) -> None:
    """What its transparency hides does not bleed into its edges as it is scaled."""
    image = Image.new("RGBA", (100, 100), (0, 255, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 50, 100))
    mark = saved(image, tmp_path / "m.png")
    result = done(Image.new("RGB", (64, 64)), f"watermark:{mark},center,1,0.3,0")
    assert array(result)[..., 1].max() <= 2


def test_watermark_when_grey(tmp_path: Path) -> None:
    """A grey mark leaves grey pictures grey."""
    mark = saved(Image.new("LA", (10, 10), (200, 128)), tmp_path / "m.png")
    assert done(Image.new("L", (50, 50)), f"watermark:{mark}").mode == "L"
    assert done(Image.new("LA", (50, 50)), f"watermark:{mark}").mode == "LA"


@pytest.mark.parametrize("suffix", ["png", "webp", "gif", "tiff", "jpg"])
def test_watermark_in_any_format(tmp_path: Path, suffix: str) -> None:
    """Whatever pictures can be read can be laid over others."""
    mark = saved(Image.new("RGB", (32, 32), (255, 0, 0)), tmp_path / f"m.{suffix}")
    result = done(Image.new("RGB", (64, 64)), f"watermark:{mark},center,1,0.5,0")
    assert near(result.getpixel((32, 32)), (255, 0, 0), 4)


def test_watermark_on_its_side_and_in_other_colours(tmp_path: Path) -> None:
    """It is turned upright, and converted to sRGB."""
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = corners(80, 80).transpose(Image.Transpose.ROTATE_90)
    mark = saved(stored, tmp_path / "m.png", exif=exif)
    result = done(Image.new("RGB", (80, 80)), f"watermark:{mark},center,1,1,0")
    assert np.abs(array(result) - array(corners(80, 80))).max() <= 1
    wide = saved(Image.new("RGB", (8, 8), (234, 51, 35)), tmp_path / "p.png", icc_profile=profile("p3"))
    result = done(Image.new("RGB", (8, 8)), f"watermark:{wide},center,1,1,0")
    assert near(result.getpixel((4, 4)), (255, 0, 0), 3)


def test_watermark_that_is_no_picture(tmp_path: Path) -> None:
    """It is refused as the options are read: damaged, of no known format, or too large to keep at hand."""
    (tmp_path / "a.png").write_bytes(b"no picture")
    whole = saved(Image.effect_noise((60, 60), 50), tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(whole[: len(whole) // 2])
    saved(Image.new("1", (6000, 6000)), tmp_path / "c.png")
    for name, words in [("a", "not a picture"), ("b", "cannot be read|damaged"), ("c", "at most 25,000,000 pixels")]:
        with pytest.raises(ValueError, match=rf"{name}\.png: .*({words})"):
            parse_operation(f"watermark:{tmp_path / name}.png")


def test_watermark_that_changed_since(tmp_path: Path) -> None:
    """Where another process finds another file than the options were read with, its pictures fail."""
    mark = saved(Image.new("L", (10, 10), 7), tmp_path / "m.png")
    operation = parse_operation(f"watermark:{mark}")
    mark.write_bytes(b"something else")
    other = parse_operation(f"watermark:{saved(Image.new('L', (10, 10), 8), tmp_path / 'n.png')}")
    apply([other, other], [Image.new("L", (50, 50))])
    for at in range(3):  # so that the first is no longer kept at hand
        parse_operation(f"watermark:{saved(Image.new('L', (10, 10), at), tmp_path / f'{at}.png')}")
    with pytest.raises(TaskError, match="has changed since the run began"):
        apply([operation], [Image.new("L", (50, 50))])
