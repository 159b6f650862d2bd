"""Colours as users write them."""

from __future__ import annotations

import re

Colour = tuple[int, int, int, int]
"""Red, green, blue, alpha; each 0 to 255."""

_COLOURS = {
    "white": "#ffffff",
    "black": "#000000",
    "grey": "#808080",
    "gray": "#808080",
    "red": "#ff0000",
    "green": "#008000",
    "blue": "#0000ff",
    "yellow": "#ffff00",
    "transparent": "#ffffff00",
}


def parse_colour(text: str) -> Colour:
    """Read a colour: a common name, `#rgb`, `#rrggbb` or `#rrggbbaa`; raises ValueError with a message."""
    value = _COLOURS.get(text.strip().lower(), text.strip().lower())
    if re.fullmatch(r"#[0-9a-f]{3}", value):
        value = "#" + "".join(2 * digit for digit in value[1:])
    if not re.fullmatch(r"#[0-9a-f]{6}([0-9a-f]{2})?", value):
        raise ValueError(f"{text!r} is not a colour: write #rrggbb, #rrggbbaa or one of {', '.join(_COLOURS)}")
    red, green, blue, *alpha = bytes.fromhex(value[1:])
    return red, green, blue, alpha[0] if alpha else 255
