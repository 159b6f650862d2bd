"""The lines of a robots.txt, put so that protego reads them as RFC 9309 means them."""

from __future__ import annotations

import re
from urllib.parse import quote

END = "!"
"""What no token has. protego looks for names that begin as a group's does; with this behind both, for the same name."""
_USER_AGENT = re.compile(r"([ \t]*user[- ]?agent[ \t]*(?:[ \t]|:)[ \t]*+(?:\*|[^\s#/]++))", re.IGNORECASE)
_ENDS = re.compile(r"\r\n?|\n")
_OTHER_ENDS = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""Characters at which Python, unlike the RFC, ends lines."""


def lines_of(body: bytes) -> str:
    """Return the text of a file: UTF-8, as the RFC has it, or the UTF-16 of one that says so at its beginning."""
    codec = "utf-16" if body.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    text = body.decode(codec, "replace").replace("\0", "")
    return "\n".join(map(_line, _ENDS.split(text)))


def whole_token(token: str) -> str:
    """Return a crawler's name as groups are looked up by; one with a star at its end stands for all that begin so."""
    return token if token.endswith("*") else token + END


def whole_lines(body: bytes) -> bytes:
    """Return bytes that a limit has cut, up to the last line that has an end."""
    return body[: max(body.rfind(b"\n"), body.rfind(b"\r")) + 1]


def _line(line: str) -> str:
    found = _USER_AGENT.match(line)
    if found is not None:  # a token ends before its version (2.2.1)
        return whole_token(found[1])
    return _OTHER_ENDS.sub(lambda sign: quote(sign[0]), line)
