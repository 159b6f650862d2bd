"""Animations keep their frames, times, plays and transparency, from any format to any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageSequence

from tests.apps.resize.making import BLUE, GREEN, RED, array, failure, near, one
from toolkit.apps.resize.animate import Film, as_palettes, moments, png_timing, shown_at, whole
from toolkit.core.errors import FailureKind

COLOURS = (RED, GREEN, BLUE)
TIMES = [100, 200, 50]
MOVING = ["gif", "webp", "png", "avif"]


def _frames(*, clear: bool) -> list[Image.Image]:
    """Three frames: a square of one colour that moves right; around it grey, or nothing."""
    frames = []
    for step, colour in enumerate(COLOURS):
        frame = Image.new("RGBA", (64, 32), (0, 0, 0, 0) if clear else (128, 128, 128, 255))
        frame.paste((*colour, 255), (20 * step, 8, 20 * step + 20, 28))
        frames.append(frame)
    return frames


def _animation(path: Path, *, clear: bool = False, loop: int | None = 0) -> Path:
    frames = _frames(clear=clear)
    options: dict[str, Any] = {} if loop is None else {"loop": loop}
    own: dict[str, dict[str, Any]] = {".gif": {"disposal": 2}, ".webp": {"lossless": True}}
    options |= own.get(path.suffix, {})
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=TIMES, **options)
    return path


def _read(path: Path) -> tuple[list[Image.Image], list[float]]:
    with Image.open(path) as image:
        frames, times = [], []
        for frame in ImageSequence.Iterator(image):
            frames.append(frame.convert("RGBA"))
            times.append(frame.info["duration"])
        return frames, times


@pytest.mark.parametrize("clear", [False, True])
@pytest.mark.parametrize("form", MOVING)
@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".avif"])
def test_frames_times_and_transparency(tmp_path: Path, suffix: str, form: str, clear: bool) -> None:
    """Every frame comes through as it is composed, for as long as it was shown."""
    source = _animation(tmp_path / f"a{suffix}", clear=clear)
    _, value = one(source, tmp_path / "out", size="32x16", format=form, quality=95)
    frames, times = _read(tmp_path / "out" / value.output)
    assert (value.frames, len(frames)) == (3, 3)
    assert times == TIMES
    assert value.warnings == ()
    for step, (frame, colour) in enumerate(zip(frames, COLOURS, strict=True)):
        pixels = array(frame)
        assert near(pixels[9, 10 * step + 5], (*colour, 255), 40), (step, pixels[9, 10 * step + 5])
        rest = pixels[2, 2 + 10 * ((step + 1) % 3)]
        assert rest[3] <= 10 if clear else near(rest, (128, 128, 128, 255), 12)
        other = pixels[9, 10 * ((step + 1) % 3) + 5]
        assert other[3] <= 10 if clear else near(other, (128, 128, 128, 255), 40), "the last frame shows through"


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_transparency_around_opaque_frames(tmp_path: Path, suffix: str) -> None:
    """A canvas that is seen through around opaque frames stays so, though WebP's encoder forgets to say it."""
    source = _animation(tmp_path / f"a{suffix}", clear=True)
    _, value = one(source, tmp_path / "out", format="webp")
    frames, _ = _read(tmp_path / "out" / value.output)
    assert [frame.getpixel((2, 2))[3] for frame in frames] == [0, 0, 0]  # type: ignore[index]


@pytest.mark.parametrize(("suffix", "loop", "plays"), [(".gif", None, 1), (".gif", 0, 0), (".gif", 2, 3)])
def test_plays_of_a_gif(tmp_path: Path, suffix: str, loop: int | None, plays: int) -> None:
    """GIF counts repeats; WebP and PNG count plays; 0 is for ever."""
    source = _animation(tmp_path / f"a{suffix}", loop=loop)
    for form in ("webp", "png"):
        image, _ = one(source, tmp_path / "out", format=form)
        assert image.info["loop"] == plays
    image, _ = one(source, tmp_path / "out", format="gif")
    assert image.info.get("loop") == loop


