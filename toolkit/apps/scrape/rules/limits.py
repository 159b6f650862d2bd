"""Pages made to hurt: what would take a parser minutes or gigabytes is refused before it is parsed.

Each check is a guess from the tags as they are written, cheap for usual pages and right about the attacks that are
known; a time limit on the task is what stands behind it.
"""

from __future__ import annotations

import re
from itertools import accumulate
from math import isqrt

HUGE = 50_000
"""Tags of a page that is looked through in any case."""
DEEPEST = 5000
"""Elements within elements."""
REOPENED = 2_000_000
"""Elements that misnested `<b>`, `<font>` and their kin may make: each is opened again in each paragraph after it."""
ATTRIBUTES = 10_000
"""Attributes of one tag: each new one is compared with all before it."""
HARMLESS = min(DEEPEST, isqrt(2 * REOPENED))
"""Tags of a page that can do no harm: not even if each opened all before it again."""
WINDOW = 16 * 1024
ALIKE = 3
"""Formatting elements of one name with the same attributes that are opened again."""

TAG = re.compile(r"<(/?[A-Za-z][A-Za-z0-9]*)")
WITH_ATTRIBUTES = re.compile(r"<[bcefinstuBCEFINSTU](?:[imotIMOT][A-Za-z]*)?[\s/][^>]*")
"""Tags that may be of formatting elements, by their first two letters."""
NAMES = re.compile(r"[\s/\"'][^\s/>\"'=]")
VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
UNCLOSED = frozenset(
    {
        "html",
        "head",
        "body",
        "p",
        "li",
        "dt",
        "dd",
        "option",
        "optgroup",
        "tr",
        "td",
        "th",
        "thead",
        "tbody",
        "tfoot",
        "colgroup",
    }
)
"""Elements that end by themselves."""
QUIET = VOID | {f"/{name}" for name in VOID | UNCLOSED}
"""Tags that open nothing, and close nothing that is counted."""
FORMATTING = frozenset({"b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"})


def check(text: str) -> None:
    """Raise ValueError for a page that would take too long to parse, or too much memory."""
    _check_attributes(text)
    starts = range(0, len(text), WINDOW)
    opening = [text.count("<", start, start + WINDOW) for start in starts]
    tags = sum(opening)
    if tags < HARMLESS:
        return
    # Twice each end, since it is among the tags, too; one may stand across two windows.
    levels = list(
        accumulate(
            signs - 2 * text.count("</", start, start + WINDOW + 1)
            for start, signs in zip(starts, opening, strict=True)
        )
    )
    if tags > HUGE or max(levels) * tags > REOPENED or _most_open(text) * tags > REOPENED:
        _check_nesting(text)


def _most_open(text: str) -> int:
    """Return how many formatting elements can be open at a time, whatever ends stray about: alike, three at most.

    More are forgotten (HTML, 13.2.4.3, "Noah's Ark"), so those that differ by their attributes count.
    """
    written = (TAG.match(tag) for tag in set(WITH_ATTRIBUTES.findall(text)))
    different = sum(tag is not None and tag[1].lower() in FORMATTING for tag in written)
    return ALIKE * (different + len(FORMATTING))


def _check_nesting(text: str) -> None:
    opened: dict[str, int] = {}
    depth = formatting = reopened = 0
    for written in TAG.findall(text):
        if written in QUIET:
            continue
        name = written.lower()
        if name in UNCLOSED:
            reopened += formatting
        elif name[0] == "/":
            name = name[1:]
            if opened.get(name):
                opened[name] -= 1
                depth -= 1
                formatting -= name in FORMATTING
        elif name not in VOID:
            reopened += formatting
            opened[name] = opened.get(name, 0) + 1
            depth += 1
            formatting += name in FORMATTING
            if depth > DEEPEST:
                raise ValueError(f"its elements nest more than {DEEPEST:,} deep")
    if reopened > REOPENED:
        raise ValueError("it opens formatting elements by the thousand and does not close them")


def _check_attributes(text: str) -> None:
    start = 0
    while start < len(text) - WINDOW:
        if text.find("<", start, start + WINDOW) >= 0:
            start += WINDOW
            continue
        tag, following = max(text.rfind("<", 0, start), 0), text.find("<", start)
        following = len(text) if following < 0 else following
        end = text.find(">", tag, following)
        if len(NAMES.findall(text, tag, following if end < 0 else end)) > ATTRIBUTES:
            raise ValueError(f"a tag has more than {ATTRIBUTES:,} attributes")
        start = following
