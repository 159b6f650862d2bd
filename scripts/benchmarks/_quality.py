"""How near a small picture is to the best that could be made of the large one: PSNR and SSIM against a float reference.

The reference is the whole picture, no shrink-on-load, through Pillow's Lanczos filter in 32-bit floats, a channel at a
time; pixels with alpha are multiplied by it first. It is never encoded: what a format loses counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import fmean

import numpy as np
from PIL import Image

Pixels = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
"""Channels, height, width; 0 to 255."""

_TAPS = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
WINDOW = _TAPS / _TAPS.sum()
"""The window of SSIM, eleven pixels wide (Wang et al., 2004)."""
LUMA = np.array([0.299, 0.587, 0.114])
LIKE = 100.0
"""dB that stand for no difference at all."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Means of some pictures. psnr: dB, of all channels. ssim: 0 to 1, of the luma. size: bytes of a file."""

    psnr: float
    ssim: float
    size: float


def mean(qualities: Sequence[Quality]) -> Quality:
    """Return the means of some pictures' figures."""
    return Quality(*(fmean(getattr(each, name) for each in qualities) for name in ("psnr", "ssim", "size")))


def quality(result: Path, source: Path) -> Quality:
    """Compare a result with the reference made of its source in the result's own size."""
    with Image.open(result) as image:
        come = _premultiplied(image)
        wanted = reference(source, image.size)
    return Quality(psnr(come, wanted), ssim(_luma(come), _luma(wanted)), result.stat().st_size)


@lru_cache(maxsize=32)  # all tools are compared with the same few
def reference(source: Path, size: tuple[int, int]) -> Pixels:
    """Return the picture in this size as exactly as can be."""
    with Image.open(source) as image:
        channels = _premultiplied(image)
    small = [
        np.asarray(Image.fromarray(channel.astype(np.float32)).resize(size, Image.Resampling.LANCZOS))
        for channel in channels
    ]
    return np.clip(np.stack(small).astype(np.float64), 0, 255)


def psnr(one: Pixels, other: Pixels) -> float:
    """Return the peak signal-to-noise ratio in dB."""
    error = float(np.mean((one - other) ** 2))
    return min(LIKE, float(10 * np.log10(255**2 / error))) if error else LIKE


def ssim(one: np.ndarray, other: np.ndarray) -> float:
    """Return the mean structural similarity of two planes of 0 to 255."""
    small, smaller = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean_one, mean_other = _blurred(one), _blurred(other)
    spread_one = _blurred(one**2) - mean_one**2
    spread_other = _blurred(other**2) - mean_other**2
    common = _blurred(one * other) - mean_one * mean_other
    above = (2 * mean_one * mean_other + small) * (2 * common + smaller)
    below = (mean_one**2 + mean_other**2 + small) * (spread_one + spread_other + smaller)
    return float(np.mean(above / below))


def _premultiplied(image: Image.Image) -> Pixels:
    mode = "RGBA" if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info else "RGB"
    channels = np.moveaxis(np.asarray(image.convert(mode), dtype=np.float64), 2, 0)
    if mode == "RGBA":
        channels = np.concatenate([channels[:3] * (channels[3] / 255), channels[3:]])
    return channels


def _luma(pixels: Pixels) -> np.ndarray:
    return np.tensordot(LUMA, pixels[:3], axes=1)


def _blurred(plane: np.ndarray) -> np.ndarray:
    """Return the plane through the window, without the margin in which that would stick out."""
    for axis in (0, 1):
        count = plane.shape[axis] - len(WINDOW) + 1
        parts = (weight * np.take(plane, range(start, start + count), axis=axis) for start, weight in enumerate(WINDOW))
        plane = sum(parts, np.zeros(()))
    return plane
