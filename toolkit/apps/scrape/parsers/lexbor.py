"""The lexbor parser, through selectolax: the tree that browsers build, and the fastest of the three."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from toolkit.apps.scrape.text import BROKEN, EACH, HIDDEN, SPACED, UNSPACED, Budget, tidy

MARK = "toolkit-scope"
"""An attribute that an element has while `:scope`, which lexbor does not know, stands for it."""
NAMES = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:\s*,\s*[A-Za-z][A-Za-z0-9]*)*")
"""Selectors that ask for nothing but names."""
CHANGED = ", ".join(sorted(HIDDEN | set(BROKEN)))
"""What makes an element's text as written another than all text within it."""
QUICK = 32_000_000
"""Bytes of markup, of the whole page each time, for which such texts are had in one piece: it cannot be told how many
elements that takes, and they may nest. What is more is had piece by piece, and counted."""


@dataclass(frozen=True, slots=True)
class Selector:
    """A checked selector.

    listed: whether lexbor may give an element twice, once for each part between commas. names: the names of elements
    that it asks for, if it asks for nothing else.
    """

    text: str
    listed: bool
    scoped: bool
    names: frozenset[str] = frozenset()


class LexborPage:
    """A page as lexbor's tree."""

    def __init__(self, html: str | bytes) -> None:
        self._tree = LexborHTMLParser(html)
        self._budget = Budget()
        self._quick = QUICK // (len(html) + 1)
        self._known: dict[str, list[LexborNode]] = {}
        self._dicts: dict[str, list[dict[str, str | None]]] = {}

    def find(self, selector: Selector, within: LexborNode | None = None) -> list[LexborNode]:
        """Return every match."""
        found = self._known.get(selector.text) if within is None else None
        if found is None:
            found = self._tree.css(selector.text) if within is None else _below(selector, within)
            if selector.listed:
                found = _once(found)
        self._budget.spend(EACH * len(found))
        return found

    def expect(self, selectors: Sequence[Selector]) -> None:
        """Find what asks for names only, in one walk: a name more costs next to nothing, a walk goes to each node."""
        wanted = {selector.text: selector for selector in selectors if selector.names}
        names = {name for selector in wanted.values() for name in selector.names}
        if not names:
            return
        found: list[LexborNode] = self._tree.css(",".join(sorted(names)))  # each once: no element has two names
        groups: defaultdict[int, list[LexborNode]] = defaultdict(list)
        for node in found:
            groups[node.tag_id].append(node)
        tags = {number: (group[0].tag or "").lower() for number, group in groups.items()}  # svg has a clipPath
        for text, selector in wanted.items():
            asked = [number for number, tag in tags.items() if tag in selector.names]
            if len(asked) == 1:
                self._known[text] = groups[asked[0]]
            else:
                self._known[text] = [node for node in found if node.tag_id in asked] if asked else []

    def first(self, selector: Selector, within: LexborNode | None = None) -> LexborNode | None:
        """Return the first match."""
        if within is None:
            known = self._known.get(selector.text)
            return self._tree.css_first(selector.text) if known is None else next(iter(known), None)
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
        for attributes in self._attributes(selector, within, first=first):
            if name in attributes:
                found.append(attributes[name] or "")
                if first:
                    break
        return found

    def pairs(
        self, selector: Selector, name: str, other: str, within: LexborNode | None = None
    ) -> list[tuple[str, str | None]]:
        """Return the attribute of the matches that have it, with another one."""
        return [
            (attributes[name] or "", (attributes[other] or "") if other in attributes else None)
            for attributes in self._attributes(selector, within, first=False)
            if name in attributes
        ]

    def _attributes(
        self, selector: Selector, within: LexborNode | None, *, first: bool
    ) -> Iterable[dict[str, str | None]]:
        """Return each match's attributes; those of what was expected are kept, as fields and links may both ask."""
        nodes = self.find(selector, within)
        if first or within is not None or selector.text not in self._known:
            return (node.attributes for node in nodes)
        if (known := self._dicts.get(selector.text)) is None:
            known = self._dicts[selector.text] = [node.attributes for node in nodes]
        return known

    def text(self, node: LexborNode) -> str:
        """Return an element's text."""
        return tidy(_text(node, SPACED, SPACED, self._budget))

    def own(self, node: LexborNode) -> str:
        """Return the text in the element itself."""
        children = node.iter(include_text=True)
        return tidy(" ".join([child.text_content or "" for child in children if child.is_text_node]))

    def pre(self, node: LexborNode) -> str:
        """Return an element's text as written."""
        if self._quick > 0 and node.css_first(CHANGED) is None:
            self._quick -= 1
            text: str = node.text(deep=True)
            self._budget.spend(EACH, len(text))
            return text
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
        names = frozenset() if NAMES.fullmatch(selector) is None else frozenset(re.split(r"\s*,\s*", selector.lower()))
        text = selector.replace(":scope", f"[{MARK}]") if scoped else selector
        try:
            LexborHTMLParser("").css(text)
        except SelectolaxError as error:
            raise ValueError("lexbor does not take this selector") from error
        return Selector(text, "," in text, scoped, names)

    def xpath(self, expression: str) -> Selector:  # noqa: ARG002 - as lxml's
        """Raise ValueError."""
        raise ValueError("lexbor knows no XPath, only lxml does")

    def parse(self, html: str, encoded: bytes | None = None) -> LexborPage:
        """Return the page."""
        return LexborPage(html if encoded is None else encoded)


def _below(selector: Selector, within: LexborNode) -> list[LexborNode]:
    if selector.scoped:
        within.attrs[MARK] = ""
    try:
        found: list[LexborNode] = within.css(selector.text)
    finally:
        if selector.scoped:
            del within.attrs[MARK]
    return [node for node in found if not _same(node, within)] if found and _same(found[0], within) else found


def _once(found: list[LexborNode]) -> list[LexborNode]:
    """Return each element once, of a list in which the same follow each other."""
    if len(found) < 2:  # noqa: PLR2004 - two may be one
        return found
    return [node for node, last in zip(found, [None, *found], strict=False) if not _same(node, last)]


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
