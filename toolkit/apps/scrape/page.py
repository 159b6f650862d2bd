"""One visit: fetch the page as politely as asked, refuse what is none, and read its rows and links."""

from __future__ import annotations

import pickle
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from toolkit.apps.scrape.auto import read_auto
from toolkit.apps.scrape.catalogue import read_catalogue
from toolkit.apps.scrape.encodings import codec_of, decode
from toolkit.apps.scrape.fetching import Fetched, Fetching
from toolkit.apps.scrape.localfiles import LocalPage, read_body, stood_at
from toolkit.apps.scrape.packing import lines_of
from toolkit.apps.scrape.responses import robots_tag
from toolkit.apps.scrape.result import Found, Page
from toolkit.apps.scrape.rules import Reading, Rules, read_page
from toolkit.apps.scrape.scope import NO_URL, Scope
from toolkit.apps.scrape.urls import lend_login, without_password
from toolkit.apps.scrape.visit import Visit
from toolkit.core.errors import FailureKind, TaskError, TaskSkipped
from toolkit.core.http import Head, Headers, Request, media_type
from toolkit.core.job import Runtime
from toolkit.core.task import Task


@dataclass(frozen=True, slots=True)
class ScrapeJob:
    """See one page. scope: how far links and redirects may lead; follows: whether links are taken at all.

    bad_rows: whether a row with problems is kept.
    """

    fetching: Fetching
    scope: Scope = Scope()  # noqa: RUF009 - frozen
    follows: bool = False
    nofollow: bool = True
    bad_rows: str = "drop"
    auto: tuple[str, ...] = ()
    since: datetime | None = None
    packed: bytes = b""

    def sealed(self) -> ScrapeJob:
        """Return this job with itself in packed form, for functions that are called elsewhere."""
        return replace(self, packed=pickle.dumps(self))

    @property
    def rules(self) -> Rules:
        """What pages are read by."""
        return self.fetching.rules

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
        try:
            fetched = await self.fetching.page(runtime, visit, lambda url: self._refuses(visit, url))
        except TaskError as error:
            if visit.rule and error.kind is FailureKind.UNSUPPORTED:  # a link may lead to anything
                skipped = TaskSkipped(error.message)
                skipped.lane_delay = error.lane_delay
                raise skipped from error
            raise
        try:
            page = await self._read(visit, runtime, fetched)
        except (TaskError, TaskSkipped) as error:
            error.lane_delay = fetched.crawl_delay
            raise
        return replace(page, bytes=fetched.received, crawl_delay=fetched.crawl_delay, kept=fetched.kept)

    async def _read(self, visit: Visit, runtime: Runtime, fetched: Fetched) -> Page:
        """Read a page, where the model has that done; the body goes by itself, so that it sees how large it is."""
        head = replace(fetched, body=b"")
        return await runtime.compute(_see, self.packed or pickle.dumps(self), visit, head, fetched.body)

    def see(self, visit: Visit, fetched: Fetched, body: bytes) -> Page:
        """Return what a page holds, as the rules read it; fetched: all but its body. Raises TaskError, TaskSkipped."""
        started, head, rules = time.perf_counter(), fetched.head, self.rules
        charset, agent = media_type(head.headers)[1], self.fetching.agent.lower()
        reading = read_page(body, charset, head.url, rules, page=visit.page, carry=visit.carry, agent=agent)
        notes = fetched.notes
        if self.auto:
            text, encoding = decode(body, charset)
            said = read_auto(text, head.url, self.auto, parser=rules.parser, encoding=codec_of(encoding))
            reading = replace(reading, rows=tuple({**row, **_without(said.values, row)} for row in reading.rows))
            notes += tuple(f"{part}: {reason}" for part, reason in said.problems)
        page = self._page(visit, reading, fetched)
        seconds = time.perf_counter() - started
        return replace(page, notes=page.notes + notes, seconds=seconds, lines=lines_of(page.written()))

    async def _local(self, visit: Visit, runtime: Runtime) -> Page:
        """Read a page from this disk; visit.rule is where it stood, if that is known."""
        body = await runtime.call(_file_of, visit, self.fetching.max_body)
        page = await self._read(visit, runtime, Fetched(Head(stood_at_url(visit, body), 0, Headers()), body, len(body)))
        page = replace(page, final_url=visit.url, status=None, found=(), bytes=len(body))
        return replace(page, lines=lines_of(page.written()))

    async def _catalogue(self, visit: Visit, runtime: Runtime) -> Page:
        fetching = self.fetching
        headers = (("User-Agent", fetching.user_agent),)
        delay = None
        if visit.kind != "robots":
            delay = (await fetching.ask(runtime, fetching.request(visit, headers))).crawl_delay(fetching.agent)

        async def may_go(_: str, new: Request) -> None:
            await fetching.ask_again(runtime, new)

        reply, found, notes = await read_catalogue(visit, runtime, headers, fetching.network, self.since, may_go)
        public = visit.public or fetching.is_public(reply.head.url, reply.address)
        kept: list[Found] = []
        refused: Counter[str] = Counter()
        for key, onward in found:
            scope = self.scope if onward.kind == "page" else replace(self.scope, allow=(), deny=())
            if why := self._refusal(replace(onward, depth=0), onward.url, scope):
                refused[why] += 1
            else:
                kept.append((key, replace(onward, public=public)))
        head = reply.head
        return Page(
            visit,
            head.url,
            head.status,
            found=tuple(kept),
            refused=tuple(refused.items()),
            bytes=reply.received,
            crawl_delay=delay,
            notes=notes,
        )

    def _page(self, visit: Visit, reading: Reading, fetched: Fetched) -> Page:
        head, problems = fetched.head, reading.problems
        asked = self._asked(reading, head)
        first = next(iter(problems), None)
        good = reading.without({problem.row for problem in problems}) if self.bad_rows == "drop" else reading
        found: tuple[Found, ...] = ()
        refused: tuple[tuple[str, int], ...] = ()
        rows, notes = good.rows, _told(reading)
        if not (reading.page or self.follows or self.auto):
            notes += ("no page type takes this page",)
        if self.follows and not asked & _NO_LINKS:
            found, refused, stray = self._found(visit, good, head.url, public=visit.public or fetched.public)
            rows += stray
        if asked & _NO_ROWS:
            if not found:
                raise TaskSkipped(NOINDEX)
            rows, notes = (), (f"{NOINDEX}; its links are followed",)
        if first is not None and not rows and not asked & _NO_ROWS and not found:
            raise TaskError(FailureKind.ROW, f"{first.field}: {first.reason}")
        return Page(
            visit,
            lend_login(head.url, visit.url),  # so that it has the key that links to it have
            head.status,
            rows,
            found,
            refused,
            problems,
            robots=asked,
            dropped=tuple(reading.without(set(good.records)).rows) if good is not reading else (),
            fetched_at=datetime.now(UTC).isoformat(timespec="seconds"),
            notes=notes,
        )

    def _asked(self, reading: Reading, head: Head) -> frozenset[str]:
        """Return what the page, or its head, asks robots not to do."""
        if not self.fetching.obey_robots:
            return frozenset()
        return reading.robots | robots_tag(head.headers, self.fetching.agent).at(datetime.now(UTC))

    def _found(
        self, visit: Visit, reading: Reading, at: str, *, public: bool
    ) -> tuple[tuple[Found, ...], tuple[tuple[str, int], ...], tuple[dict[str, Any], ...]]:
        """Return where links lead, each place once, how many are not followed, and the rows that would have gone on.

        A row that goes on with its own page is a visit of its own, whatever others lead there. at: the page's URL; the
        user name and password in that, or else in the visit's, go with links to the same origin.
        """
        owners = [url for url in (at, visit.url) if without_password(url) != url]
        found: dict[str, Visit] = {}
        refused: Counter[str] = Counter()
        stray: list[dict[str, Any]] = []
        for link in reading.links:
            onward = visit.along(link, public=public)
            for owner in owners:
                onward = replace(onward, url=lend_login(onward.url, owner))
            try:
                key = onward.key
            except ValueError:  # http://[x/ and http://x:y/ look like URLs, and lead nowhere in browsers, too
                key = ""
            if key in found:
                continue
            why = NO_URL if not key else "nofollow" if link.nofollow and self.nofollow else ""
            if why := why or self._refusal(onward, link.url) or self._too_deep(link, onward):
                refused[why] += 1
                if link.carry is not None:
                    stray.append(dict(link.carry))
            else:
                found[key] = onward
        return tuple(found.items()), tuple(refused.items()), tuple(stray)

    def _refuses(self, visit: Visit, url: str) -> str:
        """Return why a redirect is not followed."""
        return self._refusal(visit, url) if self.follows else ""

    def _refusal(self, visit: Visit, url: str, scope: Scope | None = None) -> str:
        return (scope or self.scope).refusal(without_password(url), visit.depth, visit.home)

    def _too_deep(self, link: Any, onward: Visit) -> str:
        most = self.rules.rule(link.rule).depth
        return "deeper than its rule" if most is not None and onward.depth > most else ""


