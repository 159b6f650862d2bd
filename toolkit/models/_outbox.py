"""Sending to a worker without ever waiting for it: the loop that watches all workers must not block on one.

A pipe may hold as little as 8 KiB (macOS). What surely fits is sent at once; all else goes out from a thread beside.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

SHARE = 4
"""The part of a pipe's buffer that is counted on: systems charge the room for their own notes to it."""
UNKNOWN_ROOM = 1024
"""Bytes counted on where the size of the buffer cannot be asked for."""


class Outbox:
    """The sending side of a pipe's end; used by one thread."""

    def __init__(self, connection: Any, theirs: Any) -> None:
        self._connection = connection
        self._room = min(_buffer(connection, socket.SO_SNDBUF), _buffer(theirs, socket.SO_RCVBUF)) // SHARE
        self._unread: list[int] = []
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._waiting = 0
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None

    def send(self, message: bytes) -> None:
        """Send a message now or soon; one to a worker that has died is dropped."""
        fits = not self._waiting and sum(self._unread) + len(message) <= self._room
        self._unread.append(len(message))
        if fits:
            with suppress(OSError):  # its sentinel says that it has died
                self._connection.send_bytes(message)
            return
        with self._guard:
            self._waiting += 1
        self._queue.put(message)
        if self._thread is None:
            self._thread = threading.Thread(target=self._send_waiting, name="toolkit-outbox", daemon=True)
            self._thread.start()

    def read(self) -> None:
        """Note that the other side has read the oldest message."""
        self._unread.pop(0)

    def close(self) -> None:
        """End the thread; the other side has died, or is to hear no more."""
        if self._thread is not None:
            self._queue.put(None)
            _shut(self._connection)  # who still holds the other end would keep a started message waiting
            self._thread.join()

    def _send_waiting(self) -> None:
        while (message := self._queue.get()) is not None:
            with suppress(OSError):
                self._connection.send_bytes(message)
            with self._guard:
                self._waiting -= 1


def _buffer(connection: Any, which: int) -> int:
    """Return the bytes of one end's buffer."""
    if sys.platform == "win32":  # a named pipe
        return UNKNOWN_ROOM * SHARE
    with socket.socket(fileno=os.dup(connection.fileno())) as end:
        return end.getsockopt(socket.SOL_SOCKET, which)


def _shut(connection: Any) -> None:
    if sys.platform != "win32":
        with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as end:
            end.shutdown(socket.SHUT_RDWR)
