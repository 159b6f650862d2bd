"""What a page that is being rendered may ask for, and how it is asked for in its stead. Pure."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace

from toolkit.core.http import Headers, Request
from toolkit.core.urls import origin_of

TYPES = frozenset({"document", "script", "stylesheet", "xhr", "fetch"})
"""What is fetched for a page; all else (pictures, fonts, media, beacons, …) adds nothing to its text."""
METHODS = frozenset({"GET", "HEAD", "POST"})
MOST = 200
"""Requests of one page."""
IN_ALL = 4
"""Times the limit of one body: what all of a page's may have together."""
OURS = frozenset(
    [
        "accept-encoding",
        "connection",
        "content-length",
        "cookie",
        "expect",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "range",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "upgrade-insecure-requests",
        "user-agent",
    ]
)
"""Fields that are for us to send, or to leave out."""
LONGEST_FIELDS = 16 * 1024
KEPT = re.compile(
    r"content-(?:type|language|security-policy)|access-control-.*|x-content-type-options|referrer-policy|last-modified"
    r"|cache-control|etag|(?:x-|x_).*|link|total.*|ratelimit.*"
)
"""Fields of a reply that a page's scripts may see: none that set cookies, or make the browser do something."""
DOCUMENT = re.compile(r"content-security-policy|referrer-policy")
"""Fields of the page itself that the browser is to know."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page asks for. type: as Chromium calls it. headers: names in small letters."""

    url: str
    type: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(slots=True)
class Ledger:
    """What one page has asked for so far. refused: requests that did not go out or failed, by reason."""

    limit: int
    requests: int = 0
    received: int = 0
    left: int = field(init=False)
    refused: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.left = IN_ALL * self.limit


def refusal(asked: Asked, page: str, ledger: Ledger) -> str:
    """Return why something is not fetched for a page, or ""."""
    scheme = asked.url.partition(":")[0].lower()
    if scheme not in ("http", "https"):
        return f"scheme {scheme}"
    if asked.type not in TYPES:
        return asked.type
    if asked.method not in METHODS:
        return f"method {asked.method}"
    if asked.method == "POST" and not same_origin(asked.url, page):
        return "POST to another origin"
    if ledger.requests >= MOST:
        return f"more than {MOST} requests"
    return "too much for one page" if ledger.left <= 0 else ""


def request_for(asked: Asked, page: str, like: Request, *, public: bool) -> Request:
    """Return the request in a page's stead. like: the page's own, whose secrets stay with its origin."""
    ours = like.headers
    if not same_origin(asked.url, page):
        ours = tuple(one for one in ours if one[0].lower() in ("user-agent", "accept-encoding"))
    ours = tuple(one for one in ours if one[0].lower() not in ("accept", "content-type", "content-length"))
    names = OURS | {name.lower() for name, _ in ours}
    theirs = [(name, value) for name, value in asked.headers if name not in names and not name.startswith("sec-")]
    if sum(len(name) + len(value) for name, value in theirs) > LONGEST_FIELDS:
        theirs = []
    url = asked.url.partition("#")[0]
    made = replace(like, url=url, method=asked.method, headers=(*ours, *theirs), body=asked.body)
    return replace(made, addresses="public") if public else made


def told(headers: Headers) -> dict[str, str]:
    """Return what a reply's head tells the page."""
    kept: dict[str, str] = {}
    for name, value in headers:
        if KEPT.fullmatch(name) and value.isascii() and value.isprintable():
            kept[name] = f"{kept[name]}, {value}" if name in kept else value
    return kept


def told_of_page(headers: Headers) -> dict[str, str]:
    """Return what the page's own head tells the browser, without its type."""
    kept: dict[str, str] = {}
    for name, value in headers:
        if DOCUMENT.fullmatch(name) and value.isascii() and value.isprintable():
            kept[name] = f"{kept[name]}, {value}" if name in kept else value
    return kept


def same_origin(one: str, other: str) -> bool:
    """Tell whether two URLs are of one origin; what is no URL is of none."""
    try:
        return origin_of(one) == origin_of(other)
    except ValueError:
        return False
