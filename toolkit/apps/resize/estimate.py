"""What a picture will cost, before it is opened: work, so that the largest begin first, and memory, so that all fit."""

from __future__ import annotations

from typing import Protocol

from toolkit.apps.resize import geometry
from toolkit.apps.resize.settings import Settings
from toolkit.apps.resize.targets import Target
from toolkit.core.errors import TaskError

_WORK = {"jpeg": 1.0, "gif": 8.0, "png": 9.0, "tiff": 2.0, "webp": 9.0, "avif": 20.0, "heic": 25.0, "jxl": 5.0}
"""What encoding a pixel costs, against decoding one of a JPEG."""

_SQUEEZED = 8
"""Pixels for each byte of a file whose header does not tell its size: photographs have 2 to 8."""

_CHANNELS = 4
_COPIES = 2.5
"""A decoded picture, and at times another form of it beside: measured 2.0 to 2.4."""

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
    shrink = _shrink(stored, sizes) if kind == "jpeg" and settings.shape.trim is None else 1
    decoded = stored[0] * stored[1] / shrink**2
    written = [sizes[target.size].canvas[0] * sizes[target.size].canvas[1] for target in found.targets]
    frames = max(1.0, found.size * _SQUEEZED / (stored[0] * stored[1])) if kind == "gif" else 1.0
    work = (
        stored[0] * stored[1] * 0.3
        + decoded * 0.7
        + sum(pixels * _WORK[target.format] for pixels, target in zip(written, found.targets, strict=True))
    )
    memory = decoded * _CHANNELS * _COPIES + max(written) * _CHANNELS * _COPIES * frames + _BASE
    return work * frames, int(memory)


def _shrink(stored: geometry.Size, sizes: list[geometry.Layout]) -> int:
    least = [geometry.draft_size(stored, layout.region, layout.size) for layout in sizes]
    width, height = max(width for width, _ in least), max(height for _, height in least)
    fits = (step for step in (8, 4, 2) if stored[0] // step >= width and stored[1] // step >= height)
    return next(fits, 1)
