"""Parts of pictures scaled by Pillow: with alpha premultiplied, and in linear light if that is asked for."""

from __future__ import annotations

from functools import cache
from math import ceil, floor

from PIL import Image, ImageMath

from toolkit.apps.resize.geometry import Region, Size
from toolkit.apps.resize.modes import ALPHA, DEEP, premultiplied, straight
from toolkit.apps.resize.settings import Resample

_REDUCING_GAP = 3.0
"""Down to three times the size by averaging boxes, then the filter: Pillow's documentation finds the result
indistinguishable from the filter alone, and our test against a float reference agrees."""

_FILTERS: dict[Resample, Image.Resampling] = {
    "lanczos": Image.Resampling.LANCZOS,
    "bicubic": Image.Resampling.BICUBIC,
    "hamming": Image.Resampling.HAMMING,
    "bilinear": Image.Resampling.BILINEAR,
    "box": Image.Resampling.BOX,
    "nearest": Image.Resampling.NEAREST,
}

_HAIR = 1e-6
"""Less than any part of a pixel that matters."""

_STEPS = 65_535
"""Linear light is held in floats, and looked up in so many steps on the way back; 8 bits need 4,000, for the dark."""

_DARK, _DIM = 0.04045, 0.0031308
"""The tone, and its light, below which sRGB is a straight line (IEC 61966-2-1)."""


def touched(region: Region, size: Size) -> tuple[int, int, int, int]:
    """Return the whole pixels, of an image of this size, of which a region has any part."""
    left, top = max(0, floor(region[0] + _HAIR)), max(0, floor(region[1] + _HAIR))
    right, bottom = min(size[0], ceil(region[2] - _HAIR)), min(size[1], ceil(region[3] - _HAIR))
    return left, top, max(left + 1, right), max(top + 1, bottom)


def scaled(frame: Image.Image, region: Region, size: Size, resample: Resample) -> Image.Image:
    """Return a region of a frame at another size; its info is empty.

    So no writer finds a profile, key colour or comment there that is no longer true.
    """
    frame, region = _cut(frame, region)
    if frame.size == size and region == (0, 0, *size):
        same = frame.copy()
        same.info = {}
        return same
    small = straight(filtered(premultiplied(frame), region, size, resample))
    small.info = {}
    return small


def filtered(ready: Image.Image, region: Region, size: Size, resample: Resample) -> Image.Image:
    """Return a region of an image at another size, all bands alike: of one with alpha, premultiplied."""
    # Pillow cannot average 16-bit pixels in advance, and nearest must take pixels as they are.
    gap = None if ready.mode == DEEP or resample == "nearest" else _REDUCING_GAP
    return ready.resize(size, _FILTERS[resample], box=_within(region, ready.size), reducing_gap=gap)


def linear(frame: Image.Image, region: Region, size: Size, resample: Resample) -> Image.Image:
    """Return a region of a frame (not CMYK; in sRGB's tones) scaled in linear light; its profile stays.

    In floats, premultiplied by alpha (IEC 61966-2-1 gives the curve).
    """
    kept = dict(frame.info)
    frame, region = _cut(frame, region)
    if frame.mode == DEEP:
        return _merged(DEEP, [_linear_deep(frame, region, size, resample)], kept)
    bands = frame.split()
    box, wanted = _within(region, frame.size), _FILTERS[resample]
    lights = [band.point(_to_light(), "F") for band in (bands[:-1] if frame.mode in ALPHA else bands)]
    if frame.mode not in ALPHA:
        done = [_to_tone(light.resize(size, wanted, box=box)) for light in lights]
        return _merged(frame.mode, done, kept)
    alpha = bands[-1].point([level / 255 for level in range(256)], "F")
    mixed = [_math(lambda a: a["light"] * a["alpha"], light=light, alpha=alpha) for light in lights]
    cover = alpha.resize(size, wanted, box=box)
    plain = [
        _math(lambda a: a["light"] / a["max"](a["alpha"], 1e-4), light=light.resize(size, wanted, box=box), alpha=cover)
        for light in mixed
    ]
    seen = _math(lambda a: a["alpha"] * 255 + 0.5, alpha=cover)
    return _merged(frame.mode, [*map(_to_tone, plain), _bytes_of(seen)], kept)


def _cut(frame: Image.Image, region: Region) -> tuple[Image.Image, Region]:
    """Return the pixels that a region touches, and where among them it lies.

    Filters look around each pixel, and would find there what was cut off: of a trimmed border, its colour.
    """
    box = touched(region, frame.size)
    if box == (0, 0, *frame.size):
        return frame, region
    left, top, right, bottom = region
    return frame.crop(box), (left - box[0], top - box[1], right - box[0], bottom - box[1])


def _linear_deep(frame: Image.Image, region: Region, size: Size, resample: Resample) -> Image.Image:
    """Scale 16-bit grey; by formula, since there are no tables from 16 bits."""
    tone = _math(lambda a: a["frame"] / float(_STEPS), frame=frame.convert("F"))
    light = _math(
        lambda a: (a["t"] <= _DARK) * a["t"] / 12.92 + (a["t"] > _DARK) * ((a["t"] + 0.055) / 1.055) ** 2.4,
        t=tone,
    )
    small = light.resize(size, _FILTERS[resample], box=_within(region, frame.size))
    kept = _math(lambda a: a["min"](a["max"](a["s"], 0.0), 1.0), s=small)
    steps = _math(
        lambda a: (
            ((a["s"] <= _DIM) * a["s"] * 12.92 + (a["s"] > _DIM) * (1.055 * a["s"] ** (1 / 2.4) - 0.055)) * _STEPS + 0.5
        ),
        s=kept,
    )
    return steps.convert("I").convert(DEEP)


def _merged(mode: str, bands: list[Image.Image], info: dict[str | tuple[int, int], object]) -> Image.Image:
    merged = bands[0] if len(bands) == 1 else Image.merge(mode, bands)
    merged.info = dict(info)
    return merged


def _within(region: Region, size: Size) -> Region:
    """Return the region without what the last bit of a division lets stick out: Pillow refuses that."""
    left, top, right, bottom = region
    return max(0.0, left), max(0.0, top), min(float(size[0]), right), min(float(size[1]), bottom)


def _math(formula: object, **images: Image.Image) -> Image.Image:
    done: Image.Image = ImageMath.lambda_eval(formula, **images)  # type: ignore[arg-type]
    return done


@cache
def _to_light() -> list[float]:
    return [_light(level / 255) for level in range(256)]


def _light(tone: float) -> float:
    return tone / 12.92 if tone <= _DARK else ((tone + 0.055) / 1.055) ** 2.4


def _tone(light: float) -> float:
    return light * 12.92 if light <= _DIM else 1.055 * light ** (1 / 2.4) - 0.055


@cache
def _tones() -> list[int]:
    return [int(_tone(step / _STEPS) * 255 + 0.5) for step in range(_STEPS + 1)]


def _to_tone(light: Image.Image) -> Image.Image:
    """Return light (F, 0 to 1, a little over for ringing filters) as an 8-bit tone."""
    steps = _math(lambda a: a["min"](a["max"](a["light"], 0.0), 1.0) * _STEPS + 0.5, light=light)
    return steps.convert("I").point(_tones(), "L")


def _bytes_of(levels: Image.Image) -> Image.Image:
    return _math(lambda a: a["min"](a["max"](a["levels"], 0.0), 255.0), levels=levels).convert("L")
