"""Figures of quality: known answers, and that what is worse gets less."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from _quality import LIKE, Quality, mean, psnr, quality, reference, ssim
from PIL import Image, ImageFilter


def noise(width: int, height: int) -> Image.Image:
    """Return coloured noise, smooth enough to be shrunk."""
    pixels = np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(2))


def test_psnr_has_known_answers() -> None:
    """An error of 1 everywhere is 48.13 dB, of 255 is 0; none at all has a figure, too."""
    black = np.zeros((3, 8, 8))
    assert psnr(black, black) == LIKE
    assert psnr(black, black + 1) == pytest.approx(48.1308, abs=1e-4)
    assert psnr(black, black + 255) == 0


def test_ssim_has_known_answers() -> None:
    """It is 1 for the same planes; for even ones of 0 and 255 only the constant of the mean is left."""
    plane = np.asarray(noise(40, 30).convert("L"), dtype=np.float64)
    assert ssim(plane, plane) == pytest.approx(1)
    assert ssim(np.zeros((20, 20)), np.full((20, 20), 255.0)) == pytest.approx(1e-4, rel=1e-3)
    checks = np.indices((30, 40)).sum(axis=0) % 2 * 255.0
    assert ssim(checks, 255 - checks) == pytest.approx(-1, abs=0.02)


def test_even_picture_is_its_own_reference(tmp_path: Path) -> None:
    """Shrunk floats keep a colour to the last digit, and what shows through counts for nothing."""
    Image.new("RGB", (64, 32), (10, 200, 30)).save(tmp_path / "even.png")
    small = reference(tmp_path / "even.png", (16, 8))
    assert small.shape == (3, 8, 16)
    assert np.abs(small - np.array([10, 200, 30])[:, None, None]).max() < 1e-3
    Image.new("RGBA", (64, 32), (255, 255, 255, 0)).save(tmp_path / "clear.png")
    assert not reference(tmp_path / "clear.png", (16, 8)).any()


def test_better_filter_and_better_encoding_have_more(tmp_path: Path) -> None:
    """The reference's own filter without loss comes first; a coarser filter, and stronger encoding, lose."""
    source = tmp_path / "source.png"
    large = noise(200, 160)
    large.save(source)
    small = large.resize((50, 40), Image.Resampling.LANCZOS)
    small.save(tmp_path / "best.png")
    large.resize((50, 40), Image.Resampling.NEAREST).save(tmp_path / "coarse.png")
    small.save(tmp_path / "90.jpg", quality=90)
    small.save(tmp_path / "30.jpg", quality=30)
    best, coarse, good, bad = (
        quality(tmp_path / name, source) for name in ("best.png", "coarse.png", "90.jpg", "30.jpg")
    )
    assert best.psnr > 55
    assert best.psnr > coarse.psnr + 10
    assert best.psnr > good.psnr > bad.psnr
    assert 1 > best.ssim > good.ssim > bad.ssim
    assert good.size == (tmp_path / "90.jpg").stat().st_size > bad.size


def test_colours_under_transparency_must_be_weighed(tmp_path: Path) -> None:
    """A tool that lets the colour of what cannot be seen into its edges is told apart."""
    pixels = np.zeros((64, 64, 4), dtype=np.uint8)
    pixels[:, :33], pixels[:, 33:] = (255, 0, 0, 255), (0, 255, 0, 0)
    picture = Image.fromarray(pixels)
    picture.save(tmp_path / "source.png")
    picture.resize((16, 16), Image.Resampling.LANCZOS).save(tmp_path / "right.png")
    bands = [band.resize((16, 16), Image.Resampling.LANCZOS) for band in picture.split()]
    Image.merge("RGBA", bands).save(tmp_path / "wrong.png")
    right, wrong = (quality(tmp_path / f"{name}.png", tmp_path / "source.png") for name in ("right", "wrong"))
    assert right.psnr > wrong.psnr + 10


def test_means() -> None:
    """Each figure has its own."""
    assert mean([Quality(30, 0.9, 100), Quality(40, 1.0, 300)]) == Quality(35, 0.95, 200)
