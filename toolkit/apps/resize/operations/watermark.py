"""The operation watermark: an image over the picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache

from PIL import Image, ImageOps

from toolkit.apps.resize import colour, modes, warned
from toolkit.apps.resize.geometry import Gravity
from toolkit.apps.resize.opening import READ, rawmode_of, reading
from toolkit.apps.resize.operations import marks
from toolkit.apps.resize.operations.arguments import Length
from toolkit.apps.resize.operations.files import File
from toolkit.apps.resize.operations.steps import Step, grey
from toolkit.core.errors import FailureKind, TaskError

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


@lru_cache(maxsize=4)
def _scaled(image: File, size: marks.Size, opacity: float) -> Image.Image:
    small = modes.straight(modes.premultiplied(_loaded(image)).resize(size, Image.Resampling.LANCZOS, reducing_gap=3))
    small = marks.faded(small.convert("RGBA"), opacity)
    return grey(small) if _loaded(image).mode == "LA" else small


@lru_cache(maxsize=2)
def _loaded(image: File) -> Image.Image:
    """Return the image upright, in sRGB, as LA if it is stored as grey, else as RGBA; raises TaskError."""
    with warned.noting(), reading():  # what is odd about the mark is no news of each picture
        opened = Image.open(io.BytesIO(image.content()), formats=READ)
        if opened.width * opened.height > _MOST_PIXELS:
            raise TaskError(FailureKind.TOO_LARGE, f"a watermark has at most {_MOST_PIXELS:,} pixels")
        rawmode = rawmode_of(opened)
        opened.load()
        plain = modes.workable(opened, rawmode, keep_deep=False)
        plain = colour.to_srgb(plain, colour.usable_profile(opened.info.get("icc_profile"), plain.mode))
        ImageOps.exif_transpose(plain, in_place=True)
    return plain.convert("LA" if plain.mode in {"L", "LA"} else "RGBA")
