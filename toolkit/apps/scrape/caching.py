"""A runtime that answers from what is kept, asks whether it is still the same, and keeps what is new (RFC 9111).

A job sees no difference but in Reply.kept: the head and the bytes of the body are those that came over the wire.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any, Literal, TypeVar

from toolkit.apps.scrape import freshness
from toolkit.apps.scrape.freshness import GONE, NOT_MODIFIED, OK, Entry
from toolkit.apps.scrape.pagecache import PageCache
from toolkit.core.coding import decoded
from toolkit.core.errors import TaskError
from toolkit.core.http import BLOCK, Accept, Head, Headers, Reply, Request, Sink, content_length
from toolkit.core.job import Group, Runtime

LARGEST = 32 * 1024 * 1024
"""Bytes of a body that is kept; larger ones pass through."""
DECODED = 16 * LARGEST
"""Bytes of a decoded body up to which it is looked whether its coding came to its end."""
INLINE = 64 * 1024
"""Bytes of a body that is taken out in place: that takes half a millisecond, and handing it to a thread a tenth."""

T = TypeVar("T")
Clock = Callable[[], float]


class CachingRuntime:
    """What a job may ask of the world, with a cache before it.

    always: ask whether a page is the same even while it is fresh. max_age: seconds for which a page is not asked for
    again; where it is given, it alone decides what is fresh. clock: seconds since 1970.
    """

    def __init__(
        self,
        runtime: Runtime,
        cache: PageCache,
        *,
        always: bool = False,
        max_age: float | None = None,
        clock: Clock = time.time,
    ) -> None:
        self.runtime, self.cache = runtime, cache
        self._always, self._max_age, self._clock = always, max_age, clock

    async def fetch(self, request: Request, accept: Accept) -> Reply:
        """Answer from what is kept if it is fresh or confirmed, else as the runtime beneath does."""
        if not freshness.may_ask(request):
            return await self.runtime.fetch(request, accept)
        entry = self.cache.find(request.url)
        if entry is None or not freshness.is_chosen(entry, request):
            return await self._ask(request, accept)
        if not self._always and freshness.is_fresh(entry, request, self._clock(), self._max_age):
            body = await self._body(entry)
            if body is not None:
                head = Head(request.url, OK, entry.headers, entry.reason)
                return await self._give(Reply(head, 0, address=entry.address), body, accept, "fresh")
        elif fields := freshness.conditions(entry, request):
            reply = await self._confirm(request, entry, fields, accept)
            if reply is not None:
                return reply
        return await self._ask(request, accept)

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """Run work as the runtime beneath does."""
        return await self.runtime.call(function, *args)

    async def compute(self, function: Callable[..., T], *args: Any) -> T:
        """Run work as the runtime beneath does."""
        return await self.runtime.compute(function, *args)

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Have it made once, as the runtime beneath does."""
        return await self.runtime.once(key, make)

    def group(self) -> AbstractAsyncContextManager[Group]:
        """Open a group of the runtime beneath: what its members fetch is not kept."""
        return self.runtime.group()

    async def _confirm(
        self, request: Request, entry: Entry, conditions: tuple[tuple[str, str], ...], accept: Accept
    ) -> Reply | None:
        """Ask whether a page is still the same; None if the answer is of no use, and has to be asked for anew."""
        exchange = _Exchange(request, accept, self._clock, conditional=True)
        reply = await self._exchanged(exchange, request.with_headers(*conditions))
        if exchange.status != NOT_MODIFIED:
            return reply
        body = await self._body(entry)
        if body is None or not freshness.confirms(entry, reply.head):
            return None
        headers = freshness.updated(entry.headers, reply.head.headers)
        head = Head(request.url, OK, headers, entry.reason)
        if freshness.may_keep(head):
            made = freshness.entry_of(request, head, headers, exchange.asked, exchange.answered, reply.address)
            await self.runtime.call(self.cache.confirm, replace(made, number=entry.number))
        else:
            await self._forget(request)
        # Cookies are this reply's, not the page's.
        cookies = [("set-cookie", value) for value in reply.head.headers.all("set-cookie")]
        head = replace(head, headers=Headers([*headers, *cookies])) if cookies else head
        return await self._give(replace(reply, head=head), body, accept, "confirmed")

    async def _ask(self, request: Request, accept: Accept) -> Reply:
        """Fetch the page, whatever is kept."""
        exchange = _Exchange(request, accept, self._clock, conditional=True)
        reply = await self._exchanged(exchange, request)
        if exchange.status != NOT_MODIFIED:
            return reply
        # Nobody has asked whether it is the same: somebody on the way mistakes us for another.
        exchange = _Exchange(request, accept, self._clock, conditional=False)
        return await self._exchanged(exchange, request.with_headers(("Cache-Control", "no-cache")))

    async def _exchanged(self, exchange: _Exchange, request: Request) -> Reply:
        """Have an exchange, and keep or forget what it is about."""
        try:
            reply = await self.runtime.fetch(request, exchange.accept)
        except Exception:  # nothing of a page that broke off is kept, nor what it has replaced
            await self._outdated(exchange)
            raise
        if exchange.copy is None or not await self.runtime.call(_keep, self.cache, exchange, reply):
            await self._outdated(exchange)
        return reply

    async def _outdated(self, exchange: _Exchange) -> None:
        if exchange.status == OK or exchange.status in GONE:
            await self._forget(exchange.request)

    async def _forget(self, request: Request) -> None:
        if self.cache.find(request.url) is not None:
            await self.runtime.call(self.cache.forget, request.url)

    async def _body(self, entry: Entry) -> bytes | None:
        if self.cache.crowded:
            await self.runtime.call(self.cache.note_uses)
        return await self._quickly(entry.size, self.cache.body, entry)

    async def _give(self, reply: Reply, body: bytes, accept: Accept, kept: Literal["fresh", "confirmed"]) -> Reply:
        sink = accept(reply.head)
        if sink is not None:
            await self._quickly(len(body), _pour, body, sink)
        return replace(reply, received=0, kept=kept)

    async def _quickly(self, size: int, function: Callable[..., T], *args: Any) -> T:
        """Call in place what is quick."""
        return function(*args) if size <= INLINE else await self.runtime.call(function, *args)


