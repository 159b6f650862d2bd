"""http.client's replies, read strictly: what it lets pass in silence would lose or invent bytes.

It takes the connection's end for the end of a head, drops every field below a line without a colon, takes 103 for
the answer (and the answer for that of the next request), skips two bytes after a chunk unseen, and does not mind a
body that goes on after its end.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.errors import InvalidHeaderDefect, MissingHeaderBodySeparatorDefect
from http import HTTPStatus
from http.client import BadStatusLine, HTTPException, HTTPResponse  # noqa: TID251 - what requests stands on, made strict for it
from typing import Any

LINE_LIMIT = 64 * 1024
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\n]*)?\r?\n")
_MAY_BECOME_SIZE = re.compile(rb"[0-9A-Fa-f]{0,15}([ \t;\r].*)?")


class NotHTTP(HTTPException):
    """The reply breaks the rules; the message says which."""


class CutOff(HTTPException):
    """The connection ended inside a head or a chunked body."""


class StrictResponse(HTTPResponse):
    """A reply whose head is whole and whose body is framed as it says; excess tells whether more bytes came."""

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self._socket = sock
        self._in_chunk: int | None = None
        self._error: OSError | None = None
        self._first = True
        self.excess = False

    def begin(self, **limits: Any) -> None:
        """Read the head, passing over interim ones (RFC 9110, 15.2); limits are those of Python 3.15."""
        self._read_head(**limits)
        while HTTPStatus.CONTINUE <= self.status < HTTPStatus.OK and self.status != HTTPStatus.SWITCHING_PROTOCOLS:
            self.headers = self.msg = None  # type: ignore[assignment] # how it knows that it has not begun
            self._read_head(**limits)
        if self.length == 0:
            self.chunked = False  # no body, whatever is announced
        elif (self.headers.get("transfer-encoding") or "").lower().endswith("chunked"):
            self.chunked = True  # after other codings, too

    def read1(self, n: int = -1) -> bytes:
        """Return what came of the body, n bytes at most, or nothing at its end."""
        if not self.chunked or self.fp is None:
            return super().read1(n)
        if not self._in_chunk and not self._next_chunk():
            self.close()
            return b""
        left = self._in_chunk or 0
        block = self.fp.read1(left if n < 0 else min(n, left))
        if not block:
            raise CutOff
        self._in_chunk = left - len(block)
        return block

    @property
    def plain(self) -> bool:
        """Whether the body's bytes stand in the kernel as they are, with neither chunks nor TLS around them."""
        return type(self._socket) is socket.socket and not self.chunked

    def fill(self, view: memoryview) -> int:
        """Read what came of a body without chunks into a buffer; return how many bytes, 0 at the body's end.

        Waits for the first byte only, then takes what is there: a TLS record at a time would be many small blocks.
        """
        if self.fp is None:
            return 0
        view = view if self.length is None else view[: self.length]
        size = self._fill_from_buffer(view) if self._first else 0
        if not size and self._error is not None:
            raise self._error
        if not size and view:
            size = self.fp.readinto1(view)
        if 0 < size < len(view):
            size += self._fill_at_once(view[size:])
        self.passed(size)
        return size

    def buffered(self, most: int) -> bytes:
        """Take what the head's reader has read of the body already, most bytes at most: the rest is in the kernel."""
        block = self._buffered(most)
        self.passed(len(block))
        return block

    def passed(self, size: int) -> None:
        """Count bytes of the body that were taken; at its end, or that of the stream, let go of the connection."""
        if self.length is not None:
            self.length -= size
        if not self.length and (self.length is not None or not size):
            self._close_conn()

    def _close_conn(self) -> None:
        # Every way to a body's end leads through here: the look whether more came than the body.
        if not self.will_close:
            self.excess = self._more_came()
        super()._close_conn()  # type: ignore[misc]

    def _read_head(self, **limits: Any) -> None:
        buffered = self.fp
        lines: Any = _Lines(buffered)
        self.fp = lines
        try:
            super().begin(**limits)
        except BadStatusLine as error:
            if lines.last.startswith(b"HTTP/") and not lines.last.endswith(b"\n"):
                raise CutOff from error
            raise
        finally:
            if self.fp is lines:
                self.fp = buffered
        if lines.last not in (b"\r\n", b"\n"):
            raise CutOff
        if any(isinstance(each, MissingHeaderBodySeparatorDefect | InvalidHeaderDefect) for each in self.msg.defects):
            raise NotHTTP("a header line has no name or no colon")

    def _next_chunk(self) -> bool:
        """Read a chunk's size; at the last chunk, read the trailer and return False."""
        if self._in_chunk is not None and self._line() not in (b"\r\n", b"\n"):
            raise NotHTTP("a chunk is longer than it says")
        found = _CHUNK_SIZE.fullmatch(self._line())
        if found is None:
            raise NotHTTP("a chunk has no size")
        self._in_chunk = int(found[1], 16)
        if self._in_chunk:
            return True
        while (line := self._line()) not in (b"\r\n", b"\n"):
            if not line.endswith(b"\n"):
                raise CutOff
        return False

    def _line(self) -> bytes:
        line: bytes = self.fp.readline(LINE_LIMIT)
        if len(line) == LINE_LIMIT:
            raise NotHTTP("a line without end")
        if not line.endswith(b"\n") and _MAY_BECOME_SIZE.fullmatch(line):
            raise CutOff
        return line

    def _buffered(self, most: int) -> bytes:
        self._first = False
        size = 0
        with self._at_once():
            size = min(len(self.fp.peek()), most)
        block: bytes = self.fp.read(size)
        return block

    def _fill_from_buffer(self, view: memoryview) -> int:
        # readinto1 alone would wait for more when there is something in the buffer, and much room in the view.
        block = self._buffered(len(view))
        view[: len(block)] = block
        return len(block)

    def _fill_at_once(self, view: memoryview) -> int:
        size = 0
        with self._at_once():
            while size < len(view) and (came := self.fp.readinto1(view[size:])):
                size += came
        return size

    def _more_came(self) -> bool:
        came = False
        with self._at_once(), suppress(ValueError):
            came = bool(self.fp.peek(1))
        return came

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        """Wait for nothing in this block; an error ends it, and is raised when the next bytes are asked for."""
        timeout = self._socket.gettimeout()
        try:
            self._socket.settimeout(0)
            yield
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except OSError as error:
            self._error = error
        finally:
            with suppress(OSError):
                self._socket.settimeout(timeout)


class _Lines:
    """A file that remembers its last line."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.last = b""

    def readline(self, limit: int = -1) -> bytes:
        self.last = self._file.readline(limit)
        return self.last

    def close(self) -> None:
        self._file.close()
