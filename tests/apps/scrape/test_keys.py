"""Keys of URLs: one page, one key; two pages, two keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.apps.scrape import keys
from toolkit.apps.scrape.keys import key_of


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://Example.org", "http://example.org/"),
        ("http://example.org:80/a/../b/./c", "http://example.org/b/c"),
        ("https://example.org:443/", "https://example.org/"),
        ("http://example.org:8080/", "http://example.org:8080/"),
        ("https://e.org/%7euser/%2f%c3%a4", "https://e.org/~user/%2F%C3%A4"),
        ("https://e.org/x?b=2&a=1&a=0#part", "https://e.org/x?a=1&a=0&b=2"),
        ("http://e.org/x#", "http://e.org/x"),
        ("http://u:p@E.org/x", "http://u:p@e.org/x"),
    ],
)
def test_key_of_one_page(url: str, key: str) -> None:
    """What RFC 3986 calls equal has one key, and so has a query in another order of names."""
    assert key_of(url) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://e.org/a", "http://e.org/a/"),
        ("http://e.org/A", "http://e.org/a"),
        ("http://e.org/?Q=1", "http://e.org/?q=1"),
        ("http://e.org/?a", "http://e.org/?a="),
        ("http://e.org/", "http://e.org/?"),
        ("http://e.org/?a=1&a=2", "http://e.org/?a=2&a=1"),
        ("http://e.org/", "https://e.org/"),
        ("http://e.org/a%2Fb", "http://e.org/a/b"),
        ("http://e.org/", "http://e.org:8080/"),
        ("http://e.org/;v=1", "http://e.org/"),
    ],
)
def test_keys_of_two_pages(one: str, other: str) -> None:
    """What a server may tell apart has two keys."""
    assert key_of(one) != key_of(other)


def test_key_without_what_only_tracks() -> None:
    """Names that say where a visitor came from go if that is asked for; the rest of the query stays."""
    url = "http://e.org/x?utm_source=a&q=1&FBCLID=2&utm%5Fmedium=b"
    assert key_of(url, without_tracking=True) == "http://e.org/x?q=1"
    assert "utm_source" in key_of(url)
    assert key_of("http://e.org/x?gclid=1", without_tracking=True) == "http://e.org/x"


@given(st.text(alphabet="abAB/.%2e~?&=#;é ", max_size=40))
def test_key_of_a_key(rest: str) -> None:
    """A key is its own key, whatever the URL."""
    key = key_of("http://e.org/" + rest)
    assert key_of(key) == key


PARTS = [
    "http://",
    "https://",
    "e.org",
    "E",
    "u@",
    ":80",
    ":443",
    ":8080",
    ":41385",
    ":0",
    "/",
    "a",
    ".",
    "..",
    "%2e",
    "%7E",
]
PARTS += ["?", "&", "b=1", "a=2", "utm_x=1", "#", ";", "'", "[", "é", "\n"]


@given(st.sampled_from(["http://e.org", "https://e.org:8080/", ""]), st.lists(st.sampled_from(PARTS), max_size=7))
def test_key_of_when_it_is_the_url(start: str, parts: list[str]) -> None:
    """The short way for URLs that are their own key gives what the long way gives."""
    url = start + "".join(parts)
    for without_tracking in (False, True):
        assert _key(url, without_tracking) == _key(url, without_tracking, keys._in_full)


def _key(url: str, without_tracking: bool, way: Callable[..., str] = key_of) -> str:
    try:
        return way(url, without_tracking=without_tracking)
    except ValueError:
        return "no URL"
