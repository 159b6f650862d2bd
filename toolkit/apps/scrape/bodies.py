"""Bodies: what we ask for, and a sink that decodes gzip and deflate as they arrive, within a limit."""

from __future__ import annotations

import zlib
from typing import Protocol

from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Headers

ACCEPT_ENCODING = ("Accept-Encoding", "gzip, deflate")
PIECE = 64 * 1024
"""Bytes decoded at a time, so that a bomb is stopped long before it fills the memory."""
MOST_CODINGS = 4
MAGIC = b"\x1f\x8b"


class Decoder(Protocol):
    """One content coding, undone."""

    def feed(self, data: bytes) -> bytes:
        """Take data (b"" to go on with what is kept) and return the next piece; b"" when more data is needed."""

    @property
    def whole(self) -> bool:
        """Whether the coding's own end has been seen."""


class BodySink:
    """Keeps a body in memory, decoded; no stage of it may grow past limit bytes."""

    def __init__(self, headers: Headers, limit: int) -> None:
        """Raise TaskError coding for a coding that we cannot undo."""
        self.limit = limit
        self._stages = [_decoder(name) for name in reversed(codings(headers))]
        self._sizes = [0] * (len(self._stages) + 1)
        self._pieces: list[bytes] = []

    def write(self, block: bytes | bytearray | memoryview, /) -> None:
        """Decode the next block; raises TaskError too_large or coding."""
        self._pass_on(0, bytes(block))

    def body(self) -> bytes:
        """Return the whole body; raises TaskError coding, retryable, if it was cut short."""
        if self._sizes[0] and not all(stage.whole for stage in self._stages):
            raise TaskError(FailureKind.CODING, "the compressed body ends before its end", retryable=True)
        return b"".join(self._pieces)

    def so_far(self) -> bytes:
        """Return what has come of the body, up to the limit."""
        return b"".join(self._pieces)[: self.limit]

    def _pass_on(self, number: int, data: bytes) -> None:
        self._sizes[number] += len(data)
        if number == len(self._stages):
            self._pieces.append(data)
        if self._sizes[number] > self.limit:
            raise TaskError(FailureKind.TOO_LARGE, f"the page is larger than {self.limit:,} bytes")
        if number == len(self._stages):
            return
        try:
            piece = self._stages[number].feed(data)
            while piece:
                self._pass_on(number + 1, piece)
                piece = self._stages[number].feed(b"")
        except zlib.error as error:
            raise TaskError(FailureKind.CODING, f"the compressed body is broken: {error}") from error


def codings(headers: Headers) -> list[str]:
    """Return the content codings in the order they were applied, in lower case, identity left out (RFC 9110, 8.4).

    Raises TaskError coding for more of them than anyone needs.
    """
    names = [part.strip().lower() for value in headers.all("content-encoding") for part in value.split(",")]
    kept = [name for name in names if name not in ("", "identity")]
    if len(kept) > MOST_CODINGS:
        raise TaskError(FailureKind.CODING, f"{len(kept)} content codings, one around the other")
    return kept


class Gzip:
    """gzip (RFC 1952): one member or more; what follows the last one is padding, and ignored as browsers do."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=31)
        self._kept = b""
        self._padding = False

    @property
    def whole(self) -> bool:
        """Whether a member has ended, and no other has begun."""
        return self._inflate.eof

    def feed(self, data: bytes) -> bytes:
        """Return the next piece."""
        data, self._kept = self._kept + data, b""
        while not self._padding:
            if self._inflate.eof and not self._next_member(data):
                return b""
            piece = self._inflate.decompress(data, PIECE)
            data = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            if piece or not data:
                self._kept = data
                return piece
        return b""

    def _next_member(self, data: bytes) -> bool:
        if data in (b"", MAGIC[:1]):
            self._kept = data
            return False
        self._padding = not data.startswith(MAGIC)
        if not self._padding:
            self._inflate = zlib.decompressobj(wbits=31)
        return not self._padding


class Deflate:
    """deflate: in zlib's wrapping, as the RFC says, or raw, as some servers send it; the first two bytes tell."""

    def __init__(self) -> None:
        self._inflate: zlib._Decompress | None = None
        self._kept = b""

    @property
    def whole(self) -> bool:
        """Whether the end has been seen."""
        return self._inflate is not None and self._inflate.eof

    def feed(self, data: bytes) -> bytes:
        """Return the next piece."""
        data = self._kept + data
        if self._inflate is None:
            if len(data) < 2:  # noqa: PLR2004 - the header of RFC 1950
                self._kept = data
                return b""
            wrapped = data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0  # noqa: PLR2004
            self._inflate = zlib.decompressobj(wbits=15 if wrapped else -15)
        if self._inflate.eof:
            return b""
        piece = self._inflate.decompress(data, PIECE)
        self._kept = self._inflate.unconsumed_tail
        return piece


CODINGS: dict[str, type[Gzip | Deflate]] = {"gzip": Gzip, "x-gzip": Gzip, "deflate": Deflate}


def _decoder(name: str) -> Decoder:
    if name not in CODINGS:
        raise TaskError(FailureKind.CODING, f"the content coding {name!r} was not asked for and is not read")
    return CODINGS[name]()
