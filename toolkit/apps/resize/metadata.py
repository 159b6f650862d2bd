"""What a result says about its picture: never where the pixels were turned from, or a thumbnail of what they were.

EXIF is written anew from tags that describe a picture (EXIF 2.32), so nothing of the file's structure, no thumbnail and
no orientation can slip through. With `no-gps`, the details of EXIF, XMP, IPTC and PNG's texts are written anew from
such entries, too: what is not known to be silent about the place is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from toolkit.apps.resize import iptc, xmp
from toolkit.apps.resize.geometry import Size
from toolkit.apps.resize.settings import Metadata
from toolkit.apps.resize.warned import note

Base = ExifTags.Base

_DESCRIBING = (
    *(Base.DocumentName, Base.ImageDescription, Base.Make, Base.Model, Base.Software, Base.DateTime, Base.Artist),
    *(Base.HostComputer, Base.Rating, Base.RatingPercent, Base.Copyright),
    *(Base.XPTitle, Base.XPAuthor, Base.XPKeywords, Base.XPSubject),
)
_COMMENT = Base.XPComment
_SILENT = frozenset(
    # Exposure; sensitivity; version, dates, lens and light, where the subject is in the picture; parts of seconds;
    # weather; colours; the sensor; its data; rendering; owner, camera, lens, title and programs; several exposures.
    chain(
        *(range(0x829A, 0x829E), (0x8822, 0x8824, 0x8827, 0x8828), range(0x8830, 0x8836)),
        *(range(0x9000, 0x920B), (0x9214,), range(0x9290, 0x9293), range(0x9400, 0x9406)),
        *(range(0xA000, 0xA004), range(0xA20B, 0xA218), range(0xA300, 0xA303), range(0xA401, 0xA40D)),
        *(range(0xA420, 0xA43D), range(0xA460, 0xA463), (0xA500,)),
    )
)
"""Tags of the Exif IFD that tell no place (EXIF 3.0). Not the user's comment (0x9286), nor makers' own tags."""
_STRUCTURE = frozenset({Base.ExifInteroperabilityOffset, Base.ExifImageWidth, Base.ExifImageHeight, Base.MakerNote})

_TEXTS = frozenset({"Title", "Author", "Description", "Copyright", "Creation Time", "Software"})
"""PNG's own keywords (PNG 3rd ed., 11.3.3.2) for what EXIF says, too."""
_NO_TEXTS = frozenset({"XML:com.adobe.xmp", "xmp", "exif", "comment", "compression"})
"""Names in Pillow's info that are no texts of a PNG, or are dealt with elsewhere."""
MOST_TEXT = 65_536
"""Characters in all of a PNG's texts that are kept."""

JPEG_LIMIT = 65_000
"""Bytes of EXIF, XMP or IPTC that surely fit into one segment of a JPEG."""
_LONG = 1000
"""Bytes of an EXIF value above which it goes first, where all of them do not fit."""

_TIFF_XMP, _TIFF_IPTC = 700, 33723
_USUAL = {*_DESCRIBING, Base.ExifOffset, Base.GPSInfo, Base.InterColorProfile}
"""Tags of the main directory, from XMP's on, that may stay: those below tell of its pixels and who made them."""

_MULTIPLE = "MPO"


@dataclass(frozen=True, slots=True)
class Said:
    """What goes into the result; empty where nothing does. details: whether exif has directories within it."""

    exif: bytes = b""
    xmp: bytes = b""
    comment: bytes = b""
    details: bool = False
    iptc: bytes = b""
    texts: tuple[tuple[str, str], ...] = ()


