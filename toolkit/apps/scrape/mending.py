"""Signs that stop an XML parser, though everybody knows what is meant: a bare &, control characters."""

from __future__ import annotations

import re

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
SIGNS = re.compile(r"<!\[CDATA\[|]]>|&(?:(?:amp|lt|gt|quot|apos|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));)?")
HALF = re.compile(r"(?:<[!\[A-Z]{0,7}|]{1,2}|&[#0-9A-Za-z]{0,9})\Z")
"""What one of SIGNS may begin with."""


class Mend:
    """Mends signs that stop an XML parser; text may be cut anywhere. count: how many there were."""

    def __init__(self) -> None:
        self.count = 0
        self._held = ""
        self._verbatim = False

    def __call__(self, text: str) -> str:
        """Return the next text, mended; its last signs may have to wait for what comes."""
        text = self._held + text
        half = HALF.search(text, max(0, len(text) - 16))
        end = half.start() if half else len(text)
        self._held = text[end:]
        return self._mended(text[:end])

    def end(self) -> str:
        """Return what waited."""
        return self._mended(self._held)

    def _mended(self, text: str) -> str:
        if FORBIDDEN.search(text):
            text, count = FORBIDDEN.subn("", text)
            self.count += count
        return SIGNS.sub(self._sign, text) if "&" in text or "[CDATA[" in text or self._verbatim else text

    def _sign(self, found: re.Match[str]) -> str:
        sign = found[0]
        if sign[0] != "&":
            self._verbatim = sign[0] == "<"
        elif not self._verbatim and not (len(sign) > 1 and _is_character(found)):
            self.count += 1
            return "&amp;" + sign[1:]
        return sign


def _is_character(found: re.Match[str]) -> bool:
    """Tell whether a reference is to a sign that XML may hold."""
    if found[1] is None and found[2] is None:
        return True
    code = int(found[1]) if found[1] else int(found[2], 16)
    if code < 0x20:  # noqa: PLR2004
        return code in (9, 10, 13)
    return code <= 0x10FFFF and not 0xD800 <= code < 0xE000 and code not in (0xFFFE, 0xFFFF)  # noqa: PLR2004
