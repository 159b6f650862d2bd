"""One page gives rows, links and problems, and the same under every parser."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from toolkit.apps.scrape.rules import Follow, Link, Problem, Reading, Rules, complete, load_rules, read_page, read_rules
from toolkit.apps.scrape.rules.links import References
from toolkit.apps.scrape.urls import base_of, resolve
from toolkit.core import plugins

PARSERS = plugins.names("toolkit.apps.scrape.parsers")
LISTING = """<!doctype html><html><head><base href=/x/><title>Shop</title><link rel="x Canonical" href="c#f">
<meta name=Robots content="NoIndex, follow"><meta name=other content=nofollow></head><body><h1>All</h1>
<nav><a href=/private/1>p</a><a rel="nofollow x" href="/ok#a">p</a><a href=" /ok ">p</a>
<a href="mailto:a@b.c">m</a><a>n</a></nav>
<article class=item data-id=7><h2><a href=../item/1>One <b>b</b></a></h2><p class=price>1.234,50 €</p>
<ul><li>a</li><li>b</li></ul></article>
<article class=item data-id=x><h2>Two</h2></article>
<article class=item data-id=9><h2><a href=/private/9>Three</a></h2></article>
<a class=next href="?page=2">n</a></body></html>"""
RULES = """
[[page]]
name = "listing"
glob = "/category/*"
rows = "article.item"
[page.fields]
name = "h2"
price = ".price | price"
tags = { css = "li", many = true }
id = "@data-id | int"
label = "> h2 a::own"
site = { css = "h1", from = "page" }
[[page.follow]]
css = "h2 a"
page = "item"
join = true
deny = "/private/"
[[page.follow]]
css = "a.next"
pagination = true
[[page]]
name = "item"
glob = "/item/*"
[page.fields]
name = "h1"
stock = "p.stock | re:([0-9]+) | int | default:0"
specs = "table::table"
best = { css = ".best", required = true, fields = { a = "a@href", own = "::own" } }
[page.fields."reviews[]"]
css = ".review"
fields = { who = ".who | required", stars = "@data-stars | int", reply = { css = ".reply", fields = { text = "p" } } }
[[follow]]
css = "nav a"
deny = ["/private"]
domains = ["h.org"]
"""
ITEM = """<!doctype html><h1>One!</h1><p class=stock>In stock (22)</p><p class=price></p>
<div class=review data-stars=5><b class=who>me</b><div class=reply><p>thanks</p></div></div>
<div class=review data-stars=five></div><table><tr><th>a<tr><td>1</table>"""


def rules_of(tmp_path: Path, text: str, parser: str | None = None) -> Rules:
    path = tmp_path / "r.toml"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return load_rules(path, parser, [])


def read(rules: Rules, markup: str, url: str = "http://h.org/", **options: Any) -> Reading:
    return read_page(markup.encode(), "utf-8", url, rules, **options)


@pytest.mark.parametrize("parser", PARSERS)
def test_page_when_a_listing(tmp_path: Path, parser: str) -> None:
    """Rows end here unless a link joins them to a page; first the rule that takes a URL has it."""
    found = read(rules_of(tmp_path, RULES, parser), LISTING, "http://h.org/category/a?b=1")
    two: dict[str, Any] = {"name": "Two", "price": None, "tags": [], "id": None, "label": None, "site": "All"}
    assert found.rows == (two, two | {"name": "Three", "label": "Three", "id": 9})
    price = {"amount": 1234.5, "currency": "EUR"}
    carry = (("name", "One b"), ("price", price), ("tags", ["a", "b"]), ("id", 7), ("label", "One"), ("site", "All"))
    assert found.links == (
        Link("http://h.org/item/1", "listing 1", "item", carry=carry, record=0),
        Link("http://h.org/x/?page=2", "listing 2", "listing", pagination=True),
        Link("http://h.org/ok", "follow 1"),
    )
    assert found.records == (1, 2)
    assert found.problems == (Problem(1, "id", "'x' is not a whole number"),)
    assert (found.page, found.canonical, found.encoding, found.replaced) == ("listing", "http://h.org/x/c", "utf-8", 0)
    assert found.robots == {"noindex"}


@pytest.mark.parametrize("parser", PARSERS)
def test_page_when_it_completes_a_row(tmp_path: Path, parser: str) -> None:
    """What the page has goes before the listing's; what it lacks stays the listing's. Records may be missing."""
    found = read(
        rules_of(tmp_path, RULES, parser), ITEM, page="item", carry=(("name", "One"), ("id", 7), ("specs", "s"))
    )
    reviews = [{"who": "me", "stars": 5, "reply": {"text": "thanks"}}, {"who": None, "stars": None, "reply": None}]
    row = {"name": "One!", "id": 7, "specs": [{"a": "1"}], "stock": 22, "reviews": reviews, "best": None}
    assert found.rows == (row,)
    assert found.problems == (
        Problem(0, "best", "required, and missing"),
        Problem(0, "reviews[1].who", "required, and missing"),
        Problem(0, "reviews[1].stars", "'five' is not a whole number"),
    )


def test_problem_when_its_row_goes_on(tmp_path: Path) -> None:
    """Its place is that among all records, and so it can be left out: neither its row nor its link are there then."""
    found = read(rules_of(tmp_path, RULES), LISTING.replace("data-id=7", "data-id=z"), "http://h.org/category/a")
    assert [(problem.row, problem.field) for problem in found.problems] == [(0, "id"), (1, "id")]
    left = found.without({problem.row for problem in found.problems})
    assert ([row["name"] for row in left.rows], left.records) == (["Three"], (2,))
    assert [link.url for link in left.links] == ["http://h.org/x/?page=2", "http://h.org/ok"]
    assert found.without(()) == found


def test_page_when_of_no_type(tmp_path: Path) -> None:
    """It has no rows, and the links that all pages have."""
    found = read(rules_of(tmp_path, RULES), LISTING, "http://h.org/other")
    assert (found.page, found.rows) == ("", ())
    assert [link.url for link in found.links] == ["http://h.org/ok"]


@pytest.mark.parametrize("parser", PARSERS)
def test_record_when_it_is_the_element_itself(tmp_path: Path, parser: str) -> None:
    """Without a selector, a field is the record's own, and a join link, too."""
    text = """
    [[page]]
    name = "a"
    rows = "li"
    [page.fields]
    id = "@data-id"
    text = "::text"
    html = { take = "outer" }
    [[page.follow]]
    css = ""
    attr = "data-go"
    join = true
    """
    found = read(rules_of(tmp_path, text, parser), "<!doctype html><ul><li data-id=1 data-go=x>a<li>b</ul>")
    assert found.rows == ({"id": None, "text": "b", "html": "<li>b</li>"},)
    assert [(link.url, dict(link.carry or ())["id"]) for link in found.links] == [("http://h.org/x", "1")]


