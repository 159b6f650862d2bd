"""Whether a file may stay as it is where encoding it again makes it no smaller.

It must be what the result would be, and say no more: what is not known to be silent about the place is not kept.
"""

from __future__ import annotations

import os
import re
from typing import IO, Any

from PIL import ExifTags, Image

from toolkit.apps.resize.formats import Format
from toolkit.apps.resize.geometry import Layout
from toolkit.apps.resize.metadata import tells_more
from toolkit.apps.resize.opening import is_salvaging
from toolkit.apps.resize.settings import Settings
from toolkit.apps.resize.subject import Subject

_OWN: dict[str, Format] = {"JPEG": "jpeg", "PNG": "png", "WEBP": "webp", "AVIF": "avif", "GIF": "gif", "TIFF": "tiff"}
"""What files are, in Pillow's words, that may be kept as they are. Not MPO: that holds more than one picture."""

_SAYING = ("xmp", "comment", "photoshop", "XML:com.adobe.xmp")
"""Where Pillow keeps what a file says besides EXIF data and a profile."""

_ENDS = {"jpeg": b"\xff\xd9", "png": b"IEND\xaeB`\x82", "gif": b";"}
"""How files end (ITU-T T.81, B.2.1; PNG 3rd ed., 5.3; GIF89a, 27). Phones put videos and notes after that."""

_SEGMENTS = {"APP0": b"JFIF\0", "APP1": b"Exif\0\0", "APP2": b"ICC_PROFILE\0", "APP14": b"Adobe"}
"""The segments of a JPEG that say nothing besides what is read, and how each begins."""

_STRUCTURE = 700
"""TIFF's tags below this one describe its pixels and who made them (TIFF 6.0); XMP's is this."""
_READ = {ExifTags.Base.Copyright, ExifTags.Base.ExifOffset, ExifTags.Base.InterColorProfile}

_EXTENSION = re.compile(rb"!\xff\x0b(?!NETSCAPE2\.0|ANIMEXTS1\.0)")


def may_stay(subject: Subject, layout: Layout, frames: int, form: Format, settings: Settings, size: int) -> bool:
    """Tell whether a file serves as well as the result that has so many frames; size: of the file, in bytes."""
    image, shape, limit = subject.image, settings.shape, settings.writing.max_bytes
    same_picture = (
        _OWN.get(image.format or "") == form
        and subject.turn == 1
        and _orientation(subject, form) == 1
        and layout.canvas == subject.size == layout.size
        and layout.region == (0.0, 0.0, *map(float, subject.size))
        and frames == getattr(image, "n_frames", 1)
        and not settings.operations
        and not shape.angle
        and not is_salvaging()
    )
    tagged = bool(image.info.get("icc_profile"))
    same_colours = image.mode != "CMYK" and (settings.writing.profile == "keep" or not tagged)
    return same_picture and same_colours and (limit is None or size <= limit) and _says_no_more(subject, form, settings)


def _orientation(subject: Subject, form: Format) -> Any:
    """Return the orientation in the file; of a TIFF, Pillow forgets it once it has turned the pixels."""
    if form != "tiff":
        return subject.exif.get(ExifTags.Base.Orientation, 1)
    subject.file.seek(0)
    return Image.open(subject.file, formats=["TIFF"]).getexif().get(ExifTags.Base.Orientation, 1)


def _says_no_more(subject: Subject, form: Format, settings: Settings) -> bool:
    """Tell whether a file says nothing about the picture that its result must not say."""
    wanted, exif, info = settings.writing.metadata, subject.exif, subject.image.info
    if wanted == "keep":
        return True
    if any(info.get(name) for name in _SAYING) or getattr(subject.image, "text", None) or _holds_more(subject, form):
        return False
    if wanted == "no-gps":
        return not tells_more(exif)
    return not len(exif)


def _holds_more(subject: Subject, form: Format) -> bool:
    """Tell whether there is anything in a file that nobody has read."""
    image: Any = subject.image
    if form == "tiff":
        return any(tag >= _STRUCTURE and tag not in _READ for tag in subject.exif)
    if form == "webp":
        return _length(subject.file) != 8 + int.from_bytes(_bytes(subject.file, 4, 4), "little")  # RFC 9649, 2.4
    if form in _ENDS and not _bytes(subject.file, max(0, _length(subject.file) - 8), 8).endswith(_ENDS[form]):
        return True
    if form == "jpeg":
        return any(not data.startswith(_SEGMENTS.get(name, b"\0none")) for name, data in image.applist)
    if form == "gif":
        return bool(_EXTENSION.search(_bytes(subject.file, 0, _length(subject.file))))
    return bool(getattr(image, "private_chunks", None))


def _length(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size


def _bytes(file: IO[bytes], start: int, count: int) -> bytes:
    file.seek(start)
    return file.read(count)
