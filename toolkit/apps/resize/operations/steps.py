"""What operations on pixels are built of: tables, and the passage between grey, colour and alpha.

Pillow releases the GIL for tables, matrices, conversions and pasting; not for splitting and merging channels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PIL import Image

from toolkit.apps.resize.modes import ALPHA

Step = Callable[[Image.Image], Image.Image]
"""One operation on one frame; the frame given stays as it is."""

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey: ITU-R BT.601, on sRGB values, as Pillow and JPEG have them."""

LEVELS = range(256)


def same(image: Image.Image) -> Image.Image:
    """Change nothing."""
    return image


def by_table(table: Sequence[int]) -> Step:
    """Return a step that looks every colour channel up in one table of 256 levels; alpha stays."""

    def look_up(image: Image.Image) -> Image.Image:
        colours = len(image.getbands()) - (image.mode in ALPHA)
        return image.point([*table] * colours + _alpha(image))

    return look_up


def by_tables(tables: Sequence[Sequence[int]]) -> Step:
    """Return a step with a table for each of red, green and blue; grey becomes coloured, alpha stays."""
    joined = [level for table in tables for level in table]

    def look_up(image: Image.Image) -> Image.Image:
        image = coloured(image)
        return image.point(joined + _alpha(image))

    return look_up


def to_level(value: float) -> int:
    """Round to a level, halves up, within 0 to 255."""
    return min(255, max(0, int(value + 0.5)))


def grey(image: Image.Image) -> Image.Image:
    """Return the image as grey, with its alpha; itself if it is grey."""
    return _in_mode(image, {"RGB": "L", "RGBA": "LA"})


def coloured(image: Image.Image) -> Image.Image:
    """Return the image in RGB, with its alpha; itself if it is coloured."""
    return _in_mode(image, {"L": "RGB", "LA": "RGBA"})


def without_alpha(image: Image.Image) -> Image.Image:
    """Return the colours alone, also of what is hidden; the image itself if it has no alpha."""
    return _in_mode(image, {"LA": "L", "RGBA": "RGB"})


def with_alpha_of(image: Image.Image, plain: Image.Image) -> Image.Image:
    """Give the plain picture (L or RGB) the image's alpha, if it has any."""
    if image.mode in ALPHA:
        plain.putalpha(image.getchannel("A"))
    return plain


def _alpha(image: Image.Image) -> list[int]:
    return list(LEVELS) if image.mode in ALPHA else []


def _in_mode(image: Image.Image, modes: dict[str, str]) -> Image.Image:
    return image.convert(modes[image.mode]) if image.mode in modes else image
