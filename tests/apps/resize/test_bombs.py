"""The real command on a folder of small files that claim a lot: each ends by name, in little memory and time."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.apps.resize.making import jpeg_bytes, photo, profile
from tests.apps.resize.test_limits import chunk, exif, gif, jpeg, png

MEGABYTE = 1 << 20
MOST = 250 * MEGABYTE
"""Memory that the whole run may take; an idle one takes 60 to 100."""


def _apng(frames: int, claimed: int) -> bytes:
    """Return an animated PNG with many frames of one pixel."""
    memory = io.BytesIO()
    Image.new("RGB", (1000, 1000)).save(memory, "PNG")
    good = memory.getvalue()
    data = b"".join(part[4:] for part in good[33:].split(b"IDAT")[1:])
    pixel, parts = zlib.compress(b"\0\1\2\3"), [good[:33], chunk(b"acTL", struct.pack(">II", claimed, 0))]
    timing = ">IIIIIHHBB"
    parts += [chunk(b"fcTL", struct.pack(timing, 0, 1000, 1000, 0, 0, 1, 10, 0, 0)), chunk(b"IDAT", data)]
    for number in range(1, 2 * frames - 1, 2):
        parts.append(chunk(b"fcTL", struct.pack(timing, number, 1, 1, 0, 0, 1, 10, 0, 0)))
        parts.append(chunk(b"fdAT", struct.pack(">I", number + 1) + pixel))
    return b"".join([*parts, chunk(b"IEND", b"")])


def _webp(kind: bytes, data: bytes, flag: int) -> bytes:
    """Return a WebP with a chunk of metadata."""
    memory = io.BytesIO()
    photo(48, 32).save(memory, "WEBP")
    extra = kind + struct.pack("<I", len(data)) + data
    parts = [b"VP8X" + struct.pack("<I", 10) + bytes([flag, 0, 0, 0, 47, 0, 0, 31, 0, 0]), memory.getvalue()[12:]]
    parts.insert(1 if kind == b"ICCP" else 2, extra)
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _saved(image: Image.Image, form: str) -> bytes:
    memory = io.BytesIO()
    image.save(memory, form)
    return memory.getvalue()


def _tiff_with_tags(count: int) -> bytes:
    good = _saved(photo(48, 32), "TIFF")
    start = struct.unpack("<I", good[4:8])[0]
    end = start + 2 + 12 * struct.unpack("<H", good[start : start + 2])[0]
    more = b"".join(struct.pack("<HHII", 50_000 + number % 15_000, 7, MEGABYTE, 8) for number in range(count))
    main = struct.pack("<H", (end - start - 2) // 12 + count) + good[start + 2 : end] + more + bytes(4)
    return good[:4] + struct.pack("<I", len(good)) + good[8:] + main + bytes(MEGABYTE)


_PACKET = b"http://ns.adobe.com/xap/1.0/\0" + b"<x>" * 20_000

_PROFILE = b"ICC_PROFILE\0"

BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "flat.png": (lambda: _saved(Image.new("1", (15_000, 15_000)), "PNG"), "too_large"),
    "frames.gif": (lambda: gif(*[(1, 1)] * 10_000, screen=(1000, 1000)), "too_large"),
    "growing.gif": (lambda: gif((1, 1), (20_000, 20_000)), "too_large"),
    "frames.png": (lambda: _apng(1000, 1000), "too_large"),
    "claims.png": (lambda: _apng(2, 0x7FFFFFFF), "too_large"),
    "text.png": (lambda: png(chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(20 * MEGABYTE)))), "image"),
    "profile.png": (lambda: png(chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(20 * MEGABYTE)))), "image"),
    "chunks.png": (lambda: png(chunk(b"abCd", b"") * 100_000), ""),
    "exif.png": (lambda: png(chunk(b"eXIf", exif(1 << 23, 3, bytes(1 << 24)))), ""),
    "exif.webp": (lambda: _webp(b"EXIF", exif(1 << 21, 5, bytes(1 << 24)), 8), ""),
    "packet.webp": (lambda: _webp(b"XMP ", b"<a>!" * (2 * MEGABYTE), 4), ""),
    "profile.webp": (lambda: _webp(b"ICCP", profile("p3").ljust(16 * MEGABYTE, b"\0"), 0x20), ""),
    "segments.jpg": (lambda: jpeg(*[(0xEF, bytes(9000))] * 1000, *[(0xEE, b"")] * 100_000), ""),
    "exif.jpg": (lambda: jpeg(*[(0xE1, b"Exif\0\0" + bytes(65_000))] * 300), ""),
    "packets.jpg": (lambda: jpeg(*[(0xE1, _PACKET)] * 300), ""),
    "profile.jpg": (lambda: jpeg(*[(0xE2, _PROFILE + bytes([n, 255]) + bytes(65_000)) for n in range(1, 256)]), ""),
    "tags.tif": (lambda: _tiff_with_tags(60_000), ""),
    "good.jpg": (lambda: jpeg_bytes(photo(48, 32)), ""),
}  # fmt: skip
"""Each bomb by name, with the sort of failure that it is; those with none are pictures, but for what they say."""


_MEASURED = """
import atexit, runpy, sys
def tell():
    used = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
    print(int(used[0]) * 1024, sum(__import__("os").times()[:2]))
atexit.register(tell)
runpy.run_module("toolkit", run_name="__main__")
"""
"""The command, which prints at its end how much memory it had at most, and its seconds of work."""


@pytest.mark.skipif(sys.platform != "linux", reason="needs the memory that a process took")
def test_bombs_are_defused(tmp_path: Path) -> None:
    """Every one has an outcome by name; memory and time stay small; the good picture among them is done."""
    for name, (make, _) in BOMBS.items():
        folder = tmp_path / "in" / name.split(".")[1]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(make())
    command = ["resize", tmp_path / "in", "-o", tmp_path / "out", "--size", "20x20", "--formats", "png,jpeg"]
    command += ["-m", "sequential", "--progress", "none", "--manifest", tmp_path / "manifest.jsonl"]
    measured = [sys.executable, "-c", _MEASURED, *map(str, command)]
    done = subprocess.run(measured, check=False, capture_output=True, text=True, timeout=50)
    rows = [json.loads(line) for line in (tmp_path / "manifest.jsonl").read_text().splitlines()]
    ended = {os.path.basename(row["input"]): row["reason"] or "" for row in rows}
    assert ended == {name: kind for name, (_, kind) in BOMBS.items()}
    assert done.returncode == 1
    memory, seconds = map(float, done.stdout.split())
    assert memory < MOST
    assert seconds < 20
