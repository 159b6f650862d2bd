"""The three parsers give the same rows on the documented subset; where their trees differ is listed here."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.apps.scrape.differences import DIFFERENCES, Difference
from toolkit.apps.scrape.parsers import Parser
from toolkit.core import plugins

PARSERS = plugins.names("toolkit.apps.scrape.parsers")
PAGE = """<!doctype html>
<html lang="en-GB"><head><title> The \n title&nbsp;here </title><base href="/b/">
<meta name="description" content=" A page "><style>p { color: red }</style></head>
<body id="top" class="home  wide">
<h1 class="big title">One<br>two<!-- not this --> <b>thr</b>ee</h1>
<ul id="list"><li class="a">first</li><li class="a b">second</li><li>third</li><li class="ab">fourth</li></ul>
<p>A <a href="/one" rel="nofollow next">link</a>, <a href="two" title="">another</a>, <a>none</a>.</p>
<div><p>x</p><p>y</p>z<script>var hidden = "<p>no</p>";</script><template>t<p class="ghost">q</p></template></div>
<form><input type="text" name="q"><input type="submit" name="go" value="Go"></form>
<table><tbody><tr><td>1</td><td>2</td></tr><tr><td>3</td><td></td></tr></tbody></table>
<pre>a
  b</pre>
<span data-price="1.50" data-kind="book-old">&lt;price&gt; &amp; more</span>
<em></em><i>\u65e5\u672c &eacute; &#x1F600;</i>
<section><h2>S</h2><p>s1</p><p>s2</p></section>
</body></html>"""

TEXTS = [
    ("title", ["The title here"]),
    ("h1", ["One two three"]),
    ("li", ["first", "second", "third", "fourth"]),
    ("LI", ["first", "second", "third", "fourth"]),
    (".a", ["first", "second"]),
    ("li.a.b", ["second"]),
    (".A", []),
    ("#list .b", ["second"]),
    ("ul#list > li:first-child", ["first"]),
    ("li:last-child", ["fourth"]),
    ("li:nth-child(2)", ["second"]),
    ("li:nth-child(odd)", ["first", "third"]),
    ("li:nth-child(2n)", ["second", "fourth"]),
    ("li:nth-child(n+3)", ["third", "fourth"]),
    ("li:nth-child(-n+2)", ["first", "second"]),
    ("li:not(.a)", ["third", "fourth"]),
    ("li:not([class])", ["third"]),
    ("li:not(:first-child)", ["second", "third", "fourth"]),
    ("li[class~=a]", ["first", "second"]),
    ("li[class^=a]", ["first", "second", "fourth"]),
    ("li[class$=b]", ["second", "fourth"]),
    ("li[class*='a b']", ["second"]),
    ('[data-kind|="book"]', ["<price> & more"]),
    ("[data-price='1.50']", ["<price> & more"]),
    ("[data-price='1']", []),
    ("a[title]", ["another"]),
    ("a[title='']", ["another"]),
    ("li.a + li", ["second", "third"]),
    ("li.a ~ li", ["second", "third", "fourth"]),
    ("section > h2 + p", ["s1"]),
    ("section p:first-of-type", ["s1"]),
    ("section p:last-of-type", ["s2"]),
    ("section p:nth-of-type(2)", ["s2"]),
    ("h2, h1", ["One two three", "S"]),
    ("h1,title , h2", ["The title here", "One two three", "S"]),
    ("div", ["x y z"]),
    ("div p", ["x", "y"]),
    (".ghost", []),
    ("template", [""]),
    ("script", ['var hidden = "<p>no</p>";']),
    ("td", ["1", "2", "3", ""]),
    ("tr", ["1 2", "3"]),
    ("table > tbody > tr > td:first-child", ["1", "3"]),
    ("td:empty", [""]),
    ("em", [""]),
    ("pre", ["a b"]),
    ("i", ["\u65e5\u672c \u00e9 \U0001f600"]),
    ("p:only-child", []),
    ("b:only-child", []),
    ("section *", ["S", "s1", "s2"]),
    ("li:nth-last-child(1)", ["fourth"]),
    ("li:nth-last-child(n+3)", ["first", "second"]),
    ("section p:nth-last-of-type(2)", ["s1"]),
    ("section h2:only-of-type", ["S"]),
    ("li:is(.a, .ab)", ["first", "second", "fourth"]),
    ("li:is(.a, .ab):not(.b)", ["first", "fourth"]),
    (":root > body > section > p", ["s1", "s2"]),
    ("h1, .big, .title", ["One two three"]),
    ("p, section *", ["A link, another, none.", "x", "y", "S", "s1", "s2"]),
    ("div > p + p", ["y"]),
    ("ul li + li ~ li", ["third", "fourth"]),
    ("nothing", []),
]
ATTRIBUTES = [
    ("a", "href", ["/one", "two"]),
    ("a", "title", [""]),
    ("a", "rel", ["nofollow next"]),
    ("body", "class", ["home  wide"]),
    ("meta[name=description]", "content", [" A page "]),
    ("html", "lang", ["en-GB"]),
    ("input[type=submit]", "value", ["Go"]),
    ("[data-price]", "data-price", ["1.50"]),
    ("base", "href", ["/b/"]),
    ("li", "href", []),
]


@pytest.fixture(params=PARSERS)
def parser(request: pytest.FixtureRequest) -> Parser:
    """Each parser in turn."""
    loaded: Parser = plugins.load("toolkit.apps.scrape.parsers", request.param, "parser")
    return loaded


def texts(parser: Parser, page: str, selector: str) -> list[str]:
    rule: Any = parser.compile(selector)
    document = parser.parse(page)
    found = document.texts(rule, first=False)
    assert document.texts(rule, first=True) == found[:1]
    return found


def test_parsers_when_listed() -> None:
    """The folder is the list."""
    assert PARSERS == ["bs4", "lexbor", "lxml"]


@pytest.mark.parametrize(("selector", "expected"), TEXTS)
def test_texts_when_on_the_subset(parser: Parser, selector: str, expected: list[str]) -> None:
    """Same selector, same texts, in document order."""
    assert texts(parser, PAGE, selector) == expected


@pytest.mark.parametrize(("selector", "name", "expected"), ATTRIBUTES)
def test_attributes_when_on_the_subset(parser: Parser, selector: str, name: str, expected: list[str]) -> None:
    """Attributes come as written, from the elements that have them."""
    document, rule = parser.parse(PAGE), parser.compile(selector)
    assert document.attributes(rule, name, first=False) == expected
    assert document.attributes(rule, name, first=True) == expected[:1]


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>a<span>b</span>c</p>", "abc"),
        ("<p>a <b> b</b>\n\tc</p>", "a b c"),
        ("<p>a<br/>b</p>", "a b"),
        ("<p>a&nbsp;&nbsp;b&#8195;c</p>", "a b c"),
        ("<p>a<!-- x -->b</p>", "ab"),
        ("<p>a<style>x</style>b<script>y</script>c</p>", "abc"),
        ("<p>a<img alt=x>b</p>", "ab"),
        ("<p>a&lt;b&gt;c&amp;d</p>", "a<b>c&d"),
        ("<p></p>", ""),
        ("<p>un<wbr>broken</p>", "unbroken"),
        ("<p>a<button>b</button>c</p>", "a b c"),
    ],
)
def test_text_when_marked_up(parser: Parser, markup: str, expected: str) -> None:
    """White space runs are one space; breaks and blocks part words; what is not shown is left out."""
    assert texts(parser, f"<!doctype html>{markup}", "p") == [expected]


@pytest.mark.parametrize(
    "page",
    ["", " ", "just words", "http://example.org", "<", "<!doctype html>", "<?xml version='1.0'?><p>x</p>", "\ufffd"],
)
def test_parse_when_hardly_a_page(parser: Parser, page: str) -> None:
    """Any text is a page, without error or warning."""
    assert texts(parser, page, "h1") == []


BELOW = [
    ("p", ["x", "y"]),
    ("section p", []),
    ("body p", ["x", "y"]),
    ("#here p", ["x", "y"]),
    ("div", ["y"]),
    (":scope > p", ["x"]),
    (":scope p", ["x", "y"]),
    (":scope > div > p, :scope > p", ["x", "y"]),
    (":scope + p", []),
    ("p, *, p", ["x", "y", "y"]),
]


@pytest.mark.parametrize(("selector", "expected"), BELOW)
def test_find_when_below_an_element(parser: Parser, selector: str, expected: list[str]) -> None:
    """What is in the element is found, and not itself; what is around it counts for `a b`, as in browsers."""
    document = parser.parse("<!doctype html><body><div id=here><p>x</p><div><p>y</p></div></div><p>z</p>")
    here = document.first(parser.compile("#here"))
    rule = parser.compile(selector, within=True)
    found = document.find(rule, here)
    assert [document.text(node) for node in found] == expected
    assert document.texts(rule, first=False, within=here) == expected
    first = document.first(rule, here)
    assert (None if first is None else document.text(first)) == next(iter(expected), None)
    assert document.attributes(parser.compile("*", within=True), "id", first=False, within=here) == []
    assert "scope" not in document.outer(here)


@pytest.mark.parametrize(
    ("markup", "own", "pre", "inner"),
    [
        ("<p>a <b>b</b>c</p>", "a c", "a bc", "a <b>b</b>c"),
        ("<p>a<br>b</p>", "a b", "a\nb", "a<br>b"),
        ("<p> a\r\n b </p>", "a b", " a\n b ", " a\n b "),
        ("<pre>\na\n  b</pre>", "a b", "a\n  b", None),
        ('<p>&lt;&amp;&nbsp;é"</p>', '<& é"', '<&\xa0é"', '&lt;&amp;&nbsp;é"'),
        ("<p><i title='a b' id=x></i><!--c--></p>", "", "", '<i title="a b" id="x"></i><!--c-->'),
        ("<p><b>x</b><script>1<2</script></p>", "", "x", "<b>x</b><script>1<2</script>"),
        ("<p><img src=a.png alt=''></p>", "", "", '<img src="a.png" alt="">'),
    ],
)
def test_node_when_taken_otherwise(parser: Parser, markup: str, own: str, pre: str, inner: str | None) -> None:
    """The element's own text, the text as written and the markup inside are the same under every parser."""
    document = parser.parse(f"<!doctype html><body>{markup}")
    node = document.first(parser.compile("body > *"))
    assert document.own(node) == own
    assert document.pre(node) == pre
    if inner is not None:
        assert document.inner(node) == inner
        tag = document.tag(node)
        assert document.outer(node) == f"<{tag}>{inner}</{tag}>"


