"""The size in a JPEG XL's header is that of the picture, and no damage makes reading it fail."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from toolkit.apps.resize import jxl_header

SIZES = [(1, 1), (8, 8), (256, 256), (257, 1), (1, 600), (320, 240), (321, 123), (640, 360), (300, 250), (9000, 3)]


def _made(size: tuple[int, int], **options: Any) -> bytes:
    pytest.importorskip("pillow_jxl")
    memory = io.BytesIO()
    Image.new("L", size).save(memory, "JXL", effort=1, num_threads=0, **options)
    return memory.getvalue()


@pytest.mark.parametrize("container", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_size_of_what_libjxl_writes(size: tuple[int, int], container: bool) -> None:
    """Short and long sides, common ratios and free ones, alone and in boxes."""
    exif = b"II*\0\x08\0\0\0\0\0\0\0\0\0"
    file = io.BytesIO(_made(size, use_container=True, exif=exif) if container else _made(size))
    assert jxl_header.size_of(file) == size
    assert file.tell() == 0


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (b"", None),
        (b"\xff\xd8\xff\xe0", None),
        (b"\xff\x0a", (1, 1)),
        (b"\0\0\0\x0cJXL \r\n\x87\n", None),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x03free", None),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x00jxlc\xff\x0a\x7f\0\0\0", (256, 256)),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x01jxlc\0\0\0\0\0\0\0\x16\xff\x0a\x7f\0\0\0", (256, 256)),
        (
            b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x01free\0\0\0\0\0\0\0\x12ab" + b"\0\0\0\x0ejxlc\xff\x0a\x7f\0\0\0",
            (256, 256),
        ),
        (b"\xff\x0a" + (0b110 | (2**30 - 1) << 3 | 1 << 33).to_bytes(5, "little"), (2**30, 2**30)),
    ],
)
def test_size_of_other_bytes(data: bytes, size: tuple[int, int] | None) -> None:
    """What the bits say, however large, or nothing."""
    assert jxl_header.size_of(io.BytesIO(data)) == size


def test_size_of_damaged_files() -> None:
    """Any byte may be any other, and the file may end anywhere."""
    whole = _made((321, 123), use_container=True, exif=b"II*\0\x08\0\0\0\0\0\0\0\0\0")[:200]
    for at in range(len(whole)):
        jxl_header.size_of(io.BytesIO(whole[:at]))
        for value in (0, 1, 127, 255):
            jxl_header.size_of(io.BytesIO(whole[:at] + bytes([value]) + whole[at + 1 :]))
