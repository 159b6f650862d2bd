"""What a file may make its decoder hold: pixels, and what is said about them; small files can claim a lot.

Pillow's own limits are one for the whole process. That on pixels only warns up to twice of it, and knows nothing of
frames; but its check is called for every size, also that of a later frame of a GIF, which may be larger than the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import IO, Any

from PIL import Image, JpegImagePlugin, PngImagePlugin
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from toolkit.apps.resize.warned import note
from toolkit.core.errors import FailureKind, TaskError

LEAST = 4096
"""Pixels that a frame counts as, at least: the smallest costs some memory, and 16 bytes of a GIF make one."""

MOST_TEXT = 8 << 20
"""Bytes that a PNG's colour profile, or one of its texts, may unpack to; Pillow's own limit refuses some profiles."""

MOST_SEGMENTS = 2000
"""Segments of a JPEG, 64 KiB at most each, that are kept: a profile may have 255."""

MOST_EXIF = 1 << 20
"""Bytes of values in a directory of EXIF or TIFF tags: as numbers of Python they take up to 36 times the memory."""

_STRUCTURE = frozenset({273, 279, 320, 324, 325, 347, 700, 33723, 34377, 34675})
"""Tags of a TIFF that may be longer: where its pixels are, colours, tables; XMP, IPTC, Photoshop's data and profiles,
which stay bytes."""


@dataclass(slots=True)
class Limit:
    """pixels: width x height x frames that are allowed. frames: as many as there are known to be."""

    pixels: int
    frames: int = 1

    def check(self, size: tuple[int, int]) -> None:
        """Raise TaskError too_large if frames of this size are more than is allowed."""
        width, height = size
        pixels = width * height if self.frames == 1 else self.frames * max(LEAST, width * height)
        if pixels > self.pixels:
            times = f"{self.frames:,} frames of " if self.frames > 1 else ""
            what = f"{times}{width} x {height} pixels are more than {self.pixels:,}"
            least = f" (a frame counts as {LEAST:,} at least)" if self.frames * width * height <= self.pixels else ""
            raise TaskError(FailureKind.TOO_LARGE, f"{what}{least}: raise --max-pixels if you trust the file")


_at_hand: ContextVar[Limit | None] = ContextVar("limit", default=None)


@contextmanager
def limited(pixels: int) -> Iterator[Limit]:
    """Allow pictures that are opened in this thread, during the block, so many pixels."""
    token = _at_hand.set(limit := Limit(pixels))
    try:
        yield limit
    finally:
        _at_hand.reset(token)


def check_pixels(image: Image.Image, frames: int, pixels: int) -> None:
    """Raise TaskError too_large if the frames have more pixels together; later, if one turns out to be too large."""
    limit = _at_hand.get() or Limit(pixels)
    limit.frames = frames
    limit.check(image.size)


_pillows_check = Image._decompression_bomb_check  # noqa: SLF001 - there is no other way to hear of all sizes
_pillows_segment = JpegImagePlugin.APP
_pillows_load = ImageFileDirectory_v2.load


def _check(size: tuple[int, int], *args: Any, **options: Any) -> None:
    limit = _at_hand.get()
    if limit is None:
        _pillows_check(size, *args, **options)
    else:
        limit.check(size)


def _segment(image: JpegImagePlugin.JpegImageFile, marker: int) -> None:
    if len(image.applist) >= MOST_SEGMENTS or len(image.info.get("exif", b"")) > MOST_EXIF:
        note("some of what the JPEG says about itself is too long and was left out")
        JpegImagePlugin.Skip(image, marker)
    else:
        _pillows_segment(image, marker)


def _load(directory: ImageFileDirectory_v2, file: IO[bytes]) -> None:
    _pillows_load(directory, file)
    left = MOST_EXIF
    for tag, data in list(directory._tagdata.items()):  # noqa: SLF001 - as bytes, before they become numbers
        if tag not in _STRUCTURE and len(data) > left:
            note("some EXIF data is too long and was left out")
            del directory._tagdata[tag]  # noqa: SLF001
        elif tag not in _STRUCTURE:
            left -= len(data)


def _bound_pillow() -> None:
    Image._decompression_bomb_check = _check  # noqa: SLF001
    ImageFileDirectory_v2.load = _load  # type: ignore[method-assign, assignment]
    PngImagePlugin.MAX_TEXT_CHUNK = MOST_TEXT
    handlers: dict[int, Any] = JpegImagePlugin.MARKER
    for marker, (name, about, handler) in list(handlers.items()):
        if handler is _pillows_segment:
            handlers[marker] = name, about, _segment


_bound_pillow()
