"""What the user gave for logging in, and where it may go: the own origin, exact hosts of a netrc, a cookie's domain.

Nothing of it shows in a repr. A user name in the URL and header fields that the user wrote go before all of it.
"""

from __future__ import annotations

import base64
import netrc
import re
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from toolkit.core.cookies import Jar, read_cookies
from toolkit.core.digest import Challenge, Nonces, answer, challenge_in
from toolkit.core.errors import TaskError, UsageError
from toolkit.core.http import Head, Request
from toolkit.core.unauthorized import UNAUTHORIZED, with_advice
from toolkit.core.urls import origin_of

Login = tuple[str, str]
"""A user name and its password."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Credentials:
    """What there is; picklable. user, bearer: for the user's own URLs. hosts: of a netrc, with "" for any own host."""

    user: Login | None = None
    bearer: str | None = None
    digest: bool = False
    hosts: dict[str, Login] = field(default_factory=dict)
    jar: Jar | None = None
    nonces: Nonces = field(default_factory=Nonces)

    def __repr__(self) -> str:
        return "Credentials(...)"


class Visitor:
    """Who we are along one chain of redirects that begins at home, an URL of the user's."""

    def __init__(self, credentials: Credentials, home: str) -> None:
        self._all = credentials
        self._home = origin_of(home)
        self._left = False
        self._was_secure = False
        self._in_url: tuple[tuple[str, str], Login] | None = None
        self._preemptive = False
        self._scheme = ""
        self._fresh: tuple[tuple[tuple[str, str], str], Challenge] | None = None

    def dressed(self, request: Request) -> Request:
        """Return the request with what may go to its URL."""
        self._fresh = None
        origin = origin_of(request.url)
        self._left = self._left or origin != self._home
        self._was_secure = self._was_secure or origin[0] == "https"
        if self._all.digest and "@" in request.url:
            request = self._undressed(request, origin)
        given = {name.lower() for name, _ in request.headers}
        fields = []
        if "authorization" not in given and (value := self._authorization(request, origin)):
            fields.append(("Authorization", value))
        if "cookie" not in given and self._all.jar and (value := self._all.jar.field(request.url, time.time())):
            fields.append(("Cookie", value))
        dressed = request.with_headers(*fields) if fields else request
        self._scheme = scheme_of(dressed)
        return dressed

    def refused(self, failure: TaskError, head: Head) -> TaskError:
        """Return the failure that a 401 is, with what to do about it."""
        left = self._left and bool(self._all.user or self._all.bearer)
        return with_advice(failure, head, self._scheme, left=left, digest=self._all.digest)

    def again(self, sent: Request, head: Head) -> Request | None:
        """Return the request that answers a server's challenge, or None if there is none that could be answered."""
        if head.status != UNAUTHORIZED or not self._all.digest:
            self._share()
            return None
        origin = origin_of(sent.url)
        login, challenge = self._login(sent, origin), challenge_in(head.headers)
        ours = next((value for name, value in sent.headers if name.lower() == "authorization"), "")
        if login is None or challenge is None or (ours and not ours.startswith("Digest ")):
            return None
        if ours and not self._preemptive and not challenge.stale:
            return None  # the answer was wrong: so is the password
        # It is ours alone until our answer was taken: some servers want no nonce twice.
        self._fresh = (origin, login[0]), challenge
        rest = tuple(each for each in sent.headers if each[0].lower() != "authorization")
        value = answer(challenge, 1, login, sent.method, sent.url)
        self._preemptive, self._scheme = False, "digest"
        return replace(sent, headers=(*rest, ("Authorization", value)))

    def _share(self) -> None:
        """Let others answer the challenge that we have answered well."""
        if self._fresh is not None:
            server, challenge = self._fresh
            self._all.nonces.learn(server, challenge, answered=1)
            self._fresh = None

    def _authorization(self, request: Request, origin: tuple[str, str]) -> str:
        if self._all.bearer and not self._left:
            return f"Bearer {self._all.bearer}"
        if "@" in urlsplit(request.url).netloc:
            return ""  # the client's business
        login = self._login(request, origin)
        if login is None:
            return ""
        if self._all.digest:
            self._preemptive = True
            return self._answer(request, origin, login)
        return basic(login)

    def _answer(self, request: Request, origin: tuple[str, str], login: Login) -> str:
        taken = self._all.nonces.take((origin, login[0]))
        return answer(*taken, login, request.method, request.url) if taken else ""

    def _login(self, request: Request, origin: tuple[str, str]) -> Login | None:
        """Return the user name and password for a URL: its own, the given one, or that of the netrc."""
        if self._in_url is not None and self._in_url[0] == origin:
            return self._in_url[1]
        if self._all.user and not self._left:
            return self._all.user
        if self._was_secure and origin[0] != "https":
            return None  # a redirect may not lure a password into the open
        host = (urlsplit(request.url).hostname or "").lower()
        return self._all.hosts.get(host) or (None if self._left else self._all.hosts.get(""))

    def _undressed(self, request: Request, origin: tuple[str, str]) -> Request:
        """Take user name and password out of a URL, from which clients would send them as they are."""
        login = login_in(request.url)
        if login is None:
            return request
        self._in_url = origin, login
        return replace(request, url=re.sub(r"//[^/?#]*@", "//", request.url, count=1))


