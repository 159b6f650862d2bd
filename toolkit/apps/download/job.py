"""The download: one URL to one file, resumed where that is safe, under its final name only when it is whole."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from toolkit import __version__, storage
from toolkit.apps.download import names, resume
from toolkit.apps.download.options import DownloadOptions
from toolkit.core.coding import DecodingSink, decoded
from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.core.follow import follow
from toolkit.core.http import Head, Reply, Request, Sink, http_date
from toolkit.core.job import Memory, Remembered, Runtime
from toolkit.core.lists import Line, Seen, check_sources, count_urls, read_urls
from toolkit.core.task import Failure, Skip, Task, failure_of
from toolkit.core.urls import lane_of, wire_url

SIDECAR_FROM = 1024 * 1024
"""Bytes from which a file is worth resuming; the note of how is written before the first byte comes."""
USER_AGENT = f"toolkit/{__version__}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to fetch. name: in the output folder. etag, modified: of the file that is there, if it may be old."""

    url: str
    name: str
    etag: str | None = None
    modified: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that came. bytes: its size. received: bytes over the wire this time. resumed: bytes kept from before."""

    name: str
    bytes: int
    received: int
    resumed: int
    final_url: str
    etag: str | None
    modified: str | None
    content_type: str | None


@dataclass(frozen=True, slots=True)
class DownloadJob:
    """Fetch one file into a folder. headers go with every request; max_size is in bytes."""

    folder: Path
    headers: tuple[tuple[str, str], ...]
    timeout: float = 30.0
    max_size: int | None = None

    async def __call__(self, task: Task[Wanted], runtime: Runtime) -> Fetched:
        """Fetch, resuming the part that an earlier attempt left, and give the file its name."""
        try:
            return await self._fetch(task.payload, runtime)
        except resume.Restart:
            _Part(self.folder, task.payload.url).discard()
        try:
            return await self._fetch(task.payload, runtime)
        except resume.Restart:
            raise TaskError(
                FailureKind.PROTOCOL, "the server contradicts itself about ranges", retryable=True
            ) from None

    async def _fetch(self, wanted: Wanted, runtime: Runtime) -> Fetched:
        final = storage.inside(self.folder, wanted.name)
        part = _Part(self.folder, wanted.url)
        offset, partial = part.usable()
        request = self._request(wanted, offset, partial)
        transfer = _Transfer(part, offset, partial, wanted, self.max_size)
        try:
            reply = await follow(runtime, request, transfer.accept)
            transfer.finish()
            transfer.close()
            size = part.become(final, reply.head)
        except BaseException:
            transfer.leave()
            raise
        return _fetched(wanted, reply, size, transfer.start)

    def _request(self, wanted: Wanted, offset: int, partial: resume.Partial | None) -> Request:
        request = Request(wire_url(wanted.url), headers=self.headers, read_timeout=self.timeout)
        if partial is not None and offset:
            return request.with_headers(("Range", f"bytes={offset}-"), ("If-Range", partial.validator))
        if wanted.etag:
            return request.with_headers(("If-None-Match", wanted.etag))
        if wanted.modified:
            return request.with_headers(("If-Modified-Since", wanted.modified))
        return request


class _Part:
    """The file beside the final one, and the note of what it is; both belong to one URL."""

    def __init__(self, folder: Path, url: str) -> None:
        name = blake2b(url.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        self.path = folder / f".{name}.part"
        self.note = folder / f".{name}.part.json"
        self._url = url

    def usable(self) -> tuple[int, resume.Partial | None]:
        """Return how many bytes are here and what they are of; (0, None) if they cannot be trusted."""
        partial = resume.recall(self.note, self._url)
        try:
            size = self.path.stat().st_size
        except OSError:
            return 0, None
        if partial is None or size == 0 or (partial.total is not None and size > partial.total):
            return 0, None
        return size, partial

    def discard(self) -> None:
        """Forget what is here."""
        with storage.naming_errors(self.path):
            resume.forget(self.note)
            self.path.unlink(missing_ok=True)

    def become(self, final: Path, head: Head) -> int:
        """Give the part its final name, with the time that the server tells; return its size."""
        with storage.naming_errors(final):
            size = self.path.stat().st_size
            modified = http_date(head.headers.get("last-modified"))
            if modified is not None:
                with suppress(OSError, OverflowError, ValueError):
                    os.utime(self.path, (modified.timestamp(), modified.timestamp()))
            os.replace(self.path, final)
            resume.forget(self.note)
        return size


class _Transfer:
    """One reply on its way into a part."""

    def __init__(
        self, part: _Part, offset: int, partial: resume.Partial | None, wanted: Wanted, max_size: int | None
    ) -> None:
        self._part, self._offset, self._partial, self._wanted = part, offset, partial, wanted
        self._limit = max_size
        self._file: storage.PartFile | None = None
        self._sink: Sink | None = None
        self._total: int | None = None
        self.start = 0

    def accept(self, head: Head) -> Sink | None:
        """Decide where the body goes."""
        conditional = bool(self._wanted.etag or self._wanted.modified)
        body = resume.decide(head, self._offset, self._partial, conditional=conditional)
        self.start, self._total = body.offset, body.total
        self._check_size(body.total)
        if body.complete:
            return None
        self._file = storage.PartFile(self._part.path, body.offset, self._limit)
        if head.status != 206:  # noqa: PLR2004 - else what is noted holds, though a 206 need not repeat it
            self._note(head, body.total)
        coding = ", ".join(head.headers.all("content-encoding"))
        self._sink = decoded(coding, self._file, self._limit)
        if self._sink is not self._file:
            self._total = None  # what was announced is the size on the wire
        return self._sink

    def finish(self) -> None:
        """Check that all came."""
        if self._file is None:
            return
        if isinstance(self._sink, DecodingSink):
            self._sink.end()
        if self._total is not None and self._file.size != self._total:
            raise TaskError(FailureKind.TRUNCATED, f"{self._file.size:,} of {self._total:,} bytes came", retryable=True)

    def close(self) -> None:
        """Close the part file."""
        if self._file is not None:
            self._file.close()

    def leave(self) -> None:
        """Give up: keep a part that can be resumed, and remove one that cannot, while it is still locked."""
        if self._file is not None and not self._part.note.exists():
            with suppress(OSError):
                self._part.path.unlink()
        self.close()

    def _note(self, head: Head, total: int | None) -> None:
        with storage.naming_errors(self._part.note):
            if total is None or total >= SIDECAR_FROM:
                resume.remember(self._part.note, head, self._wanted.url, total)
            else:
                resume.forget(self._part.note)

    def _check_size(self, total: int | None) -> None:
        if self._limit is not None and total is not None and total > self._limit:
            raise TaskError(FailureKind.TOO_LARGE, f"{total:,} bytes, more than --max-size {self._limit:,}")


def _fetched(wanted: Wanted, reply: Reply, size: int, resumed: int) -> Fetched:
    headers = reply.head.headers
    return Fetched(
        name=wanted.name,
        bytes=size,
        received=reply.received,
        resumed=resumed,
        final_url=reply.head.url,
        etag=headers.get("etag"),
        modified=headers.get("last-modified"),
        content_type=headers.get("content-type"),
    )


class DownloadApp:
    """Downloads: sources are URLs, files of URLs, or "-"."""

    name = "download"
    network = True
    usual_model = "threads"
    settings = "1"

    def __init__(
        self, sources: Sequence[str], out: Path, options: DownloadOptions, *, timeout: float | None = None
    ) -> None:
        """Check the options and sources; raises UsageError."""
        if sources:
            check_sources(sources)
        self.out = out
        self._sources = tuple(sources)
        self._options = options
        headers = (
            ("User-Agent", options.user_agent or USER_AGENT),
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
            *(_header(text) for text in options.header),
        )
        self.job = DownloadJob(out, headers, timeout or 30.0, options.max_size)

    @cached_property
    def total(self) -> int | None:
        """How many URLs there are."""
        return count_urls(self._sources)

    @property
    def state(self) -> Path:
        """The store's place."""
        return self.out / ".toolkit.sqlite"

    def prepare(self) -> None:
        """Make the folder; raises UsageError."""
        storage.output_folder(self.out)

    def plan(self, memory: Memory) -> Iterator[Task[Any] | Skip | Failure | None]:
        """Yield a task for each line, named once and for all."""
        seen = Seen()
        index = 0
        for line in read_urls(self._sources):
            if line is None:
                yield None
                continue
            yield self._planned(line, index, seen, memory)
            index += 1

    def recall(self, task: Task[Wanted], known: Remembered) -> Task[Wanted] | Skip:
        """Skip what is here; or ask whether it changed; or fetch it again: as --existing says."""
        value, wanted = known.value, task.payload
        if self._options.existing == "overwrite" or not self._is_here(wanted.name, value.get("bytes")):
            return task
        if self._options.existing == "skip":
            return Skip(task, "already downloaded")
        return replace(task, payload=replace(wanted, etag=value.get("etag"), modified=value.get("modified")))

    def record(self, value: Fetched) -> dict[str, Any]:
        """Return what the store keeps."""
        return asdict(value)

    def dump(self, task: Task[Wanted]) -> dict[str, Any]:
        """Return a payload as JSON values."""
        return {"url": task.payload.url, "name": task.payload.name}

    def load(self, key: str, payload: dict[str, Any], index: int) -> Task[Wanted] | Failure:
        """Return the task that dump described."""
        task = Task(key, Wanted(payload["url"], payload["name"]), index=index)
        try:
            return replace(task, lane=lane_of(wire_url(payload["url"])))
        except TaskError as error:
            return failure_of(task, error)

    def finish(self, memory: Memory) -> None:
        """Nothing is left to write."""

    def _planned(self, line: Line, index: int, seen: Seen, memory: Memory) -> Task[Any] | Skip | Failure:
        try:
            url = wire_url(line.text)
        except TaskError as error:
            task = Task(line.text, Wanted(line.text, ""), index=index)
            return replace(failure_of(task, error), message=f"{line.where}: {error.message}")
        key = line.text.partition("#")[0]
        task = Task(key, Wanted(key, ""), lane_of(url), index=index)
        if not seen.add(url):
            return Skip(replace(task, key=f"{key} ({line.where})"), "the same URL again")  # the key is the first one's
        name = self._name(url, memory)
        task = replace(task, payload=Wanted(key, name))
        if self._options.existing == "skip" and (self.out / name).exists() and not self._is_ours(key, memory):
            return Skip(task, "a file of this name is there already")
        return task

    def _is_ours(self, key: str, memory: Memory) -> bool:
        known = memory.recall(key)
        return known is not None and "bytes" in known.value

    def _name(self, url: str, memory: Memory) -> str:
        """Return the name that this URL has in this folder for ever."""
        name = names.from_url(url)
        for candidate in (name, names.distinct(name, url), names.distinct(name, url, 16)):
            folded = names.folded(candidate)
            owner = memory.claimed(folded)
            if owner is None:
                memory.claim(folded, url)
            if owner in (None, url):
                return candidate
        raise UsageError(f"no free name for {url}")

    def _is_here(self, name: str, size: int | None) -> bool:
        try:
            return (self.out / name).stat().st_size == size
        except OSError:
            return False


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or any(c in text for c in "\r\n\0"):
        raise UsageError(f"--header {text!r}: write 'Name: value'")
    return name.strip(), value.strip()


APP = DownloadApp
