"""Frames in time: complete frames, their durations and the number of plays, told to each format in its own way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import IO, Any

from PIL import Image, ImageChops, WebPImagePlugin

from toolkit.apps.resize.formats import ANIMATED, Format
from toolkit.apps.resize.warned import note

_VISIBLE = [0] * 128 + [255] * 128
"""GIF knows only seen and unseen: half-transparent or more is seen."""

_MOST = 256
"""Colours of a GIF's frame; where one of them is transparency, it is the last."""

FOREVER = 0
_SIXTEEN = 65_535

_VP8X_FLAGS, _VP8X_ALPHA = 20, 0x10
"""Where an extended WebP has its flags, and the one for alpha (WebP container specification, "VP8X")."""


@dataclass(frozen=True, slots=True)
class Film:
    """Frames, each complete. durations: milliseconds of each; empty for a still. plays: how often, or FOREVER."""

    frames: Sequence[Image.Image]
    durations: Sequence[float] = ()
    plays: int = FOREVER


def plays_of(image: Image.Image) -> int:
    """Return how often an animation is shown. GIF counts repeats, and plays once where it says nothing."""
    loop = image.info.get("loop")
    if image.format == "GIF":
        return 1 if loop is None else loop + 1 if loop else FOREVER
    return loop if isinstance(loop, int) else FOREVER


def whole(durations: Sequence[float], step: int = 1) -> list[int]:
    """Return durations in whole steps of milliseconds whose sum stays true; what was shown at all stays shown."""
    ends = [round(end / step) for end in accumulate(durations)]
    starts = [0, *ends][: len(ends)]
    return [
        max(step, (end - start) * step) if duration else 0
        for start, end, duration in zip(starts, ends, durations, strict=True)
    ]


def with_alpha(image: Image.Image) -> None:
    """Have an animated WebP decoded with alpha, also where the file says that it has none.

    It says so when every frame is opaque, though a frame may be smaller than the canvas, and nothing is around it.
    """
    if isinstance(image, WebPImagePlugin.WebPImageFile) and image.is_animated and image.rawmode == "RGBX":
        image.rawmode = image._mode = "RGBA"  # noqa: SLF001 - there is no other way to ask for it


def mark_alpha(file: IO[bytes]) -> None:
    """Say in an animated WebP that it has alpha: the encoder does not where only the canvas is seen through."""
    file.seek(_VP8X_FLAGS)
    flags = file.read(1)[0]
    file.seek(_VP8X_FLAGS)
    file.write(bytes([flags | _VP8X_ALPHA]))


def png_timing(film: Film) -> dict[str, Any]:
    """Return what Pillow must be told to write an animated PNG."""
    return _timing(film, [_apng(duration) for duration in film.durations], film.plays)


def _apng(duration: float) -> float:
    """Return a duration that a fraction of two 16-bit numbers can tell (PNG 3rd ed., 11.3.3.2), in milliseconds."""
    for step in (1, 10, 1000):
        if duration <= _SIXTEEN * step:
            return duration if step == 1 else round(duration / step) * step
    return _SIXTEEN * 1000.0


def webp_timing(film: Film) -> dict[str, Any]:
    """Return what Pillow must be told to write an animated WebP."""
    return _timing(film, whole(film.durations), _within(_SIXTEEN, film.plays, "webp"))


def avif_timing(film: Film) -> dict[str, Any]:
    """Return what Pillow must be told to write an animated AVIF, which always plays for ever."""
    told = _timing(film, whole(film.durations), film.plays)
    if told.pop("loop", FOREVER) != FOREVER:
        note(f"avif always plays for ever, not {'once' if film.plays == 1 else f'{film.plays} times'}")
    return told


def gif_timing(film: Film) -> dict[str, Any]:
    """Return what Pillow must be told to write an animated GIF, whose unit is 10 ms."""
    plays = _within(_SIXTEEN + 1, film.plays, "gif")
    told = _timing(film, whole(film.durations, 10), plays)
    clear = any("transparency" in frame.info for frame in film.frames)
    if told and plays != FOREVER:
        told.pop("loop")
        if plays > 1:
            told["loop"] = plays - 1
    # With transparency each frame must wipe out the last one, or that would show through.
    return told | {"disposal": 2} if told and clear else told


def as_palettes(film: Film, colours: int = _MOST) -> Film:
    """Return the film with each frame in so many colours of its own, one of them clear where a frame needs it."""
    clear = any(frame.mode == "RGBA" for frame in film.frames)
    return Film([_palette(frame, colours, clear=clear) for frame in film.frames], film.durations, film.plays)


def moments(film: Film, most: int) -> list[tuple[int, float]]:
    """Return the indices of up to most frames, evenly spread, each with a time (milliseconds) at which it is shown."""
    count = len(film.frames)
    ends = list(accumulate(film.durations)) if count > 1 else [0.0]
    few = min(most, count)
    chosen = [round(step * (count - 1) / max(1, few - 1)) for step in range(few)]
    return [(index, ends[index] - (film.durations[index] / 2 if count > 1 else 0)) for index in chosen]


def shown_at(image: Image.Image, times: Sequence[float]) -> list[Image.Image]:
    """Return what an opened picture shows at each of these times (milliseconds, rising).

    By time, because encoders join frames that are alike.
    """
    frames: list[Image.Image] = []
    end = 0.0
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        image.load()
        end += float(image.info.get("duration", 0))
        while len(frames) < len(times) and times[len(frames)] < end:
            frames.append(image.copy())
    return frames + [image.copy()] * (len(times) - len(frames))


def can_move(form: Format, image: Image.Image) -> bool:
    """Whether the image is an animation (not a file of several pictures), and the format holds one."""
    return is_animation(image) and form in ANIMATED


def is_animation(image: Image.Image) -> bool:
    """Whether the image's frames follow each other in time."""
    return image.format in {"GIF", "WEBP", "PNG", "AVIF"} and getattr(image, "n_frames", 1) > 1


def _within(most: int, plays: int, form: Format) -> int:
    if plays > most:
        note(f"{form} plays {most:,} times at most, not {plays:,}")
    return min(plays, most)


def _timing(film: Film, durations: Sequence[float], plays: int) -> dict[str, Any]:
    if len(film.frames) == 1:
        return {}
    return {"save_all": True, "append_images": list(film.frames[1:]), "duration": list(durations), "loop": plays}


def _palette(image: Image.Image, most: int, *, clear: bool) -> Image.Image:
    if image.mode == "L" and most == _MOST:
        return image
    colours = image.convert("RGB")
    if not clear:
        return _quantized(colours, most)
    seen = image.convert("RGBA").getchannel("A").point(_VISIBLE)
    unseen = ImageChops.invert(seen)
    colours.paste((0, 0, 0), mask=unseen)
    indexed = _quantized(colours, most - 1)
    indexed.paste(most - 1, mask=unseen)
    indexed.info["transparency"] = most - 1
    return indexed


def _quantized(colours: Image.Image, most: int) -> Image.Image:
    few = colours.getcolors(most)
    chosen = colours.quantize(most, Image.Quantize.MEDIANCUT)
    return chosen if few else colours.quantize(palette=chosen, dither=Image.Dither.FLOYDSTEINBERG)
