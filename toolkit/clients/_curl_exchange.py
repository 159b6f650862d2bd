"""One request and its reply as libcurl's callbacks see it: the head, then the body on its way to the sink.

A callback must not raise: what goes wrong in it is kept as error, and libcurl told to stop.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from functools import lru_cache

from toolkit.clients import DRAIN_SECONDS, expected_body, may_ask_again, may_drain
from toolkit.clients import _failures as failures
from toolkit.clients._curl_sockets import GO_ON, STOP, Sockets, came, taken, unread
from toolkit.clients._splice import Silence, file_sink, move, wait_out
from toolkit.core.addresses import is_public, refused
from toolkit.core.errors import TaskError
from toolkit.core.http import BLOCK, DRAIN_LIMIT, Accept, Head, Headers, Progress, Request, Sink

SPLICED = 4 * 1024 * 1024
"""Bytes from which a body goes into its file inside the kernel, where it can: it costs the connection."""
TRIES = 256
"""Blocks after which libcurl's own buffer should have been empty once."""
MOST_FIELDS = 100
LONGEST_LINE = 64 * 1024
SHORT = 128
"""Bytes up to which a line is worth remembering."""
_STATUS_LINE = re.compile(rb"HTTP/[0-9.]+ +([0-9]{3})(?: ([^\r\n]*))?[ \t]*\r?\n")
_FIELD = re.compile(r"([^\x00-\x20:\x7f]+):([^\x00\n]*)\n", re.ASCII)
_BLANK = (b"\r\n", b"\n")


