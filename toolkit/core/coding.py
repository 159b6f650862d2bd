"""Content codings (RFC 9110, 8.4): decoding a body as it passes, with its end verified and its size capped."""

from __future__ import annotations

import zlib
from typing import Any

from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Sink

ACCEPTED = "gzip, deflate"
"""What Accept-Encoding may offer."""
GZIP_MAGIC = b"\x1f\x8b"
MOST_CODINGS = 4
STEP = 1024 * 1024
"""Bytes decoded at a time, so that a bomb is noticed before it is in memory."""


class DecodingSink:
    """Decodes blocks into another sink; end() must be called, and raises if the coded body was cut short."""

    def __init__(self, coding: str, into: Sink, limit: int | None) -> None:
        self._coding = coding
        self._into = into
        self._limit = limit
        self._size = 0
        self._decoder: Any = None
        self._held = b""
        self._over = False

    def write(self, block: bytes | bytearray | memoryview, /) -> None:
        """Decode the block; raises TaskError coding or too_large."""
        data = self._held + bytes(block)
        self._held = b""
        try:
            while data and not self._over:
                data = self._step(data)
        except zlib.error as error:
            what = f"the {self._coding} body is damaged: {error}"
            raise TaskError(FailureKind.CODING, what, retryable=True) from error

    def end(self) -> None:
        """Check that the coded body came to its own end."""
        cut = bool(self._held) if self._decoder is None else not self._decoder.eof
        if cut:
            raise TaskError(FailureKind.TRUNCATED, f"the {self._coding} body ended early", retryable=True)
        if isinstance(self._into, DecodingSink):
            self._into.end()

    def _step(self, data: bytes) -> bytes:
        """Decode some of the data and return the rest."""
        if self._decoder is not None and self._decoder.eof:
            data = data.lstrip(b"\0")  # padding
            if data == GZIP_MAGIC[:1]:
                return self._hold(data)
            if self._coding != "gzip" or not data.startswith(GZIP_MAGIC):
                self._over = bool(data)  # rubbish behind the end
                return b""
            self._decoder = None  # gzip files may be glued together (RFC 1952, 2.2)
        if self._decoder is None:
            if self._coding == "deflate" and len(data) == 1:
                return self._hold(data)  # two bytes tell its form
            self._decoder = _decoder(self._coding, data)
        self._pass_on(self._decoder.decompress(data, STEP))
        rest: bytes = self._decoder.unused_data or self._decoder.unconsumed_tail
        return rest

    def _hold(self, data: bytes) -> bytes:
        """Keep what does not say enough until more comes."""
        self._held = data
        return b""

    def _pass_on(self, data: bytes) -> None:
        self._size += len(data)
        if self._limit is not None and self._size > self._limit:
            raise TaskError(FailureKind.TOO_LARGE, f"the body is larger than {self._limit:,} bytes, decoded")
        if data:
            self._into.write(data)


def decoded(coding: str, sink: Sink, limit: int | None) -> Sink:
    """Return a sink that undoes a Content-Encoding, or the same sink for identity; limit caps decoded bytes.

    Raises TaskError unsupported for a coding that we did not offer, or for more of them than anyone needs.
    """
    if coding.count(",") > MOST_CODINGS:
        raise TaskError(FailureKind.UNSUPPORTED, "the body has too many content codings, one around the other")
    names = [name.strip().lower().removeprefix("x-") for name in coding.split(",")]
    for name in names:
        if name in ("", "identity", "none", "utf-8"):
            continue
        if name not in ("gzip", "deflate"):
            raise TaskError(FailureKind.UNSUPPORTED, f"the content coding {name!r} was sent, though not asked for")
        sink = DecodingSink(name, sink, limit)
    return sink


def _decoder(coding: str, start: bytes) -> Any:
    if coding == "gzip":
        return zlib.decompressobj(16 + zlib.MAX_WBITS)
    # "deflate" means the zlib format (RFC 9110, 8.4.1.2), but some servers send it bare.
    wrapped = start[0] & 0x0F == 8 and (start[0] << 8 | start[1]) % 31 == 0  # noqa: PLR2004
    return zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
