r"""JSON as it is found in pages: read as it stands if it can be, else mended with care, never guessed at.

What is mended: comments, trailing and doubled commas, a comma that is missing between two objects, a missing value
(`"price": ,` is null), control characters, escapes that JSON does not know (`\'`), wrappers of comments and CDATA,
several objects in one script, and text whose quotes are written as HTML entities.
"""

from __future__ import annotations

import html
import json
import math
import re
from typing import Any

DEEPEST = 100
"""Levels of lists and objects: no vocabulary goes as deep, and what reads the rows must not overflow either."""
LARGEST = 1_000_000
"""Characters of a text that is worth mending."""
MOST = 10_000
"""Values in one text."""
DIGITS = 19
"""A longer whole number is kept as text: it is a name of digits, and other readers would round it."""

_TEXT = r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'  # the end counts as a quote, so that each sign is looked at once
_NOISE = re.compile(
    rf"({_TEXT})|//[^\n\r]*+|/\*.*?(?:\*/|\Z)|[\x00-\x08\x0b\x0c\x0e-\x20\x7f\xa0\u200b\u2028\u2029\ufeff]", re.DOTALL
)
_COMMAS = re.compile(rf"({_TEXT})|(,)(?=\s*+[,}}\]])|(:)(?=\s*+[,}}])|(}})(?=\s*+\{{)", re.DOTALL)
_ESCAPE = re.compile(r'\\(["\\/bfnrt]|u[0-9a-fA-F]{4})|\\\r?\n?(.?)', re.DOTALL)
_OPENING = re.compile(r"(?://|/\*)?\s*+(?:<!--|<!\[CDATA\[)(?:\s*+\*/)?")
_CLOSING = re.compile(r"(?://|/\*)?[ \t]*+(?:-->|\]\]>)(?:\s*+\*/)?\s*+\Z")
_GAP = re.compile(r"[\s,;]*+")
_UNFIT = re.compile("[\x00\ud800-\udfff]")


def objects_in(text: str) -> tuple[list[dict[str, Any]], str | None]:
    """Return the objects, and what is wrong with the text where not all of it could be read."""
    text = _unwrapped(text)
    found, wrong = _read(text)
    for mend in (_mended, _unescaped):
        if wrong is None or len(text) > LARGEST:
            break
        again, still = _read(mend(text))
        if still is None or len(again) > len(found):
            found, wrong = again, still
    return found, wrong


def _read(text: str) -> tuple[list[dict[str, Any]], str | None]:
    """Return the objects up to the first mistake, and that."""
    found: list[dict[str, Any]] = []
    try:
        at = _after_gap(text, 0)
        for _ in range(MOST):
            if at >= len(text):
                return found, None
            value, at = _DECODER.raw_decode(text, at)
            found += _objects(value)
            at = _after_gap(text, at)
    except json.JSONDecodeError as error:
        return found, f"not JSON: {error.msg} in line {error.lineno}"
    except (RecursionError, ValueError) as error:
        return found, str(error) if type(error) is ValueError else f"nested deeper than {DEEPEST} levels"
    return found, f"more than {MOST:,} values in one script"


def _after_gap(text: str, at: int) -> int:
    found = _GAP.match(text, at)
    return at if found is None else found.end()


def _objects(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [_clean(value, 1)]
    return [_clean(one, 2) for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _clean(value: Any, depth: int) -> Any:
    """Return a value without what cannot be written: half characters and NUL."""
    if depth > DEEPEST and isinstance(value, dict | list):
        raise ValueError(f"nested deeper than {DEEPEST} levels")
    if isinstance(value, dict):
        return {_clean(key, depth): _clean(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list):
        return [_clean(one, depth + 1) for one in value]
    return _UNFIT.sub("\ufffd", value) if isinstance(value, str) else value


def _unwrapped(text: str) -> str:
    text = text.strip("\ufeff \t\r\n")
    if opening := _OPENING.match(text):
        text = text[opening.end() :]
        if closing := _CLOSING.search(text, max(0, len(text) - 100)):
            text = text[: closing.start()]
    return text


def _mended(text: str) -> str:
    quiet = _NOISE.sub(lambda found: _escaped(found[1]) if found[1] else " ", text)
    return _COMMAS.sub(_comma, quiet)


def _unescaped(text: str) -> str:
    """Return text whose own quotes are entities."""
    if "&" not in text:
        return text
    try:
        return _mended(html.unescape(text))
    except ValueError:  # a character number with thousands of digits
        return text


def _comma(found: re.Match[str]) -> str:
    if found[1] or found[2]:
        return found[1] or ""
    return ": null" if found[3] else "},"


def _escaped(text: str) -> str:
    """Return a text in quotes with its escapes as JSON has them; an unknown one is its sign, as in JavaScript."""
    return _ESCAPE.sub(lambda found: found[0] if found[1] else found[2], text) if "\\" in text else text


def _integer(text: str) -> int | str:
    return int(text) if len(text.lstrip("-")) <= DIGITS else text


def _real(text: str) -> float | str:
    return number if math.isfinite(number := float(text)) else text


_DECODER = json.JSONDecoder(strict=False, parse_int=_integer, parse_float=_real, parse_constant=lambda _: None)
