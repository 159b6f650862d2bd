"""HTTP clients, one library a file, found by name; each maps its library's errors to ours at this edge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

from toolkit.core import plugins
from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.core.http import Head, content_length
from toolkit.core.job import AsyncClient, BlockingClient


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """What all clients understand. ca_file: certificates to trust instead of the usual ones, or None."""

    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class ClientKind:
    """An HTTP library: its way of working and how to open it."""

    name: str
    works: Literal["blocking", "async"]
    open: Callable[[ClientOptions], BlockingClient | AsyncClient]


def load(name: str, works: str) -> ClientKind:
    """Return a client by name; raises UsageError if it is unknown or works in another way than the model."""
    kind = cast("ClientKind", plugins.load(__name__, name, "CLIENT"))
    if kind.works != works:
        raise UsageError(f"the client {name!r} is {kind.works}; this model needs one that is {works}")
    return kind


def expected_body(method: str, head: Head) -> int | None:
    """Return the bytes of body that must come on the wire, or None if only their end will tell (RFC 9112, 6.3)."""
    if method == "HEAD" or head.status in (204, 304) or head.status < 200:  # noqa: PLR2004
        return 0
    if "chunked" in (head.headers.get("transfer-encoding") or "").lower():
        return None
    return content_length(head.headers)


def check_received(expected: int | None, received: int) -> None:
    """Raise TaskError truncated unless all announced bytes came, and no more."""
    if expected is not None and received != expected:
        raise TaskError(
            FailureKind.TRUNCATED, f"{received:,} of {expected:,} bytes came before the end", retryable=True
        )
