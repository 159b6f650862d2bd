"""Where a page, its redirects, its robots.txt, a sitemap or a link may not lead, no connection is made at all."""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

import toolkit
from tests.apps.scrape.stage import Raw, Stage, moved, reply
from toolkit.core import addresses

CLIENTS = [("asyncio", "aiohttp"), ("threads", "requests"), ("threads", "curl")]
MODES: list[dict[str, Any]] = [{}, {"block_private": True}]
INSIDE = "inside.test"
"""A name of which only the fake resolver knows."""
HERE = ("127.0.0.2", "2130706434", "0x7f000002", "0177.0.0.2", "0x7f.2", "127.2")
ODD = ("127。0。0。2", "１２７.0.0.2", "127.0.0.1@127.0.0.2", "a:b@127.2", "127.0.0.2.", "127.0.0%2E2")
"""Ways that some of us do not understand at all."""
OTHERS = ("0.0.0.0", "0", "[::]", "[::1]", "[0:0::1]", "[::ffff:127.0.0.2]", "[::ffff:7f00:2]", "[::127.0.0.2]")
FAR = ("169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "10.0.0.1", "100.100.100.200", "[64:ff9b::a9fe:a9fe]")
NAMES = (INSIDE, f"{INSIDE}.", INSIDE.upper(), "localhost", "localhost.")
TRICKS = (*HERE, *ODD, *OTHERS, *FAR)
REFUSED = {"blocked", "input", "dns", "redirect", "duplicate"}


@pytest.fixture(autouse=True)
def resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let 127.0.0.1 stand for the public Internet, and nothing else here; names lead to what is not public."""
    without = IPv4Network("127.0.0.0/8").address_exclude(IPv4Network("127.0.0.1/32"))
    rest = [network for network in addresses.NOT_PUBLIC if str(network) != "127.0.0.0/8"]
    monkeypatch.setattr(addresses, "NOT_PUBLIC", (*rest, *without))
    addresses.is_public.cache_clear()
    real = socket.getaddrinfo

    def answer(host: Any, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if name.rstrip(".").lower() in (INSIDE, "localhost"):
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.2", port))]
        return real(host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", answer)


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Judge addresses anew after each test."""
    yield
    addresses.is_public.cache_clear()


@pytest.fixture
def victim() -> Iterator[Stage]:
    """Return a server at every address of this machine: whoever connects has found a hole."""
    with Stage(host="::") as stage:
        stage.answers |= {"/": b"<title>secret</title>", "/robots.txt": reply(b"", kind="text/plain")}
        yield stage


@pytest.fixture
def public() -> Iterator[Stage]:
    """Return a server at the one address that counts as public."""
    with Stage() as stage:
        yield stage


@pytest.fixture(params=MODES, ids=["guard", "block"])
def mode(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the options of one of the two rules."""
    found: dict[str, Any] = request.param
    return found


@pytest.fixture(params=CLIENTS, ids="-".join)
def way(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return a model and a client."""
    return dict(zip(("model", "client"), request.param, strict=True))


def hosts(way: dict[str, Any]) -> tuple[str, ...]:
    """Return all names of places where nobody is to go; libcurl resolves names by itself."""
    return TRICKS if way["client"] == "curl" else (*TRICKS, *NAMES)


def scrape(sources: list[str], tmp_path: Path, **options: Any) -> list[dict[str, Any]]:
    """Scrape, and return the manifest."""
    manifest = tmp_path / "manifest.jsonl"
    fixed: dict[str, Any] = {"field": ["t=title"], "retries": 0, "workers": 4, "connect_timeout": 2.0}
    toolkit.scrape(sources, tmp_path / "rows.jsonl", manifest=manifest, **fixed | options)
    assert "secret" not in (tmp_path / "rows.jsonl").read_text()
    return [json.loads(line) for line in manifest.read_text().splitlines()]


def reasons(rows: list[dict[str, Any]]) -> Counter[str]:
    return Counter(row["reason"] or row["outcome"] for row in rows)


def test_pages_when_all_private_addresses_are_blocked(victim: Stage, tmp_path: Path, way: dict[str, Any]) -> None:
    """Whatever way its address is written, a page that is not public is not asked for, nor its robots.txt."""
    sources = [victim.url(f"/{number}", host) for number, host in enumerate(hosts(way))]
    rows = scrape(sources, tmp_path, block_private=True, **way)
    assert set(reasons(rows)) <= REFUSED, rows
    assert reasons(rows)["blocked"] >= len(HERE + OTHERS + FAR)
    assert victim.connections == 0


@pytest.mark.parametrize("first", ["", "/again"])
def test_redirects(
    victim: Stage, public: Stage, tmp_path: Path, way: dict[str, Any], mode: dict[str, Any], first: str
) -> None:
    """A redirect from a public page to a private one is refused, at the first hop and behind another."""
    codes = ("301 M", "302 F", "303 S", "307 T", "308 P")
    for number, host in enumerate(hosts(way)):
        public.answers[f"/{number}"] = moved(victim.url(host=host), codes[number % 5])
        public.answers[f"/again/{number}"] = moved(f"/{number}")
    rows = scrape([public.url(f"{first}/{number}") for number in range(len(hosts(way)))], tmp_path, **way, **mode)
    assert set(reasons(rows)) <= REFUSED, rows
    assert reasons(rows)["blocked"] >= len(HERE + OTHERS + FAR)
    assert victim.connections == 0


def test_robots_that_redirect(
    victim: Stage, public: Stage, tmp_path: Path, way: dict[str, Any], mode: dict[str, Any]
) -> None:
    """A robots.txt that leads to a private address cannot be read, and no page of its host is fetched."""
    for host in ("127.0.0.2", "2130706434", "[::1]", "[::ffff:127.0.0.2]", "0.0.0.0", "127.0.0%2E2", FAR[0]):
        public.answers |= {"/robots.txt": moved(victim.url("/robots.txt", host)), "/page": b"<title>page</title>"}
        rows = scrape([public.url("/page")], tmp_path, fresh=True, **way, **mode)
        assert set(reasons(rows)) <= REFUSED, (host, rows)
    assert victim.connections == 0
    assert public.asked["/page"] == 0


@pytest.mark.parametrize("kind", ["sitemap", "feed"])
def test_sitemaps_and_feeds_that_redirect(
    victim: Stage, public: Stage, tmp_path: Path, way: dict[str, Any], mode: dict[str, Any], kind: str
) -> None:
    """So with lists of pages."""
    places = [public.url(f"/{number}.xml") for number in range(len(hosts(way)))]
    for number, host in enumerate(hosts(way)):
        public.answers[f"/{number}.xml"] = moved(victim.url("/s.xml", host))
    rows = scrape([], tmp_path, **{kind: places}, **way, **mode)
    assert set(reasons(rows)) <= REFUSED, rows
    assert len(rows) == len(places)
    assert victim.connections == 0


def xml(text: str) -> Raw:
    return reply(text.encode(), kind="application/xml")


def test_what_sitemaps_and_links_lead_to(
    victim: Stage, public: Stage, tmp_path: Path, way: dict[str, Any], mode: dict[str, Any]
) -> None:
    """Pages and sitemaps of other hosts are out of scope, whatever way they are written."""
    targets = [victim.url(host=host) for host in hosts(way)]
    links = "".join(f'<a href="{target}">x</a>' for target in targets)
    entries = "".join(f"<url><loc>{target}</loc></url>" for target in targets)
    nested = "".join(f"<sitemap><loc>{target}</loc></sitemap>" for target in [*targets, public.url("/s.xml")])
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    items = "".join(f"<item><link>{target}</link></item>" for target in targets)
    public.answers |= {
        "/": f"<title>t</title>{links}".encode(),
        "/robots.txt": reply("".join(f"Sitemap: {target}\n" for target in targets).encode(), kind="text/plain"),
        "/s.xml": xml(f"<urlset {space}>{entries}</urlset>"),
        "/i.xml": xml(f"<sitemapindex {space}>{nested}</sitemapindex>"),
        "/f.xml": xml(f'<rss version="2.0"><channel>{items}</channel></rss>'),
    }
    sitemaps = [public.url("/i.xml"), public.url("/")]
    rows = scrape(
        [public.url("/")], tmp_path, follow=["a"], sitemap=sitemaps, feed=[public.url("/f.xml")], **way, **mode
    )
    assert set(reasons(rows)) == {"done"}, rows
    assert public.asked["/s.xml"] == 1
    assert victim.connections == 0


@pytest.mark.parametrize("mode", [{}, {"block_private": True}], ids=["guard", "block"])
@pytest.mark.parametrize("vehicle", ["link", "sitemap", "index", "feed"])
def test_found_pages_where_the_scope_allows_them(
    victim: Stage, public: Stage, tmp_path: Path, way: dict[str, Any], mode: dict[str, Any], vehicle: str
) -> None:
    """A public page or list that names a private one is no reason to go there, though its host is in scope."""
    target = victim.url(host="127.0.0.2")
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    public.answers |= {
        "/": f'<title>t</title><a href="{target}">x</a>'.encode(),
        "/s.xml": xml(f"<urlset {space}><url><loc>{target}</loc></url></urlset>"),
        "/i.xml": xml(f"<sitemapindex {space}><sitemap><loc>{target}s.xml</loc></sitemap></sitemapindex>"),
        "/f.xml": xml(f'<rss version="2.0"><channel><item><link>{target}</link></item></channel></rss>'),
    }
    start: dict[str, tuple[list[str], dict[str, Any]]] = {
        "link": ([public.url("/")], {"follow": ["a"]}),
        "sitemap": ([], {"sitemap": [public.url("/s.xml")]}),
        "index": ([], {"sitemap": [public.url("/i.xml")]}),
        "feed": ([], {"feed": [public.url("/f.xml")]}),
    }
    sources, options = start[vehicle]
    rows = scrape(sources, tmp_path, domain=["127.0.0.1", "127.0.0.2"], **options, **way, **mode)
    assert reasons(rows) == {"done": 1, "blocked": 1}, rows
    assert victim.connections == 0


def test_pages_that_the_user_names(victim: Stage, public: Stage, tmp_path: Path, way: dict[str, Any]) -> None:
    """By default private pages that the user named are fetched, also when a public one has led there in vain."""
    public.answers["/"] = moved(victim.url("/a", "127.0.0.2"))
    victim.answers["/a"] = b"<title>mine</title>"
    sources = [public.url("/"), victim.url("/a", "127.0.0.2")]
    rows = scrape(sources, tmp_path, **way | {"workers": 1})
    assert [row["reason"] or row["outcome"] for row in sorted(rows, key=lambda row: row["index"])] == [
        "blocked",
        "done",
    ]
    assert victim.asked == {"/robots.txt": 1, "/a": 1}


def test_redirects_that_are_allowed(victim: Stage, public: Stage, tmp_path: Path, way: dict[str, Any]) -> None:
    """--allow-private follows them: so the tests above would see a connection."""
    tricks = ("127.0.0.2", "2130706434", "0x7f000002", "127.0.0.2.", "0.0.0.0", "[::ffff:127.0.0.2]", "[::1]")
    for number, host in enumerate(tricks):
        public.answers[f"/{number}"] = moved(victim.url("/open", host))
    victim.answers["/open"] = b"<title>open</title>"
    rows = scrape([public.url(f"/{number}") for number in range(len(tricks))], tmp_path, allow_private=True, **way)
    assert reasons(rows)["done"] >= 3, rows
    assert victim.connections > 0
