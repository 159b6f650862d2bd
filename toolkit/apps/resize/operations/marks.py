"""Marks laid over pictures, be they images or words: how large, where, and how they mix with what is below."""

from __future__ import annotations

from PIL import Image

from toolkit.apps.resize.geometry import Gravity, place_of
from toolkit.apps.resize.modes import ALPHA
from toolkit.apps.resize.operations.arguments import Length
from toolkit.apps.resize.operations.steps import coloured

Size = tuple[int, int]


def room(size: Size, margin: Length) -> Size:
    """Return the size that is left for a mark between the margins."""
    by = margin.pixels(size)
    return max(1, size[0] - 2 * by), max(1, size[1] - 2 * by)


def fitted(size: Size, most: Size) -> Size:
    """Return the size, or in its shape the largest within most: nearest pixel, halves up, at least 1."""
    width, height = size
    factor = min(1.0, most[0] / width, most[1] / height)
    return max(1, int(width * factor + 0.5)), max(1, int(height * factor + 0.5))


def faded(mark: Image.Image, opacity: float) -> Image.Image:
    """Return an RGBA mark with its alpha multiplied."""
    return mark.point([*range(256)] * 3 + [int(alpha * opacity + 0.5) for alpha in range(256)])


def laid(image: Image.Image, mark: Image.Image, position: Gravity, margin: Length) -> Image.Image:
    """Return the image with an LA or RGBA mark over it; a grey picture stays grey under a grey mark (LA)."""
    place, by = place_of(position), margin.pixels(image.size)
    left, top = (
        _start(side, of, by, share) for side, of, share in zip(image.size, mark.size, (place.x, place.y), strict=True)
    )
    image = (image if mark.mode == "LA" else coloured(image)).copy()
    if image.mode not in ALPHA:
        image.paste(mark.convert(image.mode), (left, top), mark.getchannel("A"))
        return image
    box = (left, top, left + mark.width, top + mark.height)
    below = image.crop(box).convert("RGBA")
    image.paste(Image.alpha_composite(below, mark.convert("RGBA")).convert(image.mode), box)
    return image


def _start(side: int, mark: int, margin: int, share: float) -> int:
    """Return where the mark begins along one side: within the margins, or in the middle if they leave too little."""
    spare = side - mark
    margin = min(margin, spare // 2)
    return margin + int((spare - 2 * margin) * share + 0.5)
