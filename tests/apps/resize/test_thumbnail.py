"""Likenesses: small, upright, in sRGB, on white; what cannot be shown says why."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from tests.apps.resize.making import near, profile
from toolkit.apps.resize import thumbnail
from toolkit.apps.resize.thumbnail import likeness
from toolkit.core.errors import FailureKind, TaskError

RED, BLUE = (255, 0, 0), (0, 0, 255)


def halves(mode: str = "RGB") -> Image.Image:
    """Return a picture that is red on the left and blue on the right."""
    image = Image.new("RGB", (400, 200), RED)
    image.paste(BLUE, (200, 0, 400, 200))
    return image.convert(mode)


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """Return a pixel, each channel to the nearest 16: JPEG is not exact."""
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return tuple(min(255, round(channel / 16) * 16) for channel in found)


@pytest.mark.parametrize(("name", "mode"), [("a.jpg", "RGB"), ("a.png", "RGBA"), ("a.gif", "P"), ("a.tif", "CMYK")])
def test_thumbnail_is_a_small_jpeg_of_any_picture(tmp_path: Path, name: str, mode: str) -> None:
    """Within the box, its proportions kept, whatever the file is."""
    halves(mode).save(tmp_path / name)
    with Image.open(io.BytesIO(thumbnail.thumbnail(tmp_path / name, 100))) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (100, 50))
        assert (pixel(image, 10, 25)[0] > 200, pixel(image, 90, 25)[2] > 200) == (True, True)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp"])
def test_likeness_is_upright_when_exif_says_how(tmp_path: Path, name: str) -> None:
    """A picture that lies on its side stands up, whatever its format."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # to be turned clockwise: what is on the left comes up
    halves().save(tmp_path / name, exif=exif)
    small = likeness(tmp_path / name, 100)
    assert small.size == (50, 100)
    assert (pixel(small, 25, 10), pixel(small, 25, 90)) == (RED, BLUE)


def test_likeness_shows_transparency_as_white_and_is_never_enlarged(tmp_path: Path) -> None:
    """What lies under full transparency is not seen."""
    Image.new("RGBA", (30, 20), (255, 0, 0, 0)).save(tmp_path / "a.png")
    small = likeness(tmp_path / "a.png", 100)
    assert (small.size, pixel(small, 15, 10)) == ((30, 20), (255, 255, 255))


def test_likeness_is_in_srgb_when_the_picture_is_not(tmp_path: Path) -> None:
    """Before and after a conversion look the same: a grey with a linear curve is shown with sRGB's tones."""
    Image.new("L", (8, 8), 55).save(tmp_path / "a.png", icc_profile=profile("grey"))
    found = likeness(tmp_path / "a.png", 8).getpixel((4, 4))
    assert isinstance(found, tuple)
    assert near(found[0], 127)  # 55 / 255 of the light, by sRGB's curve (IEC 61966-2-1)


def test_likeness_is_told_why_when_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing file, one that is no picture, one that is cut short, one with too many pixels: all are TaskErrors."""
    data = io.BytesIO()
    halves().save(data, "PNG")
    (tmp_path / "cut.png").write_bytes(data.getvalue()[:200])
    (tmp_path / "text.jpg").write_text("no picture")
    for name in ("missing.jpg", "cut.png", "text.jpg"):
        with pytest.raises(TaskError):
            likeness(tmp_path / name, 100)
    monkeypatch.setattr(thumbnail, "MOST_DECODED", 40_000)
    halves().save(tmp_path / "large.png")
    with pytest.raises(TaskError, match="400 x 200 pixels") as caught:
        likeness(tmp_path / "large.png", 100)
    assert caught.value.kind is FailureKind.TOO_LARGE
    halves().save(tmp_path / "large.jpg")
    assert likeness(tmp_path / "large.jpg", 100).size == (100, 50)  # shrunk on load, it is small enough
