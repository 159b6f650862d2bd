"""Redirects, followed by us, hop by hop, whatever the client."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import urljoin

from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Accept, Head, Reply, Request, Sink
from toolkit.core.job import Runtime
from toolkit.core.urls import origin_of, wire_url

REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 20


async def follow(
    runtime: Runtime, request: Request, accept: Accept, *, may_go: Callable[[str, str], Awaitable[None]] | None = None
) -> Reply:
    """Fetch, following redirects hop by hop; accept sees the last head only.

    may_go(old_url, new_url) is awaited and may raise to forbid a hop. Authorization, Cookie and Proxy-Authorization
    are dropped when the origin changes. Raises TaskError redirect for a loop, too many hops or an unusable target.
    """
    left: list[str] = []

    def at_hop(head: Head) -> Sink | None:
        return None if _target(head) else accept(head)

    while True:
        reply = await runtime.fetch(request, at_hop)
        location = _target(reply.head)
        if location is None:
            return replace(reply, redirects=tuple(left))
        target = _followable(reply.head.url, location)
        left.append(request.url)
        if target in left:
            raise TaskError(FailureKind.REDIRECT, f"redirect loop at {target}")
        if len(left) > MAX_REDIRECTS:
            raise TaskError(FailureKind.REDIRECT, f"more than {MAX_REDIRECTS} redirects")
        if may_go is not None:
            await may_go(request.url, target)
        request = _redirected(request, target)


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


def _redirected(request: Request, target: str) -> Request:
    if origin_of(request.url) == origin_of(target):
        return replace(request, url=target)
    private = ("authorization", "cookie", "proxy-authorization")
    return replace(request, url=target, headers=tuple(h for h in request.headers if h[0].lower() not in private))
