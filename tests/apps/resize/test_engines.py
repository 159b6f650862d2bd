"""Whichever engine makes a picture, it is the same picture: same size, same colours, nothing more or less said."""

from __future__ import annotations

import itertools
import math
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image

from tests.apps.resize.making import array, failure, one, photo, profile, saved, stored
from toolkit.apps.resize.engines import ALIKE
from toolkit.apps.resize.geometry import Fit, Gravity
from toolkit.apps.resize.result import Resized
from toolkit.core.errors import FailureKind

pytest.importorskip("pyvips")

SUFFIXES = [".jpg", ".png", ".webp", ".tif"]
GENTLE = {".jpg": {"quality": 95}, ".webp": {"quality": 95}}


def _source(folder: Path, suffix: str, image: Image.Image | None = None, **options: Any) -> Path:
    plain = {"lossless": True} if image is not None and suffix == ".webp" else GENTLE.get(suffix, {})
    return saved(image or photo(300, 200), folder / f"a{suffix}", **{**plain, **options})


def _both(source: Path, folder: Path, **options: Any) -> list[tuple[Image.Image, Resized]]:
    made = [one(source, folder / name, engine=name, **{"format": "png", **options}) for name in ("pillow", "vips")]
    (image, value), (other, also) = made
    assert (value.engine, also.engine) == ("pillow", "vips")
    assert other.size == image.size
    assert other.info.get("icc_profile") == image.info.get("icc_profile")
    return made


def alike(source: Path, folder: Path, *, least: float = ALIKE, **options: Any) -> None:
    """Do a picture with both engines, and compare all there is."""
    (image, value), (other, also) = _both(source, folder, **options)
    assert (other.mode, also.warnings) == (image.mode, value.warnings)
    assert psnr(image, other) >= least


def psnr(image: Image.Image, other: Image.Image) -> float:
    """Return the PSNR of two pictures, in dB."""
    error = float(np.mean((_seen(image) - _seen(other)) ** 2))
    return 10 * math.log10(255**2 / error) if error else math.inf


def _seen(image: Image.Image) -> np.ndarray[Any, Any]:
    if image.mode.startswith("I;16"):
        return array(image) / 257
    pixels = array(image, "RGBA").astype(float)
    pixels[..., :3] *= pixels[..., 3:] / 255
    return pixels


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("fit", get_args(Fit))
def test_alike_for_every_fit(tmp_path: Path, suffix: str, fit: Fit) -> None:
    """Whole pixels or parts of them, cut, stretched or laid on a canvas."""
    alike(_source(tmp_path, suffix), tmp_path, size="133x111", fit=fit)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"size": "700x", "enlarge": True},
        {"size": "200x600!"},
        {"size": "5%"},
        {"size": "160x", "resample": "bicubic"},
        {"size": "160x", "resample": "bilinear"},
        {"size": "160x", "rotate": 90.0},
        {"size": "160x", "rotate": -7.5},
        {"size": "160x", "flip": "both"},
        {"size": "160x", "trim": True},
        {"size": "160x160", "crop": "smart"},
        {"size": "160x160", "crop": "smart", "fit": "cover"},
        {"size": "160x", "op": ("blur:2", "sharpen", "sepia")},
    ],
    ids=str,
)
def test_alike_for_every_shape(tmp_path: Path, suffix: str, options: dict[str, Any]) -> None:
    """Larger, turned, mirrored, trimmed, cut where most is to be seen, filtered."""
    alike(_source(tmp_path, suffix), tmp_path, **options)


@pytest.mark.parametrize("place", [*get_args(Gravity), "0.1,0.2", "1,0.5", "0.37,0.93"])
def test_alike_for_every_place(tmp_path: Path, place: str) -> None:
    """The same cut, to parts of pixels."""
    where: dict[str, Any] = {"focus": place} if "," in place else {"gravity": place}
    alike(_source(tmp_path, ".jpg"), tmp_path, size="97x101", fit="cover", **where)


