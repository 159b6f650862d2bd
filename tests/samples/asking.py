"""How these tests ask the sample server: one bare request at a time."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from email.message import Message
from urllib.parse import urlsplit

from samples.bodies import generated
from samples.serve import SampleServer

CAT = "/pictures/cat.jpg"
MADE = "/generated/1000.bin"
WHOLE = generated(1000).all()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for one request."""

    status: int
    headers: Message
    body: bytes


@dataclass(frozen=True, slots=True)
class Asker:
    """Sends single requests, each on its own connection, with nothing added."""

    server: SampleServer

    def __call__(self, path: str, method: str = "GET", **headers: str) -> Reply:
        """Ask for a path; `If_Range="x"` sends `If-Range: x`."""
        connection = http.client.HTTPConnection(urlsplit(self.server.url).netloc, timeout=5)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): text for name, text in headers.items()})
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()
