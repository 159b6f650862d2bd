"""A limit on bytes is kept, or refused with the least there is; a wanted likeness is reached, or its lack is told."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.apps.resize.making import photo
from tests.apps.resize.test_encode import available, decoded, written
from toolkit.apps.resize import warned
from toolkit.apps.resize.animate import Film
from toolkit.apps.resize.encode import Recipe, Wrapping, encode
from toolkit.apps.resize.formats import LOSSY, Format
from toolkit.apps.resize.metadata import Said
from toolkit.apps.resize.recipe import CEILING, FLOOR, QUALITY
from toolkit.apps.resize.similarity import Reference
from toolkit.core.errors import FailureKind, TaskError

SIZE, SMALL = (240, 160), (120, 80)


@cache
def grainy(width: int, height: int) -> Image.Image:
    """Return a photograph with grain, so that quality counts."""
    grain = np.random.default_rng(4).normal(0, 12, (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(photo(width, height)) + grain, 0, 255).astype(np.uint8))


@pytest.fixture(params=sorted(LOSSY))
def form(request: pytest.FixtureRequest) -> Format:
    """Each lossy format whose extra is installed."""
    return available(request.param)


def _bytes(form: Format, quality: int, image: Image.Image | None = None) -> int:
    with io.BytesIO() as file:
        return encode(Film([image or grainy(*SIZE)]), Recipe(form, quality), file, Wrapping()).bytes


def test_max_bytes_by_quality(tmp_path: Path, form: Format) -> None:
    """The quality is the highest whose file is no larger; all pixels stay."""
    for between in (35, 80):
        limit = _bytes(form, between)
        with warned.noting() as noted:
            back, result = written(grainy(*SIZE), tmp_path / "a", form, max_bytes=limit)
        assert result.bytes <= limit
        assert result.quality is not None
        assert result.quality >= between
        assert _bytes(form, result.quality) == result.bytes
        assert _bytes(form, result.quality + 1) > limit
        assert (back.size, noted) == (SIZE, [])


def test_max_bytes_that_is_plenty(tmp_path: Path, form: Format) -> None:
    """Quality goes no higher than is of use, or than it was given."""
    assert written(grainy(*SIZE), tmp_path / "a", form, max_bytes=10**9)[1].quality == CEILING
    assert written(grainy(*SIZE), tmp_path / "a", form, max_bytes=10**9, quality=60)[1].quality == 60
    assert written(grainy(*SIZE), tmp_path / "a", form, max_bytes=10**9, quality=100)[1].quality == 100


def test_max_bytes_by_fewer_pixels(tmp_path: Path, form: Format) -> None:
    """Where the lowest quality is too large, the picture gets smaller in its shape, and that is said."""
    limit = max(900, _bytes(form, FLOOR[form]) // 2)
    with warned.noting() as noted:
        back, result = written(grainy(*SIZE), tmp_path / "a", form, max_bytes=limit)
    assert limit * 0.5 < result.bytes <= limit
    assert (result.width, result.height) == back.size
    assert back.width < SIZE[0]
    assert abs(back.width / back.height - 1.5) < 0.05
    assert result.quality is not None
    assert FLOOR[form] <= result.quality <= QUALITY[form]
    told = f"240 x 160 pixels were reduced to {back.width} x {back.height}, to stay within {limit:,} bytes"
    assert noted == [told]
    assert (
        np.abs(
            np.asarray(back.convert("RGB").resize((30, 20))).astype(int) - np.asarray(grainy(*SIZE).resize((30, 20)))
        ).mean()
        < 16
    )


@pytest.mark.parametrize("form", ["png", "tiff", "gif", "webp"])
def test_max_bytes_without_a_quality(tmp_path: Path, form: Any) -> None:
    """What has no quality gets fewer pixels."""
    lossless = form != "gif"
    _, whole = written(grainy(*SMALL), tmp_path / "a", form, lossless=lossless)
    _, result = written(grainy(*SMALL), tmp_path / "a", form, lossless=lossless, max_bytes=whole.bytes // 3)
    assert whole.bytes // 5 < result.bytes <= whole.bytes // 3
    assert result.width < SMALL[0]
    assert result.quality is None


def test_max_bytes_of_a_gif_by_fewer_colours(tmp_path: Path) -> None:
    """A GIF first gives up colours, and says so."""
    _, whole = written(grainy(*SMALL), tmp_path / "a", "gif")
    with warned.noting() as noted:
        back, result = written(grainy(*SMALL), tmp_path / "a", "gif", max_bytes=whole.bytes * 3 // 4)
    assert back.size == SMALL
    assert result.bytes <= whole.bytes * 3 // 4
    assert noted[0] in {
        f"only {colours} colours, to stay within {whole.bytes * 3 // 4:,} bytes" for colours in (128, 64)
    }


def test_max_bytes_that_cannot_be(tmp_path: Path, form: Format) -> None:
    """The failure says the least that it came to, and what to do."""
    with pytest.raises(TaskError, match=f"as {form} within 50 bytes: the least it came to is ") as caught:
        written(grainy(*SIZE), tmp_path / "a", form, max_bytes=50)
    assert caught.value.kind is FailureKind.ENCODE
    assert f"with 24 x 16 pixels at quality {FLOOR[form]}; raise --max-bytes" in str(caught.value)
    assert (tmp_path / "a").stat().st_size == 0


def test_max_bytes_counts_what_is_said(tmp_path: Path) -> None:
    """Metadata is part of the file; it is not dropped unasked."""
    said = Said(xmp=b"<x>" + b"a" * 5000 + b"</x>")
    _, result = written(grainy(*SIZE), tmp_path / "a", "jpeg", max_bytes=9000, wrapping=Wrapping(said=said))
    assert result.bytes <= 9000
    assert said.xmp in (tmp_path / "a").read_bytes()
    with pytest.raises(TaskError, match="or take --metadata strip"):
        written(grainy(*SIZE), tmp_path / "a", "jpeg", max_bytes=5000, wrapping=Wrapping(said=said))


def test_max_bytes_with_transparency(tmp_path: Path) -> None:
    """Fewer pixels do not let hidden colours out."""
    image = Image.new("RGBA", (200, 200), (0, 255, 0, 0))
    image.paste(
        Image.merge("RGBA", (*photo(200, 100).convert("L").convert("RGB").split(), Image.new("L", (200, 100), 255))),
        (0, 0),
    )
    back, _ = written(image, tmp_path / "a", "png", max_bytes=6000)
    red, green, blue, alpha = np.asarray(back).astype(int).transpose(2, 0, 1)
    seen = alpha > 30
    assert np.abs(green - red)[seen].max() <= 8
    assert np.abs(green - blue)[seen].max() <= 8


def test_max_bytes_of_a_film(tmp_path: Path) -> None:
    """All frames get smaller together and stay in time."""
    frames = [grainy(96, 64).rotate(turn) for turn in (0, 90, 180)]
    film = Film(frames, [100, 200, 50])
    with open(tmp_path / "a", "w+b") as file:
        result = encode(film, Recipe("webp", max_bytes=900), file, Wrapping())
    back = decoded((tmp_path / "a").read_bytes(), "webp")
    assert (result.frames, back.n_frames) == (3, 3)  # type: ignore[attr-defined]
    assert result.bytes <= 900
    assert back.size == (result.width, result.height) != (96, 64)


@pytest.mark.parametrize("target", [0.8, 0.9, 0.97])
def test_ssim_that_is_met(tmp_path: Path, form: Format, target: float) -> None:
    """The quality is the lowest that is alike enough: one less is not."""
    source = grainy(*SIZE)
    back, result = written(source, tmp_path / "a", form, ssim=target)
    assert result.quality is not None
    assert result.ssim is not None
    assert result.ssim == pytest.approx(Reference(source).similarity(back), abs=1e-6)
    assert result.ssim >= target
    if result.quality > 1:
        less, _ = written(source, tmp_path / "b", form, quality=result.quality - 1)
        assert Reference(source).similarity(less) < target


def test_ssim_that_cannot_be(tmp_path: Path) -> None:
    """The best there is, and a warning that says how far it came."""
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    with warned.noting() as noted:
        _, result = written(noise, tmp_path / "a", "webp", ssim=0.9999)
    assert result.quality == 100
    assert noted == [f"an SSIM of 0.9999 was not reached: {result.ssim:.4f} at quality 100"]


def test_ssim_and_max_bytes(tmp_path: Path) -> None:
    """Both, if both can be; else the bytes are kept, and the likeness that is lost is said."""
    source = grainy(*SIZE)
    _, alone = written(source, tmp_path / "a", "jpeg", ssim=0.95)
    with warned.noting() as noted:
        _, both = written(source, tmp_path / "a", "jpeg", ssim=0.95, max_bytes=alone.bytes)
    assert (both, noted) == (alone, [])
    with warned.noting() as noted:
        _, small = written(source, tmp_path / "a", "jpeg", ssim=0.95, max_bytes=alone.bytes * 3 // 4)
    assert small.bytes <= alone.bytes * 3 // 4
    assert small.ssim is not None
    assert small.ssim < 0.95
    assert noted == [f"an SSIM of 0.95 was not reached within {alone.bytes * 3 // 4:,} bytes: {small.ssim:.4f}"]


def test_ssim_where_nothing_is_lost(tmp_path: Path) -> None:
    """A format without a quality has nothing to look for."""
    assert written(photo(32, 24), tmp_path / "a", "png", ssim=0.99)[1].ssim is None


@pytest.mark.parametrize("form", ["webp", "avif"])
def test_ssim_of_a_film(tmp_path: Path, form: Any) -> None:
    """The worst frame counts, also where the encoder joins frames that are alike."""
    plain = Image.new("RGB", (96, 64), (90, 90, 90))
    film = Film([plain, plain, photo(96, 64), plain], [100, 100, 100, 100])
    with open(tmp_path / "a", "w+b") as file:
        moving = encode(film, Recipe(form, ssim=0.9), file, Wrapping())
    _, calm = written(plain, tmp_path / "a", form, ssim=0.9)
    assert moving.ssim is not None
    assert 0.9 <= moving.ssim < 0.99
    assert moving.quality is not None
    assert calm.quality is not None
    assert moving.quality > calm.quality


def test_ssim_with_transparency(tmp_path: Path) -> None:
    """Pixels are compared as they are seen on the background."""
    image = Image.merge("RGBA", (*photo(96, 64).split(), Image.linear_gradient("L").resize((96, 64))))
    _, result = written(image, tmp_path / "a", "webp", ssim=0.95)
    assert result.ssim is not None
    assert result.ssim >= 0.95
