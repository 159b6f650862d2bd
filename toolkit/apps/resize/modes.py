"""From whatever Pillow decodes to the few modes that are worked on: L, LA, RGB, RGBA, CMYK and I;16."""

from __future__ import annotations

from functools import cache

from PIL import Image

from toolkit.apps.resize.warned import note
from toolkit.core.errors import FailureKind, TaskError

DEEP = "I;16"

_DEEP_MODES = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N"})
_SIXTEEN = 65_535

_SPREAD = {"L;2": 85, "L;4": 17}
"""What a sample of 2 or 4 bits is multiplied by as it is decoded; PNG's transparent sample is not (PNG, 11.3.1.1)."""

ALPHA = {"LA": "La", "RGBA": "RGBa"}
"""Modes with alpha, and their premultiplied forms."""


def workable(image: Image.Image, rawmode: str = "", *, keep_deep: bool) -> Image.Image:
    """Return the loaded image in a mode to work on; transparency of any sort becomes alpha.

    rawmode: how the file stores a pixel, in Pillow's words. keep_deep: leave 16-bit grey as it is. Raises TaskError.
    """
    if image.mode in _DEEP_MODES:
        return _grey16(image, keep_deep=keep_deep)
    if image.mode == "F":
        raise TaskError(FailureKind.UNSUPPORTED, "pixels are floating-point numbers, of unknown range")
    if image.mode in {"1", "L", "RGB"} and "transparency" in image.info:
        return _keyed(image, rawmode)
    if image.mode == "RGBA" and rawmode.startswith("LA"):  # as Pillow gives grey of 16 bits with alpha
        return image.convert("LA")
    if image.mode in {"P", "PA"}:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode in {"L", "LA", "RGB", "RGBA", "CMYK"}:
        return image
    return image.convert({"1": "L", "La": "LA", "RGBa": "RGBA"}.get(image.mode, "RGB"))


def is_narrowed(rawmode: str) -> bool:
    """Whether Pillow drops half of each sample while it decodes pixels that are stored so."""
    return rawmode.startswith(("RGB", "LA", "CMYK", "RGBA")) and ";16" in rawmode


def narrowed(image: Image.Image) -> Image.Image:
    """Return 16-bit grey as 8-bit grey, scaled."""
    return image.convert("I").point(_narrow(), "L")


@cache
def _narrow() -> list[int]:
    """Return the table from 16 bits to 8, scaled and rounded; Pillow's own conversion cuts off at 255."""
    return [(value * 255 + _SIXTEEN // 2) // _SIXTEEN for value in range(_SIXTEEN + 1)]


def premultiplied(image: Image.Image) -> Image.Image:
    """Return the image with its colours multiplied by alpha, if it has alpha: what filters must work on."""
    return image.convert(ALPHA[image.mode]) if image.mode in ALPHA else image


def straight(image: Image.Image) -> Image.Image:
    """Undo premultiplied()."""
    return image.convert({"La": "LA", "RGBa": "RGBA"}.get(image.mode, image.mode))


def flattened(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    """Return the image without alpha, laid on a colour."""
    if image.mode not in ALPHA:
        return image
    grey = image.mode == "LA" and len(set(background)) == 1
    below = Image.new("L" if grey else "RGB", image.size, background[0] if grey else background)
    below.paste(image.convert(below.mode), mask=image.getchannel("A"))
    return below


def _grey16(image: Image.Image, *, keep_deep: bool) -> Image.Image:
    if image.mode == "I":
        least, most = image.getextrema()
        if least < 0 or most > _SIXTEEN:  # type: ignore[operator]  # one band: two numbers
            raise TaskError(FailureKind.UNSUPPORTED, "pixels are 32-bit numbers, of unknown range")
    key = image.info.get("transparency")
    if isinstance(key, int):
        note("16-bit grey was narrowed to 8 bits")
        opaque = [255] * (_SIXTEEN + 1)
        opaque[min(key, _SIXTEEN)] = 0
        return Image.merge("LA", (narrowed(image), image.convert("I").point(opaque, "L")))
    if keep_deep:
        return image if image.mode == DEEP else image.convert(DEEP)
    note("16-bit grey was narrowed to 8 bits")
    return narrowed(image)


def _keyed(image: Image.Image, rawmode: str) -> Image.Image:
    key = image.info["transparency"]
    if isinstance(key, tuple) and is_narrowed(rawmode):
        key = tuple(part >> 8 for part in key)
    elif isinstance(key, int):
        key *= _SPREAD.get(rawmode, 1)
    plain = image.convert("L") if image.mode == "1" else image.copy()
    plain.info = {"transparency": key}
    keyed = plain.convert("RGBA" if plain.mode == "RGB" else "LA")
    keyed.info = {}
    return keyed
