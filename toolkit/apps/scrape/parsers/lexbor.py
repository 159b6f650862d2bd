"""The lexbor parser, through selectolax: the tree that browsers build, and the fastest of the three."""

from __future__ import annotations

from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from toolkit.apps.scrape.text import BREAKS, HIDDEN, tidy


class LexborPage:
    """A page as lexbor's tree."""

    def __init__(self, html: str) -> None:
        self._tree = LexborHTMLParser(html)

    def texts(self, selector: str, *, first: bool) -> list[str]:
        """Return the text of the matches."""
        return [tidy(_text(node)) for node in self._find(selector, first=first)]

    def attributes(self, selector: str, name: str, *, first: bool) -> list[str]:
        """Return the attribute of the matches that have it."""
        found: list[str] = []
        for node in self._find(selector, first=False):
            attributes = node.attributes
            if name in attributes:
                found.append(attributes[name] or "")
                if first:
                    break
        return found

    def _find(self, selector: str, *, first: bool) -> list[LexborNode]:
        if first:
            node = self._tree.css_first(selector)
            return [] if node is None else [node]
        return self._tree.css(selector)


class Lexbor:
    """Pages by lexbor; its selectors are compiled anew for each page, which it does in microseconds."""

    def compile(self, selector: str) -> str:
        """Return the selector, checked."""
        try:
            LexborHTMLParser("").css(selector)
        except SelectolaxError as error:
            raise ValueError("lexbor does not take this selector") from error
        return selector

    def parse(self, html: str) -> LexborPage:
        """Return the page."""
        return LexborPage(html)


def _text(node: LexborNode) -> str:
    child = node.first_child
    if child is not None and child.is_text_node and child.next is None:
        return child.text_content or ""
    pieces: list[str] = []
    # A stack of our own: pages nest deeper than Python recurses.
    stack: list[tuple[Iterator[LexborNode], str]] = [(node.iter(include_text=True), "")]
    while stack:
        children, closing = stack[-1]
        child = next(children, None)
        if child is None:
            pieces.append(closing)
            stack.pop()
        elif child.is_text_node:
            pieces.append(child.text_content or "")
        elif child.is_element_node and child.tag not in HIDDEN:
            edge = " " if child.tag in BREAKS else ""
            pieces.append(edge)
            stack.append((child.iter(include_text=True), edge))
    return "".join(pieces)


parser = Lexbor()
