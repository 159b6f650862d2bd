"""Small files that claim a lot: what they may make a decoder hold is bounded, and told."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFile

from tests.apps.resize.making import corners, failure, jpeg_bytes, one, photo, profile, saved
from toolkit.apps.resize import formats, limits
from toolkit.apps.resize.limits import MOST_EXIF, limited
from toolkit.core.errors import FailureKind, TaskError


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a PNG's chunk."""
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def png(*chunks: bytes) -> bytes:
    """Return a PNG with more chunks after its header."""
    memory = io.BytesIO()
    photo(48, 32).save(memory, "PNG")
    return memory.getvalue()[:33] + b"".join(chunks) + memory.getvalue()[33:]


def jpeg(*segments: tuple[int, bytes]) -> bytes:
    """Return a JPEG that begins with more segments: marker and content."""
    good = jpeg_bytes(photo(48, 32))
    written = (bytes([0xFF, marker]) + (len(data) + 2).to_bytes(2, "big") + data for marker, data in segments)
    return good[:2] + b"".join(written) + good[2:]


def gif(*frames: tuple[int, int], screen: tuple[int, int] = (8, 8)) -> bytes:
    """Return a GIF with frames of these sizes, as they are claimed."""
    head = b"GIF89a" + struct.pack("<HH", *screen) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff"
    timing = b"\x21\xf9\4\0\1\0\0\0"
    images = (timing + b"\x2c" + struct.pack("<HHHH", 0, 0, *size) + b"\0\2\2\x4c\1\0" for size in frames)
    return head + b"".join(images) + b";"


def exif(count: int, kind: int, data: bytes) -> bytes:
    """Return EXIF data: turned by 180 degrees, and one long entry in the directory of details."""
    main = struct.pack("<HHHII", 2, 0x0112, 3, 1, 3) + struct.pack("<HHII", 0x8769, 4, 1, 38) + bytes(4)
    details = struct.pack("<HHHII", 1, 0x9214, kind, count, 56) + bytes(4)
    return b"II*\0\x08\0\0\0" + main + details + data


def test_frame_that_is_larger_than_the_first(tmp_path: Path) -> None:
    """A GIF that grows as it plays is refused when it does, whatever its header said."""
    source = tmp_path / "a.gif"
    source.write_bytes(gif((1, 1), (1, 1), (2000, 2000)))
    failed = failure(source, tmp_path / "out", format="png", max_pixels=1_000_000)
    assert failed.kind is FailureKind.TOO_LARGE
    assert "3 frames of 2000 x 2000 pixels are more than 1,000,000" in failed.message


def test_frames_when_there_are_very_many(tmp_path: Path) -> None:
    """However small they are, each costs something."""
    source = tmp_path / "a.gif"
    source.write_bytes(gif(*[(1, 1)] * 300))
    assert "counts as 4,096" in failure(source, tmp_path / "out", max_pixels=1_000_000).message
    assert one(source, tmp_path / "out", max_pixels=2_000_000)[1].frames == 300
    assert one(source, tmp_path / "out", max_pixels=64, format="jpeg")[1].frames == 1


def test_limit_is_that_of_the_picture_at_hand() -> None:
    """It is below Pillow's own or above, and outside of the block Pillow's own holds."""
    with limited(100) as limit:
        limit.check((10, 10))
        with pytest.raises(TaskError):
            Image._decompression_bomb_check((11, 10))
    with limited(10**10):
        Image._decompression_bomb_check((99_999, 9_999))
    with pytest.raises(Image.DecompressionBombError):
        Image._decompression_bomb_check((99_999, 9_999))


@pytest.mark.skipif(bool(formats.missing("jxl")), reason="no decoder of JPEG XL")
def test_jpeg_xl_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its plugin decodes all pixels as it opens a file, so the header is read before."""
    from pillow_jxl import JpegXLImagePlugin

    source = saved(corners(), tmp_path / "a.jxl", effort=1, num_threads=0)
    one(source, tmp_path / "out", max_pixels=120 * 80)
    monkeypatch.setattr(JpegXLImagePlugin, "Decoder", None)
    assert failure(source, tmp_path / "out", max_pixels=120 * 80 - 1).kind is FailureKind.TOO_LARGE
    assert JpegXLImagePlugin.DECODE_THREADS == 0


@pytest.mark.parametrize(
    ("count", "kind", "data"),
    [
        pytest.param(MOST_EXIF // 2, 3, bytes(MOST_EXIF), id="short numbers"),
        pytest.param(MOST_EXIF // 8, 5, bytes(MOST_EXIF), id="fractions"),
        pytest.param(MOST_EXIF, 2, b"x" * MOST_EXIF, id="text"),
    ],
)
@pytest.mark.parametrize("form", ["WEBP", "PNG", "TIFF"])
def test_exif_when_an_entry_is_very_long(
    tmp_path: Path, form: str, count: int, kind: int, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is left out before it becomes many numbers, with a warning, and the picture is turned all the same."""
    monkeypatch.setattr(limits, "MOST_EXIF", MOST_EXIF - 100)
    source = tmp_path / "a"
    if form == "TIFF":
        with source.open("wb") as file:
            file.write(_tiff(exif(count, kind, data)))
    else:
        photo(48, 32).save(source, form, exif=exif(count, kind, data), lossless=True)
    image, value = one(source, tmp_path / "out", format="png", metadata="keep")
    assert value.warnings == ("some EXIF data is too long and was left out",)
    assert len(image.getexif().get_ifd(0x8769)) <= 2  # the size
    if form != "TIFF":
        assert image.tobytes() == photo(48, 32).rotate(180).tobytes()


