"""One page: fetch it as politely as asked, refuse what is no page, and read the row from it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from toolkit.apps.scrape import robots
from toolkit.apps.scrape.bodies import ACCEPT_ENCODING, BodySink
from toolkit.apps.scrape.rules import Rules, Value, extract
from toolkit.core.errors import FailureKind, TaskError, TaskSkipped
from toolkit.core.follow import follow
from toolkit.core.http import Head, Request, content_length, http_error, media_type
from toolkit.core.job import Runtime
from toolkit.core.network import Network
from toolkit.core.task import Task

ACCEPT = ("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1")
HTML = frozenset({"text/html", "application/xhtml+xml"})
UNSURE = frozenset({"", "text/plain", "application/xml", "text/xml"})
"""Types that servers give to HTML by mistake or by habit: the first bytes decide."""
MARKUP = (b"<!doctype html", b"<html", b"<head", b"<body", b"<title", b"<h1", b"<div", b"<p", b"<table", b"<br", b"<a")
INLINE = 64 * 1024
"""Bytes of a page that are read in place: below it, handing the page over takes about as long as reading it."""
BODILESS = frozenset({204, 205})


@dataclass(frozen=True, slots=True)
class Page:
    """What became of one URL: its row, the bytes that came over the wire, and the seconds between requests that the
    host's robots.txt asks for, if it does."""  # noqa: D209, D205

    url: str
    final_url: str
    status: int
    fields: dict[str, Value]
    bytes: int = 0
    crawl_delay: float | None = None

    def row(self) -> dict[str, Any]:
        """Return the row: what is the same whenever the page is the same."""
        urls = {"url": without_password(self.url), "final_url": without_password(self.final_url)}
        return {**urls, "status": self.status, **self.fields}


@dataclass(frozen=True, slots=True)
class ScrapeJob:
    """Scrape one URL, the task's payload, into a Page. network: what requests keep to.

    run: names the robots.txt cache that its tasks share.
    """

    rules: Rules
    user_agent: str
    obey_robots: bool = True
    max_body: int = 10_000_000
    network: Network = Network()  # noqa: RUF009 - frozen
    run: str = ""

    @property
    def preload(self) -> tuple[str, ...]:
        """What worker processes load once for all, before they are started."""
        return (f"toolkit.apps.scrape.parsers.{self.rules.parser}",)

    async def __call__(self, task: Task[str], runtime: Runtime) -> Page:
        """Fetch the page and read its row; raises TaskError or TaskSkipped."""
        headers = (("User-Agent", self.user_agent), ACCEPT, ACCEPT_ENCODING)
        request = self.network.request(task.payload, headers)
        delay = await self._ask(runtime, request)

        async def may_go(_: str, new: Request) -> None:
            await self._ask(runtime, replace(request, url=new.url, addresses=new.addresses))

        door = _Door(self.max_body)
        reply = await follow(runtime, request, door.accept, may_go=may_go, network=self.network)
        body = door.body(reply.head)
        arguments = (body, media_type(reply.head.headers)[1], reply.head.url, self.rules)
        fields = extract(*arguments) if len(body) < INLINE else await runtime.call(extract, *arguments)
        return Page(task.key, reply.head.url, reply.head.status, fields, reply.received, delay)

    async def _ask(self, runtime: Runtime, request: Request) -> float | None:
        """Ask robots.txt; return its crawl delay, or raise TaskSkipped."""
        if not self.obey_robots:
            return None
        cache, agent = robots.shared(self.run), robots.agent_token(self.user_agent)
        asked = await cache.read(runtime, request, self.network)
        if not asked.allows(request.url, agent):
            raise TaskSkipped("robots.txt disallows it")
        return asked.crawl_delay(agent)


class _Door:
    """Decides from a reply's head whether its body comes in, and keeps it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sink: BodySink | None = None

    def accept(self, head: Head) -> BodySink | None:
        """Return the sink; raises TaskError for what is no page."""
        if not 200 <= head.status < 300:  # noqa: PLR2004
            raise http_error(head)
        if head.status in BODILESS:
            return None
        kind, _ = media_type(head.headers)
        if kind not in HTML | UNSURE:
            raise TaskError(FailureKind.UNSUPPORTED, f"not HTML: the server calls it {kind}")
        if (content_length(head.headers) or 0) > self._limit:
            raise TaskError(FailureKind.TOO_LARGE, f"the page is larger than {self._limit:,} bytes")
        self._sink = BodySink(head.headers, self._limit)
        return self._sink

    def body(self, head: Head) -> bytes:
        """Return the decoded page; an empty one is a page without matches."""
        body = b"" if self._sink is None else self._sink.body()
        kind, _ = media_type(head.headers)
        if kind in UNSURE and (body or kind) and not looks_like_html(body):
            what = f"the server calls it {kind}" if kind else "the server does not say what it is"
            raise TaskError(FailureKind.UNSUPPORTED, f"not HTML: {what}, and it does not begin as HTML does")
        return body


def without_password(url: str) -> str:
    """Return a URL without user name and password: rows are passed on."""
    return re.sub(r"//[^/?#]*@", "//", url, count=1)


def looks_like_html(body: bytes) -> bool:
    """Tell whether bytes begin as HTML does, past a mark, an XML declaration and comments (MIME Sniffing, 7.1)."""
    start = body[:4096].removeprefix(b"\xef\xbb\xbf").lstrip(b"\t\n\x0c\r ").lower()
    while start.startswith((b"<?xml", b"<!--")):
        end = b"-->" if start.startswith(b"<!--") else b"?>"
        start = start.partition(end)[2].lstrip(b"\t\n\x0c\r ")
    return any(
        start.startswith(tag) and start[len(tag) : len(tag) + 1] in (b" ", b">", b"\n", b"\r", b"\t", b"/")
        for tag in MARKUP
    )
