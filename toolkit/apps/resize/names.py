"""File names as text that every store and terminal can take, and as keys that tell when two are the same file.

A name on Unix is bytes; those that are not UTF-8 reach Python as lone surrogates (PEP 383), which neither SQLite nor
strict UTF-8 can hold.
"""

from __future__ import annotations

import os
import unicodedata
from hashlib import blake2b
from urllib.parse import quote_from_bytes, unquote_to_bytes

_QUOTED = "//"
"""Starts a quoted name: no name of a file begins with two slashes once it is normal."""


def to_text(name: str) -> str:
    """Return a name as valid Unicode; from_text gives it back."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return _QUOTED + quote_from_bytes(os.fsencode(name))
    return name


def from_text(text: str) -> str:
    """Return the name that to_text was given."""
    return os.fsdecode(unquote_to_bytes(text[len(_QUOTED) :])) if text.startswith(_QUOTED) else text


def shown(name: str) -> str:
    """Return a name for a message to people: bytes that are not UTF-8, and control characters, as escapes."""
    readable = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in readable)


def folded(name: str) -> str:
    """Return what is equal for names that some file system takes for one: case and normal form do not count."""
    if name.isascii():  # most are, and this is ten times as fast
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def short_hash(name: str) -> int:
    """Return 8 bytes that stand for folded(name)."""
    data = folded(name).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")
