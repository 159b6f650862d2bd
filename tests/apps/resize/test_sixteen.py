"""Colours of 16 bits a channel come through libvips as exactly as they can, with all that is said around them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.apps.resize.making import array, lanczos, one, profile
from toolkit.apps.resize.result import Resized

pyvips = pytest.importorskip("pyvips")

NARROWED = ("16 bits a channel were narrowed to 8",)
SECRET = b"nobody's business"

Pixels = np.ndarray[Any, Any]


def _colours(height: int = 60, width: int = 90, bands: int = 3) -> Pixels:
    y, x = np.mgrid[0:height, 0:width].astype(float)
    waves = [32_768 + 20_000 * np.sin(x / 17 + y / 30 + 2 * band) + 5000 * np.cos(x * y / 700) for band in range(bands)]
    return np.stack(waves, -1).round().astype(np.uint16)


def _source(path: Path, pixels: Pixels, **blobs: bytes) -> Path:
    image = pyvips.Image.new_from_array(pixels).copy(interpretation="rgb16")
    for name, data in blobs.items():
        image.set_type(pyvips.GValue.blob_type, f"{name}-data".replace("_", "-"), data)
    image.write_to_file(str(path))
    return path


def _done(source: Path, out: Path, **options: Any) -> tuple[Pixels, Image.Image, Resized]:
    image, value = one(source, out, engine="vips", **options)
    assert value.engine == "vips"
    found = pyvips.Image.new_from_file(str(out / value.output))
    assert found.format == "ushort"
    return found.numpy().astype(int), image, value


@pytest.mark.parametrize("form", ["png", "tiff"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bands", [3, 4])
def test_values_when_nothing_changes(tmp_path: Path, suffix: str, form: str, bands: int) -> None:
    """Not one of 65,536 levels is lost, in either format."""
    wanted = _colours(bands=bands)
    pixels, _, value = _done(_source(tmp_path / f"a{suffix}", wanted), tmp_path / "out", format=form)
    assert (pixels == wanted).all()
    assert value.warnings == ()


@pytest.mark.parametrize("size", [(45, 30), (31, 20), (180, 120), (45, 17)])
def test_values_against_the_float_reference(tmp_path: Path, size: tuple[int, int]) -> None:
    """Scaled with less than a level of 8 bits of error anywhere, larger or smaller, and none on the whole."""
    source = _source(tmp_path / "a.png", _colours())
    pixels, _, _ = _done(source, tmp_path / "out", size=f"{size[0]}x{size[1]}!")
    wanted = np.clip(lanczos(_colours().astype(float), size), 0, 65_535)
    assert np.abs(pixels - wanted).max() < 200
    assert abs((pixels - wanted).mean()) < 2


def test_values_of_a_part_within_pixels(tmp_path: Path) -> None:
    """A cut that begins within a pixel begins there: half a pixel would be 200 levels of this ramp."""
    ramp = np.tile((10_000 + 400 * np.arange(101)).astype(np.uint16)[None, :, None], (40, 1, 3))
    pixels, _, _ = _done(_source(tmp_path / "a.png", ramp), tmp_path / "out", size="10x10", fit="cover")
    at = (101 - 40) / 2 + (np.arange(10) + 0.5) * 4 - 0.5
    assert np.abs(pixels[5, 2:8, 0] - (10_000 + 400 * at)[2:8]).max() < 30


def test_alpha_is_premultiplied(tmp_path: Path) -> None:
    """The colour that is hidden under transparency never shows at an edge."""
    hidden = np.zeros((64, 64, 4), np.uint16)
    hidden[..., 1] = 65_535
    hidden[:, :33] = (65_535, 0, 0, 65_535)
    pixels, _, _ = _done(_source(tmp_path / "a.png", hidden), tmp_path / "out", size="16x16")
    edge = pixels[pixels[..., 3] > 500]
    assert 0 < pixels[8, 8, 3] < 65_535
    assert edge[:, 0].min() > 65_000
    assert edge[:, 1].max() < 500


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_when_stored_otherwise(tmp_path: Path, orientation: int) -> None:
    """Every orientation, exactly, and none is left to do."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = _colours(6, 9)
    source = _source(tmp_path / "a.png", stored, exif=exif.tobytes())
    pixels, image, _ = _done(source, tmp_path / "out")
    upright = {
        1: stored,
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.transpose(1, 0, 2),
        6: stored[::-1].transpose(1, 0, 2),
        7: stored[::-1, ::-1].transpose(1, 0, 2),
        8: stored[:, ::-1].transpose(1, 0, 2),
    }[orientation]
    assert (pixels == upright).all()
    assert image.getexif().get(0x0112, 1) == 1


def test_p3_becomes_srgb(tmp_path: Path) -> None:
    """By the matrices of both and the curve that they share (IEC 61966-2-1), to within rounding of the profile."""
    source = _source(tmp_path / "a.png", _colours(), icc_profile=profile("p3"))
    pixels, image, _ = _done(source, tmp_path / "out")
    p3 = np.array([[0.5151, 0.2920, 0.1571], [0.2412, 0.6922, 0.0666], [-0.0011, 0.0419, 0.7841]])
    srgb = np.array([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])
    tone = _colours() / 65_535
    light = np.where(tone <= 0.04045, tone / 12.92, ((tone + 0.055) / 1.055) ** 2.4) @ (np.linalg.inv(srgb) @ p3).T
    light = np.clip(light, 0, 1)
    wanted = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055) * 65_535
    assert np.abs(pixels - wanted).max() < 300
    assert np.abs(pixels - wanted).mean() < 20
    assert "icc_profile" not in image.info