@pytest.mark.parametrize(("plays", "loop"), [(0, 0), (1, None), (3, 2)])
def test_plays_of_a_webp_become_repeats(tmp_path: Path, plays: int, loop: int | None) -> None:
    """The other way round."""
    image, _ = one(_animation(tmp_path / "a.webp", loop=plays), tmp_path / "out", format="gif")
    assert image.info.get("loop") == loop


@pytest.mark.parametrize(
    ("suffix", "loop", "told"),
    [
        (".gif", None, ("avif always plays for ever, not once",)),
        (".gif", 2, ("avif always plays for ever, not 3 times",)),
        (".webp", 1, ("avif always plays for ever, not once",)),
        (".png", 4, ("avif always plays for ever, not 4 times",)),
        (".gif", 0, ()),
        (".avif", None, ()),
    ],
)
def test_plays_of_an_avif(tmp_path: Path, suffix: str, loop: int | None, told: tuple[str, ...]) -> None:
    """It plays for ever, and the result says so, once, where that is not what the original did."""
    source = _animation(tmp_path / f"a{suffix}", loop=loop)
    assert one(source, tmp_path / "out", format="avif")[1].warnings == told
    assert one(source, tmp_path / "tried", format="avif", max_bytes=100_000)[1].warnings == told


@pytest.mark.parametrize(
    ("suffix", "loop", "form", "kept", "told"),
    [
        (".gif", 65_535, "webp", 65_535, ("webp plays 65,535 times at most, not 65,536",)),
        (".gif", 65_535, "gif", 65_535, ()),
        (".png", 70_000, "gif", 65_535, ("gif plays 65,536 times at most, not 70,000",)),
        (".png", 70_000, "png", 70_000, ()),
    ],
)
def test_plays_when_a_format_counts_less_far(
    tmp_path: Path, suffix: str, loop: int, form: str, kept: int, told: tuple[str, ...]
) -> None:
    """It plays as often as the format can count, and the result says so."""
    image, value = one(_animation(tmp_path / f"a{suffix}", loop=loop), tmp_path / "out", format=form)
    assert (image.info["loop"], value.warnings) == (kept, told)


@pytest.mark.parametrize("form", ["jpeg", "tiff"])
def test_still_format_keeps_the_first_frame(tmp_path: Path, form: str) -> None:
    """A format without frames gets the first one, and the result says so."""
    image, value = one(_animation(tmp_path / "a.gif"), tmp_path / "out", format=form)
    assert near(image.convert("RGB").getpixel((5, 18)), RED, 12)
    assert value.warnings == ("only the first of 3 frames was kept",)


def test_disposal_to_previous(tmp_path: Path) -> None:
    """A frame that is taken away again leaves what was before it."""
    base = Image.new("P", (32, 32), 0)
    base.putpalette([128, 128, 128, 255, 0, 0, 0, 0, 255])
    spot = base.copy()
    spot.paste(1, (0, 0, 8, 8))
    other = base.copy()
    other.paste(2, (16, 16, 24, 24))
    base.save(
        tmp_path / "a.gif", save_all=True, append_images=[spot, other], duration=50, disposal=[1, 3, 1], optimize=False
    )
    _, value = one(tmp_path / "a.gif", tmp_path / "out", size="16x16", format="png")
    frames, _ = _read(tmp_path / "out" / value.output)
    assert near(frames[1].getpixel((1, 1)), (255, 0, 0, 255), 4)
    assert near(frames[2].getpixel((1, 1)), (128, 128, 128, 255), 4)
    assert near(frames[2].getpixel((10, 10)), (0, 0, 255, 255), 4)


def test_apng_with_a_default_image(tmp_path: Path) -> None:
    """The picture for viewers that cannot play is no frame; it is what a still shows."""
    frames = _frames(clear=False)
    cover = Image.new("RGBA", (64, 32), (1, 2, 3, 255))
    cover.save(tmp_path / "a.png", save_all=True, append_images=frames, duration=TIMES, default_image=True)
    _, value = one(tmp_path / "a.png", tmp_path / "out")
    assert value.frames == 3
    moved, times = _read(tmp_path / "out" / value.output)
    assert times == TIMES
    assert near(moved[0].getpixel((5, 18)), (*RED, 255), 4)
    still, _ = one(tmp_path / "a.png", tmp_path / "still", format="jpeg")
    assert near(still.getpixel((5, 18)), (1, 2, 3), 4)


