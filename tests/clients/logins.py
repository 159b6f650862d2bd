"""A server that lets nobody in without a login, and checks an answer to its challenge as RFC 7616 says, by itself."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote
from urllib.request import parse_http_list, parse_keqv_list

BODY = b"<html><title>welcome</title></html>"


@dataclass
class Asked:
    """One request: its path, the fields that say who asks, and the status that it got."""

    path: str
    authorization: str
    cookie: str
    status: int = 0
    answer: dict[str, str] = field(default_factory=dict)


class LoginServer:
    """Serves BODY at every path to those who may have it; `/to/URL` leads to a URL.

    way: "basic", "digest", "bearer" or "" for no login at all. users: passwords by name; a bearer's token under "".
    algorithm: of a digest, "" for none said. qop: whether answers are protected. uses: how often a nonce may be
    answered before it is stale. realm: bytes as UTF-8.
    """

    def __init__(
        self,
        way: str = "basic",
        users: dict[str, str] | None = None,
        *,
        algorithm: str = "MD5",
        qop: bool = True,
        uses: int = 1000,
        realm: str = "the files",
    ) -> None:
        self.way, self.users = way, {"joe": "pass:word"} if users is None else users
        self.algorithm, self.qop, self.uses, self.realm = algorithm, qop, uses, realm
        self.asked: list[Asked] = []
        self.wrong: list[str] = []
        """Answers that no honest client gives: numbers used twice, targets of other requests."""
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._counts: dict[str, set[str]] = {}
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.port: int = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def named(self, host: str, user: str = "") -> str:
        """Return the server's address by another name, or with a user in it."""
        return self.url.replace("127.0.0.1", user + host)

    def statuses(self) -> list[int]:
        """Return what each request got, in order."""
        return [each.status for each in self.asked]

    def _judge(self, asked: Asked, method: str) -> tuple[int, str]:
        """Return the status, and the challenge that goes with a 401."""
        scheme, _, rest = asked.authorization.partition(" ")
        if not self.way:
            return 200, ""
        if self.way == "bearer":
            return (200, "") if (scheme, rest) == ("Bearer", self.users[""]) else (401, "Bearer")
        if self.way == "basic":
            known = {base64.b64encode(f"{name}:{password}".encode()).decode() for name, password in self.users.items()}
            return (200, "") if scheme == "Basic" and rest in known else (401, f'Basic realm="{self.realm}"')
        if scheme != "Digest":
            return 401, self._challenge()
        asked.answer = parse_keqv_list(parse_http_list(rest))
        good = self._is_right(asked.answer, asked.path, method)
        with self._lock:
            used = self._counts.setdefault(asked.answer["nonce"], set())
            number = asked.answer.get("nc", str(len(used)))
            if number in used:
                self.wrong.append(f"number {number} was used before")
            stale = not asked.answer["nonce"].startswith("ours") or len(used) >= self.uses
            used.add(number)
        return (200, "") if good and not stale else (401, self._challenge() + (", stale=true" if good else ""))

    def _challenge(self) -> str:
        text = f'Digest realm="{self.realm}", nonce="ours{next(self._numbers)}", opaque="a\\"b"'
        text += ', qop="auth,auth-int"' if self.qop else ""
        return text + (f", algorithm={self.algorithm}" if self.algorithm else "")

    def _is_right(self, said: dict[str, str], path: str, method: str) -> bool:
        if said["uri"] != path:
            self.wrong.append(f"an answer for {said['uri']} at {path}")
        if said.get("realm", "").encode("latin-1").decode() != self.realm or said.get("opaque") != 'a"b':
            self.wrong.append("realm or opaque came back changed")
        if said.get("algorithm", "") != self.algorithm or ("qop" in said) != self.qop:
            self.wrong.append("another algorithm or protection than was asked for")
        name = said.get("username") or unquote(re.sub("^UTF-8''", "", said.get("username*", "")))
        kind = hashlib.sha256 if self.algorithm.startswith("SHA-256") else hashlib.md5

        def h(text: str) -> str:
            return kind(text.encode()).hexdigest()

        secret = h(f"{name}:{self.realm}:{self.users.get(name, object())}")
        if self.algorithm.endswith("-sess"):
            secret = h(f"{secret}:{said['nonce']}:{said['cnonce']}")
        middle = f"{said['nonce']}:{said['nc']}:{said['cnonce']}:auth" if self.qop else said["nonce"]
        return said["response"] == h(f"{secret}:{middle}:{h(f'{method}:{path}')}")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        ours = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                fields = self.headers
                asked = Asked(self.path, fields.get("Authorization", ""), fields.get("Cookie", ""))
                asked.status, challenge = ours._judge(asked, self.command)
                target = asked.path.partition("/to/")[2]
                if asked.status == 200 and "/missing" in asked.path:
                    asked.status = 404
                elif asked.status == 200 and target:
                    asked.status = 302
                with ours._lock:
                    ours.asked.append(asked)
                body = BODY if asked.status == 200 else b"no"
                self.send_response(asked.status)
                extra = {"WWW-Authenticate": challenge, "Location": target if asked.status == 302 else ""}
                for name, value in {**extra, "Content-Type": "text/html", "Content-Length": str(len(body))}.items():
                    if value:
                        self.send_header(name, value.encode().decode("latin-1"))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def do_HEAD(self) -> None:
                self.do_GET()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler
