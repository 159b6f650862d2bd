"""What a result says of its picture: never the place by default, never an old thumbnail or orientation."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from tests.apps.resize.making import mpo, one, photo, saved
from tests.apps.resize.test_iptc import record
from toolkit.apps.resize import iptc, warned
from toolkit.apps.resize.formats import missing
from toolkit.apps.resize.metadata import Said, for_jpeg, named

FORMATS = [
    *("jpeg", "png", "webp", "avif", "tiff"),
    *(pytest.param(form, marks=pytest.mark.skipif(bool(missing(form)), reason="no extra")) for form in ("heic", "jxl")),
]
XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" tiff:Orientation="6" exif:GPSLatitude="48,51.5N" dc:rights="XMP Ada"/>
</rdf:RDF></x:xmpmeta>"""
IPTC = record(80, b"IPTC Ada") + record(90, b"IPTC Paris")
FREE = (b"USERSECRET", "XPSECRET".encode("utf-16-le"), b"PRIVATESECRET")
SECRETS = (b"MAKERSECRET", b"THUMBNAIL", b"GPSLatitude", b"48,51", b"IPTC Paris", b"SAID", *FREE)
NAMES = (b"Ada", b"2026:01:02", b"XMP Ada", b"IPTC Ada")


def _exif() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Artist] = "Ada"
    exif[ExifTags.Base.Copyright] = "(c) Ada"
    exif[ExifTags.Base.ImageDescription] = "my caption"
    exif[ExifTags.Base.XPComment] = "XPSECRET\0".encode("utf-16-le")
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {
            ExifTags.Base.DateTimeOriginal: "2026:01:02 03:04:05",
            ExifTags.Base.ExifImageWidth: 4000,
            ExifTags.Base.ExifImageHeight: 3000,
            ExifTags.Base.MakerNote: b"MAKERSECRET",
            ExifTags.Base.UserComment: b"ASCII\0\0\0USERSECRET",
            ExifTags.Base.FNumber: 2.8,
            ExifTags.Base.LensModel: "my lens",
            0xC6D2: b"PRIVATESECRET",
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
    exif = _with_thumbnail(_exif())
    saved(photo(300, 200), path, exif=exif, xmp=XMP, comment=b"SAID", extra=iptc.segment(IPTC))
    with Image.open(path) as check:
        assert check.getexif().get_ifd(ExifTags.IFD.IFD1)
        assert check.getexif().get_ifd(ExifTags.IFD.GPSInfo)
    assert b"THUMBNAIL" in path.read_bytes()
    return path


@pytest.mark.parametrize("form", FORMATS)
def test_metadata_by_default_hides_the_place(tmp_path: Path, source: Path, form: str) -> None:
    """Place, thumbnail, maker notes and comments are gone; who made it and when stays."""
    image, value = one(source, tmp_path / "out", size="60x60", format=form)
    exif = image.getexif()
    assert image.size == (40, 60)
    assert exif.get(ExifTags.Base.Orientation, 1) == 1
    assert exif[ExifTags.Base.Artist] == "Ada"
    assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] == "2026:01:02 03:04:05"
    assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExifImageWidth] == 40
    assert exif[ExifTags.Base.ImageDescription] == "my caption"
    assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.LensModel] == "my lens"
    assert exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FNumber] == pytest.approx(2.8)
    assert not exif.get_ifd(ExifTags.IFD.GPSInfo)
    assert not exif.get_ifd(ExifTags.IFD.IFD1)
    data = (tmp_path / "out" / value.output).read_bytes()
    assert not [secret for secret in SECRETS if secret in data]
    assert b"XMP Ada" in data
    assert (b"IPTC Ada" in data) == (form in {"jpeg", "tiff"})
    assert value.warnings == ()


@pytest.mark.parametrize("mode", ["strip", "icc-only"])
@pytest.mark.parametrize("form", FORMATS)
def test_metadata_when_stripped(tmp_path: Path, source: Path, form: str, mode: str) -> None:
    """Nothing is said at all."""
    image, value = one(source, tmp_path / "out", size="60x60", format=form, metadata=mode)
    data = (tmp_path / "out" / value.output).read_bytes()
    assert not [word for word in (*SECRETS, *NAMES) if word in data]
    assert not dict(image.getexif()) or form == "tiff"


@pytest.mark.parametrize("form", FORMATS)
def test_metadata_when_kept(tmp_path: Path, source: Path, form: str) -> None:
    """All is said but what is no longer true: the orientation, in XMP too, and the thumbnail."""
    image, value = one(source, tmp_path / "out", size="60x60", format=form, metadata="keep")
    exif = image.getexif()
    assert exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] == (48.0, 51.0, 30.0)
    assert exif.get(ExifTags.Base.Orientation, 1) == 1
    data = (tmp_path / "out" / value.output).read_bytes()
    assert b'tiff:Orientation="1"' in data
    assert b'exif:GPSLatitude="48,51.5N"' in data
    assert b"THUMBNAIL" not in data
    assert all(text in data for text in FREE)
    assert (b"SAID" in data) == (form in {"jpeg", "png"})
    assert (IPTC in data) == (form in {"jpeg", "tiff"})


