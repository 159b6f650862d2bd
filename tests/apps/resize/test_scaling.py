"""Parts of pictures scaled by Pillow: as the float reference does it, in tones and in linear light."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.apps.resize.making import array, lanczos, near, one, photo, profile, saved
from toolkit.apps.resize.scaling import linear, scaled
from toolkit.apps.resize.settings import Resample

WHOLE = (0.0, 0.0, 96.0, 64.0)

Pixels = np.ndarray[Any, Any]


def _light(tone: Pixels) -> Pixels:
    return np.where(tone <= 0.04045, tone / 12.92, ((tone + 0.055) / 1.055) ** 2.4)


def _tone(light: Pixels) -> Pixels:
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def _picture(mode: str) -> Image.Image:
    """Return strong detail in a mode: where tones and light differ most."""
    plain = photo(96, 64).point(lambda level: 255 if level > 128 else 0)
    alpha = Image.linear_gradient("L").resize((96, 64))
    grey = plain.convert("L")
    made = {
        "L": grey,
        "LA": Image.merge("LA", (grey, alpha)),
        "RGB": plain,
        "RGBA": Image.merge("RGBA", (*plain.split(), alpha)),
        "I;16": Image.fromarray((array(grey) * 257).astype(np.uint16)),
    }
    return made[mode]


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("size", [(24, 16), (37, 19), (120, 80)])
def test_linear_against_the_float_reference(mode: str, size: tuple[int, int]) -> None:
    """IEC 61966-2-1's curve, light multiplied by alpha, Lanczos, and back: to one level."""
    picture = _picture(mode)
    most = 65_535 if mode == "I;16" else 255
    values = array(picture).astype(float) / most
    values = values[..., None] if values.ndim == 2 else values
    clear = mode in {"LA", "RGBA"}
    light = _light(values[..., :-1] if clear else values)
    if clear:
        alpha = lanczos(values[..., -1:], size)
        small = lanczos(light * values[..., -1:], size) / np.maximum(alpha, 1e-4)
        wanted = np.concatenate([_tone(small), np.clip(alpha, 0, 1)], -1)
    else:
        wanted = _tone(lanczos(light, size))
    found = array(linear(picture, WHOLE, size, "lanczos")).reshape(wanted.shape) / most
    seen = wanted[..., -1:] > 0.05 if clear else np.ones_like(wanted[..., :1], bool)
    assert (np.abs(found - wanted) * seen).max() <= 1 / 255


def test_linear_makes_half_the_light_of_dots(tmp_path: Path, engine: str) -> None:
    """Black and white dots are level 188 from afar, not 128; in grey, in colour, and by their profile."""
    dots = Image.fromarray((np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8))
    for mode, kind, half in (("L", None, 188), ("RGB", None, 188), ("L", "grey", 188), ("RGB", "linear", 188)):
        icc = {"icc_profile": profile(kind)} if kind else {}
        source = saved(dots.convert(mode), tmp_path / "a.png", **icc)
        image, _ = one(source, tmp_path / "o1", size="16x16", linear=True, engine=engine)
        assert near(array(image)[4:12, 4:12], half, 1), (mode, kind)
    image, _ = one(saved(dots, tmp_path / "a.png"), tmp_path / "o2", size="16x16", engine=engine)
    assert near(array(image)[4:12, 4:12], 128, 1)


def test_linear_of_a_jpeg_decodes_all_of_it(tmp_path: Path, engine: str) -> None:
    """The decoder would average tones."""
    dots = Image.fromarray((np.indices((512, 512)).sum(0) % 2 * 255).astype(np.uint8))
    source = saved(dots, tmp_path / "a.jpg", quality=100)
    image, _ = one(source, tmp_path / "out", size="32x32", linear=True, format="png", engine=engine)
    assert near(array(image)[8:24, 8:24], 188, 2)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_nearest_takes_pixels_as_they_are(tmp_path: Path, engine: str, suffix: str) -> None:
    """No level appears that the picture does not have, whatever a decoder could do faster."""
    dots = Image.fromarray(np.random.default_rng(1).integers(0, 2, (640, 640), dtype=np.uint8) * 255)
    source = saved(dots, tmp_path / f"a{suffix}", quality=100)
    image, _ = one(source, tmp_path / "out", size="64x64", resample="nearest", format="png", engine=engine)
    with Image.open(source) as decoded:
        assert set(np.unique(array(image))) <= set(np.unique(array(decoded)))
        assert (array(image) == array(decoded)[5::10, 5::10]).all()


@pytest.mark.parametrize("resample", ["lanczos", "bicubic", "hamming", "bilinear", "box", "nearest"])
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
def test_scaled_in_every_mode(mode: str, resample: Resample) -> None:
    """Even colours stay even, the mode stays, and nothing of the file is remembered."""
    colours: dict[str, Any] = {"L": 77, "LA": (77, 130), "RGB": (9, 99, 199), "RGBA": (10, 100, 200, 128)}
    plain = Image.new(mode, (90, 60), colours.get(mode, 7777))
    plain.info = {"icc_profile": b"x", "transparency": 3}
    small = scaled(plain, (1.5, 2.25, 80.0, 59.5), (13, 7), resample)
    assert (small.mode, small.size, small.info) == (mode, (13, 7), {})
    assert np.abs(array(small) - array(plain)[:7, :13]).max() <= 1


def test_scaled_when_nothing_changes() -> None:
    """The pixels are those there were, in a picture of their own."""
    picture = _picture("RGBA")
    picture.info = {"icc_profile": b"x"}
    same = scaled(picture, WHOLE, (96, 64), "lanczos")
    assert same.tobytes() == picture.tobytes()
    assert same is not picture
    assert same.info == {}
    assert picture.info == {"icc_profile": b"x"}


@pytest.mark.parametrize("edge", [1e-12, -1e-12, 1e-9])
def test_scaled_when_a_division_sticks_out(edge: float) -> None:
    """A region may leave the picture by what the last bit of a division is; Pillow would refuse it."""
    assert scaled(_picture("L"), (-edge, 0.0, 96.0 + edge, 64.0), (10, 10), "lanczos").size == (10, 10)
