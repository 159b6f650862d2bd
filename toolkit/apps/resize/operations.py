"""The filters on pixels: tables and matrices where they will do, since Pillow releases the GIL for those.

Each works on L, LA, RGB and RGBA, and on every frame alike. Where neighbours mix, colours are premultiplied, so that
what is hidden under transparency does not bleed out of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PIL import Image, ImageFilter

from toolkit.apps.resize.filters import Filter
from toolkit.apps.resize.modes import ALPHA, premultiplied, straight

Apply = Callable[[Image.Image], Image.Image]

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey: ITU-R BT.601, on sRGB values, as Pillow and JPEG have them."""

_SEPIA = ((0.393, 0.769, 0.189), (0.349, 0.686, 0.168), (0.272, 0.534, 0.131))
_IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def apply(filters: Sequence[Filter], frames: Sequence[Image.Image], *, stay_rgb: bool = False) -> list[Image.Image]:
    """Return the frames with the filters applied in order. stay_rgb: grey results stay RGB, to fit a profile."""
    done = list(frames)
    for wanted in filters:
        step = _MAKERS[wanted.name](wanted.amount, done)
        done = [step(frame) for frame in done]
        if stay_rgb:
            done = [_coloured(frame) for frame in done]
    return done


def _blur(radius: float, _: Sequence[Image.Image]) -> Apply:
    return lambda image: straight(premultiplied(image).filter(ImageFilter.GaussianBlur(radius)))


def _sharpen(strength: float, _: Sequence[Image.Image]) -> Apply:
    mask = ImageFilter.UnsharpMask(radius=1.0, percent=round(100 * strength), threshold=0)
    return lambda image: straight(premultiplied(image).filter(mask))


def _grayscale(_: float, __: Sequence[Image.Image]) -> Apply:
    return lambda image: image.convert({"RGB": "L", "RGBA": "LA"}.get(image.mode, image.mode))


def _sepia(share: float, _: Sequence[Image.Image]) -> Apply:
    rows = [
        tuple(share * tone + (1 - share) * same for tone, same in zip(toned, plain, strict=True))
        for toned, plain in zip(_SEPIA, _IDENTITY, strict=True)
    ]
    matrix = tuple(number for row in rows for number in (*row, 0.0))

    def tone(image: Image.Image) -> Image.Image:
        return _with_alpha_of(image, image.convert("RGB").convert("RGB", matrix))

    return tone


def _contrast(factor: float, _: Sequence[Image.Image]) -> Apply:
    return _by_table([_level((value - 127.5) * factor + 127.5) for value in range(256)])


def _invert(_: float, __: Sequence[Image.Image]) -> Apply:
    return _by_table(list(range(255, -1, -1)))


def _autocontrast(percent: float, frames: Sequence[Image.Image]) -> Apply:
    """Stretch the tones to the full range: one table for all channels and frames, so that no hue shifts or flickers."""
    counts = [sum(column) for column in zip(*map(_tones, frames), strict=True)]
    spare = sum(counts) * percent / 100
    low, high = _first_above(counts, spare), 255 - _first_above(counts[::-1], spare)
    if high <= low:
        return lambda image: image
    return _by_table([_level((value - low) * 255 / (high - low)) for value in range(256)])


def _edge(_: float, __: Sequence[Image.Image]) -> Apply:
    """Return how much each pixel differs from its neighbours (a Laplacian); alpha stays."""

    def find(image: Image.Image) -> Image.Image:
        framed = _with_margin(premultiplied(image))
        found = framed.filter(ImageFilter.FIND_EDGES).crop((1, 1, image.width + 1, image.height + 1))
        if image.mode not in ALPHA:
            return found
        # The colours of the premultiplied result are taken as they are: they already fade out with alpha.
        bands = found.split()[:-1]
        return Image.merge(image.mode, (*bands, image.getchannel("A")))

    return find


def _by_table(table: list[int]) -> Apply:
    def look_up(image: Image.Image) -> Image.Image:
        colours = len(image.getbands()) - (image.mode in ALPHA)
        alpha = list(range(256)) if image.mode in ALPHA else []
        return image.point(table * colours + alpha)

    return look_up


def _tones(image: Image.Image) -> list[int]:
    """Count the pixels of each grey level, without those that cannot be seen."""
    if image.mode not in ALPHA:
        return image.convert("L").histogram()
    return image.convert("L").histogram(image.getchannel("A").point([0] + [255] * 255))


def _first_above(counts: Sequence[int], spare: float) -> int:
    total = 0
    for level, count in enumerate(counts):
        total += count
        if total > spare:
            return level
    return len(counts) - 1


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


def _with_alpha_of(image: Image.Image, coloured: Image.Image) -> Image.Image:
    if image.mode in ALPHA:
        coloured.putalpha(image.getchannel("A"))
    return coloured


def _coloured(image: Image.Image) -> Image.Image:
    return image.convert({"L": "RGB", "LA": "RGBA"}.get(image.mode, image.mode))


def _level(value: float) -> int:
    return min(255, max(0, int(value + 0.5)))


_MAKERS: dict[str, Callable[[float, Sequence[Image.Image]], Apply]] = {
    "blur": _blur,
    "sharpen": _sharpen,
    "grayscale": _grayscale,
    "sepia": _sepia,
    "contrast": _contrast,
    "autocontrast": _autocontrast,
    "invert": _invert,
    "edge": _edge,
}
