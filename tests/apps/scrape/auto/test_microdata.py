"""Microdata by the examples and the algorithms of the HTML standard."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apps.scrape.auto.fixtures import URL, every_parser, part
from toolkit.apps.scrape.auto import read, read_auto
from toolkit.apps.scrape.auto.view import Budget

BAND = """
<div itemscope id="amanda" itemref="a b"></div>
<p id="a">Name: <span itemprop="name">Amanda</span></p>
<div id="b" itemprop="band" itemscope itemref="c"></div>
<div id="c">
 <p>Band: <span itemprop="name">Jazz Band</span></p>
 <p>Size: <span itemprop="size">12</span> players</p>
</div>
"""
BLOG = """
<article itemscope itemtype="http://schema.org/BlogPosting">
 <header><h1 itemprop="headline">Progress report</h1>
 <p><time itemprop="datePublished" datetime="2013-08-29">three days ago</time></p>
 <link itemprop="url" href="?comments=0"></header>
 <p>All in all, he's doing well with his swim lessons.</p>
 <section>
  <article itemprop="comment" itemscope itemtype="http://schema.org/Comment" id="c1">
   <link itemprop="url" href="#c1">
   <p itemprop="creator" itemscope itemtype="http://schema.org/Person"><span itemprop="name">Greg</span></p>
  </article>
 </section>
</article>
"""


@every_parser
def test_items_when_they_are_the_standards(parser: str) -> None:
    """The standard's blog posting (5.3.3) gives the standard's JSON."""
    expected = {
        "type": ["http://schema.org/BlogPosting"],
        "properties": {
            "headline": ["Progress report"],
            "datePublished": ["2013-08-29"],
            "url": ["http://h.org/d/page?comments=0"],
            "comment": [
                {
                    "type": ["http://schema.org/Comment"],
                    "properties": {
                        "url": ["http://h.org/d/page#c1"],
                        "creator": [{"type": ["http://schema.org/Person"], "properties": {"name": ["Greg"]}}],
                    },
                }
            ],
        },
    }
    assert part("microdata", BLOG, parser) == [expected]


@every_parser
def test_items_when_they_refer(parser: str) -> None:
    """The standard's jazz band (5.2.2): properties that stand elsewhere, and an item that has them elsewhere, too."""
    band = {"properties": {"name": ["Jazz Band"], "size": ["12"]}}
    assert part("microdata", BAND, parser) == [{"properties": {"name": ["Amanda"], "band": [band]}}]


@every_parser
@pytest.mark.parametrize(
    ("element", "value"),
    [
        ('<meta itemprop=p content=" c ">', " c "),
        ("<meta itemprop=p>", ""),
        ("<img itemprop=p src=i.png alt=x>", "http://h.org/d/i.png"),
        ("<img itemprop=p alt=x>", ""),
        ("<audio itemprop=p src=/s.ogg></audio>", "http://h.org/s.ogg"),
        ("<iframe itemprop=p src=f></iframe>", "http://h.org/d/f"),
        ("<a itemprop=p href=../x>text</a>", "http://h.org/x"),
        ("<a itemprop=p>text</a>", ""),
        ("<object itemprop=p data=o></object>", "http://h.org/d/o"),
        ("<data itemprop=p value=9>nine</data>", "9"),
        ("<data itemprop=p>nine</data>", ""),
        ("<meter itemprop=p value=0.5>half</meter>", "0.5"),
        ("<time itemprop=p datetime=2024-01-02>then</time>", "2024-01-02"),
        ("<time itemprop=p>2024-01-02</time>", "2024-01-02"),
        ("<span itemprop=p>a <b>b</b>\n c</span>", "a b c"),
        ("<span itemprop=p content=1000.00>1,000</span>", "1000.00"),
        ("<span itemprop=p></span>", ""),
    ],
)
def test_items_when_a_property_is(element: str, value: str, parser: str) -> None:
    """Each element has its own way to say its value (5.2.4)."""
    assert part("microdata", f"<div itemscope>{element}</div>", parser) == [{"properties": {"p": [value]}}]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p itemscope><b itemprop='a b a'>x</b><i itemprop=a>y</i></p>", {"a": ["x", "y"], "b": ["x"]}),
        ("<div itemscope><p itemprop=a>x<b itemprop=b>y</b></p></div>", {"a": ["xy"], "b": ["y"]}),
        ("<div itemscope><div itemscope><b itemprop=a>x</b></div></div>", {}),
        ("<b itemprop=a id=z>x</b><p itemscope itemref='z none z'></p>", {"a": ["x"]}),
        ("<p itemscope itemref=z><b itemprop=a id=z>x</b></p>", {"a": ["x"]}),
        ("<b itemprop=a id=z>1</b><p itemscope itemref='y z'></p><b itemprop=a id=y>2</b>", {"a": ["1", "2"]}),
        ("<i id=z itemprop=a>1</i><i id=z itemprop=a>2</i><p itemscope itemref=z></p>", {"a": ["1"]}),
    ],
)
def test_items_when_properties_are_found(html: str, expected: dict[str, Any]) -> None:
    """Properties are an item's own, in the document's order, each element once."""
    assert part("microdata", html)[0] == {"properties": expected}


def test_items_when_named() -> None:
    """Types are a list without doubles, an id is a URL."""
    html = "<p itemscope itemtype=' t:a t:b t:a ' itemid='../i'></p>"
    assert part("microdata", html) == [{"type": ["t:a", "t:b"], "id": "http://h.org/i", "properties": {}}]


def test_items_when_in_circles() -> None:
    """An item that is its own property is an ERROR, by the standard."""
    html = "<div itemscope itemref=z></div><div id=z itemprop=a itemscope itemref=y></div>"
    html += "<b id=y><i itemprop=b itemscope itemref=z></i></b>"
    inner = {"properties": {"b": [{"properties": {"a": ["ERROR"]}}]}}
    assert part("microdata", html) == [{"properties": {"a": [inner]}}]


def test_items_when_nested_without_end() -> None:
    """Levels are counted."""
    auto = read_auto("<div itemscope>" + "<div itemscope itemprop=a>" * 80, URL, ["microdata"])
    assert auto.problems == (("microdata", "items are nested deeper than 50 levels"),)


def test_items_when_they_multiply(monkeypatch: pytest.MonkeyPatch) -> None:
    """Items that each refer twice to the next would be 2^40: the time of one page is limited, and it says so."""
    monkeypatch.setattr(read, "Budget", lambda: Budget(0.2))
    item = "<i id={0}{1}><b itemscope itemprop=x itemref='a{2} b{2}'></b></i>"
    pieces = [item.format(letter, n, n + 1) for n in range(40) for letter in "ab"]
    auto = read_auto("<p itemscope itemref='a0 b0'></p>" + "".join(pieces), URL, ["microdata"])
    assert auto.problems == (("microdata", "the page takes longer than 0.2 s: what is left was not looked at"),)
