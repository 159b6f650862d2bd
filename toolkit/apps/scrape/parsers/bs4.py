"""Beautiful Soup over lxml, with soupsieve's selectors: the slowest of the three, and the richest in selectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import soupsieve
from bs4 import BeautifulSoup
from bs4.dammit import EntitySubstitution
from bs4.element import CData, NavigableString, PageElement, Script, Stylesheet, Tag, TemplateString
from bs4.formatter import HTMLFormatter

from toolkit.apps.scrape.text import BROKEN, EACH, HIDDEN, SPACED, UNSPACED, VERBATIM, Budget, lined, tidy

TEXTS = frozenset({NavigableString, CData, Script, Stylesheet, TemplateString})
"""The strings that are text; comments, doctypes and their kin are other classes."""


class _AsWritten(HTMLFormatter):
    """Markup with attributes in their own order, `<br>` without a slash, and no more entities than it needs."""

    def __init__(self) -> None:
        super().__init__(EntitySubstitution.substitute_xml, void_element_close_prefix="")

    def attributes(self, tag: Tag) -> Iterable[tuple[str, str | None]]:
        return [(name, str(value)) for name, value in tag.attrs.items()]


class SoupPage:
    """A page as a soup."""

    def __init__(self, html: str) -> None:
        # The line break in front says that this is markup, and no file name or XML, which bs4 would warn about.
        self._soup = BeautifulSoup("\n" + lined(html), "lxml", multi_valued_attributes=None)
        for template in self._soup.find_all("template"):
            template.clear()  # a template's content is not part of the page
        self._budget = Budget()

    def find(self, selector: soupsieve.SoupSieve, within: Tag | None = None) -> list[Tag]:
        """Return every match."""
        found = selector.select(within or self._soup)
        self._budget.spend(EACH * len(found))
        return found

    def expect(self, selectors: Sequence[soupsieve.SoupSieve]) -> None:
        """Do nothing: each selector is a walk of its own."""

    def first(self, selector: soupsieve.SoupSieve, within: Tag | None = None) -> Tag | None:
        """Return the first match."""
        return selector.select_one(within or self._soup)

    def texts(self, selector: soupsieve.SoupSieve, *, first: bool, within: Tag | None = None) -> list[str]:
        """Return the text of the matches."""
        return [self.text(tag) for tag in selector.select(within or self._soup, limit=1 if first else 0)]

    def attributes(
        self, selector: soupsieve.SoupSieve, name: str, *, first: bool, within: Tag | None = None
    ) -> list[str]:
        """Return the attribute of the matches that have it."""
        found: list[str] = []
        for tag in selector.iselect(within or self._soup):
            if (value := tag.get(name)) is not None:
                found.append(str(value))
                if first:
                    break
        return found

    def pairs(
        self, selector: soupsieve.SoupSieve, name: str, other: str, within: Tag | None = None
    ) -> list[tuple[str, str | None]]:
        """Return the attribute of the matches that have it, with another one."""
        found = self.find(selector, within)
        return [
            (value, self.attribute(tag, other)) for tag in found if (value := self.attribute(tag, name)) is not None
        ]

    def text(self, node: Tag) -> str:
        """Return an element's text."""
        return tidy(_text(node, SPACED, SPACED, self._budget))

    def own(self, node: Tag) -> str:
        """Return the text in the element itself."""
        return tidy(" ".join([str(child) if type(child) in TEXTS else "" for child in node.contents]))

    def pre(self, node: Tag) -> str:
        """Return an element's text as written."""
        text = _text(node, UNSPACED, BROKEN, self._budget)
        return text.removeprefix("\n") if node.name in VERBATIM else text

    def inner(self, node: Tag) -> str:
        """Return the markup inside an element."""
        return self._markup(node.decode_contents(formatter=_AsWritten()))

    def outer(self, node: Tag) -> str:
        """Return the markup of an element."""
        return self._markup(node.decode(formatter=_AsWritten()))

    def _markup(self, html: str) -> str:
        self._budget.spend(EACH, len(html))
        return html.replace("\xa0", "&nbsp;")

    def attribute(self, node: Tag, name: str) -> str | None:
        """Return an attribute."""
        value = node.get(name)
        return None if value is None else str(value)

    def tag(self, node: Tag) -> str:
        """Return an element's name."""
        return node.name

    def children(self, node: Tag) -> list[Tag]:
        """Return the elements in an element."""
        return [child for child in node.contents if isinstance(child, Tag)]


class Soup:
    """Pages by Beautiful Soup."""

    def compile(self, selector: str, *, within: bool = False) -> soupsieve.SoupSieve:  # noqa: ARG002 - as the others
        """Return the selector, compiled."""
        try:
            return soupsieve.compile(selector)
        except (soupsieve.SelectorSyntaxError, NotImplementedError, ValueError, RecursionError) as error:
            raise ValueError(f"soupsieve does not take this selector: {str(error).splitlines()[0]}") from error

    def xpath(self, expression: str) -> soupsieve.SoupSieve:  # noqa: ARG002 - as lxml's
        """Raise ValueError."""
        raise ValueError("bs4 knows no XPath, only lxml does")

    def parse(self, html: str, encoded: bytes | None = None) -> SoupPage:  # noqa: ARG002 - it takes text
        """Return the page."""
        return SoupPage(html)


def _text(tag: Tag, opening: Mapping[str, str], closing: Mapping[str, str], budget: Budget) -> str:
    pieces: list[str] = []
    # A stack of our own: pages nest deeper than Python recurses.
    stack: list[tuple[Iterator[PageElement], str]] = [(iter(tag.contents), "")]
    while stack:
        children, end = stack[-1]
        child = next(children, None)
        if child is None:
            pieces.append(end)
            stack.pop()
        elif isinstance(child, Tag):
            if child.name not in HIDDEN:
                pieces.append(opening.get(child.name, ""))
                stack.append((iter(child.contents), closing.get(child.name, "")))
        elif type(child) in TEXTS:
            pieces.append(str(child))
    text = "".join(pieces)
    budget.spend(len(pieces), len(text))
    return text


parser = Soup()
