"""What a picture will cost, before it is opened: work, so that the largest begin first, and memory, so that all fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from toolkit.apps.resize import geometry
from toolkit.apps.resize.settings import Settings
from toolkit.apps.resize.targets import Target
from toolkit.core.errors import TaskError

_WORK = {"jpeg": 1.0, "gif": 8.0, "png": 9.0, "tiff": 2.0, "webp": 9.0, "avif": 20.0, "heic": 25.0, "jxl": 5.0}
"""What encoding a pixel costs, against decoding one of a JPEG."""

_SQUEEZED = 8
"""Pixels for each byte of a file whose header does not tell its size: photographs have 2 to 8."""

_DECODED = {"jpeg": 5, "gif": 8, "png": 10, "tiff": 9, "webp": 17, "bmp": 6, "ppm": 6, "avif": 10, "heic": 9, "jxl": 14}
_DECODED_ELSE = 17
"""Bytes for each pixel that is decoded: the picture, and what its decoder holds beside."""

_PROGRESSIVE = 4
"""Bytes for each stored pixel of a JPEG, which may be progressive: libjpeg then holds all of it, however it shrinks."""

_LINEAR, _TRIMMED, _TURNED, _CHANGED = 33, 12, 16, 8
"""More bytes for each pixel decoded: light as numbers, the search for a border; written: turned freely, operations."""

_FRAME = 4
_FILMED = 9
"""Bytes for each pixel of a frame that is to be written; and more where there are several, for their encoder."""

_ENCODED = {"jpeg": 9, "png": 5, "webp": 35, "avif": 27, "gif": 17, "tiff": 7, "heic": 33, "jxl": 27}
"""Bytes for each pixel that an encoder holds: with transparency, which takes the most."""

_BASE = 4_000_000
"""Bytes for what does not depend on the picture: buffers of decoders and encoders."""


class Measured(Protocol):
    """A picture of which no more than its header is known: bytes, pixels (0 if unknown), format, results."""

    @property
    def size(self) -> int: ...  # noqa: D102

    @property
    def width(self) -> int: ...  # noqa: D102

    @property
    def height(self) -> int: ...  # noqa: D102

    @property
    def kind(self) -> str: ...  # noqa: D102

    @property
    def targets(self) -> tuple[Target, ...]: ...  # noqa: D102


def estimate(found: Measured, settings: Settings) -> tuple[float, int]:
    """Return the cost of a picture (in any unit) and the bytes of memory that it will need, about."""
    kind = found.kind
    stored = (found.width, found.height)
    if not all(stored):
        stored = (max(1, found.size * _SQUEEZED // 1000), 1000)
    try:
        # Whichever way it is turned, the sizes are much the same.
        sizes = [
            geometry.layout(stored, size, settings.shape.fit, enlarge=settings.shape.enlarge)
            for size in settings.shape.sizes
        ]
    except TaskError:  # too large, if it really stands like this: whoever opens it will tell
        return 0.0, _BASE
    shape = settings.shape
    shrinks = kind == "jpeg" and shape.trim is None and not shape.linear
    decoded = stored[0] * stored[1] / (_shrink(stored, sizes) if shrinks else 1) ** 2
    pixels = [sizes[target.size].canvas[0] * sizes[target.size].canvas[1] for target in found.targets]
    frames = max(1.0, found.size * _SQUEEZED / (stored[0] * stored[1])) if kind == "gif" else 1.0
    work = (
        stored[0] * stored[1] * 0.3
        + decoded * 0.7
        + sum(size * _WORK[target.format] for size, target in zip(pixels, found.targets, strict=True))
    )
    memory = _to_decode(kind, stored, decoded, settings) + _to_write(found.targets, pixels, frames, settings)
    return work * frames, int(memory) + _BASE


def _to_decode(kind: str, stored: geometry.Size, decoded: float, settings: Settings) -> float:
    each = _DECODED.get(kind, _DECODED_ELSE)
    each += _LINEAR if settings.shape.linear else 0
    each += _TRIMMED if settings.shape.trim is not None else 0
    return decoded * each + (stored[0] * stored[1] * _PROGRESSIVE if kind == "jpeg" else 0)


def _to_write(targets: Sequence[Target], pixels: Sequence[int], frames: float, settings: Settings) -> float:
    """Return the bytes for the frames of all sizes, which are there together, and for the one encoder at work."""
    each = _FRAME + (_FILMED if frames > 1 else 0)
    sizes = {target.size: size for target, size in zip(targets, pixels, strict=True)}
    encoder = max(size * _ENCODED[target.format] for target, size in zip(targets, pixels, strict=True))
    more = (_TURNED if settings.shape.angle else 0) + (_CHANGED if settings.operations else 0)
    return sum(sizes.values()) * each * frames + encoder + max(pixels) * more


def _shrink(stored: geometry.Size, sizes: list[geometry.Layout]) -> int:
    least = [geometry.draft_size(stored, layout.region, layout.size) for layout in sizes]
    width, height = max(width for width, _ in least), max(height for _, height in least)
    fits = (step for step in (8, 4, 2) if stored[0] // step >= width and stored[1] // step >= height)
    return next(fits, 1)
