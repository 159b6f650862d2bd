"""File names from URLs and users: safe components of at most 255 bytes, the same in every run and on every system."""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b
from urllib.parse import unquote_to_bytes, urlsplit

from toolkit.core.errors import FailureKind, TaskError

LONGEST = 255
"""Bytes in a name, the limit of common file systems."""

_FORBIDDEN = re.compile(
    r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff]'
)
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$|clock\$)\s*(\.|$)")
_EXTENSION = re.compile(r"(?:\.(?:tar|cpio|nii|user|min|d))?\.[A-Za-z0-9_+-]{1,16}$")


def from_url(url: str) -> str:
    """Return the name that a URL suggests: its last path segment that is not empty, else its host, made safe."""
    path = url.partition("#")[0].partition("?")[0].partition("://")[2].partition("/")[2]
    last = path.rstrip("/").rpartition("/")[2]
    return safe(decode(last) if last else urlsplit(url).hostname or "")


def path_of(url: str) -> str:
    """Return the path of a URL, each part decoded; what it may be called elsewhere, and no name to write to."""
    return "/".join(decode(part) for part in urlsplit(url).path.split("/") if part)


def from_user(text: str) -> str:
    """Return the path that a user gives a file, each part made safe; raises TaskError input for one that leads out."""
    parts = text.split("/")
    kept = [safe(part) for part in parts if part.strip() not in ("", ".")]
    if (
        text.startswith("/")
        or any(part.strip() == ".." for part in parts)
        or not kept
        or parts[-1].strip() in ("", ".")
    ):
        raise TaskError(FailureKind.INPUT, f"the name {text!r} is not that of a file below the output folder")
    return "/".join(kept)


def decode(segment: str) -> str:
    """Undo percent-encoding once, if what comes out is UTF-8; else leave it as it is."""
    if "%" not in segment:
        return segment
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeError:
        return segment


def safe(name: str, longest: int = LONGEST) -> str:
    """Return a name as one component that is safe on Linux, macOS and Windows.

    Separators, control and direction characters become `_`; device names get a `_` in front, as do names that start
    with a dot, `-` or `~`; trailing dots and spaces go; a long name keeps its extension; an empty one is `download`.
    """
    name = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", name)).strip(" ").rstrip(". ")
    name = _shorten(name, longest)
    if _RESERVED.match(name) or name.startswith(("-", "~", ".")):
        name = _shorten("_" + name, longest)
    return name if name.strip("._ ") else "download"


def folded(name: str) -> str:
    """Return what two names share if some file system takes them for the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def distinct(name: str, url: str, digits: int = 8) -> str:
    """Return the name with a mark of its URL in it: the same for the same URL, in every run. Folders before it stay."""
    folders, slash, name = name.rpartition("/")
    mark = "-" + blake2b(url.encode("utf-8", "surrogatepass"), digest_size=digits // 2).hexdigest()
    stem, extension = cut(name)
    return folders + slash + _clip(stem, LONGEST - len((mark + extension).encode())) + mark + extension


def cut(name: str) -> tuple[str, str]:
    """Return a name as its stem and its extension, dot and all; `.tar.gz` is one."""
    found = _EXTENSION.search(name)
    return (name[: found.start()], found[0]) if found and found.start() else (name, "")


def _shorten(name: str, longest: int) -> str:
    if len(name.encode()) <= longest:
        return name
    stem, extension = cut(name)
    return _clip(stem, longest - len(extension.encode())) + extension


def _clip(text: str, size: int) -> str:
    return text.encode()[:size].decode("utf-8", "ignore").rstrip(". ")
