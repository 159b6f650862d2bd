"""Pictures come out upright, with right edges, tones and transparency, and as sharp as the float reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from tests.apps.resize.making import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    array,
    corners,
    jpeg_bytes,
    mpo,
    near,
    one,
    photo,
    run,
    saved,
)

_BACK = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How an upright picture must be turned to be stored with each orientation."""


def _stored(orientation: int, path: Path, image: Image.Image, **options: Any) -> Path:
    turn = _BACK[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(image.transpose(turn) if turn is not None else image, path, exif=exif, **options)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif"])
def test_orientation_is_applied_and_forgotten(tmp_path: Path, suffix: str, orientation: int) -> None:
    """Whatever way a picture is stored, it comes out upright, of the upright size, and says nothing of it."""
    source = _stored(orientation, tmp_path / f"a{suffix}", corners(), quality=95)
    image, _ = one(source, tmp_path / "out", size="60x60", format="png")
    assert image.size == (60, 40)
    assert image.getexif().get(0x0112, 1) == 1
    rgb = image.convert("RGB")
    for at, colour in (((8, 6), RED), ((50, 6), GREEN), ((8, 34), BLUE), ((50, 34), WHITE)):
        assert near(rgb.getpixel(at), colour, 14), (suffix, orientation, at)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".avif", ".webp", ".png", ".tif"])
def test_orientation_when_the_format_stays(tmp_path: Path, suffix: str, orientation: int) -> None:
    """No writer turns the picture a second time, or says that a reader should."""
    source = _stored(orientation, tmp_path / f"a{suffix}", corners(), quality=95)
    image, _ = one(source, tmp_path / "out", size="60x", quality=95)
    assert image.size == (60, 40)
    assert image.getexif().get(0x0112, 1) == 1
    assert near(image.convert("RGB").getpixel((8, 6)), RED, 20)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_cover_when_turned_cuts_the_same(tmp_path: Path, orientation: int) -> None:
    """The cut is the same however the picture is stored, also after shrink-on-load."""
    picture = photo(640, 400)
    plain, _ = one(saved(picture, tmp_path / "p.png"), tmp_path / "out", size="50x50", fit="cover")
    source = _stored(orientation, tmp_path / "a.jpg", picture, quality=98, subsampling=0)
    image, _ = one(source, tmp_path / "out", size="50x50", fit="cover", format="png")
    assert np.abs(array(image) - array(plain)).mean() < 1.5


