"""A real SOCKS 5 proxy, tiny: with or without a password, and with an answer of its own if one is given."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self

PATIENCE = 5.0


class SocksProxy:
    """Connects one client after another to where it asks; asked holds the hosts and ports, in the form they came in.

    user: the pair "name:password" that is wanted. refuse: a status to refuse with; script: bytes to answer instead of
    any of it.
    """

    def __init__(self, user: bytes = b"", *, refuse: int = 0, script: bytes | None = None) -> None:
        self._user, self._refuse, self._script = user, refuse, script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]
        self.asked: list[str] = []
        self.users: list[bytes] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _start(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._start(self._serve, self._listener.accept()[0])

    def _serve(self, near: socket.socket) -> None:
        with near, near.makefile("rb") as stream, contextlib.suppress(OSError, IndexError):
            if self._script is not None:
                near.sendall(self._script)
                near.shutdown(socket.SHUT_WR)
                stream.read()
                return
            methods = stream.read(stream.read(2)[1])
            wanted = 2 if self._user else 0
            near.sendall(bytes([5, wanted if wanted in methods else 255]))
            if wanted not in methods:
                return
            if wanted:
                name = stream.read(stream.read(2)[1])
                pair = name + b":" + stream.read(stream.read(1)[0])
                self.users.append(pair)
                near.sendall(bytes([1, pair != self._user]))
                if pair != self._user:
                    return
            self._connect(near, stream.read(4)[3], stream)

    def _connect(self, near: socket.socket, kind: int, stream: object) -> None:
        read = stream.read  # type: ignore[attr-defined]
        raw = read({1: 4, 4: 16}.get(kind) or read(1)[0])
        family = {1: socket.AF_INET, 4: socket.AF_INET6}.get(kind)
        host = socket.inet_ntop(family, raw) if family else raw.decode()
        port = int.from_bytes(read(2), "big")
        self.asked.append(f"{'address' if family else 'name'} {host}:{port}")
        if self._refuse:
            near.sendall(bytes([5, self._refuse, 0, 1]) + bytes(6))
            return
        with socket.create_connection((host, port)) as far:
            near.sendall(b"\x05\x00\x00\x03\x05local\x00\x01")
            self._start(self._pump, near, far)
            self._pump(far, near)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(65536):
                sink.sendall(block)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
