"""What a Set-Cookie field says (RFC 6265, 5.1 to 5.3): the cookie, for the host that sets it alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

from toolkit.core.cookies import Cookie, domains_of

LARGEST = 4096
"""Bytes that name and value of a cookie may have (RFC 6265, 6.1)."""
OVER = -1.0
"""A moment before all others."""
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])")
_DAY = re.compile(r"([0-9]{1,2})(?![0-9])")
_YEAR = re.compile(r"([0-9]{2,4})(?![0-9])")


def read_set_cookie(field: str, url: str, now: float) -> Cookie | None:
    """Return the cookie that a Set-Cookie field of a reply from this URL sets at `now` (Unix time), or None for none.

    One that is over (Max-Age=0, a date gone by) is there to delete. Every cookie is for its host alone: a Domain that
    the host belongs to widens nothing, another makes it nobody's. One for https is taken from https only, and what a
    name promises (`__Secure-`, `__Host-`) must be so (RFC 6265, 5.2 and 5.3; its successor's draft for the names).
    """
    text = _as_utf8(field)
    if text is None:
        return None
    pair, *rest = text.split(";")
    name, sign, value = (part.strip(" \t") for part in pair.partition("="))
    if not sign or not name or len(f"{name}{value}".encode()) > LARGEST:
        return None
    said = {}
    for each in rest:
        key, _, argument = each.partition("=")
        said[key.strip(" \t").lower()] = argument.strip(" \t")  # the last one counts
    parts = urlsplit(url)
    host, https = (parts.hostname or "").lower(), parts.scheme.lower() == "https"
    domain, secure = said.get("domain", "").lower().removeprefix("."), "secure" in said
    if not host or (domain and domain not in domains_of(host)) or (secure and not https):
        return None
    path = said.get("path", "")
    if not _keeps_promise(name.lower(), secure=secure, rooted=path == "/" and not domain):
        return None
    path = path if path.startswith("/") else _default_path(parts.path)
    return Cookie(host, path, name, value, secure=secure, expires=_end(said, now))


def _as_utf8(field: str) -> str | None:
    """Return a field, which comes as latin-1, as the UTF-8 that it goes out as again; None for what cannot."""
    try:
        text = field.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return None
    return None if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", text) else text


def _keeps_promise(name: str, *, secure: bool, rooted: bool) -> bool:
    if name.startswith("__host-"):
        return secure and rooted
    return secure or not name.startswith("__secure-")


def _default_path(path: str) -> str:
    """Return the folder of a URL's path (RFC 6265, 5.1.4)."""
    return path[: path.rfind("/")] or "/" if path.startswith("/") else "/"


def _end(said: dict[str, str], now: float) -> float:
    """Return when a cookie is over; 0 for never. Max-Age goes before Expires."""
    if found := re.fullmatch(r"(-?)0*([0-9]*)", age) if (age := said.get("max-age", "")).strip("-") else None:
        return now + int(found[2][:12]) if found[2] and not found[1] else OVER
    when = cookie_date(said.get("expires", ""))
    return 0.0 if when is None else when.timestamp() or OVER


def cookie_date(text: str) -> datetime | None:
    """Return the moment that an Expires means, in whatever order it is written, or None (RFC 6265, 5.1.1)."""
    hour = minute = second = -1
    day = month = 0
    year = -1
    for token in re.split(r"[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+", text):
        if hour < 0 and (found := _TIME.match(token)):
            hour, minute, second = map(int, found.groups())
        elif not day and (found := _DAY.match(token)):
            day = int(found[1])
        elif not month and token[:3].lower() in MONTHS:
            month = MONTHS.index(token[:3].lower()) + 1
        elif year < 0 and (found := _YEAR.match(token)):
            year = int(found[1])
    year += 1900 if 70 <= year <= 99 else 2000 if 0 <= year <= 69 else 0  # noqa: PLR2004 - two digits
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC) if year >= 1601 else None  # noqa: PLR2004
    except ValueError:
        return None
