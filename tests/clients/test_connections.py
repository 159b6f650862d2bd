"""Connections are used again when that is safe, and only then; none is left open; none cannot be broken off."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
import time

import pytest

from tests.clients.driver import Driver, ignore
from tests.clients.raw import PATIENCE, Do, RawServer, reply
from toolkit.clients import ClientKind
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import DRAIN_LIMIT, Head, MemorySink, Request
from toolkit.core.runtime import AsyncClient, Cancelled

OK = b"HTTP/1.1 200 OK\r\n"
SHORT = reply(b"x" * 1000)
LONG = reply(b"x" * (2 * DRAIN_LIMIT))
CHUNKS = OK + b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n" + b"x" * 1000 + b"\r\n0\r\n\r\n"
HALF = OK + b"Content-Length: 1000\r\n\r\nx"


class Full:
    """A sink on a full disk."""

    def write(self, _: object) -> None:
        """Take nothing."""
        raise OSError(28, "No space left on device")


def test_connection_is_used_again(client: Driver) -> None:
    """Ten replies with a length, chunks or no body come over one connection."""
    replies = [SHORT, CHUNKS, reply(), b"HTTP/1.1 304 Not Modified\r\n\r\n", SHORT] * 2
    with RawServer([step for each in replies for step in (each, Do.NEXT)]) as server:
        for _ in replies:
            client.get(server.url)
        assert (len(server.requests), server.connections) == (10, 1)


@pytest.mark.parametrize("sent", [b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", reply(b"hi", "Connection: close")])
def test_connection_is_not_used_again_when_the_server_says_so(client: Driver, sent: bytes) -> None:
    """Connection: close, and HTTP/1.0, end the connection with the reply."""
    with RawServer((sent, Do.NEXT, sent)) as server:
        assert [client.get(server.url).body for _ in range(2)] == [b"hi", b"hi"]
        assert server.connections == 2


def test_request_is_sent_again_when_a_kept_connection_was_closed(client: Driver) -> None:
    """A server may close an idle connection at any time: that costs no attempt (RFC 9112, 9.3.1)."""
    gate = threading.Event()
    with RawServer((SHORT, gate), (SHORT,)) as server:
        client.get(server.url)
        gate.set()
        assert len(client.get(server.url).body) == 1000
        assert server.connections == 2


@pytest.mark.parametrize("unwanted", [SHORT, CHUNKS], ids=["length", "chunks"])
def test_short_unwanted_body_is_read_so_that_the_connection_serves_on(client: Driver, unwanted: bytes) -> None:
    """An accept answering None, or raising, leaves a connection that the next request can use."""
    with RawServer((unwanted, Do.NEXT, unwanted, Do.NEXT, SHORT)) as server:
        assert client.fetch(Request(server.url), lambda _: None).received == 1000
        with pytest.raises(KeyError, match="mine"):
            client.fetch(Request(server.url), _refuse)
        client.get(server.url)
        assert server.connections == 1


@pytest.mark.parametrize("unwanted", [LONG, HALF, OK + b"\r\nx"], ids=["long", "slow", "endless"])
def test_long_or_slow_unwanted_body_ends_its_connection(client: Driver, unwanted: bytes) -> None:
    """What would take long to read is not read: the connection goes, in about a second at most."""
    with RawServer((unwanted, Do.HANG), (SHORT,)) as server:
        started = time.monotonic()
        assert client.fetch(Request(server.url), lambda _: None).received < 1000
        assert time.monotonic() - started < 2
        assert server.left.wait(PATIENCE)
        client.get(server.url)
        assert server.connections == 2


def _refuse(_: Head) -> None:
    raise KeyError("mine")


@pytest.mark.parametrize("error", [KeyError("mine"), Cancelled(), OSError(28, "full"), TimeoutError("mine")])
def test_what_the_job_raises_comes_through_and_the_connection_goes(client: Driver, error: BaseException) -> None:
    """An exception of progress is not taken for the network's, and a half-read connection serves nobody else."""

    def progress(_: int) -> float:
        raise error

    with RawServer((HALF, Do.HANG), (SHORT,)) as server:
        with pytest.raises(type(error)) as caught:
            client.fetch(Request(server.url), lambda _: MemorySink(9999), progress)
        assert caught.value is error
        assert server.left.wait(PATIENCE)
        assert len(client.get(server.url).body) == 1000


