"""Patience: what the watching thread sees of an exchange, and when it breaks off; by a clock of the test's."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from toolkit.clients._curl_exchange import Exchange, read_head
from toolkit.clients._curl_sockets import STOP, Sockets
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Head, MemorySink, Request, Sink

URL = "http://127.0.0.1/"
HEAD = (b"HTTP/1.1 200 OK\r\n", b"Content-Length: 1000\r\n", b"\r\n")
HERE = ("127.0.0.1", "127.0.0.1", 80, 50_000)


class Watching:
    """An exchange, the sockets below it, and a connection."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.near = socket.create_connection(listener.getsockname())
            self.far, _ = listener.accept()
        self.sockets = Sockets()
        self.exchange = Exchange(self.sockets)
        self.begin(lambda _: MemorySink(99_999))

    def begin(self, accept: Callable[[Head], Sink | None], progress: Callable[[int], float] = lambda _: 0.0) -> None:
        """Begin an exchange that has been asked for, over this connection."""
        self.exchange.begin(Request(URL, read_timeout=5), accept, progress, proxied=False)
        self.exchange.asking(*HERE)
        self.sockets.active = self.near

    def gone(self, *looks: float) -> bool:
        """Look at these times, and tell whether the connection was broken off."""
        for now in looks:
            self.exchange.look(now)
        return self.sockets.barred

    def head(self) -> int | None:
        """Let a head come; return the answer to its last line."""
        return [self.exchange.line(line) for line in HEAD][-1]

    def close(self) -> None:
        """Close both ends."""
        self.near.close()
        self.far.close()


@pytest.fixture
def watching() -> Iterator[Watching]:
    """Return an exchange of which nothing has come yet."""
    made = Watching()
    yield made
    made.close()


def test_silence_is_broken_off(watching: Watching) -> None:
    """After read_timeout from the first look, and not before; the connection is shut."""
    assert not watching.gone(100, 104.9)
    assert watching.gone(105)
    assert watching.exchange.verdict is not None
    assert watching.exchange.verdict.kind is FailureKind.TIMEOUT
    assert watching.far.recv(1) == b""


def test_every_byte_counts(watching: Watching) -> None:
    """A line of the head, a block of the body, and what libcurl cannot hand on yet."""
    assert not watching.gone(100)
    watching.exchange.line(HEAD[0])
    assert not watching.gone(104)
    watching.exchange.line(HEAD[1])
    watching.exchange.line(HEAD[2])
    assert not watching.gone(108)
    watching.exchange.block(b"x")
    assert not watching.gone(112)
    watching.far.sendall(b"half a record")
    watching.near.settimeout(5)
    assert watching.near.recv(1, socket.MSG_PEEK) == b"h"
    assert not watching.gone(118)
    assert watching.gone(123.1)


def test_our_own_time_is_no_silence(watching: Watching) -> None:
    """While a block is with the sink or progress wants a pause, the other side has nothing to prove."""
    seen = []

    def progress(_: int) -> float:
        seen.append(watching.gone(100, 110, 120))
        return 0.0

    watching.begin(lambda _: MemorySink(99_999), progress)
    watching.head()
    watching.exchange.block(b"x")
    assert seen == [False]
    assert not watching.gone(124)
    assert watching.gone(129.1)


def test_end_is_the_end(watching: Watching) -> None:
    """What is over is not looked at; the next exchange begins anew, though nothing has come of it either."""
    assert not watching.gone(100)
    watching.exchange.end()
    assert not watching.gone(110)
    watching.begin(lambda _: None)
    assert not watching.gone(110.1, 115)


def test_unwanted_body_has_a_second(watching: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then its connection goes, and no failure is made of it."""
    monkeypatch.setattr("toolkit.clients._curl_exchange.time.monotonic", lambda: 100.0)
    watching.begin(lambda _: None)
    assert watching.head() is None
    assert not watching.gone(100.1, 100.9)
    assert watching.gone(101.1)
    assert watching.exchange.verdict is None
    assert watching.exchange.unwanted


def test_nothing_new_is_connected_after_an_end(watching: Watching) -> None:
    """A request would be sent again by libcurl on another connection, in secret."""
    watching.gone(100, 106)
    with socket.socket() as other:
        assert watching.sockets.opened(other.detach(), 0) == STOP
    assert watching.exchange.asking(*HERE) == STOP
    for number in list(watching.sockets._open):
        watching.sockets.closed(number)


@pytest.mark.parametrize(
    "lines",
    [
        [b"HTTP/1.1 2000 OK\r\n", b"\r\n"],
        [b"ICY 200 OK\r\n", b"\r\n"],
        [b"HTTP/1.1 200 OK\r\n", b"A\r\n", b"\r\n"],
        [b"HTTP/1.1 200 OK\r\n", b": b\r\n", b"\r\n"],
        [b"HTTP/1.1 200 OK\r\n", b"A : b\r\n", b"\r\n"],
        [b"HTTP/1.1 200 OK\r\n", b"A: b\0c\r\n", b"\r\n"],
        [b"HTTP/1.1 200 OK\r\n", b"A: %s\r\n" % (b"b" * 70_000), b"\r\n"],
        [b"HTTP/1.1 200 OK\r\n", *[b"A: b\r\n"] * 101, b"\r\n"],
    ],
)
def test_head_is_read_strictly(lines: list[bytes]) -> None:
    """Whatever libcurl lets pass."""
    with pytest.raises(TaskError) as caught:
        read_head(URL, lines)
    assert caught.value.kind is FailureKind.PROTOCOL


def test_head_of_http2_has_no_reason() -> None:
    """And that is no mistake."""
    head = read_head(URL, [b"HTTP/2 204 \r\n", b"a: b\r\n", b"\r\n"])
    assert (head.status, head.reason, list(head.headers)) == (204, "", [("a", "b")])
