"""Parts are chosen by name, and the columns are known before the first page."""

from __future__ import annotations

import pytest

from tests.apps.scrape.auto.fixtures import URL
from toolkit.apps.scrape.auto import PARTS, TYPES, auto_fields, parse_parts, parts, usual_parts
from toolkit.core.errors import MissingExtra, UsageError


def test_parse_parts_when_named() -> None:
    """The order is that of the columns, and each comes once."""
    assert parse_parts(" og, title,OG ") == ("title", "og")


@pytest.mark.parametrize("text", ["", "all", " , "])
def test_parse_parts_when_none_is_named(text: str) -> None:
    """All that can be had."""
    assert parse_parts(text) == usual_parts()


def test_parse_parts_when_unknown() -> None:
    """The message names the mistake and what there is."""
    with pytest.raises(UsageError, match="no part 'ogg' of a page: choose from title, "):
        parse_parts("title,ogg")


def test_parts_when_the_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without trafilatura everything else is given, and a text that is asked for by name is a missing extra."""
    monkeypatch.setattr(parts, "LIBRARY", "no_such_library")
    assert parse_parts("") == tuple(part for part in PARTS if part != "text")
    with pytest.raises(MissingExtra, match=r"pip install 'toolkit\[text\]'"):
        parse_parts("title,text")


@pytest.mark.parametrize("html", ["", "<p>", "\ufffd", "text only"])
def test_auto_fields_when_the_page_says_nothing(html: str) -> None:
    """Each column is there, empty, of its type."""
    chosen = [part for part in PARTS if part != "text"]
    values = auto_fields(html, URL, chosen)
    assert values == {part: None if TYPES[part] is str else TYPES[part]() for part in chosen}
