"""HTTP clients, one library a file, found by name; each maps its library's errors to ours at this edge."""

from __future__ import annotations

import base64
import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import unquote, urlsplit

from toolkit.core import plugins
from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.core.http import DRAIN_LIMIT, Head, Request, content_length
from toolkit.core.runtime import AsyncClient, BlockingClient

DRAIN_SECONDS = 1.0
"""Time given to an unwanted body to come, so that its connection can be used again."""
_FRAMING = frozenset({"content-length", "transfer-encoding", "expect"})
"""Fields that say how a body comes: ours to say."""


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """What all clients understand.

    ca_file: certificates to trust instead of the usual ones. cert, key: files of a client certificate and of its key
    (None: in the same file). min_tls: the oldest version of TLS that is spoken. proxy: the URL of the proxy for all
    requests (http, https, socks5, socks5h), "" for none, or None to ask the environment. http2: whether to speak HTTP/2
    where the server does; only some clients can.
    """

    ca_file: str | None = None
    cert: str | None = None
    key: str | None = None
    min_tls: Literal["1.2", "1.3"] = "1.2"
    proxy: str | None = None
    http2: bool = False


@dataclass(frozen=True, slots=True)
class ClientKind:
    """An HTTP library: its way of working, how to open it, and what it can tell beforehand of the options.

    Both raise UsageError for options that cannot be used.
    """

    name: str
    works: Literal["blocking", "async"]
    open: Callable[[ClientOptions], BlockingClient | AsyncClient]
    check: Callable[[ClientOptions], object]


def usual(works: Literal["blocking", "async"]) -> str:
    """Return the name of the client for those who name none: the fastest that is installed."""
    if works == "async":
        return "aiohttp"
    return "curl" if importlib.util.find_spec("pycurl") else "requests"


def load(name: str, works: str) -> ClientKind:
    """Return a client by name; raises UsageError if it is unknown or works in another way than the model."""
    kind = cast("ClientKind", plugins.load(__name__, name, "CLIENT"))
    if kind.works != works:
        raise UsageError(f"the client {name!r} is {kind.works}; this model needs one that is {works}")
    return kind


def has_body(request: Request) -> bool:
    """Tell whether a request brings a body; that of a POST may be empty."""
    return bool(request.body) or request.method == "POST"


def may_ask_again(request: Request) -> bool:
    """Tell whether a request whose connection was lost may go out again unasked: nothing changes by being asked."""
    return request.method in ("GET", "HEAD")


def wire_headers(request: Request) -> list[tuple[str, str]]:
    """Return the header fields to send: the request's own, Authorization if only its URL says it, a body's length."""
    fields = list(request.headers)
    if has_body(request):
        fields = [field for field in fields if field[0].lower() not in _FRAMING]
        fields.append(("Content-Length", str(len(request.body))))
    if "@" not in request.url:  # as nearly always
        return fields
    parts = urlsplit(request.url)
    if "@" in parts.netloc and not any(name.lower() == "authorization" for name, _ in fields):
        pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode()
        fields.append(("Authorization", f"Basic {base64.b64encode(pair).decode()}"))
    return fields


def wire_target(url: str, *, whole: bool = False) -> str:
    """Return what the request line asks for: path and query as they stand, or the whole URL, as proxies want it."""
    scheme, _, rest = url.partition("#")[0].partition("://")
    place = re.match(r"[^/?]*", rest)
    host = place[0] if place else ""
    target = rest[len(host) :]
    target = target if target.startswith("/") else f"/{target}"
    return f"{scheme}://{host.rpartition('@')[2]}{target}" if whole else target


def expected_body(method: str, head: Head) -> int | None:
    """Return the bytes of body that must come on the wire, or None if only their end will tell (RFC 9112, 6.3)."""
    if method == "HEAD" or head.status in (204, 304) or head.status < 200:  # noqa: PLR2004
        return 0
    if "chunked" in (head.headers.get("transfer-encoding") or "").lower():
        return None
    return content_length(head.headers)


def may_drain(head: Head, expected: int | None) -> bool:
    """Tell whether reading an unwanted body may pay: it looks short, and the connection can be used again after it."""
    if expected is not None:
        return expected <= DRAIN_LIMIT
    return "chunked" in (head.headers.get("transfer-encoding") or "").lower()


def check_received(expected: int | None, received: int) -> None:
    """Raise TaskError truncated unless all announced bytes came, and no more."""
    if expected is not None and received != expected:
        raise TaskError(
            FailureKind.TRUNCATED, f"{received:,} of {expected:,} bytes came before the end", retryable=True
        )
