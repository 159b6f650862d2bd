"""What a result says about its picture: never where the pixels were turned from, or a thumbnail of what they were.

EXIF is written anew from tags that describe a picture (EXIF 2.32), so nothing of the file's structure, no thumbnail and
no orientation can slip through. `no-gps` also leaves out XMP and maker notes, both of which may name the place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image

from toolkit.apps.resize.geometry import Size
from toolkit.apps.resize.options import Metadata
from toolkit.apps.resize.warned import note

Base = ExifTags.Base

_DESCRIBING = (
    *(Base.DocumentName, Base.ImageDescription, Base.Make, Base.Model, Base.Software, Base.DateTime, Base.Artist),
    *(Base.HostComputer, Base.Rating, Base.RatingPercent, Base.Copyright),
    *(Base.XPTitle, Base.XPComment, Base.XPAuthor, Base.XPKeywords, Base.XPSubject),
)

_STRUCTURE = frozenset({Base.ExifInteroperabilityOffset, Base.ExifImageWidth, Base.ExifImageHeight, Base.MakerNote})

JPEG_LIMIT = 65_000
"""Bytes of EXIF or XMP that surely fit into one segment of a JPEG."""


@dataclass(frozen=True, slots=True)
class Said:
    """What goes into the result; empty where nothing does. details: whether exif has directories within it."""

    exif: bytes = b""
    xmp: bytes = b""
    comment: bytes = b""
    details: bool = False


def orientation_of(exif: Image.Exif) -> int:
    """Return the EXIF orientation, 1 to 8; what is not one of these counts as 1."""
    value = exif.get(Base.Orientation, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1  # noqa: PLR2004 - EXIF's own range


def said_of(exif: Image.Exif, info: dict[Any, Any], size: Size, wanted: Metadata) -> Said:
    """Return what the result of this size may say; metadata that cannot be read is left out with a warning."""
    if wanted == "strip":
        return Said()
    try:
        written = _rewritten(exif, size, place=wanted == "keep")
        data = written.tobytes()
        # A directory of its own is written although the tag that leads to it is not among the others.
        details = any(written.get_ifd(part) for part in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo))
        data = data if details or len(written) else b""
    except Exception as error:  # damaged values fail in many ways, and no picture is worth losing for them
        note(f"the EXIF data is damaged and was left out ({type(error).__name__})")
        data, details = b"", False
    if wanted == "no-gps":
        return Said(data, details=details)
    return Said(data, _upright_xmp(info.get("xmp")), _bytes(info.get("comment")), details)


def _rewritten(exif: Image.Exif, size: Size, *, place: bool) -> Image.Exif:
    written = Image.Exif()
    for tag in _DESCRIBING:
        if tag in exif:
            written[tag] = exif[tag]
    details = {tag: value for tag, value in exif.get_ifd(ExifTags.IFD.Exif).items() if tag not in _STRUCTURE}
    if details:
        details |= {Base.ExifImageWidth: size[0], Base.ExifImageHeight: size[1]}
        written.get_ifd(ExifTags.IFD.Exif).update(details)
    if place and (gps := exif.get_ifd(ExifTags.IFD.GPSInfo)):
        written.get_ifd(ExifTags.IFD.GPSInfo).update(gps)
    return written


def _upright_xmp(data: object) -> bytes:
    """Return an XMP packet with the orientation set to upright and without thumbnails."""
    packet = _bytes(data)
    packet = re.sub(rb'(tiff:Orientation\s*=\s*["\'])\d+', rb"\g<1>1", packet)
    packet = re.sub(rb"(<tiff:Orientation>\s*)\d+", rb"\g<1>1", packet)
    return re.sub(rb"<xmp:Thumbnails>.*?</xmp:Thumbnails>", b"", packet, flags=re.DOTALL)


def _bytes(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    return value if isinstance(value, bytes) else b""
