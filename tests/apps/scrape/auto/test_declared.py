"""What a page declares in its head."""

from __future__ import annotations

import pytest

from tests.apps.scrape.auto.fixtures import URL, every_parser, head, part


@every_parser
@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<title> A\n  &amp; B </title>", "A & B"),
        ("<title></title>", None),
        ("<svg><title>drawing</title></svg>", None),
        ("<html><head></head><body><svg><title>drawing</title></svg><p>x</p></body></html>", None),
        ("<title>one</title><title>two</title>", "one"),
        ("<p>no title</p>", None),
    ],
)
def test_title_when_read(html: str, expected: str | None, parser: str) -> None:
    """The first title that is not a drawing's, tidied."""
    assert part("title", html, parser) == expected


@every_parser
@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ('<link rel="canonical" href="/c#part">', "http://h.org/c"),
        ('<link rel="Alternate CANONICAL" href=" c?x=1 ">', "http://h.org/d/c?x=1"),
        ('<base href="//o.org/b/"><link rel=canonical href=c>', "http://o.org/b/c"),
        ('<link rel="canonical" href="mailto:me@h.org">', None),
        ('<link rel="canonical" href="a"><link rel="canonical" href="b">', "http://h.org/d/a"),
        ('<link rel="canonicals" href="a">', None),
        ('<link rel="canonical">', None),
    ],
)
def test_canonical_when_read(link: str, expected: str | None, parser: str) -> None:
    """The first one counts, absolute, without fragment."""
    assert part("canonical", head(link), parser) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<html lang=' en-GB '><p>", "en-GB"),
        ("<html lang=''><meta http-equiv=Content-Language content=de>", "de"),
        ("<html><head><meta http-equiv=content-language content='fr be'>", "fr"),
        ("<html><head><meta http-equiv=content-language content='fr, en'>", None),
        ("<html xml:lang=cs>", "cs"),
        ("<p lang=it>", None),
    ],
)
def test_language_when_read(html: str, expected: str | None) -> None:
    """The page's own language, not that of a part of it; a list of languages is none."""
    assert part("language", html) == expected


@every_parser
def test_meta_when_names_repeat(parser: str) -> None:
    """Names are in lower case, texts are tidied, and a name that comes again makes a list."""
    html = head(
        '<meta charset="utf-8"><meta name="Author" content=" A\n B "><meta name="tag" content="1">'
        '<meta name="tag" content="2"><meta name="tag" content="3"><meta property="og:title" content="O">'
        '<meta http-equiv="Refresh" content="5"><meta content="nameless"><meta name="no-content">'
    )
    expected = {"author": "A B", "tag": ["1", "2", "3"], "og:title": "O", "refresh": "5"}
    assert part("meta", html, parser) == expected


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ('<meta name=Description content="own"><meta property=og:description content=og>', "own"),
        ('<meta name=description content=" "><meta property=og:description content=og>', "og"),
        ("<meta name=twitter:description content=tw>", "tw"),
        ("", None),
    ],
)
def test_description_when_read(inside: str, expected: str | None) -> None:
    """The page's own goes before those that it has for others."""
    assert part("description", head(inside), url=URL) == expected
