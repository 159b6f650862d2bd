"""Bodies: the bytes behind an address, with the type and the validators that go with them."""

from __future__ import annotations

import functools
import gzip
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

BLOCK = 65_521  # a prime: bytes read at a wrong offset differ, also when the error is a multiple of a power of two
TILE = 16 * BLOCK
LARGEST = 512 * 1024 * 1024
LARGEST_GZIP = 32 * 1024 * 1024
MODIFIED = datetime(2025, 1, 1, tzinfo=UTC)  # fixed, so that validators do not depend on the checkout


@dataclass(frozen=True, slots=True)
class Body:
    """What one address answers with; `read(start, stop)` yields those bytes in pieces.

    `etag` is the header as sent, quotes and all, or empty for none; `modified` is None for no Last-Modified.
    """

    size: int
    etag: str
    kind: str
    read: Callable[[int, int], Iterator[bytes | memoryview]]
    modified: datetime | None = MODIFIED
    ranges: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    seed: str | None = None

    def all(self) -> bytes:
        """Return the whole body in memory."""
        return b"".join(self.read(0, self.size))


def stored(data: bytes, kind: str) -> Body:
    """Make a body of bytes in memory; its ETag is their hash."""
    return Body(
        len(data), f'"{hashlib.sha256(data).hexdigest()[:32]}"', kind, lambda start, stop: iter([data[start:stop]])
    )


def generated(size: int, seed: str = "0") -> Body:
    """Make a body of `size` pseudo-random bytes that follow from `seed` alone, never held in memory whole."""
    if not 0 <= size <= LARGEST:
        raise ValueError(f"a generated body has 0 to {LARGEST} bytes, not {size}")
    recipe = hashlib.sha256(f"{size} {seed}".encode()).hexdigest()[:32]
    read = functools.partial(_read_generated, seed)
    return Body(size, f'"{recipe}"', "application/octet-stream", read, seed=seed)


def changed(body: Body, version: int) -> Body:
    """Return the same address's body at another version: other bytes, another ETag, a later date.

    A generated body changes in every block at the same size; a page gets a comment after its first line, a picture
    a tail (it still decodes), and any other file a first line.
    """
    later = MODIFIED + timedelta(days=version)
    if body.seed is not None:
        return replace(generated(body.size, f"{body.seed} version {version}"), modified=later)
    data = body.all()
    if body.kind.startswith("text/html"):
        first, line, rest = data.partition(b"\n")
        data = first + line + b"<!-- version %d -->\n" % version + rest
    elif body.kind.startswith("image/"):
        data += b"version %d" % version
    else:
        data = b"version %d\n" % version + data
    return replace(stored(data, body.kind), modified=later)


def gzipped(body: Body) -> Body:
    """Return the body in gzip coding, a representation of its own with its own size and ETag (RFC 9110, 8.8.3.3)."""
    if body.size > LARGEST_GZIP:
        raise ValueError(f"gzip is made in memory: at most {LARGEST_GZIP} bytes")
    packed = stored(gzip.compress(body.all(), mtime=0), body.kind)
    return replace(packed, modified=body.modified, headers={**body.headers, "Content-Encoding": "gzip"})


def _read_generated(seed: str, start: int, stop: int) -> Iterator[memoryview]:
    tile = memoryview(_tile(seed))
    while start < stop:
        phase = start % BLOCK
        piece = tile[phase : phase + min(stop - start, TILE - phase)]
        yield piece
        start += len(piece)


@functools.lru_cache(maxsize=8)
def _tile(seed: str) -> bytes:
    return hashlib.shake_256(seed.encode()).digest(BLOCK) * (TILE // BLOCK)
