"""Links, related documents and images."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apps.scrape.auto.fixtures import URL, every_parser, head, part
from toolkit.apps.scrape.auto import read_auto, references
from toolkit.apps.scrape.auto.references import largest


@every_parser
def test_links_when_read(parser: str) -> None:
    """Absolute URLs, tidied text, relations in lower case; what leads nowhere is left out, and what has no href."""
    html = (
        "<a href=x rel='NoFollow ugc nofollow'> a\n<b>b</b></a><a href='mailto:me@h.org'>m</a>"
        "<a href=' JavaScript:void(0)'>j</a><a href='data:text/html,x'>d</a><a name=n>n</a><a href='#top'>t</a>"
    )
    assert part("links", html, parser) == [
        {"url": "http://h.org/d/x", "text": "a b", "rel": ["nofollow", "ugc"]},
        {"url": "mailto:me@h.org", "text": "m", "rel": []},
        {"url": f"{URL}#top", "text": "t", "rel": []},
    ]


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        ("<a href=x><img alt=' a  b '></a>", "a b"),
        ("<a href=x aria-label=l title=t></a>", "l"),
        ("<a href=x title=t><img alt=''></a>", "t"),
        ("<map><area href=x alt=area></map>", "area"),
        ("<a href=x></a>", ""),
        (f"<a href=x>{'w' * 2000}</a>", "w" * 1000),
    ],
)
def test_links_when_they_have_no_text(inside: str, text: str) -> None:
    """They are called what screen readers call them."""
    assert [link["text"] for link in part("links", inside)] == [text]


def test_links_when_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ones stay, and the problem says how many there are."""
    monkeypatch.setattr(references, "MOST", 2)
    auto = read_auto("<a href=x>x</a>" * 5, URL, ["links"])
    assert (len(auto.values["links"]), auto.problems) == (2, (("links", "only the first 2 of 5 are given"),))


@every_parser
def test_related_when_read(parser: str) -> None:
    """Feeds, translations and icons, not style sheets and hints."""
    html = head(
        '<link rel="alternate" type="application/rss+xml" title="News" href="/feed">'
        '<link rel="alternate" hreflang="de" href="?l=de"><link rel="stylesheet" href="s.css">'
        '<link rel="preload" href="f.woff"><link rel="shortcut icon" href="i.ico"><link rel="next">'
    )
    assert part("related", html, parser) == [
        {"rel": ["alternate"], "url": "http://h.org/feed", "type": "application/rss+xml", "title": "News"},
        {"rel": ["alternate"], "url": f"{URL}?l=de", "hreflang": "de"},
        {"rel": ["shortcut", "icon"], "url": "http://h.org/d/i.ico"},
    ]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("<img src=a.png alt=' A ' width=10 height='20px'>", {"alt": "A", "width": 10, "height": 20}),
        ("<img src='data:image/gif;base64,R0' data-src=a.png>", {}),
        ("<img data-original=a.png width=50% height=-1>", {}),
        ("<img srcset='b.png 1x, a.png 2x'>", {}),
    ],
)
def test_images_when_read(image: str, expected: dict[str, Any]) -> None:
    """The picture that is seen in the end, with the sizes that are plain numbers."""
    assert part("images", image) == [
        {"url": "http://h.org/d/a.png", "alt": "", "width": None, "height": None} | expected
    ]


@pytest.mark.parametrize("image", ["<img alt=x>", "<img src=''>", "<img src='data:image/png;base64,AA'>"])
def test_images_when_there_is_nothing_to_load(image: str) -> None:
    """No URL, no image."""
    assert part("images", image) == []


@pytest.mark.parametrize(
    ("srcset", "url"),
    [
        ("a.png 100w, b.png 300w, c.png 200w", "b.png"),
        ("a.png, b.png 1.5x", "b.png"),
        ("a,b.png 2x,c.png", "a,b.png"),
        ("a.png,", "a.png"),
        ("  ,, a.png 1x", "a.png"),
        ("a.png 100w 50h, b.png 10w", "a.png"),
        ("a.png (x, y) 9w, b.png 2w", "b.png"),
        ("", ""),
        (" , ", ""),
    ],
)
def test_largest_when_candidates_differ(srcset: str, url: str) -> None:
    """The widest or densest; commas belong to a URL unless they end it."""
    assert largest(srcset) == url


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "srcset", ["a," * 500_000 + " (", "(" * 500_000, "a (" * 300_000, " " * 1_000_000, "a b" * 300_000]
)
def test_largest_when_hostile(srcset: str) -> None:
    """Time grows with the length only."""
    largest(srcset)
