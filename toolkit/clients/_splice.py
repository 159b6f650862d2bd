"""A body on its way from a plain connection into a file inside the kernel (Linux): no byte passes through Python.

The connection's own buffers must be empty: only what the kernel still has can be moved.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, cast

from toolkit.core.http import Progress, Sink

PIPE = 1024 * 1024
"""Bytes that the pipe between the two holds: the most that Linux allows everyone."""
LONG_PAUSE = 0.5
"""Seconds of pause after a block that are too long for a steady pace: the next blocks are smaller."""
SMALLEST = 16 * 1024
_BEAT = 0.25
"""Seconds between looks at whether it is to be broken off, while nothing comes."""


class Silence(TimeoutError):  # noqa: N818 - on its way to a TaskError
    """No byte came in time; no time-out of the sink's or of progress."""


class FileSink(Sink, Protocol):
    """A sink that the kernel may fill: bytes go to fileno() at its present offset, then advance(size) counts them."""

    def fileno(self) -> int:
        """Return the file's descriptor."""

    def advance(self, size: int, /) -> object:
        """Count bytes that have been written, and check limits as write does."""


def file_sink(sink: Sink) -> FileSink | None:
    """Return the sink if the kernel can fill it on this system, else None."""
    able = hasattr(os, "splice") and hasattr(sink, "fileno") and hasattr(sink, "advance")
    return cast("FileSink", sink) if able else None


def move(
    source: int, sink: FileSink, size: int, *, timeout: float, progress: Progress, aborted: Callable[[], bool]
) -> int:
    """Move size bytes from a connected socket into the file; return how many, fewer if the connection ended or broke.

    timeout: seconds without a byte, after which Silence is raised; aborted is asked often, and ends the move.
    Raises what the sink and progress raise; what the file system refuses comes from sink.write.
    """
    inlet, outlet = os.pipe()
    try:
        _widen(outlet)
        return _Move(source, sink, inlet, outlet, timeout, progress, aborted).run(size)
    finally:
        os.close(inlet)
        os.close(outlet)


class _Move:
    """One move: its two ends, and the pipe between them."""

    def __init__(
        self,
        source: int,
        sink: FileSink,
        inlet: int,
        outlet: int,
        timeout: float,
        progress: Progress,
        aborted: Callable[[], bool],
    ) -> None:
        self._source, self._sink = source, sink
        self._inlet, self._outlet = inlet, outlet
        self._timeout, self._progress, self._aborted = timeout, progress, aborted
        self._ready = select.poll()
        self._ready.register(source, select.POLLIN)
        self._copies = False

    def run(self, size: int) -> int:
        moved, most = 0, PIPE
        while moved < size and not self._aborted():
            came = self._fill(min(most, size - moved))
            if came == 0:
                break
            moved += came
            self._empty(came)
            pause = self._progress(came)
            if pause > LONG_PAUSE:
                most = max(SMALLEST, int(came * LONG_PAUSE / pause))
            wait_out(pause, self._aborted)
        return moved

    def _fill(self, most: int) -> int:
        """Take what has come from the connection, once something has; 0 at its end."""
        if not self._wait():
            return 0
        try:
            return os.splice(self._source, self._outlet, most, flags=os.SPLICE_F_NONBLOCK | os.SPLICE_F_MOVE)
        except OSError:  # the connection broke
            return 0

    def _wait(self) -> bool:
        """Wait until bytes can be read, as a blocking socket would not in time; False if all is to be broken off."""
        until = time.monotonic() + self._timeout
        while not self._aborted():
            left = until - time.monotonic()
            if self._ready.poll(max(0.0, min(left, _BEAT)) * 1000):
                return True
            if left <= 0:
                raise Silence
        return False

    def _empty(self, size: int) -> None:
        while size and not self._copies:
            try:
                written = os.splice(self._inlet, self._sink.fileno(), size, flags=os.SPLICE_F_MOVE)
            except InterruptedError:
                continue
            except OSError:
                self._copies = True  # a full disk, or a file system that cannot: write tells which
                break
            size -= written
            self._sink.advance(written)
        while size:
            block = os.read(self._inlet, size)
            size -= len(block)
            self._sink.write(block)


def wait_out(seconds: float, aborted: Callable[[], bool]) -> None:
    """Wait for as long as progress asked for, or until all is to be broken off."""
    if seconds <= 0:
        return
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0 and not aborted():
        time.sleep(min(left, _BEAT))


def _widen(pipe: int) -> None:
    with suppress(ImportError, AttributeError, OSError):  # beyond a user's share of memory for pipes it stays small
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE)
