"""What a reply says besides its page."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from toolkit.apps.scrape.responses import (
    Refresh,
    canonical_link,
    is_page,
    looks_like_html,
    refresh,
    refusal,
    robots_tag,
)
from toolkit.core.http import Headers

URL = "http://h.org/d/page"
NOW = datetime(2024, 6, 1, tzinfo=UTC)


def robots(*values: str) -> Headers:
    return Headers([("X-Robots-Tag", value) for value in values])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((), set()),
        (("noindex",), {"noindex"}),
        (("NoIndex, NOFOLLOW",), {"noindex", "nofollow"}),
        (("none",), {"noindex", "nofollow"}),
        (("all",), set()),
        (("noindex", "nofollow"), {"noindex", "nofollow"}),
        (("toolkit: nofollow", "otherbot: noindex, nofollow"), {"nofollow"}),
        (("otherbot: noindex, nofollow",), set()),
        (("otherbot: noindex, toolkit: nofollow",), {"nofollow"}),
        (("Toolkit:noindex",), {"noindex"}),
        (("*: noindex",), {"noindex"}),
        (("toolkits: noindex",), set()),
        (("otherbot: none", "noindex"), {"noindex"}),
        (("max-snippet: 20, nofollow",), {"nofollow"}),
        (("otherbot: max-snippet: 20, nofollow",), set()),
        ((" , ,noindex,",), {"noindex"}),
        (("unavailable_after: 25 Jun 2010 15:00:00 PST",), {"noindex"}),
        (("unavailable_after: Fri, 25 Jun 2010 15:00:00 GMT, nofollow",), {"noindex", "nofollow"}),
        (("unavailable_after: Friday, 25-Jun-10 15:00:00 UTC",), {"noindex"}),
        (("unavailable_after: 2010-06-25T15:00:00Z",), {"noindex"}),
        (("unavailable_after: 2010-06-25",), {"noindex"}),
        (("toolkit: unavailable_after: 25 Jun 2010 15:00:00 GMT",), {"noindex"}),
        (("otherbot: unavailable_after: 25 Jun 2010 15:00:00 GMT",), set()),
        (("unavailable_after: 25 Jun 2090 15:00:00 GMT",), set()),
        (("unavailable_after: some day",), set()),
        (("unavailable_after: Fri",), set()),
    ],
)
def test_robots_tag_when_read(values: tuple[str, ...], words: set[str]) -> None:
    """What is asked of all and of us adds up; what is asked of others does not count."""
    assert robots_tag(robots(*values), "toolkit").at(NOW) == words


def test_robots_tag_when_it_ends_twice() -> None:
    """The earlier end counts, to the second."""
    tag = robots_tag(robots("unavailable_after: 2024-06-02", "unavailable_after: 1 Jun 2024 00:00:00 PST"), "toolkit")
    assert tag.unavailable_after == datetime(2024, 6, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", (5, URL)),
        ("5;", (5, URL)),
        ("0; url=/x", (0, "http://h.org/x")),
        ("0;URL='x y'z", (0, "http://h.org/d/x%20y")),
        ('  3 , url = "x', (3, "http://h.org/d/x")),
        ("1 x", (1, "http://h.org/d/x")),
        ("1;x", (1, "http://h.org/d/x")),
        ("2.7; url=x", (2, "http://h.org/d/x")),
        (".5; url=x", (0, "http://h.org/d/x")),
        ("0; url=", (0, URL)),
        ("0; urls", (0, "http://h.org/d/urls")),
        ("0;;url=x", (0, "http://h.org/d/;url=x")),
        ("0; url=//o.org", (0, "http://o.org/")),
        ("9" * 50 + ";x", (999_999_999, "http://h.org/d/x")),
        ("", None),
        ("x", None),
        ("-1; url=x", None),
        ("5x", None),
        ("; url=x", None),
    ],
)
def test_refresh_when_read(text: str, expected: tuple[int, str] | None) -> None:
    """The steps of the HTML standard, one by one."""
    assert refresh(text, URL) == (None if expected is None else Refresh(*expected))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (['</c>; rel="canonical"'], "http://h.org/c"),
        (["<c#f>;rel=canonical"], "http://h.org/d/c"),
        (
            ['<a>; rel=next, <http://o.org/b,c>; title="a, <x>; rel=canonical"; rel="start CANONICAL"'],
            "http://o.org/b,c",
        ),
        (["<a>; rel=prev", "<b>; rel=canonical"], "http://h.org/d/b"),
        (["<a>; rel=prev; rel=canonical"], None),
        (["<a>; rel=canonical; anchor=/other"], None),
        (["<a>"], None),
        (["<mailto:x>; rel=canonical"], None),
        (["a; rel=canonical"], None),
        ([r'<a>; title="\"; x"; rel=canonical'], "http://h.org/d/a"),
        (["<a>;rel=canonical" + ";x" * 20_000], "http://h.org/d/a"),
        (['<a>;x="' + "\\" * 20_001], None),
        (["<" * 50_000], None),
        ([], None),
    ],
)
def test_canonical_link_when_read(values: list[str], expected: str | None) -> None:
    """The first canonical link counts; commas and quotes are read as RFC 8288 has them."""
    assert canonical_link(Headers([("Link", value) for value in values]), URL) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"Content-Type": "text/html; charset=x"}, True),
        ({"Content-Type": "Application/XHTML+XML"}, True),
        ({}, None),
        ({"Content-Type": "text/plain"}, None),
        ({"Content-Type": "text/xml"}, None),
        ({"Content-Type": "text/plain", "X-Content-Type-Options": "NoSniff"}, False),
        ({"X-Content-Type-Options": "nosniff"}, None),
        ({"Content-Type": "application/pdf"}, False),
        ({"Content-Type": "application/rss+xml"}, False),
    ],
)
def test_is_page_when_asked(fields: dict[str, str], expected: bool | None) -> None:
    """The type decides where it is sure."""
    assert is_page(Headers(fields.items())) is expected


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        ("text/html", b"%PDF", None),
        ("text/plain", b"<!DOCTYPE html>", None),
        ("", b"", None),
        ("text/plain", b"", "not HTML: the server calls it text/plain, and it does not begin as HTML does"),
        ("", b"\x89PNG", "not HTML: the server does not say what it is, and it does not begin as HTML does"),
        ("application/pdf", b"<html>", "not HTML: the server calls it application/pdf"),
    ],
)
def test_refusal_when_no_page(kind: str, body: bytes, reason: str | None) -> None:
    """The reason says what the server called it."""
    assert refusal(Headers([("Content-Type", kind)] if kind else []), body) == reason


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"<!DOCTYPE HTML>", True),
        (b"\xef\xbb\xbf \n<html>", True),
        (b"<?xml version='1.0'?>\n<!-- c --><html xmlns=x>", True),
        (b"<!-- a --><!-- b --><p>", True),
        ("<html><p>".encode("utf-16"), True),
        (b"\xfe\xff" + "<html><p>".encode("utf-16-be"), True),
        (b"<meta charset=utf-8>", True),
        (b"<rss>", False),
        (b"<?xml version='1.0'?><rss>", False),
        (b"<paragraph>", False),
        (b"text <html>", False),
        (b"<!-- never closed", False),
        (b"<!-- " * 2000, False),
        (b" " * 5000 + b"<p>", False),
        (b"", False),
    ],
)
def test_looks_like_html_when_sniffed(body: bytes, expected: bool) -> None:
    """The first tag decides."""
    assert looks_like_html(body) is expected
