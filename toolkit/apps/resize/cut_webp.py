"""A WebP that was cut short, made whole again: its decoder takes nothing less (WebP container specification, RIFF)."""

from __future__ import annotations

_RIFF, _HEAD = 12, 8
"""Bytes before the first chunk, and of a chunk before its content."""
_FLAGS, _SAID = 20, 0x0C
"""Where an extended file tells what is in it, and the bits for EXIF data and XMP, which stand at its end."""
_FRAME = b"ANMF"


def filled(data: bytes) -> bytes:
    """Return the file with zeros for what is missing of the picture, which decode to something; without broken frames.

    Chunks behind the pixels that are missing are no longer told of. Data that is whole is returned as it is.
    """
    at, frames = _RIFF, 0
    while at + _HEAD <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + _HEAD], "little")
        end = at + _HEAD + size + size % 2
        if end > len(data):
            if kind in {b"EXIF", b"XMP "} or (kind == _FRAME and frames):
                return _ended(data[:at])
            return _ended(data.ljust(end, b"\0")) if end - len(data) <= len(data) * _MOST else data
        frames += kind == _FRAME
        at = end
    return _ended(data[:at]) if at < _declared(data) else data


_MOST = 20
"""How much more than there is may be filled in: a size that is itself damaged must not take all memory."""


def _declared(data: bytes) -> int:
    return 8 + int.from_bytes(data[4:8], "little")


def _ended(data: bytes) -> bytes:
    whole = bytearray(data)
    whole[4:8] = (len(whole) - 8).to_bytes(4, "little")
    if whole[_RIFF : _RIFF + 4] == b"VP8X":
        whole[_FLAGS] &= ~_SAID
    return bytes(whole)
