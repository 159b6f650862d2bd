"""The name that a server gives a file: Content-Disposition (RFC 6266, RFC 8187), read as leniently as browsers do.

Where the RFCs and browsers differ, Chromium's reading is taken: names that it would not use are not used here either.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from toolkit.apps.download import names
from toolkit.core.http import Headers

LONGEST = 16 * 1024
"""Characters of a field that are looked at."""

_PARAMETER = re.compile(r'(?:[^;"]|"(?:[^"\\]|\\.)*(?:"|\\?\Z))+', re.DOTALL)
"""What stands between semicolons; those in quotes do not count."""
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_EXTENDED = re.compile(r"([A-Za-z0-9_-]+)'[^']*'([\x21-\x7e]*)")
_WORD = re.compile(r"=\?([A-Za-z0-9_-]{1,40})(?:\*[A-Za-z0-9-]*)?\?([bBqQ])\?([^? ]*)\?=")
_CHARSETS = re.compile(
    r"(?i)utf-?8|us-ascii|iso-?8859-\d{1,2}|latin-?1|(windows-|cp)125\d|koi8-[ru]|shift_jis|euc-(jp|kr)|gb(2312|k|18030)"
    r"|big5|iso-2022-jp"
)
"""Those that encoded words are really written in; some codecs of Python cost far more than the text is long."""


def filename(headers: Headers) -> str | None:
    """Return the name that a reply's Content-Disposition gives, as one safe component; or None if it gives none.

    `filename*` goes before `filename`, the first of each before later ones; a path before the name is dropped.
    """
    for field in headers.all("content-disposition"):
        name = _named(field[:LONGEST])
        if name is not None:
            return name
    return None


def _named(field: str) -> str | None:
    extended = plain = ""
    for key, value in _parameters(field):
        if key == "filename*":
            extended = extended or _base(_from_extended(_unquoted(value)))
        elif key == "filename":
            plain = plain or _base(_from_plain(_unquoted(value)))
    found = extended or plain
    return names.safe(found) if found else None


def _parameters(field: str) -> Iterator[tuple[str, str]]:
    """Yield names in lower case and raw values; the disposition type has none, and may be missing."""
    for number, match in enumerate(_PARAMETER.finditer(field)):
        text = match[0].strip(" \t\r\n")
        if number == 0 and _TOKEN.fullmatch(text):
            continue
        key, equals, value = text.partition("=")
        if equals:
            yield key.strip(" \t").lower(), value.strip(" \t")


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    inner = value[1:-1] if len(value) > 1 and value.endswith('"') and not value.endswith('\\"') else value[1:]
    return re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL)


def _from_extended(value: str) -> str:
    """Decode charset'language'percent-encoded (RFC 8187, 3.2.1); "" if it is anything else."""
    found = _EXTENDED.fullmatch(value)
    charset = found[1].lower() if found else ""
    if found is None or charset not in ("utf-8", "iso-8859-1"):
        return ""
    try:
        return unquote_to_bytes(found[2]).decode(charset)
    except UnicodeDecodeError:
        return ""


def _from_plain(value: str) -> str:
    """Decode what should be ASCII and often is not: raw UTF-8 or latin-1, encoded words (RFC 2047), percent signs."""
    value = re.sub(r"(?<=\?=)\s+(?==\?)", "", value)  # white space between encoded words is not part of the text
    if _WORD.search(value):
        return _WORD.sub(_from_word, value)
    return names.decode(_as_utf8(value))


def _as_utf8(value: str) -> str:
    """Header bytes reach us as latin-1: read them as the UTF-8 that they mostly are."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _from_word(found: re.Match[str]) -> str:
    charset, encoding, text = found[1], found[2].lower(), found[3]
    if not _CHARSETS.fullmatch(charset):
        return found[0]
    try:
        raw = text.encode("ascii")
        data = base64.b64decode(raw + b"=" * (-len(raw) % 4)) if encoding == "b" else binascii.a2b_qp(raw, header=True)
        return codecs.decode(data, charset)
    except (UnicodeError, LookupError, ValueError):
        return found[0]


def _base(name: str) -> str:
    """Return what stands behind the last slash of either sort; "" if that says nothing."""
    parts = [part for part in re.split(r"[/\\]", name) if part.strip(". ")]
    return parts[-1] if parts else ""
