"""What is wanted, how it is to be fetched, and what came."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.core.http import Timings


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to fetch.

    name: its path below the output folder, with slashes. fixed: whether it is the user's own choice, so that no server
    may suggest another. etag, modified: of the file that is there, if it may be old. mirrors: other URLs of the same
    file. checksums: as "sha256:" and hexadecimal digits, any of which may be given. pieces: the algorithm, the size in
    bytes and the digests of pieces, or None. size: in bytes, if that is known. headers: for this file only. columns:
    what else its line says, for the manifest. bad: of a line that cannot be used, the kind and message of its failure.
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
    bad: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that came.

    bytes: its size. received: bytes over the wire this time. resumed: bytes kept from before. verified: how we know
    that it is whole: "checksum", "length" or "" (the server said nothing, and closed the connection). suggested: the
    name that the server gave it, made safe, if it still waits for it in its part file: then `name` is not there yet.
    redirects: URLs left behind. segments: connections that brought it. told: the size that the list says it has.
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
    told: int | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of it: a list may be older than its files, and say other sizes."""
        return () if self.told in (None, self.bytes) else ("a file has another size than the list says",)


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
