"""A file on its way: the part beside its final name, the note of how to resume it, and the reply that fills it."""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from toolkit import storage
from toolkit.apps.download import resume
from toolkit.core.coding import DecodingSink, decoded
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Head, Sink, http_date

SIDECAR_FROM = 1024 * 1024
"""Bytes from which a file is worth resuming; the note of how is written before the first byte comes."""


class Part:
    """The file beside the final one, and the note of what it is; both belong to one URL."""

    def __init__(self, folder: Path, url: str) -> None:
        name = blake2b(url.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        self.path = folder / f".{name}.part"
        self.note = folder / f".{name}.part.json"
        self.url = url

    def usable(self) -> tuple[int, resume.Partial | None]:
        """Return how many bytes are here and what they are of; (0, None) if they cannot be trusted."""
        partial = resume.recall(self.note, self.url)
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


class Transfer:
    """One reply on its way into a part."""

    def __init__(
        self, part: Part, offset: int, partial: resume.Partial | None, *, conditional: bool, limit: int | None
    ) -> None:
        """offset: bytes of partial that are here. conditional: whether a 304 was asked for. limit: bytes, or None."""
        self._part, self._offset, self._partial, self._conditional = part, offset, partial, conditional
        self._limit = limit
        self._file: storage.PartFile | None = None
        self._sink: Sink | None = None
        self._total: int | None = None
        self.start = 0

    def accept(self, head: Head) -> Sink | None:
        """Decide where the body goes."""
        body = resume.decide(head, self._offset, self._partial, conditional=self._conditional)
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

    def become(self, final: Path, head: Head) -> int:
        """Check that all came, and give the part its final name and the server's time; return its size in bytes."""
        self._check_whole()
        if os.name == "nt":  # Windows renames no open file; elsewhere the lock holds until the name is right
            self.close()
        path = self._part.path
        with storage.naming_errors(final):
            size = path.stat().st_size
            modified = http_date(head.headers.get("last-modified"))
            if modified is not None:
                with suppress(OSError, OverflowError, ValueError):
                    os.utime(path, (modified.timestamp(), modified.timestamp()))
            os.replace(path, final)
            resume.forget(self._part.note)
        self.close()
        return size

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

    def _check_whole(self) -> None:
        if self._file is None:
            return
        if isinstance(self._sink, DecodingSink):
            self._sink.end()
        if self._total is not None and self._file.size != self._total:
            raise TaskError(FailureKind.TRUNCATED, f"{self._file.size:,} of {self._total:,} bytes came", retryable=True)

    def _note(self, head: Head, total: int | None) -> None:
        with storage.naming_errors(self._part.note):
            if total is None or total >= SIDECAR_FROM:
                resume.remember(self._part.note, head, self._part.url, total)
            else:
                resume.forget(self._part.note)

    def _check_size(self, total: int | None) -> None:
        if self._limit is not None and total is not None and total > self._limit:
            raise TaskError(FailureKind.TOO_LARGE, f"{total:,} bytes, more than --max-size {self._limit:,}")
