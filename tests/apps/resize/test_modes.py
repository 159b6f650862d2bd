"""Palettes, bilevel and 16-bit pixels, key colours and alpha become what they mean before pixels are mixed."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.apps.resize.making import RED, array, near, one, profile, saved


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_when_resized_is_premultiplied(tmp_path: Path, engine: str, mode: str) -> None:
    """The colour that is hidden under transparency never shows at an edge."""
    image = Image.new("RGBA", (64, 64), (0, 255, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 33, 64))
    source = saved(image.convert(mode), tmp_path / "a.png")
    result, _ = one(source, tmp_path / "out", size="16x16", engine=engine)
    pixels = array(result, "RGBA")
    visible = pixels[pixels[..., 3] > 8]  # below that, premultiplied colours have few steps left
    assert 0 < pixels[8, 8, 3] < 255
    assert near(visible[:, :3], RED if mode == "RGBA" else (76, 76, 76), 4)


@pytest.mark.parametrize("suffix", [".png", ".gif", ".webp"])
def test_palette_with_transparency(tmp_path: Path, engine: str, suffix: str) -> None:
    """A palette picture is resized in colour, its clear entry becoming alpha."""
    image = Image.new("P", (64, 64), 0)
    image.putpalette([0, 255, 0, 255, 0, 0, 0, 0, 255])
    image.paste(1, (0, 0, 33, 64))
    source = saved(image, tmp_path / "a.png", transparency=0)
    result, _ = one(source, tmp_path / "out", size="16x16", format=suffix[1:], engine=engine)
    pixels = array(result, "RGBA")
    assert near(pixels[4, 2], (255, 0, 0, 255), 6)
    assert pixels[4, 14, 3] == 0
    visible = pixels[pixels[..., 3] > 20]
    assert near(visible[:, :3], RED, 10)


def test_palette_with_alpha_bytes(tmp_path: Path, engine: str) -> None:
    """Each entry of a palette may have its own alpha."""
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    source = saved(image, tmp_path / "a.png", transparency=bytes([0, 128]))
    result, value = one(source, tmp_path / "out", size="4x4", engine=engine)
    assert near(result.convert("RGBA").getpixel((1, 1)), (10, 200, 30, 128), 2)
    assert value.warnings == ()


def test_bilevel_becomes_grey(tmp_path: Path, engine: str) -> None:
    """Black and white pixels are averaged, not picked."""
    board = Image.fromarray((np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)).convert(
        "1", dither=Image.Dither.NONE
    )
    result, _ = one(saved(board, tmp_path / "a.png"), tmp_path / "out", size="16x16", engine=engine)
    assert result.mode == "L"
    assert near(array(result)[4:12, 4:12], 127, 6)


@pytest.mark.parametrize(
    ("mode", "colour", "key"), [("RGB", (9, 8, 7), (9, 8, 7)), ("L", 40, 40), ("1", 0, 0), ("I;16", 300, 300)]
)
def test_key_colour_becomes_alpha(tmp_path: Path, engine: str, mode: str, colour: Any, key: Any) -> None:
    """PNG's transparent colour is turned into alpha before pixels are mixed."""
    image = Image.new(mode, (32, 32), colour)
    others: dict[str, Any] = {"RGB": (200, 0, 0), "I;16": 60_000}
    image.paste(Image.new(mode, (16, 32), others.get(mode, 255)), (0, 0))
    result, _ = one(saved(image, tmp_path / "a.png", transparency=key), tmp_path / "out", size="8x8", engine=engine)
    alpha = array(result, "RGBA")[4, :, 3]
    assert (alpha[0], alpha[7]) == (255, 0)
    assert "transparency" not in result.info


def test_key_colour_of_four_bits(tmp_path: Path, engine: str) -> None:
    """PNG gives the key of a 4-bit grey in 4 bits, though the pixels are decoded to 8."""
    image = Image.new("L", (8, 8), 5)
    image.paste(15, (0, 0, 4, 8))
    source = saved(image, tmp_path / "a.png", bits=4, transparency=5)
    with Image.open(source) as check:
        assert check.getpixel((7, 0)) == 85
    result, _ = one(source, tmp_path / "out", engine=engine)
    assert array(result, "LA")[0, :, 1].tolist() == [255] * 4 + [0] * 4


def _ramp() -> Image.Image:
    return Image.fromarray(np.tile(np.linspace(0, 65_535, 256).astype(np.uint16), (64, 1)))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_are_kept(tmp_path: Path, engine: str, suffix: str) -> None:
    """16-bit grey stays so through a resize where the format holds it."""
    result, value = one(
        saved(_ramp(), tmp_path / f"a{suffix}"), tmp_path / "out", size="64x64", fit="stretch", engine=engine
    )
    assert result.mode.startswith("I;16")
    assert value.warnings == ()
    assert np.abs(array(result)[30] - np.linspace(0, 65_535, 256).reshape(64, 4).mean(1)).max() < 700


@pytest.mark.parametrize("options", [{"format": "jpeg", "quality": 95}, {"op": ("contrast:1",)}, {"format": "webp"}])
def test_sixteen_bits_are_scaled(tmp_path: Path, engine: str, options: dict[str, Any]) -> None:
    """Where 16 bits must become 8 they are scaled, not cut off, and the result says so."""
    result, value = one(saved(_ramp(), tmp_path / "a.png"), tmp_path / "out", **options, engine=engine)
    assert np.abs(array(result, "L")[30] - np.arange(256)).max() <= 6
    assert value.warnings == ("16-bit grey was narrowed to 8 bits",)


def _png16(path: Path, kind: int, row: bytes, **chunks: bytes) -> Path:
    """Write a PNG of 4 x 4 alike pixels; kind: its colour type (PNG 3rd ed., 11.2.1)."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    head = (4).to_bytes(4, "big") * 2 + bytes([16, kind, 0, 0, 0])
    others = b"".join(chunk(name.encode(), data) for name, data in chunks.items())
    pixels = zlib.compress((b"\0" + row * 4) * 4)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + others
    path.write_bytes(start + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))
    return path


def test_sixteen_bits_of_colour_are_told(tmp_path: Path) -> None:
    """Pillow reads 16-bit colour as 8 bits; the result says so."""
    source = _png16(tmp_path / "a.png", 2, b"\x80\x00\x40\x00\xff\xff")
    result, value = one(source, tmp_path / "out", engine="pillow")
    assert near(result.getpixel((1, 1)), (128, 64, 255), 1)
    assert value.warnings == ("16 bits a channel were narrowed to 8",)


def test_sixteen_bits_of_grey_with_alpha(tmp_path: Path, engine: str) -> None:
    """They stay grey with alpha, of 8 bits, which the result says; and a grey profile fits them."""
    icc = b"grey\0\0" + zlib.compress(profile("grey"))
    source = _png16(tmp_path / "a.png", 4, b"\x80\x00\x40\x00", iCCP=icc)
    result, value = one(source, tmp_path / "out", engine=engine)
    assert result.mode == "LA"
    assert near(result.getpixel((1, 1)), (188, 64), 1)
    assert value.warnings == ("16 bits a channel were narrowed to 8",)
