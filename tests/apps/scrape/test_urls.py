"""Links lead where browsers would go."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.apps.scrape.urls import base_of, resolve

BASE = "http://h.org/a/b/c?q=1"
TABLE = [
    ("", "http://h.org/a/b/c?q=1"),
    ("d", "http://h.org/a/b/d"),
    ("./d", "http://h.org/a/b/d"),
    ("../d", "http://h.org/a/d"),
    ("../../../d", "http://h.org/d"),
    ("..", "http://h.org/a/"),
    (".", "http://h.org/a/b/"),
    ("/d", "http://h.org/d"),
    ("/d/../e/./f", "http://h.org/e/f"),
    ("/d/%2e%2E/e", "http://h.org/e"),
    ("/a%2fb", "http://h.org/a%2fb"),
    ("?x", "http://h.org/a/b/c?x"),
    ("?", "http://h.org/a/b/c?"),
    ("#f", "http://h.org/a/b/c?q=1#f"),
    ("d;p=1", "http://h.org/a/b/d;p=1"),
    ("//other.org/x", "http://other.org/x"),
    ("//other.org", "http://other.org/"),
    ("///other.org/x", "http://other.org/x"),
    ("https://s.org", "https://s.org/"),
    ("https:s.org/x", "https://s.org/x"),
    ("http:d", "http://h.org/a/b/d"),
    ("http:/d", "http://d/"),
    ("HTTP://Other.ORG/Path", "http://other.org/Path"),
    ("http://o.org:80/x", "http://o.org/x"),
    ("http://o.org:8080/x", "http://o.org:8080/x"),
    ("https://o.org:443", "https://o.org/"),
    ("http://u:p@o.org/", "http://u:p@o.org/"),
    ("http://[::1]:81/x", "http://[::1]:81/x"),
    (" \n d \t", "http://h.org/a/b/d"),
    ("/d\n/e\t", "http://h.org/d/e"),
    ("\\d\\e", "http://h.org/d/e"),
    ("\\\\o.org\\d", "http://o.org/d"),
    ("/d?a\\b", "http://h.org/d?a\\b"),
    ("/é ü", "http://h.org/%C3%A9%20%C3%BC"),
    ("/d?é='\"<>", "http://h.org/d?%C3%A9=%27%22%3C%3E"),
    ("/%zz", "http://h.org/%zz"),
    ("/d#é `", "http://h.org/d#%C3%A9%20%60"),
    ("http://bücher.example/", "http://xn--bcher-kva.example/"),
    ("mailto:a@b.org", "mailto:a@b.org"),
    (" javascript:void(0) ", "javascript:void(0)"),
    ("data:text/plain,x y", "data:text/plain,x y"),
    ("tel:+1 2", "tel:+1 2"),
    ("http://", "http://"),
    ("http://a b/", "http://a b/"),
    ("http://h:99999/", "http://h:99999/"),
    ("http://h:x/", "http://h:x/"),
    ("a:b", "a:b"),
    ("/a:b", "http://h.org/a:b"),
    ("./a:b", "http://h.org/a/b/a:b"),
]


@pytest.mark.parametrize(("reference", "expected"), TABLE)
def test_resolve_when_in_a_page(reference: str, expected: str) -> None:
    """References follow the WHATWG URL rules; what is no http(s) URL stays as written, without space around it."""
    assert resolve(BASE, reference) == expected


@pytest.mark.parametrize(
    ("encoding", "reference", "expected"),
    [
        ("windows-1251", "/ж?q=ж", "/%D0%B6?q=%E6"),
        ("windows-1251", "?q=日", "/a/b/c?q=%26%2326085%3B"),
        ("shift_jis", "?q=ソ", "/a/b/c?q=%83\\"),
        ("utf-16le", "?q=ж", "/a/b/c?q=%D0%B6"),
    ],
)
def test_resolve_when_the_page_has_an_encoding(encoding: str, reference: str, expected: str) -> None:
    """Queries are written in the page's encoding, paths in UTF-8."""
    assert resolve(BASE, reference, encoding) == "http://h.org" + expected


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        (None, "http://h.org/a/b/x"),
        ("/z/", "http://h.org/z/x"),
        ("../", "http://h.org/a/x"),
        ("//cdn.org", "http://cdn.org/x"),
        ("javascript:1", "http://h.org/a/b/x"),
        ("data:,", "http://h.org/a/b/x"),
        ("  /z/y  ", "http://h.org/z/x"),
        ("", "http://h.org/a/b/x"),
    ],
)
def test_base_when_the_page_names_one(href: str | None, expected: str) -> None:
    """The base is resolved against the final URL, and must lead to http(s)."""
    assert resolve(base_of(BASE, href), "x") == expected


PLAIN = st.from_regex(
    r"(\.\./|\./|/)?([a-z0-9~._-]{1,4}/){0,3}[a-z0-9]{0,3}(\?[a-z=&]{1,4})?(#[a-z]{1,3})?", fullmatch=True
)


@given(PLAIN.filter(lambda text: text and "//" not in text))
def test_resolve_when_plain(reference: str) -> None:
    """On plain references, RFC 3986 as in the standard library says the same."""
    assert resolve(BASE, reference) == urljoin(BASE, reference)


@given(st.text(max_size=30), st.sampled_from(["utf-8", "windows-1251", "shift_jis", "gb18030", "utf-16le"]))
def test_resolve_when_given_anything(reference: str, encoding: str) -> None:
    """Nothing raises, and a result on our base is plain ASCII and stays itself when resolved again."""
    found = resolve(BASE, reference, encoding)
    if found.startswith("http://h.org/"):
        assert found.isascii()
        assert resolve(BASE, found) == found


@given(st.from_regex(r"(/|https?://[a-z0-9.-]{1,5}/)?[A-Za-z0-9_~,;=&+!*@/.?#%-]{1,12}", fullmatch=True))
def test_resolve_when_the_short_way_is_taken(reference: str) -> None:
    """The short way for plain references gives what the long way gives."""
    from toolkit.apps.scrape import urls

    assert urls.resolve(BASE, reference) == _long_way(reference)


@given(
    st.from_regex(r"(\.\./){1,12}[a-z/.?#:%2_]{0,8}", fullmatch=True),
    st.from_regex(r"http://h\.org(/[a-z./%2eé]{0,24})?", fullmatch=True),
)
def test_resolve_when_the_short_way_leads_up(reference: str, base: str) -> None:
    """The short way to folders above gives what the long way gives, also where it leads above the root."""
    from toolkit.apps.scrape import urls

    assert urls.resolve(base, reference) == _long_way(reference, base)


def _long_way(reference: str, base: str = BASE) -> str:
    from toolkit.apps.scrape import urls

    try:
        return urls._resolve(base, reference, "utf-8")
    except ValueError:
        return reference
