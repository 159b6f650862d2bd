"""The operation watermark: an image over the picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache

from PIL import Image

from toolkit.apps.resize import colour, modes
from toolkit.apps.resize.geometry import Gravity
from toolkit.apps.resize.operations import marks
from toolkit.apps.resize.operations.arguments import Length
from toolkit.apps.resize.operations.files import File
from toolkit.apps.resize.operations.steps import Step, grey
from toolkit.core.errors import TaskError

_MOST_PIXELS = 25_000_000


def check(image: File) -> None:
    """Raise ValueError if the file is no image that can be laid over others."""
    try:
        _loaded(image)
    except TaskError as error:
        raise ValueError(f"{image.path}: {error.message}") from error


def watermark(
    _: Sequence[Image.Image], image: File, position: Gravity, opacity: float, scale: float, margin: Length
) -> Step:
    """Lay the image over the picture, in proportion to its width and within its margins."""

    def mark(frame: Image.Image) -> Image.Image:
        loaded = _loaded(image)
        width = max(1, int(frame.width * scale + 0.5))
        height = max(1, int(loaded.height * width / loaded.width + 0.5))
        size = marks.fitted((width, height), marks.room(frame.size, margin))
        return marks.laid(frame, _scaled(image, size, opacity), position, margin)

    return mark


@lru_cache(maxsize=16)
def _scaled(image: File, size: marks.Size, opacity: float) -> Image.Image:
    small = modes.straight(modes.premultiplied(_loaded(image)).resize(size, Image.Resampling.LANCZOS, reducing_gap=3))
    small = marks.faded(small.convert("RGBA"), opacity)
    return grey(small) if _loaded(image).mode == "LA" else small


@lru_cache(maxsize=2)
def _loaded(image: File) -> Image.Image:
    """Return the image upright, in sRGB, as LA if it is stored as grey, else as RGBA; raises TaskError."""
    from toolkit.apps.resize.opening import READ, check_pixels, reading

    with reading():
        opened = Image.open(io.BytesIO(image.content()), formats=READ)
        check_pixels(opened, 1, _MOST_PIXELS)
        opened.load()
        plain = modes.workable(opened, keep_deep=False)
        plain = colour.to_srgb(plain, colour.usable_profile(opened.info.get("icc_profile"), plain.mode))
    return plain.convert("LA" if plain.mode in {"L", "LA"} else "RGBA")
