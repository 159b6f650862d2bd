"""Short texts as they are drawn on pictures: in a font that has their letters, replaced where none has, cut to fit."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache

from PIL import ImageFont

from toolkit.apps.resize.names import shown

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

FONTS = (
    *("DejaVuSans.ttf", "NotoSans-Regular.ttf", "segoeui.ttf", "Arial Unicode.ttf", "arial.ttf"),
    *(
        "NotoSansCJK-Regular.ttc",
        "wqy-microhei.ttc",
        "msyh.ttc",
        "YuGothR.ttc",
        "malgun.ttf",
        "NotoSansArabic-Regular.ttf",
    ),
)
"""Fonts that systems have, looked for by name; Pillow's own, which is always there, has little more than ASCII."""

MISSING = "\U0010ffff"
"""No character: every font draws its sign for a missing one."""


def drawable(text: str, size: int) -> tuple[str, Font]:
    """Return a text on one line that can be drawn, and the font of this size (pixels) that has most of its letters.

    A letter that the font lacks loses its accents, or becomes a question mark.
    """
    text = unicodedata.normalize("NFC", shown(" ".join(text.split())))
    fonts = _fonts(size)
    if text.isascii():
        return text, fonts[0]
    best = max(fonts, key=lambda font: sum(_has(font, letter) for letter in text))  # the first of equals
    return "".join(letter if _has(best, letter) else _instead(best, letter) for letter in text), best


def elided(text: str, font: Font, width: float) -> str:
    """Return a text cut in its middle to be at most so many pixels wide: both ends of a file's name tell something."""
    if font.getlength(text) <= width:
        return text
    mark = "…" if _has(font, "…") else "..."
    least, most = 0, len(text)
    while least < most:  # how many letters may stay
        many = (least + most + 1) // 2
        if font.getlength(_cut(text, many, mark)) <= width:
            least = many
        else:
            most = many - 1
    return _cut(text, least, mark)


def wrapped(text: str, font: Font, width: float, lines: int) -> list[str]:
    """Return a text on at most so many lines of at most so many pixels each; the last one may be cut in its middle."""
    found = [""]
    for word in text.split():
        longer = f"{found[-1]} {word}".strip()
        if len(found) == lines or font.getlength(longer) <= width or not found[-1]:
            found[-1] = longer
        else:
            found.append(word)
    return [elided(line, font, width) for line in found]


def _cut(text: str, many: int, mark: str) -> str:
    head = many - many // 2
    return text[:head] + mark + text[len(text) - many // 2 :]


def _instead(font: Font, letter: str) -> str:
    base = unicodedata.normalize("NFKD", letter)[0]
    return base if base != letter and _has(font, base) else "?"


@cache
def _fonts(size: int) -> tuple[Font, ...]:
    found: list[Font] = []
    for name in FONTS:
        try:
            found.append(ImageFont.truetype(name, size))
        except OSError:
            continue
    return (*found, ImageFont.load_default(size))


@lru_cache(maxsize=10_000)
def _has(font: Font, letter: str) -> bool:
    return letter == " " or bytes(font.getmask(letter)) != bytes(font.getmask(MISSING))
