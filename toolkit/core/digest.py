"""Logging in by HTTP digest (RFC 7616): MD5 and SHA-256, plain and -sess, protected by `auth` or as of old."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from toolkit.core.http import Headers

ALGORITHMS = {"md5": "md5", "sha-256": "sha256"}
MOST = 1000
"""Servers whose last challenge is remembered."""
_PART = re.compile(
    r'(?P<key>[\w!#$%&\'*+.^`|~-]+)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s,"]+))'
    r"|(?P<scheme>[A-Za-z][\w-]*)(?=[\s,]|$)"
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server asks to be answered. cnonce: our own part, the same for all answers to it."""

    realm: str
    nonce: str
    algorithm: str = ""
    qop: bool = False
    opaque: str | None = None
    stale: bool = False
    userhash: bool = False
    cnonce: str = field(default_factory=lambda: secrets.token_hex(8))


class Nonces:
    """The last challenge of each server in this process, with how often it was answered; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Any, tuple[Challenge, int]] = OrderedDict()

    def __reduce__(self) -> tuple[Any, ...]:
        """Arrive empty in another process: two may not count the same nonce."""
        return Nonces, ()

    def learn(self, server: Any, challenge: Challenge, answered: int = 0) -> None:
        """Keep a challenge that was answered so often."""
        with self._lock:
            self._known[server] = challenge, answered
            while len(self._known) > MOST:
                self._known.popitem(last=False)

    def take(self, server: Any) -> tuple[Challenge, int] | None:
        """Return the challenge to answer, and the number of this answer, from 1."""
        with self._lock:
            if server not in self._known:
                return None
            challenge, count = self._known[server]
            self._known[server] = challenge, count + 1
            return challenge, count + 1


def challenge_in(headers: Headers) -> Challenge | None:
    """Return the first challenge that can be answered in a 401's WWW-Authenticate fields, or None."""
    for scheme, parameters in _challenges(headers):
        if scheme != "digest" or not parameters.get("nonce"):
            continue
        algorithm = parameters.get("algorithm", "")
        offered = [each.strip().lower() for each in parameters.get("qop", "").split(",") if each.strip()]
        if algorithm.lower().removesuffix("-sess") in ("", *ALGORITHMS) and (not offered or "auth" in offered):
            return Challenge(
                parameters.get("realm", ""),
                parameters["nonce"],
                algorithm,
                bool(offered),
                parameters.get("opaque"),
                parameters.get("stale", "").lower() == "true",
                parameters.get("userhash", "").lower() == "true",
            )
    return None


def schemes_in(headers: Headers) -> set[str]:
    """Return the kinds of login that a 401 offers, in lower case."""
    return {scheme for scheme, _ in _challenges(headers)}


def answer(challenge: Challenge, count: int, login: tuple[str, str], method: str, url: str) -> str:
    """Return the Authorization field for a request to a URL; login: user name and password."""
    user, password = login
    name = challenge.algorithm.lower()
    cnonce, number, target = challenge.cnonce, f"{count:08x}", _target(url)

    def digest(*parts: str) -> str:
        kind = ALGORITHMS[name.removesuffix("-sess") or "md5"]
        return hashlib.new(kind, ":".join(parts).encode(), usedforsecurity=False).hexdigest()

    secret = digest(user, challenge.realm, password)
    if name.endswith("-sess"):
        secret = digest(secret, challenge.nonce, cnonce)
    protected = (number, cnonce, "auth") if challenge.qop else ()
    response = digest(secret, challenge.nonce, *protected, digest(method, target))
    fields = [
        _user(digest(user, challenge.realm) if challenge.userhash else user),
        f"realm={_quoted(challenge.realm)}",
        f"nonce={_quoted(challenge.nonce)}",
        f"uri={_quoted(target)}",
        f"response={_quoted(response)}",
    ]
    if challenge.algorithm:
        fields.append(f"algorithm={challenge.algorithm}")
    if challenge.opaque is not None:
        fields.append(f"opaque={_quoted(challenge.opaque)}")
    if challenge.qop:
        fields += ["qop=auth", f"nc={number}", f"cnonce={_quoted(cnonce)}"]
    if challenge.userhash:
        fields.append("userhash=true")
    return "Digest " + ", ".join(fields)


def _challenges(headers: Headers) -> list[tuple[str, dict[str, str]]]:
    """Take WWW-Authenticate apart (RFC 9110, 11.6.1): several challenges may stand in one field."""
    text = ", ".join(headers.all("www-authenticate"))
    # Fields are read as latin-1 and sent as UTF-8: what comes is to go back, and to be hashed, as the same bytes.
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode()
    found: list[tuple[str, dict[str, str]]] = []
    for part in _PART.finditer(text):
        if part["scheme"]:
            found.append((part["scheme"].lower(), {}))
        elif found:
            value = re.sub(r"\\(.)", r"\1", part["quoted"]) if part["quoted"] is not None else part["plain"]
            found[-1][1].setdefault(part["key"].lower(), value)
    return found


def _target(url: str) -> str:
    """Return path and query as they go on the wire."""
    target = re.sub(r"^[^/?]*", "", url.partition("#")[0].partition("://")[2])
    return target if target.startswith("/") else f"/{target}"


def _user(name: str) -> str:
    return f"username={_quoted(name)}" if name.isascii() else f"username*=UTF-8''{quote(name, safe='')}"


def _quoted(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
