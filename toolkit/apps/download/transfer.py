"""One reply on its way into a file: where its body goes, whether all of it came, and the name that it gets."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any

from toolkit import storage
from toolkit.apps.download import checksums, disposition, names, resume, types
from toolkit.apps.download.checksums import HashingSink, Verifier
from toolkit.apps.download.part import SIDECAR_FROM, Buffer, Part
from toolkit.apps.download.resume import Disagreement, Partial, Restart
from toolkit.apps.download.split import Ask, Split
from toolkit.apps.download.wanted import Fetched, Settings, Wanted
from toolkit.core.coding import DecodingSink, decoded
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Head, Reply, Sink, http_date
from toolkit.core.job import Runtime

SMALL = 256 * 1024
"""Bytes up to which a body waits in memory until all of it is there, and is then written at once."""
READ_AGAIN_FROM = 8 * 1024 * 1024
"""Bytes from which a body is digested once it is there: until then it may move without passing through Python."""
ROOM = 512 * 1024
"""Bytes that a part on a full disk gives back: they are fetched again, and the store needs them now."""
USELESS = frozenset({FailureKind.CONTENT_TYPE, FailureKind.TOO_LARGE})
"""Failures that the rest of the file would not mend."""

NOTHING = Verifier(())


class BadPieces(Exception):  # noqa: N818 - an instruction
    """Some pieces of the file are not the right ones: fetch these ranges again."""

    def __init__(self, ranges: list[tuple[int, int]]) -> None:
        super().__init__(ranges)
        self.ranges = ranges


class Transfer:
    """One attempt at a file."""

    def __init__(
        self,
        part: Part,
        wanted: Wanted,
        settings: Settings,
        ask: Ask,
        *,
        final: str,
        source: str,
        keep: bool = False,
        slots: int = 1,
    ) -> None:
        """Look at what is here of a file.

        final: the path that it will have. source: the URL that is asked. keep: whether what is here must stay unless a
        reply goes on from there. slots: connections that it may have.
        """
        self._part, self._wanted, self._settings, self._ask = part, wanted, settings, ask
        self._final, self._source, self._keep = final, source, keep
        self.offset, self.partial = part.usable(wanted.checksums)
        if self.partial is not None and not _is_from(self.partial, source):
            self.offset, self.partial = 0, None
        self.slots = slots
        self.split = self._split() if slots > 1 or self.segmented else None
        self.start = 0
        self._mending = False
        self._apart = 0
        self._file: storage.PartFile | None = None
        self._buffer: Buffer | None = None
        self._sink: Sink | None = None
        self._total: int | None = None
        self._ends = True
        self._hashed = self._unchanged = False
        self._verifier = NOTHING

    @property
    def segmented(self) -> Partial | None:
        """What is known of a part in which several places are missing, if this is one."""
        return self.partial if self.partial is not None and self.partial.spans else None

    def fields(self) -> tuple[tuple[str, str], ...]:
        """Return the header fields by which the request depends on what is here."""
        partial, wanted = self.partial, self._wanted
        etag, modified = wanted.etag, wanted.modified
        if partial is not None and partial.finished is not None:
            etag, modified = partial.finished.get("etag"), partial.finished.get("modified")
        elif partial is not None and self.offset:
            return resume.conditions(partial.validator, self.offset)
        if etag:
            return (("If-None-Match", etag),)
        return (("If-Modified-Since", modified),) if modified else ()

    def accept(self, head: Head) -> Sink | None:
        """Decide where the body goes."""
        partial, offset = self.partial, self.offset
        if partial is not None and partial.finished is not None:
            if head.status == 304:  # noqa: PLR2004
                self._unchanged = True
                return None
            partial, offset = None, 0
        body = resume.decide(
            head, offset, partial, conditional=partial is None and bool(self._wanted.etag or self._wanted.modified)
        )
        if self._keep and offset and not body.offset:
            raise Disagreement
        self.start, self._total = body.offset, body.total
        self._check_size(body.total)
        coding = "" if self._settings.keep_encoded else ", ".join(head.headers.all("content-encoding"))
        self._prepare(head, coded=bool(coding) and not resume.is_plain(head))
        if body.complete:
            return None
        if body.total is not None and body.total <= SMALL and not (body.offset or coding or self._wanted.pieces):
            self._sink = self._buffer = Buffer(body.total)
        else:
            self._sink = self._into_file(head, body, partial, coding)
        return self._sink

    def go_on(self, partial: Partial) -> None:
        """Open the part for the segments that are missing."""
        self._check_size(partial.total)
        self.start, self._total = partial.here, partial.total
        storage.check_space(self._part.folder, (partial.total or 0) - partial.here)
        self._open(os.path.getsize(self._part.name))
        if self._file is not None and self.split is not None:
            self.split.go_on(self._file, partial)

    async def finish(self, reply: Reply, runtime: Runtime) -> Fetched:
        """Check that all came, and that it is what was wanted; give it its name, if nobody else has to.

        Raises Restart for bytes that are not the right ones, and TaskError.
        """
        if self._unchanged and self.partial is not None and self.partial.finished is not None:
            return self._as_before(self.partial.finished, reply)
        self._check_whole()
        if self.split is not None and self.split.begun and self.split.head is not None:
            self._prepare(self.split.head, coded=False)
        await self._verify(runtime)
        fetched = self._fetched(reply)
        if self._settings.fsync:
            await runtime.call(self._settle, fetched)
        else:
            self._settle(fetched)
        return fetched

    def mend(self, ranges: list[tuple[int, int]], received: int) -> Split:
        """Begin to fetch ranges of a file that is here again; received: bytes that came so far."""
        total = self._size()
        partial = self.partial or Partial(self._wanted.url, "", total)
        spans: list[tuple[int, int, int]] = []
        at = 0
        for start, end in ranges:
            spans += [(at, start, start), (start, start, end)]
            at = end
        spans.append((at, total, total))
        self._mending, self._total, self._hashed = True, total, False
        if self.split is None:
            self.split = self._split()
        self._apart = 0 if self.split.begun else received
        self.split.go_on(self._file or self._open(total), replace(partial, total=total, spans=tuple(spans)))
        return self.split

    def leave(self, error: BaseException) -> None:
        """Give up: keep a part that can be resumed, and remove one that is of no use, while it is still locked.

        On a full disk the part leaves some room, so that it can be noted what was done.
        """
        if self._file is None:
            return
        failure = error if isinstance(error, TaskError) else None
        full = failure.fatal if failure else storage.is_full(self._part.folder, ROOM)  # the store may notice it first
        if full and not (self.split is not None and self.split.begun):
            self._file.give_back(ROOM)
        if self.split is not None:
            with suppress(TaskError):
                self.split.note()
        if failure and failure.kind in USELESS:
            with suppress(TaskError):
                self._part.remember(None)
        if not self._part.noted:
            with suppress(OSError):
                os.unlink(self._part.name)
        self._file.close()

    def _prepare(self, head: Head, *, coded: bool) -> None:
        """Look at what the head says of the file."""
        expected = self._settings.expect_types
        if expected:
            types.check_head(head, expected)
        digests = checksums.wanted(self._wanted.checksums) or checksums.announced(head, coded=coded)
        if digests or self._settings.hash:
            self._verifier = Verifier(digests, self._settings.hash)
        self._ends = coded or self._total is not None or head.headers.get("transfer-encoding") is not None

    def _into_file(self, head: Head, body: resume.Body, partial: Partial | None, coding: str) -> Sink:
        total = body.total
        if total is not None and total - body.offset >= SIDECAR_FROM:
            storage.check_space(self._part.folder, total - body.offset)
        file = self._open(body.offset)
        if head.status != 206:  # noqa: PLR2004 - else what is noted holds, though a 206 need not repeat it
            partial = None
            if total is None or total >= SIDECAR_FROM:
                url, sums = self._wanted.url, self._wanted.checksums
                partial = resume.noted(head, url, total, source=self._source, checksums=sums)
            self._part.remember(partial)
        split = self.split
        if split and partial and total and split.allows(head, total - body.offset):
            return split.lead(file, replace(partial, total=total), head, body.offset)
        sink: Sink = file
        if self._verifier and not body.offset and (coding or total is None or total < READ_AGAIN_FROM):
            sink, self._hashed = HashingSink(file, self._verifier), True
        whole = decoded(coding, sink, self._settings.max_size)
        if isinstance(whole, DecodingSink):
            self._total = None  # what was announced is the size on the wire
            return whole if self._settings.max_size is None else _Wire(whole, self._settings.max_size)
        return sink

    def _open(self, offset: int) -> storage.PartFile:
        expected = self._settings.expect_types
        look = (lambda start: types.check_start(start, expected)) if expected else None
        self._file = storage.PartFile(self._part.name, offset, self._settings.max_size, look)
        return self._file

    def _check_size(self, total: int | None) -> None:
        limit = self._settings.max_size
        if limit is not None and total is not None and total > limit:
            raise TaskError(FailureKind.TOO_LARGE, f"{total:,} bytes, more than --max-size {limit:,}")

    def _check_whole(self) -> None:
        if self.split is not None and self.split.begun:
            self.split.check_whole()
            return
        sink = self._sink.into if isinstance(self._sink, _Wire) else self._sink
        if isinstance(sink, DecodingSink):
            sink.end()
        size = self._size()
        if self._total is not None and size != self._total:
            raise TaskError(FailureKind.TRUNCATED, f"{size:,} of {self._total:,} bytes came", retryable=True)
        told = self._wanted.size
        if told is not None and size < told and not self._ends:  # nobody else knows where it ends
            raise TaskError(FailureKind.TRUNCATED, f"{size:,} bytes came, the list says {told:,}", retryable=True)

    async def _verify(self, runtime: Runtime) -> None:
        if self._settings.expect_types and not self._settings.keep_encoded:
            types.check_start(self._start(), self._settings.expect_types)
        if self._verifier:
            if self._buffer is not None:
                self._verifier.update(self._buffer.body())
            elif not self._hashed:
                with storage.naming_errors(self._part.name):
                    await runtime.call(self._verifier.read, self._part.name)
        problem = self._verifier.mismatch()
        if self._wanted.pieces and (problem or not self._verifier.proves):
            problem = await self._check_pieces(runtime, problem)
        if problem:
            raise Restart("checksum", TaskError(FailureKind.CHECKSUM, problem))

    async def _check_pieces(self, runtime: Runtime, problem: str) -> str:
        """Return what does not agree, or ""; raises BadPieces the first time, so that they are fetched again."""
        pieces = self._wanted.pieces
        assert pieces is not None  # noqa: S101 - the caller has looked
        with storage.naming_errors(self._part.name):
            bad = await runtime.call(checksums.bad_pieces, self._part.name, pieces)
        if bad and not self._mending:
            raise BadPieces(bad)
        return problem or (f"{len(bad)} of {len(pieces[2])} pieces are not the right ones" if bad else "")

    def _start(self) -> bytes:
        if self._buffer is not None:
            return self._buffer.body()[: storage.PartFile.LOOK]
        with storage.naming_errors(self._part.name), open(self._part.name, "rb") as file:
            return file.read(storage.PartFile.LOOK)

    def _settle(self, fetched: Fetched) -> None:
        """Give the file its time and its name; or leave it where it is, for the one who gives it another."""
        value = fetched.modified if self._settings.keep_mtime else None
        modified = _nanoseconds(value) if value else None
        waits = bool(fetched.suggested)
        fsync = self._settings.fsync
        if self._buffer is not None:
            goal = self._part.name if waits else self._final
            storage.write_whole(self._part.name, goal, self._buffer.body(), modified=modified, fsync=fsync)
            self._part.remember(None)
            return
        if self._file is None:  # all of it was here
            self._file = storage.PartFile(self._part.name, fetched.bytes)
        with storage.naming_errors(self._final):
            storage.finish(self._file.fileno(), self._part.name, modified=modified, fsync=fsync)
        if waits:
            self._remember_finished(fetched)
            self._file.close()
            return
        if os.name == "nt":  # Windows renames no open file; elsewhere the lock holds until the name is right
            self._file.close()
        self._part.give_name(self._final)
        self._file.close()
        if fsync:
            storage.sync_folder(os.path.dirname(self._final), self._part.folder)

    def _remember_finished(self, fetched: Fetched) -> None:
        facts = asdict(fetched)
        del facts["timings"]
        self._part.remember(Partial(self._wanted.url, "", fetched.bytes, finished=facts))

    def _as_before(self, facts: dict[str, Any], reply: Reply) -> Fetched:
        """Return what an earlier run fetched and left for its name to be given."""
        try:
            known = Fetched(**facts)
            size, suggested = int(known.bytes), str(known.suggested)
        except (TypeError, ValueError):
            raise Restart from None
        name, timings = self._wanted.name, reply.timings
        fresh = names.safe(suggested)
        return replace(known, name=name, suggested=fresh, received=0, resumed=size, timings=timings, redirects=())

    def _fetched(self, reply: Reply) -> Fetched:
        head, split = reply.head, self.split
        headers = head.headers
        received = self._apart + split.received if split is not None and split.begun else reply.received
        return Fetched(
            name=self._wanted.name,
            bytes=self._size(),
            received=received,
            resumed=self.start,
            final_url=head.url,
            etag=headers.get("etag"),
            modified=headers.get("last-modified"),
            content_type=headers.get("content-type"),
            status=head.status,
            checksum=self._verifier.noted(),
            verified="checksum" if self._verifier.proves or self._wanted.pieces else "length" if self._ends else "",
            suggested=self._suggested(head),
            redirects=reply.redirects,
            timings=reply.timings,
            segments=max(1, split.connections) if split is not None else 1,
            told=self._wanted.size,
        )

    def _size(self) -> int:
        if self._buffer is not None:
            return self._buffer.size
        if self.split is not None and self.split.begun:
            return self.split.map.total
        if self._file is not None:
            return self._file.size
        return self._total or 0

    def _split(self) -> Split:
        wanted, settings = self._wanted, self._settings
        others = tuple(url for url in (wanted.url, *wanted.mirrors) if url != self._source)
        sources = (self._source, *others)
        return Split(
            self._part, self._ask, sources, slots=self.slots, wanted=settings.segments, fsync=settings.fsync
        )  # fmt: skip

    def _suggested(self, head: Head) -> str:
        if self._wanted.fixed or not self._settings.suggest or head.headers.get("content-disposition") is None:
            return ""
        name = disposition.filename(head.headers)
        return name if name is not None and name != self._wanted.name else ""


class _Wire:
    """Counts a coded body as it comes, so that one that decodes to nothing cannot go on for ever."""

    def __init__(self, into: DecodingSink, limit: int) -> None:
        self.into, self._limit, self._size = into, limit, 0

    def write(self, block: bytes | bytearray | memoryview, /) -> None:
        """Pass a block on; raises TaskError too_large."""
        self._size += len(block)
        if self._size > self._limit:
            raise TaskError(FailureKind.TOO_LARGE, f"larger than {self._limit:,} bytes, coded")
        self.into.write(block)


def _is_from(partial: Partial, source: str) -> bool:
    """Tell whether bytes may be put together with those of a URL: a date alone says nothing about other servers."""
    return partial.validator.startswith('"') or bool(partial.checksums) or (partial.source or partial.url) == source


@lru_cache(maxsize=1024)
def _nanoseconds(date: str) -> int | None:
    """Return an HTTP date in nanoseconds since 1970; files of one site often share it."""
    when = http_date(date)
    return None if when is None else int(when.timestamp()) * 1_000_000_000
