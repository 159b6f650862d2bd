"""One reply's body on its way under a blocking client, block by block as it comes, or past Python where that goes."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from toolkit.clients import DRAIN_SECONDS, check_received, expected_body, may_drain
from toolkit.clients import _failures as failures
from toolkit.clients._failures import chain_of, first
from toolkit.clients._line import Line
from toolkit.clients._splice import FileSink, Silence, file_sink, move
from toolkit.clients._strict import NotHTTP, StrictResponse
from toolkit.core.errors import TaskError
from toolkit.core.http import DRAIN_LIMIT, Accept, Head, Progress, Request, Sink

SPLICED = 1024 * 1024
"""Bytes from which a body goes into its file inside the kernel, where it can."""
SMALLEST = 4 * 1024
LONG_PAUSE = 0.5
"""Seconds of pause after a block that are too long for a steady pace: the next block is smaller."""


class Body:
    """One body; raw is urllib3's response, over a StrictResponse; space is what blocks are read into, BLOCK bytes."""

    def __init__(self, request: Request, head: Head, raw: Any, line: Line, space: memoryview) -> None:
        self._request = request
        self._head = head
        self._raw = raw
        self._line = line
        self._space = space
        self._reply: StrictResponse = raw._original_response  # noqa: SLF001
        self._expected = expected_body(request.method, head)
        self._received = 0

    def move(self, accept: Accept, progress: Progress) -> int:
        """Move the body to the sink that accept wants, and return its size in bytes."""
        try:
            sink = accept(self._head)
        except Exception:
            self._drain(progress)
            raise
        if sink is None:
            self._drain(progress)
            return self._received
        file = file_sink(sink) if self._expected and self._reply.plain else None
        if file is not None and (self._expected or 0) >= SPLICED:
            self._splice(file, progress)
        self._copy(sink, progress)
        check_received(self._expected, self._received)
        return self._received

    def _copy(self, sink: Sink, progress: Progress) -> None:
        while block := self._block():
            sink.write(block)
            if pause := progress(len(block)):
                self._wait(pause)

    def _splice(self, file: FileSink, progress: Progress) -> None:
        """Move all but the body's end to the file, if nothing breaks."""
        expected = self._expected or 0
        if block := self._reply.buffered(expected):
            self._received += len(block)
            file.write(block)
            if pause := progress(len(block)):
                self._wait(pause)
        # The last byte comes by the usual way, which ends replies and connections as they must end.
        left = expected - self._received - 1
        if left < SMALLEST:
            return

        def counted(size: int) -> float:
            self._received += size
            self._reply.passed(size)
            return progress(size)

        try:
            move(
                self._reply.fileno(),
                file,
                left,
                timeout=self._request.read_timeout,
                progress=counted,
                aborted=lambda: self._line.aborted,
            )
        except Silence as error:
            raise failures.no_bytes(self._request) from error
        except OSError as error:
            raise failures.own_limit(error) or error from None

    def _wait(self, pause: float) -> None:
        self._line.pause(pause)
        if pause > LONG_PAUSE:
            self._space = self._space[: max(SMALLEST, int(len(self._space) * LONG_PAUSE / pause))]

    def _drain(self, progress: Progress) -> None:
        """Read a short unwanted body, so that the connection can serve the next task; leave a long or slow one."""
        if not may_drain(self._head, self._expected):
            return
        until = time.monotonic() + DRAIN_SECONDS
        with suppress(TaskError, OSError):
            if self._line.socket is not None:
                self._line.socket.settimeout(min(DRAIN_SECONDS, self._request.read_timeout))
            while self._received <= DRAIN_LIMIT and time.monotonic() < until and (block := self._block()):
                progress(len(block))

    def _block(self) -> bytes | memoryview:
        """Return what came, or nothing at the body's end: then the connection may serve the next task."""
        try:
            block = self._read()
        except Exception as error:
            raise self._broken(error) from error
        self._received += len(block)
        if not block and self._expected is None:
            self._line.check()  # broken off, which looks like the end of a body that has no announced length
        if self._reply.excess:
            self._line.drop()  # it may have gone back to the pool already
            raise failures.not_http("more bytes came than were announced")
        if self._reply.isclosed():
            self._raw.release_conn()
        return block

    def _read(self) -> bytes | memoryview:
        if self._reply.chunked:
            block: bytes = self._raw.read1(len(self._space), decode_content=False) or b""
            return block
        return self._space[: self._reply.fill(self._space)]

    def _broken(self, error: Exception) -> TaskError:
        chain = chain_of(error)
        if bad := first(chain, NotHTTP):
            return failures.not_http(str(bad))
        if first(chain, TimeoutError):
            return failures.no_bytes(self._request)
        return failures.own_limit(chain[-1]) or failures.ended_early(self._expected, self._received)
