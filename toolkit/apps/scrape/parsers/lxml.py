"""The lxml parser: libxml2's reading of HTML 4, with selectors compiled to XPath."""

from __future__ import annotations

from typing import Any

from cssselect import HTMLTranslator, SelectorError
from lxml import etree

from toolkit.apps.scrape.text import BREAKS, HIDDEN, tidy


class LxmlPage:
    """A page as lxml's tree."""

    def __init__(self, html: str) -> None:
        # huge_tree only lifts libxml2's limit on depth: the size of a page has its own cap.
        reader = etree.HTMLParser(encoding="utf-8", huge_tree=True)
        root = etree.fromstring(html.encode("utf-8", "replace"), reader) if html.strip() else None
        self._root = etree.Element("html") if root is None else root
        for template in self._root.iter("template"):
            template[:], template.text = [], None  # a template's content is not part of the page

    def texts(self, selector: etree.XPath, *, first: bool) -> list[str]:
        """Return the text of the matches."""
        nodes = self._find(selector)
        return [tidy(_text(node)) for node in (nodes[:1] if first else nodes)]

    def attributes(self, selector: etree.XPath, name: str, *, first: bool) -> list[str]:
        """Return the attribute of the matches that have it."""
        found = [value for node in self._find(selector) if (value := node.get(name)) is not None]
        return found[:1] if first else found

    def _find(self, selector: etree.XPath) -> list[Any]:
        nodes: Any = selector(self._root)  # a list of elements, as every XPath of cssselect gives
        return list(nodes)


class Lxml:
    """Pages by lxml."""

    def compile(self, selector: str) -> etree.XPath:
        """Return the selector as an XPath."""
        try:
            return etree.XPath(HTMLTranslator().css_to_xpath(selector))
        except (SelectorError, etree.XPathError) as error:
            raise ValueError(f"lxml does not take this selector: {error}") from error

    def parse(self, html: str) -> LxmlPage:
        """Return the page."""
        return LxmlPage(html)


def _text(node: Any) -> str:
    if len(node) == 0:
        return node.text or ""
    pieces: list[str] = []
    for event, element in etree.iterwalk(node, events=("start", "end", "comment", "pi")):
        within = element is not node
        shown = event in ("start", "end") and not (within and element.tag in HIDDEN)
        edge = " " if shown and within and element.tag in BREAKS else ""
        if event == "start":
            pieces += (edge, element.text or "") if shown else ()
        else:
            pieces += (edge, element.tail or "") if within else ()
    return "".join(pieces)


parser = Lxml()
