"""Reading what a page says by itself: its text in, one value for each part out. Pure, and bounded for hostile pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.apps.scrape.auto import declared, jsonld, maintext, microdata, opengraph, references, tables
from toolkit.apps.scrape.auto.parts import TYPES, usual_parts
from toolkit.apps.scrape.auto.view import Budget, Spent, View, compiled
from toolkit.apps.scrape.parsers import Document, Parser
from toolkit.apps.scrape.rules import limits
from toolkit.apps.scrape.rules.links import References
from toolkit.apps.scrape.urls import without_password
from toolkit.core import plugins
from toolkit.core.errors import FailureKind, TaskError

GIVEN_UP = (Spent, ValueError, RecursionError)
"""What ends a part: our limits on a page, the parser's own, and its mistakes."""
Problem = tuple[str, str]
"""A part, and why it is not all that the page has."""

SINGLE: dict[str, Callable[[View], Any]] = {
    "title": declared.title,
    "description": declared.description,
    "canonical": declared.canonical,
    "language": declared.language,
    "meta": declared.meta,
    "og": opengraph.opengraph,
    "twitter": opengraph.twitter,
    "text": maintext.main_text,
}
MANY: dict[str, Callable[[View, Callable[[str], None]], Iterable[Any]]] = {
    "jsonld": jsonld.objects,
    "microdata": microdata.items,
    "related": references.related,
    "links": references.links,
    "images": references.images,
    "tables": tables.tables,
}
"""Parts that are lists, given one entry after another, so that what was found before a limit stays."""


@dataclass(frozen=True, slots=True)
class Auto:
    """What a page said: a value for each part that was asked for, and the problems by part."""

    values: dict[str, Any]
    problems: tuple[Problem, ...] = ()


def auto_fields(html: str, url: str, parts: Sequence[str] | None = None) -> dict[str, Any]:
    """Return what a page says of itself, by part; see read_auto."""
    return read_auto(html, url, parts).values


def read_auto(
    html: str,
    url: str,
    parts: Sequence[str] | None = None,
    *,
    parser: str = "lexbor",
    document: Document | None = None,
    encoding: str = "utf-8",
) -> Auto:
    """Return what a page says of itself, by part, in the order of parts.

    html: its text. url: the absolute http(s) URL that it was found at; no value has its user name and password. parts:
    None for all that can be had. parser, document: the page as that parser has read it, if it has. encoding: the page's
    codec, for the queries of its URLs. Raises TaskError parse if the parser gives up.
    """
    try:
        view = _view(html, without_password(url), parser, document, encoding)
    except (ValueError, RecursionError, AssertionError, MemoryError) as error:
        raise TaskError(FailureKind.PARSE, f"{parser} cannot read the page: {error}") from error
    problems: list[Problem] = []
    chosen = usual_parts() if parts is None else parts
    return Auto({part: _value(view, part, problems) for part in chosen}, tuple(problems))


def _view(html: str, url: str, parser: str, document: Document | None, encoding: str) -> View:
    if document is None:
        limits.check(html)
        reader: Parser = plugins.load("toolkit.apps.scrape.parsers", parser, "parser")
        document = reader.parse(html)
    base = next(iter(document.attributes(compiled(parser, "base"), "href", first=True)), None)
    return View(html, url, document, parser, References(url, base, encoding), Budget())


def _value(view: View, part: str, problems: list[Problem]) -> Any:
    if part in SINGLE:
        try:
            return SINGLE[part](view)
        except GIVEN_UP as error:
            problems.append((part, str(error)))
            return None if TYPES[part] is str else {}
    found: list[Any] = []
    try:
        for entry in MANY[part](view, lambda reason: problems.append((part, reason))):
            view.budget.check()
            found.append(entry)
    except GIVEN_UP as error:
        problems.append((part, str(error)))
    return found
