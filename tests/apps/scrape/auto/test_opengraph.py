"""OpenGraph by the examples of ogp.me, and Twitter cards."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apps.scrape.auto.fixtures import every_parser, head, part


def og(*pairs: str) -> str:
    tags = [f'<meta property="{name}" content="{value}">' for name, value in (pair.split("=", 1) for pair in pairs)]
    return head("".join(tags))


@every_parser
def test_opengraph_when_structured(parser: str) -> None:
    """ogp.me's array of images: the sizes belong to the first, and to the third."""
    html = og(
        "og:title=The Rock",
        "og:image=https://example.com/rock.jpg",
        "og:image:width=300",
        "og:image:height=300",
        "og:image=https://example.com/rock2.jpg",
        "og:image=https://example.com/rock3.jpg",
        "og:image:height=1000",
    )
    assert part("og", html, parser) == {
        "title": "The Rock",
        "image": [
            {"url": "https://example.com/rock.jpg", "width": "300", "height": "300"},
            {"url": "https://example.com/rock2.jpg"},
            {"url": "https://example.com/rock3.jpg", "height": "1000"},
        ],
    }


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (og("og:image:url=/a.jpg", "og:image:alt=A"), {"image": [{"url": "http://h.org/a.jpg", "alt": "A"}]}),
        (og("og:image=/a.jpg", "og:image:url=/a.jpg"), {"image": [{"url": "http://h.org/a.jpg"}]}),
        (og("og:image:width=9", "og:image=/a.jpg"), {"image": [{"width": "9", "url": "http://h.org/a.jpg"}]}),
        (og("og:locale=en_GB", "og:locale:alternate=fr_FR"), {"locale": "en_GB", "locale:alternate": ["fr_FR"]}),
        (og("article:tag=a", "article:tag=b", "og:type=article"), {"article:tag": ["a", "b"], "type": "article"}),
        (og("og:title=first", "og:title=second"), {"title": "first"}),
        (og("OG:Title=case", "og:url=../x"), {"title": "case", "url": "http://h.org/x"}),
        (og("og:=x", "og:title=", "dc:title=other", "twitter:title=tw"), {}),
        (head('<meta name="og:title" content="by name">'), {"title": "by name"}),
        (head('<meta property="og:title og:description" content="both">'), {"title": "both", "description": "both"}),
    ],
)
def test_opengraph_when_read(html: str, expected: dict[str, Any]) -> None:
    """The first of what may come once; lists of what may come often; URLs absolute."""
    assert part("og", html) == expected


def test_twitter_when_read() -> None:
    """Cards are named in `name`, and by some pages in `property`."""
    html = head(
        '<meta name="twitter:card" content="summary"><meta property="twitter:image" content="/i.png">'
        '<meta name="twitter:card" content="again"><meta name="og:title" content="no">'
    )
    assert part("twitter", html) == {"card": "summary", "image": "http://h.org/i.png"}
