"""Every format takes every mode, says what it wrote, and gives back what was asked of it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from tests.apps.resize.making import photo, profile
from toolkit.apps.resize import codecs, warned
from toolkit.apps.resize.animate import Film
from toolkit.apps.resize.encode import Recipe, Wrapping, Written, encode
from toolkit.apps.resize.formats import CLEAR, DEEP, FORMATS, LOSSLESS, LOSSY, TAGGED, Format, missing
from toolkit.apps.resize.recipe import QUALITY
from toolkit.core.errors import FailureKind, TaskError

MODES = ["L", "LA", "RGB", "RGBA", "I;16"]


@pytest.fixture(params=FORMATS)
def form(request: pytest.FixtureRequest) -> Format:
    """Each format whose extra is installed."""
    return available(request.param)


def available(form: Any) -> Format:
    if missing(form):
        pytest.skip(f"needs the extra {form}")
    return form  # type: ignore[no-any-return]


def written(image: Image.Image, path: Path, form: Format, /, **recipe: Any) -> tuple[Image.Image, Written]:
    """Encode one picture; return it decoded, and what was said of it."""
    wrapping = recipe.pop("wrapping", Wrapping())
    with open(path, "w+b") as file:
        result = encode(Film([image]), Recipe(form, **recipe), file, wrapping)
    assert result.bytes == path.stat().st_size
    return decoded(path.read_bytes(), form), result


def decoded(data: bytes, form: Format) -> Image.Image:
    with Image.open(io.BytesIO(data), formats=codecs.decoders(form)) as image:
        image.load()
    return image


def picture(mode: str) -> Image.Image:
    """Return a ramp from dark (left) to light (right), coloured if it can be; clear at the top if it can be."""
    ramp = np.linspace(20, 220, 48).astype(np.uint8)[None, :].repeat(32, 0)
    if mode == "I;16":
        return Image.fromarray(ramp.astype(np.uint16) * 257)
    grey = Image.fromarray(ramp)
    alpha = Image.new("L", grey.size, 255)
    alpha.paste(0, (0, 0, 48, 8))
    colour = Image.merge("RGB", (grey, grey.point(lambda v: v // 2), grey.point(lambda v: 255 - v)))
    if mode in {"L", "LA"}:
        return grey if mode == "L" else Image.merge("LA", (grey, alpha))
    return colour if mode == "RGB" else Image.merge("RGBA", (*colour.split(), alpha))


@pytest.mark.parametrize("mode", MODES)
def test_encode_of_every_mode(tmp_path: Path, form: Format, mode: str) -> None:
    """Colours come back near what they were, and transparency where the format has it; else it is on the background."""
    source = picture(mode)
    with warned.noting() as noted:
        back, result = written(source, tmp_path / "a", form, quality=95, wrapping=Wrapping((255, 0, 0)))
    assert (result.width, result.height, result.frames) == (48, 32, 1) == (*back.size, 1)
    assert bool(noted) == (mode == "I;16" and form not in DEEP)
    pixels = np.asarray((back.point(lambda v: v / 257, "L") if back.mode == "I;16" else back).convert("RGBA")).astype(
        int
    )
    lower = np.asarray(picture({"I;16": "L"}.get(mode, mode)).convert("RGBA")).astype(int)[10:]
    assert np.abs(pixels[10:] - lower).mean() < 6
    if "A" in mode:
        top = pixels[:6].reshape(-1, 4).mean(0)
        assert top[3] < 3 if form in CLEAR else np.abs(top[:3] - (255, 0, 0)).max() < 12


@pytest.mark.parametrize("form", sorted(LOSSLESS))
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_encode_without_loss(tmp_path: Path, form: Any, mode: str) -> None:
    """Every pixel that can be seen is given back as it was, also where no two are alike."""
    random = np.random.default_rng(3)
    bands = {"L": (), "RGB": (3,), "RGBA": (4,)}[mode]
    source = Image.fromarray(random.integers(1, 256, (19, 23, *bands), dtype=np.uint8))
    back, result = written(source, tmp_path / "a", available(form), lossless=True)
    assert result.quality is None
    assert np.array_equal(np.asarray(back.convert(mode)), np.asarray(source))


def test_encode_of_deep_grey_without_loss(tmp_path: Path) -> None:
    """16-bit grey stays 16-bit grey in the formats that are said to be deep."""
    source = Image.fromarray(np.arange(48 * 32, dtype=np.uint16).reshape(32, 48) * 42)
    for form in DEEP:
        if not missing(form):
            back, _ = written(source, tmp_path / form, form, lossless=True)
            assert np.array_equal(np.asarray(back), np.asarray(source)), form


def test_encode_tells_the_quality(tmp_path: Path, form: Format) -> None:
    """The usual quality where none is given, the one given, or none in a format that has none."""
    for given, told in ((None, QUALITY.get(form)), (40, 40 if form in LOSSY else None)):
        assert written(photo(48, 32), tmp_path / "a", form, quality=given)[1].quality == told


@pytest.mark.parametrize("form", sorted(LOSSY))
def test_encode_of_a_higher_quality(tmp_path: Path, form: Any) -> None:
    """A higher quality is a larger file; 100 can be asked for everywhere."""
    sizes = [written(photo(160, 120), tmp_path / "a", available(form), quality=q)[1].bytes for q in (20, 60, 100)]
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize("effort", ["fast", "usual", "best"])
def test_encode_with_every_effort(tmp_path: Path, form: Format, effort: str) -> None:
    """Effort changes the file, never the picture by much."""
    back, _ = written(photo(96, 64), tmp_path / "a", form, effort=effort)
    assert np.abs(np.asarray(back.convert("RGB")).astype(int) - np.asarray(photo(96, 64))).mean() < 12


@pytest.mark.parametrize(
    ("recipe", "sampling"),
    [
        ({}, 2),
        ({"quality": 89}, 2),
        ({"quality": 90}, 0),
        ({"quality": 95, "subsampling": "4:2:0"}, 2),
        ({"quality": 50, "subsampling": "4:4:4"}, 0),
        ({"subsampling": "4:2:2"}, 1),
    ],
)
def test_encode_subsampling_of_a_jpeg(tmp_path: Path, recipe: dict[str, Any], sampling: int) -> None:
    """Colour is halved both ways below quality 90, and whole from there, unless told otherwise."""
    back, _ = written(photo(64, 48), tmp_path / "a", "jpeg", **recipe)
    assert JpegImagePlugin.get_sampling(back) == sampling


def test_encode_subsampling_of_others(tmp_path: Path) -> None:
    """Full colour is larger where it can be had; where it cannot, that is said."""
    for form in ("avif", "heic"):
        if not missing(form):
            sizes = [
                written(photo(160, 120), tmp_path / "a", form, subsampling=how)[1].bytes for how in ("4:2:0", "4:4:4")
            ]
            assert sizes[0] < sizes[1], form
    with warned.noting() as noted:
        written(photo(16, 12), tmp_path / "a", "webp", subsampling="4:4:4")
    assert noted == ["webp always has a quarter of the colour (4:2:0), not 4:4:4"]


@pytest.mark.parametrize(
    ("recipe", "progressive"), [({}, False), ({"progressive": True}, True), ({"effort": "best"}, True)]
)
def test_encode_progressive(tmp_path: Path, recipe: dict[str, Any], progressive: bool) -> None:
    """A JPEG is progressive when asked for, and when time does not matter, for it is smaller."""
    back, _ = written(photo(64, 48), tmp_path / "a", "jpeg", **recipe)
    assert bool(back.info.get("progressive")) == progressive


def test_encode_progressive_noise(tmp_path: Path) -> None:
    """What hardly compresses needs more room than Pillow guesses."""
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (400, 500, 3), dtype=np.uint8))
    for quality in (85, 94, 100):
        written(noise, tmp_path / "a", "jpeg", progressive=True, quality=quality, subsampling="4:4:4")


@pytest.mark.parametrize("form", ["jpeg", "tiff", "heic", "jxl"])
def test_encode_of_frames_in_a_still_format(tmp_path: Path, form: Any) -> None:
    """The first frame is written, and that is said."""
    frames = [Image.new("RGB", (16, 12), colour) for colour in ("red", "blue")]
    with warned.noting() as noted, open(tmp_path / "a", "w+b") as file:
        result = encode(Film(frames, [40, 40]), Recipe(available(form)), file, Wrapping())
    assert result.frames == 1
    assert noted == ["only the first of 2 frames was kept"]


def test_encode_of_one_pixel(tmp_path: Path, form: Format) -> None:
    """The smallest picture is a picture."""
    back, _ = written(Image.new("RGB", (1, 1), (200, 10, 10)), tmp_path / "a", form)
    assert back.size == (1, 1)


def test_encode_what_the_format_refuses(tmp_path: Path) -> None:
    """A picture too large for the format is an error that names the format."""
    with open(tmp_path / "a", "w+b") as file, pytest.raises(TaskError, match="cannot be written as webp") as caught:
        encode(Film([Image.new("L", (16384, 1))]), Recipe("webp"), file, Wrapping())
    assert caught.value.kind is FailureKind.ENCODE


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full disk")
@pytest.mark.parametrize("limit", [None, 5000])
def test_encode_on_a_full_disk(form: Format, limit: int | None) -> None:
    """What the file system says goes through as it is."""
    with pytest.raises(OSError, match="No space left"), open("/dev/full", "r+b", buffering=0) as file:
        encode(Film([photo(160, 120)]), Recipe(form, max_bytes=limit), file, Wrapping())


def test_encode_of_what_an_image_remembers(tmp_path: Path, form: Format) -> None:
    """A profile and words that Pillow still has from the file that was read do not get into the result."""
    image = photo(48, 32).copy()
    image.info = {"icc_profile": profile("p3"), "comment": b"REMEMBERED", "exif": b"REMEMBERED", "xmp": b"REMEMBERED"}
    back, _ = written(image, tmp_path / "a", form)
    assert back.info.get("icc_profile") != profile("p3")
    assert b"REMEMBERED" not in (tmp_path / "a").read_bytes()


def test_encode_with_a_profile(tmp_path: Path, form: Format) -> None:
    """The profile that is given is in the file, in the formats that are said to hold one."""
    back, _ = written(photo(48, 32), tmp_path / "a", form, wrapping=Wrapping(icc=profile("p3")))
    assert (back.info.get("icc_profile") == profile("p3")) == (form in TAGGED)