def test_alike_at_the_rim_of_a_cut(tmp_path: Path) -> None:
    """No filter looks at what was cut off, be it ever so bright beside the cut."""
    image = Image.new("RGB", (400, 100), (255, 255, 255))
    image.paste((10, 80, 200), (150, 0, 250, 100))
    (one_way, _), (other, _) = _both(_source(tmp_path, ".png", image), tmp_path, size="40x40", fit="cover")
    assert np.all(array(one_way) == (10, 80, 200))
    assert np.all(array(other) == (10, 80, 200))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_alike_for_every_orientation(tmp_path: Path, suffix: str, orientation: int) -> None:
    """Turned the same, whole and cut."""
    source = stored(orientation, tmp_path / f"a{suffix}", photo(300, 200), **GENTLE.get(suffix, {}))
    alike(source, tmp_path / "contain", size="90x90")
    alike(source, tmp_path / "cover", size="90x70", fit="cover", gravity="northwest")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_size_and_pixels_for_every_width(tmp_path: Path, suffix: str) -> None:
    """Rounding is the same for every width, also where the decoder shrinks by 8, 4 or 2."""
    source = _source(tmp_path, suffix, photo(83, 61), **({"quality": 95} if suffix == ".jpg" else {}))
    widths = [*range(1, 42), 47, 53, 82]
    for width in widths:
        alike(source, tmp_path / str(width), size=f"{width}x")


@pytest.mark.parametrize("size", [(513, 512), (519, 523)])
@pytest.mark.parametrize("width", [16, 31])
def test_alike_when_the_decoder_shrinks_odd_sizes(tmp_path: Path, size: tuple[int, int], width: int) -> None:
    """What fills no whole pixel of the shrunken picture is not lost, and nothing is drawn out instead."""
    alike(_source(tmp_path, ".jpg", photo(*size), quality=95), tmp_path, size=f"{width}x", least=52)


@pytest.mark.parametrize("divided", [2.9, 3.1, 4.0, 5.3, 9.0])
def test_alike_for_the_finest_detail(tmp_path: Path, divided: float) -> None:
    """Noise shows every difference between two filters: also where boxes are averaged first."""
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (320, 320, 3), dtype=np.uint8))
    alike(_source(tmp_path, ".png", noise), tmp_path, size=f"{int(320 / divided)}x")


@cache
def _modes() -> dict[str, Image.Image]:
    plain = photo(320, 200)
    grey, alpha = plain.convert("L"), Image.linear_gradient("L").resize((320, 200))
    return {
        "L": grey,
        "LA": Image.merge("LA", (grey, alpha)),
        "RGB": plain,
        "RGBA": Image.merge("RGBA", (*plain.split(), alpha)),
        "P": plain.quantize(200),
        "I;16": Image.fromarray((array(grey) * 257).astype(np.uint16)),
    }


@pytest.mark.parametrize(
    ("suffix", "mode"),
    [*itertools.product([".png", ".tif"], _modes()), (".jpg", "L"), (".webp", "RGBA")],
)
def test_alike_for_every_mode(tmp_path: Path, suffix: str, mode: str) -> None:
    """Grey, colour, alpha, palettes and 16-bit grey: smaller, larger, cut, as they are, and narrowed."""
    source = _source(tmp_path, suffix, _modes()[mode], **({"quality": 95} if suffix == ".jpg" else {}))
    alike(source, tmp_path / "small", size="110x")
    alike(source, tmp_path / "large", size="400x", enlarge=True)
    alike(source, tmp_path / "cut", size="70x90", fit="cover")
    alike(source, tmp_path / "same")
    alike(source, tmp_path / "narrow", size="110x", format="webp", lossless=True)
    alike(source, tmp_path / "changed", size="110x", op=("invert",))


