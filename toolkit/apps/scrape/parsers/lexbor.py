"""The lexbor parser, through selectolax: the tree that browsers build, and the fastest of the three."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from toolkit.apps.scrape.text import BROKEN, EACH, HIDDEN, SPACED, UNSPACED, Budget, tidy

MARK = "toolkit-scope"
"""An attribute that an element has while `:scope`, which lexbor does not know, stands for it."""


@dataclass(frozen=True, slots=True)
class Selector:
    """A checked selector. listed: whether lexbor may give an element twice, once for each part between commas."""

    text: str
    listed: bool
    scoped: bool


class LexborPage:
    """A page as lexbor's tree."""

    def __init__(self, html: str) -> None:
        self._tree = LexborHTMLParser(html)
        self._budget = Budget()

    def find(self, selector: Selector, within: LexborNode | None = None) -> list[LexborNode]:
        """Return every match."""
        if within is None:
            found: list[LexborNode] = self._tree.css(selector.text)
        else:
            found = _below(selector, within)
        if selector.listed and len(found) > 1:
            found = [node for node, last in zip(found, [None, *found], strict=False) if not _same(node, last)]
        self._budget.spend(EACH * len(found))
        return found

    def first(self, selector: Selector, within: LexborNode | None = None) -> LexborNode | None:
        """Return the first match."""
        if within is None:
            return self._tree.css_first(selector.text)
        if not selector.scoped:
            node = within.css_first(selector.text)
            if node is None or not _same(node, within):
                return node
        return next(iter(self.find(selector, within)), None)

    def texts(self, selector: Selector, *, first: bool, within: LexborNode | None = None) -> list[str]:
        """Return the text of the matches."""
        if first:
            node = self.first(selector, within)
            return [] if node is None else [self.text(node)]
        return [self.text(node) for node in self.find(selector, within)]

    def attributes(self, selector: Selector, name: str, *, first: bool, within: LexborNode | None = None) -> list[str]:
        """Return the attribute of the matches that have it."""
        found: list[str] = []
        for node in self.find(selector, within):
            attributes = node.attributes
            if name in attributes:
                found.append(attributes[name] or "")
                if first:
                    break
        return found

    def text(self, node: LexborNode) -> str:
        """Return an element's text."""
        return tidy(_text(node, SPACED, SPACED, self._budget))

    def own(self, node: LexborNode) -> str:
        """Return the text in the element itself."""
        children = node.iter(include_text=True)
        return tidy(" ".join([child.text_content or "" for child in children if child.is_text_node]))

    def pre(self, node: LexborNode) -> str:
        """Return an element's text as written."""
        return _text(node, UNSPACED, BROKEN, self._budget)

    def inner(self, node: LexborNode) -> str:
        """Return the markup inside an element."""
        html = node.inner_html or ""
        self._budget.spend(EACH, len(html))
        return html

    def outer(self, node: LexborNode) -> str:
        """Return the markup of an element."""
        html = node.html or ""
        self._budget.spend(EACH, len(html))
        return html

    def attribute(self, node: LexborNode, name: str) -> str | None:
        """Return an attribute."""
        attributes = node.attributes
        return (attributes[name] or "") if name in attributes else None

    def tag(self, node: LexborNode) -> str:
        """Return an element's name."""
        return node.tag or ""

    def children(self, node: LexborNode) -> list[LexborNode]:
        """Return the elements in an element."""
        return [child for child in node.iter(include_text=False) if child.is_element_node]


class Lexbor:
    """Pages by lexbor; its selectors are compiled anew for each page, which it does in microseconds."""

    def compile(self, selector: str, *, within: bool = False) -> Selector:
        """Return the selector, checked."""
        scoped = within and ":scope" in selector
        text = selector.replace(":scope", f"[{MARK}]") if scoped else selector
        try:
            LexborHTMLParser("").css(text)
        except SelectolaxError as error:
            raise ValueError("lexbor does not take this selector") from error
        return Selector(text, "," in text, scoped)

    def xpath(self, expression: str) -> Selector:  # noqa: ARG002 - as lxml's
        """Raise ValueError."""
        raise ValueError("lexbor knows no XPath, only lxml does")

    def parse(self, html: str) -> LexborPage:
        """Return the page."""
        return LexborPage(html)


def _below(selector: Selector, within: LexborNode) -> list[LexborNode]:
    if selector.scoped:
        within.attrs[MARK] = ""
    try:
        found: list[LexborNode] = within.css(selector.text)
    finally:
        if selector.scoped:
            del within.attrs[MARK]
    return [node for node in found if not _same(node, within)] if found and _same(found[0], within) else found


def _same(node: LexborNode, other: LexborNode | None) -> bool:
    return other is not None and bool(node.mem_id == other.mem_id)


def _text(node: LexborNode, opening: Mapping[str, str], closing: Mapping[str, str], budget: Budget) -> str:
    child = node.first_child
    while child is not None and child.next is None:  # one text, however many elements are around it
        if child.is_text_node:
            text: str = child.text_content or ""
            budget.spend(1, len(text))
            return text
        if (tag := child.tag or "") in HIDDEN or tag == "br":
            break
        child = child.first_child
    pieces: list[str] = []
    # A stack of our own: pages nest deeper than Python recurses.
    stack: list[tuple[Iterator[LexborNode], str]] = [(node.iter(include_text=True), "")]
    while stack:
        children, end = stack[-1]
        child = next(children, None)
        if child is None:
            pieces.append(end)
            stack.pop()
        elif child.is_text_node:
            pieces.append(child.text_content or "")
        elif child.is_element_node and (tag := child.tag or "") not in HIDDEN:
            pieces.append(opening.get(tag, ""))
            stack.append((child.iter(include_text=True), closing.get(tag, "")))
    text = "".join(pieces)
    budget.spend(len(pieces), len(text))
    return text


parser = Lexbor()
