"""Bodies are decoded as they come, within a limit, and to their end."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest

from toolkit.apps.scrape.bodies import BodySink
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Headers

TEXT = "".join(f"<p>{number} café</p>" for number in range(5000)).encode()


def raw(data: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-15)
    return deflate.compress(data) + deflate.flush()


def receive(coding: str, wire: bytes, limit: int = 1_000_000, block: int = 777) -> bytes:
    sink = BodySink(Headers([("Content-Encoding", coding)] if coding else []), limit)
    for start in range(0, len(wire), block):
        sink.write(memoryview(bytearray(wire[start : start + block])))
    return sink.body()


@pytest.mark.parametrize("block", [1, 2, 777, 1 << 20])
@pytest.mark.parametrize(
    ("coding", "wire"),
    [
        ("", TEXT),
        ("identity", TEXT),
        ("gzip", gzip.compress(TEXT)),
        ("x-gzip", gzip.compress(TEXT)),
        ("GZip", gzip.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:999]) + gzip.compress(TEXT[999:])),
        ("gzip", gzip.compress(TEXT) + b"\0" * 500),
        ("gzip", gzip.compress(TEXT) + b"<!-- served by x -->"),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw(TEXT)),
        ("deflate, gzip", gzip.compress(zlib.compress(TEXT))),
        ("gzip, identity, gzip", gzip.compress(gzip.compress(TEXT))),
    ],
)
def test_body_when_coded(coding: str, wire: bytes, block: int) -> None:
    """Every coding gives the page back, however the bytes are cut into blocks."""
    assert receive(coding, wire, block=block) == TEXT


@pytest.mark.parametrize(
    ("coding", "wire"), [("gzip", gzip.compress(TEXT)), ("deflate", zlib.compress(TEXT)), ("deflate", raw(TEXT))]
)
@pytest.mark.parametrize("cut", [1, 2, 9, 300, -1])
def test_body_when_cut(coding: str, wire: bytes, cut: int) -> None:
    """A compressed body without its end is a failure that another attempt may cure, never a short page."""
    with pytest.raises(TaskError, match="ended early") as caught:
        receive(coding, wire[:cut])
    assert (caught.value.kind, caught.value.retryable) == (FailureKind.TRUNCATED, True)


def test_body_when_second_member_is_cut() -> None:
    """A member that has begun must end, too."""
    with pytest.raises(TaskError, match="ended early"):
        receive("gzip", gzip.compress(TEXT) + gzip.compress(TEXT)[:50])


@pytest.mark.parametrize("wire", [TEXT, gzip.compress(TEXT)[:-8] + b"\0" * 8])
def test_body_when_broken(wire: bytes) -> None:
    """Bytes that are not what the coding says, or fail its check sum, are named as such."""
    with pytest.raises(TaskError, match="damaged") as caught:
        receive("gzip", wire)
    assert (caught.value.kind, caught.value.retryable) == (FailureKind.CODING, True)


@pytest.mark.parametrize(
    ("coding", "wire"),
    [
        ("", b"x" * 50_001),
        ("gzip", gzip.compress(bytes(300_000_000))),
        ("gzip, gzip", gzip.compress(gzip.compress(bytes(30_000_000)))),
        ("gzip", gzip.compress(b"") * 10_000),  # nothing but wrapping
        ("gzip", gzip.compress(b"") + b"\0" * 60_000),
    ],
)
def test_body_when_a_bomb(coding: str, wire: bytes) -> None:
    """The cap counts decoded bytes, at every stage, while they come."""
    with pytest.raises(TaskError, match="larger than 50,000 bytes") as caught:
        receive(coding, wire, limit=50_000, block=1 << 20)
    assert caught.value.kind is FailureKind.TOO_LARGE


def test_body_when_a_bomb_leaves_the_memory_alone() -> None:
    """A bomb is stopped a piece after the limit, not after it went off."""
    sink = BodySink(Headers([("Content-Encoding", "gzip")]), 50_000)
    with pytest.raises(TaskError):
        sink.write(gzip.compress(bytes(30_000_000)))
    assert len(sink.so_far()) <= 50_000


def test_body_when_exactly_the_limit() -> None:
    """The limit itself is allowed; bytes that do not compress may grow by their wrapping."""
    page = random.Random(1).randbytes(50_000)
    assert receive("", page, limit=50_000) == page


def test_body_when_empty() -> None:
    """No bytes at all are an empty page under any coding: servers send gzip with Content-Length 0."""
    assert receive("gzip", b"") == b""


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br", "gzip, gzip, gzip, gzip, gzip, gzip"])
def test_body_when_the_coding_was_not_asked_for(coding: str) -> None:
    """A coding that we cannot undo fails before the body comes."""
    with pytest.raises(TaskError) as caught:
        BodySink(Headers([("Content-Encoding", coding)]), 10)
    assert caught.value.kind is FailureKind.UNSUPPORTED


def test_body_when_codings_stand_in_several_fields() -> None:
    """Codings are undone from the last field to the first."""
    sink = BodySink(Headers([("content-encoding", "deflate"), ("Content-Encoding", "gzip,")]), 1_000_000)
    sink.write(gzip.compress(zlib.compress(TEXT)))
    assert sink.body() == TEXT
