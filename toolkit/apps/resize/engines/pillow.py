"""The Pillow engine: shrink while decoding, scale, convert colours; it can do every picture that is read at all."""

from __future__ import annotations

import time

from PIL import Image

from toolkit.apps.resize import colour, modes, scaling
from toolkit.apps.resize.engines import least_decoded
from toolkit.apps.resize.geometry import Region, Size
from toolkit.apps.resize.opening import reading
from toolkit.apps.resize.settings import Settings
from toolkit.apps.resize.subject import Demands, Subject
from toolkit.apps.resize.warned import note
from toolkit.core.errors import FailureKind, TaskError

NAME = "pillow"

_JPEGS = frozenset({"JPEG", "MPO"})


def takes(_subject: Subject, _settings: Settings) -> bool:
    """Tell whether it can do this picture: always."""
    return True


class Pixels:
    """The pixels of one picture; see engines.Pixels."""

    def __init__(self, subject: Subject, demands: Demands) -> None:
        self._subject, self._demands = subject, demands
        self._shrink = self._shrink_on_load()
        self._size = subject.image.size  # as it will be decoded
        self._index = -1
        self._in_light = False
        self._frame: Image.Image | None = None
        self._profile: bytes | None = None
        self.milliseconds = 0.0
        self.decoding = 0.0

    def scaled(self, index: int, region: Region, size: Size) -> Image.Image:
        """Return a part of a frame, scaled, in its final colours."""
        if index != self._index or self._frame is None:
            self._decode(index)
        assert self._frame is not None  # noqa: S101 - for the type checker
        left, top, right, bottom = (edge / self._shrink for edge in region)
        shape = self._demands.shape
        if self._in_light:
            return scaling.linear(self._frame, (left, top, right, bottom), size, shape.resample)
        small = scaling.scaled(self._frame, (left, top, right, bottom), size, shape.resample)
        return colour.finished(small, self._profile, self._demands.colours)

    def _decode(self, index: int) -> None:
        started = time.perf_counter()
        image = self._subject.image
        with reading():
            image.seek(index)
            image.load()
            if image.size != self._size and image.format != "GIF":  # its later frames may make the canvas larger
                raise TaskError(FailureKind.IMAGE, "damaged: its header and its pixels tell different sizes")
        self.milliseconds = float(image.info.get("duration", 0) or 0)
        self.decoding += time.perf_counter() - started
        if modes.is_narrowed(self._subject.rawmode):
            note("16 bits a channel were narrowed to 8")
        colours = self._demands.colours
        untouched = colours.keep_grey or not (colours.target or image.info.get("icc_profile"))
        with reading():
            frame = modes.workable(image, self._subject.rawmode, keep_deep=self._demands.deep and untouched)
        if image.format in _JPEGS and frame.mode == "CMYK" and "adobe" not in image.info:
            # Pillow turns all CMYK of JPEGs round, as Adobe's files need; without Adobe's marker it is stored as it is.
            frame = frame.point(list(range(255, -1, -1)) * 4)
        self._profile = colour.usable_profile(image.info.get("icc_profile"), frame.mode)
        self._in_light = self._demands.shape.linear
        if self._in_light:  # light is that of the final colours
            frame = colour.finished(frame.copy(), self._profile, self._demands.colours)
        self._frame, self._index = frame, index

    def _shrink_on_load(self) -> int:
        """Let the JPEG decoder shrink by 2, 4 or 8, where all that is wanted is so much smaller; return by how much."""
        image = self._subject.image
        if image.format not in _JPEGS or image.draft(None, least_decoded(self._demands, image.size)) is None:
            return 1
        return int(image.decoderconfig[0])  # type: ignore[attr-defined]


def pixels(subject: Subject, demands: Demands) -> Pixels:
    """Return the pixels of a picture."""
    return Pixels(subject, demands)
