"""Operations that mix a pixel with its neighbours; the colour of what is hidden mixes with nothing.

Blur softens alpha along with the premultiplied colours. The others leave alpha as it is, and see the colours around
where nothing is to be seen: were hidden pixels black to them, every soft edge would get a dark or light seam.
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageFilter

from toolkit.apps.resize.modes import ALPHA, premultiplied, straight
from toolkit.apps.resize.operations.steps import Step, with_alpha_of, without_alpha

_OPAQUE = 255
_SEEN = [min(_OPAQUE, 4 * alpha) for alpha in range(256)]
"""How far a pixel's own colour counts: fully from a quarter of opacity on, for below that it is coarse or unseen."""


def blur(_: Sequence[Image.Image], radius: float) -> Step:
    """Average with Gaussian weights."""
    soften = ImageFilter.GaussianBlur(radius)
    return lambda image: straight(premultiplied(image).filter(soften))


def sharpen(_: Sequence[Image.Image], strength: float) -> Step:
    """Take a narrow blur away."""
    return _filtered(ImageFilter.UnsharpMask(radius=1.0, percent=round(100 * strength), threshold=0), 1.0)


def unsharp(_: Sequence[Image.Image], radius: float, percent: int, threshold: int) -> Step:
    """Take a blur away, but where it differs little."""
    return _filtered(ImageFilter.UnsharpMask(radius, percent, threshold), radius)


def median(_: Sequence[Image.Image], size: int) -> Step:
    """Take the middle one of the values around, in each channel."""
    return _filtered(ImageFilter.MedianFilter(size), size / 2)


def edge(_: Sequence[Image.Image]) -> Step:
    """Take how much a pixel differs from its neighbours."""
    return _by_kernel(ImageFilter.FIND_EDGES)


def emboss(_: Sequence[Image.Image]) -> Step:
    """Take how much a pixel differs from the one to its north-west, on middle grey."""
    # Pillow's kernels begin with the lowest row.
    return _by_kernel(ImageFilter.Kernel((3, 3), (0, 0, 0, 0, 1, 0, -1, 0, 0), scale=1, offset=128))


def _by_kernel(kernel: type[ImageFilter.BuiltinFilter] | ImageFilter.Kernel) -> Step:
    def convolve(image: Image.Image) -> Image.Image:
        width, height = image.size
        return _with_margin(image).filter(kernel).crop((1, 1, width + 1, height + 1))

    return _unveiled(convolve, 1.0)


def _filtered(wanted: ImageFilter.MultibandFilter | ImageFilter.Filter, reach: float) -> Step:
    return _unveiled(lambda image: image.filter(wanted), reach)


def _unveiled(step: Step, reach: float) -> Step:
    """Return the step done on the colours that are seen, and alpha put back. reach: how far it looks, as a radius."""
    spread = ImageFilter.GaussianBlur(1 + 1.5 * reach)

    def done(image: Image.Image) -> Image.Image:
        if image.mode not in ALPHA:
            return step(image)
        alpha = image.getchannel("A")
        own = without_alpha(image)
        if alpha.getextrema()[0] != _OPAQUE:
            own = _outspread(own, alpha.point(_SEEN), spread)
        return with_alpha_of(image, step(own))

    return done


def _outspread(own: Image.Image, seen: Image.Image, spread: ImageFilter.GaussianBlur) -> Image.Image:
    """Return the colours where they are seen, and the mean of those around elsewhere."""
    weighted = own.copy()
    weighted.putalpha(seen)
    around = without_alpha(straight(premultiplied(weighted).filter(spread)))
    around.paste(own, mask=seen)
    return around


def _with_margin(image: Image.Image) -> Image.Image:
    """Repeat the outermost pixels once around: kernels of Pillow leave the last row as it was."""
    width, height = image.size
    framed = Image.new(image.mode, (width + 2, height + 2))
    framed.paste(image, (1, 1))
    for column, at in ((0, 0), (width - 1, width + 1)):
        framed.paste(image.crop((column, 0, column + 1, height)), (at, 1))
    for row, at in ((1, 0), (height, height + 1)):
        framed.paste(framed.crop((0, row, width + 2, row + 1)), (0, at))
    return framed
