"""The six ways in which taking up a download goes wrong, as servers that play them.

An object has two versions, OLD and NEW. A tool fetches from a server that sends the first half and then nothing, is
interrupted, and is started again; what the server does then is the scenario. In two scenarios the server itself breaks
the first transfer off, and in one the first run comes to its end.
"""

from __future__ import annotations

import contextlib
import random
import re
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

HALF = 2_000_000
OLD = random.Random("old").randbytes(2 * HALF)
NEW = random.Random("new").randbytes(2 * HALF)
SHORT = random.Random("short").randbytes(HALF * 3 // 4)
"""A newer version that is shorter than what is here of the old one."""
DATES = {
    OLD: "Wed, 01 Jan 2020 00:00:00 GMT",
    NEW: "Thu, 02 Jan 2020 00:00:00 GMT",
    SHORT: "Fri, 03 Jan 2020 00:00:00 GMT",
}
ETAGS = {OLD: '"old"', NEW: '"new"', SHORT: '"short"'}
NAME = "object.bin"
BLOCK = 65_536
"""Bytes that are sent at a time, and held for a client that does not read them: those count as sent to it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What matters of a request. first: the byte it wants to begin at, or None. last: the one to end with, or None."""

    method: str
    first: int | None
    last: int | None
    condition: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply. cut: bytes of the body after which the connection ends, if not all. hang: whether it stays open then."""

    status: str
    fields: tuple[str, ...]
    body: bytes = b""
    cut: int | None = None
    hang: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that goes wrong.

    title: what the server does. object: the right file at the end. first: its answers before the interrupt, or None if
    there is none. then: those after it.
    """

    name: str
    title: str
    object: bytes
    then: Callable[[Asked], Answer]
    first: Callable[[Asked], Answer] | None


def honest(body: bytes, asked: Asked) -> Answer:
    """Answer as RFC 9110 says: a part if it is wanted and is still of this version, else the whole."""
    unchanged = asked.condition in ("", ETAGS[body], DATES[body])
    if asked.first is None or not unchanged:
        return _whole(body)
    if asked.first >= len(body):
        return _beyond(body)
    last = min(len(body) - 1, asked.last if asked.last is not None else len(body) - 1)
    return _part(body, asked.first, last)


def half(asked: Asked) -> Answer:
    """Answer honestly with the old version, but hang when its first half is sent."""
    answer = honest(OLD, asked)
    return Answer(answer.status, answer.fields, answer.body, max(0, HALF - (asked.first or 0)), hang=True)


def _whole(body: bytes) -> Answer:
    return Answer("200 OK", (*_marks(body), f"Content-Length: {len(body)}"), body)


def _part(body: bytes, first: int, last: int) -> Answer:
    part = body[first : last + 1]
    place = (f"Content-Range: bytes {first}-{last}/{len(body)}", f"Content-Length: {len(part)}")
    return Answer("206 Partial Content", (*_marks(body), *place), part)


def _beyond(body: bytes) -> Answer:
    fields = (f"Content-Range: bytes */{len(body)}", "Content-Length: 0")
    return Answer("416 Range Not Satisfiable", (*_marks(body), *fields))


def _marks(body: bytes) -> tuple[str, ...]:
    return (f"ETag: {ETAGS[body]}", f"Last-Modified: {DATES[body]}", "Accept-Ranges: bytes", "Connection: close")


def _unchanged(asked: Asked) -> Answer:
    return honest(OLD, asked)


def _ignoring_ranges(_: Asked) -> Answer:
    return _whole(OLD)


def _too_short(asked: Asked) -> Answer:
    """Look at the range before the condition, as some servers do."""
    return honest(SHORT, Asked(asked.method, asked.first, asked.last, ""))


def _from_zero(asked: Asked) -> Answer:
    return _whole(OLD) if asked.first is None else _part(OLD, 0, len(OLD) - 1)


def _endless(asked: Asked) -> Answer:
    """Send all bytes without saying how many they are, and break off before saying that these were all."""
    if asked.first is not None:
        return honest(OLD, asked)
    return Answer("200 OK", (*_marks(OLD), "Transfer-Encoding: chunked"), OLD)


def _cut(asked: Asked) -> Answer:
    answer = honest(OLD, asked)
    whole = asked.first is None or asked.first == 0
    return Answer(answer.status, answer.fields, answer.body, len(OLD) * 6 // 10) if whole else answer


SCENARIOS = (
    Scenario("S0", "nothing is wrong", OLD, _unchanged, half),
    Scenario("S1", "the server ignores ranges: 200", OLD, _ignoring_ranges, half),
    Scenario("S2", "the file has changed (`If-Range` is honoured)", NEW, lambda asked: honest(NEW, asked), half),
    Scenario("S3", "the whole file is here already: 416", OLD, _unchanged, _unchanged),
    Scenario("S3b", "all bytes had come when it broke off: 416", OLD, _endless, None),
    Scenario("S4", "more is here than the new file has: 416", SHORT, _too_short, half),
    Scenario("S5", "206, but from byte 0", OLD, _from_zero, half),
    Scenario("S6", "the body broke off at 60 %, well announced", OLD, _cut, None),
)


class Player:
    """A server on a loopback port that gives a scenario's answers. sent: bytes of bodies since it was last set to 0."""

    def __init__(self, scenario: Scenario) -> None:
        self.answer = scenario.first or scenario.then
        self.sent = 0
        self.hung = threading.Event()
        """Set when an answer has begun to hang: all that will come has been sent."""
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    @property
    def url(self) -> str:
        """Return the object's address."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/{NAME}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                taken, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(taken,), daemon=True).start()

    def _serve(self, taken: socket.socket) -> None:
        with contextlib.suppress(OSError), taken:
            head = b""
            while b"\r\n\r\n" not in head:
                if not (block := taken.recv(65536)):
                    return
                head += block
            self._play(taken, read(head.decode("latin-1")))

    def _play(self, taken: socket.socket, asked: Asked) -> None:
        answer = self.answer(asked)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BLOCK)  # else all would be sent to one that hangs up
        taken.sendall("\r\n".join((f"HTTP/1.1 {answer.status}", *answer.fields, "", "")).encode())
        if asked.method == "HEAD":
            return
        body = answer.body if answer.cut is None else answer.body[: answer.cut]
        chunked = "Transfer-Encoding: chunked" in answer.fields
        taken.sendall(b"%x\r\n" % len(body) if chunked else b"")
        for start in range(0, len(body), BLOCK):
            taken.sendall(body[start : start + BLOCK])
            self.sent += len(body[start : start + BLOCK])
        taken.sendall(b"\r\n" if chunked else b"")
        if answer.hang:
            self.hung.set()
            self._wait_for_end(taken)
        taken.shutdown(socket.SHUT_WR)
        self._wait_for_end(taken)

    def _wait_for_end(self, taken: socket.socket) -> None:
        """Wait until the client goes; a close with bytes unread would be a reset."""
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 1, 0))
        while not self._over.is_set():
            try:
                if not taken.recv(65536):
                    return
            except BlockingIOError:
                continue


def read(head: str) -> Asked:
    """Return what matters of a request's head."""
    fields = dict(re.findall(r"^([\w-]+): *(.*?)\r?$", head.lower(), re.MULTILINE))
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", fields.get("range", ""))
    first, last = (int(wanted[1]), int(wanted[2]) if wanted[2] else None) if wanted else (None, None)
    condition = re.search(r"^if-range: *(.*?)\r?$", head, re.MULTILINE | re.IGNORECASE)
    return Asked(head.split(" ", 1)[0], first, last, condition[1] if condition else "")
