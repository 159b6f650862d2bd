"""The key by which a page is known: two URLs of one page have one key, and two pages never do, as far as URLs tell.

A key is never fetched: servers may tell apart what it does not. It follows RFC 3986, 6.2, where that loses no page:
scheme and host in small letters, the usual port, dots and the fragment gone, escapes in one form; and it sorts the
query by name. The case of path and query, slashes at the end, empty values and the order of equal names are kept,
since servers do tell those apart.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from urllib.parse import unquote

from toolkit.apps.scrape.urls import resolve
from toolkit.core.urls import lane_of

_PARTS = re.compile(r"(https?)://([^/?#]*)([^?#]*)(?:\?([^#]*))?", re.DOTALL)
_CANONICAL = re.compile(
    r"https?://[a-z0-9][a-z0-9.-]*(?::(?!(?:80|443)/)(?:[1-9]\d{0,3}|[1-5]\d{4}))?"
    r"/[A-Za-z0-9_~,;=&+!*@:$'()./-]*(?:\?[A-Za-z0-9_~,;=+!*@:$'()./-]*)?"
)
"""URLs that are their own key, as nearly all are, if no piece of their path begins with a dot."""
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

TRACKING = frozenset({"fbclid", "gclid", "dclid", "msclkid", "yclid", "mc_cid", "mc_eid", "igshid", "_ga", "_gl"})
"""Names in queries that only say where a visitor came from; with all that begin with `utm_`."""


@lru_cache(maxsize=65_536)
def key_of(url: str, *, without_tracking: bool = False) -> str:
    """Return the key of an http(s) URL as it goes on the wire; the URL itself if it is none."""
    if "/." not in url and _CANONICAL.fullmatch(url) and not (without_tracking and "?" in url):
        return url
    return _in_full(url, without_tracking=without_tracking)


def _in_full(url: str, *, without_tracking: bool) -> str:
    found = _PARTS.match(url)
    if found is None:
        return url
    scheme, authority, path, query = found.groups()
    user = authority.rpartition("@")[0]
    host, _, port = lane_of(url).rpartition(":")
    usual = "443" if scheme == "https" else "80"
    place = ("" if not user else user + "@") + host + ("" if port == usual else ":" + port)
    if "/." in path or "%2e" in path.lower():
        path = "/" + resolve("http://x/", "http://x" + path).partition("//x/")[2]
    key = f"{scheme}://{place}{_one_form(path) or '/'}"
    if query is None:
        return key
    pairs = _sorted(_one_form(query), TRACKING if without_tracking else ())
    return f"{key}?{pairs}" if pairs or not query else key


def _sorted(query: str, dropped: Collection[str]) -> str:
    """Return a query by the names in it; equal names stay in their order."""
    pairs = query.split("&")
    if dropped:
        pairs = [pair for pair in pairs if not _is_tracking(pair.partition("=")[0], dropped)]
    return "&".join(sorted(pairs, key=lambda pair: pair.partition("=")[0]))


def _is_tracking(name: str, dropped: Collection[str]) -> bool:
    name = unquote(name).lower()
    return name in dropped or name.startswith("utm_")


def _one_form(text: str) -> str:
    """Return text with escapes in capitals, and none for what needs none (RFC 3986, 6.2.2)."""
    return _ESCAPE.sub(_escape, text) if "%" in text else text


def _escape(found: re.Match[str]) -> str:
    sign = chr(int(found[1], 16))
    return sign if sign in _UNRESERVED else found[0].upper()