def basic(login: Login) -> str:
    """Return the Authorization field that says user name and password (RFC 7617), as UTF-8."""
    return "Basic " + base64.b64encode(":".join(login).encode()).decode()


def scheme_of(request: Request) -> str:
    """Return by what kind of login a request goes, in lower case, or "" for none."""
    return next(
        (value.partition(" ")[0] for name, value in request.headers if name.lower() == "authorization"), ""
    ).lower()


def login_in(url: str) -> Login | None:
    """Return the user name and password in a URL, if it has any."""
    parts = urlsplit(url)
    return (unquote(parts.username or ""), unquote(parts.password or "")) if "@" in parts.netloc else None


def load_credentials(
    *,
    user: str | None = None,
    bearer: str | None = None,
    digest: bool = False,
    use_netrc: bool = False,
    netrc_file: Path | None = None,
    cookies: Path | None = None,
) -> Credentials | None:
    """Return what the options of these names give, or None for nothing; raises UsageError, which names no secret."""
    if bearer is not None and (user is not None or digest):
        raise UsageError("--bearer is one way to log in, --user and --digest are another: choose one")
    if bearer is not None and not re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", bearer):
        raise UsageError("--bearer: a token has letters, digits and . _ ~ + / - only")
    login = None
    if user is not None:
        name, colon, password = user.partition(":")
        if not colon or re.search(r"[\x00-\x1f\x7f]", user):
            raise UsageError("--user: write NAME:PASSWORD")
        login = name, password
    hosts = _netrc(netrc_file) if use_netrc or netrc_file else {}
    jar = _jar(cookies) if cookies else None
    if not (login or bearer or digest or hosts or jar):
        return None
    return Credentials(login, bearer, digest, hosts, jar)


def _netrc(path: Path | None) -> dict[str, Login]:
    shown = f"--netrc-file {path}" if path else "--netrc ~/.netrc"
    try:
        read = netrc.netrc(None if path is None else str(path))
    except netrc.NetrcParseError as error:
        # Not its message: that may quote a password.
        where = f" line {error.lineno}:" if error.lineno else ""
        why = "cannot be read as a netrc" if error.lineno else error.msg
        raise UsageError(f"{shown}:{where} {why}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{shown}: {getattr(error, 'strerror', None) or 'not a text file'}") from error
    return {
        "" if host == "default" else host.lower(): (login, password)
        for host, (login, _, password) in read.hosts.items()
        if login or password
    }


def _jar(path: Path) -> Jar:
    try:
        return read_cookies(path.read_text("utf-8-sig"), f"--cookies {path}")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--cookies {path}: {getattr(error, 'strerror', None) or 'not a text file'}") from error
