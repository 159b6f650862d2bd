"""The sample site is what its script makes, and hangs together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag

from samples.catalogue import ITEMS, Item
from samples.make_site import SITE, make, pages
from samples.shelf import Shelf

ORIGIN = "http://localhost:1"


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf()


def soup(shelf: Shelf, path: str) -> BeautifulSoup:
    """Return the page at a path, parsed."""
    body = shelf.find(path, ORIGIN)
    assert body
    charset = body.kind.partition("charset=")[2]
    return BeautifulSoup(body.all(), "lxml", from_encoding=charset or None)


def links(page: BeautifulSoup) -> Iterator[str]:
    """Yield every address that a page points to."""
    for tag in page.find_all(["a", "link", "img"]):
        assert isinstance(tag, Tag)
        yield str(tag.get("href") or tag.get("src"))


def test_site_is_made_again(tmp_path: Path) -> None:
    """The script makes the committed bytes, each time."""
    made = [tmp_path / "one", tmp_path / "two"]
    for target in made:
        make(target)
    one, two, committed = (
        {path.relative_to(at): path.read_bytes() for path in at.rglob("*.*")} for at in (*made, SITE)
    )
    assert one == two == committed


def test_every_link_is_followed(shelf: Shelf) -> None:
    """From the front page every page is reached, and no link is dead."""
    todo, seen = ["/"], set()
    while todo:
        path = todo.pop()
        seen.add(path)
        body = shelf.find(unquote(path), ORIGIN)
        assert body, path
        if body.kind.startswith("text/html"):
            targets = {urlsplit(urljoin(ORIGIN + path, link)).path for link in links(soup(shelf, path))}
            todo += targets - seen - set(todo)
    assert set(pages()) == {f"{path}index.html" if path.endswith("/") else path for path in seen} & set(pages())


def test_listing_is_followed(shelf: Shelf) -> None:
    """Following rel=next from the first page meets every item once."""
    path, found = "/all/", []
    while path:
        page = soup(shelf, path)
        found += [str(tag["href"]) for tag in page.select(".card a.title")]
        following = page.select_one("nav.pages a[rel=next]")
        path = str(following["href"]) if following else ""
    assert found == [f"/item/{item.slug}.html" for item in ITEMS]


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.slug)
def test_item_is_described_for_machines(shelf: Shelf, item: Item) -> None:
    """JSON-LD, OpenGraph and the page itself say the same."""
    page = soup(shelf, f"/item/{item.slug}.html")
    data = json.loads(page.select('script[type="application/ld+json"]')[0].text)
    graph = page.select('meta[property="og:title"]')[0]["content"]
    assert data["name"] == graph == page.select("h1")[0].text == item.title
    assert data["offers"]["url"] == page.select("link[rel=canonical]")[0]["href"] == f"{ORIGIN}/item/{item.slug}.html"
    assert page.select(".price")[0].text == item.price


@pytest.mark.parametrize(("path", "title"), [("/russkij.html", "Бумажное окно"), ("/cesky.html", "Papírové okno")])
def test_page_is_not_utf8(shelf: Shelf, path: str, title: str) -> None:
    """Two pages are in older encodings; one says so in the page, the other in the header."""
    body = shelf.find(path, ORIGIN)
    assert body
    with pytest.raises(UnicodeDecodeError):
        body.all().decode()
    assert soup(shelf, path).select("h1")[0].text == title


def test_private_page_is_disallowed(shelf: Shelf) -> None:
    """The private page is linked, served and disallowed, and the sitemap leaves it out."""
    robots, sitemap = shelf.find("/robots.txt", ORIGIN), shelf.find("/sitemap.xml", ORIGIN)
    assert robots
    assert sitemap
    assert b"Disallow: /private/" in robots.all()
    assert f"Sitemap: {ORIGIN}/sitemap.xml".encode() in robots.all()
    assert b"/private/" not in sitemap.all()
    assert sitemap.all().count(b"<loc>") == len(pages()) - 1
    assert "/private/stock.html" in set(links(soup(shelf, "/")))
