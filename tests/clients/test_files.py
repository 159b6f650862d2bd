"""Large plain bodies that go straight into their file: whatever way the client moves them, nothing else may change."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Self

import pytest

from tests.clients.driver import Driver, ignore
from tests.clients.raw import PATIENCE, Do, RawServer, Script, reply
from toolkit.clients import ClientKind
from toolkit.clients._body import SPLICED
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Progress, Request

BODY = random.Random(3).randbytes(5 * SPLICED + 777)
HEAD = f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
SIZES = (1, 9_000, SPLICED - 1, SPLICED, SPLICED + 1, SPLICED + 9_000, 2 * SPLICED + 5, len(BODY))


class FileSink:
    """A sink that the kernel may fill; counts what it was told of."""

    def __init__(self, path: Path, limit: int = 1 << 40) -> None:
        self._file = path.open("wb", buffering=0)
        self._limit = limit
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, block: bytes | bytearray | memoryview) -> None:
        """Write, and count it."""
        self._file.write(block)
        self.advance(len(block))

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._file.fileno()

    def advance(self, size: int) -> None:
        """Count, up to the limit."""
        self.size += size
        if self.size > self._limit:
            raise TaskError(FailureKind.TOO_LARGE, "too large")


class Fetched:
    """What became of a fetch into a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counted = 0
        self.failure: BaseException | None = None

    def by(self, client: Driver, url: str, progress: Progress = ignore, *, limit: int = 1 << 40) -> Self:
        """Fetch it, and keep what is raised."""

        def count(size: int) -> float:
            self.counted += size
            return progress(size)

        with FileSink(self.path, limit) as sink:
            try:
                reply_ = client.fetch(Request(url, read_timeout=PATIENCE), lambda _: sink, count)
            except Exception as error:
                self.failure = error
            else:
                assert reply_.received == self.counted
            assert sink.size == self.counted or limit < len(BODY)
        return self

    @property
    def kind(self) -> FailureKind | None:
        """Return the failure's kind."""
        return self.failure.kind if isinstance(self.failure, TaskError) else None

    def holds(self, body: bytes) -> bool:
        """Tell whether exactly these bytes are there."""
        return self.path.read_bytes() == body


def test_bodies_of_every_size_arrive(client: Driver, tmp_path: Path) -> None:
    """All on one connection, which must be in step after each."""
    bodies = [BODY[:size] for size in SIZES]
    with RawServer([step for body in bodies for step in (reply(body), Do.NEXT)]) as server:
        for body in bodies:
            got = Fetched(tmp_path / "file").by(client, server.url)
            assert got.failure is None
            assert (got.counted, got.holds(body)) == (len(body), True)
        if client.name != "curl":  # which ends a connection that it did not read to the end itself
            assert server.connections == 1


@pytest.mark.parametrize("first", [0, 1, 100, 8192, 70_000, SPLICED, len(BODY) - 1])
def test_bodies_arrive_at_any_pace(client: Driver, tmp_path: Path, first: int) -> None:
    """The rest comes when the first bytes have been counted; so it does for a head that comes alone."""
    gate = threading.Event()
    counted: list[int] = []

    def progress(size: int) -> float:
        counted.append(size)
        if sum(counted) >= first:
            gate.set()
        return 0.0

    if not first:
        gate.set()
    with RawServer((HEAD + BODY[:first], gate, BODY[first:])) as server:
        got = Fetched(tmp_path / "file").by(client, server.url, progress)
    assert (got.failure, got.holds(BODY)) == (None, True)


CUT = 2 * SPLICED + 99
ENDS: dict[str, tuple[Script, FailureKind]] = {
    "cut": ((HEAD + BODY[:CUT],), FailureKind.TRUNCATED),
    "cut before the last byte": ((HEAD + BODY[:-1],), FailureKind.TRUNCATED),
    "excess": ((HEAD + BODY + b"more",), FailureKind.PROTOCOL),
}


