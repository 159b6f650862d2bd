"""A server whose files change between two acts, as a test says; every request is noted.

It can die in the middle of a body, and come back at the same address.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event
from typing import Any, Self

PATIENCE = 10.0
DATE = "Sat, 01 Mar 2025 12:00:00 GMT"
Scene = Callable[["Asked"], None]


class Asked:
    """One request, and how it may be answered."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self._handler = handler
        self.path = handler.path
        self.range = handler.headers.get("Range")
        self.if_range = handler.headers.get("If-Range")
        self.fields = {name.lower(): value for name, value in handler.headers.items()}

    @property
    def first(self) -> int:
        """The first byte of the range that is asked for."""
        return int((self.range or "bytes=0-").removeprefix("bytes=").partition("-")[0])

    @property
    def last(self) -> int | None:
        """Its last byte, or None for the rest of the file."""
        end = (self.range or "-").rpartition("-")[2]
        return int(end) if end else None

    def reply(
        self, status: int, body: bytes = b"", *, cut: int | None = None, then: Event | None = None, **fields: Any
    ) -> None:
        """Answer; cut: bytes of the body after which the connection is closed; then: what must come to pass before."""
        self._handler.send_response_only(status)
        headers = {"Date": DATE, "Content-Length": str(len(body)), **fields}
        for name, value in headers.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.end_headers()
        self._handler.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self._handler.wfile.flush()
            if then is not None:
                then.wait(PATIENCE)
            self._handler.close_connection = True

    def unmeasured(self, body: bytes) -> None:
        """Send a body whose end is that of the connection."""
        self._handler.send_response_only(200)
        self._handler.send_header("Connection", "close")
        self._handler.end_headers()
        self._handler.wfile.write(body)
        self._handler.close_connection = True

    def serve(self, body: bytes, etag: str, **fields: Any) -> None:
        """Answer as a careful server does."""
        if self.range is None or self.if_range not in (None, etag):
            self.reply(200, body, ETag=etag, **fields)
            return
        first, end = self.first, len(body) if self.last is None else self.last + 1
        if first >= len(body):
            self.reply(416, Content_Range=f"bytes */{len(body)}", ETag=etag)
            return
        span = f"bytes {first}-{end - 1}/{len(body)}"
        self.reply(206, body[first:end], Content_Range=span, ETag=etag, **fields)

    def hang_up(self) -> None:
        """Break the connection off without an answer."""
        self._handler.close_connection = True


class Stage:
    """The server; scene answers every request, and asked holds them."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.asked: list[Asked] = []
        self._open: list[socket.socket] = []
        self._server: ThreadingHTTPServer | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """The address, with a slash at its end."""
        return f"http://127.0.0.1:{self.port}/"

    def of(self, path: str) -> list[Asked]:
        """Return the requests for a path."""
        return [asked for asked in self.asked if asked.path == path]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.die()

    def start(self) -> None:
        """Listen: at a port of its own, and after a death at the same one."""
        stage = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                stage._open.append(self.request)
                super().setup()

            def do_GET(self) -> None:
                asked = Asked(self)
                stage.asked.append(asked)
                stage.scene(asked)

            def log_message(self, *_: Any) -> None:
                pass

            def handle(self) -> None:
                with contextlib.suppress(OSError, ValueError):
                    super().handle()

            def finish(self) -> None:
                with contextlib.suppress(OSError, ValueError):
                    super().finish()

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def die(self) -> None:
        """Break every connection off, and listen no more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._open.clear()
