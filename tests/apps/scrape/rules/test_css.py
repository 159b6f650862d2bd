"""Selectors as text: the common subset is told from what goes beyond it."""

from __future__ import annotations

import pytest

from toolkit.apps.scrape.rules.css import beyond, closed, parted, scoped
from toolkit.core import plugins

WITHIN = [
    "p",
    "*",
    "P.a.b",
    "#x",
    "p#x.y",
    "[a]",
    "[a=b]",
    "[a='b, c > d']",
    '[a|="b"]',
    "[ a ~= b ]",
    "p > a + b ~ c d",
    "p>a,b , c",
    "p:first-child",
    "p:nth-child(2n + 1)",
    "p:nth-child(odd)",
    "p:nth-child(-n+2)",
    "p:nth-last-child(1)",
    "p:not(.a)",
    "p:not([a=b]):not(:first-child)",
    "li:nth-of-type(2)",
    "p.a:last-of-type",
    "p:is(.a, #b.c)",
    ":root > body",
    "größe",
    ".a\\:b",
]
BEYOND = [
    ("p:has(a)", ":has(a)"),
    ("p:contains('x')", ":contains('x')"),
    ("a b:empty", ":empty"),
    ("p:not(a, b)", ":not(a, b)"),
    ("p:not(a b)", ":not(a b)"),
    ("[a=b i]", "[a=b i]"),
    (":first-of-type", ":first-of-type"),
    ("p::before", "::before"),
    ("p:nth-child(2 of .a)", ":nth-child(2 of .a)"),
    ("a || b", "|| b"),
    ("svg|a", "|a"),
    ("a:first-child-ish", ":first-child-ish"),
]


@pytest.mark.parametrize("selector", WITHIN)
def test_beyond_when_within(selector: str) -> None:
    """The subset has no rest, and every parser takes it."""
    assert beyond(selector) is None
    for name in plugins.names("toolkit.apps.scrape.parsers"):
        plugins.load("toolkit.apps.scrape.parsers", name, "parser").compile(selector)


@pytest.mark.parametrize(("selector", "rest"), BEYOND)
def test_beyond_when_it_is(selector: str, rest: str) -> None:
    """What is not in the subset is told from where it begins."""
    assert beyond(selector) == rest


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("p", "p"),
        ("> p", ":scope > p"),
        ("a, > b, + c", "a, :scope > b, :scope + c"),
        ("[a=',>'], ~ b", "[a=',>'], :scope ~ b"),
    ],
)
def test_scoped_when_in_a_record(selector: str, expected: str) -> None:
    """A combinator in front starts at the record."""
    assert scoped(selector) == expected


def test_parted_when_quoted_or_in_brackets() -> None:
    """Only a sign outside of quotes and brackets parts."""
    assert parted("a[b=' | '] | c | d", " | ") == ["a[b=' | ']", "c", "d"]
    assert parted("a:is(b,c),d\\,e", ",") == ["a:is(b,c)", "d\\,e"]
    assert closed("a[b='(']")
    assert not closed("a[b='('")


def test_beyond_when_names_have_any_sign() -> None:
    """A name begins with a letter, `_` or any sign beyond ASCII, and goes on with these, digits and `-`."""
    for sign in map(chr, (*range(0x5C), *range(0x5D, 0x10000), 0x10000, 0x1F600, 0x10FFFF)):  # all but the backslash
        begins = not sign.isascii() or sign.isalpha() or sign == "_"
        goes_on = begins or sign in "-0123456789"
        assert (beyond(f".{sign}1") is None) is begins, sign
        assert (beyond(f"[a{sign}]") is None) is (goes_on or sign.isspace()), sign
        assert (beyond(f"#{sign}a") is None) is goes_on, sign
