"""Names on pictures: every text can be drawn, and none is wider than its place."""

from __future__ import annotations

import os

import pytest
from PIL import ImageFont

from toolkit.apps.resize import lettering
from toolkit.apps.resize.lettering import drawable, elided, wrapped


@pytest.fixture
def only_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no font but Pillow's own, which lacks every accent."""
    monkeypatch.setattr(lettering, "_fonts", lambda size: (ImageFont.load_default(size),))


@pytest.mark.usefixtures("only_ascii")
@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("cat 1.jpg", "cat 1.jpg"),
        ("café.jpg", "cafe.jpg"),
        ("cafe\u0301.jpg", "cafe.jpg"),
        ("漢字.jpg", "??.jpg"),
        ("a\n\tb.jpg", "a b.jpg"),
        ("a\x1b[31m\u202e.jpg", "a\\x1b[31m\\u202e.jpg"),
        (os.fsdecode(b"a\xff.jpg"), "a\\xff.jpg"),
        ("", ""),
    ],
)
def test_text_is_drawable_whatever_it_holds(text: str, drawn: str) -> None:
    """Letters that the font lacks lose their accents or are replaced; what has no shape is spelt out."""
    found, font = drawable(text, 13)
    assert found == drawn
    font.getmask(found)  # draws


@pytest.mark.usefixtures("only_ascii")
def test_long_text_is_cut_in_its_middle() -> None:
    """Both ends stay, as much of them as there is room for."""
    text, font = drawable("holidays-in-a-place-with-a-long-name-0001.jpg", 13)
    short = elided(text, font, 120)
    head, _, tail = short.partition("…")
    assert font.getlength(short) <= 120 < font.getlength(f"{head}{text[len(head)]}…{tail}")
    assert (text.startswith(head), text.endswith(tail), abs(len(head) - len(tail)) <= 1) == (True, True, True)
    assert elided(text, font, 1000) == text


@pytest.mark.usefixtures("only_ascii")
def test_wrapped_text_has_no_more_lines_than_fit() -> None:
    """The last line takes the rest, cut; a word that is too long is cut as well."""
    text, font = drawable("cannot be read: " + "w" * 80 + " and a good deal more than that to say", 13)
    lines = wrapped(text, font, 100, 3)
    assert len(lines) == 3
    assert all(font.getlength(line) <= 100 for line in lines)
    assert lines[0] == "cannot be read:"
