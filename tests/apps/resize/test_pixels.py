"""Pictures come out upright, with right edges, tones and transparency, and as sharp as the float reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin, PngImagePlugin

from tests.apps.resize.making import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    array,
    corners,
    jpeg_bytes,
    lanczos,
    mpo,
    near,
    one,
    photo,
    run,
    saved,
    stored,
)
from toolkit.apps.resize import codecs
from toolkit.apps.resize.formats import missing


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif"])
def test_orientation_is_applied_and_forgotten(tmp_path: Path, engine: str, suffix: str, orientation: int) -> None:
    """Whatever way a picture is stored, it comes out upright, of the upright size, and says nothing of it."""
    source = stored(orientation, tmp_path / f"a{suffix}", corners(), quality=95)
    image, _ = one(source, tmp_path / "out", size="60x60", format="png", engine=engine)
    assert image.size == (60, 40)
    assert image.getexif().get(0x0112, 1) == 1
    rgb = image.convert("RGB")
    for at, colour in (((8, 6), RED), ((50, 6), GREEN), ((8, 34), BLUE), ((50, 34), WHITE)):
        assert near(rgb.getpixel(at), colour, 14), (suffix, orientation, at)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".avif", ".webp", ".png", ".tif"])
def test_orientation_when_the_format_stays(tmp_path: Path, engine: str, suffix: str, orientation: int) -> None:
    """No writer turns the picture a second time, or says that a reader should."""
    source = stored(orientation, tmp_path / f"a{suffix}", corners(), quality=95)
    image, _ = one(source, tmp_path / "out", size="60x", quality=95, engine=engine)
    assert image.size == (60, 40)
    assert image.getexif().get(0x0112, 1) == 1
    assert near(image.convert("RGB").getpixel((8, 6)), RED, 20)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["heic", "jxl"])
def test_orientation_of_formats_with_their_own(tmp_path: Path, kind: str, orientation: int) -> None:
    """HEIC and JPEG XL say themselves how they are turned, and EXIF is not to turn them again."""
    if missing(kind):
        pytest.skip(f"needs the extra {kind}")
    codecs.require(kind)
    source = stored(orientation, tmp_path / f"a.{kind}", corners(), quality=95)
    with Image.open(source) as image:
        wanted = array(image, "RGB")
    assert kind == "jxl" or near(wanted[6, 8], RED, 20)  # HEIC's writer does what EXIF says; JPEG XL's does not
    result, _ = one(source, tmp_path / "out", format="png")
    assert result.size == wanted.shape[1::-1]
    assert np.abs(array(result, "RGB") - wanted).max() <= 1
    again, _ = one(source, tmp_path / "same", quality=95)
    assert again.size == result.size
    assert np.abs(array(again, "RGB") - wanted).mean() < 8


@pytest.mark.parametrize("metadata", ["no-gps", "keep"])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_orientation_in_xmp_only(tmp_path: Path, engine: str, suffix: str, metadata: str) -> None:
    """Where EXIF says nothing, XMP counts; and it is not told again."""
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
        b"</rdf:RDF></x:xmpmeta>"
    )
    picture = corners().transpose(Image.Transpose.ROTATE_90)
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", packet.decode())
    told: dict[str, Any] = {"pnginfo": texts} if suffix == ".png" else {"xmp": packet, "quality": 95}
    source = saved(picture, tmp_path / f"a{suffix}", **told)
    image, _ = one(source, tmp_path / "out", metadata=metadata, engine=engine, quality=95)
    assert image.size == (120, 80)
    assert near(image.convert("RGB").getpixel((8, 6)), RED, 20)
    assert image.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_cover_when_turned_cuts_the_same(tmp_path: Path, engine: str, orientation: int) -> None:
    """The cut is the same however the picture is stored, also after shrink-on-load."""
    picture = photo(640, 400)
    plain, _ = one(saved(picture, tmp_path / "p.png"), tmp_path / "out", size="50x50", fit="cover", engine=engine)
    source = stored(orientation, tmp_path / "a.jpg", picture, quality=98, subsampling=0)
    image, _ = one(source, tmp_path / "out", size="50x50", fit="cover", format="png", engine=engine)
    assert np.abs(array(image) - array(plain)).mean() < 1.5


def test_draft_when_the_result_is_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A JPEG is decoded at the smallest size that is still twice the result, also where only its width is given."""
    decoded: list[tuple[int, int]] = []
    original = JpegImagePlugin.JpegImageFile.load_prepare

    def spy(image: JpegImagePlugin.JpegImageFile) -> None:
        decoded.append(image.size)
        original(image)

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load_prepare", spy)
    source = saved(corners(1600, 1000), tmp_path / "a.jpg")
    run([source], tmp_path / "o1", size="100x")
    run([source], tmp_path / "o2", size="x70", fit="cover")
    run([source], tmp_path / "o3", size="500x500", fit="cover")
    run([source], tmp_path / "o4", size="250x250", fit="cover")
    run([source], tmp_path / "o5")
    assert decoded == [(200, 125), (400, 250), (1600, 1000), (800, 500), (1600, 1000)]


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("size", [(150, 100), (49, 33), (80, 20)])
def test_quality_against_the_float_reference(tmp_path: Path, engine: str, suffix: str, size: tuple[int, int]) -> None:
    """Shrink-on-load and box averages cost no visible quality: at least 50 dB against Lanczos in floating point."""
    source = saved(photo(600, 400), tmp_path / f"a{suffix}", quality=95, subsampling=0)
    with Image.open(source) as full:
        wanted = lanczos(array(full, "RGB").astype(float), size)
    image, _ = one(source, tmp_path / "out", size=f"{size[0]}x{size[1]}", fit="stretch", format="png", engine=engine)
    error = np.mean((array(image, "RGB") - wanted) ** 2)
    assert 10 * np.log10(255**2 / error) >= 50


