"""One file over several connections, each writing in place; or the missing ranges of a file, one after the other.

Every request for a range names the version that it is for, and every answer is checked: its place, the whole size, the
version. A server that knows no ranges, or has enough of us, costs no more than the request; a file that has changed
means that all of it is fetched again, over one connection.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from toolkit import storage
from toolkit.apps.download import resume
from toolkit.apps.download.part import Part
from toolkit.apps.download.resume import Partial, Restart
from toolkit.apps.download.segments import FROM, LEAST, MOST, Pace, SegmentMap, Span
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Accept, Head, Reply, Timings, content_length, content_range, http_error
from toolkit.core.job import Group, Runtime

NOTE_SECONDS = 1.0
NOTE_BYTES = 64 * 1024 * 1024
"""How often it is noted what is here: after so many seconds or bytes, whichever comes first."""

OURS = frozenset(
    {
        FailureKind.INPUT,
        FailureKind.LIMIT,
        FailureKind.NAME,
        FailureKind.DISK,
        FailureKind.TOO_LARGE,
        FailureKind.CONTENT_TYPE,
        FailureKind.OVERDUE,
    }
)
"""Failures that no other server or connection would spare us."""


class Ask(Protocol):
    """Asks a URL of the task, with header fields added, following redirects; hops: URLs that redirects left behind."""

    hops: list[str]

    async def __call__(self, runtime: Runtime, url: str, fields: tuple[tuple[str, str], ...], accept: Accept) -> Reply:
        """Fetch."""


class Ended(Exception):  # noqa: N818 - an instruction
    """This stream has come to what others bring: let its connection go."""


class _NoRanges(Exception):  # noqa: N818 - an instruction
    """The server sends the whole file again, whatever we ask for."""


class _OtherFile(Exception):  # noqa: N818 - an instruction
    """This mirror's file is not provably the same."""


