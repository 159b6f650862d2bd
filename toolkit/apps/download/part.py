"""A file on its way: the part beside its final name, and the note of what it is."""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path

from toolkit import storage
from toolkit.apps.download import resume
from toolkit.core.errors import FailureKind, TaskError

SIDECAR_FROM = 1024 * 1024
"""Bytes from which a file is worth resuming; the note of how is written before the first byte comes."""


class Part:
    """The file beside the final one, and the note of what it is; both belong to one URL."""

    __slots__ = ("_note", "_path", "folder", "noted", "url")

    def __init__(self, folder: Path | str, url: str) -> None:
        self.folder = os.fspath(folder)
        mark = blake2b(url.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        self._path = f"{self.folder}{os.sep}.{mark}.part"
        self._note = f"{self._path}.json"
        self.url = url
        self.noted = True
        """Whether there may be a note."""

    @property
    def path(self) -> Path:
        """The part file."""
        return Path(self._path)

    @property
    def note(self) -> Path:
        """The note beside it."""
        return Path(self._note)

    @property
    def name(self) -> str:
        """The part file's path, as text."""
        return self._path

    def usable(self, checksums: tuple[str, ...] = ()) -> tuple[int, resume.Partial | None]:
        """Return how many bytes are here and what they are of; (0, None) if they cannot be trusted.

        checksums: those that the file must have now.
        """
        try:
            os.stat(self._note)
        except OSError:
            self.noted = False
            return 0, None
        try:
            size = os.stat(self._path).st_size
        except OSError:
            return 0, None
        partial = resume.recall(self._note, self.url)
        if partial is None or (partial.checksums and partial.checksums != checksums):
            return 0, None
        here, fits = size, partial.total is None or size <= partial.total
        if partial.finished is not None:
            fits = size == partial.total
        elif partial.spans:
            here, fits = partial.here, fits and all(done <= size for start, done, _ in partial.spans if done > start)
        return (here, partial) if here and fits else (0, None)

    def remember(self, partial: resume.Partial | None) -> None:
        """Write the note, or remove it for None; raises TaskError."""
        if partial is None and not self.noted:
            return
        with storage.naming_errors(self._note):
            if partial is not None:
                self.noted = True
                resume.remember(self._note, partial)
            else:
                resume.forget(self._note)
                self.noted = False

    def discard(self) -> None:
        """Forget what is here; raises TaskError, retryable, if another run is writing it."""
        storage.remove_alone(self._path)
        self.noted = True
        self.remember(None)

    def give_name(self, final: str) -> None:
        """Give the file its final name; raises TaskError."""
        with storage.naming_errors(final):
            storage.give_name(self._path, final)
        self.remember(None)


class Buffer:
    """A small body in memory: `most` bytes, all told before."""

    __slots__ = ("_blocks", "_most", "size")

    def __init__(self, most: int) -> None:
        self._blocks: list[bytes] = []
        self._most = most
        self.size = 0

    def write(self, block: bytes | bytearray | memoryview, /) -> None:
        """Keep a block; raises TaskError truncated for more than was announced."""
        self.size += len(block)
        if self.size > self._most:
            raise TaskError(FailureKind.TRUNCATED, f"more than {self._most:,} bytes came", retryable=True)
        self._blocks.append(bytes(block))

    def body(self) -> bytes:
        """Return all of it."""
        return self._blocks[0] if len(self._blocks) == 1 else b"".join(self._blocks)
