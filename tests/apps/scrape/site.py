"""A small site for crawls, which counts what is asked of it."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LEAVES = 40


def page(title: str, *links: str, head: str = "") -> bytes:
    """Return a page with a title and links."""
    anchors = "".join(f'<a href="{link}">x</a>' for link in links)
    return f"<!doctype html><title>{title}</title>{head}{anchors}".encode()


PAGES: dict[str, bytes] = {
    "/robots.txt": b"User-agent: *\nDisallow: /secret\n",
    "/": page(
        "start", "/a", "b#part", "/a?x", "/A", "http://elsewhere.invalid/", "/secret", "/loop", "/moved", "/file.zip"
    ),
    "/a": page("a", "/", "/deep/1", "/a", "/../a", "/%61"),
    "/A": page("A"),
    "/a?x": page("a?x"),
    "/b": page("b", *(f"/leaf/{number}?x=1&a={number}" for number in range(LEAVES))),
    "/deep/1": page("deep 1", "/deep/2"),
    "/deep/2": page("deep 2", "/deep/3"),
    "/deep/3": page("deep 3"),
    "/target": page("target"),
    "/late": page("late"),
    "/file.zip": b"PK",
    "/hidden": page("hidden", "/b", head="<meta name=robots content=noindex>"),
    "/shut": page("shut", "/deep/1", head="<meta name=robots content=nofollow>"),
}


MOVED = {"/moved": "/target", "/other": "/target", "/loop": "http://elsewhere.invalid/x"}


@dataclass
class Served:
    """A running site. asked: how often each path was. late: what the page /late waits for. broken: what answers 500."""

    address: str
    asked: Counter[str] = field(default_factory=Counter)
    pages: dict[str, bytes] = field(default_factory=dict)
    late: threading.Event = field(default_factory=threading.Event)
    broken: set[str] = field(default_factory=set)


@contextmanager
def serving() -> Iterator[Served]:
    """Run the site."""
    served = Served("", pages=dict(PAGES))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer."""
            served.asked[self.path] += 1
            if self.path in MOVED:
                self._reply(302, b"", ("Location", MOVED[self.path]))
                return
            if self.path in served.broken:
                self._reply(500, b"")
                return
            if self.path == "/late":
                served.late.wait(30)
            leaf = re.match(r"/leaf/(\d+)", self.path)
            body = page(f"leaf {leaf[1]}", "/") if leaf else served.pages.get(self.path)
            kind = {"zip": "application/zip", "xml": "text/xml"}.get(self.path.rpartition(".")[2], "text/html")
            self._reply(404 if body is None else 200, body or b"", ("Content-Type", kind))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

        def _reply(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
            self.send_response(status)
            for name, value in (*headers, ("Content-Length", str(len(body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