def test_children_when_there_is_more_than_elements(parser: Parser) -> None:
    """Text and comments are no children."""
    document = parser.parse("<!doctype html><body><div>a<!-- c --><p>b</p>d<i></i></div>")
    node = document.first(parser.compile("div"))
    assert [document.tag(child) for child in document.children(node)] == ["p", "i"]
    assert document.attribute(node, "id") is None


def test_xpath_when_asked_for() -> None:
    """Only lxml has it; elements, strings, numbers and truths all give text."""
    for name in ("bs4", "lexbor"):
        with pytest.raises(ValueError, match="only lxml does"):
            plugins.load("toolkit.apps.scrape.parsers", name, "parser").xpath("//p")
    parser = plugins.load("toolkit.apps.scrape.parsers", "lxml", "parser")
    document = parser.parse("<p id=a>x <b>y</b></p><p id=b><!-- c -->")
    cases = [("//p[1]", ["x y"]), ("//p/@id", ["a", "b"]), ("count(//p)", ["2"]), ("count(//p) = 2", ["true"])]
    cases += [("string(//p)", ["x y"]), ("//p/text()", ["x"]), ("//comment()", []), ("count(//p) div 4", ["0.5"])]
    for expression, expected in cases:
        assert document.texts(parser.xpath(expression), first=False) == expected
    with pytest.raises(ValueError, match="does not take this XPath"):
        parser.xpath("//p[")
    with pytest.raises(ValueError, match="fails"):
        document.find(parser.xpath("nope(//p)"))


