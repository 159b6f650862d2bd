"""Operations on the rim of the picture: border, rounded corners, vignette."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from PIL import Image, ImageDraw

from toolkit.apps.resize.colour_words import Colour
from toolkit.apps.resize.modes import ALPHA
from toolkit.apps.resize.operations.arguments import Length
from toolkit.apps.resize.operations.steps import LEVELS, Step, coloured, to_level, with_alpha_of, without_alpha

_OPAQUE = 255


def border(_: Sequence[Image.Image], width: Length, colour: Colour) -> Step:
    """Add a margin; the picture keeps its own transparency."""

    def add(image: Image.Image) -> Image.Image:
        image = image if _is_grey(colour) else coloured(image)
        if colour[3] < _OPAQUE and image.mode not in ALPHA:
            image = image.convert({"L": "LA", "RGB": "RGBA"}[image.mode])
        by = width.pixels(image.size)
        framed = Image.new(image.mode, (image.width + 2 * by, image.height + 2 * by), _ink(image.mode, colour))
        framed.paste(image, (by, by))
        return framed

    return add


def round_(_: Sequence[Image.Image], radius: Length) -> Step:
    """Cut the corners out of alpha, smoothly."""

    def cut(image: Image.Image) -> Image.Image:
        by = min(radius.pixels(image.size), min(image.size) // 2)
        if by == 0:
            return image
        alpha = image.getchannel("A") if image.mode in ALPHA else Image.new("L", image.size, _OPAQUE)
        outside = _outside_of_corner(by)
        for right in (False, True):
            for bottom in (False, True):
                at = (image.width - by if right else 0, image.height - by if bottom else 0)
                alpha.paste(0, (*at, at[0] + by, at[1] + by), _turned(outside, right=right, bottom=bottom))
        rounded = without_alpha(image).copy()
        rounded.putalpha(alpha)
        return rounded

    return cut


def vignette(_: Sequence[Image.Image], strength: float) -> Step:
    """Lay black over the picture, the more the farther from its centre."""
    shade = [to_level(_OPAQUE * strength * (distance / _OPAQUE) ** 2) for distance in LEVELS]

    def darken(image: Image.Image) -> Image.Image:
        # The gradient of 256 x 256 levels reaches 255 in its corners.
        distance = Image.radial_gradient("L").resize(image.size, Image.Resampling.BICUBIC)
        dark = without_alpha(image).copy()
        dark.paste(0, mask=distance.point(shade))
        return with_alpha_of(image, dark)

    return darken


@lru_cache(maxsize=4)
def _outside_of_corner(radius: int) -> Image.Image:
    """Return a mask of what lies outside of a circle, in its north-west quarter."""
    fine = max(2, min(8, 2048 // radius))
    mask = Image.new("L", (radius * fine, radius * fine), _OPAQUE)
    ImageDraw.Draw(mask).ellipse((0, 0, 2 * radius * fine - 1, 2 * radius * fine - 1), fill=0)
    return mask.reduce(fine)


def _turned(mask: Image.Image, *, right: bool, bottom: bool) -> Image.Image:
    if right:
        mask = mask.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return mask.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if bottom else mask


def _is_grey(colour: Colour) -> bool:
    return len(set(colour[:3])) == 1


def _ink(mode: str, colour: Colour) -> int | tuple[int, ...]:
    """Return a colour as a pixel of this mode; it is grey where the mode is."""
    red, _, _, alpha = colour
    inks: dict[str, int | tuple[int, ...]] = {"L": red, "LA": (red, alpha), "RGB": colour[:3], "RGBA": colour}
    return inks[mode]