def test_full_disk_is_not_the_networks_fault(client: Driver) -> None:
    """An OSError of the sink stays an OSError."""
    with RawServer((SHORT,)) as server, pytest.raises(OSError, match="No space"):
        client.fetch(Request(server.url), lambda _: Full())


def test_failed_body_ends_its_connection(client: Driver) -> None:
    """After a timeout in a body the rest of it must not become the next reply."""
    with RawServer((HALF, Do.HANG), (SHORT,)) as server:
        assert client.failure(server.url, read_timeout=0.1).kind is FailureKind.TIMEOUT
        assert len(client.get(server.url).body) == 1000
        assert server.connections == 2


def test_connection_out_of_step_serves_nobody(client: Driver) -> None:
    """After bytes that belong to no reply the next request takes another connection."""
    with RawServer((SHORT + b"more", Do.NEXT, reply(b"wrong")), (SHORT,)) as server:
        client.failure(server.url)
        assert len(client.get(server.url).body) == 1000
        assert server.connections == 2


def test_refused_connection_and_unknown_name_are_told_apart(client: Driver) -> None:
    """Nobody listening may change, a name that is not registered will not."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    refused = client.failure(f"http://127.0.0.1:{port}/")
    assert (refused.kind, refused.retryable, refused.message) == (FailureKind.CONNECT, True, "connection refused")
    unknown = client.failure("http://nobody.invalid/")
    assert unknown.kind is FailureKind.DNS
    assert unknown.message.startswith("the host name does not resolve")


def test_connecting_takes_no_longer_than_allowed(client: Driver) -> None:
    """A host that does not answer at all is given up after connect_timeout."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        waiting = [_knock(deaf) for _ in range(2)]  # fills the queue of those who wait to be accepted
        failure = client.failure(f"http://127.0.0.1:{deaf.getsockname()[1]}/", connect_timeout=0.2)
        for each in waiting:
            each.close()
    assert (failure.kind, failure.message) == (FailureKind.TIMEOUT, "no connection within 0.2 s")


def _knock(deaf: socket.socket) -> socket.socket:
    knocking = socket.socket()
    knocking.setblocking(False)
    knocking.connect_ex(deaf.getsockname())
    return knocking


def test_everything_is_closed_when_the_client_is(kind: ClientKind) -> None:
    """After close() the process has the files open that it had before, idle and half-read connections included."""
    before = _open_files()
    with RawServer((SHORT, Do.HANG)) as idle, RawServer((HALF, Do.HANG)) as half:
        with Driver(kind) as client:
            client.get(idle.url)
            client.failure(half.url, read_timeout=0.1)
        assert idle.left.wait(PATIENCE)
        assert half.left.wait(PATIENCE)
    assert _open_files() == before


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


BODIES = {"head": (), "length": (HALF,), "chunks": (CHUNKS[:-9],), "until the end": (OK + b"\r\nx",)}


@pytest.mark.parametrize("sent", BODIES.values(), ids=BODIES)
def test_abort_wakes_the_reader(kind: ClientKind, sent: tuple[bytes, ...]) -> None:
    """A fetch that hangs ends at once with a failure when another thread aborts; so does every later one."""
    if kind.works == "async":
        pytest.skip("an async client is cancelled instead")
    with RawServer((*sent, Do.HANG)) as server, Driver(kind) as client:

        def abort(_: int = 0) -> None:
            assert server.asked.wait(PATIENCE)
            client.client.abort()

        def abort_elsewhere(_: int = 0) -> float:
            threading.Thread(target=abort).start()
            return 0.0

        if not sent:
            abort_elsewhere()
        started = time.monotonic()
        with pytest.raises(TaskError):
            client.fetch(Request(server.url), lambda _: MemorySink(9999), abort_elsewhere)
        with pytest.raises(TaskError, match="broken off"):
            client.fetch(Request(server.url), lambda _: MemorySink(9999))
        assert time.monotonic() - started < 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere it is given up after connect_timeout")
