"""The connections that libcurl holds open: known by their sockets, so that they can be broken off from elsewhere."""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import suppress

from toolkit.core.addresses import is_public

if sys.platform == "linux":
    import fcntl

_BYTES_RECEIVED = slice(128, 136)
"""Where struct tcp_info has tcpi_bytes_received (linux/tcp.h, since 4.1): all that came, whether read or not."""
_ESTABLISHED = 1
_FIONREAD = 0x541B
GO_ON, STOP = 0, 1
"""What libcurl wants to hear of its callbacks."""


class Sockets:
    """All sockets of one handle. Used in its thread, except for cut and drop."""

    def __init__(self) -> None:
        self._open: dict[int, socket.socket] = {}
        self._known: dict[tuple[str, int, int], socket.socket] = {}
        self._lent: socket.socket | None = None
        self._lock = threading.RLock()  # a signal may break off what its own thread is just closing
        self.aborted = False
        self.barred = False
        """Whether new connections are refused."""
        self.refused = ""
        """The address that was refused last, of those that are not public."""
        self.fresh = False
        """Whether a connection was opened since this was last set."""
        self.active: socket.socket | None = None
        """The one on which the present request went out."""

    def public_only(self, _: int, address: tuple[int, int, int, tuple[str, int]]) -> socket.socket | int:
        """Give libcurl a socket for an address (OPENSOCKETFUNCTION), or -1 if it is not public."""
        family, kind, protocol, place = address
        if not is_public(place[0]):
            self.refused = place[0]
            return -1
        try:
            self._lent = socket.socket(family, kind, protocol)
        except OSError:
            return -1
        return self._lent  # libcurl gets a descriptor of its own

    def opened(self, number: int, _: int) -> int:
        """Note a socket that is about to be connected (SOCKOPTFUNCTION)."""
        if self._lent is not None:
            self._lent.close()
            self._lent = None
        self.fresh = True
        with self._lock:
            self._open[number] = socket.socket(fileno=number)
        return STOP if self.aborted or self.barred else GO_ON

    def closed(self, number: int) -> int:
        """Close a socket (CLOSESOCKETFUNCTION)."""
        with self._lock:
            gone = self._open.pop(number, None)
            if gone is None:
                return GO_ON
            self._known = {place: each for place, each in self._known.items() if each is not gone}
            if gone is self.active:
                self.active = None
            gone.close()
        return GO_ON

    def use(self, remote: str, remote_port: int, local_port: int) -> None:
        """Find the socket on which the request goes out."""
        place = (remote, remote_port, local_port)
        found = self._known.get(place)
        if found is None and (found := self._find(place)) is not None:
            self._known[place] = found
        self.active = found

    def is_active(self, number: int) -> bool:
        """Tell whether this is the socket of the present request."""
        return self.active is not None and self._open.get(number) is self.active

    def cut(self) -> None:
        """Break all off for good, from any thread."""
        with self._lock:
            self.aborted = True
            for each in self._open.values():
                _shut(each)

    def drop(self) -> None:
        """Shut the present connection down, from any thread; none is opened in its place until barred is unset."""
        with self._lock:
            self.barred = True
            for each in [self.active] if self.active else self._open.values():
                _shut(each)

    def _find(self, place: tuple[str, int, int]) -> socket.socket | None:
        fits = None
        for each in self._open.values():
            with suppress(OSError):
                if each.getsockname()[1] == place[2]:
                    fits = each
                    if each.getpeername()[:2] == place[:2]:
                        return each
        return fits


def came(source: socket.socket) -> int | None:
    """Return the bytes that the other side has sent on a TCP connection so far, read or not; None if unknown."""
    if sys.platform != "linux":
        return None
    try:
        info = source.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_RECEIVED.stop)
    except OSError:
        return None
    if len(info) < _BYTES_RECEIVED.stop:
        return None
    # The end of the stream counts as a byte, if it has come.
    return int.from_bytes(info[_BYTES_RECEIVED], sys.byteorder) - (info[0] != _ESTABLISHED)


def unread(source: socket.socket) -> int:
    """Return how many bytes wait in a socket; 0 if that cannot be told."""
    if sys.platform != "linux":
        return 0
    try:
        return int.from_bytes(fcntl.ioctl(source, _FIONREAD, bytes(4)), sys.byteorder)
    except OSError:
        return 0


def taken(source: socket.socket) -> int | None:
    """Return how many bytes were read from a TCP connection by whoever holds it; None if that cannot be told."""
    before = came(source)
    waiting = unread(source) if before is not None else 0
    # Bytes that came between the two looks would be counted in one only.
    return before - waiting if before is not None and came(source) == before else None


def _shut(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