@pytest.mark.parametrize("end", ENDS)
def test_body_that_is_not_as_announced_fails_the_same(client: Driver, tmp_path: Path, end: str) -> None:
    """What came is there, for a later attempt to go on from."""
    script, kind = ENDS[end]
    with RawServer(script, (reply(b"hi"),)) as server:
        got = Fetched(tmp_path / "file").by(client, server.url)
        assert client.get(server.url).body == b"hi"
    assert got.kind is kind
    assert got.counted == (CUT if end == "cut" else len(BODY) - 1) or end == "excess"
    assert got.holds(BODY[: got.counted])


def test_reset_in_a_large_body_is_a_cut(client: Driver, tmp_path: Path) -> None:
    """What had come before may be lost with it, but never invented."""
    with RawServer((HEAD + BODY[:CUT], Do.RESET)) as server:
        got = Fetched(tmp_path / "file").by(client, server.url)
    assert got.kind is FailureKind.TRUNCATED
    assert BODY.startswith(got.path.read_bytes())


def test_silence_in_a_large_body_is_a_timeout(client: Driver, tmp_path: Path) -> None:
    """After read_timeout without a byte, as in any body."""
    with RawServer((HEAD + BODY[:CUT], Do.HANG)) as server, FileSink(tmp_path / "file") as sink:
        with pytest.raises(TaskError, match=r"^no byte came for 0\.3 s$") as caught:
            client.fetch(Request(server.url, read_timeout=0.3), lambda _: sink)
        assert server.left.wait(PATIENCE)
    assert (caught.value.kind, sink.size) == (FailureKind.TIMEOUT, CUT)


@pytest.mark.parametrize("error", [KeyError("mine"), OSError(28, "full"), TimeoutError("mine")])
def test_what_progress_raises_comes_through(client: Driver, tmp_path: Path, error: Exception) -> None:
    """Whatever it looks like, it is not the network's; the connection serves nobody else."""

    def progress(_: int) -> float:
        raise error

    with RawServer((HEAD + BODY,), (reply(b"hi"),)) as server:
        got = Fetched(tmp_path / "file").by(client, server.url, progress)
        assert client.get(server.url).body == b"hi"
    assert got.failure is error


def test_limit_of_the_file_holds(client: Driver, tmp_path: Path) -> None:
    """A sink that has enough ends the move in the middle."""
    with RawServer((HEAD + BODY,), (reply(b"hi"),)) as server:
        got = Fetched(tmp_path / "file").by(client, server.url, limit=3 * SPLICED)
        assert client.get(server.url).body == b"hi"
    assert got.kind is FailureKind.TOO_LARGE


def test_abort_ends_a_move(kind: ClientKind, tmp_path: Path) -> None:
    """Another thread breaks it off while nothing comes, and while progress wants a pause."""
    if kind.works == "async":
        pytest.skip("an async client is cancelled instead")
    for pause in (0.0, 60.0):
        with RawServer((HEAD + BODY[:CUT], Do.HANG)) as server, Driver(kind) as client:
            got = Fetched(tmp_path / "file")

            def progress(_: int, client: Driver = client, got: Fetched = got, pause: float = pause) -> float:
                if got.counted == CUT or pause:
                    threading.Thread(target=client.client.abort).start()
                return pause

            got.by(client, server.url, progress)
            assert isinstance(got.failure, TaskError)
            assert got.failure.retryable
            assert server.left.wait(PATIENCE)


def test_pauses_are_kept(client: Driver) -> None:
    """What progress answers is waited for, block by block, and costs no byte."""
    with RawServer((reply(BODY[:SPLICED]),)) as server:
        got = client.get(server.url, pause=0.01)
    assert got.body == BODY[:SPLICED]
    assert got.reply.timings.total is not None
    assert got.reply.timings.total >= 0.01 * len(got.blocks)
