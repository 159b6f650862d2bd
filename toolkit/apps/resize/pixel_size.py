"""Width and height from a file's header, without decoding, so that work can be ordered and memory set aside.

It is an estimate: 0 for what cannot be told by a few small reads. What is refused, the decoder decides.
"""

from __future__ import annotations

import os
import re
from typing import BinaryIO

import imagesize

from toolkit.apps.resize import jxl_header

READS = 64
"""Reads after which the header is given up: a JPEG skips one segment (64 KiB at most) with each."""
BLOCK = 4096
LARGEST = 1 << 16
"""Bytes in one read; no honest header needs more at a time."""

_SHORT = re.compile(rb"(?:GIF8[79]a|BM.{12}\x0c\0\0\0)(..)(..)", re.DOTALL)
"""GIF, and BMP as OS/2 had it: width and height in two bytes each."""


_JXL = (b"\xff\x0a", b"\0\0\0\x0cJXL ")
"""What JPEG XL begins with, of which imagesize does not know."""


def of(file: BinaryIO, head: bytes, size: int) -> tuple[int, int]:
    """Return width and height in pixels as they are stored, or (0, 0). head: the start of the file; size in bytes.

    Never raises, whatever the bytes are, but OSError for a disk that fails.
    """
    if head.startswith(_JXL):
        return jxl_header.size_of(file) or (0, 0)
    if short := _SHORT.match(head):  # which imagesize takes for numbers of another length or sign
        return int.from_bytes(short[1], "little"), int.from_bytes(short[2], "little")
    try:
        width, height = imagesize.get(_Bounded(file, head, size), exif_rotation=False)
    except (RecursionError, MemoryError):
        return 0, 0
    return (int(width), int(height)) if width > 0 and height > 0 else (0, 0)


class _Bounded:
    """A file as imagesize wants it, that ends in ValueError when too much of it is asked for."""

    def __init__(self, file: BinaryIO, head: bytes, size: int) -> None:
        self._file = file
        self._size = size
        self._block, self._start = head, 0
        self._position = 0
        self._reads = 0

    def read(self, size: int = -1) -> bytes:
        start = self._position - self._start
        if not (start >= 0 and size >= 0 and start + size <= len(self._block)):
            self._load(size)
            start = 0
        data = self._block[start : start + size]
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def _load(self, size: int) -> None:
        self._reads += 1
        if self._reads > READS or not 0 <= size <= LARGEST:
            raise ValueError("too much of a header")
        self._file.seek(self._position)
        self._block, self._start = self._file.read(max(size, BLOCK)), self._position
