"""Redirects, followed by us, hop by hop, whatever the client."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import urljoin

from toolkit.core.addresses import came_from_public
from toolkit.core.credentials import Visitor, basic, login_in, scheme_of
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Accept, Head, Reply, Request, Sink
from toolkit.core.job import Runtime
from toolkit.core.network import Network
from toolkit.core.unauthorized import UNAUTHORIZED, with_advice
from toolkit.core.urls import origin_of, wire_url

REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 20
OF_THE_BODY = frozenset({"content-type", "content-length", "content-encoding", "content-language", "content-location"})
"""Fields that say what a body is, and go with it (Fetch, 4.4)."""

MayGo = Callable[[str, Request], Awaitable[None]]
"""Is told the URL that is left behind and the request that would come next; raises to forbid it."""


async def follow(
    runtime: Runtime,
    request: Request,
    accept: Accept,
    *,
    may_go: MayGo | None = None,
    network: Network | None = None,
    home: str | None = None,
) -> Reply:
    """Fetch, following redirects hop by hop; accept sees the last head only.

    Authorization, Cookie and Proxy-Authorization are dropped when the origin changes, for good; network says what each
    hop is given anew, and where it may lead. home: the user's own URL that all credentials are for, if the request goes
    to another in its stead (a mirror). A POST becomes a GET at 301, 302 and 303, as browsers have it; what keeps its
    body keeps to its origin. Raises TaskError redirect for a loop, too many hops or an unusable target.
    """
    left: list[str] = []
    trail = _Trail()
    if home is not None:
        request = _moved(replace(request, url=home), request.url)
    request = _with_login(request, network)
    visitor = Visitor(network.credentials, home or request.url) if network and network.credentials else None

    def at_hop(head: Head) -> Sink | None:
        try:
            return None if _target(head) else accept(head)
        except TaskError as failure:
            raise _told(failure, head, request, visitor) from failure.__cause__

    while True:
        reply = await _ask(runtime, request, at_hop, visitor)
        location = _target(reply.head)
        if location is None:
            return replace(reply, redirects=tuple(left)) if left else reply
        target = _followable(reply.head.url, location)
        left.append(request.url)
        trail.leave(request, reply.head)
        onward = _redirected(request, target, reply.head.status)
        if trail.knows(onward):
            raise TaskError(FailureKind.REDIRECT, f"redirect loop at {target}")
        if len(left) > MAX_REDIRECTS:
            raise TaskError(FailureKind.REDIRECT, f"more than {MAX_REDIRECTS} redirects")
        if network is not None and network.private == "guard" and came_from_public(reply.head.url, reply.address):
            onward = replace(onward, addresses="public")
        request = onward
        if may_go is not None:
            await may_go(left[-1], request)


class _Trail:
    """What was asked along one chain, so that a loop ends where it closes.

    A page that sends its visitors to itself, to see whether they keep cookies, is no loop yet: the first cookie that is
    set lets a chain come by once more.
    """

    def __init__(self) -> None:
        self._asked: set[tuple[str, str]] = set()
        self._forgiven = False

    def leave(self, request: Request, head: Head) -> None:
        """Note a request that was redirected."""
        self._asked.add((request.method, request.url))
        if not self._forgiven and head.headers.get("set-cookie") is not None:
            self._forgiven = True
            self._asked.clear()

    def knows(self, request: Request) -> bool:
        """Tell whether the same was asked already."""
        return (request.method, request.url) in self._asked


async def _ask(runtime: Runtime, request: Request, accept: Accept, visitor: Visitor | None) -> Reply:
    """Fetch as who we are, and answer a challenge; twice at most: the first answer may be to an old one."""
    if visitor is None:
        return await runtime.fetch(request, accept)
    sent = visitor.dressed(request)
    for _ in range(2):
        again: Request | None = None

        def at_head(head: Head, sent: Request = sent) -> Sink | None:
            nonlocal again
            again = visitor.again(sent, head)
            return accept(head) if again is None else None

        reply = await runtime.fetch(sent, at_head)
        if again is None:
            return reply
        sent = again
    return await runtime.fetch(sent, accept)


def _told(failure: TaskError, head: Head, request: Request, visitor: Visitor | None) -> TaskError:
    if head.status != UNAUTHORIZED:
        return failure
    return visitor.refused(failure, head) if visitor else with_advice(failure, head, scheme_of(request))


def _with_login(request: Request, network: Network | None) -> Request:
    """Put a login that is in the URL into a field, which lasts as long as the origin does."""
    if "@" not in request.url or (network and network.credentials and network.credentials.digest):
        return request
    login = login_in(request.url)
    if login is None or any(name.lower() == "authorization" for name, _ in request.headers):
        return request
    return request.with_headers(("Authorization", basic(login)))


def _target(head: Head) -> str | None:
    return (head.headers.get("location") or None) if head.status in REDIRECT_STATUSES else None


def _followable(url: str, location: str) -> str:
    """Return where a Location leads, encoded as browsers do: raw spaces and non-ASCII bytes in it are common."""
    before, mark, query = re.sub(r"[^\x21-\x7e]", _percent, location).partition("?")
    try:
        return wire_url(urljoin(url, before.replace("\\", "/") + mark + query))
    except (TaskError, ValueError) as error:
        if isinstance(error, TaskError) and error.kind is FailureKind.BLOCKED:
            raise
        raise TaskError(FailureKind.REDIRECT, f"the redirect leads nowhere: {error}") from error


def _percent(found: re.Match[str]) -> str:
    # Header bytes reach us as latin-1; servers that send non-ASCII send UTF-8.
    return "".join(f"%{byte:02X}" for byte in found[0].encode("latin-1", "ignore"))


def _redirected(request: Request, target: str, status: int) -> Request:
    """Return the request that a redirect stands for; raises TaskError if it would take a body to another origin."""
    if (request.method == "POST" and status in (301, 302)) or (status == 303 and request.method not in ("GET", "HEAD")):  # noqa: PLR2004
        headers = tuple(field for field in request.headers if field[0].lower() not in OF_THE_BODY)
        request = replace(request, method="GET", body=b"", headers=headers)
    elif (request.body or request.method == "POST") and origin_of(request.url) != origin_of(target):
        raise TaskError(FailureKind.REDIRECT, "the redirect would take what was sent to another host")
    return _moved(request, target)


def _moved(request: Request, target: str) -> Request:
    if origin_of(request.url) == origin_of(target):
        return replace(request, url=target)
    private = ("authorization", "cookie", "proxy-authorization")
    return replace(request, url=target, headers=tuple(h for h in request.headers if h[0].lower() not in private))