class Exchange:
    """The exchange that is under way; one object serves all of a client's, one after the other.

    error: what came of the job's side, to be raised as it is. verdict: what came of our patience. refusal: the status
    line of a proxy that did not let us through. spliced: whether the body's rest went past libcurl. overrun: whether
    more came than the reply has.
    """

    error: BaseException | None
    verdict: TaskError | None
    asked: bool
    received: int
    overrun: bool
    head: Head | None
    expected: int | None
    _sink: Sink | None
    _drain_until: float | None
    _seen: tuple[int, int, int] | None

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets
        self._lines: list[bytes] = []
        self._buffer = memoryview(b"")
        self._lock = threading.Lock()
        self._watched = False
        self._clear()

    def begin(self, request: Request, accept: Accept, progress: Progress, *, proxied: bool) -> None:
        """Make ready for a request."""
        self._clear()
        self.request, self._accept, self._progress = request, accept, progress
        self.proxied = proxied
        self._sockets.barred = self._sockets.fresh = False
        self._sockets.refused = ""

    def end(self) -> None:
        """Take care that nobody breaks off the next request in place of this one, and hand on what is still here."""
        with self._lock:
            self._watched = False
        source = self._sockets.active
        if source is not None and self.head is not None and self._is_plain() and self.error is None:
            # The first look is cheap, and wrong where libcurl has rewritten the head; the second lets other threads in.
            more = self._is_overrun(source) and unread(source) > 0
            self.overrun = self.overrun or (more and not self.unwanted)
        self._flush()

    def asking(self, remote: str, _: str, remote_port: int, local_port: int) -> int:
        """See the connection before the request goes out on it (PREREQFUNCTION)."""
        sockets = self._sockets
        if sockets.aborted or sockets.barred:
            return STOP
        if self.asked and not may_ask_again(self.request):  # libcurl would, where a kept connection was lost
            self.error = failures.closed()
            return STOP
        try:
            sockets.use(remote, remote_port, local_port)
            if not self.proxied:
                self.address = remote
                if self.request.addresses == "public" and not is_public(remote):
                    self.error = refused(remote)
                    return STOP
            source = sockets.active
            new = sockets.fresh and not self.proxied  # a proxy has said something on a new connection, too
            self._before = 0 if source is None or new else came(source) or 0
        except BaseException as error:
            self.error = error
            return STOP
        self._lines.clear()
        self.asked = self._watched = True
        return GO_ON

    def line(self, line: bytes) -> int | None:
        """Take one line of a head (HEADERFUNCTION)."""
        if self.head is not None:
            return None  # of the trailer
        self._lines.append(line)
        if len(line) > len(b"\r\n") or line not in _BLANK:
            return None
        self._busy = True
        try:
            return self._whole_head()
        except BaseException as error:
            self.error = error
            return 0
        finally:
            self._busy = False

    def block(self, block: bytes) -> int | None:
        """Take what came of the body (WRITEFUNCTION)."""
        size = len(block)
        self.received += size
        self._busy = True
        try:
            if self._sink is None:
                pause = self._progress(size)
                if self.received > DRAIN_LIMIT:
                    return 0
            else:
                self._keep(self._sink, block, size)
                pause = self._progress(size)
            if pause:
                self._pause(pause)
            if self._may_splice and self._splice():
                return 0
        except BaseException as error:
            self.error = error
            return 0
        finally:
            self._busy = False
        return None

    def look(self, now: float) -> None:
        """See whether too little comes, and break off (another thread's)."""
        with self._lock:
            if not self._watched:
                self._seen = None
                return
            source = self._sockets.active
            # What is part of a line or of a TLS record is with libcurl still.
            seen = (len(self._lines), self.received, (came(source) or 0) if source is not None else 0)
            if self._busy or seen != self._seen:
                self._seen, self._since = seen, now
            if self._drain_until is None and now - self._since >= self.request.read_timeout:
                self.verdict = failures.no_bytes(self.request)
            elif self._drain_until is None or now <= self._drain_until:
                return
            self._watched = False
            self._sockets.drop()

    def closing(self, number: int) -> int:
        """Look at a connection before it is closed (CLOSESOCKETFUNCTION): of bytes in excess libcurl tells nobody."""
        source = self._sockets.active
        if source is not None and self.complete and self._sockets.is_active(number) and self._counts_bytes():
            self.overrun = self._is_overrun(source)
        return self._sockets.closed(number)

    @property
    def complete(self) -> bool:
        """Whether all came that was announced."""
        return self.head is not None and self.expected == self.received

    @property
    def unwanted(self) -> bool:
        """Whether nobody wants the body, so that it does not matter how its transfer ended."""
        return self.head is not None and self._sink is None

    def _clear(self) -> None:
        self._lines.clear()
        self.asked = False
        self.head = self.expected = None
        self.received = 0
        self.address = self.refusal = ""
        self.error = self.verdict = None
        self.spliced = False
        self.overrun = False
        self._sink = None
        self._filled = 0
        self._may_splice = False
        self._tries = TRIES
        self._busy = False
        self._drain_until = self._seen = None
        self._before = self._size_of_head = 0

    def _whole_head(self) -> int | None:
        lines = self._lines
        if not self.asked:  # the proxy's answer to CONNECT
            self.refusal = lines[0].decode("latin-1")
            lines.clear()
            return None
        self._size_of_head += sum(map(len, lines))
        head = read_head(self.request.url, lines)
        lines.clear()
        if head.status < 200 and head.status != 101:  # noqa: PLR2004 - interim (RFC 9110, 15.2)
            return None
        self.head = head
        self.expected = expected_body(self.request.method, head)
        try:
            self._sink = self._accept(head)
        except Exception as error:
            self.error = error
        if self._sink is None:
            return self._unwanted(head)
        self._may_splice = self._fit_to_splice(self._sink)
        return None

    def _unwanted(self, head: Head) -> int | None:
        """Let a short unwanted body come, so that the connection can serve the next request; leave a long one."""
        if self.expected == 0:
            return None
        if may_drain(head, self.expected):
            self._drain_until = time.monotonic() + min(DRAIN_SECONDS, self.request.read_timeout)
            return None
        return 0

    def _keep(self, sink: Sink, block: bytes, size: int) -> None:
        """Hand a block on, or put it with others that do: libcurl gives 16 KiB at a time at most."""
        if not self._filled and self.received == self.expected:
            sink.write(block)
            return
        if not self._buffer:
            self._buffer = memoryview(bytearray(BLOCK))
        if self._filled + size > BLOCK:
            self._flush()
        self._buffer[self._filled : self._filled + size] = block
        self._filled += size

    def _flush(self) -> None:
        filled, self._filled = self._filled, 0
        if filled and self._sink is not None:
            self._sink.write(self._buffer[:filled])

    def _pause(self, seconds: float) -> None:
        wait_out(seconds, lambda: self._sockets.aborted)

    def _counts_bytes(self) -> bool:
        """Tell whether all bytes on the connection are those of head and body: no TLS, no chunks."""
        return self._is_plain() and self.expected is not None

    def _is_overrun(self, source: socket.socket) -> bool:
        """Tell whether more came on the connection than head and body, as we saw them."""
        return (came(source) or 0) > self._before + self._size_of_head + self.received

    def _is_plain(self) -> bool:
        return not self.request.url[:6].lower().startswith("https:")

    def _fit_to_splice(self, sink: Sink) -> bool:
        return (
            (self.expected or 0) >= SPLICED
            and not self.proxied
            and file_sink(sink) is not None
            and self._counts_bytes()
        )

    def _splice(self) -> bool:
        """Move the rest of the body inside the kernel, if libcurl holds nothing of it in its own buffer just now."""
        source = self._sockets.active
        sink = file_sink(self._sink) if self._sink is not None else None
        left = (self.expected or 0) - self.received
        if source is None or sink is None or left < BLOCK:
            self._may_splice = False
            return False
        if taken(source) != self._before + self._size_of_head + self.received:
            self._tries -= 1  # a head that libcurl has rewritten is never as long as what came
            self._may_splice = self._tries > 0
            return False
        self._flush()
        self._busy = False
        self.spliced = True
        try:
            move(
                source.fileno(),
                sink,
                left,
                timeout=self.request.read_timeout,
                progress=self._moved,
                aborted=lambda: self._sockets.aborted or self._sockets.barred,
            )
        except Silence:
            raise failures.no_bytes(self.request) from None
        return True

    def _moved(self, size: int) -> float:
        self.received += size
        pause = self._progress(size)
        if pause:
            self._busy = True
            self._pause(pause)
            self._busy = False
        return 0.0


def read_head(url: str, lines: list[bytes]) -> Head:
    """Read the lines of a head, the blank one included; raises TaskError protocol (RFC 9112, 4 and 5)."""
    found = _STATUS_LINE.fullmatch(lines[0])
    if found is None:
        raise failures.not_http("bad status line")
    if len(lines) - 2 > MOST_FIELDS:
        raise failures.not_http(f"more than {MOST_FIELDS} header fields")
    fields = [_usual(line) if len(line) < SHORT else _field(line) for line in lines[1:-1]]
    return Head(url, int(found[1]), Headers(fields), (found[2] or b"").decode("latin-1").strip(" \t"))


def _field(line: bytes) -> tuple[str, str]:
    if len(line) > LONGEST_LINE:
        raise failures.not_http("a header field is too long")
    field = _FIELD.fullmatch(line.decode("latin-1"))
    if field is None:
        raise failures.not_http("a header line has no name or no colon")
    return field[1], field[2]


_usual = lru_cache(maxsize=1024)(_field)
"""The same for lines that come again with every reply."""
