"""The size of a JPEG XL picture, read from its header: its plugin decodes all pixels as soon as it opens a file."""

from __future__ import annotations

from typing import IO

from toolkit.apps.resize.geometry import Size

_SIGNATURE = b"\xff\x0a"
_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_ENOUGH = 16
"""Bytes that hold the signature and the longest size header."""
_MOST_BOXES = 64

_FIELDS = (9, 13, 18, 30)
"""Bits of a side, by its selector (ISO/IEC 18181-1, SizeHeader)."""
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}


def size_of(file: IO[bytes]) -> Size | None:
    """Return pixels across and down as they are stored, or None if this is no JPEG XL; leaves the file at its start."""
    file.seek(0)
    try:
        return _parsed(_codestream(file))
    finally:
        file.seek(0)


def _codestream(file: IO[bytes]) -> bytes:
    """Return the start of the codestream, which may stand by itself or in boxes, whole or in parts (18181-2)."""
    start = file.read(_ENOUGH)
    if not start.startswith(_CONTAINER):
        return start
    data, position = b"", 0
    for _ in range(_MOST_BOXES):
        file.seek(position)
        head = file.read(16)
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        skip = 8
        if size == 1:
            size, skip = int.from_bytes(head[8:16], "big"), 16
        if kind in {b"jxlc", b"jxlp"}:
            skip += 4 * (kind == b"jxlp")
            file.seek(position + skip)
            data += file.read(min(_ENOUGH, size - skip) if size > skip else _ENOUGH * (size == 0))
        if len(data) >= _ENOUGH or size < skip:
            break
        position += size
    return data


def _parsed(data: bytes) -> Size | None:
    if not data.startswith(_SIGNATURE):
        return None
    bits = _Bits(int.from_bytes(data[2:_ENOUGH], "little"))
    small = bits.take(1)
    height = _side(bits, small=small)
    ratio = _RATIOS.get(bits.take(3))
    width = height * ratio[0] // ratio[1] if ratio else _side(bits, small=small)
    return width, height


def _side(bits: _Bits, *, small: int) -> int:
    if small:
        return 8 * (bits.take(5) + 1)
    return bits.take(_FIELDS[bits.take(2)]) + 1


class _Bits:
    """A number that is taken apart from its lowest bit up."""

    def __init__(self, value: int) -> None:
        self._value = value

    def take(self, count: int) -> int:
        """Return the next count bits."""
        taken = self._value & ((1 << count) - 1)
        self._value >>= count
        return taken
