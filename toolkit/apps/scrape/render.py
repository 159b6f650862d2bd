"""Pages as they are once their scripts have run, by a browser that never sees the network: we fetch for it.

So what holds for pages holds for what their scripts ask for: which addresses may be reached, TLS, redirects, caps.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from toolkit.apps.scrape.bodies import ACCEPT_ENCODING, BodySink
from toolkit.apps.scrape.rendering.browser import close_browser, show
from toolkit.apps.scrape.rendering.chromium import check_render
from toolkit.apps.scrape.rendering.mail import Mail, mailbox
from toolkit.apps.scrape.rendering.subresources import (
    Asked,
    Ledger,
    refusal,
    request_for,
    same_origin,
    told,
    told_of_page,
)
from toolkit.apps.scrape.rendering.tab import Answer, Asking, Tab
from toolkit.core.addresses import came_from_public
from toolkit.core.errors import FailureKind, TaskError, TaskSkipped
from toolkit.core.follow import follow
from toolkit.core.http import Head, Request, Sink, media_type
from toolkit.core.job import Runtime
from toolkit.core.network import Network

__all__ = ["Rendered", "check_render", "close_browser", "render"]

AT_ONCE = 6
"""Requests of one page that are under way at the same time, as in browsers."""
STARTING = 60.0
"""Seconds that may pass beyond a page's own until the browser has answered: it may have to start, or be busy."""
MayAsk = Callable[[Runtime, str, Request], Awaitable[None]]
"""Is told the URL that asks and the request that would come of it; raises TaskError or TaskSkipped to forbid it.

What it fetches to find out, it fetches with the runtime that it is given: several may be asked at the same time.
"""
Dress = Callable[[Runtime], Runtime]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A page once its scripts have run.

    body: its DOM as HTML, in UTF-8 whatever it says itself. requests: how many went out for it, and received: what they
    brought, in bytes on the wire. refused: what was not fetched, or failed, by reason.
    """

    body: bytes
    requests: int
    refused: Counter[str]
    received: int = 0


async def render(
    runtime: Runtime,
    head: Head,
    body: bytes,
    wait: str,
    *,
    request: Request,
    network: Network,
    limit: int,
    timeout: float,  # noqa: ASYNC109 - it is the page's, and kept by the browser
    address: str = "",
    dress: Dress | None = None,
    may_ask: MayAsk | None = None,
) -> Rendered:
    """Run a page's scripts and return what it is then.

    head, body: what was fetched, decoded. wait: the CSS selector of what must be there, or "" for a page that has come
    to rest. request: what the page was asked for with; what it asks for itself goes out likewise, but what is secret
    (all fields but User-Agent) to its own origin only. limit: bytes of the page then, and of each body that it asks
    for. timeout: seconds that its scripts have. address: where the page came from. dress: makes of a runtime the one
    that fetches from the page's own origin, such as one with cookies.

    Raises TaskError: overdue if what it waits for does not come or its scripts do not end, worker_died if they bring
    the browser down, too_large, redirect if they leave the page.
    """
    ledger = Ledger(limit)
    public = network.private != "allow" and (network.private == "block" or came_from_public(head.url, address))
    page = _without_login(head.url)
    kitchen = _Kitchen(page, request, network, ledger, public=public, dress=dress, may_ask=may_ask)
    mail = mailbox(runtime)
    tab = Tab(
        page,
        body,
        {"content-type": _type_of(head), **told_of_page(head.headers)},
        next((value for name, value in request.headers if name.lower() == "user-agent"), ""),
        wait,
        limit,
        timeout,
        ask=lambda asked, asking: mail.put((asked, asking)),
        refuse=mail.put,
    )
    ended = show(tab)
    ended.add_done_callback(lambda _: mail.put(_END))
    try:
        with suppress(_OverError):
            async with runtime.group() as group:
                await _serve(mail, kitchen, group, timeout + STARTING)
                raise _OverError  # what is still under way is wanted no more
    finally:
        ended.cancel()
    html = ended.result().encode("utf-8", "replace")
    if len(html) > limit:
        raise TaskError(FailureKind.TOO_LARGE, f"the rendered page is larger than {limit:,} bytes")
    return Rendered(html, ledger.requests, ledger.refused, ledger.received)


async def _serve(mail: Mail, kitchen: _Kitchen, group: Any, patience: float) -> None:
    """Fetch what the page asks for until it has ended; raises TaskError if the browser falls silent."""
    waiting: deque[tuple[Asked, Asking]] = deque()
    busy = 0
    while (item := await mail.get(patience)) is not _END:
        if isinstance(item, str):
            kitchen.ledger.refused[item] += 1
        elif item is _FREE:
            busy -= 1
        else:
            waiting.append(item)
        while waiting and busy < AT_ONCE:
            asked, asking = waiting.popleft()
            if why := refusal(asked, kitchen.page, kitchen.ledger):
                kitchen.ledger.refused[why] += 1
                _put(asking, None)
                continue
            kitchen.ledger.requests += 1
            busy += 1
            group.start(_member(kitchen, asked, asking, mail))


def _member(kitchen: _Kitchen, asked: Asked, asking: Asking, mail: Mail) -> Callable[[Runtime], Any]:
    async def member(runtime: Runtime) -> None:
        answer = None
        try:
            answer = await kitchen.fetch(asked, runtime)
        finally:
            _put(asking, answer)
            mail.put(_FREE)

    return member


class _Kitchen:
    """Fetches for one page."""

    def __init__(
        self,
        page: str,
        like: Request,
        network: Network,
        ledger: Ledger,
        *,
        public: bool,
        dress: Dress | None,
        may_ask: MayAsk | None,
    ) -> None:
        self.page, self.ledger = page, ledger
        self._like, self._network, self._public = like, network, public
        self._dress, self._may_ask = dress, may_ask

    async def fetch(self, asked: Asked, runtime: Runtime) -> Answer | None:
        """Return what there is, or None where it cannot be had."""
        ledger, network, bare = self.ledger, self._network, runtime
        request = request_for(asked, self.page, self._like, public=self._public)
        if not any(name.lower() == "accept-encoding" for name, _ in request.headers):
            request = request.with_headers(ACCEPT_ENCODING)
        if not same_origin(asked.url, self.page):
            network = replace(network, credentials=None)
        elif self._dress is not None:
            runtime = self._dress(runtime)
        sinks: list[BodySink] = []

        async def may_go(left: str, request: Request) -> None:
            if self._may_ask is not None:
                await self._may_ask(bare, left, request)

        def accept(head: Head) -> Sink:
            sinks[:] = [BodySink(head.headers, min(ledger.limit, max(0, ledger.left)))]
            return sinks[0]

        try:
            await may_go(self.page, request)
            reply = await follow(runtime, request, accept, may_go=may_go, network=network)
            body = sinks[0].body() if sinks else b""
        except TaskSkipped as skipped:
            ledger.refused[skipped.reason] += 1
            return None
        except TaskError as failure:
            ledger.refused[str(failure.kind)] += 1
            return None
        finally:
            ledger.left -= sum(len(sink.so_far()) for sink in sinks)
        ledger.received += reply.received
        return Answer(reply.head.status, told(reply.head.headers), body)


class _OverError(Exception):
    """The page is rendered."""


_END, _FREE = object(), object()


def _put(asking: Asking, answer: Answer | None) -> None:
    with suppress(Exception):  # nobody waits for it any more
        asking.set_result(answer)


def _type_of(head: Head) -> str:
    kind, charset = media_type(head.headers)
    kind = kind if kind in ("text/html", "application/xhtml+xml") else "text/html"
    return f"{kind}; charset={charset}" if charset else kind


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
