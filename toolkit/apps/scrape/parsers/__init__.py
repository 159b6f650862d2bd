"""HTML parsers, one file each, found by name; the same rules give the same rows on the CSS subset that all three share.

The subset is in `rules/css.py`. What works beyond it is the one parser's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Document(Protocol):
    """A parsed page; selectors are what Parser.compile returned, answers are in document order, each element once.

    within: look below this element only, and not at itself; its ancestors count for `a b` all the same, as in browsers.
    A node is the library's own; an XPath may also give plain strings.
    """

    def find(self, selector: Any, within: Any = None) -> Sequence[Any]:
        """Return every match."""

    def expect(self, selectors: Sequence[Any]) -> None:
        """Take note of selectors of the whole page that all will be looked for: one walk may find the matches of many.

        Without effect on what is found.
        """

    def first(self, selector: Any, within: Any = None) -> Any | None:
        """Return the first match."""

    def texts(self, selector: Any, *, first: bool, within: Any = None) -> list[str]:
        """Return the text of every match, or of the first one only, by the rule of `text.py`."""

    def attributes(self, selector: Any, name: str, *, first: bool, within: Any = None) -> list[str]:
        """Return the attribute, as written, of every match that has it, or of the first such match only."""

    def pairs(self, selector: Any, name: str, other: str, within: Any = None) -> list[tuple[str, str | None]]:
        """Return the attribute of every match that has it, with another one of the same match, or None; as written.

        A match that is a string stands for itself.
        """

    def text(self, node: Any) -> str:
        """Return an element's text by the rule of `text.py`."""

    def own(self, node: Any) -> str:
        """Return the text that stands in the element itself, tidied; elements between its pieces count as a space."""

    def pre(self, node: Any) -> str:
        """Return an element's text with its white space as written, and a line break for `<br>`."""

    def inner(self, node: Any) -> str:
        """Return the markup inside an element, as the parser writes it."""

    def outer(self, node: Any) -> str:
        """Return the markup of an element with its own tags."""

    def attribute(self, node: Any, name: str) -> str | None:
        """Return an attribute as written, or None."""

    def tag(self, node: Any) -> str:
        """Return an element's name in lower case."""

    def children(self, node: Any) -> list[Any]:
        """Return the elements that stand directly in an element."""


class Parser(Protocol):
    """What a file in this folder gives under the name `parser`."""

    def compile(self, selector: str, *, within: bool = False) -> Any:
        """Return the selector in the form that is quickest to use; raises ValueError if it is not valid.

        within: the selector will be used below an element, which `:scope` then stands for.
        """

    def xpath(self, expression: str) -> Any:
        """Return an XPath in the form that is quickest to use; raises ValueError if it cannot be had."""

    def parse(self, html: str, encoded: bytes | None = None) -> Document:
        """Return the page; bad markup is mended, never refused. encoded: the same in UTF-8, if that is at hand."""
