"""SSIM is what the paper says, over the windows that the module says."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tests.apps.resize.making import jpeg_bytes, photo
from toolkit.apps.resize.similarity import Reference

Luma = np.ndarray[Any, np.dtype[np.float64]]


def _reference(one: Image.Image, other: Image.Image) -> float:
    """Compute SSIM window by window, as its definition reads."""
    a, b = (np.asarray(image.convert("L")).astype(float) for image in (one, other))
    found = []
    for top in range(0, a.shape[0] // 4 * 4 - 7, 4):
        for left in range(0, a.shape[1] // 4 * 4 - 7, 4):
            x, y = a[top : top + 8, left : left + 8], b[top : top + 8, left : left + 8]
            covariance = ((x - x.mean()) * (y - y.mean())).mean()
            likeness = (2 * x.mean() * y.mean() + 6.5025) * (2 * covariance + 58.5225)
            found.append(likeness / ((x.mean() ** 2 + y.mean() ** 2 + 6.5025) * (x.var() + y.var() + 58.5225)))
    return float(np.mean(found))


@pytest.mark.parametrize("size", [(8, 8), (9, 30), (101, 67)])
def test_similarity_is_the_definition(size: tuple[int, int]) -> None:
    """It agrees with the formula to a thousandth, for many sorts of difference."""
    one = photo(*size)
    noise = np.random.default_rng(2).normal(0, 25, (size[1], size[0], 3))
    for other in (
        one.filter(ImageFilter.GaussianBlur(2)),
        one.point(lambda value: 255 - value),
        one.point(lambda value: value // 2),
        Image.fromarray(np.clip(np.asarray(one) + noise, 0, 255).astype(np.uint8)),
        Image.new("RGB", size, (250, 250, 250)),
    ):
        assert Reference(one).similarity(other) == pytest.approx(_reference(one, other), abs=1e-3)


def test_similarity_of_the_same() -> None:
    """The same picture is 1, in any mode that has the same luma."""
    for size in ((1, 1), (3, 90), (64, 48)):
        assert Reference(photo(*size)).similarity(photo(*size)) == pytest.approx(1, abs=1e-5)
        assert Reference(photo(*size)).similarity(photo(*size).convert("L")) == pytest.approx(1, abs=1e-5)


def test_similarity_falls_with_quality() -> None:
    """A coarser JPEG is less alike."""
    reference = Reference(photo(160, 120))
    found = [
        reference.similarity(Image.open(io.BytesIO(jpeg_bytes(photo(160, 120), quality=quality))))
        for quality in (95, 60, 30, 10)
    ]
    assert found == sorted(found, reverse=True)
    assert 1 > found[0] > 0.97
    assert 0.9 > found[-1] > 0.3


def test_similarity_of_different_sizes() -> None:
    """Pictures of different sizes cannot be compared."""
    with pytest.raises(ValueError, match="sizes differ"):
        Reference(photo(32, 32)).similarity(photo(32, 33))
