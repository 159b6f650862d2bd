"""HTTP as jobs see it: requests, heads, replies and sinks, with no library behind them.

Header rules are those of RFC 9110; each function names its section.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal, Protocol

from toolkit.core.errors import FailureKind, TaskError

BLOCK = 256 * 1024
"""Bytes moved at a time: large enough that Python's cost per block does not show."""

RETRY_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
DRAIN_LIMIT = 64 * 1024
"""Bytes of an unwanted body that are read, so that the connection can be used again; more, and it is closed."""


class Headers:
    """Header fields in the order they came; names compare without case."""

    __slots__ = ("_fields", "_first")

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        # Only what the grammar calls white space: \x85 and \xa0 are parts of letters where UTF-8 is read as latin-1.
        self._fields = tuple([(name.lower(), value.strip(" \t\r\n")) for name, value in fields])
        self._first = dict(reversed(self._fields))

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of a field."""
        return self._first.get(name.lower(), default)

    def all(self, name: str) -> list[str]:
        """Return every value of a field, in order."""
        name = name.lower()
        return [value for field, value in self._fields if field == name] if name in self._first else []

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)

    def __repr__(self) -> str:
        return f"Headers({list(self._fields)!r})"


Addresses = Literal["any", "public"]
"""Where a request may lead; looked at when the connection is made, at the address really connected to."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask: the URL goes on the wire as given.

    Timeouts are seconds without a byte. low_speed: bytes a second below which a body is given up once it has been that
    slow for low_speed_time seconds; 0 for never. addresses: "public" refuses addresses that are not public. body: what
    a POST brings; its length and type are for the client and the headers to say.
    """

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    low_speed: int = 0
    low_speed_time: float = 30.0
    addresses: Addresses = "any"
    body: bytes = field(default=b"", repr=False)

    def with_headers(self, *more: tuple[str, str]) -> Request:
        """Return this request with header fields added."""
        return replace(self, headers=self.headers + more)


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and header fields of a reply, before its body."""

    url: str
    status: int
    headers: Headers
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Timings:
    """How long the parts of an exchange took, in seconds; None for what a client cannot tell or what was not needed.

    dns, connect and tls are parts of making a new connection; first_byte and total count from the start.
    """

    dns: float | None = None
    connect: float | None = None
    tls: float | None = None
    first_byte: float | None = None
    total: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A finished exchange.

    received: the body's bytes on the wire. redirects: the URLs left behind. address: the IP address of the other side,
    or "" if unknown or by way of a proxy. kept: whether the body is one that was kept: "fresh" was not asked for again,
    "confirmed" was, and the server said that it is still the same.
    """

    head: Head
    received: int
    timings: Timings = Timings()
    redirects: tuple[str, ...] = ()
    address: str = ""
    kept: Literal["", "fresh", "confirmed"] = ""


class Sink(Protocol):
    """Where a body's bytes go, as they came over the wire."""

    def write(self, block: bytes | bytearray | memoryview, /) -> object:
        """Take the next block, whole; the buffer is reused after the call."""


Accept = Callable[[Head], Sink | None]
"""Sees the head and answers with the sink for the body, or None if the body is not wanted; or raises."""

Progress = Callable[[int], float]
"""Called with the size of each block that came; answers with the seconds to wait before more is read, mostly 0.0.

Raising stops the transfer.
"""


class MemorySink:
    """Keeps a body in memory, up to limit bytes."""

    __slots__ = ("_blocks", "limit", "size")

    def __init__(self, limit: int) -> None:
        self._blocks: list[bytes] = []
        self.limit = limit
        self.size = 0

    def write(self, block: bytes | bytearray | memoryview, /) -> None:
        """Keep the block; raises TaskError too_large past the limit."""
        self._blocks.append(bytes(block[: max(0, self.limit - self.size)]))
        self.size += len(block)
        if self.size > self.limit:
            raise TaskError(FailureKind.TOO_LARGE, f"the body is larger than {self.limit:,} bytes")

    def body(self) -> bytes:
        """Return all bytes so far, but none past the limit."""
        return b"".join(self._blocks)


