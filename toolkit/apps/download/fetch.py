"""The download of one file: resumed where that is safe, under its final name only when it is whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from toolkit import storage
from toolkit.apps.download import resume
from toolkit.apps.download.part import Part, Transfer
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.follow import follow
from toolkit.core.http import Reply, Request, Timings
from toolkit.core.job import Runtime
from toolkit.core.network import Network
from toolkit.core.task import Task
from toolkit.core.urls import wire_url


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to fetch.

    name: its path below the output folder, with slashes. fixed: whether it is the user's own choice, so that no server
    may suggest another. etag, modified: of the file that is there, if it may be old. mirrors: other URLs of the same
    file. checksums: as "sha256:" and hexadecimal digits, any of which may be given. pieces: the algorithm, the size in
    bytes and the digests of pieces, or None. size: in bytes, if that is known. headers: for this file only. columns:
    what else its line says, for the manifest.
    """

    url: str
    name: str
    fixed: bool = False
    etag: str | None = None
    modified: str | None = None
    mirrors: tuple[str, ...] = ()
    checksums: tuple[str, ...] = ()
    pieces: tuple[str, int, tuple[str, ...]] | None = None
    size: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    columns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that came.

    bytes: its size. received: bytes over the wire this time. resumed: bytes kept from before. verified: how we know
    that it is whole: "checksum", "length" or "" (the server said nothing, and closed the connection). suggested: the
    name that the server gave it, made safe, if it still waits for it in its part file: then `name` is not there yet.
    redirects: URLs left behind. segments: connections that brought it.
    """

    name: str
    bytes: int
    received: int
    resumed: int
    final_url: str
    etag: str | None
    modified: str | None
    content_type: str | None
    status: int = 200
    checksum: str | None = None
    verified: str = "length"
    suggested: str = ""
    redirects: tuple[str, ...] = ()
    timings: Timings = Timings()  # noqa: RUF009 - frozen
    segments: int = 1


@dataclass(frozen=True, slots=True)
class Settings:
    """How files are fetched and kept.

    max_size: bytes, on the wire and decoded. keep_encoded: a body that comes in a content coding is kept as it came.
    segments: connections for one file at most; 0 for as many as help, 1 for never more than one. hash: an algorithm by
    which every file is recorded, or "". expect_types: what files must be, such as "pdf" or "image/*"; any will do.
    fsync: every file is on the disk before it is told to be. keep_mtime: files get the server's time. suggest: the
    server may name a file whose name is not fixed.
    """

    max_size: int | None = None
    keep_encoded: bool = False
    segments: int = 0
    hash: str = ""
    expect_types: tuple[str, ...] = ()
    fsync: bool = False
    keep_mtime: bool = True
    suggest: bool = True


@dataclass(frozen=True, slots=True)
class DownloadJob:
    """Fetch one file into a folder. headers go with every request."""

    folder: Path
    headers: tuple[tuple[str, str], ...]
    network: Network = Network()  # noqa: RUF009 - frozen
    settings: Settings = Settings()  # noqa: RUF009 - frozen

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
        transfer = Transfer(part, offset, partial, conditional=conditional, limit=self.settings.max_size)
        try:
            reply = await follow(runtime, request, transfer.accept)
            size = transfer.become(final, reply.head)
        except BaseException:
            transfer.leave()
            raise
        return _fetched(wanted, reply, size, transfer.start)

    def _request(self, wanted: Wanted, offset: int, partial: resume.Partial | None) -> Request:
        request = self.network.request(wire_url(wanted.url), self.headers + wanted.headers)
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
        status=reply.head.status,
        redirects=reply.redirects,
        timings=reply.timings,
    )