def test_abort_ends_connecting(kind: ClientKind) -> None:
    """A host that does not answer at all is not waited for."""
    if kind.works == "async":
        pytest.skip("an async client is cancelled instead")
    over = threading.Event()
    with socket.socket() as deaf, Driver(kind) as client:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        waiting = [_knock(deaf) for _ in range(2)]

        def abort() -> None:
            while not over.wait(0.05):
                client.client.abort()

        aborting = threading.Thread(target=abort)
        aborting.start()
        failure = client.failure(f"http://127.0.0.1:{deaf.getsockname()[1]}/", connect_timeout=30.0)
        over.set()
        aborting.join()
        for each in waiting:
            each.close()
    assert (failure.kind, failure.message) == (FailureKind.CONNECT, "broken off")


@pytest.mark.parametrize("sent", BODIES.values(), ids=BODIES)
def test_cancelling_passes_through_and_ends_the_connection(kind: ClientKind, sent: tuple[bytes, ...]) -> None:
    """A cancelled fetch raises CancelledError, and nobody gets its half-read connection; the client serves on."""
    if kind.works == "blocking":
        pytest.skip("a blocking client is aborted instead")

    async def scenario(client: AsyncClient) -> int:
        fetch = asyncio.ensure_future(client.fetch(Request(server.url), lambda _: MemorySink(9999), ignore))
        await asyncio.to_thread(server.asked.wait, PATIENCE)
        fetch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetch
        return (await client.fetch(Request(server.url), lambda _: MemorySink(9999), ignore)).received

    with RawServer((*sent, Do.HANG), (SHORT,)) as server, Driver(kind) as client:
        assert client.run(scenario) == 1000
        assert server.left.wait(PATIENCE)
        assert server.connections == 2


def test_many_fetches_at_once_do_not_mix(kind: ClientKind) -> None:
    """Tasks of one loop that share an async client get each their own body."""
    if kind.works == "blocking":
        pytest.skip("one thread at a time")

    async def one(client: AsyncClient, url: str) -> bytes:
        sink = MemorySink(9999)
        await client.fetch(Request(url), lambda _: sink, ignore)
        return sink.body()

    async def all_of_them(client: AsyncClient) -> list[bytes]:
        return await asyncio.gather(*(one(client, server.url) for server in servers for _ in range(5)))

    servers = [RawServer((reply(b"%d" % n),)) for n in range(4)]
    with servers[0], servers[1], servers[2], servers[3], Driver(kind) as client:
        assert client.run(all_of_them) == [b"%d" % n for n in range(4) for _ in range(5)]


def test_a_client_that_is_retired_keeps_no_connection(kind: ClientKind) -> None:
    """What waits is closed though something else is under way, which comes to its end and is closed then."""
    if kind.works == "blocking":
        pytest.skip("a blocking client is closed instead, for it does one thing at a time")
    gate = threading.Event()

    async def scenario(client: AsyncClient) -> None:
        await client.fetch(Request(idle.url), lambda _: MemorySink(9999), ignore)
        fetch = asyncio.ensure_future(client.fetch(Request(busy.url), lambda _: MemorySink(9999), ignore))
        assert await asyncio.to_thread(busy.asked.wait, PATIENCE)
        client.retire()
        assert await asyncio.to_thread(idle.left.wait, PATIENCE)
        assert not fetch.done()
        gate.set()
        assert (await fetch).received == 1000
        assert await asyncio.to_thread(busy.left.wait, PATIENCE)

    with RawServer((SHORT, Do.HANG)) as idle, RawServer((HALF, gate, b"x" * 999, Do.HANG)) as busy, Driver(kind) as own:
        own.run(scenario)
