"""A page made to hurt gives what it has within limits, and says what it kept back."""

from __future__ import annotations

import pytest

from tests.apps.scrape.auto.fixtures import URL, every_parser
from toolkit.apps.scrape.auto import TYPES, read, read_auto
from toolkit.apps.scrape.auto.view import Budget
from toolkit.apps.scrape.parsers import lexbor
from toolkit.core.errors import FailureKind, TaskError

CHEAP = [part for part in TYPES if part != "text"]


@every_parser
@pytest.mark.parametrize(
    "html",
    [
        "<a href=x><object>" * 800,
        "<table><tr><td>" * 800,
        "<div itemscope>" + "<div itemprop=a>x" * 800,
        "<meta name=a content=b>" * 5000,
        "<img srcset='" + "a, " * 10_000 + "'>",
        "<p itemscope itemref=z></p>" * 500 + "<div id=z>" + "<b itemprop=x></b>" * 500,
        "<title>" + "&amp;" * 100_000,
        "\ufffd" * 100_000,
    ],
)
def test_read_auto_when_hostile(html: str, parser: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part is there, of its type; only lists may have been cut, which is said."""
    monkeypatch.setattr(read, "Budget", lambda: Budget(0.3))
    auto = read_auto(html, URL, CHEAP, parser=parser)
    assert all(value is None or isinstance(value, TYPES[part]) for part, value in auto.values.items())
    assert {part for part, _ in auto.problems} <= set(CHEAP)


def test_read_auto_when_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found before stays."""
    ticks = iter(range(100))
    monkeypatch.setattr(read, "Budget", lambda: Budget(7.0, clock=lambda: float(next(ticks))))
    auto = read_auto("<a href=x>x</a>" * 50, URL, ["links"])
    assert 0 < len(auto.values["links"]) < 7
    assert auto.problems == (("links", "the page takes longer than 7 s: what is left was not looked at"),)


def test_read_auto_when_the_page_gives_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """Characters are counted over all parts."""
    monkeypatch.setattr(read, "Budget", lambda: Budget(characters=5))
    auto = read_auto("<title>abcd</title><meta name=x content=efgh>", URL, ["title", "meta", "links"])
    assert auto.values == {"title": "abcd", "meta": {}, "links": []}
    reason = "the page gives more than 5 characters: what is left was not looked at"
    assert auto.problems == (("meta", reason),)


def test_read_auto_when_the_parser_would_not_end() -> None:
    """A page that takes minutes to parse is refused."""
    with pytest.raises(TaskError, match="nest more than") as caught:
        read_auto("<div>" * 20_000, URL, CHEAP)
    assert caught.value.kind is FailureKind.PARSE


def test_read_auto_when_the_page_has_been_read() -> None:
    """The tree that the rules have read serves for this, too; the base and the encoding count for URLs."""
    html = "<base href='/b/'><a href='x?\u00e4'>x</a>"
    auto = read_auto(html, URL, ["links"], document=lexbor.parser.parse(html), encoding="cp1252")
    assert auto.values["links"][0]["url"] == "http://h.org/b/x?%E4"
