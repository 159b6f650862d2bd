"""A site for members: a form with a token, a cookie at each step, pages behind it; it counts what is asked of it."""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

FORM = """<!doctype html><title>Log in</title><form action=search><input name=q></form>
<form id=in method=post><input type=hidden name=csrf value="{}"><input name=user><input type=password name=word>
<button name=go value=1>Log in</button></form>"""
HOME = '<!doctype html><title>Home</title><a class=out href="/out">Log out</a>'
USER = ("ann", "p\xe4ss & w\xf6rd")

Fields = tuple[tuple[str, str], ...]


@dataclass
class Club:
    """A running site. answers: what stands at a path instead (status, fields, body); sessions: those that hold."""

    address: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    tokens: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)
    answers: dict[str, tuple[int, Fields, str]] = field(default_factory=dict)
    posted: list[dict[str, str]] = field(default_factory=list)

    @property
    def login(self) -> str:
        """The page with the form."""
        return f"{self.address}/login"


@contextmanager
def club() -> Iterator[Club]:  # noqa: C901 - one answer a line
    """Run the site."""
    served = Club()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer."""
            path = urlsplit(self.path).path
            served.asked[f"GET {path}"] += 1
            if answer := served.answers.get(f"GET {path}"):
                self._reply(*answer)
            elif path == "/login":
                token = secrets.token_hex(8)
                served.tokens.add(token)
                self._reply(200, (("Set-Cookie", f"csrf={token}; Path=/login; HttpOnly"),), FORM.format(token))
            elif self._cookies().get("sid") not in served.sessions:
                self._reply(302, (("Location", f"/login?next={path}"),), "")
            elif path == "/welcome":
                self._reply(302, (("Location", "/home"), ("Set-Cookie", "greeted=yes; Path=/")), "")
            else:
                self._reply(200, (), HOME if path == "/home" else f"<!doctype html><title>{path}</title>")

        def do_POST(self) -> None:
            """Take the form."""
            served.asked[f"POST {self.path}"] += 1
            said = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode(), strict_parsing=True))
            served.posted.append({**said, **{f"{name}:": self.headers[name] for name in ("Origin", "Referer")}})
            if answer := served.answers.get(f"POST {self.path}"):
                self._reply(*answer)
            elif said["csrf"] not in served.tokens or self._cookies().get("csrf") != said["csrf"]:
                self._reply(403, (), "no token")
            elif (said["user"], said["word"]) != USER:
                self._reply(200, (), FORM.format("x"))
            else:
                session = secrets.token_hex(8)
                served.sessions.add(session)
                self._reply(303, (("Location", "/welcome"), ("Set-Cookie", f"sid={session}; Path=/; HttpOnly")), "")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

        def _cookies(self) -> dict[str, str]:
            return {name: each.value for name, each in SimpleCookie(self.headers.get("Cookie", "")).items()}

        def _reply(self, status: int, fields: Fields, body: str) -> None:
            self.send_response(status)
            content = body.encode()
            for name, value in (*fields, ("Content-Type", "text/html; charset=utf-8")):
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
