"""The lxml parser: libxml2's reading of HTML 4, with selectors compiled to XPath, which it also takes itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from cssselect import HTMLTranslator, SelectorError
from cssselect.xpath import XPathExpr
from lxml import etree

from toolkit.apps.scrape.text import BROKEN, EACH, HIDDEN, SPACED, UNSPACED, VERBATIM, Budget, lined, tidy


class Selector:
    """A selector as an XPath. scoped: whether it asks which element it is used below."""

    __slots__ = ("_path", "_scoped")

    def __init__(self, path: etree.XPath, *, scoped: bool = False) -> None:
        self._path = path
        self._scoped = scoped

    def __call__(self, node: Any) -> list[Any]:
        """Return the matches: elements, or strings where an XPath gives them."""
        try:
            found: Any = self._path(node, scope=node) if self._scoped else self._path(node)
        except etree.XPathError as error:
            raise ValueError(f"the XPath {self._path.path!r} fails: {error}") from error
        if isinstance(found, list):
            return [one for one in found if isinstance(one, str) or isinstance(one.tag, str)]
        if isinstance(found, bool):
            return ["true" if found else "false"]
        return [f"{found:.15g}" if isinstance(found, float) else found]


class LxmlPage:
    """A page as lxml's tree."""

    def __init__(self, html: str, encoded: bytes | None) -> None:
        # huge_tree only lifts libxml2's limit on depth: the size of a page has its own cap.
        reader = etree.HTMLParser(encoding="utf-8", huge_tree=True)
        if encoded is None or b"\r" in encoded:
            encoded = lined(html).encode("utf-8", "replace")
        root = etree.fromstring(encoded, reader) if html and not html.isspace() else None
        self._root = etree.Element("html") if root is None else root
        for template in self._root.iter("template"):
            template[:], template.text = [], None  # a template's content is not part of the page
        self._budget = Budget()

    def find(self, selector: Selector, within: Any = None) -> list[Any]:
        """Return every match."""
        found = selector(self._root if within is None else within)
        self._budget.spend(EACH * len(found))
        return found

    def expect(self, selectors: Sequence[Selector]) -> None:
        """Do nothing: each XPath is a walk of its own."""

    def first(self, selector: Selector, within: Any = None) -> Any | None:
        """Return the first match."""
        return next(iter(self.find(selector, within)), None)

    def texts(self, selector: Selector, *, first: bool, within: Any = None) -> list[str]:
        """Return the text of the matches."""
        nodes = self.find(selector, within)
        return [self.text(node) for node in (nodes[:1] if first else nodes)]

    def attributes(self, selector: Selector, name: str, *, first: bool, within: Any = None) -> list[str]:
        """Return the attribute of the matches that have it."""
        nodes = self.find(selector, within)
        found = [value for node in nodes if (value := self.attribute(node, name)) is not None]
        return found[:1] if first else found

    def pairs(self, selector: Selector, name: str, other: str, within: Any = None) -> list[tuple[str, str | None]]:
        """Return the attribute of the matches that have it, with another one."""
        found: list[tuple[str, str | None]] = []
        for node in self.find(selector, within):
            if isinstance(node, str):
                found.append((node, None))
            elif (value := node.get(name)) is not None:
                found.append((value, node.get(other)))
        return found

    def text(self, node: Any) -> str:
        """Return an element's text."""
        return tidy(node if isinstance(node, str) else _text(node, SPACED, SPACED, self._budget))

    def own(self, node: Any) -> str:
        """Return the text in the element itself."""
        return tidy(node if isinstance(node, str) else " ".join([node.text or "", *(c.tail or "" for c in node)]))

    def pre(self, node: Any) -> str:
        """Return an element's text as written."""
        if isinstance(node, str):
            return node
        text = _text(node, UNSPACED, BROKEN, self._budget)
        return text.removeprefix("\n") if node.tag in VERBATIM else text

    def inner(self, node: Any) -> str:
        """Return the markup inside an element."""
        if isinstance(node, str):
            return node
        text = node.text or ""
        pieces = [text if node.tag in HIDDEN else escape(text, quote=False)]
        pieces += [etree.tostring(child, method="html", encoding="unicode") for child in node]
        return self._markup("".join(pieces))

    def outer(self, node: Any) -> str:
        """Return the markup of an element."""
        if isinstance(node, str):
            return node
        return self._markup(etree.tostring(node, method="html", encoding="unicode", with_tail=False))

    def _markup(self, html: str) -> str:
        self._budget.spend(EACH, len(html))
        return html.replace("\xa0", "&nbsp;")

    def attribute(self, node: Any, name: str) -> str | None:
        """Return an attribute."""
        return None if isinstance(node, str) else node.get(name)

    def tag(self, node: Any) -> str:
        """Return an element's name."""
        return "" if isinstance(node, str) else str(node.tag)

    def children(self, node: Any) -> list[Any]:
        """Return the elements in an element."""
        return [] if isinstance(node, str) else [child for child in node if isinstance(child.tag, str)]


