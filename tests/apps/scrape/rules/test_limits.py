"""Pages made to hurt are refused by name, in bounded time; pages that are only large or sloppy are read."""

from __future__ import annotations

import time

import pytest

from toolkit.apps.scrape.rules import limits, read_page, read_rules
from toolkit.apps.scrape.rules.limits import check
from toolkit.core import plugins
from toolkit.core.errors import FailureKind, TaskError

PARSERS = plugins.names("toolkit.apps.scrape.parsers")
START = "<!doctype html><title>t</title>"
FONTS = "".join(f"<font id={number}>" for number in range(1500))
REFUSED = {
    "nested": ("<div>" * 100_000, "nest more than 5,000 deep"),
    "nested and closed": ("<div>" * 20_000 + "</div>" * 20_000, "nest more than 5,000 deep"),
    "nested with stray ends": ("<div></i>" * 60_000, "nest more than 5,000 deep"),
    "nested tables": ("<table><tr><td>" * 10_000, "nest more than 5,000 deep"),
    "fewer fonts": (f"<p>{FONTS[: len(FONTS) // 2]}</p>" + "<p>x</p>" * 20_000, "opens formatting elements"),
    "fonts": (f"<p>{FONTS}</p>" + "<p>x" * 2000, "opens formatting elements"),
    "fonts with stray ends": ("".join(f"<font id={n}></i>" for n in range(1000)) + "<p>x</p>" * 5000, "formatting"),
    "ends before fonts": (
        "</font>" * 1000 + "".join(f"<FONT\fid={n}>" for n in range(1000)) + "<p>x</p>" * 5000,
        "formatting",
    ),
    "attributes": ("<p " + " ".join(f"a{number}=v" for number in range(100_000)), "more than 10,000 attributes"),
    "bare attributes": (
        "<p " + " ".join(f"a{number}" for number in range(100_000)) + ">",
        "more than 10,000 attributes",
    ),
}
READ = {
    "one long attribute": "<p a='" + "x y=z " * 1_000 + "x" * 6_000_000 + "'>",
    "long text": "word " * 400_000,
    "entities": "&amp;" * 200_000,
    "NULs": "\0" * 500_000,
    "open list items": "<ul>" + "<li><a href=x>y</a>" * 20_000,
    "brackets": "<" * 100_000,
    "a comment": "<!--" + "-" * 500_000,
    "sloppy": "<p><b>x<br>" * 300,
    "nested a little": "<div>" * 400 + "</div>" * 400,
}


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("name", REFUSED)
def test_page_when_made_to_hurt(parser: str, name: str) -> None:
    """The failure is the page's, says why, and comes soon."""
    markup, what = REFUSED[name]
    started = time.process_time()
    with pytest.raises(TaskError, match=f"{parser} cannot read the page: .*{what}") as caught:
        read_page((START + markup).encode(), "utf-8", "http://h.org/", read_rules(parser, []))
    assert caught.value.kind is FailureKind.PARSE
    assert time.process_time() - started < 5


@pytest.mark.parametrize("name", READ)
def test_page_when_only_large_or_sloppy(name: str) -> None:
    """It has its row, soon."""
    started = time.process_time()
    found = read_page((START + READ[name]).encode(), "utf-8", "http://h.org/", read_rules("lexbor", []))
    assert found.rows[0]["title"] == "t"
    assert time.process_time() - started < 5


@pytest.mark.parametrize("parser", PARSERS)
def test_rules_when_they_ask_for_the_same_text_again_and_again(parser: str) -> None:
    """Nested elements that each hold a long text are a named failure, not all the memory there is."""
    page = (START + "<div>" * 300 + "x" * 1_000_000).encode()
    rules = read_rules(parser, ["d[]=div"])
    with pytest.raises(TaskError, match="the same text over and over"):
        read_page(page, "utf-8", "http://h.org/", rules)


def test_check_when_attributes_hold_brackets() -> None:
    """A tag ends at its bracket, and what comes after it is text."""
    check("<p>" + "a b c " * 100_000)
    check("<p a='>'>" + "x" * 100_000 + "<p>")


@pytest.mark.parametrize("tag", ["<font>", "<b>", "<div>", "</b>", "<b><p>", "<i></b>"])
def test_check_when_tags_are_too_few_to_hurt(tag: str) -> None:
    """What is not looked through could not have been refused."""
    page = (tag * limits.HARMLESS)[: (limits.HARMLESS - 1) * len(tag) // tag.count("<")]
    assert page.count("<") < limits.HARMLESS
    limits._check_nesting(page)
    check(page)