@pytest.mark.parametrize("selector", ["", "p[", "p:nope", "p,", "> > p", "p::text", "..", "p{", "@"])
def test_compile_when_the_selector_is_wrong(parser: Parser, selector: str) -> None:
    """A wrong selector is a ValueError before any page is read."""
    with pytest.raises(ValueError, match="selector"):
        parser.compile(selector)


def test_parse_when_nested_deeply(parser: Parser) -> None:
    """Thousands of nested tags are no danger to the stack."""
    page = "<!doctype html><h1>top</h1>" + "<div>" * 1500 + "deep"
    assert texts(parser, page, "h1") == ["top"]
    assert texts(parser, page, "body") == ["top deep"]


def test_parse_when_nested_absurdly(parser: Parser) -> None:
    """Past the depth that a parser takes, a page is cut, and not an error."""
    page = "<!doctype html><h1>top</h1>" + "<div>" * 5000 + "deep"
    assert texts(parser, page, "h1") == ["top"]


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.what)
def test_trees_when_they_differ(parser: Parser, difference: Difference) -> None:
    """The known differences stay as they are documented."""
    expected = difference.answers[type(parser).__module__.rpartition(".")[2]]
    assert texts(parser, difference.page, difference.selector) == expected


def test_attribute_when_without_a_value(parser: Parser) -> None:
    """A known difference: lxml gives the boolean attributes of HTML 4 their own name as value."""
    document = parser.parse("<!doctype html><input checked><p hidden>")
    value = "checked" if type(parser).__name__ == "Lxml" else ""
    assert document.attributes(parser.compile("input"), "checked", first=True) == [value]
    assert document.attributes(parser.compile("p"), "hidden", first=True) == [""]


