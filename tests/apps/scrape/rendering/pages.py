"""Pages whose rows come by script, a server for what they ask for, and a job that renders them."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import psutil
import pytest

from toolkit import clients
from toolkit.apps.scrape.render import Rendered, check_render, render
from toolkit.clients import ClientOptions
from toolkit.core.errors import UsageError
from toolkit.core.http import Head, Headers
from toolkit.core.job import Runtime
from toolkit.core.network import Network
from toolkit.core.runtime import BlockingClient, BlockingRuntime, drive
from toolkit.core.task import Task

try:
    check_render()
    MISSING = ""
except UsageError as error:
    MISSING = str(error)

needs_chromium = pytest.mark.skipif(bool(MISSING), reason=MISSING or "there is one")

SCRIPT = """
fetch("/data.json").then(answer => answer.json()).then(rows => {
  for (const row of rows) document.querySelector("ul").insertAdjacentHTML("beforeend", `<li>${row}</li>`);
});
"""
PAGE = '<!doctype html><title>t</title><ul></ul><script src="/app.js"></script>'
ROWS = "<ul><li>ä</li><li>b</li><li>c</li></ul>"
LIMIT = 2_000_000


@dataclass
class Site:
    """A running server. asked: what was asked of it, as (method, path, header fields, body)."""

    url: str
    bodies: dict[str, tuple[bytes, dict[str, str]]]
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        """Return the paths that were asked for, in order."""
        return [path for _, path, _, _ in self.asked]

    def headers(self, path: str) -> dict[str, str]:
        """Return what a path was asked for with; names in small letters."""
        return next(headers for _, seen, headers, _ in self.asked if seen == path)


@contextmanager
def serving() -> Iterator[Site]:
    """Run the server."""
    bomb = gzip.compress(b" " * (LIMIT + 1_000_000))
    bodies: dict[str, tuple[bytes, dict[str, str]]] = {
        "/data.json": ('["ä", "b", "c"]'.encode(), {"Content-Type": "application/json"}),
        "/app.js": (SCRIPT.encode(), {"Content-Type": "text/javascript"}),
        "/bomb.js": (bomb, {"Content-Type": "text/javascript", "Content-Encoding": "gzip"}),
        "/big.js": (b"/*" + b"x" * 1_000_000 + b"*/document.title='big'", {"Content-Type": "text/javascript"}),
        "/open.json": (b'["open"]', {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*"}),
        "/shut.json": (b'["shut"]', {"Content-Type": "application/json"}),
        "/moved.json": (b"", {"Location": "/data.json"}),
        "/slow.json": (b"[1]", {"Content-Type": "application/json"}),
    }
    site = Site("", bodies)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            fields = {name.lower(): value for name, value in self.headers.items()}
            site.asked.append((self.command, self.path, fields, self.rfile.read(size)))
            body, headers = site.bodies.get(self.path.partition("?")[0], (b"", {}))
            if self.path == "/slow.json":
                time.sleep(1)
            self.send_response(302 if "Location" in headers else 200 if headers else 404)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):  # whoever asked wants it no more
                self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the server's name for it

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield site
        server.shutdown()


async def rendered(
    runtime: Runtime, url: str, html: str | bytes = PAGE, wait: str = "", seconds: float = 20.0, **options: Any
) -> Rendered:
    """Return a page rendered."""
    network = options.pop("network", Network())
    head = Head(url, 200, Headers([("Content-Type", options.pop("kind", "text/html; charset=utf-8"))]))
    fields = (("User-Agent", "toolkit-test/1"), *options.pop("fields", ()))
    request = network.request(url, fields)
    body = html.encode() if isinstance(html, str) else html
    limit = options.pop("limit", LIMIT)
    return await render(
        runtime, head, body, wait, request=request, network=network, limit=limit, timeout=seconds, **options
    )


def see(url: str, html: str | bytes = PAGE, wait: str = "", timeout: float = 20.0, **options: Any) -> Rendered:
    """Return a page rendered as by a blocking model."""
    kind = clients.load("requests", "blocking")
    runtime = BlockingRuntime(
        lambda: cast("BlockingClient", kind.open(ClientOptions())),
        received=lambda _: None,
        cancelled=options.pop("cancelled", lambda: False),
    )
    try:
        return drive(rendered(runtime, url, html, wait, timeout, **options))
    finally:
        runtime.close()


class Rendering:
    """The job: its payload is (wait, URL)."""

    async def __call__(self, task: Task[Any], runtime: Runtime) -> Any:
        """Render the page and return its HTML."""
        wait, url = task.payload
        found = await rendered(runtime, url, wait=wait)
        return found.body.decode(), found.requests, dict(found.refused)


def browsers(of: psutil.Process | None = None) -> list[psutil.Process]:
    """Return the processes of browsers, and of what speaks with them, below a process (this one)."""
    found = []
    for child in (of or psutil.Process()).children(recursive=True):
        try:
            if child.status() != psutil.STATUS_ZOMBIE and {"chrom", "node"} & {child.name()[:5], child.name()[:4]}:
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


def until(true: Callable[[], object], seconds: float = 15.0) -> bool:
    """Wait for something that other processes do; tell whether it came."""
    ends = time.monotonic() + seconds
    while not true():
        if time.monotonic() > ends:
            return False
        time.sleep(0.02)
    return True
