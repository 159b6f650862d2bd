"""robots.txt by RFC 9309: when to fetch it, what each answer means, for how long it holds; protego matches the rules.

Kept per process and per run: each worker process reads a host's file once a day at most. What cannot be read lets no
page through: it is asked for again after a while that grows, and pages do not wait for that more often than twice.
"""

from __future__ import annotations

import copy
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from toolkit.apps.scrape.bodies import BodySink
from toolkit.apps.scrape.robotslines import lines_of, whole_lines, whole_token
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.follow import follow
from toolkit.core.http import Head, Request, http_error
from toolkit.core.job import Runtime
from toolkit.core.lane import MOST_ASKED
from toolkit.core.network import Network
from toolkit.core.urls import origin_of

LIMIT = 500 * 1024
"""Bytes of a robots.txt that are read; the RFC asks for at least this, and the rest is ignored."""
LIFE = 24 * 3600.0
"""Seconds for which an answer holds (RFC 9309, 2.4)."""
WAITS = (1.0, 5.0, 30.0, 300.0)
"""Seconds for which "cannot be read" holds: after the first failure in a row, the second, the third, and all others.

Retry-After may ask for more. However many pages a host has, its robots.txt is not asked for more often.
"""
PATIENCE = 2
"""Failures in a row after which the host's pages wait for the next attempt; with the next one, all fail at once."""
MOST_REDIRECTS = 5
MOST_HOSTS = 2000
"""Hosts remembered in a process; the one unused for longest is forgotten."""
LARGE = 64 * 1024
"""Bytes of a robots.txt that takes long to read: milliseconds, in which a loop would do nothing else."""

Key = tuple[str, str]
"""Scheme, and host with port."""


@dataclass(frozen=True, slots=True)
class Robots:
    """What one host asks for: rules (None: all is allowed), or the failure that reading them ended in."""

    rules: Any = None
    failure: TaskError | None = None

    def allows(self, url: str, agent: str) -> bool:
        """Tell whether the agent may fetch the URL."""
        return self.rules is None or bool(self.rules.can_fetch(url, whole_token(agent)))

    def crawl_delay(self, agent: str) -> float | None:
        """Return the seconds between requests that the host asks for, if it does; never more than a lane gives."""
        asked = self.asked_delay(agent)
        return None if asked is None else min(asked, MOST_ASKED)

    def asked_delay(self, agent: str) -> float | None:
        """Return the seconds as they stand there; None for what is no number, negative or infinite."""
        delay = None if self.rules is None else self.rules.crawl_delay(whole_token(agent))
        return delay if delay is not None and 0 <= delay < float("inf") else None

    def warning(self, agent: str) -> str:
        """Return what is to be told of a delay that is not kept to, or ""."""
        asked = self.asked_delay(agent)
        if asked is None or asked <= MOST_ASKED:
            return ""
        return f"robots.txt asks for {asked:,.0f} s between requests: it is given {MOST_ASKED:.0f}"


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer, until when it holds, and how many attempts before it have failed in a row."""

    robots: Robots
    until: float
    misses: int = 0


class RobotsCache:
    """The robots.txt files of one process, by scheme, host and port; for threads and for event loops."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[Key, _Kept] = OrderedDict()

    async def read(self, runtime: Runtime, page: Request, network: Network | None = None) -> Robots:
        """Return the rules for a page's host, fetched if need be: by one task, and the others wait for it.

        Raises TaskError if they cannot be read for now; retry_after then says when they are asked for again. network:
        what requests keep to; its credentials are for pages.
        """
        key = origin_of(page.url)
        found = self._fresh(key)
        if found is None:
            flight = (self, key, page.addresses)  # where one may not go, another may
            found = await runtime.once(flight, lambda: self._renewed(runtime, page, key, network))
        return self._readable(found)

    async def _renewed(self, runtime: Runtime, page: Request, key: Key, network: Network | None) -> _Kept:
        if (found := self._fresh(key)) is not None:  # it came between the look and our turn
            return found
        started = self._clock()
        request = Request(
            robots_url(page.url),
            headers=tuple(field for field in page.headers if field[0].lower() not in PRIVATE),
            connect_timeout=page.connect_timeout,
            read_timeout=page.read_timeout,
            low_speed=page.low_speed,
            low_speed_time=page.low_speed_time,
            addresses=page.addresses,
        )
        try:
            robots = await fetch(runtime, request, network)
        except TaskError:
            raise
        except BaseException:
            if self._clock() - started >= WAITS[0]:  # the task's own time was over: another would lose as much
                self._keep(key, _too_slow(urlsplit(request.url).netloc))
            raise
        return self._keep(key, robots)

    def _fresh(self, key: Key) -> _Kept | None:
        with self._lock:
            kept = self._known.get(key)
            if kept is None or self._clock() >= kept.until:
                return None
            self._known.move_to_end(key)
            return kept

    def _keep(self, key: Key, robots: Robots) -> _Kept:
        with self._lock:
            kept = _after(self._known.get(key), robots, self._clock())
            self._known[key] = kept
            self._known.move_to_end(key)
            while len(self._known) > MOST_HOSTS:
                self._known.popitem(last=False)
        return kept

    def _readable(self, kept: _Kept) -> Robots:
        if kept.robots.failure is None:
            return kept.robots
        failure = copy.copy(kept.robots.failure)  # each task its own, with its own traceback
        failure.retryable = failure.retryable and kept.misses <= PATIENCE
        failure.retry_after = max(0.0, kept.until - self._clock()) if failure.retryable else None
        failure.cool_lane = failure.retryable  # or each page of the host would lose an attempt meanwhile
        raise failure


