"""Colours are read as users write them."""

from __future__ import annotations

import pytest

from toolkit.apps.resize.colour_words import Colour, parse_colour


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("white", (255, 255, 255, 255)),
        (" White ", (255, 255, 255, 255)),
        ("grey", (128, 128, 128, 255)),
        ("gray", (128, 128, 128, 255)),
        ("transparent", (255, 255, 255, 0)),
        ("#fa0", (255, 170, 0, 255)),
        ("#FFAA00", (255, 170, 0, 255)),
        ("#ffaa0080", (255, 170, 0, 128)),
    ],
)
def test_colour_as_it_is_written(text: str, colour: Colour) -> None:
    """A name, or three, six or eight digits."""
    assert parse_colour(text) == colour


@pytest.mark.parametrize(
    "text", ["", "#", "#ff", "#ffff", "#fffff", "#gggggg", "ffffff", "mauve", "#fffffff", "#ffffff\n#"]
)
def test_colour_that_is_none(text: str) -> None:
    """The message says what may be written."""
    with pytest.raises(ValueError, match="is not a colour: write #rrggbb, #rrggbbaa or one of white, "):
        parse_colour(text)
