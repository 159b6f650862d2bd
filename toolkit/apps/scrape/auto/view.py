"""A page as the parts look at it, and how much they may take of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from toolkit.apps.scrape.parsers import Document, Parser
from toolkit.apps.scrape.rules.links import References
from toolkit.core import plugins

SECONDS = 5.0
"""Of the processor's time that one page may take: pages can be made so that every link holds all the others."""
CHARACTERS = 20_000_000
"""Of text that may be taken from one page, which can be more than it has, where what is taken overlaps."""


class Spent(Exception):  # noqa: N818 - a state, and never leaves this folder
    """A page has more to give than it may."""


class Budget:
    """What is left to be taken of a page. clock: tells the processor's time, in seconds."""

    __slots__ = ("_clock", "_left", "_most", "_seconds", "_until")

    def __init__(
        self,
        seconds: float = SECONDS,
        characters: int = CHARACTERS,
        clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self._clock = clock
        self._seconds = seconds
        self._until = clock() + seconds
        self._most = self._left = characters

    def check(self) -> None:
        """Raise Spent once the time is over."""
        if self._clock() >= self._until:
            raise Spent(f"the page takes longer than {self._seconds:g} s: what is left was not looked at")

    def take(self, text: str) -> str:
        """Return the text, counted; raises Spent for one too many."""
        self._left -= len(text)
        if self._left < 0:
            raise Spent(f"the page gives more than {self._most:,} characters: what is left was not looked at")
        self.check()
        return text


class View:
    """One page, for one part after another. html: its text; url: what it was found at."""

    __slots__ = ("_parser", "budget", "document", "html", "references", "url")

    def __init__(
        self, html: str, url: str, document: Document, parser: str, references: References, budget: Budget
    ) -> None:
        self.html = html
        self.url = url
        self.document = document
        self.references = references
        self.budget = budget
        self._parser = parser

    def find(self, selector: str) -> Sequence[Any]:
        """Return every match in the page."""
        return self.document.find(compiled(self._parser, selector))

    def first(self, selector: str, within: Any = None) -> Any | None:
        """Return the first match in the page, or below an element."""
        return self.document.first(compiled(self._parser, selector, within=within is not None), within)

    def get(self, node: Any, name: str) -> str:
        """Return an attribute without the space around it, "" where there is none."""
        return (self.document.attribute(node, name) or "").strip()

    def text(self, node: Any) -> str:
        """Return an element's text, counted."""
        return self.budget.take(self.document.text(node))

    def resolve(self, reference: str) -> str:
        """Return a reference as an absolute URL."""
        return self.references.resolve(reference)


@lru_cache(maxsize=128)
def compiled(parser: str, selector: str, *, within: bool = False) -> Any:
    """Return a selector made ready for a parser."""
    found: Parser = plugins.load("toolkit.apps.scrape.parsers", parser, "parser")
    return found.compile(selector, within=within)