def test_flatten_when_jpeg(tmp_path: Path, engine: str) -> None:
    """A format without alpha shows the picture on the background."""
    image = Image.new("RGBA", (32, 32), (255, 0, 0, 128))
    source = saved(image, tmp_path / "a.png")
    assert near(one(source, tmp_path / "o1", format="jpeg", engine=engine)[0].getpixel((9, 9)), (255, 127, 127))
    blue = one(source, tmp_path / "o2", format="jpeg", background="#0000ff", engine=engine)[0]
    assert near(blue.getpixel((9, 9)), (128, 0, 127))


@pytest.mark.parametrize(("form", "margin"), [("jpeg", (0, 128, 0)), ("png", (0, 128, 0)), ("webp", (0, 128, 0))])
def test_pad_fills_the_margin(tmp_path: Path, engine: str, form: str, margin: tuple[int, ...]) -> None:
    """The picture is centred on a canvas of the background's colour."""
    source = saved(Image.new("RGB", (80, 40), RED), tmp_path / "a.png")
    image, _ = one(
        source, tmp_path / "out", size="40x40", fit="pad", background="green", format=form, quality=95, engine=engine
    )
    assert image.size == (40, 40)
    assert near(image.convert("RGB").getpixel((20, 3)), margin, 8)
    assert near(image.convert("RGB").getpixel((20, 20)), RED, 8)


def test_pad_when_transparent(tmp_path: Path, engine: str) -> None:
    """A transparent margin is transparent where the format can, and white where it cannot."""
    source = saved(Image.new("L", (80, 40), 10), tmp_path / "a.png")
    clear, _ = one(source, tmp_path / "o1", size="40x40", fit="pad", background="transparent", engine=engine)
    assert clear.convert("RGBA").getpixel((20, 3))[3] == 0  # type: ignore[index]
    white, _ = one(
        source, tmp_path / "o2", size="40x40", fit="pad", background="transparent", format="jpeg", engine=engine
    )
    assert near(white.convert("L").getpixel((20, 2)), 255, 8)


def test_mpo_becomes_jpeg(tmp_path: Path) -> None:
    """The first picture of a pair is kept, as an ordinary JPEG, and the result says so."""
    image, value = one(mpo(corners(), photo(120, 80), tmp_path / "a.jpg"), tmp_path / "out", size="60x")
    assert (image.format, value.frames) == ("JPEG", 1)
    assert value.warnings == ("MPO of 2 pictures: the first was kept",)
    assert near(image.getpixel((8, 6)), RED, 14)


@pytest.mark.parametrize(("suffix", "wanted"), [(".bmp", "PNG"), (".ppm", "PNG"), (".png", "PNG"), (".tif", "TIFF")])
def test_format_when_none_is_asked_for(tmp_path: Path, engine: str, suffix: str, wanted: str) -> None:
    """A picture keeps its format; one that nobody wants to write becomes a PNG."""
    image, value = one(saved(corners(), tmp_path / f"a{suffix}"), tmp_path / "out", size="30x", engine=engine)
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
