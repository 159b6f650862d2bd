"""The connection that a blocking client uses just now, shared with the thread that may break it off."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from toolkit.clients._socks import Socks
from toolkit.clients._strict import StrictResponse
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Timings


class Line:
    """The connection in use: what its client, urllib3's objects and another thread that breaks it off must share.

    target: what the request line asks for. socks, direct, public: by which way the exchange goes, whether straight to
    its host, and whether to public addresses only. fresh: whether a connection was made for it; address: to whom.
    reply: what came over it.
    """

    def __init__(self) -> None:
        self._broken_off = threading.Event()
        self.socket: socket.socket | None = None
        self.begin("")

    def begin(self, target: str, *, direct: bool = True, public: bool = False, socks: Socks | None = None) -> None:
        """Forget the last exchange and get ready for another."""
        self.target, self.direct, self.public, self.socks = target, direct, public, socks
        self.fresh = False
        self.address = ""
        self.reply: StrictResponse | None = None
        self.dns: float | None = None
        self.connect: float | None = None
        self.tls: float | None = None

    @property
    def aborted(self) -> bool:
        """Whether the line was broken off for good."""
        return self._broken_off.is_set()

    def timings(self, first_byte: float, total: float) -> Timings:
        """Return the parts of the exchange; of connecting only what was done for it."""
        return Timings(self.dns, self.connect, self.tls, first_byte, total)

    def take(self, taken: socket.socket) -> None:
        """Note the socket that is used from now on."""
        self.socket = taken
        self.check()

    def check(self) -> None:
        """Raise TaskError if the line was broken off."""
        if self.aborted:
            self.cut()
            raise TaskError(FailureKind.CONNECT, "broken off", retryable=True)

    def pause(self, seconds: float) -> None:
        """Wait, or until the line is broken off, which raises TaskError."""
        self._broken_off.wait(seconds)
        self.check()

    def cut(self) -> None:
        """Break the line off for good, from any thread: its reader wakes with the end of the stream."""
        self._broken_off.set()
        self.drop()

    def drop(self) -> None:
        """Shut the socket down, so that no further request can use it."""
        taken = self.socket
        if taken is not None:
            with suppress(OSError):
                # The plain method: an SSLSocket's own would pull the TLS state from under the reading thread.
                socket.socket.shutdown(taken, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket: one that was broken off may be in no pool that would."""
        if self.socket is not None:
            self.socket.close()
