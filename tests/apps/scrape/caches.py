"""What the tests of the cache share: a server whose answers are scripted, a job that fetches through the cache."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from toolkit.apps.scrape.bodies import BodySink
from toolkit.apps.scrape.caching import CachingRuntime
from toolkit.apps.scrape.pagecache import shared
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Head, Reply, Request, Sink, http_error
from toolkit.core.job import Runtime
from toolkit.core.task import Task

PAGE = b"<title>A page</title>" + b"<p>words</p>" * 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server says; cut: bytes of the body that never come; framed: whether it tells how long the body is."""

    status: int = 200
    body: bytes = PAGE
    headers: tuple[tuple[str, str], ...] = ()
    cut: int = 0
    framed: bool = True


Script = Callable[[dict[str, str], int], Answer]
"""Gives the answer to a request with these fields (names in small letters), the so-manieth for its path, from 1."""


class Origin:
    """A server of scripted answers: `with Origin({"/a": script}) as origin`. asked: what came, path and fields."""

    def __init__(self, scripts: dict[str, Script]) -> None:
        self.scripts = scripts
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._lock = threading.Lock()

    def url(self, path: str) -> str:
        """Return where a path is."""
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def paths(self) -> list[str]:
        """Return the paths asked for since the last look, in order."""
        with self._lock:
            asked, self.asked = self.asked, []
        return [path for path, _ in asked]

    def answer(self, path: str, fields: dict[str, str]) -> Answer:
        """Note a request and answer it."""
        with self._lock:
            self.asked.append((path, fields))
            count = sum(each == path for each, _ in self.asked)
        script = self.scripts.get(path)
        return script(fields, count) if script else Answer(404, b"none")

    def __enter__(self) -> Self:
        handler = type("Scripted", (_Handler,), {"origin": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    origin: Origin

    def do_GET(self) -> None:
        """Answer."""
        answer = self.origin.answer(self.path, {name.lower(): value for name, value in self.headers.items()})
        self.send_response_only(answer.status)
        headers = answer.headers
        if answer.framed and answer.status != 304 and "Transfer-Encoding" not in dict(headers):
            headers = (*headers, ("Content-Length", str(len(answer.body))))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if answer.status != 304:
            self.wfile.write(answer.body[: len(answer.body) - answer.cut])
        if answer.cut or not answer.framed:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


class Door:
    """Lets pages in, decoded; counts how often it was asked."""

    def __init__(self, limit: int = 1_000_000) -> None:
        self.heads: list[Head] = []
        self.sink: BodySink | None = None
        self._limit = limit

    def accept(self, head: Head) -> Sink | None:
        """Return the sink; raises TaskError for what is no page."""
        self.heads.append(head)
        if not 200 <= head.status < 300:
            raise http_error(head)
        if head.headers.get("content-type") == "application/pdf":
            raise TaskError(FailureKind.UNSUPPORTED, "no page")
        self.sink = BodySink(head.headers, self._limit)
        return self.sink

    def body(self) -> bytes:
        """Return the page."""
        return b"" if self.sink is None else self.sink.body()


@dataclass(frozen=True, slots=True)
class Fetching:
    """A job that fetches a URL through the cache, as much later as `later` says; returns (kept, status, body)."""

    path: str
    later: float = 0.0
    options: dict[str, Any] = field(default_factory=dict)

    async def __call__(self, task: Task[str], runtime: Runtime) -> tuple[str, int, bytes]:
        """Fetch."""
        later = self.later
        caching = CachingRuntime(runtime, shared(self.path), clock=lambda: time.time() + later, **self.options)
        reply, body = await fetched(caching, Request(task.payload))
        return reply.kept, reply.head.status, body


async def fetched(runtime: Runtime, request: Request, limit: int = 1_000_000) -> tuple[Reply, bytes]:
    """Fetch a page; return the reply and the page."""
    door = Door(limit)
    reply = await runtime.fetch(request, door.accept)
    assert reply.head is door.heads[-1], "a job sees the head that it was asked about"
    return reply, door.body()