class Split:
    """The segments of one file. sources: the URL that is asked, then others that should have the same file."""

    def __init__(
        self, part: Part, ask: Ask, sources: tuple[str, ...], *, slots: int, wanted: int, fsync: bool = False
    ) -> None:
        """slots: connections that the schedule allows. wanted: those that the user wants at most; 0 for what pays."""
        self._part, self._ask, self._sources, self._fsync = part, ask, list(sources), fsync
        self._main = sources[0]
        self._auto = wanted == 0
        self._most = min(slots, wanted or MOST)
        self._group: Group | None = None
        self._file: storage.PartFile | None = None
        self._partial = Partial("", "", None)
        self._pace: Pace | None = None
        self._leading = self._sparse = self._refused = self._proven = False
        self._noting = threading.Lock()
        self._noted = (0.0, 0)
        self._failure: TaskError | None = None
        self._broken: Restart | None = None
        self.clock: Callable[[], float] = time.monotonic
        self.map = SegmentMap(())
        self.head: Head | None = None
        self.connections = 0
        self._earlier = 0
        self._redirects: tuple[str, ...] = ()
        self._started, self._answered = time.monotonic(), 0.0

    @property
    def begun(self) -> bool:
        """Whether there are segments, or may come to be."""
        return self._file is not None

    @property
    def received(self) -> int:
        """Bytes that came."""
        return self._earlier + self.map.received

    def allows(self, head: Head, left: int) -> bool:
        """Tell whether others may bring a part of this body of `left` bytes, which can be resumed."""
        if self._most < 2 or self._group is None:  # noqa: PLR2004
            return False
        ranges = (head.headers.get("accept-ranges") or "").lower() != "none"
        return ranges and resume.is_plain(head) and left >= (FROM if self._auto else 2 * LEAST)

    def lead(self, file: storage.PartFile, partial: Partial, head: Head, start: int) -> Stream:
        """Begin with a reply whose body goes on from start to the end; return the sink for it."""
        total = partial.total or 0
        self._begin(file, partial, ((0, start, total),), head)
        self._leading = True
        self._redirects = tuple(self._ask.hops)
        self.connections = 1
        return Stream(self, self.map.first(), file, total, leads=True)

    def go_on(self, file: storage.PartFile, partial: Partial) -> None:
        """Begin with a file of which several places are missing."""
        self._begin(file, partial, partial.spans, None)
        self._grow()

    async def join(self, runtime: Runtime, group: Group | None) -> None:
        """Bring what is left, with others if that pays; raises Restart, and TaskError for what no other can do."""
        self._group = group
        self._leading = False
        await self._work(runtime, leads=True)

    def open_to(self, group: Group | None) -> None:
        """Let others be started."""
        self._group = group

    def bear(self, failure: TaskError) -> None:
        """Take note that the leading stream broke: others go on; raises what no other connection would spare us."""
        if failure.fatal or failure.kind in OURS or not self._sparse:
            raise failure
        self._failure, self._leading = failure, False

    def check_whole(self) -> None:
        """Raise the failure that kept some bytes from coming, if any are missing."""
        if self.map.left:
            missing = TaskError(FailureKind.TRUNCATED, f"{self.map.left:,} bytes did not come", retryable=True)
            raise self._failure or missing

    def reply(self) -> Reply:
        """Return what stands for the replies of all connections; raises the failure if bytes are missing."""
        self.check_whole()
        assert self.head is not None  # noqa: S101 - bytes came, so there was a reply
        timings = Timings(first_byte=self._answered - self._started, total=self.clock() - self._started)
        return Reply(self.head, self.received, timings, self._redirects)

    def note(self) -> None:
        """Note what is here now; raises TaskError."""
        if self._sparse and self._file is not None:
            if self._fsync:
                self._file.sync()
            self._part.remember(replace(self._partial, spans=self.map.snapshot()))

    def came(self, stream: Stream, size: int) -> None:
        """Count bytes of a stream; raises Ended when it has no more to do, and Restart when all is in vain."""
        stop = self.map.advance(stream.span, size, stream.until)
        if self._broken is not None:
            raise self._broken
        if stream.leads and not self._refused:
            self._steer()
        self._note_now_and_then()
        if stop:
            raise Ended

    def _begin(
        self, file: storage.PartFile, partial: Partial, spans: tuple[tuple[int, int, int], ...], head: Head | None
    ) -> None:
        now = self._answered = self.clock()
        self._file, self._partial, self.head = file, partial, head or self.head
        self._earlier += self.map.received
        self.map = SegmentMap(spans)
        self._noted = (now, self.map.here)
        self._pace = Pace(self._most, auto=self._auto, now=now, done=self.map.here)

    def _steer(self) -> None:
        """Open more connections if they pay."""
        if self._group is None or self._pace is None:
            return
        for _ in range(self._pace.more(self.clock(), self.map.here, self.map.left)):
            self._grow()
            self._group.start(self._member)

    def _grow(self) -> None:
        """Make the file as long as it will be; the note goes first, since its size says nothing from then on."""
        if not self._sparse and self._file is not None:
            self._sparse = True
            self.note()
            self._file.reserve(self.map.total)

    async def _member(self, runtime: Runtime) -> None:
        await self._work(runtime, leads=False)

    async def _work(self, runtime: Runtime, *, leads: bool) -> None:
        """Bring one range after another, until none is left that is worth it."""
        counted = False
        while not self._refused and (span := self.map.take()) is not None:
            sources = self._sources
            url = sources[self.connections % len(sources)] if not leads else self._main
            stream = Stream(self, span, None, span.end, leads=leads)
            try:
                await self._bring(runtime, stream, url)
            except Ended:
                pass
            except _NoRanges:
                self._refused = True
            except _OtherFile:
                self._sources = [each for each in self._sources if each != url]  # others may have found out too
            except TaskError as failure:
                if failure.fatal or failure.kind in OURS:
                    raise
                self._failure = failure  # fewer connections, then; the others bring what this one did not
                return
            except Restart as restart:
                self._broken = restart
                raise
            finally:
                stream.close()
                self.map.release(span)
                if stream.sent and not counted:
                    self.connections, counted = self.connections + 1, True

    async def _bring(self, runtime: Runtime, stream: Stream, url: str) -> None:
        span, first, end = stream.span, stream.span.done, stream.until

        def accept(head: Head) -> Stream:
            if span.gone:
                raise Ended
            self._check(head, first, end, url)
            if not self.map.confirm(span):
                raise Ended
            self._proven = True
            self.head = self.head or head
            stream.open(storage.Window(self._part.name, first))
            return stream

        validator = "" if self._is_trusted(url) else self._partial.validator
        await self._ask(runtime, url, resume.conditions(validator, first, end), accept)

    def _check(self, head: Head, first: int, end: int, url: str) -> None:
        """Raise unless a reply brings these very bytes of this very file."""
        if head.status >= 400 and head.status not in (412, 416):  # noqa: PLR2004
            raise http_error(head)
        found = content_range(head.headers) if head.status == 206 else None  # noqa: PLR2004
        size = content_length(head.headers) if head.status == 200 else found.total if found else None  # noqa: PLR2004
        changed = head.status in (412, 416) or size not in (None, self.map.total) or not self._is_same(head, url)
        plain = resume.is_plain(head)
        if found is not None and not changed and plain and (found.first, found.last) == (first, end - 1) and size:
            return
        if url != self._main:
            raise _OtherFile
        if changed or not (self._leading or self._proven):
            raise Restart("segments")
        if self._leading:
            raise _NoRanges
        raise TaskError(FailureKind.PROTOCOL, "the server sent another range than was asked for", retryable=True)

    def _is_same(self, head: Head, url: str) -> bool:
        if url == self._main:
            return resume.agrees(head, self._partial.validator)
        return self._is_trusted(url) or head.headers.get("etag") == self._partial.validator

    def _is_trusted(self, url: str) -> bool:
        """Whether it is a mirror's, whose bytes a checksum will judge."""
        return url != self._main and bool(self._partial.checksums)

    def _note_now_and_then(self) -> None:
        when, here = self._noted
        now = self.clock()
        if not self._sparse or (now - when < NOTE_SECONDS and self.map.here - here < NOTE_BYTES):
            return
        if self._noting.acquire(blocking=False):
            try:
                self._noted = (now, self.map.here)
                self.note()
            finally:
                self._noting.release()


