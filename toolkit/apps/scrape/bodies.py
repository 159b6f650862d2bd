"""Bodies: what we ask for, and a sink that keeps a page in memory, decoded as it arrives, within a limit."""

from __future__ import annotations

from toolkit.core.coding import ACCEPTED, DecodingSink, decoded
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Headers, MemorySink

ACCEPT_ENCODING = ("Accept-Encoding", ACCEPTED)
WRAPPING = 1024
"""Bytes that a coding may add to a page that does not compress."""


class BodySink:
    """Keeps a body in memory, decoded; neither the page nor what comes over the wire may grow past limit bytes."""

    def __init__(self, headers: Headers, limit: int) -> None:
        """Raise TaskError unsupported for a coding that we cannot undo."""
        self.limit = limit
        self._page = MemorySink(limit)
        self._sink = decoded(", ".join(headers.all("content-encoding")), self._page, limit)
        self._wire = 0

    def write(self, block: bytes | bytearray | memoryview, /) -> None:
        """Decode the next block; raises TaskError too_large or coding."""
        self._wire += len(block)
        if self._wire > self.limit + WRAPPING:
            raise TaskError(FailureKind.TOO_LARGE, f"the body is larger than {self.limit:,} bytes")
        self._sink.write(block)

    def body(self) -> bytes:
        """Return the whole body; raises TaskError truncated, retryable, if its coding was cut short."""
        if self._wire and isinstance(self._sink, DecodingSink):
            self._sink.end()
        return self._page.body()

    def so_far(self) -> bytes:
        """Return what has come of the body, up to the limit."""
        return self._page.body()