class Lxml:
    """Pages by lxml."""

    def compile(self, selector: str, *, within: bool = False) -> Selector:
        """Return the selector as an XPath."""
        try:
            path = _Backwards().css_to_xpath(selector, "descendant::" if within else "descendant-or-self::")
            return Selector(etree.XPath(path, smart_strings=False), scoped="$scope" in path)
        except (SelectorError, etree.XPathError, RecursionError) as error:
            raise ValueError(f"lxml does not take this selector: {error}") from error

    def xpath(self, expression: str) -> Selector:
        """Return the XPath, compiled."""
        try:
            return Selector(etree.XPath(expression, smart_strings=False))
        except etree.XPathError as error:
            raise ValueError(f"lxml does not take this XPath: {error}") from error

    def parse(self, html: str, encoded: bytes | None = None) -> LxmlPage:
        """Return the page."""
        return LxmlPage(html, encoded)


class _Backwards(HTMLTranslator):
    """Translates `a b` to "a b that has an a above it", which holds below any element, as a selector does in browsers.

    cssselect's own "below each a, each b" would look for the a below that element only.
    """

    def xpath_descendant_combinator(self, left: XPathExpr, right: XPathExpr) -> XPathExpr:
        return right.add_condition(f"ancestor::{left}")

    def xpath_child_combinator(self, left: XPathExpr, right: XPathExpr) -> XPathExpr:
        return right.add_condition(f"parent::{left}")

    def xpath_direct_adjacent_combinator(self, left: XPathExpr, right: XPathExpr) -> XPathExpr:
        left.add_name_test()
        return right.add_condition(f"preceding-sibling::*[1][{left.condition or 'true()'}]")

    def xpath_indirect_adjacent_combinator(self, left: XPathExpr, right: XPathExpr) -> XPathExpr:
        return right.add_condition(f"preceding-sibling::{left}")

    def xpath_scope_pseudo(self, xpath: XPathExpr) -> XPathExpr:
        return xpath.add_condition("count(. | $scope) = 1")


def _text(node: Any, opening: Mapping[str, str], closing: Mapping[str, str], budget: Budget) -> str:
    if len(node) == 0:
        text: str = node.text or ""
        budget.spend(1, len(text))
        return text
    pieces: list[str] = []
    for event, element in etree.iterwalk(node, events=("start", "end", "comment", "pi")):
        within = element is not node
        shown = event in ("start", "end") and not (within and element.tag in HIDDEN)
        edges = opening if event == "start" else closing
        edge = edges.get(element.tag, "") if shown and within else ""
        if event == "start":
            pieces += (edge, element.text or "") if shown else ()
        else:
            pieces += (edge, element.tail or "") if within else ()
    text = "".join(pieces)
    budget.spend(len(pieces), len(text))
    return text


parser = Lxml()
