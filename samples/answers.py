"""What HTTP says the answer is: conditions and ranges decided from the request's headers (RFC 9110, 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from samples.bodies import Body


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, its headers, and which bytes of the body follow: from `start` up to `stop`."""

    status: int
    headers: dict[str, str]
    start: int = 0
    stop: int = 0


def decide(method: str, asked: Mapping[str, str], body: Body, *, wrong_range: bool = False) -> Answer:
    """Answer a GET or HEAD for `body` in the order of RFC 9110, 13.2.2; `wrong_range` sends every 206 from byte 0."""
    described = describe(body)
    if not _precondition_holds(asked, body):
        return Answer(412, described)
    if _unchanged(asked, body):
        return Answer(304, described)
    headers = {**described, "Content-Type": body.kind, **body.headers}
    wanted = asked.get("Range") if method == "GET" and body.ranges and _range_counts(asked, body) else None
    match parse_range(wanted, body.size):
        case None:
            return Answer(200, headers, 0, body.size)
        case (start, stop) if start < stop:
            start, stop = (0, body.size) if wrong_range else (start, stop)
            return Answer(206, {**headers, "Content-Range": f"bytes {start}-{stop - 1}/{body.size}"}, start, stop)
        case _:
            return Answer(416, {**described, "Content-Range": f"bytes */{body.size}"})


def describe(body: Body) -> dict[str, str]:
    """Return the headers that every answer about `body` carries."""
    headers = {"Accept-Ranges": "bytes" if body.ranges else "none", "Cache-Control": "no-cache"}
    if body.etag:
        headers["ETag"] = body.etag
    if body.modified:
        headers["Last-Modified"] = format_datetime(body.modified, usegmt=True)
    return headers


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the half-open range asked for, an empty one when no byte of it exists, or None to ignore the header.

    Malformed, several, and unknown ranges are ignored, as RFC 9110, 14.2 allows.
    """
    found = re.fullmatch(r"bytes=\s*(\d*)-(\d*)\s*", header or "", re.IGNORECASE | re.ASCII)
    if not found or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        return max(0, size - int(last)), size
    if last and int(last) < int(first):
        return None
    stop = min(size, int(last) + 1) if last else size
    return min(int(first), stop), stop


def _precondition_holds(asked: Mapping[str, str], body: Body) -> bool:
    if tags := asked.get("If-Match"):
        return tags.strip() == "*" or (_strong(body.etag) and body.etag in _tags(tags))
    since = _date(asked.get("If-Unmodified-Since"))
    return since is None or body.modified is None or body.modified <= since


def _unchanged(asked: Mapping[str, str], body: Body) -> bool:
    if tags := asked.get("If-None-Match"):
        same = {tag.removeprefix("W/") for tag in _tags(tags)}
        return tags.strip() == "*" or body.etag.removeprefix("W/") in same
    since = _date(asked.get("If-Modified-Since"))
    return since is not None and body.modified is not None and body.modified <= since


def _range_counts(asked: Mapping[str, str], body: Body) -> bool:
    """If-Range needs the strong ETag or the exact date (RFC 9110, 13.1.5)."""
    condition = asked.get("If-Range")
    if condition is None:
        return True
    if '"' in condition:
        return _strong(condition) and condition.strip() == body.etag
    return body.modified is not None and _date(condition) == body.modified


def _strong(etag: str) -> bool:
    return etag.strip().startswith('"')


def _tags(header: str) -> list[str]:
    return re.findall(r'(?:W/)?"[^"]*"', header)


def _date(header: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(header or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