@pytest.mark.parametrize("parser", PARSERS)
def test_records_when_nested_in_their_own_kind(tmp_path: Path, parser: str) -> None:
    """A record's fields are found below it only, whatever is around it."""
    text = """
    [[page]]
    name = "a"
    rows = "main > ul > li"
    [page.fields]
    name = "> b"
    all = { css = "li", many = true, fields = { name = "> b", up = "ul li b" } }
    """
    page = "<!doctype html><main><ul><li><b>1</b><ul><li><b>2</b><ul><li><b>3</b></ul></ul><li><b>4</b></ul></main>"
    found = read(rules_of(tmp_path, text, parser), page)
    inner = [{"name": "2", "up": "2"}, {"name": "3", "up": "3"}]
    assert found.rows == ({"name": "1", "all": inner}, {"name": "4", "all": []})


def test_xpath_when_rules_have_it(tmp_path: Path) -> None:
    """Rows, fields and follow rules may be XPath; strings and nodes both serve."""
    text = """
    [[page]]
    name = "a"
    rows = "xpath://tr[td]"
    [page.fields]
    name = "xpath:.//td[1]/text() | upper"
    next = "xpath:following-sibling::tr[1]/td[1]"
    id = { xpath = ".", attr = "id" }
    n = "xpath:count(.//td) | int"
    [[page.follow]]
    xpath = "//a/@href"
    """
    page = "<table><tr id=q><td>a<td>b<tr><td>c</table><a href=/x#y>l</a>"
    found = read(rules_of(tmp_path, text), page)
    assert found.rows == (
        {"name": "A", "next": "c", "id": "q", "n": 2},
        {"name": "C", "next": None, "id": None, "n": 1},
    )
    assert [link.url for link in found.links] == ["http://h.org/x"]


@pytest.mark.parametrize(
    ("head", "agent", "words"),
    [
        ("<meta name=robots content='none'>", "toolkit", {"none"}),
        ("<meta name=robots content='nofollow'><meta name=ROBOTS content='noindex'>", "x", {"nofollow", "noindex"}),
        ("<meta name=Toolkit content='nofollow,noarchive'>", "toolkit", {"nofollow"}),
        ("<meta name=toolkit content=nofollow>", "other", set()),
        ("<meta property=robots content=noindex><meta name=robots>", "toolkit", set()),
    ],
)
def test_robots_when_in_meta(head: str, agent: str, words: set[str]) -> None:
    """All tags for everyone and for us count together."""
    assert read(read_rules("lexbor", []), head, agent=agent).robots == words