def test_metadata_when_damaged(tmp_path: Path) -> None:
    """Damaged EXIF costs the EXIF, never the picture."""
    exif = _exif()
    for cut in range(6, len(exif), 7):
        source = saved(photo(60, 40), tmp_path / "a.jpg", exif=exif[:cut] + b"\xff" * 9)
        _, value = one(source, tmp_path / "out", size="30x30")
        assert value.width in {20, 30}


def test_metadata_when_too_long_for_a_jpeg(tmp_path: Path) -> None:
    """The longest entries of EXIF go first; what does not fit even so is left out; each with a warning."""
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "long " * 20_000
    exif[ExifTags.Base.Artist] = "Ada"
    texts = PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode().replace("XMP Ada", "A" * 70_000))
    source = saved(photo(60, 40), tmp_path / "a.png", exif=exif, pnginfo=texts)
    image, value = one(source, tmp_path / "out", format="jpeg")
    assert dict(image.getexif()) == {ExifTags.Base.Artist: "Ada"}
    assert value.warnings == (
        "the EXIF data is too long for a JPEG: its longest entries were left out",
        "the XMP data is too long for a JPEG and was left out",
    )


def test_metadata_of_many_short_entries() -> None:
    """EXIF that does not fit although each entry is short is left out."""
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif).update({0xC000 + number: "x" * 990 for number in range(80)})
    with warned.noting() as noted:
        assert for_jpeg(Said(exif=exif.tobytes()))["exif"] == b""
    assert noted == ["the EXIF data is too long for a JPEG and was left out"]


@pytest.mark.parametrize(
    ("mode", "kept"), [("no-gps", {"Title", "Author"}), ("keep", {"Title", "Author", "Comment", "Notes"})]
)
def test_metadata_in_the_texts_of_a_png(tmp_path: Path, mode: str, kept: set[str]) -> None:
    """The keywords that PNG defines for who and what stay; free ones only when all is kept; raw profiles never."""
    texts = PngInfo()
    for name in ("Title", "Author", "Comment", "Notes", "Raw profile type iptc"):
        texts.add_text(name, f"my {name}")
    source = saved(photo(60, 40), tmp_path / "a.png", pnginfo=texts)
    image, _ = one(source, tmp_path / "out", metadata=mode)
    assert image.text == {name: f"my {name}" for name in kept}  # type: ignore[attr-defined]


def test_metadata_says_the_size_that_was_written(tmp_path: Path, source: Path) -> None:
    """Pixels that a limit on bytes took away are not counted in EXIF."""
    image, _ = one(source, tmp_path / "out", format="jpeg", max_bytes=3000)
    details = image.getexif().get_ifd(ExifTags.IFD.Exif)
    assert image.width < 200
    assert (details[ExifTags.Base.ExifImageWidth], details[ExifTags.Base.ExifImageHeight]) == image.size


def test_named_of_an_mpo(tmp_path: Path) -> None:
    """A file of several pictures is named as such, once."""
    _, value = one(mpo(photo(60, 40), photo(60, 40, 2), tmp_path / "a.mpo"), tmp_path / "out")
    assert value.warnings == ("MPO of 2 pictures: the first was kept",)


@pytest.mark.parametrize(
    ("packet", "told"),
    [
        (b'<a xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"/>', "Ultra HDR: the gain map"),
        (b'<a xmlns:HDRGainMap="http://ns.apple.com/HDRGainMap/1.0/"/>', "Apple HDR: the gain map"),
        (
            b'<a xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MotionPhoto="1"/>',
            "motion photo: the video",
        ),
    ],
)
def test_named_of_phone_pictures(tmp_path: Path, packet: bytes, told: str) -> None:
    """What a phone puts behind the picture is not kept, and that is said."""
    source = saved(photo(60, 40), tmp_path / "a.jpg", xmp=packet)
    _, value = one(source, tmp_path / "out", metadata="keep")
    assert [warning for warning in value.warnings if warning.startswith(told)]


def test_named_of_a_plain_picture() -> None:
    """There is nothing to say of a plain picture."""
    assert named(photo(8, 8)) is None


def test_orientation_when_it_makes_no_sense(tmp_path: Path) -> None:
    """An orientation that does not exist counts as upright."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 77
    image, _ = one(saved(photo(60, 40), tmp_path / "a.jpg", exif=exif), tmp_path / "out", size="30x30")
    assert image.size == (30, 20)
