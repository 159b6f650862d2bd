"""Picture formats as this room sees them: told by their first bytes, written under known suffixes."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, get_args

Format = Literal["jpeg", "png", "webp", "avif", "gif", "tiff", "heic", "jxl"]
"""What can be written; heic and jxl need their extras: see missing()."""

FORMATS: tuple[Format, ...] = get_args(Format)

HEAD = 64
"""Bytes that sniff() needs from the start of a file."""

ANIMATED: frozenset[Format] = frozenset({"gif", "webp", "png", "avif"})
"""Formats that hold several frames in time, and are written so; of a HEIC or JXL we write one picture."""

TAGGED: frozenset[Format] = frozenset({"jpeg", "png", "webp", "avif", "tiff", "heic"})
"""Formats that can carry an ICC profile, as far as their writers let them: JXL's does not."""

LOSSY: frozenset[Format] = frozenset({"jpeg", "webp", "avif", "heic", "jxl"})
"""Formats with a quality."""

LOSSLESS: frozenset[Format] = frozenset({"png", "tiff", "webp", "heic", "jxl"})
"""Formats that can give back each pixel as it was. AVIF's writer cannot: at best it is off by three levels of 255."""

CLEAR: frozenset[Format] = frozenset({"png", "webp", "avif", "gif", "tiff", "heic", "jxl"})
"""Formats with transparency."""

DEEP: frozenset[Format] = frozenset({"png", "tiff", "jxl"})
"""Formats that are written with 16 bits of grey where the picture has them."""

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
    "heic": (".heic", ".heif", ".hif", ".heics", ".heifs"),
    "jxl": (".jxl",),
    "psd": (".psd", ".psb"),
    "jp2": (".jp2", ".j2k", ".jpx", ".jpf", ".j2c"),
    "qoi": (".qoi",),
    "ico": (".ico",),
    "icns": (".icns",),
    "tga": (".tga",),
    "dds": (".dds",),
    "pcx": (".pcx",),
    "sgi": (".sgi",),
    "eps": (".eps",),
    "fits": (".fits",),
}
"""The suffixes of what can be read; the first one is given to new names."""

READABLE = frozenset({*FORMATS, "bmp", "ppm"})
"""What is read without being asked for, as sniff() calls it; for some of it an extra may be missing()."""


@dataclass(frozen=True, slots=True)
class Decoder:
    """A decoder that runs only when asked for: the module of Pillow it is in, and its name there."""

    plugin: str
    name: str
    about: str


EXTRA_DECODERS: dict[str, Decoder] = {
    "psd": Decoder("PsdImagePlugin", "PSD", "Photoshop: the picture of all layers"),
    "jp2": Decoder("Jpeg2KImagePlugin", "JPEG2000", "JPEG 2000"),
    "qoi": Decoder("QoiImagePlugin", "QOI", "Quite OK Image"),
    "ico": Decoder("IcoImagePlugin", "ICO", "Windows icons: the largest"),
    "icns": Decoder("IcnsImagePlugin", "ICNS", "macOS icons: the largest"),
    "tga": Decoder("TgaImagePlugin", "TGA", "Truevision Targa"),
    "dds": Decoder("DdsImagePlugin", "DDS", "DirectDraw surfaces"),
    "pcx": Decoder("PcxImagePlugin", "PCX", "PC Paintbrush"),
    "sgi": Decoder("SgiImagePlugin", "SGI", "Silicon Graphics"),
    "eps": Decoder(
        "EpsImagePlugin", "EPS", "Encapsulated PostScript: a program, which Ghostscript runs; trust it first"
    ),
    "fits": Decoder("FitsImagePlugin", "FITS", "astronomy's FITS, 8 and 16 bits"),
}
"""What `--also-read` may name. Each decoder is more code that a hostile file can reach, so these stay off until asked
for; and whatever is not here and not READABLE stays off for good."""

_EXTRAS = {"heic": "pillow_heif", "jxl": "pillow_jxl"}
"""The module that a format needs; its extra has the format's name."""

_WRITTEN_AS: dict[str, Format] = dict.fromkeys(("bmp", "ppm", *EXTRA_DECODERS), "png")

_KNOWN = {suffix: kind for kind, suffixes in SUFFIXES.items() for suffix in suffixes}

_MAGIC = (
    (re.compile(rb"\xff\xd8\xff"), "jpeg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "png"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "webp"),
    (re.compile(rb"GIF8[79]a"), "gif"),
    (re.compile(rb"II[*+]\x00|MM\x00[*+]"), "tiff"),
    (re.compile(rb"BM.{4}\x00\x00\x00\x00.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\x00\x00\x00", re.DOTALL), "bmp"),
    (re.compile(rb"P[1-6][\s#]"), "ppm"),
    (re.compile(rb"\xff\x0a|\x00\x00\x00\x0cJXL \r\n\x87\n"), "jxl"),
    (re.compile(rb"8BPS\x00[\x01\x02]"), "psd"),
    (re.compile(rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51"), "jp2"),
    (re.compile(rb"qoif"), "qoi"),
    (re.compile(rb"\x00\x00\x01\x00[^\x00]\x00"), "ico"),
    (re.compile(rb"icns"), "icns"),
    (re.compile(rb"DDS "), "dds"),
    (re.compile(rb"\x0a[\x00\x02-\x05]\x01[\x01\x02\x04\x08]"), "pcx"),
    (re.compile(rb"\x01\xda[\x00\x01][\x01\x02]\x00[\x01-\x03]"), "sgi"),
    (re.compile(rb"\xc5\xd0\xd3\xc6|%!PS-Adobe-\d.\d EPSF"), "eps"),
    (re.compile(rb"SIMPLE  ="), "fits"),
    # Targa has no signature: without a colour table, five bytes are zero; with one, three are in a narrow range.
    (
        re.compile(
            rb".\x00[\x02\x03\x0a\x0b]\x00{5}.{4}(?!\x00\x00)..(?!\x00\x00)..[\x08\x0f\x10\x18\x20][\x00-\x3f]",
            re.DOTALL,
        ),
        "tga",
    ),
    (
        re.compile(
            rb".\x01[\x01\x09]\x00\x00.[\x00\x01][\x0f\x10\x18\x20].{4}(?!\x00\x00)..(?!\x00\x00)..\x08[\x00-\x3f]",
            re.DOTALL,
        ),
        "tga",
    ),
    # A picture, but not one we read: it must be in the report, not passed over.
    (re.compile(rb"v/1\x01"), "OpenEXR"),
)

_HEIF = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


def sniff(head: bytes) -> str | None:
    """Return what the first HEAD bytes say the file is: of READABLE or EXTRA_DECODERS, another picture, or None."""
    if head[4:8] == b"ftyp":
        return _sniff_isobmff(head)
    return next((kind for magic, kind in _MAGIC if magic.match(head)), None)


def missing(kind: str) -> str | None:
    """Return the extra that pictures of this kind need and that is not installed, or None."""
    module = _EXTRAS.get(kind)
    return kind if module and find_spec(module) is None else None


def output_format(kind: str, wanted: Format | None) -> Format:
    """Return what a picture of this (readable) kind is written as: what is wanted, or its own format if it can be."""
    if wanted is not None:
        return wanted
    own = next((name for name in FORMATS if name == kind), None)
    return own or _WRITTEN_AS[kind]


def is_picture_name(name: str) -> bool:
    """Tell whether a name ends as pictures' names do."""
    return os.path.splitext(name)[1].lower() in _KNOWN


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
        return "heic"
    return "camera raw" if brands & {b"crx "} else None
