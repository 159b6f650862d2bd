"""URLs in pages as browsers read them: what a link points to.

The rules are those of the WHATWG URL standard for http and https; what is not http or https is left as it is written.
"""

from __future__ import annotations

import re
from functools import lru_cache

from toolkit.core.urls import origin_of

ATTRIBUTES = frozenset({"href", "src", "action", "formaction", "poster", "cite", "longdesc", "background"})
"""Attributes whose value is a URL, and is made absolute."""

PORTS = {"http": "80", "https": "443"}
CONTROL_OR_SPACE = "".join(map(chr, range(0x21)))
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(.*)", re.DOTALL)
PARTS = re.compile(r"([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
AUTHORITY = re.compile(r"(?:(.*)@)?(\[[0-9a-fA-F:.]+\]|[^:]+)(?::(\d*))?", re.DOTALL)

UNSAFE_PATH = re.compile(r"[^\x21\x24-\x3b\x3d\x40-\x5d\x5f\x61-\x7a\x7c\x7e]")
UNSAFE_QUERY = re.compile(r"[^\x21\x24-\x26\x28-\x3b\x3d\x3f-\x7e]")
UNSAFE_FRAGMENT = re.compile(r"[^\x21\x23-\x3b\x3d\x3f-\x5f\x61-\x7e]")
PLAIN = re.compile(r"(?:https?://[a-z0-9.-]+/|/(?!/)|(?=[A-Za-z0-9_]))[A-Za-z0-9_~,;=&+!*@/.?#%-]*")
"""References that need no care, as nearly all are; following the rules in full takes four times as long."""
UPWARD = re.compile(r"((?:\.\./)+)([A-Za-z0-9_][A-Za-z0-9_~,;=&+!*@/.?#%-]*)")
"""References to folders above that need no care, either."""
LOGIN = re.compile(r"\A([^:/?#]+://)([^/?#]*@)")
"""What goes before the host: the scheme, and a user name with its password."""
NEAR = 8
"""Folders above a page that are kept at hand."""


def resolve(base: str, reference: str, encoding: str = "utf-8") -> str:
    """Return what a reference in a page points to, absolute.

    base: an absolute http(s) URL. encoding: the page's codec, in which its queries are written. A reference to another
    scheme (`mailto:`, `javascript:`), or one that is no URL, is returned as written, without the space around it.
    """
    text = reference.strip(CONTROL_OR_SPACE)
    if not base.startswith(("http://", "https://")):  # a page on this disk, of which nobody knows where it stood
        return text
    if "%2" not in text:
        if "/." not in text and PLAIN.fullmatch(text):
            origin, folders = _roots(base)
            return text if ":" in text else (origin if text[0] == "/" else folders[0]) + text
        if (upward := UPWARD.fullmatch(text)) and "/." not in upward[2]:
            folders, up = _roots(base)[1], len(upward[1]) // len("../")
            if up < len(folders):
                return folders[up] + upward[2]
    if any(space in text for space in "\t\n\r"):
        text = re.sub(r"[\t\n\r]", "", text)
    try:
        return _resolve(base, text, encoding)
    except ValueError:
        return text


def base_of(final_url: str, href: str | None, encoding: str = "utf-8") -> str:
    """Return what a page's links are relative to: its first `<base href>` if that leads to http(s), else its URL."""
    if href is None:
        return final_url
    base = resolve(final_url, href, encoding)
    return base if base.startswith(("http://", "https://")) else final_url


def without_password(url: str) -> str:
    """Return a URL without user name and password: rows are passed on."""
    return LOGIN.sub(r"\1", url) if "@" in url else url


def lend_login(url: str, owner: str) -> str:
    """Return a URL with the user name and password of another one, if they are of one origin and it has none itself."""
    login = LOGIN.match(owner) if "@" in owner else None
    if login is None or LOGIN.match(url):
        return url
    try:
        is_own = origin_of(url) == origin_of(owner)
    except ValueError:  # it looks like a URL, and is none
        return url
    scheme, sign, rest = url.partition("://")
    return f"{scheme}{sign}{login[2]}{rest}" if is_own else url


def _resolve(base: str, text: str, encoding: str) -> str:
    scheme, base_authority, base_path, base_query = _split(base)
    found = SCHEME.match(text)
    if found is not None:
        named, rest = found[1].lower(), found[2]
        if named not in PORTS:
            return text
        if named != scheme or rest[:1] in ("/", "\\"):
            scheme, text = named, "//" + rest.lstrip("/\\")
        else:
            text = rest  # http:page.html is relative where the schemes are the same
    path, query, fragment = PARTS.fullmatch(text).groups()  # type: ignore[union-attr]  # it matches everything
    path = path.replace("\\", "/")
    if path.startswith("//"):
        authority, slash, rest = path.lstrip("/").partition("/")
        authority, path = _authority(scheme, authority), slash + rest or "/"
    else:
        authority = base_authority
        if not path:
            path, query = base_path, base_query if query is None else query
        elif not path.startswith("/"):
            path = base_path[: base_path.rfind("/") + 1] + path
    url = f"{scheme}://{authority}{_escape(_without_dots(path), UNSAFE_PATH)}"
    if query is not None:
        url += "?" + _escape(query, UNSAFE_QUERY, "utf-8" if encoding.startswith("utf-16") else encoding)
    return url if fragment is None else f"{url}#{_escape(fragment, UNSAFE_FRAGMENT)}"


@lru_cache(maxsize=256)
def _roots(base: str) -> tuple[str, tuple[str, ...]]:
    """Return what goes before `/path`, and before `page.html`, `../page.html` and so on; the nearest ones."""
    scheme, authority, path, _ = _split(base)
    origin = f"{scheme}://{authority}"
    folders = [_escape(_without_dots(path[: path.rfind("/") + 1]), UNSAFE_PATH)]
    while len(folders) < NEAR and len(folders[-1]) > 1:
        folders.append(folders[-1][: folders[-1].rfind("/", 0, -1) + 1])
    return origin, tuple(origin + folder for folder in folders)


@lru_cache(maxsize=256)
def _split(base: str) -> tuple[str, str, str, str | None]:
    scheme, _, rest = base.partition("://")
    path, query, _ = PARTS.fullmatch(rest).groups()  # type: ignore[union-attr]  # it matches everything
    authority, slash, path = path.replace("\\", "/").partition("/")
    return scheme.lower(), _authority(scheme.lower(), authority), slash + path or "/", query


def _authority(scheme: str, text: str) -> str:
    found = AUTHORITY.fullmatch(text)
    if found is None:
        raise ValueError(text)
    user, host, port = found.groups()
    if port and int(port) > 65535:  # noqa: PLR2004 - the largest port
        raise ValueError(text)
    host = _ascii_host(host).lower()
    if re.search(r"[\x00-\x20#%/<>?@\\^|\x7f]", host):
        raise ValueError(text)
    port = "" if not port or int(port) == int(PORTS[scheme]) else f":{int(port)}"
    return ("" if user is None else _escape(user, UNSAFE_PATH) + "@") + host + port


def _ascii_host(host: str) -> str:
    if host.isascii():
        return host
    import idna

    return str(idna.encode(host, uts46=True).decode("ascii"))


def _without_dots(path: str) -> str:
    if "/." not in path and "/%2" not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for number, segment in enumerate(segments, start=1):
        plain = segment.lower().replace("%2e", ".")
        if plain not in (".", ".."):
            kept.append(segment)
            continue
        if plain == "..":
            del kept[-1:]
        if number == len(segments):
            kept.append("")
    return "/" + "/".join(kept)


def _escape(text: str, unsafe: re.Pattern[str], encoding: str = "utf-8") -> str:
    def escaped(found: re.Match[str]) -> str:
        try:
            code = found[0].encode(encoding)
        except UnicodeEncodeError:
            if encoding == "utf-8":
                return "%EF%BF%BD"
            return f"%26%23{ord(found[0])}%3B"  # as browsers send what the page's encoding has no sign for
        return "".join(chr(byte) if not unsafe.match(chr(byte)) else f"%{byte:02X}" for byte in code)

    return unsafe.sub(escaped, text)
