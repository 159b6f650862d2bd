"""Lists of pages that sites keep themselves: sitemaps and feeds, fetched like pages; what they name is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from toolkit.apps.scrape import robots
from toolkit.apps.scrape.bodies import ACCEPT_ENCODING, BodySink
from toolkit.apps.scrape.feeds import FeedEntry, read_feed
from toolkit.apps.scrape.keys import key_of
from toolkit.apps.scrape.sitemaps import NestedSitemap, SitemapEntry, announced, read_sitemap
from toolkit.apps.scrape.urls import lend_login
from toolkit.apps.scrape.visit import Visit
from toolkit.core.errors import TaskError
from toolkit.core.follow import MayGo, follow
from toolkit.core.http import Head, Reply, Request, http_error, media_type
from toolkit.core.job import Runtime
from toolkit.core.network import Network
from toolkit.core.urls import wire_url

LARGEST = 64 * 1024 * 1024
"""Bytes of one sitemap or feed, decoded; the protocol ends at 50 MB."""
MOST_NESTED = 4
"""Sitemaps that may lead to each other in a row; the protocol knows one index."""
USUAL = "/sitemap.xml"
"""Where a sitemap is looked for if robots.txt names none."""

Found = tuple[str, Visit]


def visits_of(sitemaps: tuple[str, ...], feeds: tuple[str, ...]) -> list[Visit]:
    """Return what is to be fetched for these options; raises TaskError for what is no URL.

    The root of a site stands for what its robots.txt announces.
    """
    found = []
    for kind, urls in (("sitemap", sitemaps), ("feed", feeds)):
        for text in urls:
            url = wire_url(text)
            is_site = kind == "sitemap" and urlsplit(url).path in ("", "/")
            found.append(Visit(url, home=_host(url), kind="robots" if is_site else kind))
    return found


async def read_catalogue(
    visit: Visit,
    runtime: Runtime,
    headers: tuple[tuple[str, str], ...],
    network: Network,
    since: datetime | None,
    may_go: MayGo | None = None,
) -> tuple[Reply, list[Found], tuple[str, ...]]:
    """Fetch one, and return the reply, what it leads to, and notes on it; raises TaskError, and what may_go raises."""
    url = robots.robots_url(visit.url) if visit.kind == "robots" else visit.url
    request = network.request(url, (*headers, ACCEPT_ENCODING))
    if visit.public:
        request = replace(request, addresses="public")
    if visit.kind == "robots":
        may_go = None  # it is robots.txt itself
    reply, body = await _fetched(runtime, request, network, may_go, may_fail=visit.kind == "robots")
    if visit.kind == "robots":
        return reply, _announced(visit, body), ()
    head = reply.head
    found: list[Found] = []
    notes: list[str] = []
    charset = media_type(head.headers)[1]
    read = read_feed if visit.kind == "feed" else read_sitemap
    try:
        for entry in read(body, head.url, charset=charset, since=since):
            if isinstance(entry, NestedSitemap):
                if visit.depth < MOST_NESTED:
                    found.append(_found(entry.url, replace(visit, depth=visit.depth + 1), visit))
            elif isinstance(entry, SitemapEntry | FeedEntry):
                found.append(_found(entry.url, Visit(entry.url, home=visit.home, rule=visit.kind), visit))
            else:
                notes.append(entry.text)
    except TaskError as error:
        if not found:
            raise
        notes.append(error.message)
    return reply, found, tuple(notes)


async def _fetched(
    runtime: Runtime, request: Request, network: Network, may_go: MayGo | None, *, may_fail: bool
) -> tuple[Reply, bytes]:
    sink: BodySink | None = None

    def accept(head: Head) -> BodySink | None:
        nonlocal sink
        if not 200 <= head.status < 300:  # noqa: PLR2004
            if may_fail:
                return None
            raise http_error(head)
        sink = BodySink(head.headers, LARGEST)
        return sink

    reply = await follow(runtime, request, accept, may_go=may_go, network=network)
    return reply, b"" if sink is None else sink.body()


def _announced(visit: Visit, body: bytes) -> list[Found]:
    named = announced(body, robots.robots_url(visit.url)) or [visit.url.rstrip("/") + USUAL]
    return [_found(url, Visit(url, home=visit.home, kind="sitemap"), visit) for url in named]


def _found(url: str, visit: Visit, by: Visit) -> Found:
    """Return what a catalogue names, with the login of that where it is of one origin."""
    url = lend_login(url, by.url)
    prefix = "" if visit.kind == "page" else f"{visit.kind} "
    return prefix + key_of(url), replace(visit, url=url)


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()
