"""Picture formats as this room sees them: told by their first bytes, written under known suffixes."""

from __future__ import annotations

import os
import re
from typing import Literal, get_args

Format = Literal["jpeg", "png", "webp", "avif", "gif", "tiff"]
"""What can be written."""

FORMATS: tuple[Format, ...] = get_args(Format)

HEAD = 64
"""Bytes that sniff() needs from the start of a file."""

ANIMATED: frozenset[Format] = frozenset({"gif", "webp", "png", "avif"})
"""Formats that can hold several frames in time."""

TAGGED: frozenset[Format] = frozenset({"jpeg", "png", "webp", "avif", "tiff"})
"""Formats that can carry an ICC profile."""

SUFFIXES: dict[str, tuple[str, ...]] = {
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "png": (".png", ".apng"),
    "webp": (".webp",),
    "avif": (".avif", ".avifs"),
    "gif": (".gif",),
    "tiff": (".tif", ".tiff"),
    "bmp": (".bmp", ".dib"),
    "ppm": (".ppm", ".pgm", ".pbm", ".pnm"),
    "mpo": (".mpo",),
}
"""The suffixes of what can be read; the first one is given to new names."""

READABLE = frozenset({*FORMATS, "bmp", "ppm"})

_WRITTEN_AS: dict[str, Format] = {"bmp": "png", "ppm": "png"}

_KNOWN = {suffix: kind for kind, suffixes in SUFFIXES.items() for suffix in suffixes}

_MAGIC = (
    (re.compile(rb"\xff\xd8\xff"), "jpeg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "png"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "webp"),
    (re.compile(rb"GIF8[79]a"), "gif"),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), "tiff"),
    (re.compile(rb"BM.{4}\0\0\0\0.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL), "bmp"),
    (re.compile(rb"P[1-6][\s#]"), "ppm"),
    # Pictures, but not ones we read: they must be in the report, not passed over.
    (re.compile(rb"8BPS"), "Photoshop"),
    (re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51"), "JPEG 2000"),
    (re.compile(rb"\xff\x0a|\0\0\0\x0cJXL "), "JPEG XL"),
    (re.compile(rb"qoif"), "QOI"),
    (re.compile(rb"\x00\x00\x01\x00[^\x00]\x00"), "icon"),
    (re.compile(rb"\xc5\xd0\xd3\xc6|%!PS-Adobe-\d.\d EPSF"), "EPS"),
    (re.compile(rb"SIMPLE  ="), "FITS"),
    (re.compile(rb"DDS "), "DDS"),
    (re.compile(rb"v/1\x01"), "OpenEXR"),
)

_HEIF = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


def sniff(head: bytes) -> str | None:
    """Return what the first HEAD bytes of a file say it is: one of READABLE, another sort of picture, or None."""
    if head[4:8] == b"ftyp":
        return _sniff_isobmff(head)
    return next((kind for magic, kind in _MAGIC if magic.match(head)), None)


def output_format(kind: str, wanted: Format | None) -> Format:
    """Return what a picture of this (readable) kind is written as: what is wanted, or its own format if it can be."""
    if wanted is not None:
        return wanted
    own = next((name for name in FORMATS if name == kind), None)
    return own or _WRITTEN_AS[kind]


def output_name(name: str, form: Format) -> str:
    """Return a name for this format: a fitting suffix stays, another picture suffix is replaced, else one is added."""
    stem, suffix = os.path.splitext(name)
    known = _KNOWN.get(suffix.lower())
    if known == form:
        return name
    return (stem if known else name) + SUFFIXES[form][0]


def format_of(name: str) -> Format:
    """Return the format that output_name() gave this name."""
    known = _KNOWN.get(os.path.splitext(name)[1].lower())
    return next(form for form in FORMATS if form == known)


def _sniff_isobmff(head: bytes) -> str | None:
    # The size of the box is untrusted, so HEAD bounds what is looked at (ISO/IEC 14496-12, 4.3).
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12]} | {head[start : start + 4] for start in range(16, size, 4)}
    if brands & {b"avif", b"avis"}:
        return "avif"
    if brands & _HEIF:
        return "HEIC"
    return "camera raw" if brands & {b"crx "} else None
