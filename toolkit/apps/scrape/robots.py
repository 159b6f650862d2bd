"""robots.txt by RFC 9309: when to fetch it, what each answer means, for how long it holds; protego matches the rules.

Kept per process and per run: each worker process reads a host's file once a day at most.
"""

from __future__ import annotations

import copy
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from toolkit.apps.scrape.bodies import BodySink
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.follow import follow
from toolkit.core.http import Head, Request, http_error
from toolkit.core.job import Runtime
from toolkit.core.network import Network
from toolkit.core.urls import origin_of

LIMIT = 500 * 1024
"""Bytes of a robots.txt that are read; the RFC asks for at least this, and the rest is ignored."""
LIFE = 24 * 3600.0
"""Seconds for which an answer holds (RFC 9309, 2.4)."""
FAILED_LIFE = 1.0
"""Seconds for which "cannot be read" holds: long enough that a dead host is not asked for every page, short enough for
retries to find it well again."""
MOST_REDIRECTS = 5
MOST_HOSTS = 2000
"""Hosts remembered in a process; the one unused for longest is forgotten."""


@dataclass(frozen=True, slots=True)
class Robots:
    """What one host asks for: rules (None: all is allowed), or the failure that reading them ended in."""

    rules: Any = None
    failure: TaskError | None = None

    def allows(self, url: str, agent: str) -> bool:
        """Tell whether the agent may fetch the URL."""
        return self.rules is None or bool(self.rules.can_fetch(url, agent))

    def crawl_delay(self, agent: str) -> float | None:
        """Return the seconds between requests that the host asks for, if it does."""
        delay = None if self.rules is None else self.rules.crawl_delay(agent)
        return None if delay is None else float(delay)


@dataclass(slots=True)
class _Flight:
    """A fetch under way, and the thread that runs it."""

    thread: int = field(default_factory=threading.get_ident)
    landed: threading.Event = field(default_factory=threading.Event)


class RobotsCache:
    """The robots.txt files of one process, by scheme, host and port; for threads and for one event loop.

    Threads wait for the one that fetches. Tasks of one loop cannot wait without knowing which loop that is, so those
    that ask in the same moment fetch too, as many as may visit one host at a time.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], tuple[float, Robots]] = OrderedDict()
        self._flights: dict[tuple[str, str], _Flight] = {}

    async def read(self, runtime: Runtime, page: Request, network: Network | None = None) -> Robots:
        """Return the rules for a page's host, fetched if need be; raises TaskError if they cannot be read for now.

        network: what requests keep to; its credentials are for pages.
        """
        key = origin_of(page.url)
        while True:
            with self._lock:
                found = self._fresh(key)
                flight = self._flights.get(key)
                if found is None and (flight is None or flight.thread == threading.get_ident()):
                    flight = self._flights[key] = _Flight()
                    break
            if found is not None:
                return _readable(found)
            assert flight is not None  # noqa: S101 - or we would have left the loop
            flight.landed.wait()
        try:
            robots = await fetch(runtime, replace(page, url=robots_url(page.url)), network)
            self._keep(key, robots)
        finally:
            with self._lock:
                if self._flights.get(key) is flight:
                    del self._flights[key]
            flight.landed.set()
        return _readable(robots)

    def _fresh(self, key: tuple[str, str]) -> Robots | None:
        until, robots = self._known.get(key, (0.0, None))
        if robots is None or self._clock() >= until:
            return None
        self._known.move_to_end(key)
        return robots

    def _keep(self, key: tuple[str, str], robots: Robots) -> None:
        with self._lock:
            life = LIFE if robots.failure is None else FAILED_LIFE
            self._known[key] = (self._clock() + life, robots)
            self._known.move_to_end(key)
            while len(self._known) > MOST_HOSTS:
                self._known.popitem(last=False)


async def fetch(runtime: Runtime, request: Request, network: Network | None = None) -> Robots:
    """Fetch and judge one robots.txt; never raises TaskError.

    2xx: its rules. 4xx, no target or more than five redirects: all is allowed. 429, 5xx, a broken body or no answer:
    nothing for now; a failure of the network keeps its kind, so that a dead host is told from a forbidden one.
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
            return Robots(failure=_unreadable(host, http_error(reply.head)))
        return Robots() if sink is None else Robots(parse(sink.body()))
    except TaskError as error:
        if error.kind is FailureKind.REDIRECT:
            return Robots()
        if error.kind is FailureKind.TOO_LARGE and sink is not None:
            return Robots(parse(sink.so_far().rpartition(b"\n")[0]))
        return Robots(failure=_unreadable(host, error))


def robots_url(url: str) -> str:
    """Return where the rules for a URL stand: at the root of its host, asked for without the URL's password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/robots.txt"


def parse(body: bytes) -> Any:
    """Return the rules in a robots.txt; lines that make no sense are ignored."""
    from protego import Protego

    return Protego.parse(body.decode("utf-8-sig", "replace").replace("\0", ""))


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


def _unreadable(host: str, error: TaskError) -> TaskError:
    network = error.kind in NETWORK
    return TaskError(
        error.kind if network else FailureKind.BLOCKED,
        f"robots.txt of {host} cannot be read ({error.message})",
        retryable=error.retryable if network or error.kind is FailureKind.BLOCKED else True,
        retry_after=error.retry_after,
        cool_lane=error.cool_lane,
        fatal=error.fatal,
    )


def _readable(robots: Robots) -> Robots:
    if robots.failure is not None:
        raise copy.copy(robots.failure)  # each task its own, with its own traceback
    return robots


_LOCK = threading.Lock()
_CACHES: OrderedDict[str, RobotsCache] = OrderedDict()
