"""What a reply means for a file of which some bytes are here: pure decisions, by RFC 9110, sections 13 to 15."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from toolkit.core.errors import FailureKind, TaskError, TaskSkipped
from toolkit.core.http import Head, content_length, content_range, http_error, strong_validator, unsatisfied_total


class Restart(Exception):  # noqa: N818 - an instruction
    """The bytes here are of no use: fetch again from the start, without a range."""


@dataclass(frozen=True, slots=True)
class Partial:
    """What is known of a part file. validator: a strong ETag or Last-Modified. total: bytes of the whole, or None."""

    url: str
    validator: str
    total: int | None


@dataclass(frozen=True, slots=True)
class Body:
    """Where a reply's body goes. offset: bytes. total: bytes of the whole file, or None. complete: nothing to come."""

    offset: int
    total: int | None
    complete: bool = False


def decide(head: Head, offset: int, partial: Partial | None, *, conditional: bool = False) -> Body:
    """Return where the body goes, given that `offset` bytes of `partial` were asked not to be sent again.

    conditional: whether the whole file was asked for only if it has changed. Raises Restart; TaskSkipped for a 304 that
    was asked for; TaskError for a status that is an error, which leaves the part for later.
    """
    asked = partial is not None and offset > 0
    if head.status == 200:  # noqa: PLR2004
        return Body(0, content_length(head.headers))
    if head.status == 206 and asked:  # noqa: PLR2004
        assert partial is not None  # noqa: S101 - asked says so
        return _rest(head, offset, partial)
    if head.status == 304 and conditional and not asked:  # noqa: PLR2004
        raise TaskSkipped("not modified")
    if head.status == 416 and asked:  # noqa: PLR2004
        assert partial is not None  # noqa: S101 - asked says so
        return _nothing_left(head, offset, partial)
    if asked and (head.status < 300 or head.status in (304, 412)):  # noqa: PLR2004
        raise Restart
    if head.status < 400:  # noqa: PLR2004
        raise TaskError(FailureKind.HTTP, f"HTTP {head.status}: no file in this reply")
    raise http_error(head)


def _rest(head: Head, offset: int, partial: Partial) -> Body:
    found = content_range(head.headers)
    if found is None or found.first > offset or not _is_plain(head):
        raise Restart  # of a coded body the range is one of coded bytes (RFC 9110, 14.4)
    if found.total is not None and (partial.total not in (None, found.total) or found.last != found.total - 1):
        raise Restart
    sent = head.headers.get("etag")
    if sent is not None and partial.validator.startswith('"') and sent != partial.validator:
        raise Restart
    # A server may begin earlier than asked; the bytes are then written again, to the same effect.
    return Body(found.first, found.total if found.total is not None else partial.total)


def _nothing_left(head: Head, offset: int, partial: Partial) -> Body:
    total = unsatisfied_total(head.headers)
    sent = head.headers.get("etag")
    if total != offset or partial.total not in (None, total) or (sent is not None and sent != partial.validator):
        raise Restart
    return Body(offset, total, complete=True)


def _is_plain(head: Head) -> bool:
    return all(coding.lower() in ("", "identity") for coding in head.headers.all("content-encoding"))


def remember(path: Path, head: Head, url: str, total: int | None) -> None:
    """Write beside a part what resuming needs, if the reply can be resumed at all."""
    validator = strong_validator(head.headers)
    if validator is None or not _is_plain(head):
        forget(path)
        return
    fresh = path.with_suffix(".json.new")
    fresh.write_text(json.dumps(asdict(Partial(url, validator, total))))
    os.replace(fresh, path)


def recall(path: Path, url: str) -> Partial | None:
    """Return what is known of a part, or None if nothing usable is: another URL, a torn file."""
    try:
        partial = Partial(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    usable = isinstance(partial.validator, str) and (partial.total is None or type(partial.total) is int)
    return partial if usable and partial.url == url and partial.validator else None


def forget(path: Path) -> None:
    """Remove what was remembered."""
    path.unlink(missing_ok=True)