class _Exchange:
    """One request to the runtime beneath: what came back, when, and a copy of the body if it may be kept.

    conditional: whether a 304 is for us; else the job sees it.
    """

    def __init__(self, request: Request, accept: Accept, clock: Clock, *, conditional: bool) -> None:
        self.request = request
        self.asked = self.answered = clock()
        self.status = 0
        self.copy: _Copy | None = None
        self._accept, self._clock, self._conditional = accept, clock, conditional

    def accept(self, head: Head) -> Sink | None:
        """Return the job's own sink, or one that copies what goes there."""
        self.answered, self.status, self.copy = self._clock(), head.status, None
        if head.status == NOT_MODIFIED and self._conditional:
            return None
        sink = self._accept(head)
        if sink is None or not freshness.may_keep(head) or (content_length(head.headers) or 0) > LARGEST:
            return sink
        self.copy = _Copy(sink)
        return self.copy


class _Copy:
    """Passes a body on, and keeps a copy of it, up to LARGEST bytes."""

    __slots__ = ("_blocks", "_sink", "size")

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._blocks: list[bytes] = []
        self.size = 0

    def write(self, block: bytes | bytearray | memoryview, /) -> None:
        """Pass the block on, and keep it; raises what the sink raises."""
        self._sink.write(block)
        self.size += len(block)
        if self.size <= LARGEST:
            self._blocks.append(bytes(block))
        else:
            self._blocks.clear()

    def body(self) -> bytes | None:
        """Return the body, or None for one that is too large."""
        return None if self.size > LARGEST else b"".join(self._blocks)


class _Nowhere:
    """Where bytes go that are only counted."""

    def write(self, block: bytes | bytearray | memoryview, /) -> None:
        """Take the block."""


def _keep(cache: PageCache, exchange: _Exchange, reply: Reply) -> bool:
    """Keep the page of an exchange that ended well, and tell whether it may be; a torn one may not."""
    head, body = reply.head, exchange.copy.body() if exchange.copy else None
    if body is None or not _is_whole(head.headers, body):
        return False
    headers = freshness.kept_fields(head.headers)
    entry = freshness.entry_of(exchange.request, head, headers, exchange.asked, exchange.answered, reply.address)
    cache.keep(entry, body)
    return True


def _is_whole(headers: Headers, body: bytes) -> bool:
    """Tell whether a body came to its end: by its coding, or by its announced end; not by that of the connection."""
    coding = ", ".join(headers.all("content-encoding"))
    if not coding:
        return content_length(headers) == len(body) or headers.get("transfer-encoding") is not None
    try:
        sink: Any = decoded(coding, _Nowhere(), DECODED)
        sink.write(body)
        if body and not isinstance(sink, _Nowhere):
            sink.end()
    except TaskError:
        return False
    return True


def _pour(body: bytes, sink: Sink) -> None:
    """Write a body into a sink, in blocks as a client does; raises what the sink raises."""
    whole = memoryview(body)
    for start in range(0, len(body), BLOCK):
        sink.write(whole[start : start + BLOCK])
