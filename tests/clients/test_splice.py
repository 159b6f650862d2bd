"""Bytes that the kernel moves are the same bytes, and what goes wrong on the way has its name."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import pytest

from toolkit.clients._splice import PIPE, file_sink, move
from toolkit.core.errors import FailureKind, TaskError

pytestmark = pytest.mark.skipif(not hasattr(os, "splice"), reason="only Linux splices")
BODY = random.Random(1).randbytes(3 * PIPE + 12345)


class File:
    """A sink that the kernel may fill."""

    def __init__(self, path: Path, mode: str = "wb", limit: int = 1 << 40) -> None:
        self._file = path.open(mode, buffering=0)
        self.limit = limit
        self.size = 0
        self.written = 0

    def write(self, block: bytes | bytearray | memoryview) -> None:
        """Write, and count it."""
        self._file.write(block)
        self.written += len(block)
        self.advance(len(block))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._file.fileno()

    def advance(self, size: int) -> None:
        """Count, up to the limit."""
        self.size += size
        if self.size > self.limit:
            raise TaskError(FailureKind.TOO_LARGE, "too large")


def ignore(_: int) -> float:
    return 0.0


def never() -> bool:
    return False


@contextmanager
def sending(body: bytes, *, end: Callable[[socket.socket], object] = socket.socket.close) -> Iterator[socket.socket]:
    """Give the end of a TCP connection that another thread fills."""

    def send() -> None:
        view = memoryview(body)
        sizes = random.Random(2)
        with suppress(OSError):  # the reader may leave first
            while view:
                taken = sizes.choice([1, 100, 5000, 70_000, 600_000])
                near.sendall(view[:taken])
                view = view[taken:]
            end(near)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        far = socket.create_connection(listener.getsockname())
        near, _ = listener.accept()
    far.setblocking(False)
    thread = threading.Thread(target=send)
    thread.start()
    with far, near:
        yield far
        far.close()
        thread.join()


def test_bytes_arrive_unchanged_behind_what_is_there(tmp_path: Path) -> None:
    """The file goes on at its present offset, and takes no byte more than asked for."""
    counted: list[int] = []

    def progress(size: int) -> float:
        counted.append(size)
        return 0.0

    with File(tmp_path / "f") as target, sending(BODY + b"next", end=lambda _: None) as source:
        target.write(b"before")
        moved = move(source.fileno(), target, len(BODY), timeout=5, progress=progress, aborted=never)
        source.settimeout(5)
        assert source.recv(99) == b"next"
    assert (moved, sum(counted), target.size) == (len(BODY), len(BODY), len(BODY) + 6)
    assert hashlib.md5((tmp_path / "f").read_bytes()).digest() == hashlib.md5(b"before" + BODY).digest()


def test_end_of_the_connection_ends_the_move(tmp_path: Path) -> None:
    """What came is in the file, and its size is told."""
    with File(tmp_path / "f") as target, sending(BODY) as source:
        assert move(source.fileno(), target, 1 << 40, timeout=5, progress=ignore, aborted=never) == len(BODY)
    assert (tmp_path / "f").read_bytes() == BODY


def test_silence_is_a_timeout(tmp_path: Path) -> None:
    """A connection on which nothing comes any more is given up."""
    with File(tmp_path / "f") as target, sending(b"some", end=lambda _: None) as source, pytest.raises(TimeoutError):
        move(source.fileno(), target, 99, timeout=0.1, progress=ignore, aborted=never)
    assert (tmp_path / "f").read_bytes() == b"some"


def test_abort_ends_the_move(tmp_path: Path) -> None:
    """It is looked at between blocks, and while nothing comes; a pause is cut short by it."""
    over = threading.Event()

    def progress(_: int) -> float:
        over.set()
        return 60.0

    with File(tmp_path / "f") as target, sending(BODY, end=lambda _: None) as source:
        moved = move(source.fileno(), target, 1 << 40, timeout=5, progress=progress, aborted=over.is_set)
        assert 0 < moved < len(BODY)


def test_file_that_cannot_be_spliced_into_is_written_to(tmp_path: Path) -> None:
    """The kernel refuses files opened for appending: their bytes are copied instead."""
    with File(tmp_path / "f", "ab") as target, sending(BODY) as source:
        move(source.fileno(), target, len(BODY), timeout=5, progress=ignore, aborted=never)
    assert (tmp_path / "f").read_bytes() == BODY
    assert target.size == target.written == len(BODY)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device here")
def test_what_the_file_system_refuses_comes_from_write() -> None:
    """So that the sink names it in its own way."""
    with File(Path("/dev/full")) as target, sending(BODY) as source, pytest.raises(OSError, match="No space"):
        move(source.fileno(), target, len(BODY), timeout=5, progress=ignore, aborted=never)
    assert target.size == 0


def test_limit_of_the_sink_stops_the_move(tmp_path: Path) -> None:
    """And nothing stays open."""
    before = len(os.listdir("/proc/self/fd"))
    with (
        File(tmp_path / "f", limit=PIPE) as target,
        sending(BODY) as source,
        pytest.raises(TaskError, match="too large"),
    ):
        move(source.fileno(), target, len(BODY), timeout=5, progress=ignore, aborted=never)
    assert len(os.listdir("/proc/self/fd")) == before


def test_only_sinks_that_count_can_be_filled(tmp_path: Path) -> None:
    """A sink that must see its bytes has no advance, and gets them by write."""
    with File(tmp_path / "f") as target, (tmp_path / "g").open("wb", buffering=0) as other:
        assert file_sink(target) is target
        assert file_sink(other) is None
