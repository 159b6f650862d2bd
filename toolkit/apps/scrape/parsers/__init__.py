"""HTML parsers, one file each, found by name; the same rules give the same rows on the CSS subset that all three share.

The subset: type, `*`, `.class`, `#id`, `[a]` with `=`, `~=`, `|=`, `^=`, `$=`, `*=`; the combinators descendant,
`>`, `+` and `~`; `:first-child`, `:last-child`, `:only-child`, `:nth-child(an+b)`, `:first-of-type`, `:last-of-type`,
`:nth-of-type(an+b)`, `:empty`, `:not(simple)`, and lists with commas. What works beyond it is the one parser's own.
"""

from __future__ import annotations

from typing import Any, Protocol


class Document(Protocol):
    """A parsed page; selectors are what Parser.compile returned, answers are in document order."""

    def texts(self, selector: Any, *, first: bool) -> list[str]:
        """Return the text of every match, or of the first one only, by the rule of `text.py`."""

    def attributes(self, selector: Any, name: str, *, first: bool) -> list[str]:
        """Return the attribute, as written, of every match that has it, or of the first such match only."""


class Parser(Protocol):
    """What a file in this folder gives under the name `parser`."""

    def compile(self, selector: str) -> Any:
        """Return the selector in the form that is quickest to use; raises ValueError if it is not valid."""

    def parse(self, html: str) -> Document:
        """Return the page; bad markup is mended, never refused."""
