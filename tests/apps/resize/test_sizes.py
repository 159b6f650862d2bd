"""The words for sizes mean what ImageMagick means by them, and what is no word is refused with advice."""

from __future__ import annotations

from typing import get_args

import pytest

from toolkit.apps.resize.sizes import (
    CENTER,
    Area,
    Box,
    Edge,
    Fit,
    Goal,
    Gravity,
    Place,
    Scale,
    When,
    parse_focus,
    parse_geometry,
    parse_scale,
    place_of,
)


@pytest.mark.parametrize(
    ("text", "goal", "fit", "when", "label"),
    [
        ("800x600", Box(800, 600), None, None, "800x600"),
        ("800X600", Box(800, 600), None, None, "800x600"),
        ("800×600", Box(800, 600), None, None, "800x600"),
        (" 1x1 ", Box(1, 1), None, None, "1x1"),
        ("65535x65535", Box(65_535, 65_535), None, None, "65535x65535"),
        ("800x", Box(800, None), None, None, "800"),
        ("800", Box(800, None), None, None, "800"),
        ("0800", Box(800, None), None, None, "800"),
        ("x600", Box(None, 600), None, None, "x600"),
        ("800x600!", Box(800, 600), "stretch", None, "800x600"),
        ("800x!", Box(800, None), "stretch", None, "800"),
        ("800x600^", Box(800, 600), "outside", None, "800x600"),
        ("300^", Edge(300, "short"), None, None, "short300"),
        ("x300^>", Edge(300, "short"), None, "larger", "short300"),
        ("800x600>", Box(800, 600), None, "larger", "800x600"),
        ("800x600<", Box(800, 600), None, "smaller", "800x600"),
        ("800>", Box(800, None), None, "larger", "800"),
        ("800x600!>", Box(800, 600), "stretch", "larger", "800x600"),
        ("800x600>!", Box(800, 600), "stretch", "larger", "800x600"),
        ("800x600^<", Box(800, 600), "outside", "smaller", "800x600"),
        ("50%", Scale(0.5, 0.5), None, None, "50pct"),
        ("200%", Scale(2, 2), None, None, "200pct"),
        ("33.3%", Scale(0.333, 0.333), None, None, "33.3pct"),
        (".5%", Scale(0.005, 0.005), None, None, "0.5pct"),
        ("50%x25%", Scale(0.5, 0.25), None, None, "50x25pct"),
        ("50%x50.0%", Scale(0.5, 0.5), None, None, "50pct"),
        ("2000000@", Area(2_000_000), None, None, "2000000px"),
        ("2000000@>", Area(2_000_000), None, "larger", "2000000px"),
        ("2000000<@", Area(2_000_000), None, "smaller", "2000000px"),
    ],
)
def test_geometry_when_a_word(text: str, goal: Goal, fit: Fit | None, when: When | None, label: str) -> None:
    """Every word is read into its goal, what it says of fit and of when, and a label for file names."""
    read = parse_geometry(text)
    assert (read.goal, read.fit, read.when, read.label) == (goal, fit, when, label)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "write 800x600"),
        ("x", "write 800x600"),
        ("axb", "write 800x600"),
        ("800x600x2", "write 800x600"),
        ("-1x5", "write 800x600"),
        ("8.5x2", "write 800x600"),
        ("800 x 600", "write 800x600"),
        ("800,600", "write 800x600"),
        ("800x600+10+10", "write 800x600"),
        ("!", "write 800x600"),
        ("!800x600", "write 800x600"),
        ("٣x", "write 800x600"),
        ("0", "from 1 to 65535"),
        ("0x5", "from 1 to 65535"),
        ("70000x1", "from 1 to 65535"),
        ("x999999", "from 1 to 65535"),
        ("800x600<>", "only one of"),
        ("800x600!^", "only one of"),
        ("800x600>>", "once"),
        ("50%>", "a percentage takes none"),
        ("50%!", "a percentage takes none"),
        ("50%@", "a percentage takes none"),
        ("%", "write 50%"),
        ("50%x", "write 50%"),
        ("x50%", "write 50%"),
        ("50%x25", "write 50%"),
        ("-50%", "write 50%"),
        ("1e3%", "write 50%"),
        ("nan%", "write 50%"),
        ("0%", "above 0"),
        ("50%x0%", "above 0"),
        ("@", "2000000@"),
        ("0@", "2000000@"),
        ("2e6@", "2000000@"),
        ("1000x1000@", "2000000@"),
        ("9999999999@", "2000000@"),
        ("2000000@!", "takes only > or <"),
        ("2000000@^", "takes only > or <"),
    ],
)
def test_geometry_when_no_word(text: str, advice: str) -> None:
    """Anything else is refused; the message quotes it and says what to write."""
    with pytest.raises(ValueError) as caught:
        parse_geometry(text)
    assert repr(text) in str(caught.value)
    assert advice in str(caught.value)


@pytest.mark.parametrize(
    ("text", "scale", "label"),
    [
        ("50%", Scale(0.5, 0.5), "50pct"),
        ("0.5", Scale(0.5, 0.5), "50pct"),
        (".5", Scale(0.5, 0.5), "50pct"),
        (" 2 ", Scale(2, 2), "200pct"),
        ("2.", Scale(2, 2), "200pct"),
        ("0.125", Scale(0.125, 0.125), "12.5pct"),
        ("50%x25%", Scale(0.5, 0.25), "50x25pct"),
    ],
)
def test_scale_when_written_well(text: str, scale: Scale, label: str) -> None:
    """A factor and a percentage say the same."""
    read = parse_scale(text)
    assert (read.goal, read.label) == (scale, label)


@pytest.mark.parametrize("text", ["", "0", "0.0", "0%", "-1", "1/2", "half", "1e2", "inf", "nan", "2x2", "50%>"])
def test_scale_when_written_badly(text: str) -> None:
    """What is no factor above 0 is refused."""
    with pytest.raises(ValueError, match=r"write 50%|above 0"):
        parse_scale(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("0.3,0.7", Place(0.3, 0.7, is_focus=True)),
        ("30%,70%", Place(0.3, 0.7, is_focus=True)),
        (" .3 , 0.70 ", Place(0.3, 0.7, is_focus=True)),
        ("0,1", Place(0, 1, is_focus=True)),
        ("0%,100%", Place(0, 1, is_focus=True)),
    ],
)
def test_focus_when_written_well(text: str, place: Place) -> None:
    """A point is two fractions or two percentages."""
    assert parse_focus(text) == place


@pytest.mark.parametrize(
    "text", ["", "0.3", "0.3,0.7,0.1", "30%,0.7", "30,70", "1.1,0", "0,101%", "-0.1,0", "a,b", "0.3x0.7"]
)
def test_focus_when_written_badly(text: str) -> None:
    """A point outside the picture, or half a point, is refused."""
    with pytest.raises(ValueError, match=r"write 0\.3,0\.7|outside the picture"):
        parse_focus(text)


def test_place_of_every_gravity() -> None:
    """The nine compass points are the nine places, each once."""
    places = {gravity: place_of(gravity) for gravity in get_args(Gravity)}
    assert {(place.x, place.y) for place in places.values()} == {(x, y) for x in (0, 0.5, 1) for y in (0, 0.5, 1)}
    assert places["center"] == CENTER
    assert places["northwest"] == Place(0, 0)
    assert places["west"] == Place(0, 0.5)
    assert places["south"] == Place(0.5, 1)
    assert places["southeast"] == Place(1, 1)
