"""Hearing from another process on an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self


class Inbox:
    """The receiving side of a pipe; hear gets each message in the loop's thread, and an empty one at the end."""

    def __init__(self, connection: Connection, hear: Callable[[bytes], None]) -> None:
        self._connection, self._hear = connection, hear
        self._loop = asyncio.get_running_loop()
        self._in_loop = True

    def __enter__(self) -> Self:
        try:
            self._loop.add_reader(self._connection.fileno(), self._read)
        except NotImplementedError:  # the loop of Windows watches no pipes
            self._in_loop = False
            threading.Thread(target=self._read_on, name="toolkit-inbox", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._in_loop:
            self._loop.remove_reader(self._connection.fileno())

    def _read(self) -> bool:
        """Read one message: if there are more, the loop says so again."""
        try:
            message = self._connection.recv_bytes()
        except (EOFError, OSError):  # the other side has gone
            message = b""
        if self._in_loop:
            self._hear(message)
        else:
            with suppress(RuntimeError):  # the loop is closed: nobody hears any more
                self._loop.call_soon_threadsafe(self._hear, message)
        return bool(message)

    def _read_on(self) -> None:
        while self._read():
            pass
