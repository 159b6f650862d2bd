"""What a reply means for a file of which some bytes are here: pure decisions, by RFC 9110, sections 13 to 15."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from toolkit import __version__
from toolkit.core.errors import FailureKind, TaskError, TaskSkipped
from toolkit.core.http import Head, content_length, content_range, http_error, strong_validator, unsatisfied_total

Why = Literal["ranges", "segments", "checksum"]


class Restart(Exception):  # noqa: N818 - an instruction
    """The bytes here are of no use: fetch again from the start. why: so that each reason has it happen once only."""

    def __init__(self, why: Why = "ranges", failure: TaskError | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.failure = failure or TaskError(
            FailureKind.PROTOCOL, "the server contradicts itself about ranges", retryable=True
        )


class Disagreement(Exception):  # noqa: N818 - an instruction
    """This mirror's file is another than the one of which a good part is here: ask the next one."""


@dataclass(frozen=True, slots=True)
class Partial:
    """What is known of a part file.

    url: the task's. validator: a strong ETag or Last-Modified, or "" where only a checksum can tell. total: bytes of
    the whole, or None. source: the URL that was asked, where that is a mirror. checksums: those that the file must
    have. spans: (start, done, end) of its segments in order, if it has any: bytes start to done are here, and its size
    says nothing. finished: the facts of a file that is whole and only waits for its name.
    """

    url: str
    validator: str
    total: int | None
    source: str = ""
    final_url: str = ""
    checksums: tuple[str, ...] = ()
    spans: tuple[tuple[int, int, int], ...] = ()
    finished: dict[str, Any] | None = None
    version: str = __version__

    @property
    def here(self) -> int:
        """Bytes that are here, if there are segments."""
        return sum(done - start for start, done, _ in self.spans)


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


def conditions(validator: str, first: int, end: int | None = None) -> tuple[tuple[str, str], ...]:
    """Return the header fields that ask for the bytes from first on (before end), if the file is still the same."""
    asked = ("Range", f"bytes={first}-{'' if end is None else end - 1}")
    return (asked, ("If-Range", validator)) if validator else (asked,)


def agrees(head: Head, validator: str) -> bool:
    """Tell whether what a reply says of its version does not contradict what was noted; it need not say anything."""
    if validator.startswith('"'):
        return head.headers.get("etag", validator) == validator
    return not validator or head.headers.get("last-modified", validator) == validator


def is_plain(head: Head) -> bool:
    """Tell whether a body comes as it is, in no content coding."""
    return all(coding.lower() in ("", "identity") for coding in head.headers.all("content-encoding"))


def _rest(head: Head, offset: int, partial: Partial) -> Body:
    found = content_range(head.headers)
    if found is None or found.first > offset or not is_plain(head):
        raise Restart  # of a coded body the range is one of coded bytes (RFC 9110, 14.4)
    if found.total is not None and (partial.total not in (None, found.total) or found.last != found.total - 1):
        raise Restart
    if not agrees(head, partial.validator):
        raise Restart
    # A server may begin earlier than asked; the bytes are then written again, to the same effect.
    return Body(found.first, found.total if found.total is not None else partial.total)


def _nothing_left(head: Head, offset: int, partial: Partial) -> Body:
    total = unsatisfied_total(head.headers)
    if total != offset or partial.total not in (None, total) or not agrees(head, partial.validator):
        raise Restart
    return Body(offset, total, complete=True)


def noted(
    head: Head, url: str, total: int | None, *, source: str = "", checksums: tuple[str, ...] = ()
) -> Partial | None:
    """Return what resuming this reply's body will need, or None if it cannot be resumed."""
    if not is_plain(head):
        return None
    validator = strong_validator(head.headers)
    if validator is None and not checksums:
        return None
    return Partial(url, validator or "", total, source if source != url else "", head.url, checksums)


def remember(path: str | Path, partial: Partial) -> None:
    """Write a note, in one step; raises OSError."""
    fresh = f"{path}.new"
    with open(fresh, "w", encoding="utf-8") as file:
        json.dump(asdict(partial), file)
    os.replace(fresh, path)


def recall(path: str | Path, url: str) -> Partial | None:
    """Return what is known of a part, or None if nothing usable is: another URL, a torn file."""
    try:
        with open(path, encoding="utf-8") as file:
            facts = json.load(file)
        spans = tuple((int(start), int(done), int(end)) for start, done, end in facts.pop("spans", ()))
        partial = Partial(**{**facts, "spans": spans, "checksums": tuple(facts.get("checksums", ()))})
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    usable = isinstance(partial.validator, str) and (partial.total is None or type(partial.total) is int)
    usable = usable and bool(partial.validator or partial.checksums or partial.finished)
    return partial if usable and partial.url == url and _is_whole(spans, partial.total) else None


def forget(path: str | Path) -> None:
    """Remove what was remembered."""
    Path(path).unlink(missing_ok=True)


def _is_whole(spans: Sequence[tuple[int, int, int]], total: int | None) -> bool:
    """Tell whether segments cover a file without gaps."""
    at = 0
    for start, done, end in spans:
        if start != at or not start <= done <= end:
            return False
        at = end
    return not spans or at == total
