"""Beautiful Soup over lxml, with soupsieve's selectors: the slowest of the three, and the richest in selectors."""

from __future__ import annotations

from collections.abc import Iterator

import soupsieve
from bs4 import BeautifulSoup
from bs4.element import CData, NavigableString, PageElement, Script, Stylesheet, Tag, TemplateString

from toolkit.apps.scrape.text import BREAKS, HIDDEN, tidy

TEXTS = frozenset({NavigableString, CData, Script, Stylesheet, TemplateString})
"""The strings that are text; comments, doctypes and their kin are other classes."""


class SoupPage:
    """A page as a soup."""

    def __init__(self, html: str) -> None:
        # The line break in front says that this is markup, and no file name or XML, which bs4 would warn about.
        self._soup = BeautifulSoup("\n" + html, "lxml", multi_valued_attributes=None)
        for template in self._soup.find_all("template"):
            template.clear()  # a template's content is not part of the page

    def texts(self, selector: soupsieve.SoupSieve, *, first: bool) -> list[str]:
        """Return the text of the matches."""
        return [tidy(_text(tag)) for tag in selector.select(self._soup, limit=1 if first else 0)]

    def attributes(self, selector: soupsieve.SoupSieve, name: str, *, first: bool) -> list[str]:
        """Return the attribute of the matches that have it."""
        found: list[str] = []
        for tag in selector.iselect(self._soup):
            if (value := tag.get(name)) is not None:
                found.append(str(value))
                if first:
                    break
        return found


class Soup:
    """Pages by Beautiful Soup."""

    def compile(self, selector: str) -> soupsieve.SoupSieve:
        """Return the selector, compiled."""
        try:
            return soupsieve.compile(selector)
        except (soupsieve.SelectorSyntaxError, NotImplementedError, ValueError) as error:
            raise ValueError(f"soupsieve does not take this selector: {str(error).splitlines()[0]}") from error

    def parse(self, html: str) -> SoupPage:
        """Return the page."""
        return SoupPage(html)


def _text(tag: Tag) -> str:
    pieces: list[str] = []
    # A stack of our own: pages nest deeper than Python recurses.
    stack: list[tuple[Iterator[PageElement], str]] = [(iter(tag.contents), "")]
    while stack:
        children, closing = stack[-1]
        child = next(children, None)
        if child is None:
            pieces.append(closing)
            stack.pop()
        elif isinstance(child, Tag):
            if child.name not in HIDDEN:
                edge = " " if child.name in BREAKS else ""
                pieces.append(edge)
                stack.append((iter(child.contents), edge))
        elif type(child) in TEXTS:
            pieces.append(str(child))
    return "".join(pieces)


parser = Soup()
