"""Selectors as text: what is closed, what stands between commas, and the CSS on which all parsers agree.

The subset: type, `*`, `.class`, `#id`, `[a]` with `=`, `~=`, `|=`, `^=`, `$=`, `*=`; the combinators descendant, `>`,
`+` and `~`; `:root`, `:first-child`, `:last-child`, `:only-child`, `:nth-child(an+b)`, `:nth-last-child(an+b)`; after a
type also `:first-of-type`, `:last-of-type`, `:only-of-type`, `:nth-of-type(an+b)`, `:nth-last-of-type(an+b)`;
`:not(simple)`, `:is(simple, …)`, and lists with commas. In a record also `:scope`, which is the record, and a
combinator in front.
"""

from __future__ import annotations

import re

LETTER = r"[^\x00-@\[-^`{-\x7f]"
"""What a name may begin with: a letter, `_`, or any sign beyond ASCII.

Said by what it is not, since `re`, which ignores case here, would go through a million signs one by one at each start.
"""
SIGN = r"[^\x00-,./:-@\[-^`{-\x7f]"
"""What a name may go on with: as LETTER, a digit, or `-`."""
NAME = rf"(?:--|-?(?:{LETTER}|\\.))(?:{SIGN}|\\.)*"
STRING = r"\"[^\"]*\"|'[^']*'"
SERIES = r"\(\s*(?:odd|even|[+-]?\d*n(?:\s*[+-]\s*\d+)?|[+-]?\d+)\s*\)"
PLAIN = rf"""
    (?:\*|{NAME})
    | \.{NAME} | \#(?:{SIGN}|\\.)+
    | \[\s*{NAME}\s*(?:[~|^$*]?=\s*(?:{STRING}|{NAME})\s*)?\]
    | :(?:root|first-child|last-child|only-child|scope)(?![\w(-])
    | :(?:nth-child|nth-last-child){SERIES}
    | (?<=[\w*\])]) :(?:(?:first|last|only)-of-type(?![\w(-])|(?:nth-of-type|nth-last-of-type){SERIES})
"""
PART = re.compile(
    rf"""(?: {PLAIN} | :not\(\s*(?:{PLAIN})\s*\) | :is\(\s*(?:{PLAIN})+\s*(?:,\s*(?:{PLAIN})+\s*)*\) )""",
    re.VERBOSE | re.IGNORECASE,
)
BETWEEN = re.compile(r"\s*[>+~,]\s*|\s+")


def beyond(selector: str) -> str | None:
    """Return where a selector leaves the subset that all parsers read alike, or None if it does not."""
    at, text = 0, selector.strip()
    while at < len(text):
        found = PART.match(text, at) or (BETWEEN.match(text, at))
        if found is None or found.end() == at:
            return text[at:]
        at = found.end()
    return None


def scoped(selector: str) -> str:
    """Return a record's selector with `:scope` in front of each part that begins with a combinator."""
    parts = [part.strip() for part in parted(selector, ",")]
    return ", ".join(f":scope {part}" if part[:1] in (">", "+", "~") else part for part in parts)


def parted(text: str, sign: str) -> list[str]:
    """Return the pieces between a sign that stands outside of quotes and brackets."""
    pieces, start, depth, quote, at = [], 0, 0, "", 0
    while at < len(text):
        letter = text[at]
        if letter == "\\":
            at += 1
        elif quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "([":
            depth += 1
        elif letter in ")]":
            depth -= 1
        elif depth == 0 and text.startswith(sign, at):
            pieces.append(text[start:at])
            at += len(sign) - 1
            start = at + 1
        at += 1
    return [*pieces, text[start:]]


def closed(selector: str) -> bool:
    """Tell whether every quote and bracket is closed: CSS closes them at the end, and so hides slips of the hand."""
    plain = re.sub(r"\\.", "", selector, flags=re.DOTALL)
    plain = re.sub(STRING, "", plain)
    if '"' in plain or "'" in plain:
        return False
    stack: list[str] = []
    for sign in plain:
        if sign in "([":
            stack.append(")" if sign == "(" else "]")
        elif sign in ")]" and (not stack or stack.pop() != sign):
            return False
    return not stack
