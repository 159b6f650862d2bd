"""Small files of every format and sort that is read, and damage done to them; the same for the same seed."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

from PIL import Image

from tests.apps.resize.making import photo, profile
from toolkit.apps.resize import formats

EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Numbers at which sizes and offsets go wrong."""

HEADER = 200
"""Bytes at the start of a file in which half of the damage is done: headers are short."""


@cache
def specimens() -> dict[str, bytes]:
    """Return a good file of each sort, by a name that starts with its format."""
    return dict(_written())


def mutated(good: bytes, random: Random) -> bytes:
    """Return a file with some damage, or cut short; a PNG's checksums are mended, or all would end there."""
    data = bytearray(good)
    for _ in range(random.choice((1, 1, 2, 4, 30))):
        at = random.randrange(min(len(data), HEADER) if random.random() < 0.5 else len(data))
        random.choice(_DAMAGES)(data, at, random)
        if not data:
            return good[:1]
    if good.startswith(b"\x89PNG") and random.random() < 0.8:
        return _with_checksums(bytes(data))
    return bytes(data)


def _set(data: bytearray, at: int, random: Random) -> None:
    data[at] = random.choice((0, 255, random.randrange(256)))


def _flip(data: bytearray, at: int, random: Random) -> None:
    data[at] ^= 1 << random.randrange(8)


def _number(data: bytearray, at: int, random: Random) -> None:
    size = random.choice((2, 4))
    number = random.choice(EXTREMES) & ((1 << 8 * size) - 1)
    data[at : at + size] = number.to_bytes(size, random.choice(("little", "big")))


def _leave_out(data: bytearray, at: int, random: Random) -> None:
    del data[at : at + random.choice((1, 2, 8, 100))]


def _repeat(data: bytearray, at: int, random: Random) -> None:
    data[at:at] = data[at : at + random.choice((1, 4, 50, 500))]


def _cut(data: bytearray, at: int, random: Random) -> None:
    if random.random() < 0.3:  # not too often: the rest shows more
        del data[max(1, at) :]


_DAMAGES = (_set, _set, _flip, _flip, _number, _number, _leave_out, _repeat, _cut)


def _with_checksums(data: bytes) -> bytes:
    parts, at = [data[:8]], 8
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if end + 4 > len(data):
            break
        parts += [data[at:end], zlib.crc32(data[at + 4 : end]).to_bytes(4, "big")]
        at = end + 4
    return b"".join([*parts, data[at:]])


def _written() -> Iterator[tuple[str, bytes]]:
    colours = photo(48, 32)
    films = {"save_all": True, "append_images": [photo(48, 32, 2), photo(48, 32, 3)], "duration": 40}
    clear = colours.copy()
    clear.putalpha(colours.getchannel("R"))
    clear_film = films | {"append_images": [clear.rotate(90).resize((48, 32)), clear.rotate(180)]}
    told: dict[str, Any] = {"exif": _exif(), "icc_profile": profile("p3")}
    yield "jpeg", _file(colours, "JPEG", **told, comment=b"made", xmp=b"<x/>")
    yield "jpeg-progressive", _file(colours, "JPEG", progressive=True, subsampling="4:4:4")
    yield "jpeg-cmyk", _file(colours.convert("CMYK"), "JPEG", icc_profile=profile("cmyk"))
    yield "jpeg-grey", _file(colours.convert("L"), "JPEG", restart_marker_blocks=1)
    yield "jpeg-mpo", _file(colours, "MPO", save_all=True, append_images=[colours])
    yield "png", _file(colours, "PNG", **told)
    yield "png-palette", _file(colours.quantize(16), "PNG", transparency=3)
    yield "png-bits", _file(colours.convert("1"), "PNG")
    yield "png-alpha", _file(clear, "PNG")
    yield "png-deep", _file(colours.convert("L").convert("I;16"), "PNG")
    yield "png-film", _file(clear, "PNG", **clear_film, default_image=True, disposal=2, blend=1)
    yield "webp", _file(colours, "WEBP", **told)
    yield "webp-lossless", _file(clear, "WEBP", lossless=True)
    yield "webp-film", _file(clear, "WEBP", **clear_film, xmp=b"<x/>")
    yield "avif", _file(colours, "AVIF", **told, speed=10)
    yield "avif-alpha", _file(clear, "AVIF", speed=10)
    yield "avif-film", _file(colours, "AVIF", **films, speed=10)
    yield "gif", _file(colours, "GIF", interlace=1)
    yield "gif-film", _file(clear, "GIF", **clear_film, disposal=3, loop=2)
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        yield f"tiff-{compression}", _file(colours, "TIFF", compression=compression, icc_profile=profile("p3"))
    yield "tiff-fax", _file(colours.convert("1"), "TIFF", compression="group4")
    yield "tiff-deep", _file(colours.convert("L").convert("I;16"), "TIFF", big_tiff=True)
    yield "tiff-cmyk", _file(colours.convert("CMYK"), "TIFF", compression="tiff_lzw")
    yield "tiff-pages", _file(clear, "TIFF", save_all=True, append_images=[colours], compression="tiff_lzw")
    yield "bmp", _file(colours, "BMP")
    yield "bmp-palette", _file(colours.quantize(16), "BMP")
    yield "bmp-packed", _packed_bitmap()
    for name, mode in (("ppm", "RGB"), ("ppm-grey", "L"), ("ppm-bits", "1")):
        yield name, _file(colours.convert(mode), "PPM")
    yield "ppm-plain", b"P3 # plain\n3 2 255\n" + b" ".join(str(value).encode() for value in range(18)) + b"\n"
    if formats.missing("heic") is None:
        import pillow_heif

        pillow_heif.register_heif_opener()
        tuning = {"preset": "ultrafast", "x265:pools": "none"}
        yield "heic", _file(clear, "HEIF", **told, enc_params=tuning)
    if formats.missing("jxl") is None:
        import pillow_jxl  # noqa: F401 - it registers itself

        yield "jxl", _file(clear, "JXL", exif=_exif().tobytes(), effort=1, num_threads=0)
        yield "jxl-lossless", _file(colours, "JXL", lossless=True, effort=1, num_threads=0)


def _file(image: Image.Image, form: str, **options: Any) -> bytes:
    memory = io.BytesIO()
    image.save(memory, form, **options)
    return memory.getvalue()


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = 6, "Ada"
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0said"
    exif.get_ifd(0x8825)[1] = "N"
    return exif


def _packed_bitmap() -> bytes:
    """Return a bitmap of 8 bits with run lengths (BI_RLE8), which Pillow reads and does not write."""
    rows = b"".join(bytes([24, row * 9 % 256, 0, 3, 1, 2, 3, 0, 21, 5]) + b"\0\0" for row in range(32)) + b"\0\1"
    colours = b"".join(bytes([i, 255 - i, i // 2, 0]) for i in range(256))
    start = 14 + 40 + len(colours)
    head = (40).to_bytes(4, "little") + (48).to_bytes(4, "little") + (32).to_bytes(4, "little") + b"\1\0\x08\0"
    head += (1).to_bytes(4, "little") + len(rows).to_bytes(4, "little") + bytes(8) + (256).to_bytes(4, "little") * 2
    place = (start + len(rows)).to_bytes(4, "little") + bytes(4) + start.to_bytes(4, "little")
    return b"BM" + place + head + colours + rows
