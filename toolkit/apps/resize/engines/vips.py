"""The libvips engine (extra `vips`): decodes and scales stills in little memory, and keeps 16 bits of colour.

It is imported in the process that does the work, never in one that others are forked from: libvips has threads. Colours
of 8 bits are converted as for every engine; so only the decoder and the filter's arithmetic differ.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

from PIL import Image

from toolkit.apps.resize import animate, colour, geometry, modes, scaling
from toolkit.apps.resize.encode import Wrapping
from toolkit.apps.resize.geometry import Region, Size
from toolkit.apps.resize.opening import is_salvaging
from toolkit.apps.resize.settings import Resample, Settings
from toolkit.apps.resize.subject import Colours, Demands, Subject
from toolkit.apps.resize.warned import note
from toolkit.core.errors import FailureKind, TaskError

# One thread a picture: models do as many pictures at once as there are processors. Read once, as libvips starts.
os.environ.setdefault("VIPS_CONCURRENCY", "1")
os.environ.setdefault("VIPS_BLOCK_UNTRUSTED", "1")

import pyvips

pyvips.cache_set_max(0)  # a picture is seen once, and one that changed must not be taken from a cache

NAME = "vips"

_LOADERS = {"JPEG": "jpegload", "PNG": "pngload", "WEBP": "webpload", "TIFF": "tiffload"}
_KERNELS: dict[Resample, str] = {"lanczos": "lanczos3", "bicubic": "cubic", "bilinear": "linear", "nearest": "nearest"}
_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})
"""What the picture is, in Pillow's words, where both engines agree on what that means. CMYK without a profile is not
among them, nor are floating-point numbers."""

_SHRINKS = (8, 4, 2)
_WIDE = frozenset({"ushort", "short"})
_BANDS = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def takes(subject: Subject, settings: Settings) -> bool:
    """Tell whether it does this picture as Pillow does, or better: stills of the common formats."""
    image, shape = subject.image, settings.shape
    return (
        image.format in _LOADERS
        and not animate.is_animation(image)
        and image.mode in _MODES
        and shape.resample in _KERNELS
        and not (image.mode == "I;16" and "transparency" in image.info)
        and not is_salvaging()
    )


class Pixels:
    """The pixels of one picture; see engines.Pixels."""

    def __init__(self, subject: Subject, demands: Demands) -> None:
        self._subject, self._demands = subject, demands
        self._image: Any = None
        self.milliseconds = 0.0
        self.decoding = 0.0

    def scaled(self, index: int, region: Region, size: Size) -> Image.Image | Deep:  # noqa: ARG002 - it is a still
        """Return a part of the picture, scaled, in its final colours."""
        try:
            if self._image is None:
                self._open()
            image, stored = self._image, self._subject.stored
            across, down = _ratio(image.width, stored[0]), _ratio(image.height, stored[1])
            part = region[0] * across, region[1] * down, region[2] * across, region[3] * down
            if self._splits_pixels(part):
                return self._by_pillow(part, size)
            return self._finished(self._scaled(part, size))
        except pyvips.Error as error:
            raise TaskError(FailureKind.IMAGE, f"cannot be read: {_reason(error)}") from error

    def _open(self) -> None:
        started = time.perf_counter()
        image, subject = self._subject.image, self._subject
        options: dict[str, Any] = {"access": "sequential", "fail_on": "error"}
        shrink = self._shrink()
        if shrink > 1:
            options |= {"shrink": shrink} if image.format == "JPEG" else {"scale": 1 / shrink}
        found = getattr(pyvips.Image, _LOADERS[image.format or ""])(subject.source, **options)
        if image.format == "TIFF":
            found = found.autorot()  # as Pillow does, unasked
        if found.width * found.height * shrink * shrink < subject.stored[0] * subject.stored[1] * _SAME:
            raise TaskError(FailureKind.IMAGE, "the file changed while it was read")
        if image.format == "JPEG":  # libvips drops what fills no whole pixel at the end, and all would be drawn out
            wide, high = ceil(subject.stored[0] / shrink), ceil(subject.stored[1] / shrink)
            found = _fitted(found, (max(wide, found.width), max(high, found.height)))
        whole = (0.0, 0.0, float(subject.stored[0]), float(subject.stored[1]))
        if len(self._demands.parts) > 1 or self._demands.parts[0].region != whole:
            found = found.copy_memory()
        self._image = found
        self.decoding += time.perf_counter() - started

    def _shrink(self) -> int:
        """Return by how much the decoder may shrink: so that all that is wanted is at most half as large."""
        image = self._subject.image
        if image.format not in {"JPEG", "WEBP"} or self._demands.shape.linear:
            return 1
        least = [geometry.draft_size(image.size, part.region, part.size) for part in self._demands.parts]
        width, height = max(width for width, _ in least), max(height for _, height in least)
        fits = (step for step in _SHRINKS if image.width // step >= width and image.height // step >= height)
        return next(fits, 1)

    def _splits_pixels(self, part: Region) -> bool:
        """Whether a part begins or ends within a pixel: libvips takes whole ones, and Pillow need not."""
        splits = any(abs(edge - round(edge)) > _LITTLE for edge in part)
        return splits and self._image.format not in _WIDE and not self._demands.shape.linear

    def _by_pillow(self, part: Region, size: Size) -> Image.Image:
        left, top, right, bottom = part
        around = _cut(self._image, left, top, right, bottom)
        x, y = max(0, floor(left + _HAIR)), max(0, floor(top + _HAIR))
        frame = Image.frombytes(_BANDS[around.bands], (around.width, around.height), around.write_to_memory())
        small = scaling.scaled(frame, (left - x, top - y, right - x, bottom - y), size, self._demands.shape.resample)
        profile = colour.usable_profile(self._subject.image.info.get("icc_profile"), small.mode)
        return colour.finished(small, profile, self._demands.colours)

    def _scaled(self, region: Region, size: Size) -> Any:
        shape = self._demands.shape
        left, top, right, bottom = region
        part = _cut(self._image, left, top, right, bottom)
        if (part.width, part.height) == size and (right - left, bottom - top) == size:
            return part
        kernel, wide = _KERNELS[shape.resample], part.format in _WIDE
        if shape.linear:
            part = part.colourspace("scrgb")
        clear = part.hasalpha()
        if clear:
            kind = part.format
            part = part.premultiply()
            part = part if shape.linear else part.cast(kind)
        small = part.resize(size[0] / (right - left), vscale=size[1] / (bottom - top), kernel=kernel)
        small = _fitted(small, size)
        if clear:
            small = small.unpremultiply()
            if not shape.linear:
                small = small.rint().cast("ushort" if wide else "uchar")
        if shape.linear:
            grey = self._image.bands <= 2  # noqa: PLR2004 - grey, and grey with alpha
            small = small.colourspace(("grey16" if wide else "b-w") if grey else ("rgb16" if wide else "srgb"))
        return small

    def _finished(self, small: Any) -> Image.Image | Deep:
        demands, info = self._demands, self._subject.image.info
        wide = small.format in _WIDE
        mode = _BANDS[small.bands]
        profile = colour.usable_profile(info.get("icc_profile"), mode)
        if wide and demands.deep and mode in {"RGB", "RGBA"}:
            return _deep(small, profile, demands.colours)
        if wide and demands.deep and mode == "L" and (profile is None or demands.colours.keep_grey):
            frame = Image.frombytes(modes.DEEP, (small.width, small.height), small.write_to_memory())
            return colour.finished(frame, profile, demands.colours)
        if wide:
            note("16 bits a channel were narrowed to 8")
            small = _narrow(small)
        started = time.perf_counter()
        data = small.write_to_memory()
        self.decoding += time.perf_counter() - started  # libvips decodes and scales in one pass, when asked
        return colour.finished(Image.frombytes(mode, (small.width, small.height), data), profile, demands.colours)


@dataclass(frozen=True, slots=True)
class Deep:
    """Colours of 16 bits; see engines.Deep."""

    image: Any

    @property
    def size(self) -> Size:
        """Pixels across and down."""
        return self.image.width, self.image.height

    def turned(self, code: int) -> Deep:
        """Return them as an EXIF orientation says."""
        if code == 1:
            return self
        marked = self.image.copy_memory().copy()
        marked.set_type(pyvips.GValue.gint_type, "orientation", code)
        return Deep(marked.autorot())

    def narrowed(self) -> Image.Image:
        """Return them with 8 bits a channel."""
        small = _narrow(self.image)
        return Image.frombytes(_BANDS[small.bands], self.size, small.write_to_memory())

    def encoded(self, form: str, told: Wrapping) -> bytes:
        """Return them as a PNG or TIFF file of 16 bits."""
        image = self.image.copy()
        for name in image.get_fields():
            if name.endswith("-data") or name.startswith("exif-"):
                image.remove(name)
        for name, data in (("icc-profile-data", told.icc), ("exif-data", told.said.exif), ("xmp-data", told.said.xmp)):
            if data:
                image.set_type(pyvips.GValue.blob_type, name, data)
        try:
            if form == "png":
                return bytes(image.pngsave_buffer(bitdepth=16, compression=6))
            return bytes(image.tiffsave_buffer(compression="deflate", predictor="horizontal"))
        except pyvips.Error as error:
            raise TaskError(FailureKind.ENCODE, f"cannot be written as {form}: {_reason(error)}") from error


def pixels(subject: Subject, demands: Demands) -> Pixels:
    """Return the pixels of a picture."""
    return Pixels(subject, demands)


_SAME = 0.9
"""Share of the pixels that the header told of which a decoder must find: rounding takes a few."""


def _deep(small: Any, profile: bytes | None, colours: Colours) -> Deep:
    if profile and not colours.keep_colour:
        small.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
        target = "srgb"
        small = small.icc_transform(target, embedded=True, intent="relative", black_point_compensation=True, depth=16)
    return Deep(small.copy_memory())


def _narrow(image: Any) -> Any:
    """Return 16 bits as 8, rounded: as modes.narrowed."""
    return (image * (255 / 65_535)).rint().cast("uchar")


def _ratio(found: int, stored: int) -> float:
    """Return how many pixels were decoded for each stored one: a decoder that shrinks rounds up at the end."""
    step = round(stored / found)
    return 1 / step if ceil(stored / step) == found else found / stored


def _cut(image: Any, left: float, top: float, right: float, bottom: float) -> Any:
    """Return the pixels that a region touches."""
    first, above = max(0, floor(left + _HAIR)), max(0, floor(top + _HAIR))
    last, below = min(image.width, ceil(right - _HAIR)), min(image.height, ceil(bottom - _HAIR))
    if (first, above, last, below) == (0, 0, image.width, image.height):
        return image
    return image.crop(first, above, max(1, last - first), max(1, below - above))


_HAIR = 1e-6
"""Less than any part of a pixel that matters."""
_LITTLE = 0.02
"""A part of a pixel by which a picture may be off, and nobody can see it."""


def _fitted(image: Any, size: Size) -> Any:
    """Return the image with exactly this size: what a region touches only in part may be a pixel too much."""
    if image.width < size[0] or image.height < size[1]:
        image = image.embed(0, 0, max(size[0], image.width), max(size[1], image.height), extend="copy")
    return image if (image.width, image.height) == size else image.crop(0, 0, *size)


def _reason(error: pyvips.Error) -> str:
    """Return what libvips says, without the paths and names of its own."""
    lines = [line.strip() for line in str(error.detail or error.message).splitlines() if line.strip()]
    return lines[-1][:200] if lines else "damaged"
