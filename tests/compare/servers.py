"""Servers that the sample server cannot be: one whose body changes, one that waits until it is told to go on."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def serving(body: Callable[[], bytes]) -> Iterator[str]:
    """Serve what `body` returns at every address; lend the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = body()
            try:
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except ConnectionError:
                pass  # whoever asked was ended by the test

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it has above
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def changing() -> Callable[[], bytes]:
    """Return a body that is another one at every request."""
    numbers = itertools.count()
    return lambda: b"%d" % next(numbers)


class Waiting:
    """A body that says when it is asked for, and then waits."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.go_on = threading.Event()

    def __call__(self) -> bytes:
        """Return the body once it may go on."""
        self.asked.set()
        self.go_on.wait(30)
        return b"late"
