"""The connection that a blocking client uses just now, shared with the thread that may break it off."""

from __future__ import annotations

import socket
from contextlib import suppress

from toolkit.core.errors import FailureKind, TaskError


class Line:
    """The connection in use: what its client, urllib3's objects and another thread that breaks it off must share."""

    def __init__(self) -> None:
        self.target = ""
        self.fresh = False
        self.aborted = False
        self.socket: socket.socket | None = None

    def take(self, taken: socket.socket) -> None:
        """Note the socket that is used from now on."""
        self.socket = taken
        self.check()

    def check(self) -> None:
        """Raise TaskError if the line was broken off."""
        if self.aborted:
            self.cut()
            raise TaskError(FailureKind.CONNECT, "broken off", retryable=True)

    def cut(self) -> None:
        """Break the line off for good, from any thread: its reader wakes with the end of the stream."""
        self.aborted = True
        self.drop()

    def drop(self) -> None:
        """Shut the socket down, so that no further request can use it."""
        taken = self.socket
        if taken is not None:
            with suppress(OSError):
                # The plain method: an SSLSocket's own would pull the TLS state from under the reading thread.
                socket.socket.shutdown(taken, socket.SHUT_RDWR)