PIECES = [
    "<pre>",
    "</pre>",
    "\n",
    "a b",
    "<br>",
    "<b>",
    "</b>",
    "<script>1<2</script>",
    "<style>x</style>",
    "<!-- c -->",
]
PIECES += [
    "<template>t",
    "</template>",
    "<svg>",
    "</svg>",
    "<![CDATA[d]]>",
    "<title>u</title>",
    "<textarea>\nv",
    "&lt;&#0;é",
]
PIECES += [
    "<noscript>n",
    "</noscript>",
    "<p>",
    "<table>",
    "<tr><td>",
    "</table>",
    "<select><option>o",
    "\u65e5",
    "<i><p></i>",
]
NAMED = ["a", "P", "pre", "base, link,meta", "clippath", "title", "nosuch", "a , p", "li"]
ODD = """<!doctype html><title>t</title><meta name=a><ClipPath>4</clippath><p>1<a href=x rel>2</a><svg
><clipPath id=c><a xlink:href=y>3</a>
</clipPath><title>s</title></svg><b><p>5</b><link rel=x></p><template><a>no</a></template>"""


@pytest.mark.parametrize("page", [PAGE, ODD], ids=["usual", "odd"])
def test_find_when_expected(parser: Parser, page: str) -> None:
    """What is looked for in one walk is what each selector finds on its own, in the same order."""
    alone, together = parser.parse(page), parser.parse(page)
    rules = [parser.compile(selector) for selector in (*NAMED, "p > a", "#list li", "[href]")]
    together.expect(rules)
    for rule in rules:
        assert [together.outer(node) for node in together.find(rule)] == [
            alone.outer(node) for node in alone.find(rule)
        ]
        for name in ("href", "rel"):
            for first in (False, True):
                found = together.attributes(rule, name, first=first)
                assert found == alone.attributes(rule, name, first=first)
        one, other = together.first(rule), alone.first(rule)
        assert (one is None, one is None or together.outer(one)) == (other is None, other is None or alone.outer(other))
        assert together.pairs(rule, "href", "rel") == alone.pairs(rule, "href", "rel")
        assert together.texts(rule, first=False) == alone.texts(rule, first=False)


def test_pairs_when_one_is_missing(parser: Parser) -> None:
    """A match without the first attribute is left out, one without the second has None; records have their own."""
    document = parser.parse(
        "<!doctype html><a href=1 rel=x></a><a rel=y></a><div id=d><a href=2></a><a href='' rel></a></div>"
    )
    links = parser.compile("a")
    assert document.pairs(links, "href", "rel") == [("1", "x"), ("2", None), ("", "")]
    record = document.first(parser.compile("#d"))
    assert document.pairs(parser.compile("a", within=True), "href", "rel", record) == [("2", None), ("", "")]


def test_pairs_when_strings() -> None:
    """A string that an XPath gives stands for itself."""
    parser = plugins.load("toolkit.apps.scrape.parsers", "lxml", "parser")
    document = parser.parse("<a href=1 rel=x></a><a href=2>")
    assert document.pairs(parser.xpath("//a/@href"), "href", "rel") == [("1", None), ("2", None)]


@pytest.mark.parametrize(
    "page", ["", " \n", "\ufeff<p>x", "<p>a\r\nb\rc<pre>\r\nd", "<p>é \u65e5 \U0001f600", PAGE, ODD]
)
def test_parse_when_given_its_bytes(parser: Parser, page: str) -> None:
    """The page is the same, whether it is parsed from its text or from its UTF-8."""
    from_text, from_bytes = parser.parse(page), parser.parse(page, page.encode())
    every = parser.compile("*")
    assert [from_bytes.outer(node) for node in from_bytes.find(every)] == [
        from_text.outer(node) for node in from_text.find(every)
    ]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_pre_when_had_in_one_piece(pieces: list[str]) -> None:
    """The text as written is what it is piece by piece, whatever stands in the element."""
    parser = plugins.load("toolkit.apps.scrape.parsers", "lexbor", "parser")
    document = parser.parse("<!doctype html><body>" + "".join(pieces))
    slow = parser.parse("<!doctype html><body>" + "".join(pieces))
    slow._quick = 0
    every = parser.compile("*")
    for one, other in zip(document.find(every), slow.find(every), strict=True):
        assert document.pre(one) == slow.pre(other)


def test_pre_when_asked_of_all_that_nests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elements without text that nest are a named failure, too: what cannot be counted is done a few times only."""
    monkeypatch.setattr("toolkit.apps.scrape.text.WORK", 1_000_000)
    parser = plugins.load("toolkit.apps.scrape.parsers", "lexbor", "parser")
    document = parser.parse("<!doctype html>" + "<div>" * 1000 + "<i></i>" * 200_000)
    nodes = document.find(parser.compile("div"))
    started = time.process_time()
    with pytest.raises(ValueError, match="the same text over and over"):
        list(map(document.pre, nodes))
    assert time.process_time() - started < 3
