"""Formats that need an extra are read as rightly as all others, and decoders run only where they may."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, UnidentifiedImageError

from tests.apps.resize.making import BLUE, RED, corners, near, one, photo, saved
from toolkit.apps.resize import codecs
from toolkit.apps.resize.formats import missing
from toolkit.core.errors import FailureKind, TaskError


def _sideways() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return exif.tobytes()


@pytest.fixture(params=["heic", "jxl"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind whose extra is installed."""
    if missing(request.param):
        pytest.skip(f"needs the extra {request.param}")
    return str(request.param)


def test_decoders_of_a_known_kind() -> None:
    """Only its own decoder may look at a file, whatever else was asked for."""
    assert codecs.decoders("jpeg", {"psd"}) == ("JPEG",)
    assert codecs.decoders("psd", {"psd", "eps"}) == ("PSD",)
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(b"%!PS-Adobe-3.0 EPSF-3.0"), formats=codecs.decoders("jpeg"))


def test_decoders_that_were_not_asked_for() -> None:
    """They do not run."""
    for unknown in ("psd", "OpenEXR", "camera raw"):
        with pytest.raises(TaskError, match="are not read") as caught:
            codecs.decoders(unknown)
        assert caught.value.kind is FailureKind.UNSUPPORTED


def test_decoders_whose_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture whose extra is not installed is unsupported, with the command that helps."""
    real = importlib.util.find_spec

    def find(name: str) -> object:
        return None if name == "pillow_heif" else real(name)

    monkeypatch.setattr("toolkit.apps.resize.formats.find_spec", find)
    with pytest.raises(TaskError, match=r"HEIC pictures need pip install 'toolkit\[heic\]'") as caught:
        codecs.decoders("heic")
    assert caught.value.kind is FailureKind.UNSUPPORTED


def test_picture_of_an_extra_is_read(tmp_path: Path, kind: str) -> None:
    """Pixels, transparency and the format that it keeps."""
    clear = corners().convert("RGBA")
    clear.paste((0, 0, 0, 0), (60, 40, 120, 80))
    source = saved(clear, tmp_path / f"a.{kind}", format=codecs.decoders(kind)[0], quality=95)
    image, value = one(source, tmp_path / "out", size="60x40")
    assert value.output == f"a.{kind}"
    assert image.mode == "RGBA"
    assert near(image.getpixel((10, 10)), (*RED, 255), 6)
    assert near(image.getpixel((10, 30)), (*BLUE, 255), 6)
    assert image.getpixel((50, 30))[3] < 4  # type: ignore[index]


def test_picture_of_an_extra_that_is_damaged(tmp_path: Path, kind: str) -> None:
    """Wherever it is cut, it fails by name, or is whole."""
    name = codecs.decoders(kind)[0]
    memory = io.BytesIO()
    photo(64, 48).save(memory, name)
    data = memory.getvalue()
    for cut in range(20, len(data), len(data) // 25):
        try:
            with Image.open(io.BytesIO(data[:cut]), formats=[name]) as image:
                image.load()
        except (OSError, ValueError, RuntimeError, SyntaxError, EOFError):
            continue


def test_turns_upright_of_a_jxl(tmp_path: Path) -> None:
    """JPEG XL's own orientation is done when it is decoded; what EXIF says does not count (ISO/IEC 18181-2)."""
    names = codecs.decoders("jxl") if not missing("jxl") else pytest.skip("needs the extra jxl")
    corners().save(tmp_path / "a.jxl", "JXL", lossless=True, exif=_sideways())
    with Image.open(tmp_path / "a.jxl", formats=names) as image:
        assert image.getexif()[ExifTags.Base.Orientation] == 6
        assert codecs.turns_upright(image)


def test_turns_upright_of_a_jpeg_in_a_jxl(tmp_path: Path) -> None:
    """A JPEG that was packed comes out as it was, and is still to be turned."""
    names = codecs.decoders("jxl") if not missing("jxl") else pytest.skip("needs the extra jxl")
    corners().save(tmp_path / "a.jpg", exif=_sideways(), quality=95)
    with Image.open(tmp_path / "a.jpg") as image:
        image.save(tmp_path / "a.jxl", "JXL", lossless_jpeg=True)
        wanted = np.asarray(image)
    with Image.open(tmp_path / "a.jxl", formats=names) as image:
        assert np.array_equal(np.asarray(image), wanted)
        assert not codecs.turns_upright(image)
        assert image.getexif()[ExifTags.Base.Orientation] == 6


def test_turns_upright_of_others(tmp_path: Path) -> None:
    """A JPEG is as it is stored; a TIFF is turned by Pillow."""
    for name, turned in (("a.jpg", False), ("a.tif", True)):
        with Image.open(saved(corners(), tmp_path / name)) as image:
            assert codecs.turns_upright(image) is turned
