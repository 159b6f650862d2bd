"""What a server says is what a job sees, under every client: heads, bodies, counts, and failures by name."""

from __future__ import annotations

import gzip
import threading
from dataclasses import dataclass

import pytest

from samples.serve import SampleServer
from tests.clients.driver import Driver
from tests.clients.raw import Do, RawServer, Script, reply
from toolkit.clients import ClientKind
from toolkit.core.errors import FailureKind
from toolkit.core.http import BLOCK

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
ZIPPED = gzip.compress(b"plain text" * 100, mtime=0)
FIELDS_90 = b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(90))


@dataclass(frozen=True)
class Good:
    """A reply, and what must be seen of it."""

    name: str
    sent: bytes
    body: bytes = b"hi"
    status: int = 200
    method: str = "GET"
    fields: tuple[tuple[str, str], ...] | None = None
    reason: str = "OK"
    refused_by: str = ""

    def __str__(self) -> str:
        return self.name


GOOD = (
    Good("plain", OK + b"Content-Length: 2\r\n\r\nhi", fields=(("content-length", "2"),)),
    Good(
        "latin-1, padding and order",
        OK + b"X-A:  \xe9\xc3\xa0 \t\r\nSet-Cookie: a\r\nB:\r\nset-COOKIE: b\r\nContent-Length: 2\r\n\r\nhi",
        fields=(("x-a", "\xe9\xc3\xa0"), ("set-cookie", "a"), ("b", ""), ("set-cookie", "b"), ("content-length", "2")),
    ),
    Good("a reason in latin-1", b"HTTP/1.1 404 N\xe9t da\r\nContent-Length: 0\r\n\r\n", b"", 404, reason="N\xe9t da"),
    Good("no reason", b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", reason=""),
    Good("until the end", OK + b"Connection: close\r\n\r\nhi"),
    Good("HTTP/1.0", b"HTTP/1.0 200 OK\r\n\r\nhi"),
    Good("neither length nor close", OK + b"\r\nhi"),
    Good("an empty body", OK + b"Content-Length: 0\r\n\r\n", b""),
    Good("204", b"HTTP/1.1 204 OK\r\n\r\n", b"", 204),
    Good("304 with a length", b"HTTP/1.1 304 OK\r\nContent-Length: 99\r\n\r\n", b"", 304),
    Good("HEAD with a length", OK + b"Content-Length: 99\r\n\r\n", b"", method="HEAD"),
    Good("HEAD with chunks announced", CHUNKED, b"", method="HEAD"),
    Good("100 before", b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nhi"),
    Good("103 before", b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nhi"),
    Good("101, unasked", b"HTTP/1.1 101 OK\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", b"", 101),
    Good("chunks", CHUNKED + b"1\r\nh\r\n01\r\ni\r\n0\r\n\r\n"),
    Good("chunks with extension and trailer", CHUNKED + b"2;a=b\r\nhi\r\n0;c\r\nX-Trailer: x\r\n\r\n"),
    Good("no chunks", CHUNKED + b"0\r\n\r\n", b""),
    Good(
        "chunks after another coding",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        refused_by="curl",  # as it may: nobody asked for the coding
    ),
    Good("gzip, as it came", reply(ZIPPED, "Content-Encoding: gzip"), ZIPPED),
    Good("gzip without a length", OK + b"Content-Encoding: gzip\r\n\r\n" + ZIPPED, ZIPPED),
    Good(
        "gzip cut short in whole chunks",
        CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(ZIPPED) - 9, ZIPPED[:-9]),
        ZIPPED[:-9],
    ),
    Good("gzip cut short without a length", OK + b"Content-Encoding: gzip\r\n\r\n" + ZIPPED[:-30], ZIPPED[:-30]),
    Good("90 fields", OK + FIELDS_90 + b"Content-Length: 2\r\n\r\nhi"),
    Good("a field of 60,000 bytes", OK + b"X: " + b"y" * 60_000 + b"\r\nContent-Length: 2\r\n\r\nhi"),
    Good(
        "a folded field",
        OK + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\nhi",
        fields=(("x", "a b"), ("content-length", "2")),
    ),
    Good("bare line feeds", b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi"),
)


@pytest.mark.parametrize("good", GOOD, ids=str)
def test_reply_is_the_same_whoever_reads_it(kind: ClientKind, client: Driver, good: Good) -> None:
    """Status, reason, fields (order and values) and the body's bytes are those on the wire."""
    with RawServer((good.sent,)) as server:
        if kind.name == good.refused_by:
            assert client.failure(server.url).kind is FailureKind.PROTOCOL
            return
        got = client.get(server.url, method=good.method)
    head = got.reply.head
    assert (head.status, head.reason, got.body, got.reply.received) == (
        good.status,
        good.reason,
        good.body,
        len(good.body),
    )
    assert sum(got.blocks) == len(good.body)
    if good.fields is not None:
        assert tuple(head.headers) == good.fields


@dataclass(frozen=True)
class Bad:
    """What a server does wrong, and the kind of failure that it is. GATE stands for "when the head has been seen"."""

    name: str
    script: Script
    kind: FailureKind

    def __str__(self) -> str:
        return self.name


GATE = threading.Event()
LENGTH_4 = OK + b"Content-Length: 4\r\n\r\n"
BAD = (
    Bad("nothing at all", (), FailureKind.CONNECT),
    Bad("a reset at once", (Do.RESET,), FailureKind.CONNECT),
    Bad("a reset in the head", (b"HTTP/1.1 200 OK\r\nA: b", Do.RESET), FailureKind.CONNECT),
    Bad("a status line cut", (b"HTTP/1.1 20",), FailureKind.CONNECT),
    Bad("a head cut between lines", (OK + b"A: b\r\n",), FailureKind.CONNECT),
    Bad("a head cut in a line", (OK + b"Content-Length: 4",), FailureKind.CONNECT),
    Bad("another protocol", (b"SSH-2.0-OpenSSH_9.6\r\n\r\n",), FailureKind.PROTOCOL),
    Bad("no head", (b"<html>hello</html>\n\n",), FailureKind.PROTOCOL),
    Bad("a status that is no number", (b"HTTP/1.1 two OK\r\n\r\n",), FailureKind.PROTOCOL),
    Bad("a line without a colon", (OK + b"rubbish\r\nContent-Length: 2\r\n\r\nhi",), FailureKind.PROTOCOL),
    Bad("a space before the colon", (OK + b"A : b\r\nContent-Length: 2\r\n\r\nhi",), FailureKind.PROTOCOL),
    Bad("a field without a name", (OK + b": b\r\nContent-Length: 2\r\n\r\nhi",), FailureKind.PROTOCOL),
    Bad("120 fields", (OK + FIELDS_90 + b"A: b\r\n" * 30 + b"Content-Length: 0\r\n\r\n",), FailureKind.PROTOCOL),
    Bad("a field of a megabyte", (OK + b"X: " + b"y" * 1_000_000 + b"\r\n\r\n",), FailureKind.PROTOCOL),
    Bad("two lengths", (OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi",), FailureKind.PROTOCOL),
    Bad("two lengths in one field", (OK + b"Content-Length: 2, 3\r\n\r\nhi",), FailureKind.PROTOCOL),
    Bad("a length that is no number", (OK + b"Content-Length: 2 bytes\r\n\r\nhi",), FailureKind.PROTOCOL),
    Bad("a length of 5,000 digits", (OK + b"Content-Length: %s\r\n\r\nhi" % (b"9" * 5000),), FailureKind.PROTOCOL),
    Bad("a length beyond 64 bits", (OK + b"Content-Length: %s\r\n\r\nhi" % (b"9" * 20),), FailureKind.PROTOCOL),
    Bad("a negative length", (OK + b"Content-Length: -2\r\n\r\nhi",), FailureKind.PROTOCOL),
    Bad("more than announced", (LENGTH_4 + b"four and more",), FailureKind.PROTOCOL),
    Bad("more than announced, later", (LENGTH_4, GATE, b"four and more"), FailureKind.PROTOCOL),
    Bad("a body where none may be", (b"HTTP/1.1 204 No Content\r\n\r\nhi",), FailureKind.PROTOCOL),
    Bad("less than announced", (LENGTH_4 + b"hi",), FailureKind.TRUNCATED),
    Bad("less than announced, later", (LENGTH_4, GATE, b"hi"), FailureKind.TRUNCATED),
    Bad("nothing of what is announced", (LENGTH_4,), FailureKind.TRUNCATED),
    Bad("a reset in the body", (LENGTH_4, GATE, b"hi", Do.RESET), FailureKind.TRUNCATED),
    Bad("a reset among chunks", (CHUNKED, GATE, b"2\r\nhi\r\n", Do.RESET), FailureKind.TRUNCATED),
    Bad("a reset of a body without length", (OK + b"\r\n", GATE, b"hi", Do.RESET), FailureKind.TRUNCATED),
    Bad("a reset with the head", (OK + b"\r\nhi", Do.RESET), FailureKind.TRUNCATED),
    Bad("no chunk", (CHUNKED,), FailureKind.TRUNCATED),
    Bad("cut in a chunk's size", (CHUNKED + b"2\r\nhi\r\n1",), FailureKind.TRUNCATED),
    Bad("cut in a chunk", (CHUNKED + b"5\r\nhi",), FailureKind.TRUNCATED),
    Bad("cut behind a chunk's bytes", (CHUNKED + b"2\r\nhi",), FailureKind.TRUNCATED),
    Bad("cut behind a chunk", (CHUNKED + b"2\r\nhi\r\n",), FailureKind.TRUNCATED),
    Bad("cut before the last line", (CHUNKED + b"2\r\nhi\r\n0\r\n",), FailureKind.TRUNCATED),
    Bad("cut in the trailer", (CHUNKED + b"2\r\nhi\r\n0\r\nA: b",), FailureKind.TRUNCATED),
    Bad("rubbish for a chunk", (CHUNKED + b"<html>hello</html>",), FailureKind.PROTOCOL),
    Bad("rubbish for a later chunk", (CHUNKED, GATE, b"2\r\nhi\r\nzz\r\n\r\n"), FailureKind.PROTOCOL),
    Bad("a negative chunk", (CHUNKED + b"-2\r\nhi\r\n0\r\n\r\n",), FailureKind.PROTOCOL),
    Bad("a chunk longer than it says", (CHUNKED + b"2\r\nhello\r\n0\r\n\r\n",), FailureKind.PROTOCOL),
    Bad("a later chunk longer than it says", (CHUNKED, GATE, b"2\r\nhello\r\n0\r\n\r\n"), FailureKind.PROTOCOL),
)


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_misbehaviour_has_the_same_name_whoever_meets_it(client: Driver, bad: Bad) -> None:
    """Every broken reply fails with its kind, may be tried again, and is told in one line without a URL."""
    gate = threading.Event()
    script = tuple(gate if step is GATE else step for step in bad.script)
    with RawServer(script) as server:
        failure = client.failure(server.url, head=lambda _: gate.set())
        asked = len(server.requests)
    assert (failure.kind, failure.retryable) == (bad.kind, True)
    assert_human(failure.message, server)
    assert asked == 1, "a new connection that breaks must not be asked again in secret"


def assert_human(message: str, server: RawServer) -> None:
    """Hold a message to being one short line, with neither URL nor objects in it."""
    assert message == " ".join(message.split())
    assert len(message) < 120
    for ugly in ("http://", str(server.port), "127.0.0.1", "0x", "Error", "<", "("):
        assert ugly not in message


@pytest.mark.parametrize("script", [(Do.HANG,), (b"HTTP/1.1 200", Do.HANG), (LENGTH_4 + b"hi", Do.HANG)])
def test_silence_is_a_timeout(client: Driver, script: Script) -> None:
    """A server that stops talking, before, in or after the head, is given up after read_timeout."""
    with RawServer(script) as server:
        failure = client.failure(server.url, read_timeout=0.2)
    assert (failure.kind, failure.retryable) == (FailureKind.TIMEOUT, True)
    assert failure.message == "no byte came for 0.2 s"


def test_blocks_arrive_as_they_come_when_a_body_drips(client: Driver) -> None:
    """A block is handed on at once, not when a buffer is full: each byte here is sent when the last was counted."""
    gates = [threading.Event() for _ in range(3)]
    counted: list[int] = []

    def progress(size: int) -> None:
        gates[len(counted)].set()
        counted.append(size)

    for head, frame in ((OK + b"Content-Length: 3\r\n\r\n", b"%s"), (CHUNKED, b"1\r\n%s\r\n")):
        counted.clear()
        end = b"0\r\n\r\n" if head is CHUNKED else b""
        script = (head + frame % b"a", gates[0], frame % b"b", gates[1], frame % b"c" + end)
        with RawServer(script) as server:
            assert _count(client, server.url, progress) == 3
        assert counted == [1, 1, 1]
        for gate in gates:
            gate.clear()


def _count(client: Driver, url: str, progress: object) -> int:
    from toolkit.core.http import MemorySink, Request

    return client.fetch(Request(url, read_timeout=2), lambda _: MemorySink(9), progress).received  # type: ignore[arg-type]


def test_large_body_is_whole_and_moved_in_blocks(client: Driver) -> None:
    """Megabytes come through unchanged, announced or chunked, in no more memory than a few blocks at a time."""
    body = bytes(range(256)) * 20_000
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:1], body[1:70_001], body[70_001:]))
    for sent in (reply(body), CHUNKED + chunks + b"0\r\n\r\n"):
        with RawServer((sent,)) as server:
            got = client.get(server.url)
        assert got.body == body
        assert max(got.blocks) <= 4 * BLOCK


def test_sample_site_reads_the_same(client: Driver, server: SampleServer) -> None:
    """A real server's ordinary faults have their names, and its files their bytes."""
    page = server.url + "item/cat-poster.html"
    whole = client.get(page)
    assert whole.reply.head.headers.get("content-type") == "text/html; charset=utf-8"
    assert whole.body == client.get(page + "?chunked=1").body == gzip.decompress(client.get(page + "?gzip=1").body)
    assert client.get(page + "?status=503").reply.head.status == 503
    for fault, kind in (("cut=0.5", "truncated"), ("cut=0.5&chunked=1", "truncated"), ("drop=1", "connect")):
        assert client.failure(f"{page}?{fault}").kind == kind
    assert client.failure(page + "?drip=1", read_timeout=0.2).kind is FailureKind.TIMEOUT
