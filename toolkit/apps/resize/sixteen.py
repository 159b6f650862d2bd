"""Files of 16 bits a channel: the pixels as an engine wrote them, and around them just what other results have.

What libvips would put there is left out: it makes up EXIF data and a resolution, keeps the texts of the file that it
read, and has no EXIF data in a TIFF.
"""

from __future__ import annotations

import io
import struct
import zlib
from itertools import accumulate

from PIL import Image, TiffImagePlugin, TiffTags

from toolkit.apps.resize import metadata
from toolkit.apps.resize.metadata import Said

_HEAD = 8 + 25
"""Bytes of a PNG's signature and first chunk, after which profile and texts may come (PNG 3rd ed., 5.6)."""

_EXIF = b"Exif\0\0"
"""What stands before EXIF data in a JPEG, and nowhere else."""

_STRIPS, _LENGTHS, _ICC = 273, 279, 34675
_PIXELS = (256, 257, 258, 259, 262, 277, 278, 284, 317, 338, 339, _LENGTHS)
"""The tags of a TIFF that tell how its pixels are stored (TIFF 6.0, sections 3 to 8 and 14)."""


def png(pixels: bytes, icc: bytes, said: Said) -> bytes:
    """Return a PNG with a profile, EXIF data and texts put into it. pixels: a PNG without them."""
    chunks = [(b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc))] if icc else []
    texts = metadata.for_png(said)
    chunks += [(kind, data) for kind, data, _ in texts.chunks] if texts else []
    chunks += [(b"eXIf", said.exif.removeprefix(_EXIF))] if said.exif else []
    data = pixels.index(b"IDAT", _HEAD) - 4  # before it, a resolution that nobody gave
    return pixels[:_HEAD] + b"".join(_chunk(kind, data) for kind, data in chunks) + pixels[data:]


def tiff(pixels: bytes, icc: bytes, said: Said) -> bytes:
    """Return a TIFF with a profile and tags put into it. pixels: a TIFF of one picture, in strips, without them."""
    found = TiffImagePlugin.ImageFileDirectory_v2(pixels[:8])
    source = io.BytesIO(pixels)
    source.seek(found.next)
    found.load(source)
    written = TiffImagePlugin.ImageFileDirectory_v2(prefix=found.prefix)
    for tag in _PIXELS:
        if tag in found:
            written[tag] = found[tag]
            written.tagtype[tag] = found.tagtype[tag]
    starts, lengths = found[_STRIPS], found[_LENGTHS]
    written.tagtype[_STRIPS] = TiffTags.LONG
    written[_STRIPS] = tuple(accumulate(lengths[:-1], initial=0))  # from the end of the directory, and then mended
    tags = metadata.for_tiff(said) or Image.Exif()
    for tag in tags:
        written[tag] = tags.get_ifd(tag) if tag in TiffTags.TAGS_V2_GROUPS else tags[tag]
    if icc:
        written[_ICC] = icc
        written.tagtype[_ICC] = TiffTags.UNDEFINED
    file = io.BytesIO()
    written.save(file)
    strips = (pixels[start : start + length] for start, length in zip(starts, lengths, strict=True))
    return file.getvalue() + b"".join(strips)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
