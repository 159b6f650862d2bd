"""What a result says of its picture: never the place by default, never an old thumbnail or orientation."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from tests.apps.resize.making import one, photo, saved

FORMATS = ["jpeg", "png", "webp", "avif", "tiff"]
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6" exif:GPSLatitude="48,51N"/></x:xmpmeta>'


def _exif() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Artist] = "Ada"
    exif[ExifTags.Base.Copyright] = "(c) Ada"
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {
            ExifTags.Base.DateTimeOriginal: "2026:01:02 03:04:05",
            ExifTags.Base.ExifImageWidth: 4000,
            ExifTags.Base.ExifImageHeight: 3000,
            ExifTags.Base.MakerNote: b"MAKERSECRET",
        }
    )
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: (48.0, 51.0, 30.0)}
    )
    return exif.tobytes()


def _with_thumbnail(exif: bytes) -> bytes:
    """Append a second directory with a thumbnail, as cameras do (EXIF 2.32, 4.5.2)."""
    memory = io.BytesIO()
    Image.new("RGB", (16, 12), (250, 1, 2)).save(memory, "JPEG", comment=b"THUMBNAIL")
    thumbnail, tiff = memory.getvalue(), bytearray(exif[6:])
    order = "little" if tiff[:2] == b"II" else "big"
    first = int.from_bytes(tiff[4:8], order)  # type: ignore[arg-type]
    count = int.from_bytes(tiff[first : first + 2], order)  # type: ignore[arg-type]
    link = first + 2 + 12 * count
    start = len(tiff) + len(tiff) % 2
    tiff = tiff.ljust(start, b"\0")
    tiff[link : link + 4] = start.to_bytes(4, order)  # type: ignore[arg-type]

    def entry(tag: int, value: int) -> bytes:
        parts = ((tag, 2), (4, 2), (1, 4), (value, 4))
        return b"".join(number.to_bytes(size, order) for number, size in parts)  # type: ignore[arg-type]

    body = (2).to_bytes(2, order) + entry(0x201, start + 30) + entry(0x202, len(thumbnail)) + b"\0\0\0\0"  # type: ignore[arg-type]
    return exif[:6] + bytes(tiff) + body + thumbnail


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "a.jpg"
    saved(photo(300, 200), path, exif=_with_thumbnail(_exif()), xmp=XMP, comment=b"SAID")
    with Image.open(path) as check:
        assert check.getexif().get_ifd(ExifTags.IFD.IFD1)
        assert check.getexif().get_ifd(ExifTags.IFD.GPSInfo)
    assert b"THUMBNAIL" in path.read_bytes()
    return path


@pytest.mark.parametrize("form", FORMATS)
def test_metadata_by_default_hides_the_place(tmp_path: Path, source: Path, form: str) -> None:
    """Place, thumbnail, maker notes and XMP are gone; who made it and when stays."""
    image, value = one(source, tmp_path / "out", size="60x60", format=form)
    exif = image.getexif()
    assert image.size == (40, 60)
    assert exif.get(ExifTags.Base.Orientation, 1) == 1
    assert exif[ExifTags.Base.Artist] == "Ada"
    assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2026:01:02 03:04:05"
    assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExifImageWidth] == 40
    assert not exif.get_ifd(ExifTags.IFD.GPSInfo)
    assert not exif.get_ifd(ExifTags.IFD.IFD1)
    data = (tmp_path / "out" / value.output).read_bytes()
    for secret in (b"MAKERSECRET", b"THUMBNAIL", b"GPSLatitude", b"SAID"):
        assert secret not in data
    assert value.warnings == ()


@pytest.mark.parametrize("form", FORMATS)
def test_metadata_when_stripped(tmp_path: Path, source: Path, form: str) -> None:
    """Nothing is said at all."""
    image, value = one(source, tmp_path / "out", size="60x60", format=form, metadata="strip")
    data = (tmp_path / "out" / value.output).read_bytes()
    for secret in (b"Ada", b"MAKERSECRET", b"THUMBNAIL", b"GPSLatitude", b"SAID", b"2026:01:02"):
        assert secret not in data
    assert "exif" not in image.info


@pytest.mark.parametrize("form", ["jpeg", "webp", "avif"])
def test_metadata_when_kept(tmp_path: Path, source: Path, form: str) -> None:
    """All is said but what is no longer true: the orientation, in XMP too, and the thumbnail."""
    image, value = one(source, tmp_path / "out", size="60x60", format=form, metadata="keep")
    exif = image.getexif()
    assert exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] == (48.0, 51.0, 30.0)
    assert exif.get(ExifTags.Base.Orientation, 1) == 1
    assert b'tiff:Orientation="1"' in image.info["xmp"]
    data = (tmp_path / "out" / value.output).read_bytes()
    assert b"THUMBNAIL" not in data
    assert (b"SAID" in data) == (form == "jpeg")


def test_metadata_when_damaged(tmp_path: Path) -> None:
    """Damaged EXIF costs the EXIF, never the picture."""
    exif = _exif()
    for cut in range(6, len(exif), 7):
        source = saved(photo(60, 40), tmp_path / "a.jpg", exif=exif[:cut] + b"\xff" * 9)
        _, value = one(source, tmp_path / "out", size="30x30")
        assert value.width in {20, 30}


def test_metadata_when_too_long_for_a_jpeg(tmp_path: Path) -> None:
    """EXIF that does not fit is left out with a warning."""
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "long " * 20_000
    source = saved(photo(60, 40), tmp_path / "a.png", exif=exif)
    _, value = one(source, tmp_path / "out", format="jpeg")
    assert value.warnings == ("the exif data is too long for a JPEG and was left out",)


def test_orientation_when_it_makes_no_sense(tmp_path: Path) -> None:
    """An orientation that does not exist counts as upright."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 77
    image, _ = one(saved(photo(60, 40), tmp_path / "a.jpg", exif=exif), tmp_path / "out", size="30x30")
    assert image.size == (30, 20)