@pytest.mark.parametrize(
    ("head", "canonical"),
    [
        ("<link rel=canonical href=//cdn.org/a?b#c>", "http://cdn.org/a?b"),
        ("<link rel='alternate canonical' href=a><link rel=canonical href=b>", "http://h.org/a"),
        ("<link rel=canonical href=javascript:x>", None),
        ("<link rel=canonical>", None),
        ("<link rel=canon href=a>", None),
    ],
)
def test_canonical_when_in_the_page(head: str, canonical: str | None) -> None:
    """The first that leads to http or https, absolute, without its fragment."""
    assert read(read_rules("lexbor", []), head).canonical == canonical


@pytest.mark.parametrize("parser", PARSERS)
def test_head_when_it_ends_early(parser: str) -> None:
    """What a page says of itself counts wherever it stands: browsers, too, end a head at what belongs to no head."""
    markup = (
        "<head><noscript><img src=t></noscript><link rel=canonical href=c><meta name=robots content=noindex></head>"
    )
    found = read(read_rules(parser, []), f"{markup}<body><p><base href=/x/>")
    assert found.canonical == "http://h.org/x/c"
    assert found.robots == {"noindex"}


@pytest.mark.parametrize("parser", PARSERS)
def test_links_when_the_same_again(parser: str) -> None:
    """One link that the page vouches for is enough, whatever fragments the others have."""
    rules = Rules(parser, read_rules(parser, ["t=title"]).pages, (Follow("all"),))
    markup = "<a rel=nofollow href=x#1></a><a href=x></a><a rel=nofollow href=x#3></a><a rel=nofollow href=y></a>"
    links = [(link.url, link.nofollow) for link in read(rules, f"{markup}<a href=y#1 rel=ugc></a>").links]
    assert links == [("http://h.org/x", False), ("http://h.org/y", True)]


@pytest.mark.parametrize(
    ("body", "charset", "replaced"),
    [
        (b"<p>\xff\xfe\xfd", "utf-8", 3),
        ("<p>\ufffd".encode(), "utf-8", 0),
        ("<p>\ufffd".encode() + b"\xff\0", "utf-8", 2),
        (b"<p>\x80", "windows-1252", 0),
        (b"<p>\x81", "shift_jis", 1),
        ("<p>\ufffd".encode("utf-16-le"), "utf-16le", 0),
    ],
)
def test_replaced_when_bytes_mean_nothing(body: bytes, charset: str, replaced: int) -> None:
    """Only what the page does not have itself is counted."""
    assert read_page(body, charset, "http://h.org/", read_rules("lexbor", ["p=p"])).replaced == replaced


def test_complete_when_there_is_nothing_to_add() -> None:
    """Without a listing's row, a row is what it is; null, empty text and lists add nothing to one."""
    assert complete(None, {"a": None}) == {"a": None}
    carry = (("a", 1), ("b", 2), ("c", "x"), ("d", ["y"]))
    assert complete(carry, {"a": None, "b": 0, "c": "", "d": [], "e": ""}) == {**dict(carry), "b": 0, "e": ""}


URLS = st.text(alphabet=st.sampled_from("ab/.?#:%2eé \t\\@&=<>\"'"), max_size=12)


@given(URLS, URLS | st.none())
@example("x #y", None)
@example("#", "a#b")
def test_references_when_anything(reference: str, base: str | None) -> None:
    """The short cut for fragments gives what resolving in full does, each time it is asked."""
    references = References("http://h.org/d/e?q", base, "windows-1251")
    expected = resolve(base_of("http://h.org/d/e?q", base, "windows-1251"), reference, "windows-1251")
    assert references.resolve(reference) == references.resolve(reference) == expected


@given(st.lists(URLS, max_size=4), URLS | st.none())
@example(["a#b#c", "a", "#", "mailto:x#y", "//[#z"], None)
def test_references_when_many_at_once(references: list[str], base: str | None) -> None:
    """What is resolved together is what is resolved one by one."""
    together, alone = (References("http://h.org/d/e?q", base, "windows-1251") for _ in range(2))
    assert together.all(references) == [alone.resolve(reference) for reference in references]


MARKUP = st.lists(
    st.sampled_from(
        [
            "<p>",
            "</p>",
            "<div>",
            "</div>",
            "<b>",
            "</b>",
            "<li>",
            "<table>",
            "<tr>",
            "<td>",
            "</table>",
            "<a&nbsp;href=x>",
            "x",
            "&",
            "&lt;",
            "<!--",
            "-->",
            "<br>",
        ]
    ),
    max_size=30,
).map(lambda pieces: "".join(pieces).replace("&nbsp;", " "))


@given(MARKUP, st.sampled_from(PARSERS))
def test_page_when_malformed(markup: str, parser: str) -> None:
    """Whatever the markup, there is a row, and asking again gives the same."""
    rules = read_rules(parser, ["p=p", "all[]=td", "h=b::html", "t=table::table", "o=div::own", "l[]=a@href"])
    assert read(rules, markup) == read(rules, markup)
    assert len(read(rules, markup).rows) == 1
