"""What a reply says besides its page: whether it is one, whether it may be kept, where it leads on. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from toolkit.apps.scrape.urls import resolve
from toolkit.core.http import Headers, http_date, media_type

HTML = frozenset({"text/html", "application/xhtml+xml"})
UNSURE = frozenset({"", "text/plain", "application/xml", "text/xml", "unknown/unknown", "application/unknown", "*/*"})
"""Types that servers give to HTML by mistake or by habit: the first bytes decide."""
MARKUP = re.compile(
    rb"<(?:!doctype html|html|head|body|script|iframe|title|style|meta|link|h1|div|font|table|main|section|article"
    rb"|p|a|b|br|ul)[ \t\n\f\r/>]|<!--",
    re.IGNORECASE,
)
"""How HTML begins (MIME Sniffing, 7.1, and what has become usual since)."""
BEFORE = re.compile(rb"(?:[ \t\n\f\r]++|<\?xml.*?\?>|<!--.*?-->)*+", re.DOTALL)
"""What may go before the first tag."""
SNIFFED = 4096
"""Bytes that are looked at."""

VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
"""Directives of X-Robots-Tag that have a value; another name with a colon is a crawler's."""
DAY = re.compile(r"(?i)(mon|tue|wed|thu|fri|sat|sun)[a-z]*")


@dataclass(frozen=True, slots=True)
class RobotsTag:
    """What X-Robots-Tag asks of us: words in lower case, and when the page stops being available."""

    words: frozenset[str] = frozenset()
    unavailable_after: datetime | None = None

    def at(self, now: datetime) -> frozenset[str]:
        """Return which of noindex and nofollow hold at a moment."""
        gone = self.unavailable_after is not None and now >= self.unavailable_after
        return (self.words & {"noindex", "nofollow"}) | ({"noindex"} if gone else frozenset())


@dataclass(frozen=True, slots=True)
class Refresh:
    """Where a page goes on by itself. delay: seconds; url: absolute, the page's own if it only loads itself again."""

    delay: int
    url: str


def is_page(headers: Headers) -> bool | None:
    """Tell whether a reply is HTML by its type; None if only its first bytes can tell."""
    kind, _ = media_type(headers)
    if kind in HTML:
        return True
    nosniff = (headers.get("x-content-type-options") or "").strip().lower() == "nosniff"
    return None if kind in UNSURE and not (nosniff and kind) else False


def refusal(headers: Headers, body: bytes) -> str | None:
    """Return why a reply is no page, or None if it is one; an empty body of no sure type is an empty page."""
    kind, _ = media_type(headers)
    known = is_page(headers)
    if known or (known is None and (looks_like_html(body) or not (body or kind))):
        return None
    if known is None:
        what = f"the server calls it {kind}" if kind else "the server does not say what it is"
        return f"not HTML: {what}, and it does not begin as HTML does"
    return f"not HTML: the server calls it {kind}"


def looks_like_html(body: bytes) -> bool:
    """Tell whether bytes begin as HTML does, past a mark, an XML declaration and comments."""
    start = body[:SNIFFED]
    for mark, codec in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if start.startswith(mark):
            start = start[2:].decode(codec, "replace").encode("ascii", "replace")
    start = start.removeprefix(b"\xef\xbb\xbf")
    before = BEFORE.match(start)
    found = MARKUP.match(start, before.end() if before else 0)
    return found is not None and found[0] != b"<!--"


def robots_tag(headers: Headers, agent: str) -> RobotsTag:
    """Return what the X-Robots-Tag fields ask of all crawlers and of us; agent: our token.

    A crawler's name holds until the next one in its field, as `otherbot: noindex, nofollow`. What is asked of all and
    what is asked of us add up. `none` is both noindex and nofollow.
    """
    words: set[str] = set()
    ends: list[datetime] = []
    for value in headers.all("x-robots-tag"):
        for name, word, argument in _directives(value):
            if name not in ("", "*", agent.lower()):
                continue
            words.update(("noindex", "nofollow") if word == "none" else (word,))
            if word == "unavailable_after" and (when := _date(argument)):
                ends.append(when)
    return RobotsTag(frozenset(words), min(ends, default=None))


def refresh(text: str, url: str) -> Refresh | None:
    """Return what a meta refresh, or a Refresh header, says, or None if it says nothing (HTML, 4.2.5.3).

    url: what the target is relative to.
    """
    found = re.match(r"[ \t\n\f\r]*+([0-9]*+)([0-9.]*+)[ \t\n\f\r]*+(.*)", text, re.DOTALL)
    if found is None or not (found[1] or found[2]):
        return None
    after = text[found.end(2) :]
    if after and after[0] not in ";, \t\n\f\r":
        return None
    delay = int(found[1][:9] or 0)
    target = re.sub(r"^[;,][ \t\n\f\r]*+", "", found[3])
    if not target:
        return Refresh(delay, url)
    if named := re.match(r"(?i)url[ \t\n\f\r]*+=[ \t\n\f\r]*+", target):
        target = target[named.end() :]
    if target[:1] in ("'", '"'):
        target = target[1:].partition(target[0])[0]
    return Refresh(delay, resolve(url, target))


def canonical_link(headers: Headers, url: str) -> str | None:
    """Return the http(s) URL that a Link header calls canonical, absolute and without fragment (RFC 6596, RFC 8288)."""
    for value in headers.all("link"):
        for target, parameters in _links(value):
            relations = parameters.get("rel", "").lower().split()
            if "canonical" in relations and "anchor" not in parameters:
                found = resolve(url, target).partition("#")[0]
                return found if found.startswith(("http://", "https://")) else None
    return None


def _directives(value: str) -> Iterator[tuple[str, str, str]]:
    """Yield the crawler ("" for all), the directive and its value."""
    agent = ""
    pieces = iter(value.split(","))
    for piece in pieces:
        text = piece.strip()
        name, colon, rest = (part.strip() for part in text.partition(":"))
        if colon and name.lower() not in VALUED:
            agent, text = name.lower(), rest
            name, colon, rest = (part.strip() for part in text.partition(":"))
        if colon and DAY.fullmatch(rest):  # the comma was the date's own
            rest = f"{rest}, {next(pieces, '').strip()}"
        if name:
            yield agent, name.lower(), rest


def _date(text: str) -> datetime | None:
    """Return a moment written as HTTP does, or as RFC 822, RFC 850 or ISO 8601 have it; without a zone it is UTC."""
    if (found := http_date(text)) is not None:
        return found
    try:
        when = datetime.fromisoformat(text)
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_TARGET = re.compile(r"[\s,]*+<([^>]*+)>")
_PARAMETER = re.compile(r'\s*+;\s*+([^\s=;,"]++)\s*+(?:=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^\s;,"]*+)))?')


def _links(value: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the targets of a Link field with their parameters; of a parameter that comes again, the first counts."""
    at = 0
    while target := _TARGET.match(value, at):
        at = target.end()
        parameters: dict[str, str] = {}
        while found := _PARAMETER.match(value, at):
            at = found.end()
            text = re.sub(r"\\(.)", r"\1", found[2]) if found[2] is not None else found[3] or ""
            parameters.setdefault(found[1].lower(), text)
        yield target[1].strip(), parameters
