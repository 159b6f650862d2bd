"""The libvips engine (extra `vips`): decodes and scales stills in little memory, and keeps 16 bits of colour.

Colours of 8 bits are converted as for every engine; so only the decoder and the filter's arithmetic differ.
"""

from __future__ import annotations

import time
from math import ceil
from typing import Any

from PIL import Image

from toolkit.apps.resize import animate, colour, modes
from toolkit.apps.resize.engines import _vips, least_decoded
from toolkit.apps.resize.engines._vips import BANDS, Deep, size_of
from toolkit.apps.resize.geometry import Region, Size
from toolkit.apps.resize.opening import is_salvaging
from toolkit.apps.resize.settings import Settings
from toolkit.apps.resize.subject import Demands, Subject
from toolkit.apps.resize.warned import note
from toolkit.core.errors import FailureKind, TaskError

NAME = "vips"

_LOADERS = {"JPEG": "jpegload", "PNG": "pngload", "WEBP": "webpload", "TIFF": "tiffload"}
_MODES = frozenset({"L", "LA", "P", "RGB", "RGBA", "I;16"})
"""What the picture is, in Pillow's words, where both engines agree on what that means. CMYK without a profile is not
among them, nor are floating-point numbers; and dots of black and white show every difference between two filters."""

_SHRINKS = (8, 4, 2)
_NARROWED = "16 bits a channel were narrowed to 8"


def takes(subject: Subject, settings: Settings) -> bool:
    """Tell whether it does this picture as Pillow does, or better: stills of the common formats."""
    image, shape = subject.image, settings.shape
    deep = modes.is_narrowed(subject.rawmode) and subject.rawmode.startswith("RGB")
    return (
        image.format in _LOADERS
        and not animate.is_animation(image)
        and image.mode in _MODES
        and (deep or shape.resample in _vips.KERNELS)
        and (deep or not shape.linear)  # light is reckoned in floats, which is no faster here
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
                self._image = self._decoded()
            stored = self._subject.stored
            across, down = _ratio(self._image.width, stored[0]), _ratio(self._image.height, stored[1])
            part = region[0] * across, region[1] * down, region[2] * across, region[3] * down
            return self._finished(self._scaled(part, size))
        except _vips.Error as error:
            raise TaskError(FailureKind.IMAGE, f"cannot be read: {_vips.reason(error)}") from error

    def _decoded(self) -> Any:
        started = time.perf_counter()
        subject, kind, stored = self._subject, self._subject.format, self._subject.stored
        shrink = self._shrink()
        found = _vips.load(_LOADERS[kind], subject.source, **({"shrink": shrink} if shrink > 1 else {}))
        if kind == "TIFF":
            found = found.autorot()  # as Pillow does, unasked
        if any(abs(side * shrink - own) >= shrink for side, own in zip(size_of(found), stored, strict=True)):
            raise TaskError(FailureKind.IMAGE, "the file changed while it was read")
        if kind == "JPEG":  # libvips drops what fills no whole pixel at the end, and all would be drawn out
            found = _vips.fitted(found, (ceil(stored[0] / shrink), ceil(stored[1] / shrink)))
        whole = (0.0, 0.0, float(stored[0]), float(stored[1]))
        once = len(self._demands.parts) == 1 and self._demands.parts[0].region == whole
        if not once or self._demands.shape.smart:
            found = found.copy_memory()
        self.decoding += time.perf_counter() - started
        return found

    def _shrink(self) -> int:
        """Return by how much the decoder may shrink: so that all that is wanted is at most half as large."""
        image = self._subject.image
        if image.format != "JPEG":  # WebP's decoder averages colours that are not in step: off by twelve levels
            return 1
        width, height = least_decoded(self._demands, image.size)
        fits = (step for step in _SHRINKS if image.width // step >= width and image.height // step >= height)
        return next(fits, 1)

    def _scaled(self, region: Region, size: Size) -> Any:
        """Return a part of what was decoded at another size: in its own colours, or, by way of light, in the final."""
        part, box = _vips.cut(self._image, region)
        shape = self._demands.shape
        if shape.linear:
            part = self._coloured(part)
        if size_of(part) == size and box == (0, 0, *size):
            return part
        return _vips.scaled(part, box, size, shape)

    def _finished(self, small: Any) -> Image.Image | Deep:
        demands, mode, wide = self._demands, BANDS[small.bands], _vips.is_wide(small)
        if wide and mode in {"RGB", "RGBA"}:
            return self._deep(small)
        profile = colour.usable_profile(self._subject.image.info.get("icc_profile"), mode)
        if wide and demands.deep and mode == "L" and (profile is None or demands.colours.keep_grey):
            frame = Image.frombytes(modes.DEEP, size_of(small), small.write_to_memory())
            return colour.finished(frame, profile, demands.colours)
        if wide:
            note("16-bit grey was narrowed to 8 bits" if mode == "L" else _NARROWED)
            small = _vips.narrowed(small)
        started = time.perf_counter()
        data = small.write_to_memory()
        self.decoding += time.perf_counter() - started  # libvips decodes and scales in one pass, when asked
        return colour.finished(Image.frombytes(mode, size_of(small), data), profile, demands.colours)

    def _deep(self, small: Any) -> Image.Image | Deep:
        linear, wanted = self._demands.shape.linear, self._demands.colours
        done = small if linear else self._coloured(small)
        deep = Deep(done.copy_memory(), (self._profile or b"") if wanted.keep_colour else wanted.target)
        if self._demands.deep:
            return deep
        note(_NARROWED)
        return deep.narrowed()

    def _coloured(self, wide: Any) -> Any:
        """Return 16 bits of colour in their final colours."""
        wanted, profile = self._demands.colours, self._profile
        if wanted.asked and profile and not wanted.keep_colour:
            note(colour.NOT_KEPT)
        return wide if wanted.keep_colour else _vips.converted(wide, profile, wanted.target)

    @property
    def _profile(self) -> bytes | None:
        """The profile of 16 bits of colour."""
        return colour.usable_profile(self._subject.image.info.get("icc_profile"), "RGB")


def pixels(subject: Subject, demands: Demands) -> Pixels:
    """Return the pixels of a picture."""
    return Pixels(subject, demands)


def _ratio(found: int, stored: int) -> float:
    """Return how many pixels were decoded for each stored one: a decoder that shrinks rounds up at the end."""
    step = round(stored / found)
    return 1 / step if ceil(stored / step) == found else found / stored