def test_draft_when_the_result_is_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A JPEG is decoded at the smallest size that is still twice the result, also where only its width is given."""
    decoded: list[tuple[int, int]] = []
    original = JpegImagePlugin.JpegImageFile.load_prepare

    def spy(image: JpegImagePlugin.JpegImageFile) -> None:
        decoded.append(image.size)
        original(image)

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load_prepare", spy)
    source = saved(photo(1600, 1000), tmp_path / "a.jpg")
    run([source], tmp_path / "o1", size="100x")
    run([source], tmp_path / "o2", size="x70", fit="cover")
    run([source], tmp_path / "o3", size="500x500", fit="cover")
    run([source], tmp_path / "o4", size="250x250", fit="cover")
    run([source], tmp_path / "o5")
    assert decoded == [(200, 125), (400, 250), (1600, 1000), (800, 500), (1600, 1000)]


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("size", [(300, 200), (97, 65), (60, 40)])
def test_quality_against_the_float_reference(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    """Shrink-on-load and box averages cost no visible quality: at least 50 dB against Lanczos in floating point."""
    source = saved(photo(1200, 800), tmp_path / f"a{suffix}", quality=95, subsampling=0)
    with Image.open(source) as full:
        wanted = _float_lanczos(array(full, "RGB").astype(float), size)
    image, _ = one(source, tmp_path / "out", size=f"{size[0]}x{size[1]}", fit="stretch", format="png")
    error = np.mean((array(image, "RGB") - wanted) ** 2)
    assert 10 * np.log10(255**2 / error) >= 50


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_when_resized_is_premultiplied(tmp_path: Path, mode: str) -> None:
    """The colour that is hidden under transparency never shows at an edge."""
    image = Image.new("RGBA", (64, 64), (0, 255, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 33, 64))
    source = saved(image.convert(mode), tmp_path / "a.png")
    result, _ = one(source, tmp_path / "out", size="16x16")
    pixels = array(result, "RGBA")
    visible = pixels[pixels[..., 3] > 8]  # below that, premultiplied colours have few steps left
    assert 0 < pixels[8, 8, 3] < 255
    assert near(visible[:, :3], RED if mode == "RGBA" else (76, 76, 76), 4)


@pytest.mark.parametrize("suffix", [".png", ".gif", ".webp"])
def test_palette_with_transparency(tmp_path: Path, suffix: str) -> None:
    """A palette picture is resized in colour, its clear entry becoming alpha."""
    image = Image.new("P", (64, 64), 0)
    image.putpalette([0, 255, 0, 255, 0, 0, 0, 0, 255])
    image.paste(1, (0, 0, 33, 64))
    source = saved(image, tmp_path / "a.png", transparency=0)
    result, _ = one(source, tmp_path / "out", size="16x16", format=suffix[1:])
    pixels = array(result, "RGBA")
    assert near(pixels[4, 2], (255, 0, 0, 255), 6)
    assert pixels[4, 14, 3] == 0
    visible = pixels[pixels[..., 3] > 20]
    assert near(visible[:, :3], RED, 10)


def test_palette_with_alpha_bytes(tmp_path: Path) -> None:
    """Each entry of a palette may have its own alpha."""
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    source = saved(image, tmp_path / "a.png", transparency=bytes([0, 128]))
    result, value = one(source, tmp_path / "out", size="4x4")
    assert near(result.convert("RGBA").getpixel((1, 1)), (10, 200, 30, 128), 2)
    assert value.warnings == ()


def test_bilevel_becomes_grey(tmp_path: Path) -> None:
    """Black and white pixels are averaged, not picked."""
    board = Image.fromarray((np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)).convert(
        "1", dither=Image.Dither.NONE
    )
    result, _ = one(saved(board, tmp_path / "a.png"), tmp_path / "out", size="16x16")
    assert result.mode == "L"
    assert near(array(result)[4:12, 4:12], 127, 6)


@pytest.mark.parametrize(
    ("mode", "colour", "key"), [("RGB", (9, 8, 7), (9, 8, 7)), ("L", 40, 40), ("1", 0, 0), ("I;16", 300, 300)]
)
def test_key_colour_becomes_alpha(tmp_path: Path, mode: str, colour: Any, key: Any) -> None:
    """PNG's transparent colour is turned into alpha before pixels are mixed."""
    image = Image.new(mode, (32, 32), colour)
    others: dict[str, Any] = {"RGB": (200, 0, 0), "I;16": 60_000}
    image.paste(Image.new(mode, (16, 32), others.get(mode, 255)), (0, 0))
    result, _ = one(saved(image, tmp_path / "a.png", transparency=key), tmp_path / "out", size="8x8")
    alpha = array(result, "RGBA")[4, :, 3]
    assert (alpha[0], alpha[7]) == (255, 0)
    assert "transparency" not in result.info


def test_key_colour_of_four_bits(tmp_path: Path) -> None:
    """PNG gives the key of a 4-bit grey in 4 bits, though the pixels are decoded to 8."""
    image = Image.new("L", (8, 8), 5)
    image.paste(15, (0, 0, 4, 8))
    source = saved(image, tmp_path / "a.png", bits=4, transparency=5)
    with Image.open(source) as check:
        assert check.getpixel((7, 0)) == 85
    result, _ = one(source, tmp_path / "out")
    assert array(result, "LA")[0, :, 1].tolist() == [255] * 4 + [0] * 4


def _ramp() -> Image.Image:
    return Image.fromarray(np.tile(np.linspace(0, 65_535, 256).astype(np.uint16), (64, 1)))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_are_kept(tmp_path: Path, suffix: str) -> None:
    """16-bit grey stays so through a resize where the format holds it."""
    result, value = one(saved(_ramp(), tmp_path / f"a{suffix}"), tmp_path / "out", size="64x64", fit="stretch")
    assert result.mode.startswith("I;16")
    assert value.warnings == ()
    assert np.abs(array(result)[30] - np.linspace(0, 65_535, 256).reshape(64, 4).mean(1)).max() < 700


@pytest.mark.parametrize(
    "options", [{"format": "jpeg", "quality": 95}, {"filter": ("contrast:1",)}, {"format": "webp"}]
)
def test_sixteen_bits_are_scaled(tmp_path: Path, options: dict[str, Any]) -> None:
    """Where 16 bits must become 8 they are scaled, not cut off, and the result says so."""
    result, value = one(saved(_ramp(), tmp_path / "a.png"), tmp_path / "out", **options)
    assert np.abs(array(result, "L")[30] - np.arange(256)).max() <= 6
    assert value.warnings == ("16-bit grey was narrowed to 8 bits",)


def test_sixteen_bits_of_colour_are_told(tmp_path: Path) -> None:
    """Pillow reads 16-bit colour as 8 bits; the result says so."""
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = (4).to_bytes(4, "big") * 2 + bytes([16, 2, 0, 0, 0])
    rows = zlib.compress((b"\0" + b"\x80\x00\x40\x00\xff\xff" * 4) * 4)
    source = tmp_path / "a.png"
    source.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    result, value = one(source, tmp_path / "out")
    assert near(result.getpixel((1, 1)), (128, 64, 255), 1)
    assert value.warnings == ("16 bits a channel were narrowed to 8",)


