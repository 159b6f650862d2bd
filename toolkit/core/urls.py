"""URLs: what may be fetched, how it goes on the wire, and whose politeness and credentials it falls under."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, unquote, urlsplit

import idna

from toolkit.core.errors import FailureKind, TaskError

_ORDINARY = re.compile(
    r"(https?)://([a-z0-9][a-z0-9.-]*)(?::([1-9]\d{0,3}|[1-5]\d{4}))?"
    r"(?:/[\x21\x24-\x3b\x3d\x40-\x5b\x5d\x5f\x61-\x7a\x7c\x7e]*)?(?:\?[\x21\x24-\x3b\x3d\x3f-\x5f\x61-\x7a\x7c\x7e]*)?"
)
"""What nearly every URL in a list looks like: fit for the wire as it stands, and taken apart at once."""
_AUTHORITY = re.compile(r"\A([^:/?#]+://)((?:[^/?#]*@)?)([^/?#]*)")
_NO_HOST = re.compile(r"[\x00-\x20\x7f#/<>?@\\^|]")
"""What no host name has (WHATWG URL, 3.1, forbidden host code points; what brackets may hold is for addresses)."""
_NUMERALS = frozenset("0123456789abcdefx.")
_NUMBER = re.compile(r"(?:\A|\.)(?:[0-9]+|0x[0-9a-f]*)\.?\Z")
"""What makes a host an IPv4 address, or nothing (WHATWG URL, 3.5, ends in a number)."""


def check_url(url: str) -> str:
    """Return the URL if we may fetch it; raises TaskError input or blocked: http and https only, with a host."""
    parts = _split(url)
    host = parts.hostname
    if parts.scheme.lower() not in ("http", "https"):
        if not parts.scheme:
            raise TaskError(FailureKind.INPUT, "not a URL: it does not begin with http:// or https://")
        raise TaskError(FailureKind.BLOCKED, f"scheme {parts.scheme!r}: only http and https are fetched")
    if not host:
        raise TaskError(FailureKind.INPUT, "the URL has no host")
    if re.search(r"[\x00-\x20\x7f]", url):
        raise TaskError(FailureKind.INPUT, "the URL has a space or control character in it")
    return url


def wire_url(url: str) -> str:
    """Return a URL as it goes on the wire, changed no more than a browser would (WHATWG URL, 4.4).

    White space around it, tabs, line breaks and the fragment go; backslashes before the query are slashes; spaces and
    what is not ASCII are percent-encoded as UTF-8, host names by IDNA; scheme and host are in small letters; addresses
    in other notations, such as 127.1 and 0x7f000001, have four numbers. Everything else stays as it is. Raises
    TaskError input or blocked, as check_url.
    """
    if ordinary := _ORDINARY.fullmatch(url):
        host = ordinary[2]
        return url if host[-1] not in _NUMERALS or not _NUMBER.search(host) else url.replace(host, _dotted(host), 1)
    url = re.sub(r"[\t\r\n]", "", url.strip()).partition("#")[0]
    before, mark, query = url.partition("?")
    url = re.sub(r"[^\x21\x23-\x3b\x3d\x3f-\x5f\x61-\x7a\x7c\x7e]", _as_utf8, before.replace("\\", "/") + mark + query)
    parts = _split(url)
    host = unquote(parts.hostname or "")
    if _NO_HOST.search(host):
        raise TaskError(FailureKind.INPUT, f"not a host name: {host!r}")
    if not host.isascii():
        url = _with_host(url, _idna(host))
    elif _NUMBER.search(text := _host_text(parts.netloc).lower()):
        url = _with_host(url, _dotted(text))
    return _AUTHORITY.sub(lambda found: found[1].lower() + found[2] + found[3].lower(), check_url(url), count=1)


def lane_of(url: str) -> str:
    """Return host:port, the unit of politeness."""
    if ordinary := _ORDINARY.fullmatch(url):
        return f"{ordinary[2]}:{ordinary[3] or (443 if ordinary[1] == 'https' else 80)}"
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme.lower() == "https" else 80)
    return f"{(parts.hostname or '').lower()}:{port}"


def origin_of(url: str) -> tuple[str, str]:
    """Return scheme and lane: what credentials belong to (RFC 6454)."""
    return urlsplit(url).scheme.lower(), lane_of(url)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.hostname, parts.port  # these, too, raise for what is no URL
    except ValueError as error:
        raise TaskError(FailureKind.INPUT, f"not a URL: {error}") from error
    return parts


def _host_text(netloc: str) -> str:
    return re.sub(r":\d*$", "", netloc.rpartition("@")[2])


def _with_host(url: str, host: str) -> str:
    """Return the URL with another host; its port stays."""
    return _AUTHORITY.sub(lambda found: found[1] + found[2] + host + (re.search(r":\d*$|$", found[3]) or found)[0], url)


def _dotted(host: str) -> str:
    """Return an IPv4 address as four numbers (WHATWG URL, 3.5, IPv4 parser); raises TaskError for what is none."""
    *first, last = [_number(part) for part in host.removesuffix(".").split(".")]
    if len(first) > 3 or any(number > 255 for number in first) or last >= 256 ** (4 - len(first)):  # noqa: PLR2004
        raise TaskError(FailureKind.INPUT, f"not an address: {host[:80]!r}")
    return ".".join(map(str, [*first, *last.to_bytes(4 - len(first), "big")]))


def _number(text: str) -> int:
    """Return a part of an address, or what is too large for one."""
    if hexadecimal := re.fullmatch("0x([0-9a-f]*)", text):
        return int(hexadecimal[1] or "0", 16)
    if re.fullmatch("0[0-7]*|[1-9][0-9]{0,9}", text):  # Python refuses to count thousands of digits
        return int(text, 8 if text[0] == "0" else 10)
    return 1 << 32


def _idna(host: str) -> str:
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise TaskError(FailureKind.INPUT, f"not a host name: {host!r}") from error


def _as_utf8(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogateescape"))
