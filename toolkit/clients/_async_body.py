"""One reply's body on its way under aiohttp, block by block as it comes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self

import aiohttp

from toolkit.clients import DRAIN_SECONDS, check_received, expected_body, may_drain
from toolkit.clients import _failures as failures
from toolkit.core.errors import TaskError
from toolkit.core.http import BLOCK, DRAIN_LIMIT, Accept, Head, Progress, Request

SMALLEST = 4 * 1024
LONG_PAUSE = 0.5
"""Seconds of pause after a block that are too long for a steady pace: the next block is smaller."""

_BAD_END = (aiohttp.ClientOSError, aiohttp.http.HttpProcessingError)


class AsyncBody:
    """One reply's body on its way."""

    def __init__(self, request: Request, head: Head, response: aiohttp.ClientResponse) -> None:
        self._request = request
        self._head = head
        self._expected = expected_body(request.method, head)
        self._content = response.content
        self._protocol = response.connection.protocol if response.connection else None
        self._closed = self._protocol.closed if self._protocol is not None else None
        self._received = 0
        self._size = BLOCK

    def __enter__(self) -> Self:
        if self._closed is not None:
            self._closed.add_done_callback(self._wake)
        return self

    def __exit__(self, *_: object) -> None:
        if self._closed is not None:
            self._closed.remove_done_callback(self._wake)

    async def move(self, accept: Accept, progress: Progress) -> int:
        """Move the body to the sink that accept wants, and return its size in bytes."""
        try:
            sink = accept(self._head)
        except Exception:
            await self._drain(progress)
            raise
        if sink is None:
            await self._drain(progress)
            return self._received
        while block := await self._block():
            sink.write(block)
            if pause := progress(len(block)):
                await self._wait(pause)
        check_received(self._expected, self._received)
        return self._received

    async def _wait(self, pause: float) -> None:
        await asyncio.sleep(pause)
        if pause > LONG_PAUSE:
            self._size = max(SMALLEST, int(self._size * LONG_PAUSE / pause))

    async def _drain(self, progress: Progress) -> None:
        """Read a short unwanted body, so that the connection can serve the next task; leave a long or slow one."""
        if not may_drain(self._head, self._expected):
            return
        with suppress(TaskError, TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while self._received <= DRAIN_LIMIT and (block := await self._block()):
                    progress(len(block))

    async def _block(self) -> bytes:
        try:
            block = await (self._content.readany() if self._size >= BLOCK else self._content.read(self._size))
        except aiohttp.ServerTimeoutError as error:
            raise failures.no_bytes(self._request) from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken() from error
        self._received += len(block)
        # aiohttp takes a reset for the end of a body that has no announced length, and does not mind more bytes.
        if not block and self._protocol is not None and isinstance(self._protocol.exception(), _BAD_END):
            raise self._broken()
        return block

    def _wake(self, closed: asyncio.Future[None]) -> None:
        """Tell the reader that nothing will come: aiohttp 3.14 leaves it waiting for ever after a broken chunk."""
        closed.exception()  # looked at, or asyncio complains that nobody did
        if not self._content.is_eof() and self._content.exception() is None:
            self._content.set_exception(self._broken())

    def _broken(self) -> TaskError:
        error = self._protocol.exception() if self._protocol is not None else None
        if isinstance(error, aiohttp.http.HttpProcessingError):
            return failures.not_http(first_words(error.message))
        return failures.own_limit(error) or failures.ended_early(self._expected, self._received)


def first_words(message: str) -> str:
    """Return the rule that a parser names, without the bytes and the arrow under them."""
    return message.partition(":")[0].strip()
