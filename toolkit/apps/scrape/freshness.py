"""What HTTP says about keeping replies (RFC 9111), for a private cache: pure rules, with the time given from outside.

Nothing is guessed: a reply that names no lifetime is asked for again each time, by its validator if it has one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b

from toolkit.core.addresses import is_public
from toolkit.core.http import Head, Headers, Request, http_date

OK, NOT_MODIFIED = 200, 304
GONE = frozenset({404, 410})
"""Statuses that say that a page is no more."""
LONGEST = 2**31
"""Seconds that count as for ever (RFC 9111, 1.2.2)."""
HOP_BY_HOP = frozenset(
    {
        *("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"),
        *("proxy-connection", "proxy-authenticate", "proxy-authentication-info", "proxy-authorization"),
    }
)
NOT_KEPT = HOP_BY_HOP | {"set-cookie", "set-cookie2", "content-length"}
"""Fields that are about one exchange; the length is counted anew."""
OF_THE_PAGE = frozenset(
    {
        *("age", "cache-control", "content-encoding", "content-type", "date", "etag", "expires", "last-modified"),
        *("vary", "x-robots-tag"),
    }
)
"""Fields that a Connection field cannot take away: without them, the page would mean something else."""
OF_THE_BODY = frozenset({"content-encoding", "content-type", "content-range"})
"""Fields that a 304 does not change, since the body stays as it came (RFC 9111, 3.2)."""
OF_THE_MOMENT = frozenset({"age", "date"})
"""Fields that are about one reply: a 304 that lacks them takes the old ones away."""

_DIRECTIVE = re.compile(
    r"""([!#$%&'*+.^_`|~0-9A-Za-z-]+)         # a token
        (?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?""",
    re.VERBOSE,
)
_ETAG = re.compile(r"[\x21-\x7e]+")

Directives = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Entry:
    """A page that is kept.

    asked, answered: when, in seconds since 1970. vary: what stands for the request's fields that Vary names; cookie:
    for its cookies. address: where it came from, or "" if nobody knows. number: the body's, which never comes again;
    size: the body's bytes over the wire.
    """

    url: str
    headers: Headers
    asked: float
    answered: float
    reason: str = ""
    vary: str = ""
    cookie: str = ""
    address: str = ""
    number: int = 0
    size: int = 0


def entry_of(request: Request, head: Head, headers: Headers, asked: float, answered: float, address: str = "") -> Entry:
    """Return what is to be kept of an exchange; headers: the fields to keep."""
    return Entry(
        request.url,
        headers,
        asked,
        answered,
        reason=head.reason,
        vary=selection(headers, request),
        cookie=_cookie(request),
        address=address,
    )


def directives(headers: Headers) -> Directives:
    """Return the directives of Cache-Control by name, each with its values; quotes are taken off (RFC 9111, 5.2)."""
    found: Directives = {}
    for field in headers.all("cache-control"):
        for match in _DIRECTIVE.finditer(field):
            quoted, plain = match[2], match[3]
            value = (plain or "") if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            found.setdefault(match[1].lower(), []).append(value)
    return found


def seconds(values: list[str]) -> float | None:
    """Return a directive's seconds, or None if it has no number, or several that differ (RFC 9111, 1.2.2 and 4.2.1)."""
    if len(set(values)) != 1 or not re.fullmatch(r"[0-9]+", values[0], re.ASCII):
        return None
    return float(min(int(values[0][:20]), LONGEST))


def lifetime(headers: Headers, answered: float) -> float:
    """Return the seconds for which a reply is fresh (RFC 9111, 4.2.1, without heuristics).

    max-age, or Expires less Date; s-maxage is for shared caches. What cannot be read makes the reply stale at once.
    """
    values = directives(headers).get("max-age")
    if values is not None:
        return seconds(values) or 0.0
    dates = set(headers.all("expires"))
    expires = http_date(dates.pop()) if len(dates) == 1 else None
    if expires is None:
        return 0.0
    return max(0.0, min(expires.timestamp() - _date(headers, answered), LONGEST))


def age(headers: Headers, asked: float, answered: float, now: float) -> float:
    """Return how many seconds ago a reply was made or confirmed at its origin (RFC 9111, 4.2.3)."""
    apparent = max(0.0, answered - _date(headers, answered))
    value = (headers.get("age") or "").partition(",")[0].strip()
    told = float(min(int(value[:20]), LONGEST)) if re.fullmatch(r"[0-9]+", value, re.ASCII) else 0.0
    return max(apparent, told + max(0.0, answered - asked)) + now - answered


def is_fresh(entry: Entry, request: Request, now: float, max_age: float | None = None) -> bool:
    """Tell whether a page may be taken without asking (RFC 9111, 4.2 and 5.2).

    max_age: the user's own word, which alone decides then: what came less than so many seconds ago is fresh. Never so
    are a page that was got with other cookies, one from an address that may not be asked now, and one from the future:
    the clock was set.
    """
    if now < entry.answered or entry.cookie != _cookie(request):
        return False
    if request.addresses == "public" and not is_public(entry.address):
        return False
    wanted = directives(Headers(request.headers))
    if "no-cache" in wanted:
        return False
    if max_age is not None:
        return now - entry.answered < max_age
    if "no-cache" in directives(entry.headers):
        return False
    old = age(entry.headers, entry.asked, entry.answered, now)
    left = lifetime(entry.headers, entry.answered) - old
    most = seconds(wanted["max-age"]) if "max-age" in wanted else None
    least = seconds(wanted["min-fresh"]) if "min-fresh" in wanted else None
    return left > 0 and (most is None or old <= most) and (least is None or left >= least)


def may_ask(request: Request) -> bool:
    """Tell whether a request may be answered from what is kept: a whole page, asked for by nobody in particular."""
    if request.method != "GET" or request.body:
        return False
    names = {name.lower() for name, _ in request.headers}
    if "authorization" in names or "range" in names or any(name.startswith("if-") for name in names):
        return False
    return "cache-control" not in names or "no-store" not in directives(Headers(request.headers))


def may_keep(head: Head) -> bool:
    """Tell whether a reply may be kept (RFC 9111, 3)."""
    return head.status == OK and "no-store" not in directives(head.headers) and "*" not in _vary(head.headers)


def selection(headers: Headers, request: Request) -> str:
    """Return what stands for the values of the request's fields that Vary names (RFC 9111, 4.1); "" for none."""
    names = sorted(_vary(headers))
    if not names:
        return ""
    sent = Headers(request.headers)
    return _digest("\n".join(f"{name}: {' '.join(', '.join(sent.all(name)).split())}" for name in names))


def is_chosen(entry: Entry, request: Request) -> bool:
    """Tell whether the kept page is the one that this request would get."""
    return selection(entry.headers, request) == entry.vary


def conditions(entry: Entry, request: Request) -> tuple[tuple[str, str], ...]:
    """Return the fields that ask whether a kept page is still the same, or none (RFC 9111, 4.3.1).

    A date cannot tell apart what one URL is to two users: where the cookies are others, only an ETag is asked by.
    """
    etag = entry.headers.get("etag")
    if etag is not None and _ETAG.fullmatch(etag):
        return (("If-None-Match", etag),)
    modified = entry.headers.get("last-modified")
    when = http_date(modified)
    if modified is None or when is None or entry.cookie != _cookie(request):
        return ()
    if when.timestamp() > _date(entry.headers, entry.answered):
        return ()  # a page that is to change later says nothing (RFC 9110, 8.8.2.1)
    return (("If-Modified-Since", modified),)


def confirms(entry: Entry, head: Head) -> bool:
    """Tell whether a 304 is about the kept page, not about another (RFC 9111, 4.3.4)."""
    mine, theirs = entry.headers.get("etag"), head.headers.get("etag")
    return mine is None or theirs is None or mine.removeprefix("W/") == theirs.removeprefix("W/")


def kept_fields(headers: Headers) -> Headers:
    """Return the fields that are kept of a reply (RFC 9111, 3.1)."""
    named = {name.strip().lower() for value in headers.all("connection") for name in value.split(",")}
    dropped = NOT_KEPT | (named - OF_THE_PAGE)
    return Headers((name, value) for name, value in headers if name not in dropped)


def updated(headers: Headers, confirmation: Headers) -> Headers:
    """Return the fields of a kept page after a 304: each that it has takes the old one's place (RFC 9111, 3.2)."""
    news = [(name, value) for name, value in kept_fields(confirmation) if name not in OF_THE_BODY]
    dropped = OF_THE_MOMENT | {name for name, _ in news}
    return Headers([*((name, value) for name, value in headers if name not in dropped), *news])


def _date(headers: Headers, answered: float) -> float:
    """Return when a reply was made; one that does not say is as old as its arrival (RFC 9110, 6.6.1)."""
    date = http_date(headers.get("date"))
    return answered if date is None else date.timestamp()


def _vary(headers: Headers) -> set[str]:
    return {name for value in headers.all("vary") for part in value.split(",") if (name := part.strip().lower())}


def _cookie(request: Request) -> str:
    cookies = [value for name, value in request.headers if name.lower() == "cookie"]
    return _digest("; ".join(cookies)) if cookies else ""


def _digest(text: str) -> str:
    """Return what stands for values that may be secrets."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