@pytest.mark.parametrize("key", [5, bytes(range(200)), "RGB", "L"])
def test_alike_for_key_colours(tmp_path: Path, key: Any) -> None:
    """PNG's transparent entries and key colours."""
    image = _modes()["P" if isinstance(key, int | bytes) else key]
    pixel = image.getpixel((3, 3)) if isinstance(key, str) else key
    alike(_source(tmp_path, ".png", image, transparency=pixel), tmp_path, size="110x")


@pytest.mark.parametrize("wish", ["srgb", "keep", "file"])
@pytest.mark.parametrize(
    ("kind", "mode"), [("p3", "RGB"), ("p3", "RGBA"), ("adobe", "RGB"), ("grey", "L"), ("grey", "RGB")]
)
def test_alike_for_profiles(tmp_path: Path, kind: str, mode: str, wish: str) -> None:
    """Converted, kept, converted to a file's, or found to be of another sort: the same."""
    source = _source(tmp_path, ".png", _modes()[mode], icc_profile=profile(kind))
    (tmp_path / "wide.icc").write_bytes(profile("adobe"))
    alike(source, tmp_path, size="110x", profile=str(tmp_path / "wide.icc") if wish == "file" else wish)


def _gif(path: Path) -> Path:
    return saved(photo(64, 48).quantize(64), path.with_suffix(".gif"))


def _film(path: Path) -> Path:
    return saved(photo(64, 48), path.with_suffix(".webp"), save_all=True, append_images=[photo(64, 48, 6)])


def _cmyk(path: Path) -> Path:
    return saved(photo(64, 48).convert("CMYK"), path.with_suffix(".jpg"), quality=95)


def _bilevel(path: Path) -> Path:
    return saved(photo(64, 48).convert("1"), path.with_suffix(".png"))


def _plain(path: Path) -> Path:
    return saved(photo(64, 48), path.with_suffix(".png"))


@pytest.mark.parametrize(
    ("made", "options"),
    [
        (_gif, {}),
        (_film, {}),
        (_cmyk, {}),
        (_bilevel, {}),
        (_plain, {"resample": "hamming"}),
        (_plain, {"resample": "box"}),
        (_plain, {"resample": "nearest"}),
        (_plain, {"linear": True}),
    ],
)
def test_auto_leaves_to_pillow_what_differs(tmp_path: Path, made: Any, options: dict[str, Any]) -> None:
    """Where the libraries mean different things, or one cannot, auto gives what Pillow gives, to the byte."""
    source = made(tmp_path / "a")
    _, value = one(source, tmp_path / "auto", engine="auto", size="20x", **options)
    _, other = one(source, tmp_path / "pillow", engine="pillow", size="20x", **options)
    assert value.engine == "pillow"
    assert (tmp_path / "auto" / value.output).read_bytes() == (tmp_path / "pillow" / other.output).read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_auto_takes_vips_for_the_usual(tmp_path: Path, suffix: str) -> None:
    """A photograph in a common format."""
    assert one(_source(tmp_path, suffix), tmp_path / "out", engine="auto", size="20x")[1].engine == "vips"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_alike_when_a_name_is_not_unicode(tmp_path: Path, suffix: str) -> None:
    """The name is only a name, and goes on to the result; so it is for one that is damaged, which fails as usual."""
    source = _source(tmp_path, suffix).rename(tmp_path / os.fsdecode(b"caf\xe9" + suffix.encode()))
    alike(source, tmp_path, size="110x")
    for name in ("pillow", "vips"):
        assert os.listdir(os.fsencode(tmp_path / name)) == [b"caf\xe9.png"]
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    assert {failure(source, tmp_path / "no", engine=name).kind for name in ("pillow", "vips")} == {FailureKind.IMAGE}


def test_pillow_reads_what_libvips_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No picture is lost because of the engine that was tried first."""
    from toolkit.apps.resize.engines import _vips

    def refuse(*_: Any, **__: Any) -> None:
        raise _vips.Error("unable to load", "of a sort that is not known")

    monkeypatch.setattr(_vips, "load", refuse)
    assert one(_source(tmp_path, ".tif"), tmp_path / "out", engine="vips", size="20x")[1].engine == "pillow"
