"""Frames laid on a canvas larger than they are."""

from __future__ import annotations

from PIL import Image

from toolkit.apps.resize.colour_words import Colour
from toolkit.apps.resize.geometry import Layout
from toolkit.apps.resize.modes import ALPHA, DEEP, flattened, narrowed
from toolkit.apps.resize.warned import note

_OPAQUE = 255


def on_canvas(frame: Image.Image, layout: Layout, background: Colour, *, flat: bool) -> Image.Image:
    """Return the frame on its canvas in the colour of the background; as it is if it covers it. flat: without alpha.

    The picture keeps its own transparency: only the margin is filled. A frame that a border made larger than it was
    laid out has no canvas any more.
    """
    if layout.size == layout.canvas or frame.size != layout.size:
        return frame
    if flat:
        background = (*on_white(background), _OPAQUE)
        frame = flattened(frame, background[:3])
    neutral = len(set(background[:3])) == 1
    if frame.mode == DEEP and not (neutral and background[3] == _OPAQUE):
        note("16-bit grey was narrowed to 8 bits")
        frame = narrowed(frame)
    mode = _canvas_mode(frame.mode, clear=background[3] < _OPAQUE, neutral=neutral)
    canvas = Image.new(mode, layout.canvas, _fill(mode, background))
    canvas.paste(frame.convert(mode), layout.at)
    return canvas


def alike(frames: list[Image.Image]) -> list[Image.Image]:
    """Return the frames of an animation in one mode that holds them all, with alpha only if it is used."""
    if len(frames) == 1:
        return frames
    clear = any(frame.mode in ALPHA and frame.getchannel("A").getextrema()[0] != _OPAQUE for frame in frames)
    return [frame.convert("RGBA" if clear else "RGB") for frame in frames]


def on_white(colour: Colour) -> tuple[int, int, int]:
    """Return a colour as it looks on white."""
    alpha = colour[3]
    red, green, blue = ((part * alpha + 255 * (255 - alpha) + 127) // 255 for part in colour[:3])
    return red, green, blue


def _canvas_mode(mode: str, *, clear: bool, neutral: bool) -> str:
    if mode == DEEP:
        return DEEP
    clear = clear or mode in ALPHA
    if mode in {"L", "LA"} and neutral:
        return "LA" if clear else "L"
    return "RGBA" if clear else "RGB"


def _fill(mode: str, background: Colour) -> int | tuple[int, ...]:
    level = background[0]
    if mode in {"L", DEEP}:
        return level * 257 if mode == DEEP else level
    return (level, background[3]) if mode == "LA" else background[: len(mode)]
