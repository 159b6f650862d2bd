"""Width and height come from a few small reads, and no bytes can make them cost more."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from toolkit.apps.resize import formats, pixel_size


class Counted(io.BytesIO):
    """A file that counts what is read from it."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.reads: list[int] = []

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, and count."""
        data = super().read(size)
        self.reads.append(len(data))
        return data


def _size(data: bytes) -> tuple[tuple[int, int], Counted]:
    file = Counted(data)
    head = file.read(formats.HEAD)
    file.reads.clear()
    return pixel_size.of(file, head, len(data)), file


def _written(kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (123, 45), (9, 99, 199)).save(file, kind, **options)
    return file.getvalue()


def _oriented() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "x" * 60_000
    return _written("JPEG", exif=exif)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(_written("JPEG"), id="jpeg"),
        pytest.param(_written("JPEG", progressive=True, icc_profile=bytes(300_000)), id="jpeg with a large profile"),
        pytest.param(_oriented(), id="jpeg turned"),
        pytest.param(_written("PNG"), id="png"),
        pytest.param(_written("WEBP"), id="webp"),
        pytest.param(_written("WEBP", lossless=True), id="webp lossless"),
        pytest.param(_written("WEBP", exif=Image.Exif()), id="webp extended"),
        pytest.param(_written("AVIF"), id="avif"),
        pytest.param(_written("GIF"), id="gif"),
        pytest.param(_written("TIFF"), id="tiff"),
        pytest.param(_written("TIFF", big_tiff=True), id="bigtiff"),
        pytest.param(_written("BMP"), id="bmp"),
        pytest.param(_written("PPM"), id="ppm"),
    ],
)
def test_size_as_it_is_stored(data: bytes) -> None:
    """Every format tells its size by a few small reads, also behind much metadata; turning is not counted."""
    size, file = _size(data)
    assert size == (123, 45)
    assert len(file.reads) <= 8
    assert sum(file.reads) <= 8 * pixel_size.BLOCK


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (b"GIF89a\x40\x9c\xff\xff" + bytes(60), (40_000, 65_535)),
        (b"BM" + bytes(12) + struct.pack("<IHHHH", 12, 640, 480, 1, 24), (640, 480)),
    ],
)
def test_size_in_two_bytes(data: bytes, size: tuple[int, int]) -> None:
    """GIF and OS/2's BMP have short numbers without a sign."""
    assert _size(data)[0] == size


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xff\xd8" + bytes(4 << 20), id="jpeg without a marker"),
        pytest.param(b"\xff\xd8" + b"\xff\xe1\xff\xff" + bytes(65533) + b"\xff\xe1\x00\x02" * 500_000, id="segments"),
        pytest.param(b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**63) + bytes(1 << 20), id="tiff with 2**63 tags"),
        pytest.param(b"II*\0\xff\xff\xff\xff" + bytes(100), id="tiff that points out"),
        pytest.param(b"P6 #" + b"x" * (4 << 20), id="ppm with an endless comment"),
        pytest.param(b"P6 " + b"9" * 9000 + b" 1 255\n", id="ppm with a huge number"),
        pytest.param(
            b"\0\0\0\x10ftypavif\0\0\0\0" + struct.pack(">I4sI", (1 << 24) + 28, b"meta", 0)
            + struct.pack(">I4s", (1 << 24) + 16, b"iprp") + struct.pack(">I4s", (1 << 24) + 8, b"ipma")
            + bytes(1 << 24),
            id="avif with a table of 16 MiB",
        ),
        pytest.param(b"", id="nothing"),
    ],
)  # fmt: skip
def test_size_of_hostile_bytes(data: bytes) -> None:
    """What would take long is given up, and the size is not known."""
    size, file = _size(data)
    assert size == (0, 0)
    assert len(file.reads) <= pixel_size.READS
    assert sum(file.reads) <= pixel_size.READS * pixel_size.LARGEST


@given(st.sampled_from([_written(kind) for kind in ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP")]), st.data())
def test_size_of_mutations(data: bytes, draw: st.DataObject) -> None:
    """No change of a byte, and no cut, raises."""
    place = draw.draw(st.integers(0, min(len(data) - 1, 400)))
    changed = data[:place] + draw.draw(st.binary(max_size=4)) + data[place + draw.draw(st.integers(0, 8)) :]
    (width, height), file = _size(changed[: draw.draw(st.integers(0, len(changed)))])
    assert width >= 0 <= height
    assert len(file.reads) <= pixel_size.READS
