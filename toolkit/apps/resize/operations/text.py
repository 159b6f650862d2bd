"""The operation text: words over the picture."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from toolkit.apps.resize.colour_words import Colour
from toolkit.apps.resize.geometry import Gravity
from toolkit.apps.resize.operations import marks
from toolkit.apps.resize.operations.arguments import Length
from toolkit.apps.resize.operations.files import File
from toolkit.apps.resize.operations.steps import Step, grey

_NO_CHARACTER = "\U0010ffff"
"""A code point that no font has: what is drawn for it is drawn for all that are missing."""


def check(text: str, font: File | None) -> None:
    """Raise ValueError if the font cannot be used, or lacks a character of the text: it would be drawn as a box."""
    try:
        face = _face(font, 32)
    except (OSError, ValueError) as error:
        raise ValueError(f"{font.path if font else 'Pillow'} is not a font that can be used: {error}") from error
    missing = [character for character in dict.fromkeys(text) if _is_missing(character, face)]
    if missing:
        whose, what = ("the font", "another") if font else ("the built-in font", "your own")
        raise ValueError(f"{whose} has no {' '.join(missing)}: give {what} with font=FILE")


def text(
    _: Sequence[Image.Image],
    text: str,
    position: Gravity,
    opacity: float,
    size: Length,
    colour: Colour,
    margin: Length,
    font: File | None,
) -> Step:
    """Write the text over the picture, smaller if it would not fit between the margins."""

    def write(frame: Image.Image) -> Image.Image:
        height = max(1, size.pixels(frame.size))
        room = marks.room(frame.size, margin)
        written = _written(text, font, height, colour, opacity)
        fitting = marks.fitted(written.size, room)
        if fitting != written.size:
            written = _written(text, font, max(1, height * fitting[0] // written.width), colour, opacity)
        if marks.fitted(written.size, room) != written.size:  # letters have a least size
            written = written.resize(marks.fitted(written.size, room), Image.Resampling.LANCZOS)
        return marks.laid(frame, written, position, margin)

    return write


@lru_cache(maxsize=8)
def _written(text: str, font: File | None, height: int, colour: Colour, opacity: float) -> Image.Image:
    """Return the words in their colour, cut to their ink; as LA if the colour is grey."""
    face = _face(font, height)
    left, top, right, bottom = map(round, ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((0, 0), text, face))
    ink = Image.new("L", (max(1, right - left), max(1, bottom - top)))
    ImageDraw.Draw(ink).text((-left, -top), text, 255, face)
    ink = ink.crop(ink.getbbox() or (0, 0, 1, 1))
    mark = Image.new("RGBA", ink.size, colour)
    mark.putalpha(ink)
    mark = marks.faded(mark, opacity * colour[3] / 255)
    return grey(mark) if len(set(colour[:3])) == 1 else mark


def _face(font: File | None, height: int) -> ImageFont.FreeTypeFont:
    if font is not None:
        return ImageFont.truetype(io.BytesIO(font.content()), height)
    face = ImageFont.load_default(height)
    if not isinstance(face, ImageFont.FreeTypeFont):
        raise ValueError("this Pillow was built without FreeType")  # noqa: TRY004 - of Pillow, not of an argument
    return face


def _is_missing(character: str, face: ImageFont.FreeTypeFont) -> bool:
    # Spaces, marks that combine with others and invisible characters may well look like nothing.
    if character.isspace() or unicodedata.category(character)[0] in "MC":
        return False
    drawn, none = face.getmask(character), face.getmask(_NO_CHARACTER)
    return bool(none.size[0]) and drawn.size == none.size and bytes(drawn) == bytes(none)
