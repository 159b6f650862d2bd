"""A server that plays scripts, byte for byte: whatever a server can do wrong, it does when told.

A script is a sequence of steps for one connection: bytes are sent, an Event is waited for (so that what follows comes
in a packet of its own, and only when the test says so), and the marks below do as they say. After the last step the
connection is closed. Connections take the scripts in turn; the last script serves all further ones.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Sequence
from enum import Enum, auto
from typing import Self

PATIENCE = 5.0
"""Seconds after which a wait is given up, so that a failing test ends."""


class Do(Enum):
    """What a script can do besides sending."""

    NEXT = auto()
    """Read the next request."""
    RESET = auto()
    """Break the connection off with a reset."""
    HANG = auto()
    """Say nothing until the client goes away."""


Step = bytes | threading.Event | Do
Script = Sequence[Step]


class RawServer:
    """Listens on a port of its own; requests holds each request's head as it came, connections counts them.

    head: the bytes that a request is known by, if not the end of HTTP's.
    """

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None, head: bytes = b"\r\n\r\n") -> None:
        self._end_of_head = head
        self._scripts = scripts or ((),)
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._stopped = False
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.connections = 0
        self.asked = threading.Event()
        """Set when the first request has come."""
        self.left = threading.Event()
        """Set when a client has closed its end of a connection that hangs."""

    @property
    def url(self) -> str:
        """Return the server's address, with a slash at its end."""
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}/"

    def targets(self) -> list[str]:
        """Return what the request lines asked for."""
        return [head.split(b" ")[1].decode("latin-1") for head in self.requests]

    def header(self, name: str, request: int = -1) -> list[str]:
        """Return the values of a field of one request."""
        lines = self.requests[request].decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(": ") for line in lines if line)
        return [value for field, _, value in pairs if field.lower() == name.lower()]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        for each in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _start(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped:
            try:
                taken, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            self._open.append(taken)
            self._start(self._serve, taken, script)

    def _serve(self, taken: socket.socket, script: Script) -> None:
        with contextlib.suppress(OSError):
            if self._tls is not None:
                taken = self._tls.wrap_socket(taken, server_side=True)
                self._open.append(taken)
            with taken:
                self._play(taken, script)

    def _play(self, taken: socket.socket, script: Script) -> None:
        if not self._request(taken):
            return
        for step in script:
            match step:
                case bytes():
                    taken.sendall(step)
                case threading.Event():
                    step.wait(PATIENCE)
                case Do.NEXT:
                    if not self._request(taken):
                        return
                case Do.RESET:
                    taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                case Do.HANG:
                    self._wait_for_end(taken)
        if Do.RESET not in script:
            # A close with bytes unread would be a reset, which is for scripts to say.
            taken.shutdown(socket.SHUT_WR)
            self._wait_for_end(taken)

    def _wait_for_end(self, taken: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while taken.recv(65536):
                pass
        self.left.set()

    def _request(self, taken: socket.socket) -> bool:
        head = b""
        while self._end_of_head not in head:
            if not (block := taken.recv(65536)):
                return False
            head += block
        self.requests.append(head)
        self.asked.set()
        return True


def reply(body: bytes = b"", *fields: str, status: str = "200 OK") -> bytes:
    """Return a whole reply, with its length announced."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body
