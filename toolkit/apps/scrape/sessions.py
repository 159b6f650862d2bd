"""Sessions: the cookies that hosts set in the course of a run, each sent back to nobody but the host that set it.

What a host calls its domain widens nothing: whoever logs in at `www.` is not logged in at `shop.` below the same name.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Hashable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

from toolkit.core.cookies import Cookie, path_matches
from toolkit.core.errors import TaskError
from toolkit.core.http import Accept, Head, Headers, Reply, Request, Sink
from toolkit.core.job import Group, Runtime
from toolkit.core.setcookie import read_set_cookie

T = TypeVar("T")

MOST_COOKIES = 50
"""Cookies of one host (RFC 6265, 6.1); the one unused for longest is forgotten."""
MOST_HOSTS = 2000
"""Hosts whose cookies are kept in a process; those of the one unused for longest are forgotten."""


@dataclass(slots=True)
class _Kept:
    """A cookie and its place among the others: numbers that grow with every cookie and every use."""

    cookie: Cookie
    born: int
    used: int


@dataclass(slots=True)
class Session:
    """Whether somebody has logged in: how often, when last (on the jar's clock), and why never again."""

    logins: int = 0
    since: float = 0.0
    refused: TaskError | None = None


class HostJar:
    """The cookies of one process's run by host; for threads and event loops alike. clock: Unix time.

    Cookies are told apart by name and path, as in RFC 6265, 5.3; ports share theirs.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.session = Session()
        self._lock = threading.Lock()
        self._hosts: OrderedDict[str, dict[tuple[str, str], _Kept]] = OrderedDict()
        self._number = 0

    def __repr__(self) -> str:
        return f"HostJar({len(self._hosts)} hosts)"

    def pairs(self, url: str) -> list[tuple[str, str]]:
        """Return names and values of the cookies for a URL: longer paths first, then older ones (RFC 6265, 5.4)."""
        parts = urlsplit(url)
        host, path, secure = (parts.hostname or "").lower(), parts.path or "/", parts.scheme.lower() == "https"
        with self._lock:
            kept = self._hosts.get(host)
            if kept is None:
                return []
            self._hosts.move_to_end(host)
            self._bury(host, kept)
            fit = [
                each
                for each in kept.values()
                if (secure or not each.cookie.secure) and path_matches(path, each.cookie.path)
            ]
            for each in fit:
                each.used = self._next()
        fit.sort(key=lambda each: (-len(each.cookie.path), each.born))
        return [(each.cookie.name, each.cookie.value) for each in fit]

    def learn(self, url: str, headers: Headers) -> None:
        """Keep what a reply from this URL sets, and forget what it takes back."""
        fields = headers.all("set-cookie")
        if not fields:
            return
        now = self.clock()
        with self._lock:
            for field in fields:
                cookie = read_set_cookie(field, url, now)
                if cookie is not None:
                    self._keep(cookie, now, https=url[:6].lower() == "https:")

    def _keep(self, cookie: Cookie, now: float, *, https: bool) -> None:
        kept = self._hosts.get(cookie.host, {})
        if not https and any(_outranks(each.cookie, cookie) for each in kept.values()):
            return
        old = kept.pop((cookie.name, cookie.path), None)
        if cookie.expires and cookie.expires <= now:
            self._bury(cookie.host, kept)
            return
        number = self._next()
        kept[cookie.name, cookie.path] = _Kept(cookie, old.born if old else number, number)
        self._hosts[cookie.host] = kept
        self._hosts.move_to_end(cookie.host)
        if len(kept) > MOST_COOKIES:
            self._bury(cookie.host, kept)
        while len(kept) > MOST_COOKIES:
            del kept[min(kept, key=lambda key: kept[key].used)]
        while len(self._hosts) > MOST_HOSTS:
            self._hosts.popitem(last=False)

    def _bury(self, host: str, kept: dict[tuple[str, str], _Kept]) -> None:
        """Forget the cookies of a host that are over, and the host if it has none."""
        now = self.clock()
        for key in [key for key, each in kept.items() if each.cookie.expires and each.cookie.expires <= now]:
            del kept[key]
        if not kept:
            self._hosts.pop(host, None)

    def _next(self) -> int:
        self._number += 1
        return self._number


def _outranks(old: Cookie, new: Cookie) -> bool:
    """Tell whether a cookie for https stands where one that came in the open would go, and hides it."""
    return old.secure and old.name == new.name and path_matches(new.path, old.path)


class CookieRuntime:
    """A runtime whose fetches bring the cookies of their host along and learn what it sets, at every hop."""

    def __init__(self, runtime: Runtime, jar: HostJar) -> None:
        self._runtime = runtime
        self.jar = jar

    async def fetch(self, request: Request, accept: Accept) -> Reply:
        """Fetch with the cookies that belong to the URL, beside those that the request has itself."""

        def learn(head: Head) -> Sink | None:
            self.jar.learn(request.url, head.headers)
            return accept(head)

        return await self._runtime.fetch(dressed(request, self.jar.pairs(request.url)), learn)

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call as the runtime does."""
        return await self._runtime.call(function, *args)

    async def compute(self, function: Callable[..., T], *args: Any) -> T:
        """Compute as the runtime does."""
        return await self._runtime.compute(function, *args)

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Make it once, as the runtime does."""
        return await self._runtime.once(key, make)

    def group(self) -> AbstractAsyncContextManager[Group]:
        """Open a group whose members have these cookies, too."""
        return self._group()

    @asynccontextmanager
    async def _group(self) -> AsyncIterator[Group]:
        async with self._runtime.group() as group:
            yield _CookieGroup(group, self.jar)


class _CookieGroup:
    def __init__(self, group: Group, jar: HostJar) -> None:
        self._group = group
        self._jar = jar

    def start(self, member: Callable[[Runtime], Coroutine[Any, Any, None]]) -> None:
        """Start another, with cookies."""
        self._group.start(lambda runtime: member(CookieRuntime(runtime, self._jar)))


def dressed(request: Request, pairs: list[tuple[str, str]]) -> Request:
    """Return the request with these cookies behind its own; of the same name the host's own is newer, and counts."""
    if not pairs:
        return request
    ours = {name for name, _ in pairs}
    given = [value for name, value in request.headers if name.lower() == "cookie"]
    others = [each.strip() for value in given for each in value.split(";")]
    kept = [each for each in others if each and each.partition("=")[0].strip() not in ours]
    rest = tuple(field for field in request.headers if field[0].lower() != "cookie")
    value = "; ".join([*kept, *(f"{name}={value}" for name, value in pairs)])
    return replace(request, headers=(*rest, ("Cookie", value)))


def shared(run: str) -> HostJar:
    """Return this process's jar of a run; those of the runs before are forgotten after a few."""
    with _LOCK:
        jar = _JARS.setdefault(run, HostJar())
        _JARS.move_to_end(run)
        while len(_JARS) > 4:  # noqa: PLR2004 - runs that one process may hold at a time
            _JARS.popitem(last=False)
        return jar


_LOCK = threading.Lock()
_JARS: OrderedDict[str, HostJar] = OrderedDict()
