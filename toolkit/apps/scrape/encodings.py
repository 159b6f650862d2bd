"""The encoding of a page, decided as browsers do: byte order mark, HTTP, the page itself, a detector, windows-1252."""

from __future__ import annotations

import codecs
from typing import Any

import webencodings

from toolkit.apps.scrape.prescan import prescan

FALLBACK = "windows-1252"
SAMPLE = 64 * 1024
"""Bytes that the detector sees; it is slow, and more would not make it wiser."""

MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xfe\xff", "utf-16be"), (b"\xff\xfe", "utf-16le"))
LIKELY = {
    "cp1250": "windows-1250",
    "cp1251": "windows-1251",
    "cp1252": "windows-1252",
    "cp1253": "windows-1253",
    "cp1254": "windows-1254",
    "cp1255": "windows-1255",
    "cp1256": "windows-1256",
    "cp1257": "windows-1257",
    "koi8_r": "koi8-r",
    "cp932": "shift_jis",
    "euc_jp": "euc-jp",
    "gb18030": "gb18030",
    "big5hkscs": "big5",
    "cp949": "euc-kr",
}
"""What the detector may answer, as Python and as the web call it: encodings that undeclared pages are found in."""


ERRORS = {"gb18030": "toolkit-euro"}
"""How bytes are read that a codec of Python's takes for wrong, other than as U+FFFD."""


def decode(body: bytes, charset: str | None) -> tuple[str, str]:
    """Return a page's text, without a byte order mark, and the name of its encoding.

    charset: the label that HTTP gave, or None; an unknown one is ignored. Bytes that mean nothing become U+FFFD, and so
    does a NUL, which parsers disagree about.
    """
    name, skipped = decide(body, charset)
    encoding = webencodings.lookup(codec_of(name))
    assert encoding is not None  # noqa: S101 - decide answers with known names only
    errors = "toolkit-c1" if name.startswith("windows-") else ERRORS.get(codec_of(name), "replace")
    text, _ = encoding.codec_info.decode(body[skipped:], errors)
    return (text.replace("\0", "\ufffd") if 0 in body else text), name


def decide(body: bytes, charset: str | None) -> tuple[str, int]:
    """Return the encoding's name in lower case, and the length of the byte order mark."""
    for mark, name in MARKS:
        if body.startswith(mark):
            return name, len(mark)
    declared = webencodings.lookup(charset) if charset else None
    if declared is not None:
        return str(declared.name), 0
    return prescan(body) or detect(body), 0


def detect(body: bytes) -> str:
    """Return the likely encoding of a page that declares none: UTF-8 if valid, else what its letters look like."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    import charset_normalizer

    found = list(charset_normalizer.from_bytes(body[:SAMPLE], cp_isolation=list(LIKELY)))
    if not found:
        return FALLBACK
    best = found[0]
    # Western text looks right in half a dozen code pages: where it could be the usual one, it is.
    if any(_western(one) and one.chaos < best.chaos + 0.1 and one.coherence >= best.coherence for one in found):
        return FALLBACK
    return LIKELY.get(best.encoding, FALLBACK)


def codec_of(name: str) -> str:
    """Return the codec that decodes what an encoding's name stands for on the web: gbk is read as its superset."""
    return "gb18030" if name == "gbk" else name


def _western(match: Any) -> bool:
    return "cp1252" in match.could_be_from_charset


def _c1(error: UnicodeError) -> tuple[str, int]:
    """Read the holes of the windows code pages as C1 controls, as the Encoding standard does."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    byte = error.object[error.start]
    return chr(byte) if 0x80 <= byte <= 0x9F else "\ufffd", error.start + 1  # noqa: PLR2004


def _euro(error: UnicodeError) -> tuple[str, int]:
    """Read 0x80 by itself as the euro sign, as the Encoding standard's decoder of gb18030 and gbk does."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return ("€", error.start + 1) if error.object[error.start] == 0x80 else ("\ufffd", error.end)  # noqa: PLR2004


codecs.register_error("toolkit-c1", _c1)
codecs.register_error("toolkit-euro", _euro)
