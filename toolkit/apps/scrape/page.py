"""One page: fetch it as politely as asked, refuse what is no page, and read its rows and links."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from toolkit.apps.scrape import robots
from toolkit.apps.scrape.auto import read_auto
from toolkit.apps.scrape.bodies import ACCEPT_ENCODING, BodySink
from toolkit.apps.scrape.catalogue import read_catalogue
from toolkit.apps.scrape.encodings import codec_of, decode
from toolkit.apps.scrape.keys import key_of
from toolkit.apps.scrape.localfiles import LocalPage, read_body, stood_at
from toolkit.apps.scrape.responses import is_page, refusal, robots_tag
from toolkit.apps.scrape.rules import Problem, Reading, Rules, read_page
from toolkit.apps.scrape.scope import OUT_OF_SCOPE, Scope
from toolkit.apps.scrape.visit import Visit
from toolkit.core.errors import FailureKind, TaskError, TaskSkipped
from toolkit.core.follow import follow
from toolkit.core.http import Head, Headers, Request, content_length, http_error, media_type
from toolkit.core.job import Runtime
from toolkit.core.network import Network
from toolkit.core.task import Task

ACCEPT = ("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1")
INLINE = 256 * 1024
"""Bytes of a page that are read in place: below it, handing the page over takes about as long as reading it."""
BODILESS = frozenset({204, 205})

Found = tuple[str, Visit]
"""The key of a page that a link leads to, and the visit."""


@dataclass(frozen=True, slots=True)
class Page:
    """What became of one visit.

    rows: the fields of each, without what all have in common. lost: rows as they were written that it had when it was
    seen before, and has no more. found: where its links lead, each key once; refused: how
    many were not followed, by reason. problems: values that are not what the rules say. crawl_delay: seconds between
    requests that the host asks for, if it does. robots: what the page asks robots not to do. seconds: spent on reading.
    """

    visit: Visit
    final_url: str
    status: int | None
    rows: tuple[dict[str, Any], ...] = ()
    found: tuple[Found, ...] = ()
    refused: tuple[tuple[str, int], ...] = ()
    problems: tuple[Problem, ...] = ()
    bytes: int = 0
    crawl_delay: float | None = None
    robots: frozenset[str] = frozenset()
    fetched_at: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    lost: tuple[dict[str, Any], ...] = ()

    @property
    def url(self) -> str:
        """The URL that was asked for, as the user wrote it."""
        return self.visit.name or self.visit.url

    @property
    def lane_delay(self) -> float | None:
        """Seconds between two visits that the host asks for."""
        return self.crawl_delay

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the report is to tell."""
        return self.notes

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the first row, if there is one."""
        return self.rows[0] if self.rows else {}

    def row(self) -> dict[str, Any]:
        """Return the first row, with what all rows of the page have in common."""
        return next(iter(self.records()), self._facts())

    def records(self) -> list[dict[str, Any]]:
        """Return every row, with what they have in common: what is the same whenever the page is the same."""
        return [{**self._facts(), **row} for row in self.rows]

    def _facts(self) -> dict[str, Any]:
        urls = {"url": without_password(self.url), "final_url": without_password(self.final_url)}
        return {**urls, "status": self.status, **dict(self.visit.columns)}


@dataclass(frozen=True, slots=True)
class ScrapeJob:
    """See one page. network: what requests keep to; scope: how far links and redirects may lead.

    follows: whether links are taken at all. bad_rows: whether a row with problems is kept. run: names the robots.txt
    cache that its tasks share.
    """

    rules: Rules
    user_agent: str
    obey_robots: bool = True
    max_body: int = 10_000_000
    network: Network = Network()  # noqa: RUF009 - frozen
    run: str = ""
    scope: Scope = Scope()  # noqa: RUF009 - frozen
    follows: bool = False
    nofollow: bool = True
    bad_rows: str = "drop"
    auto: tuple[str, ...] = ()
    since: datetime | None = None

    @property
    def preload(self) -> tuple[str, ...]:
        """What worker processes load once for all, before they are started."""
        return (f"toolkit.apps.scrape.parsers.{self.rules.parser}",)

    async def __call__(self, task: Task[Visit], runtime: Runtime) -> Page:
        """Fetch the page and read its rows; raises TaskError or TaskSkipped."""
        visit = task.payload
        if visit.kind == "file":
            return await self._local(visit, runtime)
        if visit.kind != "page":
            return await self._catalogue(visit, runtime)
        headers = (("User-Agent", self.user_agent), ACCEPT, ACCEPT_ENCODING)
        request = self.network.request(visit.url, headers)
        delay = await self._ask(runtime, request)

        async def may_go(_: str, new: Request) -> None:
            if self.follows and (why := self._refusal(visit, new.url)):
                raise TaskSkipped(f"redirected: {why}")
            await self._ask(runtime, replace(request, url=new.url, addresses=new.addresses))

        door = _Door(self.max_body)
        try:
            reply = await follow(runtime, request, door.accept, may_go=may_go, network=self.network)
            body, head = door.body(reply.head), reply.head
        except TaskError as error:
            if visit.rule and error.kind is FailureKind.UNSUPPORTED:  # a link may lead to anything
                raise TaskSkipped(error.message) from error
            raise
        page = await self._read(visit, runtime, body, head)
        return replace(page, bytes=reply.received, crawl_delay=delay)

    async def _read(self, visit: Visit, runtime: Runtime, body: bytes, head: Head) -> Page:
        started = time.perf_counter()
        arguments = (body, media_type(head.headers)[1], head.url, self.rules, visit, self.agent, self.auto)
        reading, notes = _read(*arguments) if len(body) < INLINE else await runtime.call(_read, *arguments)
        page = self._page(visit, reading, head, time.perf_counter() - started)
        return replace(page, notes=(*page.notes, *notes)) if notes else page

    async def _local(self, visit: Visit, runtime: Runtime) -> Page:
        """Read a page from this disk; visit.rule is where it stood, if that is known."""
        body = await runtime.call(_file_of, visit, self.max_body)
        page = await self._read(visit, runtime, body, Head(stood_at_url(visit, body), 0, Headers()))
        return replace(page, final_url=visit.url, status=None, found=(), bytes=len(body))

    async def _catalogue(self, visit: Visit, runtime: Runtime) -> Page:
        headers = (("User-Agent", self.user_agent),)
        if self.obey_robots and visit.kind != "robots":
            await self._ask(runtime, self.network.request(visit.url, headers))
        head, found, notes, size = await read_catalogue(visit, runtime, headers, self.network, self.since)
        kept: list[Found] = []
        refused: Counter[str] = Counter()
        for key, onward in found:
            scope = self.scope if onward.kind == "page" else replace(self.scope, allow=(), deny=())
            if why := self._refusal(replace(onward, depth=0), onward.url, scope):
                refused[why] += 1
            else:
                kept.append((key, onward))
        return Page(visit, head.url, head.status, (), tuple(kept), tuple(refused.items()), bytes=size, notes=notes)

    @property
    def agent(self) -> str:
        """Our token in robots.txt and meta tags."""
        return robots.agent_token(self.user_agent)

    def _page(self, visit: Visit, reading: Reading, head: Head, seconds: float) -> Page:
        asked = self._asked(reading, head)
        found, refused = self._found(visit, reading) if self.follows and not asked & _NO_LINKS else ((), ())
        rows, problems = reading.rows, reading.problems
        if problems and self.bad_rows == "drop":
            bad = {problem.row for problem in problems}
            rows = tuple(row for index, row in enumerate(rows) if index not in bad)
        if asked & _NO_ROWS:
            if not found:
                raise TaskSkipped("noindex: the page asks not to be listed")
            rows = ()
        if reading.rows and not rows and not asked & _NO_ROWS and not found:
            first = problems[0]
            raise TaskError(FailureKind.ROW, f"{first.field}: {first.reason}")
        return Page(
            visit,
            head.url,
            head.status,
            rows,
            found,
            refused,
            problems,
            robots=asked,
            fetched_at=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=seconds,
            notes=tuple(
                f"row {problem.row + 1}: {problem.field}: {problem.reason}" for problem in problems[:MOST_TOLD]
            ),
        )

    def _asked(self, reading: Reading, head: Head) -> frozenset[str]:
        """Return what the page, or its head, asks robots not to do."""
        if not self.obey_robots:
            return frozenset()
        return reading.robots | robots_tag(head.headers, self.agent).at(datetime.now(UTC))

    def _found(self, visit: Visit, reading: Reading) -> tuple[tuple[Found, ...], tuple[tuple[str, int], ...]]:
        """Return where links lead, each place once, and how many are not followed."""
        found: dict[str, Visit] = {}
        refused: Counter[str] = Counter()
        for link in reading.links:
            if link.nofollow and self.nofollow:
                refused["nofollow"] += 1
                continue
            key = key_of(link.url)
            if key in found:
                continue
            onward = visit.along(link)
            why = self._refusal(onward, link.url) or self._too_deep(link, onward)
            if why:
                refused[why] += 1
            else:
                found[key] = onward
        return tuple(found.items()), tuple(refused.items())

    def _refusal(self, visit: Visit, url: str, scope: Scope | None = None) -> str:
        scope = scope or self.scope
        why = scope.refusal(url, visit.depth)
        if not why and not scope.domains and visit.home:
            host = (urlsplit(url).hostname or "").lower()
            why = "" if host == visit.home else OUT_OF_SCOPE
        return why

    def _too_deep(self, link: Any, onward: Visit) -> str:
        most = self.rules.rule(link.rule).depth
        return "deeper than its rule" if most is not None and onward.depth > most else ""

    async def _ask(self, runtime: Runtime, request: Request) -> float | None:
        """Ask robots.txt; return its crawl delay, or raise TaskSkipped."""
        if not self.obey_robots:
            return None
        cache = robots.shared(self.run)
        asked = await cache.read(runtime, request, self.network)
        if not asked.allows(request.url, self.agent):
            raise TaskSkipped("robots.txt disallows it")
        return asked.crawl_delay(self.agent)


_NO_ROWS = frozenset({"noindex", "none"})
_NO_LINKS = frozenset({"nofollow", "none"})
MOST_TOLD = 5
"""Problems of one page that the report is told of."""


def _read(
    body: bytes, charset: str | None, url: str, rules: Rules, visit: Visit, agent: str, auto: tuple[str, ...]
) -> tuple[Reading, tuple[str, ...]]:
    reading = read_page(body, charset, url, rules, page=visit.page, carry=visit.carry, agent=agent.lower())
    if not auto:
        return reading, ()
    text, encoding = decode(body, charset)
    said = read_auto(text, url, auto, parser=rules.parser, encoding=codec_of(encoding))
    rows = tuple({**said.values, **row} for row in reading.rows)
    return replace(reading, rows=rows), tuple(f"{part}: {reason}" for part, reason in said.problems)


def _file_of(visit: Visit, limit: int) -> bytes:
    return read_body(LocalPage(visit.name, visit.name, visit.url, visit.rule, 0, 0), limit)


def stood_at_url(visit: Visit, body: bytes) -> str:
    """Return what a saved page's links are relative to; where nobody knows, its own address."""
    return stood_at(LocalPage(visit.name, visit.name, visit.url, visit.rule, 0, 0), body) or visit.url


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
        if is_page(head.headers) is False and (why := refusal(head.headers, b"")):
            raise TaskError(FailureKind.UNSUPPORTED, why)
        if (content_length(head.headers) or 0) > self._limit:
            raise TaskError(FailureKind.TOO_LARGE, f"the page is larger than {self._limit:,} bytes")
        self._sink = BodySink(head.headers, self._limit)
        return self._sink

    def body(self, head: Head) -> bytes:
        """Return the decoded page; an empty one is a page without matches."""
        body = b"" if self._sink is None else self._sink.body()
        if why := refusal(head.headers, body):
            raise TaskError(FailureKind.UNSUPPORTED, why)
        return body


def without_password(url: str) -> str:
    """Return a URL without user name and password: rows are passed on."""
    return re.sub(r"//[^/?#]*@", "//", url, count=1)
