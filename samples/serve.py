"""Serve the sample site on this machine, correctly, or with the faults that a query asks for (see `faults.py`).

Example: python samples/serve.py --port 8000
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import ssl
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

if not __package__:  # run as a script, from anywhere
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from samples.answers import Answer, decide
from samples.bodies import Body
from samples.faults import Faults, Memory, change, cut_at, paced, refuse
from samples.members import LOGIN, Members
from samples.shelf import Shelf


class Site:
    """The one request handler: a fault's answer, or the body that stands at the path."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.members = Members()
        self.shelf = Shelf()

    def log(self) -> dict[str, Any]:
        """Return what was asked since the last reset, by path and query, and the most requests at one time."""
        paths = {path: {"count": len(seen), "requests": list(seen)} for path, seen in self.memory.seen.items()}
        return {"peak": self.memory.peak, "paths": paths}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        if (request.method, request.path) == ("GET", "/log"):
            return web.json_response(self.log())
        if (request.method, request.path) == ("POST", "/reset"):
            self.memory.reset()
            return web.Response(status=204)
        self.memory.note(request)
        self.memory.busy += 1
        self.memory.peak = max(self.memory.peak, self.memory.busy)
        try:
            return await self._answer(request)
        except ValueError as error:
            return web.Response(status=400, text=f"{error}\n")
        finally:
            self.memory.busy -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        methods = ("GET", "HEAD", "POST") if request.path == LOGIN else ("GET", "HEAD")
        if request.method not in methods:
            return web.Response(status=405, headers={"Allow": ", ".join(methods)})
        faults = Faults.asked(request.query)
        await asyncio.sleep(faults.delay)
        if refusal := refuse(request, faults, self.memory):
            return refusal
        if reply := await self.members.answer(request):
            return reply
        body = self.shelf.find(request.path, f"{request.scheme}://{request.host}", request.query.get("seed", "0"))
        if body is not None:
            body = change(body, faults)
            answer = decide(request.method, request.headers, body, wrong_range=faults.wrongrange)
            return await self._deliver(request, body, answer, faults)
        if self.shelf.is_folder(request.path):
            target = request.rel_url.with_path(f"{request.path}/", keep_query=True)
            return web.Response(status=301, headers={"Location": str(target)})
        return web.Response(status=404, text=f"there is nothing at {request.path}\n")

    async def _deliver(self, request: web.Request, body: Body, answer: Answer, faults: Faults) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        length = answer.stop - answer.start
        if faults.chunked and request.version >= (1, 1):
            response.enable_chunked_encoding()
        elif not faults.chunked and answer.status != 304:
            response.content_length = length
        share = cut_at(request, faults, self.memory) if length and request.method == "GET" else None
        await response.prepare(request)
        if request.method == "HEAD":
            return response
        if faults.hang:
            await asyncio.Event().wait()
        stop = answer.stop if share is None else answer.start + int(length * share)
        async for piece in paced(body.read(answer.start, stop), faults):
            await response.write(piece)
        if share is not None and request.transport:
            request.transport.close()
        return response


async def run(
    site: Site, host: str, port: int, ready: Callable[[str], None], tls: ssl.SSLContext | None = None
) -> None:
    """Serve until cancelled; call `ready` with the address once it listens."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", site.answer)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=tls).start()
        name = f"[{host}]" if ":" in host else host
        ready(f"{'https' if tls else 'http'}://{name}:{runner.addresses[0][1]}/")
        await asyncio.Event().wait()
    finally:
        for connection in runner.server.connections if runner.server else ():
            if connection.transport:  # at once: a TLS connection's goodbye would outlive the loop
                connection.transport.abort()
        await runner.cleanup()


class SampleServer:
    """The server in a background thread: `with SampleServer() as server: get(server.url + "item/cat.html")`."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, tls: ssl.SSLContext | None = None) -> None:
        self.url = ""
        self._site = Site()
        self._ready = threading.Event()
        self._error: Exception | None = None
        self._stop: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=self._work, args=(host, port, tls), name="sample server", daemon=True)

    def log(self, path: str | None = None) -> Any:
        """Return the log, or the list of requests seen for one path and query (as in `/files/a.txt?fail=2`)."""
        log = self._site.log()
        return log if path is None else log["paths"].get(path, {"requests": []})["requests"]

    def reset(self) -> None:
        """Forget what was asked, and let counted faults begin again."""
        self._site.memory.reset()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._error:
            raise self._error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stop()
        self._thread.join()

    def _work(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        try:
            asyncio.run(self._serve(host, port, tls))
        except asyncio.CancelledError:
            pass
        except Exception as error:
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        task = asyncio.ensure_future(run(self._site, host, port, self._announce, tls))
        self._stop = partial(asyncio.get_running_loop().call_soon_threadsafe, task.cancel)
        await task

    def _announce(self, url: str) -> None:
        self.url = url
        self._ready.set()


def main() -> None:
    """Serve in the foreground until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--port-file", type=Path, metavar="FILE", help="write the port here when ready")
    options = parser.parse_args()
    asyncio.run(_until_signal(options.host, options.port, options.port_file))


async def _until_signal(host: str, port: int, port_file: Path | None) -> None:
    def ready(url: str) -> None:
        if port_file:
            port_file.write_text(url.rstrip("/").rpartition(":")[2], encoding="ascii")
        print(url, flush=True)

    task = asyncio.ensure_future(run(Site(), host, port, ready))
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, task.cancel)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


if __name__ == "__main__":
    main()
