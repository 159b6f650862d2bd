"""How a page is fetched: as who we are, with what is kept and what hosts have set, logged in, and rendered if asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from toolkit.apps.scrape import robots, sessions
from toolkit.apps.scrape.bodies import ACCEPT_ENCODING, BodySink
from toolkit.apps.scrape.caching import CachingRuntime
from toolkit.apps.scrape.login import logged_in, looks_logged_out
from toolkit.apps.scrape.pagecache import shared as page_cache
from toolkit.apps.scrape.responses import is_page, refusal
from toolkit.apps.scrape.rules import PageType, Rules
from toolkit.apps.scrape.rules.model import Login
from toolkit.apps.scrape.sessions import CookieRuntime
from toolkit.apps.scrape.urls import without_password
from toolkit.apps.scrape.visit import Visit
from toolkit.core.addresses import came_from_public
from toolkit.core.errors import FailureKind, TaskError, TaskSkipped, UsageError
from toolkit.core.follow import MayGo, follow
from toolkit.core.http import Head, Headers, Reply, Request, content_length, http_error
from toolkit.core.job import Runtime
from toolkit.core.network import Network

ACCEPT = ("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1")
BODILESS = frozenset({204, 205})
RENDERED = Headers([("content-type", "text/html; charset=utf-8")])
"""What a browser gives back."""
USUAL = frozenset({"font", "media", "image", "ping", "other", "websocket", "eventsource", "navigation"})
"""What pages ask for and no browser of ours gets: that is not told."""

Refusal = Callable[[str], str]
"""Says why a redirect to a URL is not followed, or nothing."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page: its head, its decoded body, bytes on the wire, and whether it is one that was kept.

    crawl_delay: seconds between requests that its host asks for. public: whether it came from the public Internet, so
    that what it names must be there, too. notes: what the report is to tell.
    """

    head: Head
    body: bytes
    received: int
    kept: str = ""
    crawl_delay: float | None = None
    public: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetching:
    """What all requests of a scrape keep to; small and picklable.

    rules: for their login and page types. max_body: bytes of a page, once decoded. run: names what the tasks of one
    process share. cookies: whether those that hosts set are sent back to them. cache: the file of pages that are kept,
    or ""; always: whether it is asked anew whether they are the same; max_age: seconds for which they are not asked for
    again. render: whether scripts may run.
    """

    rules: Rules
    user_agent: str
    obey_robots: bool = True
    max_body: int = 10_000_000
    network: Network = Network()  # noqa: RUF009 - frozen
    run: str = ""
    cookies: bool = False
    cache: str = ""
    always: bool = False
    max_age: float | None = None
    render: bool = False

    @property
    def agent(self) -> str:
        """Our token in robots.txt and meta tags."""
        return robots.agent_token(self.user_agent)

    async def page(self, runtime: Runtime, visit: Visit, refuses: Refusal, *, errors: bool = False) -> Fetched:
        """Fetch the page of a visit; raises TaskError, and TaskSkipped where it may not be.

        errors: whether the page that comes with an error is taken, too, unless the host asks to be left alone.
        """
        request = self.request(visit, (("User-Agent", self.user_agent), ACCEPT, ACCEPT_ENCODING))
        asked = await self.ask(runtime, request)
        try:
            return await self._page(runtime, visit, request, asked, refuses, errors=errors)
        except (TaskError, TaskSkipped) as error:
            error.lane_delay = asked.crawl_delay(self.agent)
            raise

    async def _page(
        self, runtime: Runtime, visit: Visit, request: Request, asked: robots.Robots, refuses: Refusal, *, errors: bool
    ) -> Fetched:
        async def may_go(_: str, new: Request) -> None:
            if why := refuses(new.url):
                raise TaskSkipped(f"redirected: {why}")
            await self.ask_again(runtime, replace(request, url=new.url, addresses=new.addresses))

        reply, body = await self._exchanged(runtime, request, may_go, Door(self.max_body, errors=errors))
        public = self.is_public(reply.head.url, reply.address)
        notes = (asked.warning(self.agent), page_cache(self.cache).complain() if self.cache else "")
        told, delay = tuple(filter(None, notes)), asked.crawl_delay(self.agent)
        fetched = Fetched(reply.head, body, reply.received, reply.kept, delay, public, told)
        kind = self.rules.page(visit.page) if visit.page else self.rules.page_for(without_password(reply.head.url))
        if self.render and kind is not None and kind.render and is_success(reply.head):
            return await self._rendered(runtime, fetched, kind, request, reply.address)
        return fetched

    def request(self, visit: Visit, headers: tuple[tuple[str, str], ...]) -> Request:
        """Return the first request of a visit."""
        request = self.network.request(visit.url, headers)
        return replace(request, addresses="public") if visit.public else request

    async def _exchanged(self, runtime: Runtime, request: Request, may_go: MayGo, door: Door) -> tuple[Reply, bytes]:
        """Fetch, logged in where the rules say so; once more after a new login if the session proves to be over."""
        login, world = self.rules.login, self.equipped(runtime)
        if login is None or urlsplit(request.url).hostname != urlsplit(login.url).hostname:
            reply = await follow(world, request, door.accept, may_go=may_go, network=self.network)
            return reply, door.body(reply.head)
        logins = await self._log_in(runtime, login, request)
        while True:
            failure: TaskError | None = None
            door.head = None  # that of the attempt before says nothing of this one
            try:
                reply = await follow(world, request, door.accept, may_go=may_go, network=self.network)
            except TaskError as error:
                failure = error
            if door.head is None or not looks_logged_out(request.url, door.head, login):
                if failure is not None:
                    raise failure
                return reply, door.body(reply.head)
            logins = await self._log_in(runtime, login, request, after=logins)

    async def ask_again(self, runtime: Runtime, request: Request) -> None:
        """Ask robots.txt of where a redirect leads; its trouble is not that of the host that redirects."""
        try:
            await self.ask(runtime, request)
        except TaskError as error:
            error.cool_lane = False
            raise

    async def ask(self, runtime: Runtime, request: Request) -> robots.Robots:
        """Ask robots.txt; raises TaskSkipped if it forbids the page."""
        if not self.obey_robots:
            return robots.Robots()
        asked = await robots.shared(self.run).read(runtime, request, self.network)
        if not asked.allows(request.url, self.agent):
            skipped = TaskSkipped("robots.txt disallows it")
            skipped.lane_delay = asked.crawl_delay(self.agent)
            raise skipped
        return asked

    def equipped(self, runtime: Runtime) -> Runtime:
        """Return the runtime with what is kept, and with what hosts have set."""
        if self.cache:
            runtime = CachingRuntime(runtime, page_cache(self.cache), always=self.always, max_age=self.max_age)
        if self.cookies or self.rules.login is not None:
            return CookieRuntime(runtime, sessions.shared(self.run))
        return runtime

    def open_cache(self) -> None:
        """Open the file of pages that are kept; raises UsageError if it cannot be."""
        if self.cache and (complaint := page_cache(self.cache).complaint):
            raise UsageError(f"--cache {self.cache}: {complaint}")

    def close(self) -> None:
        """Close that file, so that it is one, and the browser of this process."""
        if self.cache:
            page_cache(self.cache).close()
        if self.render:
            from toolkit.apps.scrape.rendering.browser import close_browser

            close_browser()

    def is_public(self, url: str, address: str) -> bool:
        """Tell whether what a page names must be public, since the page is."""
        return self.network.private == "guard" and came_from_public(url, address)

    async def _log_in(self, runtime: Runtime, login: Login, request: Request, after: int = 0) -> int:
        """Log in, unless that was done; return how often it was. What is kept of forms is no use: no cache here."""
        world = CookieRuntime(runtime, sessions.shared(self.run))
        told: dict[str, Any] = {"run": self.run, "parser": self.rules.parser, "after": after}
        return await logged_in(world, login, request, self.network, **told)

    async def _rendered(
        self, runtime: Runtime, page: Fetched, kind: PageType, request: Request, address: str
    ) -> Fetched:
        """Return the page as its scripts leave it."""
        from toolkit.apps.scrape.render import render

        async def may_ask(own: Runtime, _: str, new: Request) -> None:
            await self.ask_again(own, new)

        done = await render(
            runtime,
            page.head,
            page.body,
            kind.wait,
            request=request,
            network=self.network,
            limit=self.max_body,
            timeout=self.network.timeout,
            address=address,
            dress=self.equipped,
            may_ask=may_ask,
        )
        notes = tuple(
            f"rendering: {count} requests refused: {reason}"
            for reason, count in done.refused.items()
            if reason not in USUAL
        )
        head = replace(page.head, headers=Headers([*_without_type(page.head.headers), *RENDERED]))
        received, notes = page.received + done.received, (*page.notes, *notes)
        return replace(page, head=head, body=done.body, received=received, notes=notes)


class Door:
    """Decides from a reply's head whether its body comes in, and keeps both."""

    def __init__(self, limit: int, *, errors: bool = False) -> None:
        """limit: bytes of a page. errors: whether a page that comes with an error may come in."""
        self._limit, self._errors = limit, errors
        self.head: Head | None = None
        self._sink: BodySink | None = None

    def accept(self, head: Head) -> BodySink | None:
        """Return the sink; raises TaskError for what is no page."""
        self.head, self._sink = head, None
        if not is_success(head) and ((error := http_error(head)).cool_lane or not self._errors):
            raise error
        if head.status in BODILESS:
            return None
        if is_page(head.headers) is False and (why := refusal(head.headers, b"")):
            raise _no_page(head, why)
        if (content_length(head.headers) or 0) > self._limit:
            raise TaskError(FailureKind.TOO_LARGE, f"the page is larger than {self._limit:,} bytes")
        self._sink = BodySink(head.headers, self._limit)
        return self._sink

    def body(self, head: Head) -> bytes:
        """Return the decoded page; an empty one is a page without matches."""
        body = b"" if self._sink is None else self._sink.body()
        if why := refusal(head.headers, body):
            raise _no_page(head, why)
        return body


def is_success(head: Head) -> bool:
    """Tell whether a status says that this is what was asked for."""
    return 200 <= head.status < 300  # noqa: PLR2004


def _no_page(head: Head, why: str) -> TaskError:
    return TaskError(FailureKind.UNSUPPORTED, why) if is_success(head) else http_error(head)


def _without_type(headers: Headers) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name != "content-type"]
