"""HTTP as jobs see it: requests, heads, replies and sinks, with no library behind them.

Header rules are those of RFC 9110; each function names its section.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit

import idna

from toolkit.core.errors import FailureKind, TaskError

if TYPE_CHECKING:
    from toolkit.core.job import Runtime

BLOCK = 256 * 1024
"""Bytes moved at a time: large enough that Python's cost per block does not show."""

RETRY_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 20
DRAIN_LIMIT = 64 * 1024
"""Bytes of an unwanted body that are read, so that the connection can be used again; more, and it is closed."""


class Headers:
    """Header fields in the order they came; names compare without case."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        # Only what the grammar calls white space: \x85 and \xa0 are parts of letters where UTF-8 is read as latin-1.
        self._fields = tuple((name.lower(), value.strip(" \t\r\n")) for name, value in fields)

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of a field."""
        return next((value for field, value in self._fields if field == name.lower()), default)

    def all(self, name: str) -> list[str]:
        """Return every value of a field, in order."""
        return [value for field, value in self._fields if field == name.lower()]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)

    def __repr__(self) -> str:
        return f"Headers({list(self._fields)!r})"


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask: the URL goes on the wire as given. Timeouts are seconds without a byte."""

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    connect_timeout: float = 10.0
    read_timeout: float = 30.0

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
class Reply:
    """A finished exchange: received counts the body's bytes on the wire; redirects are the URLs left behind."""

    head: Head
    received: int
    first_byte: float = 0.0
    total: float = 0.0
    redirects: tuple[str, ...] = ()


class Sink(Protocol):
    """Where a body's bytes go, as they came over the wire."""

    def write(self, block: bytes | bytearray | memoryview, /) -> object:
        """Take the next block, whole; the buffer is reused after the call."""


Accept = Callable[[Head], Sink | None]
"""Sees the head and answers with the sink for the body, or None if the body is not wanted; or raises."""

Progress = Callable[[int], None]
"""Called with the size of each block that came; raising stops the transfer."""


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


def check_url(url: str) -> str:
    """Return the URL if we may fetch it; raises TaskError input or blocked: http and https only, with a host."""
    parts = _split(url)
    host = parts.hostname
    if parts.scheme.lower() not in ("http", "https"):
        what = f"scheme {parts.scheme!r}" if parts.scheme else "no scheme"
        raise TaskError(FailureKind.BLOCKED, f"{what}: only http and https are fetched")
    if not host:
        raise TaskError(FailureKind.INPUT, "the URL has no host")
    if re.search(r"[\x00-\x20\x7f]", url):
        raise TaskError(FailureKind.INPUT, "the URL has a space or control character in it")
    return url


def wire_url(url: str) -> str:
    """Return a URL as it goes on the wire, changed no more than a browser would (WHATWG URL, 4.4).

    White space around it, tabs, line breaks and the fragment go; backslashes before the query are slashes; spaces and
    what is not ASCII are percent-encoded as UTF-8, host names by IDNA. Everything else stays as it is. Raises
    TaskError input or blocked, as check_url.
    """
    url = re.sub(r"[\t\r\n]", "", url.strip()).partition("#")[0]
    before, mark, query = url.partition("?")
    url = re.sub(r"[^\x21\x23-\x3b\x3d\x3f-\x5f\x61-\x7a\x7c\x7e]", _as_utf8, before.replace("\\", "/") + mark + query)
    parts = _split(url)
    host = unquote(parts.hostname or "")
    if not host.isascii():
        url = urlunsplit(parts._replace(netloc=parts.netloc.replace(_host_text(parts.netloc), _idna(host))))
    return check_url(url)


def lane_of(url: str) -> str:
    """Return host:port, the unit of politeness."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme.lower() == "https" else 80)
    return f"{(parts.hostname or '').lower()}:{port}"


def origin_of(url: str) -> tuple[str, str]:
    """Return scheme and lane: what credentials belong to (RFC 6454)."""
    return urlsplit(url).scheme.lower(), lane_of(url)


def content_length(headers: Headers) -> int | None:
    """Return the announced size of the body in bytes, or None (RFC 9110, 8.6; differing values are an error)."""
    values = {part.strip() for value in headers.all("content-length") for part in value.split(",")}
    if not values:
        return None
    if len(values) > 1 or not (value := values.pop()).isascii() or not value.isdigit():
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
    try:
        date = parsedate_to_datetime(value or "")
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
        cool_lane=throttled,
    )


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.hostname, parts.port  # these, too, raise for what is no URL
    except ValueError as error:
        raise TaskError(FailureKind.INPUT, f"not a URL: {error}") from error
    return parts


def _host_text(netloc: str) -> str:
    return re.sub(r":\d*$", "", netloc.rpartition("@")[2])


def _idna(host: str) -> str:
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise TaskError(FailureKind.INPUT, f"not a host name: {host!r}") from error


def _as_utf8(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace"))


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
