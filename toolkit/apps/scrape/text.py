"""What counts as the text of an element: one rule, which every parser follows."""

from __future__ import annotations

HIDDEN = frozenset({"script", "style", "template"})
"""Elements inside a match whose text is left out; a match that is itself one of these gives its own text."""

LINES = """
    address article aside blockquote body br button caption center col colgroup dd details dialog dir div dl
    dt fieldset figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 head header hr html legend li link
    listing main menu meta nav ol optgroup option p plaintext pre search section select summary table tbody td
    textarea tfoot th thead title tr ul xmp
"""
BREAKS = frozenset(LINES.split())
"""Elements that begin and end a line, so that words on their two sides do not run together."""

SPACED = dict.fromkeys(BREAKS, " ")
"""What stands before and after an element where white space is tidied."""
UNSPACED: dict[str, str] = {}
BROKEN = {"br": "\n"}
"""What stands before and after an element where white space is kept as written."""

VERBATIM = frozenset({"pre", "listing", "textarea"})
"""Elements that lose a line break right after their opening tag; libxml2 leaves it there."""


def tidy(text: str) -> str:
    """Return the text with every run of white space (no-break spaces too) as one space, and none at the ends."""
    return " ".join(text.split())


def lined(html: str) -> str:
    """Return a page's text with all line breaks as one sign, as HTML 5 reads them."""
    return html.replace("\r\n", "\n").replace("\r", "\n") if "\r" in html else html


class Budget:
    """The work that one page may ask of us: elements nest, and each may be asked for all the text within it."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = WORK

    def spend(self, pieces: int, signs: int = 0) -> None:
        """Count pieces of text and their signs; raises ValueError when it is too much."""
        self._left -= pieces + (signs >> 4)
        if self._left < 0:
            raise ValueError("its elements nest so that the rules ask for the same text over and over")


WORK = 10_000_000
"""Pieces of text, each as much work as sixteen signs: about three seconds of it."""
EACH = 8
"""Pieces that a match is as much work as."""
