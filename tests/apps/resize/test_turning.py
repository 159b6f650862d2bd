"""Pictures turned by any angle: where things come to lie, what is around them, and that nothing bleeds in."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.apps.resize.making import BLUE, RED, array, corners, near, one, saved, stored
from toolkit.apps.resize.geometry import rotated_size
from toolkit.apps.resize.turning import leaning, tilted


def _spot(size: tuple[int, int], at: tuple[float, float], radius: int = 6) -> Image.Image:
    image = Image.new("RGB", size)
    x, y = at
    ImageDraw.Draw(image).ellipse((x - radius, y - radius, x + radius, y + radius), fill=(255, 255, 255))
    return image


def _middle(image: Image.Image) -> tuple[float, float]:
    """Return where the light is, in pixels from the middle of the picture."""
    light = array(image.convert("RGB"), "L").astype(float)
    y, x = np.mgrid[0 : light.shape[0], 0 : light.shape[1]]
    total = light.sum()
    return (
        float((x * light).sum() / total - (light.shape[1] - 1) / 2),
        float((y * light).sum() / total - (light.shape[0] - 1) / 2),
    )


@pytest.mark.parametrize("degrees", [3.0, 30.0, 45.0, 89.0, 120.0, -30.0, 210.5])
@pytest.mark.parametrize("size", [None, "50%"])
def test_rotate_puts_things_where_they_belong(tmp_path: Path, engine: str, degrees: float, size: str | None) -> None:
    """A spot goes round the middle clockwise, to a fifth of a pixel, and the canvas just holds the picture."""
    source = saved(_spot((121, 80), (90, 25)), tmp_path / "a.png")
    image, _ = one(source, tmp_path / "out", rotate=degrees, size=size, engine=engine)
    share = 0.5 if size else 1
    wide, high = rotated_size((121, 80), degrees)
    assert abs(image.width - wide * share) <= 0.5
    assert abs(image.height - high * share) <= 0.5
    angle = math.radians(degrees)
    x, y = (90 - 60) * share, (25 - 39.5) * share
    wanted = x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)
    assert _middle(image) == pytest.approx(wanted, abs=0.2)


@pytest.mark.parametrize(("degrees", "corner"), [(90.0, "down"), (-90.0, "up"), (180.0, "across")])
def test_rotate_by_right_angles_loses_nothing(tmp_path: Path, engine: str, degrees: float, corner: str) -> None:
    """Quarter turns are pixels moved, not mixed."""
    picture = corners()
    image, _ = one(saved(picture, tmp_path / "a.png"), tmp_path / "out", rotate=degrees, engine=engine)
    turns = {"down": Image.Transpose.ROTATE_270, "up": Image.Transpose.ROTATE_90, "across": Image.Transpose.ROTATE_180}
    assert image.tobytes() == picture.transpose(turns[corner]).tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_rotate_when_stored_otherwise(tmp_path: Path, engine: str, orientation: int) -> None:
    """EXIF's turn comes first, then the flip, then the angle."""
    source = stored(orientation, tmp_path / "a.png", corners())
    image, _ = one(source, tmp_path / "out", rotate=20.0, flip="horizontal", engine=engine)
    plain, _ = one(saved(corners(), tmp_path / "b.png"), tmp_path / "out", rotate=20.0, flip="horizontal")
    assert np.abs(array(image) - array(plain)).max() <= 1


def test_rotate_leaves_what_is_around_clear(tmp_path: Path, engine: str) -> None:
    """Corners are seen through where a format can, and of the background where it cannot; no edge is dark."""
    source = saved(Image.new("RGB", (90, 60), RED), tmp_path / "a.png")
    clear, _ = one(source, tmp_path / "o1", rotate=30.0, engine=engine)
    pixels = array(clear, "RGBA")
    assert pixels[0, 0, 3] == 0
    assert near(pixels[pixels[..., 3] > 20][:, :3], RED, 6)
    filled, _ = one(source, tmp_path / "o2", rotate=30.0, format="jpeg", background="blue", quality=95, engine=engine)
    assert near(filled.getpixel((2, 2)), BLUE, 6)
    mixed = array(filled)
    assert mixed[..., 1].max() < 30, "between red and blue there is neither white nor black"
    assert (mixed[..., 0] + mixed[..., 2]).min() > 200


def test_rotate_with_cover_and_pad(tmp_path: Path, engine: str) -> None:
    """The turned picture, corners and all, is what is fitted."""
    source = saved(corners(), tmp_path / "a.png")
    cut, _ = one(source, tmp_path / "o1", rotate=45.0, size="50x50", fit="cover", engine=engine)
    whole, _ = one(source, tmp_path / "o2", rotate=45.0, size="50x50", engine=engine)
    padded, _ = one(source, tmp_path / "o3", rotate=45.0, size="60x50", fit="pad", background="blue", engine=engine)
    assert (cut.size, whole.size, padded.size) == ((50, 50), (50, 50), (60, 50))
    assert near(padded.getpixel((2, 25)), (*BLUE, 255), 2)


@pytest.mark.parametrize("size", [(40, 30), (41, 30), (40, 31), (41, 31)])
@pytest.mark.parametrize("degrees", [1.0, 33.0, 45.0, 71.5, 89.0])
def test_leaning_stays_in_the_middle(size: tuple[int, int], degrees: float) -> None:
    """Whatever Pillow makes of its canvas, the middle of the picture is the middle of the result."""
    frame = Image.new("L", size, 255)
    result = leaning(frame, degrees)
    assert result.size == rotated_size(size, degrees)
    seen = np.asarray(result.getchannel("A")).astype(float)
    assert np.abs(seen - seen[::-1, ::-1]).max() <= 3
    assert seen.sum() / 255 == pytest.approx(size[0] * size[1], rel=0.05)


@pytest.mark.parametrize(("mode", "wanted"), [("L", "LA"), ("RGB", "RGBA"), ("LA", "LA"), ("RGBA", "RGBA")])
def test_tilted_has_alpha_and_keeps_info(mode: str, wanted: str) -> None:
    """What stays free is seen through; the profile stays with the pixels."""
    frame = Image.new(mode, (20, 20))
    frame.info = {"icc_profile": b"x"}
    result: Any = tilted(frame, 10, (0, 0, 24, 24), (12, 12))
    assert (result.mode, result.size, result.info) == (wanted, (12, 12), {"icc_profile": b"x"})
