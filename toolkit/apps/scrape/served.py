"""What a server sent, as a stream of text: unpacked if it is gzip by content, decoded, within a limit."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import chain
from typing import IO

import webencodings

from toolkit.apps.scrape.encodings import MARKS, codec_of
from toolkit.apps.scrape.prescan import LENGTH, prescan
from toolkit.core.coding import GZIP_MAGIC, DecodingSink
from toolkit.core.errors import FailureKind, TaskError

CHUNK = 16 * 1024
"""Bytes taken at a time; gzip makes at most a thousand times as many of them."""
LAYERS = 2
"""How many times a file may be packed: servers pack what was packed before."""


class Served:
    """An iterator over a document's text. bytes: how many there were so far, unpacked.

    charset: the label that HTTP gave, or None. The encoding is that of the mark, of HTTP or of the document's own
    declaration, else UTF-8; bytes that mean nothing become U+FFFD. Raises TaskError too_large for more than limit
    bytes; coding or truncated, when all that could be unpacked has been given, for a broken or cut gzip file.
    """

    def __init__(self, data: IO[bytes] | bytes, charset: str | None, limit: int) -> None:
        self.bytes = 0
        self._limit = limit
        blocks = _blocks(data)
        for _ in range(LAYERS):
            head, blocks = _peek(blocks, len(GZIP_MAGIC))
            if not head.startswith(GZIP_MAGIC):
                break
            blocks = _unpacked(blocks, limit)
        self._texts = self._decoded(blocks, charset)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return next(self._texts)

    def begin(self) -> str:
        """Return the first character that is no white space, "" if there is none; the space before it is gone."""
        for text in self._texts:
            start = text.lstrip("\ufeff \t\r\n")
            if start:
                self._texts = chain((start,), self._texts)
                return start[0]
        return ""

    def _decoded(self, blocks: Iterator[bytes], charset: str | None) -> Iterator[str]:
        head, blocks = _peek(blocks, LENGTH)
        name, skipped = _encoding(head, charset)
        encoding = webencodings.lookup(codec_of(name))
        assert encoding is not None  # noqa: S101 - known names only
        decoder = encoding.codec_info.incrementaldecoder("replace")
        for block in blocks:
            self.bytes += len(block)
            if self.bytes > self._limit:
                raise TaskError(FailureKind.TOO_LARGE, f"larger than {self._limit:,} bytes")
            text = decoder.decode(block[skipped:])
            skipped = max(0, skipped - len(block))
            if text:
                yield text
        if last := decoder.decode(b"", final=True):
            yield last


class _Pieces:
    """A sink whose blocks are taken out again."""

    def __init__(self) -> None:
        self.held: list[bytes] = []

    def write(self, block: bytes | bytearray | memoryview, /) -> None:
        self.held.append(bytes(block))

    def take(self) -> list[bytes]:
        taken, self.held = self.held, []
        return taken


def _blocks(data: IO[bytes] | bytes) -> Iterator[bytes]:
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    return iter(lambda: file.read(CHUNK), b"")


def _peek(blocks: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """Return the first bytes, at least so many if there are, and all blocks; a failure comes behind them."""
    head = b""
    try:
        for block in blocks:
            head += block
            if len(head) >= size:
                break
    except TaskError as error:
        blocks = _failing(error)
    return head, chain((head,), blocks)


def _failing(error: TaskError) -> Iterator[bytes]:
    raise error
    yield b""


def _unpacked(blocks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    pieces = _Pieces()
    sink = DecodingSink("gzip", pieces, limit)
    try:
        for block in blocks:
            sink.write(block)
            yield from pieces.take()
        sink.end()
    except TaskError:
        yield from pieces.take()
        raise


def _encoding(head: bytes, charset: str | None) -> tuple[str, int]:
    for mark, name in MARKS:
        if head.startswith(mark):
            return name, len(mark)
    declared = webencodings.lookup(charset) if charset else None
    return (prescan(head) or "utf-8") if declared is None else str(declared.name), 0