def content_length(headers: Headers) -> int | None:
    """Return the announced size of the body in bytes, or None (RFC 9110, 8.6; differing values are an error)."""
    if headers.get("transfer-encoding"):  # then it counts for nothing (RFC 9112, 6.3)
        return None
    values = {part.strip() for value in headers.all("content-length") for part in value.split(",")}
    if not values:
        return None
    if len(values) > 1 or not re.fullmatch(r"[0-9]{1,19}", value := values.pop()):
        raise TaskError(FailureKind.PROTOCOL, "the reply's Content-Length is no number, or two", retryable=True)
    return int(value)


@dataclass(frozen=True, slots=True)
class ContentRange:
    """The bytes first..last (inclusive) of total; total None where the server does not say."""

    first: int
    last: int
    total: int | None


def content_range(headers: Headers) -> ContentRange | None:
    """Return a 206's Content-Range, read strictly, or None if it is absent or wrong (RFC 9110, 14.4)."""
    found = re.fullmatch(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)", headers.get("content-range") or "")
    if found is None:
        return None
    first, last = int(found[1]), int(found[2])
    total = None if found[3] == "*" else int(found[3])
    if first > last or (total is not None and last >= total):
        return None
    return ContentRange(first, last, total)


def unsatisfied_total(headers: Headers) -> int | None:
    """Return the size that a 416 names (`bytes */N`), or None (RFC 9110, 14.4)."""
    found = re.fullmatch(r"bytes \*/([0-9]{1,19})", headers.get("content-range") or "")
    return int(found[1]) if found else None


def http_date(value: str | None) -> datetime | None:
    """Return an HTTP date in UTC, or None if it is absent or unreadable (RFC 9110, 5.6.7)."""
    if not value:
        return None
    from email.utils import parsedate_to_datetime  # it loads sockets and more, and few need it

    try:
        date = parsedate_to_datetime(value)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def retry_after(headers: Headers, now: datetime | None = None) -> float | None:
    """Return the seconds to wait, from Retry-After in either form (RFC 9110, 10.2.3).

    A date is compared with the reply's own Date where there is one, so that a wrong local clock does no harm.
    """
    value = headers.get("retry-after")
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value[:9])
    date = http_date(value)
    if date is None:
        return None
    start = http_date(headers.get("date")) or now or datetime.now(UTC)
    return max(0.0, (date - start).total_seconds())


def strong_validator(headers: Headers) -> str | None:
    """Return what If-Range may carry, or None (RFC 9110, 13.1.5 and 8.8.2.2).

    A strong ETag; or, if the reply has no ETag at all, a Last-Modified at least 60 s older than the reply's Date.
    """
    etag = headers.get("etag")
    if etag is not None:
        return etag if re.fullmatch(r'"[\x21\x23-\x7e\x80-\xff]*"', etag) else None
    modified, date = headers.get("last-modified"), http_date(headers.get("date"))
    when = http_date(modified)
    if when is None or date is None or (date - when).total_seconds() < 60:  # noqa: PLR2004
        return None
    return modified


def media_type(headers: Headers) -> tuple[str, str | None]:
    """Return Content-Type as (type/subtype in lower case or "", charset or None)."""
    kind, *parameters = (headers.get("content-type") or "").split(";")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value:
            return kind.strip().lower(), value.strip().strip("\"'") or None
    return kind.strip().lower(), None


def http_error(head: Head) -> TaskError:
    """Return the failure that a status code stands for, with what the schedule needs to know."""
    wait = retry_after(head.headers)
    throttled = head.status == 429 or (head.status == 503 and wait is not None)  # noqa: PLR2004
    reason = f" {head.reason}" if head.reason else ""
    return TaskError(
        FailureKind.THROTTLED if throttled else FailureKind.HTTP,
        f"HTTP {head.status}{reason}",
        retryable=head.status in RETRY_STATUSES,
        retry_after=wait,
        cool_lane=throttled or head.status == 503,  # noqa: PLR2004
    )
