"""What forms say, as text on the wire: application/x-www-form-urlencoded (WHATWG URL, 5.2), in the form's encoding."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote_plus

import webencodings

from toolkit.apps.scrape.encodings import codec_of

Pair = tuple[str, str]
"""A control's name and what it says."""


def label_of(accepted: str, encoding: str) -> str:
    """Return the name of the encoding that a form is sent in: the first that it accepts, else its page's.

    accepted: labels, as in accept-charset.
    """
    for label in [*re.split(r"[\s,]+", accepted), encoding]:
        found = webencodings.lookup(label) if label else None
        if found is not None:
            name = str(found.name)
            return "utf-8" if name.startswith("utf-16") or name == "replacement" else name
    return "utf-8"


def urlencoded(pairs: Iterable[Pair], label: str) -> bytes:
    """Return pairs as application/x-www-form-urlencoded; label: what label_of answers with."""
    return "&".join(f"{_escaped(name, label)}={_escaped(value, label)}" for name, value in pairs).encode("ascii")


def _escaped(text: str, label: str) -> str:
    encoding = webencodings.lookup(codec_of(label))
    assert encoding is not None  # noqa: S101 - label_of answers with known names only
    lines = re.sub(r"\r\n|\r|\n", "\r\n", text)
    code, _ = encoding.codec_info.encode(lines, "xmlcharrefreplace")
    return quote_plus(code, safe="*").replace("~", "%7E")
