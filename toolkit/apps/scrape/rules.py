"""Rules: which fields a row has and where in a page each is found, checked when they are read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from toolkit.apps.scrape.encodings import codec_of, decode
from toolkit.apps.scrape.parsers import Document, Parser
from toolkit.apps.scrape.urls import ATTRIBUTES, base_of, resolve
from toolkit.core import plugins
from toolkit.core.errors import FailureKind, TaskError, UsageError

DEFAULT_FIELDS = ("title=title", "h1=h1", "description=meta[name=description]@content", "links[]=a@href")
"""What a row holds when the user names no field."""

FACTS = ("url", "final_url", "status")
"""The columns that every row has, before its fields."""

Value = str | list[str] | None
"""A field's value: None where nothing in the page matches; a list is empty then."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column. attribute: whose value is taken, or None for the text. many: a list of all matches, not the first."""

    name: str
    selector: str
    attribute: str | None = None
    many: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """The fields of a row and the parser that finds them; small, picklable, and the same for a whole run."""

    parser: str
    fields: tuple[Field, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of a row's columns, in order."""
        return FACTS + tuple(field.name for field in self.fields)


def read_rules(parser: str, texts: Sequence[str]) -> Rules:
    """Return the rules for these fields; raises UsageError that names the field which is wrong.

    Text is the first match's, tidied (see `text.py`); an attribute is that of the first match which has it, and made
    absolute if it holds a URL.
    """
    reader: Parser = plugins.load("toolkit.apps.scrape.parsers", parser, "parser")
    fields = tuple(parse_field(text) for text in texts or DEFAULT_FIELDS)
    seen = set(FACTS)
    for field in fields:
        if field.name in FACTS:
            raise UsageError(f"field {field.name!r}: every row has a column of this name already; choose another")
        if field.name in seen:
            raise UsageError(f"field {field.name!r} is given twice")
        seen.add(field.name)
        try:
            reader.compile(field.selector)
        except ValueError as error:
            raise UsageError(f"field {field.name!r}: {field.selector!r} is not a CSS selector: {error}") from error
    return Rules(parser, fields)


def parse_field(text: str) -> Field:
    """Return the field that `name=selector`, `name=selector@attribute` or `name[]=…` describes; raises UsageError."""
    name, equals, selector = text.partition("=")
    name, selector = name.strip(), selector.strip()
    many = name.endswith("[]")
    name = name.removesuffix("[]").strip()
    if not equals or not name or re.search(r"[\[\]@\s]", name):
        raise UsageError(f"field {text!r}: write it as name=selector, name=selector@attribute or name[]=selector")
    attribute = None
    if found := re.fullmatch(r"(.*?)\s*@\s*([A-Za-z_:][\w:.-]*)?", selector, re.DOTALL):
        selector, attribute = found[1], found[2]
        if attribute is None:
            raise UsageError(f"field {name!r}: the name of an attribute is missing after @")
    if not selector:
        raise UsageError(f"field {name!r}: the selector is missing")
    if not _closed(selector):
        raise UsageError(f"field {name!r}: {selector!r} is not a CSS selector: a quote or bracket is not closed")
    return Field(name, selector, attribute.lower() if attribute else None, many)


def extract(body: bytes, charset: str | None, url: str, rules: Rules) -> dict[str, Value]:
    """Return a page's fields. charset: HTTP's label or None; url: where the page was found. Pure.

    Raises TaskError parse if the parser gives up.
    """
    reader, compiled, base_selector = _compiled(rules)
    text, encoding = decode(body, charset)
    try:
        document = reader.parse(text)
        links = _Links(document, base_selector, url, codec_of(encoding))
        return {field.name: _value(document, links, field, rule) for field, rule in compiled}
    except (ValueError, RecursionError, AssertionError) as error:
        raise TaskError(FailureKind.PARSE, f"{rules.parser} cannot read the page: {error}") from error


class _Links:
    """What references in a page are relative to; `<base>` is looked up only if a field needs it."""

    def __init__(self, document: Document, base_selector: Any, url: str, encoding: str) -> None:
        self._document, self._selector = document, base_selector
        self._url, self._encoding = url, encoding
        self._base = ""

    def resolve(self, reference: str) -> str:
        if not self._base:
            href = next(iter(self._document.attributes(self._selector, "href", first=True)), None)
            self._base = base_of(self._url, href, self._encoding)
        return resolve(self._base, reference, self._encoding)


def _value(document: Document, links: _Links, field: Field, rule: Any) -> Value:
    first = not field.many
    if field.attribute is None:
        found = document.texts(rule, first=first)
    else:
        found = document.attributes(rule, field.attribute, first=first)
        if field.attribute in ATTRIBUTES:
            found = [links.resolve(value) for value in found]
    return found if field.many else next(iter(found), None)


@lru_cache(maxsize=8)
def _compiled(rules: Rules) -> tuple[Parser, tuple[tuple[Field, Any], ...], Any]:
    """Compile the selectors, once per process."""
    reader: Parser = plugins.load("toolkit.apps.scrape.parsers", rules.parser, "parser")
    compiled = tuple((field, reader.compile(field.selector)) for field in rules.fields)
    return reader, compiled, reader.compile("base")


def _closed(selector: str) -> bool:
    """Tell whether every quote and bracket is closed: CSS closes them at the end, and so hides slips of the hand."""
    plain = re.sub(r"\\.", "", selector, flags=re.DOTALL)
    plain = re.sub(r"\"[^\"]*\"|'[^']*'", "", plain)
    if '"' in plain or "'" in plain:
        return False
    stack: list[str] = []
    for sign in plain:
        if sign in "([":
            stack.append(")" if sign == "(" else "]")
        elif sign in ")]" and (not stack or stack.pop() != sign):
            return False
    return not stack
