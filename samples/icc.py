"""A minimal Display P3 colour profile, built byte by byte (ICC.1:2010: version 4, three primaries and one curve)."""

from __future__ import annotations

import struct

D50 = (0.96420, 1.0, 0.82491)
# The DCI-P3 primaries (x, y: 0.680, 0.320; 0.265, 0.690; 0.150, 0.060) with white D65, brought to D50 by Bradford.
PRIMARIES = {
    b"rXYZ": (0.51512, 0.24120, -0.00105),
    b"gXYZ": (0.29198, 0.69225, 0.04189),
    b"bXYZ": (0.15710, 0.06657, 0.78407),
}
BRADFORD = (1.04788, 0.02292, -0.05020, 0.02959, 0.99048, -0.01706, -0.00923, 0.01508, 0.75168)
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def display_p3() -> bytes:
    """Return the profile, about 600 bytes."""
    curve = _tag(b"para", struct.pack(">HH", 3, 0) + _numbers(*SRGB_CURVE))
    tags = {
        b"desc": _text("Display P3 (sample)"),
        b"cprt": _text("No copyright; use freely."),
        b"wtpt": _tag(b"XYZ ", _numbers(*D50)),
        b"chad": _tag(b"sf32", _numbers(*BRADFORD)),
        **{name: _tag(b"XYZ ", _numbers(*xyz)) for name, xyz in PRIMARIES.items()},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    table, data = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, body in tags.items():
        table += name + struct.pack(">II", start + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    return _header(start + len(data)) + table + data


def _header(size: int) -> bytes:
    when = struct.pack(">6H", 2025, 1, 1, 0, 0, 0)
    start = struct.pack(">I4sI4s4s4s", size, bytes(4), 0x04200000, b"mntr", b"RGB ", b"XYZ ") + when + b"acsp"
    return (start + bytes(28) + _numbers(*D50)).ljust(128, b"\0")


def _tag(kind: bytes, body: bytes) -> bytes:
    return kind + bytes(4) + body


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return _tag(b"mluc", struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(encoded), 28) + encoded)


def _numbers(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)
