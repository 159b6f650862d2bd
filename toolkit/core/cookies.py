"""Cookies that the user hands over in a file, and which of them go to a URL (RFC 6265, 5.4)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from toolkit.core.addresses import literal
from toolkit.core.errors import UsageError

HTTP_ONLY = "#HttpOnly_"
"""What browsers' exports and curl put before the domain of cookies that scripts may not read."""
_BAD = re.compile(r"[\x00-\x1f\x7f;]")


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie. exact: whether it goes to this host only, and not to those below it. expires: Unix time; 0: never."""

    host: str
    path: str
    name: str
    value: str = field(repr=False)
    exact: bool = True
    secure: bool = False
    expires: float = 0.0


class Jar:
    """Cookies by host."""

    __slots__ = ("_by_host",)

    def __init__(self, cookies: Iterable[Cookie] = ()) -> None:
        self._by_host: dict[str, list[Cookie]] = defaultdict(list)
        for cookie in cookies:
            self._by_host[cookie.host].append(cookie)

    def field(self, url: str, now: float) -> str:
        """Return the Cookie field for a URL at `now` (Unix time), or "" for none."""
        parts = urlsplit(url)
        host, path, secure = (parts.hostname or "").lower(), parts.path or "/", parts.scheme.lower() == "https"
        found = [
            cookie
            for name in domains_of(host)
            for cookie in self._by_host.get(name, ())
            if (name == host or not cookie.exact)
            and (secure or not cookie.secure)
            and (not cookie.expires or cookie.expires > now)
            and path_matches(path, cookie.path)
        ]
        found.sort(key=lambda cookie: -len(cookie.path))
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in found)


def read_cookies(text: str, where: str) -> Jar:
    """Return the cookies of a file in Netscape's form; raises UsageError with the number of a line that is wrong."""
    cookies: dict[tuple[str, str, str], Cookie] = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.removeprefix(HTTP_ONLY)  # noqa: PLW2901 - the rest of it is a line as any other
        if line.strip() and not line.startswith("#"):
            cookie = _cookie(line.rstrip("\r\n").split("\t"))
            if cookie is None:
                raise UsageError(
                    f"{where}:{number}: a cookie has seven fields between tabs (domain, whether for its subdomains,"
                    " path, whether for https only, expiry, name, value)"
                )
            cookies[cookie.host, cookie.path, cookie.name] = cookie  # the last one counts
    return Jar(cookies.values())


def _cookie(fields: list[str]) -> Cookie | None:
    if len(fields) == 6:  # noqa: PLR2004 - an empty value may have been trimmed off with its tab
        fields = [*fields, ""]
    if len(fields) != 7 or not re.fullmatch(r"\d*(\.\d+)?", fields[4]):  # noqa: PLR2004
        return None
    domain, below, path, secure, expires, name, value = fields
    host = domain.strip().lower().removeprefix(".")
    if not host or {below.upper(), secure.upper()} - {"TRUE", "FALSE"} or _BAD.search(name + value):
        return None
    # What has no dot is a host, or a whole top-level domain: nobody's to set cookies for.
    exact = below.upper() == "FALSE" or "." not in host
    return Cookie(host, path or "/", name, value, exact, secure.upper() == "TRUE", float(expires or 0))


def domains_of(host: str) -> list[str]:
    """Return a host and the domains it belongs to; an address belongs to none."""
    if literal(host) is not None:
        return [host]
    labels = host.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def path_matches(path: str, cookie: str) -> bool:
    """Tell whether a cookie's path covers a path (RFC 6265, 5.1.4)."""
    return path == cookie or (path.startswith(cookie) and (cookie.endswith("/") or path[len(cookie)] == "/"))