def test_flatten_when_jpeg(tmp_path: Path) -> None:
    """A format without alpha shows the picture on the background."""
    image = Image.new("RGBA", (32, 32), (255, 0, 0, 128))
    source = saved(image, tmp_path / "a.png")
    assert near(one(source, tmp_path / "o1", format="jpeg")[0].getpixel((9, 9)), (255, 127, 127))
    blue = one(source, tmp_path / "o2", format="jpeg", background="#0000ff")[0]
    assert near(blue.getpixel((9, 9)), (128, 0, 127))


@pytest.mark.parametrize(("form", "margin"), [("jpeg", (0, 128, 0)), ("png", (0, 128, 0)), ("webp", (0, 128, 0))])
def test_pad_fills_the_margin(tmp_path: Path, form: str, margin: tuple[int, ...]) -> None:
    """The picture is centred on a canvas of the background's colour."""
    source = saved(Image.new("RGB", (80, 40), RED), tmp_path / "a.png")
    image, _ = one(source, tmp_path / "out", size="40x40", fit="pad", background="green", format=form, quality=95)
    assert image.size == (40, 40)
    assert near(image.convert("RGB").getpixel((20, 3)), margin, 8)
    assert near(image.convert("RGB").getpixel((20, 20)), RED, 8)


def test_pad_when_transparent(tmp_path: Path) -> None:
    """A transparent margin is transparent where the format can, and white where it cannot."""
    source = saved(Image.new("L", (80, 40), 10), tmp_path / "a.png")
    clear, _ = one(source, tmp_path / "o1", size="40x40", fit="pad", background="transparent")
    assert clear.convert("RGBA").getpixel((20, 3))[3] == 0  # type: ignore[index]
    white, _ = one(source, tmp_path / "o2", size="40x40", fit="pad", background="transparent", format="jpeg")
    assert near(white.convert("L").getpixel((20, 2)), 255, 8)


def test_mpo_becomes_jpeg(tmp_path: Path) -> None:
    """The first picture of a pair is kept, as an ordinary JPEG, and the result says so."""
    image, value = one(mpo(corners(), photo(120, 80), tmp_path / "a.jpg"), tmp_path / "out", size="60x")
    assert (image.format, value.frames) == ("JPEG", 1)
    assert value.warnings == ("only the first of 2 pictures was kept",)
    assert near(image.getpixel((8, 6)), RED, 14)


@pytest.mark.parametrize(("suffix", "wanted"), [(".bmp", "PNG"), (".ppm", "PNG"), (".png", "PNG"), (".tif", "TIFF")])
def test_format_when_none_is_asked_for(tmp_path: Path, suffix: str, wanted: str) -> None:
    """A picture keeps its format; one that nobody wants to write becomes a PNG."""
    image, value = one(saved(corners(), tmp_path / f"a{suffix}"), tmp_path / "out", size="30x")
    assert image.format == wanted
    assert value.output == ("a.png" if wanted == "PNG" else "a.tif")
    assert near(image.getpixel((4, 3)), RED, 1)


def test_cmyk_without_adobes_marker_is_not_turned_round(tmp_path: Path) -> None:
    """CMYK samples are inverted only in files that carry Adobe's marker."""
    data = jpeg_bytes(Image.new("CMYK", (16, 16), (200, 0, 0, 0)), quality=95)
    start = data.index(b"\xff\xee")
    length = int.from_bytes(data[start + 2 : start + 4], "big")
    (tmp_path / "with.jpg").write_bytes(data)
    (tmp_path / "without.jpg").write_bytes(data[:start] + data[start + 2 + length :])
    image, _ = one(tmp_path / "with.jpg", tmp_path / "out", format="png")
    assert near(image.getpixel((8, 8)), (55, 255, 255), 4)
    image, _ = one(tmp_path / "without.jpg", tmp_path / "out", format="png")
    assert near(image.getpixel((8, 8)), (0, 0, 0), 4)


def _float_lanczos(pixels: np.ndarray[Any, Any], size: tuple[int, int]) -> np.ndarray[Any, Any]:
    rows = np.tensordot(_weights(pixels.shape[0], size[1]), pixels, 1)
    return np.swapaxes(np.tensordot(_weights(pixels.shape[1], size[0]), np.swapaxes(rows, 0, 1), 1), 0, 1)


def _weights(length: int, wanted: int) -> np.ndarray[Any, Any]:
    """Return the Lanczos-3 weights of each source pixel for each result pixel."""
    scale = length / wanted
    centre = (np.arange(wanted)[:, None] + 0.5) * scale
    x = (np.arange(length)[None, :] + 0.5 - centre) / scale
    weights = np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)
    normal: np.ndarray[Any, Any] = weights / weights.sum(1, keepdims=True)
    return normal