_NO_ROWS = frozenset({"noindex", "none"})
_NO_LINKS = frozenset({"nofollow", "none"})
NOINDEX = "noindex: the page asks not to be listed"
MOST_TOLD = 5
"""Problems of one page that the report is told of."""


def _told(reading: Reading) -> tuple[str, ...]:
    """Return what the report is to say of the values and of the bytes of a page."""
    problems = reading.problems
    notes = [f"row {problem.row + 1}: {problem.field}: {problem.reason}" for problem in problems[:MOST_TOLD]]
    if len(problems) > MOST_TOLD:
        notes.append(f"{len(problems) - MOST_TOLD:,} more such problems in one page")
    if reading.replaced:
        notes.append(f"{reading.replaced:,} bytes mean nothing in {reading.encoding}: each is U+FFFD")
    return tuple(notes)


def _without(values: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _see(packed: bytes, visit: Visit, fetched: Fetched, body: bytes) -> Page:
    return _job(packed).see(visit, fetched, body)


@lru_cache(maxsize=4)
def _job(packed: bytes) -> ScrapeJob:
    job: ScrapeJob = pickle.loads(packed)  # noqa: S301 - our own
    return job


def _file_of(visit: Visit, limit: int) -> bytes:
    return read_body(LocalPage(visit.name, visit.name, visit.url, visit.rule, 0, 0), limit)


def stood_at_url(visit: Visit, body: bytes) -> str:
    """Return what a saved page's links are relative to; where nobody knows, its own address."""
    return stood_at(LocalPage(visit.name, visit.name, visit.url, visit.rule, 0, 0), body) or visit.url
