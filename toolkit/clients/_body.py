"""One reply's body on its way under a blocking client, block by block as it comes."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from toolkit.clients import DRAIN_SECONDS, check_received, expected_body, may_drain
from toolkit.clients import _failures as failures
from toolkit.clients._failures import chain_of, first
from toolkit.clients._line import Line
from toolkit.clients._strict import NotHTTP, StrictResponse
from toolkit.core.errors import TaskError
from toolkit.core.http import BLOCK, DRAIN_LIMIT, Accept, Head, Progress, Request


class Body:
    """One body; raw is urllib3's response, over a StrictResponse."""

    def __init__(self, request: Request, head: Head, raw: Any, line: Line) -> None:
        self._request = request
        self._head = head
        self._raw = raw
        self._line = line
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
        while block := self._block():
            sink.write(block)
            progress(len(block))
        check_received(self._expected, self._received)
        return self._received

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

    def _block(self) -> bytes:
        try:
            block: bytes = self._raw.read1(BLOCK, decode_content=False) or b""
        except Exception as error:
            raise self._broken(error) from error
        self._received += len(block)
        if not block:
            self._line.check()  # broken off, which looks like the end of a body that has no announced length
        if self._reply.excess:
            self._line.drop()  # it has gone back to the pool already
            raise failures.not_http("more bytes came than were announced")
        return block

    def _broken(self, error: Exception) -> TaskError:
        chain = chain_of(error)
        if bad := first(chain, NotHTTP):
            return failures.not_http(str(bad))
        if first(chain, TimeoutError):
            return failures.no_bytes(self._request)
        return failures.own_limit(chain[-1]) or failures.ended_early(self._expected, self._received)