def orientation_of(exif: Image.Exif) -> int:
    """Return the EXIF orientation, 1 to 8; what is not one of these counts as 1."""
    value = exif.get(Base.Orientation, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1  # noqa: PLR2004 - EXIF's own range


def said_of(exif: Image.Exif, info: Mapping[Any, Any], wanted: Metadata) -> Said:
    """Return what a result may say; what cannot be read is left out with a warning. encode() adds the size."""
    if wanted in {"strip", "icc-only"}:
        return Said()
    place = wanted == "keep"
    data, details = _exif_bytes(exif, place=place)
    packet, records = _bytes(info.get("xmp")), iptc.records_of(info)
    texts = tuple(
        (name, str(text))
        for name, text in info.items()
        if isinstance(text, str) and (name in _TEXTS or (place and _is_text(name)))
    )
    return Said(
        exif=data,
        xmp=xmp.upright(packet) if place else xmp.silent_about_place(packet),
        comment=_bytes(info.get("comment") or info.get("Comment")) if place else b"",
        details=details,
        iptc=records if place else iptc.silent_about_place(records),
        texts=texts if sum(len(text) for _, text in texts) <= MOST_TEXT else (),
    )


def sized(said: Said, size: Size) -> Said:
    """Return what is said with the pixels across and down that the result has (EXIF 2.32, PixelXDimension)."""
    if not said.details:
        return said
    written = _parsed(said.exif)
    if ExifTags.IFD.Exif not in written:
        return said
    details = written.get_ifd(ExifTags.IFD.Exif)
    details |= {Base.ExifImageWidth: size[0], Base.ExifImageHeight: size[1]}
    return replace(said, exif=written.tobytes())


def for_jpeg(said: Said) -> dict[str, Any]:
    """Return what Pillow must be told, all of it short enough for a JPEG's segments."""
    exif = said.exif if len(said.exif) <= JPEG_LIMIT else _without_long_values(said.exif)
    parts = {"EXIF": exif, "XMP": said.xmp, "comment": said.comment, "IPTC": said.iptc}
    for name, data in parts.items():
        if len(data) > JPEG_LIMIT:
            note(f"the {name} data is too long for a JPEG and was left out")
            parts[name] = b""
    told = {"exif": parts["EXIF"], "xmp": parts["XMP"], "comment": parts["comment"]}
    return told | ({"extra": iptc.segment(parts["IPTC"])} if parts["IPTC"] else {})


def for_png(said: Said) -> PngInfo | None:
    """Return the texts of a PNG, of which XMP is one (XMP Specification Part 3, 1.1.5)."""
    texts = PngInfo()
    if said.xmp:
        texts.add_itxt("XML:com.adobe.xmp", said.xmp.decode("utf-8", "replace"))
    for name, text in said.texts:
        texts.add_itxt(name, text)
    if said.comment and all(name != "Comment" for name, _ in said.texts):
        texts.add_itxt("Comment", said.comment.decode("utf-8", "replace"))
    return texts if texts.chunks else None


def for_tiff(said: Said) -> Image.Exif | None:
    """Return the tags of a TIFF."""
    if not (said.exif or said.xmp or said.iptc):
        return None
    tags = _parsed(said.exif) if said.exif else Image.Exif()
    for tag, data in ((_TIFF_XMP, said.xmp), (_TIFF_IPTC, said.iptc)):
        if data:
            tags[tag] = data
    return tags


def named(image: Image.Image) -> str | None:
    """Return what is dropped of a picture that is more than its pixels, as a warning, or None."""
    packet = _bytes(image.info.get("xmp"))
    if b"http://ns.adobe.com/hdr-gain-map/" in packet or _has_gain_map(image):
        return "Ultra HDR: the gain map was dropped, and the picture is as on an ordinary screen"
    if b"HDRGainMap" in packet:
        return "Apple HDR: the gain map was dropped, and the picture is as on an ordinary screen"
    if b"MotionPhoto" in packet or b"MicroVideo" in packet:
        return "motion photo: the video was dropped"
    if image.format == _MULTIPLE:
        return f"MPO of {getattr(image, 'n_frames', 1)} pictures: the first was kept"
    return None


def tells_more(exif: Image.Exif) -> bool:
    """Tell whether EXIF data has what `no-gps` leaves out, in whatever directory."""
    details = exif.get_ifd(ExifTags.IFD.Exif)
    return (
        any(tag >= _TIFF_XMP and tag not in _USUAL for tag in exif)
        or any(tag not in _SILENT and tag != Base.ExifInteroperabilityOffset for tag in details)
        or bool(exif.get_ifd(ExifTags.IFD.GPSInfo) or exif.get_ifd(ExifTags.IFD.IFD1))
    )


def _has_gain_map(image: Image.Image) -> bool:
    auxiliary = image.info.get("aux")
    return isinstance(auxiliary, dict) and any("gainmap" in str(name).lower() for name in auxiliary)


def _exif_bytes(exif: Image.Exif, *, place: bool) -> tuple[bytes, bool]:
    try:
        written = _rewritten(exif, place=place)
        data = written.tobytes()
        # A directory of its own is written although the tag that leads to it is not among the others.
        details = any(written.get_ifd(part) for part in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo))
    except Exception as error:  # damaged values fail in many ways, and no picture is worth losing for them
        note(f"the EXIF data is damaged and was left out ({type(error).__name__})")
        return b"", False
    return (data, details) if details or len(written) else (b"", False)


def _rewritten(exif: Image.Exif, *, place: bool) -> Image.Exif:
    written = Image.Exif()
    for tag in (*_DESCRIBING, _COMMENT) if place else _DESCRIBING:
        if tag in exif:
            written[tag] = exif[tag]
    found = exif.get_ifd(ExifTags.IFD.Exif)
    details = {tag: value for tag, value in found.items() if tag not in _STRUCTURE and (place or tag in _SILENT)}
    if details:
        written.get_ifd(ExifTags.IFD.Exif).update(details)
    if place and (gps := exif.get_ifd(ExifTags.IFD.GPSInfo)):
        written.get_ifd(ExifTags.IFD.GPSInfo).update(gps)
    return written


def _parsed(data: bytes) -> Image.Exif:
    """Return EXIF that we wrote, loaded; its directories too, or they would be forgotten when it is written again."""
    exif = Image.Exif()
    exif.load(data)
    for part in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        if part in exif:
            exif.get_ifd(part)
    return exif


def _without_long_values(data: bytes) -> bytes:
    exif = _parsed(data)
    for directory in (
        exif,
        *(exif.get_ifd(part) for part in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo) if part in exif),
    ):
        for tag in [tag for tag, value in directory.items() if isinstance(value, str | bytes) and len(value) > _LONG]:
            del directory[tag]
    short = exif.tobytes()
    if len(short) <= JPEG_LIMIT:
        note("the EXIF data is too long for a JPEG: its longest entries were left out")
    return short


def _is_text(name: object) -> bool:
    return isinstance(name, str) and name not in _NO_TEXTS and not name.startswith("Raw profile type ")


def _bytes(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    return value if isinstance(value, bytes) else b""
