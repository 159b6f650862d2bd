"""A server on which every path has an answer of its own, byte for byte, and which counts what came to it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Self

PATIENCE = 20.0
"""Seconds after which a connection that is kept waiting is given up, so that a failing test ends."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes to send, and what becomes of the connection then: kept, closed, reset, or left to hang."""

    sent: bytes
    then: Literal["keep", "close", "reset", "hang"] = "keep"


Answer = Raw | bytes | Callable[[int], "Raw | bytes"]
"""A reply, or the body of a page; or what gives one for each time that it is asked for, from 1."""


def reply(body: bytes = b"", *fields: str, status: str = "200 OK", kind: str = "text/html") -> Raw:
    """Return a whole reply, with its length and type."""
    own = (f"Content-Type: {kind}",) if kind else ()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *own, *fields, "", ""]
    return Raw("\r\n".join(lines).encode("utf-8") + body)


def moved(to: str, status: str = "302 Found") -> Raw:
    """Return a redirect."""
    return reply(b"", f"Location: {to}", status=status)


class Stage:
    """Listens on a port of its own, at one address or (host "::") at all of this machine.

    asked: how often each path was asked for; heads: all requests, in order. connections: how many there were. gate:
    answers wait while it is cleared.
    """

    def __init__(self, answers: Mapping[str, Answer] | None = None, host: str = "127.0.0.1") -> None:
        self.answers = dict(answers or {})
        self.asked: Counter[str] = Counter()
        self.heads: list[bytes] = []
        self.connections = 0
        self.gate = threading.Event()
        self.gate.set()
        self._changed = threading.Condition()
        both = host == "::" and socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if both else socket.AF_INET
        self._listener = socket.create_server(
            (host if both or host != "::" else "", 0), family=family, backlog=200, dualstack_ipv6=both
        )
        self.port: int = self._listener.getsockname()[1]
        self._host = host
        self._open: set[socket.socket] = set()
        self._stopped = False

    def url(self, path: str = "/", host: str = "") -> str:
        """Return the address of a path."""
        return f"http://{host or self._host}:{self.port}{path}"

    def wait_for(self, requests: int, over: Callable[[], bool]) -> bool:
        """Wait until so many requests have come in all, or until over() says so; tell whether they came."""
        with self._changed:
            while len(self.heads) < requests:
                if over():
                    return False
                self._changed.wait(0.05)  # over() is another process's end, which tells nobody
        return True

    def forget(self) -> None:
        """Begin to count anew."""
        with self._changed:
            self.asked.clear()
            self.heads.clear()
            self.connections = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self.gate.set()
        for each in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while not self._stopped:
            try:
                taken, _ = self._listener.accept()
            except OSError:
                return
            with self._changed:
                self.connections += 1
            self._open.add(taken)
            threading.Thread(target=self._serve, args=(taken,), daemon=True).start()

    def _serve(self, taken: socket.socket) -> None:
        taken.settimeout(PATIENCE)
        with contextlib.suppress(OSError), taken:
            taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            rest = b""
            while True:
                while b"\r\n\r\n" not in rest:
                    if not (block := taken.recv(65536)):
                        return
                    rest += block
                head, _, rest = rest.partition(b"\r\n\r\n")
                if not self._answer(taken, head):
                    return
        self._open.discard(taken)

    def _answer(self, taken: socket.socket, head: bytes) -> bool:
        path = head.split(b" ")[1].decode("latin-1")
        with self._changed:
            self.asked[path] += 1
            self.heads.append(head)
            turn = self.asked[path]
            self._changed.notify_all()
        self.gate.wait(PATIENCE)
        answer = self.answers.get(path, NOTHING)
        if callable(answer):
            answer = answer(turn)
        if isinstance(answer, bytes):
            answer = reply(answer)
        taken.sendall(answer.sent)
        if answer.then == "reset":
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif answer.then == "hang":
            while taken.recv(65536):
                pass
        elif answer.then == "close":
            taken.shutdown(socket.SHUT_WR)
            while taken.recv(65536):  # a close with bytes unread would be a reset
                pass
        return answer.then == "keep"


NOTHING = reply(b"gone", status="404 Not Found", kind="text/plain")
