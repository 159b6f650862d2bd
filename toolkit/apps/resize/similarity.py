"""How alike two pictures look: the structural similarity index (SSIM) of their luma.

Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural similarity", 2004,
with K1 = 0.01, K2 = 0.03 and L = 255; over windows of 8 x 8 pixels, all weighing the same, at every fourth pixel (as
video encoders do), not their Gaussian ones of 11 x 11. Up to three pixels at the right and lower edge are in no window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageMath

STEP, WINDOW = 4, 8
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


@dataclass(frozen=True, slots=True)
class _Luma:
    """The luma of a picture, and the mean and variance of each window in it."""

    values: Image.Image
    mean: Image.Image
    variance: Image.Image


class Reference:
    """A picture that others, of the same size, are compared with."""

    def __init__(self, image: Image.Image) -> None:
        self._size = image.size
        self._luma = _luma(image)

    def similarity(self, other: Image.Image) -> float:
        """Return the SSIM, 1 for the same luma; it is below 0 only where one is the other's negative."""
        if other.size != self._size:
            raise ValueError(f"the sizes differ: {self._size} and {other.size}")
        mine, its = self._luma, _luma(other)
        both = _windows(_math(lambda v: v["a"] * v["b"], a=mine.values, b=its.values))
        index = _math(_index, a=mine.mean, b=its.mean, p=mine.variance, q=its.variance, both=both)
        mean = index.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
        assert isinstance(mean, float)  # noqa: S101 - for the type checker: one band of numbers
        return mean


def _index(v: dict[str, Any]) -> Any:
    means = v["a"] * v["b"]
    alike = (means * 2 + _C1) * ((v["both"] - means) * 2 + _C2)
    return alike / ((v["a"] * v["a"] + v["b"] * v["b"] + _C1) * (v["p"] + v["q"] + _C2))


def _luma(image: Image.Image) -> _Luma:
    grey = image if image.mode == "L" else image.convert("L")
    if min(grey.size) < WINDOW:  # pixels are repeated until there is one window
        width, height = grey.size
        grey = grey.resize((max(width, WINDOW), max(height, WINDOW)), Image.Resampling.NEAREST)
    width, height = (side - side % STEP for side in grey.size)
    values = grey.crop((0, 0, width, height)).convert("F")
    mean = _windows(values)
    square = _windows(_math(lambda v: v["a"] * v["a"], a=values))
    return _Luma(values, mean, _math(lambda v: v["square"] - v["a"] * v["a"], square=square, a=mean))


def _windows(values: Image.Image) -> Image.Image:
    """Return the mean of each window: of each block of 4 x 4, and then of each 2 x 2 of these."""
    blocks = values.reduce(STEP)
    width, height = blocks.width - 1, blocks.height - 1
    corners = {f"{x}{y}": blocks.crop((x, y, x + width, y + height)) for x in (0, 1) for y in (0, 1)}
    return _math(lambda v: (v["00"] + v["01"] + v["10"] + v["11"]) * 0.25, **corners)


def _math(expression: Any, **images: Image.Image) -> Image.Image:
    result = ImageMath.lambda_eval(expression, **images)
    assert isinstance(result, Image.Image)  # noqa: S101 - for the type checker
    return result
