"""Text as SQLite can hold it: without surrogates, as which Python keeps bytes of names that are no UTF-8."""

from __future__ import annotations

import re


def held(text: str) -> str:
    """Return the text as it is kept."""
    if text.isascii() and "\x1a" not in text:
        return text
    return re.sub(r"[\ud800-\udfff\x1a]", _escaped, text)


def given(text: str) -> str:
    """Return the text that is kept so."""
    return re.sub(r"\x1a(?:u([0-9a-f]{4})|([0-9a-f]{2}))", _unescaped, text) if "\x1a" in text else text


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\x1a{code & 0xFF:02x}" if code == 0x1A or 0xDC80 <= code <= 0xDCFF else f"\x1au{code:04x}"  # noqa: PLR2004


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    value = int(found[2], 16)
    return "\x1a" if value == 0x1A else chr(0xDC00 + value)  # noqa: PLR2004