@pytest.mark.parametrize("form", ["png", "tiff"])
@pytest.mark.parametrize("wish", ["keep", "file", "icc-only"])
def test_profile_is_that_of_the_values(tmp_path: Path, wish: str, form: str) -> None:
    """Kept, of the file that was given, or sRGB's own; and values that are in it already stay."""
    (tmp_path / "wide.icc").write_bytes(profile("adobe"))
    told: dict[str, Any] = {
        "keep": {"profile": "keep"},
        "file": {"profile": str(tmp_path / "wide.icc")},
        "icc-only": {"metadata": "icc-only"},
    }[wish]
    own = {"keep": "p3", "file": "adobe", "icc-only": "srgb"}[wish]
    source = _source(tmp_path / "a.png", _colours(), icc_profile=profile(own))
    pixels, image, _ = _done(source, tmp_path / "out", format=form, **told)
    assert (pixels == _colours()).all()
    if wish == "icc-only":
        assert b"sRGB" in image.info["icc_profile"].replace(b"\0", b"")
    else:
        assert image.info["icc_profile"] == profile(own)


def test_profile_of_a_file_straight_from_the_picture_s(tmp_path: Path) -> None:
    """Colours that both profiles have are not lost by way of sRGB, in 16 bits as in 8."""
    green = np.full((8, 8, 3), (0, 65_535, 0), np.uint16)
    (tmp_path / "wide.icc").write_bytes(profile("adobe"))
    source = _source(tmp_path / "a.png", green, icc_profile=profile("p3"))
    pixels, _, _ = _done(source, tmp_path / "out", profile=str(tmp_path / "wide.icc"))
    assert pixels[4, 4, 0] / 257 == pytest.approx(103, abs=2)  # by the matrices; by way of sRGB it would be 144
    image, _ = one(source, tmp_path / "out8", profile=str(tmp_path / "wide.icc"), engine="pillow")
    assert np.abs(array(image)[4, 4] - pixels[4, 4] / 257).max() <= 1


def test_linear_light(tmp_path: Path) -> None:
    """Black and white dots become half the light, level 188 of 255, in sRGB's tones, whatever the profile was."""
    board = np.repeat((np.indices((64, 64)).sum(0) % 2 * 65_535).astype(np.uint16)[..., None], 3, -1)
    for kind in ("srgb", "linear"):
        source = _source(tmp_path / "a.png", board, icc_profile=profile(kind))
        pixels, _, _ = _done(source, tmp_path / kind, size="16x16", linear=True)
        assert np.abs(pixels[4:12, 4:12] / 65_535 - 0.7353).max() < 0.002


@pytest.mark.parametrize(
    "options",
    [{"format": "jpeg"}, {"format": "webp"}, {"op": ("invert",)}, {"rotate": 10.0}, {"size": "80x80", "fit": "pad"}],
    ids=str,
)
def test_narrowed_where_16_bits_cannot_stay(tmp_path: Path, options: dict[str, Any]) -> None:
    """Eight bits, and the result says so, where a format, an operation or a canvas has no more."""
    source = _source(tmp_path / "a.png", _colours())
    _, value = one(source, tmp_path / "out", engine="vips", **options)
    assert value.warnings == NARROWED
    assert value.engine == "vips"


def test_narrowed_by_pillow(tmp_path: Path) -> None:
    """Pillow reads eight of the bits; the result says so, and its levels are right."""
    for suffix in (".png", ".tif"):
        image, value = one(_source(tmp_path / f"a{suffix}", _colours()), tmp_path / "out", engine="pillow")
        assert value.warnings == NARROWED
        assert np.abs(array(image) - _colours() / 257).max() <= 1


@pytest.mark.parametrize("form", ["png", "tiff"])
@pytest.mark.parametrize("wanted", ["no-gps", "keep", "strip", "icc-only"])
def test_what_is_said_is_what_other_results_say(tmp_path: Path, wanted: str, form: str) -> None:
    """The same EXIF data, texts and resolution as with 8 bits: libvips adds nothing, and leaves nothing out."""
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "a picture", 6
    exif.get_ifd(0x8769)[0x9003] = "2020:01:01 00:00:00"
    exif.get_ifd(0x8825)[1] = "N"
    source = _source(tmp_path / "a.png", _colours(), exif=exif.tobytes())
    image = pyvips.Image.new_from_file(str(source)).copy()
    for number, (name, text) in enumerate({"Author": "me", "Location": SECRET.decode()}.items()):
        image.set_type(pyvips.GValue.gstr_type, f"png-comment-{number}-{name}", text)
    image.write_to_file(str(tmp_path / "b.png"))
    _, deep, value = _done(tmp_path / "b.png", tmp_path / "out", metadata=wanted, format=form, size="40x")
    plain, _ = one(tmp_path / "b.png", tmp_path / "plain", metadata=wanted, format=form, size="40x", engine="pillow")
    assert _said(deep) == _said(plain)
    assert (SECRET in (tmp_path / "out" / value.output).read_bytes()) == (wanted == "keep" and form == "png")


def _said(image: Image.Image) -> Any:
    exif = image.getexif()
    parts = [{tag: exif.get(tag) for tag in (0x010E, 0x0112, 282, 700)}]
    parts += [dict(exif.get_ifd(tag)) for tag in (0x8769, 0x8825)]
    return parts, {name: value for name, value in image.info.items() if name not in {"exif", "compression"}}


def test_tiff_of_many_strips(tmp_path: Path) -> None:
    """Strips are found where the directory says, however much stands before them."""
    tall = np.random.default_rng(3).integers(0, 65_536, (700, 20, 3), dtype=np.uint16)
    pixels, image, _ = _done(_source(tmp_path / "a.png", tall), tmp_path / "out", format="tiff", metadata="icc-only")
    assert (pixels == tall).all()
    assert len(image.tag_v2[273]) == math.ceil(700 / image.tag_v2[278])  # type: ignore[attr-defined]
