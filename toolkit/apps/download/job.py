"""The download: one URL to one file, resumed where that is safe, under its final name only when it is whole."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from toolkit import __version__, storage
from toolkit.apps.download import names, resume
from toolkit.apps.download.options import DownloadOptions
from toolkit.apps.download.part import Part, Transfer
from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.core.follow import follow
from toolkit.core.http import Reply, Request
from toolkit.core.job import Memory, Remembered, Runtime
from toolkit.core.lists import Line, Seen, check_sources, count_urls, read_urls
from toolkit.core.task import Failure, Skip, Task, failure_of
from toolkit.core.urls import lane_of, wire_url

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
            Part(self.folder, task.payload.url).discard()
        try:
            return await self._fetch(task.payload, runtime)
        except resume.Restart:
            raise TaskError(
                FailureKind.PROTOCOL, "the server contradicts itself about ranges", retryable=True
            ) from None

    async def _fetch(self, wanted: Wanted, runtime: Runtime) -> Fetched:
        final = storage.inside(self.folder, wanted.name)
        part = Part(self.folder, wanted.url)
        offset, partial = part.usable()
        request = self._request(wanted, offset, partial)
        conditional = bool(wanted.etag or wanted.modified)
        transfer = Transfer(part, offset, partial, conditional=conditional, limit=self.max_size)
        try:
            reply = await follow(runtime, request, transfer.accept)
            size = transfer.become(final, reply.head)
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
            _header(f"User-Agent: {options.user_agent or USER_AGENT}"),
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
            return Skip(replace(task, key=f"{key} ({line.where})"), "duplicate")  # the key is the first one's
        name = self._name(url, memory)
        task = replace(task, payload=Wanted(key, name))
        if self._options.existing == "skip" and os.path.lexists(self.out / name) and not self._is_ours(key, memory):
            return Skip(task, "a file of this name is there already")
        return task

    def _is_ours(self, key: str, memory: Memory) -> bool:
        known = memory.recall(key)
        return known is not None and "bytes" in known.value

    def _name(self, url: str, memory: Memory) -> str:
        """Return the name that this URL has in this folder for ever."""
        name = names.from_url(url)
        for digits in (0, 8, 16):
            candidate = names.distinct(name, url, digits) if digits else name
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
    if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name.strip()):
        raise UsageError(f"--header {name!r}: write 'Name: value'")
    if not re.fullmatch(r"[\t\x20-\x7e]*", value):
        raise UsageError(f"the header field {name!r} can hold plain ASCII letters and signs only")
    return name.strip(), value.strip()


APP = DownloadApp