def test_filters_on_every_frame(tmp_path: Path) -> None:
    """A filter is applied to all frames."""
    _, value = one(_animation(tmp_path / "a.gif"), tmp_path / "out", op=("invert",), format="png")
    frames, _ = _read(tmp_path / "out" / value.output)
    for step, colour in enumerate(COLOURS):
        inverse = tuple(255 - part for part in colour)
        assert near(frames[step].getpixel((20 * step + 8, 18)), (*inverse, 255), 4)


def test_too_many_frames(tmp_path: Path) -> None:
    """The limit on pixels is one for all frames together."""
    frames = [frame.resize((128, 64)) for frame in _frames(clear=False)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=TIMES)
    failed = failure(tmp_path / "a.gif", tmp_path / "out", max_pixels=128 * 64 * 3 - 1)
    assert failed.kind is FailureKind.TOO_LARGE
    one(tmp_path / "a.gif", tmp_path / "out", max_pixels=128 * 64 * 3)


@pytest.mark.parametrize(
    ("durations", "step", "result"),
    [
        ([], 10, []),
        ([100, 200], 10, [100, 200]),
        ([33.3, 33.3, 33.4], 10, [30, 40, 30]),
        ([1, 1, 1], 10, [10, 10, 10]),
        ([0, 50], 10, [0, 50]),
        ([33.34, 33.33, 33.33], 1, [33, 34, 33]),
    ],
)
def test_whole_durations_keep_their_sum(durations: list[float], step: int, result: list[int]) -> None:
    """Rounding does not make an animation faster or slower; no frame vanishes."""
    assert whole(durations, step) == result


@pytest.mark.parametrize(
    ("count", "most", "indices"),
    [(1, 5, [0]), (2, 5, [0, 1]), (3, 2, [0, 2]), (9, 5, [0, 2, 4, 6, 8]), (100, 3, [0, 50, 99])],
)
def test_moments_are_spread_evenly(count: int, most: int, indices: list[int]) -> None:
    """First and last are among them, each in the middle of its time."""
    film = Film([Image.new("L", (1, 1))] * count, [10.0 * (step + 1) for step in range(count)] if count > 1 else ())
    found = moments(film, most)
    assert [index for index, _ in found] == indices
    if count > 1:
        assert [when for _, when in found] == [5.0 * index * (index + 1) + 5.0 * (index + 1) for index in indices]


@pytest.mark.parametrize("form", MOVING)
def test_shown_at_a_time(tmp_path: Path, form: str) -> None:
    """What is shown is found by time, though encoders join frames that are alike."""
    red, blue = (Image.new("RGB", (32, 32), colour) for colour in (RED, BLUE))
    red.save(tmp_path / "a", form, save_all=True, append_images=[red, red, blue, red], duration=[100] * 5)
    with Image.open(tmp_path / "a") as image:
        shown = [frame.convert("RGB").getpixel((9, 9)) for frame in shown_at(image, [50, 250, 350, 450, 9999])]
    assert [near(colour, RED, 12) for colour in shown] == [True, True, False, True, True]


@pytest.mark.parametrize("clear", [False, True])
def test_palettes_of_few_colours(clear: bool) -> None:
    """No frame has more colours than allowed, transparency among them."""
    frames = as_palettes(Film(_frames(clear=clear)), 4).frames
    assert all(len(frame.getcolors() or ()) <= 4 for frame in frames)
    seen = frames[0].convert("RGBA").getpixel((2, 2))
    assert seen[3] == (0 if clear else 255)  # type: ignore[index]


@pytest.mark.parametrize(
    ("milliseconds", "told"),
    [(40.5, 40.5), (65_535, 65_535), (65_543, 65_540), (655_351, 655_000), (10**9, 65_535_000)],
)
def test_apng_when_a_frame_is_long(milliseconds: float, told: float) -> None:
    """A frame that is shown for minutes is timed in the steps that the format has for it."""
    film = Film([Image.new("L", (1, 1))] * 2, (milliseconds, 10.0))
    assert png_timing(film)["duration"] == [told, 10.0]
