"""Content codings: undone as the bytes pass, never trusted to end or to stay small."""

from __future__ import annotations

import gzip
import random
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from toolkit.core.coding import STEP, DecodingSink, decoded
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import MemorySink, Sink

TEXT = b"the quick brown fox. " * 40
MANY = random.Random(1).randbytes(300_000)


def raw_deflate(data: bytes) -> bytes:
    """Return deflate as some servers send it: without zlib's frame."""
    coder = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return coder.compress(data) + coder.flush()


CODERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-GZip", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "raw": ("deflate", raw_deflate),
    "stacked": ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
    "identity": ("identity", bytes),
}


def undo(coding: str, data: bytes, *, block: int = 1 << 20, limit: int | None = None) -> bytes:
    """Decode in blocks of a size and return everything."""
    into = MemorySink(1 << 30)
    sink: Sink = decoded(coding, into, limit)
    for start in range(0, len(data), block):
        sink.write(memoryview(data)[start : start + block])
    if isinstance(sink, DecodingSink):
        sink.end()
    return into.body()


@pytest.mark.parametrize("name", CODERS)
@pytest.mark.parametrize("block", [1, 7, 1 << 20])
@pytest.mark.parametrize("data", [TEXT, b"", b"x"], ids=["text", "empty", "one"])
def test_whole_body_is_undone_in_blocks_of_any_size(name: str, block: int, data: bytes) -> None:
    """However the network cuts it up, the bytes are those that were coded."""
    coding, code = CODERS[name]
    assert undo(coding, code(data), block=block) == data


@pytest.mark.parametrize("name", ["gzip", "zlib", "raw", "stacked"])
def test_large_body_is_undone(name: str) -> None:
    """Bodies that decode to several steps are whole."""
    coding, code = CODERS[name]
    data = MANY + bytes(3 * STEP) + MANY
    assert undo(coding, code(data), block=65_536) == data


@pytest.mark.parametrize("name", ["gzip", "zlib", "raw", "stacked"])
def test_body_cut_anywhere_is_truncated(name: str) -> None:
    """The end of the bytes is not the end of the body: every cut but the one before the first byte is noticed."""
    coding, code = CODERS[name]
    whole = code(TEXT)
    for cut in range(1, len(whole)):
        with pytest.raises(TaskError) as caught:
            undo(coding, whole[:cut], block=5)
        assert (caught.value.kind, caught.value.retryable) == (FailureKind.TRUNCATED, True), cut


def test_body_without_a_byte_is_empty() -> None:
    """A coded body of no bytes at all is what servers send for nothing."""
    assert undo("gzip", b"") == undo("deflate, gzip", b"") == b""


@pytest.mark.parametrize("block", [1, 3, 1 << 20])
def test_gzip_members_are_glued_together(block: int) -> None:
    """A gzip file may have several members (RFC 1952, 2.2), and zeros behind the last (from tapes)."""
    glued = gzip.compress(TEXT) + gzip.compress(b"") + gzip.compress(b"end")
    assert undo("gzip", glued, block=block) == TEXT + b"end"
    assert undo("gzip", glued + bytes(1000), block=block) == TEXT + b"end"


@pytest.mark.parametrize("block", [1, 3, 1 << 20])
@pytest.mark.parametrize("name", ["gzip", "zlib", "raw"])
def test_rubbish_behind_the_end_is_ignored(name: str, block: int) -> None:
    """What comes after the end of the coded body is no part of it."""
    coding, code = CODERS[name]
    assert undo(coding, code(TEXT) + b"rubbish", block=block) == TEXT


@pytest.mark.parametrize("block", [1, 1 << 20])
def test_second_member_cut_is_truncated(block: int) -> None:
    """A later member must come to its end, too."""
    whole = gzip.compress(b"a") + gzip.compress(TEXT)
    with pytest.raises(TaskError) as caught:
        undo("gzip", whole[:-4], block=block)
    assert caught.value.kind is FailureKind.TRUNCATED


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        ("gzip", b"<html>not gzip</html>"),
        ("gzip", zlib.compress(TEXT)),
        ("gzip", gzip.compress(TEXT)[:-8] + bytes(8)),
        ("deflate", b"\xff" * 50),
        ("deflate", zlib.compress(TEXT)[:-4] + bytes(4)),
    ],
    ids=["no gzip", "zlib for gzip", "wrong checksum", "no deflate", "wrong adler"],
)
@pytest.mark.parametrize("block", [1, 1 << 20])
def test_damaged_body_is_named(coding: str, data: bytes, block: int) -> None:
    """Bytes that do not decode, or do not match their checksum, are a failure worth another try."""
    with pytest.raises(TaskError) as caught:
        undo(coding, data, block=block)
    assert (caught.value.kind, caught.value.retryable) == (FailureKind.CODING, True)


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip", "deflate"])
def test_bomb_is_stopped_early_and_in_little_memory(coding: str) -> None:
    """A gigabyte of zeros in a megabyte is refused when the limit is passed, not when it is all decoded."""
    bomb = _bomb(coding)
    limit = 4 * STEP
    counted = _Counter()
    sink = decoded(coding, counted, limit)
    tracemalloc.start()
    started = time.perf_counter()
    try:
        with pytest.raises(TaskError) as caught:
            sink.write(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (caught.value.kind, caught.value.retryable) == (FailureKind.TOO_LARGE, False)
    assert time.perf_counter() - started < 1
    assert peak < len(bomb) * 3 + 8 * STEP
    assert counted.size <= limit


class _Counter:
    """A sink that keeps nothing."""

    size = 0

    def write(self, block: bytes | bytearray | memoryview, /) -> None:
        """Count the block."""
        self.size += len(block)


def _bomb(coding: str) -> bytes:
    plain = bytes(STEP)
    coder = zlib.compressobj(9, wbits=zlib.MAX_WBITS + (0 if coding == "deflate" else 16))
    bomb = b"".join(coder.compress(plain) for _ in range(128)) + coder.flush()
    return gzip.compress(bomb) if "," in coding else bomb


def test_limit_counts_decoded_bytes() -> None:
    """The limit itself is allowed."""
    assert undo("gzip", gzip.compress(TEXT), limit=len(TEXT)) == TEXT
    with pytest.raises(TaskError, match="larger than"):
        undo("gzip", gzip.compress(TEXT), limit=len(TEXT) - 1)


@pytest.mark.parametrize("coding", ["", " identity ", "none", "utf-8", "identity, identity"])
def test_no_coding_leaves_the_sink_alone(coding: str) -> None:
    """Identity, and the names that servers give it by mistake, cost nothing."""
    sink = MemorySink(9)
    assert decoded(coding, sink, 1) is sink


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br", "compress", "x"])
def test_coding_that_was_not_offered_is_refused(coding: str) -> None:
    """What cannot be undone is no page; another try will not help."""
    with pytest.raises(TaskError) as caught:
        decoded(coding, MemorySink(9), None)
    assert (caught.value.kind, caught.value.retryable) == (FailureKind.UNSUPPORTED, False)