def _tiff(said: bytes) -> bytes:
    """Return a TIFF with the EXIF details of this data, in a directory of their own at the file's end."""
    memory = io.BytesIO()
    photo(48, 32).save(memory, "TIFF")
    good = memory.getvalue()
    start = struct.unpack("<I", good[4:8])[0]
    end = start + 2 + 12 * struct.unpack("<H", good[start : start + 2])[0]
    tags, at = good[start + 2 : end], len(good) + end - start + 16
    main = struct.pack("<H", len(tags) // 12 + 1) + tags + struct.pack("<HHII", 0x8769, 4, 1, at) + bytes(4)
    details = said[38:48] + struct.pack("<I", at + 18) + bytes(4) + said[56:]
    return good[:4] + struct.pack("<I", len(good)) + good[8:] + main + details


def test_tags_of_a_tiff_that_may_be_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its pixels are, and its profile, are never too long."""
    monkeypatch.setattr(limits, "MOST_EXIF", 64)
    picture = saved(
        photo(48, 320), tmp_path / "a.tif", compression="tiff_lzw", icc_profile=profile("p3"), strip_size=48
    )
    image, value = one(picture, tmp_path / "out", profile="keep", metadata="strip")
    assert image.tobytes() == photo(48, 320).tobytes()
    assert image.info["icc_profile"] == profile("p3")
    assert value.warnings == ()


def test_segments_of_a_jpeg_when_there_are_very_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those after the first are passed over, and the picture is as it is without."""
    monkeypatch.setattr(limits, "MOST_SEGMENTS", 20)
    source = tmp_path / "a.jpg"
    source.write_bytes(jpeg(*[(0xEF, b"made up")] * 30))
    image, value = one(source, tmp_path / "out", format="png")
    assert value.warnings == ("some of what the JPEG says about itself is too long and was left out",)
    with Image.open(io.BytesIO(jpeg())) as plain:
        assert image.tobytes() == plain.tobytes()


def test_exif_in_very_many_segments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is put together of them is bounded: each that is added would be a copy of all before."""
    monkeypatch.setattr(limits, "MOST_EXIF", 1000)
    source = tmp_path / "a.jpg"
    source.write_bytes(jpeg((0xE1, b"Exif\0\0" + exif(1, 3, b"")), *[(0xE1, b"Exif\0\0" + b"x" * 600)] * 30))
    image, value = one(source, tmp_path / "out")
    assert any("says about itself is too long" in warning for warning in value.warnings)
    assert image.size == (48, 32)


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(10 << 20))), id="text"),
        pytest.param(chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(10 << 20))), id="profile"),
        pytest.param(chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(bytes(7 << 20))) * 10, id="texts together"),
    ],
)
def test_text_that_unpacks_to_very_much(tmp_path: Path, bomb: bytes) -> None:
    """A PNG whose texts or profile are bombs is refused by name; to salvage it is to leave them out."""
    source = tmp_path / "a.png"
    source.write_bytes(png(bomb))
    failed = failure(source, tmp_path / "out")
    assert (failed.kind, "unpacks to too many bytes" in failed.message) == (FailureKind.IMAGE, True)


def test_profile_of_several_megabytes(tmp_path: Path) -> None:
    """Honest profiles may be larger than what Pillow takes of itself."""
    large = profile("p3") + bytes(2 << 20)
    source = tmp_path / "a.png"
    source.write_bytes(png(chunk(b"iCCP", b"p\0\0" + zlib.compress(large))))
    image, _ = one(source, tmp_path / "out", profile="keep", metadata="keep")
    assert image.info["icc_profile"] == large


def test_place_that_no_file_has(tmp_path: Path) -> None:
    """A number in the file that leads out of all files is damage, and no error of the disk."""
    memory = io.BytesIO()
    photo(48, 32).save(memory, "TIFF", big_tiff=True)
    (tmp_path / "a.tif").write_bytes(memory.getvalue()[:8] + (2**63 - 1).to_bytes(8, "little") + memory.getvalue()[16:])
    failed = failure(tmp_path / "a.tif", tmp_path / "out")
    assert failed.kind is FailureKind.IMAGE


def test_message_of_a_decoder_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says is shortened, and stays in its line."""

    def fail(*_args: Any) -> None:
        raise RuntimeError("first\n  second" + "x" * 1000)

    source = saved(corners(), tmp_path / "a.png")
    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    failed = failure(source, tmp_path / "out")
    assert failed.message.startswith("damaged: RuntimeError: first secondxxx")
    assert len(failed.message) < 250