async def fetch(runtime: Runtime, request: Request, network: Network | None = None) -> Robots:
    """Fetch and judge one robots.txt.

    2xx: its rules. 4xx, no target or more than five redirects: all is allowed. 429, 5xx, a broken body or no answer:
    nothing for now; a failure of the network keeps its kind, so that a dead host is told from a forbidden one. Raises
    TaskError for what says nothing to others: this machine's own limits, and an address refused to a redirected page.
    """
    host = urlsplit(request.url).netloc
    sink: BodySink | None = None
    hops = 0

    def accept(head: Head) -> BodySink | None:
        nonlocal sink
        if 200 <= head.status < 300:  # noqa: PLR2004
            sink = BodySink(head.headers, LIMIT)
        return sink

    async def count(_old: str, _new: Request) -> None:
        nonlocal hops
        hops += 1
        if hops > MOST_REDIRECTS:
            raise TaskError(FailureKind.REDIRECT, "too many redirects")

    anonymous = None if network is None else replace(network, credentials=None)
    try:
        reply = await follow(runtime, request, accept, may_go=count, network=anonymous)
        if reply.head.status == 429 or reply.head.status >= 500:  # noqa: PLR2004
            raise http_error(reply.head)
        return Robots() if sink is None else await _parsed(runtime, sink.body())
    except TaskError as error:
        if error.kind is FailureKind.TOO_LARGE and sink is not None:
            return await _parsed(runtime, whole_lines(sink.so_far()))
        if error.kind is FailureKind.LIMIT:
            raise
        if error.kind is FailureKind.BLOCKED and not hops and _is_stricter(request, network):
            raise _unreadable(host, error) from error
        return Robots() if error.kind is FailureKind.REDIRECT else Robots(failure=_unreadable(host, error))


def _is_stricter(request: Request, network: Network | None) -> bool:
    """Whether a redirect's request may not go where the user's own may: its refusal is no answer to those."""
    return request.addresses == "public" and (network is None or network.private != "block")


async def _parsed(runtime: Runtime, body: bytes) -> Robots:
    return Robots(parse(body) if len(body) < LARGE else await runtime.call(parse, body))


def robots_url(url: str) -> str:
    """Return where the rules for a URL stand: at the root of its host, asked for without the URL's password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/robots.txt"


def parse(body: bytes) -> Any:
    """Return the rules in a robots.txt; lines that make no sense are ignored. Groups are for whole tokens."""
    from protego import Protego

    return Protego.parse(lines_of(body))


def agent_token(user_agent: str) -> str:
    """Return the product token, by which groups are looked up (RFC 9309, 2.2.1): `toolkit` of `toolkit/1.0`."""
    return user_agent.partition("/")[0].partition(" ")[0] or "toolkit"


def shared(run: str) -> RobotsCache:
    """Return this process's cache for a run; those of the runs before are forgotten after a few."""
    with _LOCK:
        cache = _CACHES.setdefault(run, RobotsCache())
        _CACHES.move_to_end(run)
        while len(_CACHES) > 4:  # noqa: PLR2004 - runs that one process may hold at a time
            _CACHES.popitem(last=False)
        return cache


NETWORK = frozenset({FailureKind.DNS, FailureKind.CONNECT, FailureKind.TLS, FailureKind.TIMEOUT, FailureKind.OVERDUE})


PRIVATE = frozenset({"authorization", "cookie", "proxy-authorization"})
"""Fields that are for pages."""


def _after(before: _Kept | None, robots: Robots, now: float) -> _Kept:
    """Return what is known after an attempt; rules that were known hold on where it failed (RFC 9309, 2.4)."""
    if robots.failure is None:
        return _Kept(robots, now + LIFE)
    misses = 1 if before is None else before.misses + 1
    wait = max(WAITS[min(misses, len(WAITS)) - 1], robots.failure.retry_after or 0.0)
    if before is not None and before.robots.failure is None:
        robots = before.robots
    return _Kept(robots, now + min(wait, LIFE), misses)


def _unreadable(host: str, error: TaskError) -> TaskError:
    if error.kind is FailureKind.INPUT:  # then the page cannot be asked for either: the host is not to blame
        return error
    network = error.kind in NETWORK
    return TaskError(
        error.kind if network else FailureKind.BLOCKED,
        f"robots.txt of {host} cannot be read ({error.message})",
        retryable=error.retryable if network or error.kind is FailureKind.BLOCKED else True,
        retry_after=error.retry_after,
        fatal=error.fatal,
    )


def _too_slow(host: str) -> Robots:
    slow = TaskError(FailureKind.OVERDUE, "it took longer than its page may")
    return Robots(failure=_unreadable(host, slow))


_LOCK = threading.Lock()
_CACHES: OrderedDict[str, RobotsCache] = OrderedDict()