class Stream:
    """The sink of one connection: writes its range in place; the kernel may do so as well."""

    def __init__(
        self, split: Split, span: Span, file: storage.PartFile | storage.Window | None, until: int, *, leads: bool
    ) -> None:
        """until: where the body ends that fills it. leads: whether it may start other connections."""
        self._split, self._file = split, file
        self.span, self.until, self.leads = span, until, leads
        self.sent = file is not None

    def open(self, window: storage.Window) -> None:
        """Write into this window from now on, which close() closes."""
        self._file, self.sent = window, True

    def write(self, block: bytes | bytearray | memoryview, /) -> None:
        """Write a block where it belongs; raises Ended at the end of the range, and TaskError."""
        rest = memoryview(block)
        while rest and self._file is not None:
            now = rest[: self.span.left]
            self._file.write(now)
            rest = rest[len(now) :]
            self._split.came(self, len(now))

    def advance(self, size: int, /) -> None:
        """Count bytes that the kernel wrote; those past the range are the same that another stream brings."""
        if isinstance(self._file, storage.PartFile):
            self._file.advance(size)
        self._split.came(self, size)

    def fileno(self) -> int:
        """Return the descriptor, for moves without copies."""
        return self._file.fileno() if self._file is not None else -1

    def close(self) -> None:
        """Close the window, if it has one of its own."""
        if isinstance(self._file, storage.Window):
            self._file.close()
            self._file = None
