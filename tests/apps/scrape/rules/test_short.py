"""Fields are read strictly, and a page gives one value for each."""

from __future__ import annotations

import pytest

from toolkit.apps.scrape.rules import Field, extract, parse_field, read_rules
from toolkit.core import plugins
from toolkit.core.errors import UsageError

PARSERS = plugins.names("toolkit.apps.scrape.parsers")
URL = "http://h.org/a/b?q"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title=title", Field("title", "title")),
        (" t = h1 > a ", Field("t", "h1 > a")),
        ("links[]=a@href", Field("links", "a", "href", many=True)),
        ("l=a @ HREF", Field("l", "a", "href")),
        ("p=[data-x='a=b']@data-x", Field("p", "[data-x='a=b']", "data-x")),
        ("m=a[href*='@h.org']", Field("m", "a[href*='@h.org']")),
        ("m=a[href*='@h.org']@href", Field("m", "a[href*='@h.org']", "href")),
        ("x=use@xlink:href", Field("x", "use", "xlink:href")),
        ("größe=.size", Field("größe", ".size")),
        ("a-b_c.d=p", Field("a-b_c.d", "p")),
        ("q=a[title='(']", Field("q", "a[title='(']")),
        ("q=.a\\(b", Field("q", ".a\\(b")),
        ("q=a[lang|=en]", Field("q", "a[lang|=en]")),
        ("q=.a\\|b", Field("q", ".a\\|b")),
    ],
)
def test_parse_field_when_right(text: str, expected: Field) -> None:
    """The name ends at the first =, the attribute begins at the last @."""
    assert parse_field(text) == expected


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("title", "write it as"),
        ("", "write it as"),
        ("=title", "write it as"),
        ("[]=a", "write it as"),
        ("a b=p", "write it as"),
        ("a[0]=p", "write it as"),
        ("a=", "'a': the selector is missing"),
        ("a=@href", "'a': the selector is missing"),
        ("a=p@", "'a': the name of an attribute is missing"),
        ("a=p:not(b", "'a': .* not closed"),
        ("a=h1 |upper", "'a': write a filter with a space on both sides"),
        ("a=h1|int", "'a': write a filter with a space on both sides"),
        ("a=p[b", "'a': .* not closed"),
        ("a=p[b='c]", "'a': .* not closed"),
        ("a=p(])", "'a': .* not closed"),
    ],
)
def test_parse_field_when_wrong(text: str, what: str) -> None:
    """A field that cannot be used is an error that names it."""
    with pytest.raises(UsageError, match=what):
        parse_field(text)


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(
    ("fields", "what"),
    [
        (["a=p", "b=p:nope"], "'b'.*'p:nope' is not a CSS selector"),
        (["a=p", "a[]=b"], "'a' is given twice"),
        (["url=a@href"], "'url': every row has"),
        (["status=p"], "'status': every row has"),
    ],
)
def test_read_rules_when_wrong(parser: str, fields: list[str], what: str) -> None:
    """Names and selectors are checked on the chosen parser before anything is fetched."""
    with pytest.raises(UsageError, match=what):
        read_rules(parser, fields)


def test_read_rules_when_the_parser_is_unknown() -> None:
    """The message lists the parsers that there are."""
    with pytest.raises(UsageError, match="bs4, lexbor, lxml"):
        read_rules("html5lib", [])


def test_columns_when_no_field_is_named() -> None:
    """The default row has the facts, the title, the first heading, the description and the links."""
    rules = read_rules("lexbor", [])
    assert rules.columns == ("url", "final_url", "status", "title", "h1", "description", "links")


@pytest.mark.parametrize("parser", PARSERS)
def test_extract_when_on_a_page(parser: str) -> None:
    """Texts are tidied, links made absolute by the first base, attributes that are no URL left alone."""
    page = """<!doctype html><html><head><title> T </title><base target=x><base href=" /base/ "><base href=/no/>
    </head><body><a href=" x?y=\u0436 ">1</a><a href=mailto:a@b.c>2</a><a>3</a><img src=//cdn.org/i.png>
    <p data-u=" x ">p</p></body></html>"""
    rules = read_rules(
        parser, ["t=title", "n=h1", "ns[]=h1", "l[]=a@href", "one=a@href", "i=img@src", "d=p@data-u", "no=p@id"]
    )
    assert extract(page.encode("windows-1251"), "windows-1251", URL, rules) == {
        "t": "T",
        "n": None,
        "ns": [],
        "l": ["http://h.org/base/x?y=%E6", "mailto:a@b.c"],
        "one": "http://h.org/base/x?y=%E6",
        "i": "http://cdn.org/i.png",
        "d": " x ",
        "no": None,
    }


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"\0\0", b"<", b"\xef\xbb\xbf<title>x"])
def test_extract_when_hardly_a_page(parser: str, body: bytes) -> None:
    """Whatever the bytes, there is a row."""
    fields = extract(body, None, URL, read_rules(parser, []))
    assert fields["h1"] is None
    assert fields["links"] == []


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("codec", ["utf-8", "windows-1251", "utf-16", "koi8-r"])
def test_extract_when_encoded(parser: str, codec: str) -> None:
    """The parsers see the text that we decoded, whatever the page says of itself."""
    page = '<?xml version="1.0" encoding="ascii"?><html><head><meta charset="shift_jis"><title>Привет</title>'
    fields = extract(page.encode(codec), codec, URL, read_rules(parser, ["t=title"]))
    assert fields == {"t": "Привет"}
