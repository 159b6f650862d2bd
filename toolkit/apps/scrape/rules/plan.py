"""Rules made ready for one parser: selectors compiled and filters chosen, once in each process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from toolkit.apps.scrape.parsers import Document, Parser
from toolkit.apps.scrape.rules.css import scoped
from toolkit.apps.scrape.rules.filters import gathers, plural
from toolkit.apps.scrape.rules.head import SELECTOR
from toolkit.apps.scrape.rules.links import References
from toolkit.apps.scrape.rules.model import Field, Follow, PageType, Rules
from toolkit.apps.scrape.rules.steps import WRONG, Step, each, step
from toolkit.apps.scrape.rules.tables import records
from toolkit.apps.scrape.urls import ATTRIBUTES
from toolkit.core import plugins


class Sight:
    """Where a record's fields are looked up and what goes wrong there is told.

    node: the record, or None for the page. path: goes before the names of its fields, as in `reviews[2].`.
    """

    __slots__ = ("document", "field", "many", "node", "path", "problems", "references")

    def __init__(
        self,
        document: Document,
        node: Any,
        references: References,
        problems: list[tuple[str, str]],
        path: str = "",
    ) -> None:
        self.document = document
        self.node = node
        self.references = references
        self.problems = problems
        self.path = path
        self.field = ""
        self.many = False

    def resolve(self, reference: str) -> str:
        """Return a reference as an absolute URL."""
        return self.references.resolve(reference)

    def wrong(self, reason: str, index: int | None = None) -> None:
        """Note that the field's value, or the one at this place in its list, does not fit."""
        place = f"[{index}]" if self.many and index is not None else ""
        self.problems.append((f"{self.path}{self.field}{place}", reason))


Getter = Callable[[Sight], Any]
"""Finds one field's value."""


@dataclass(frozen=True, slots=True)
class FollowPlan:
    """A follow rule and its selector."""

    rule: Follow
    selector: Any


@dataclass(frozen=True, slots=True)
class PagePlan:
    """A page type's selectors. expected: those whose every match in the whole page is looked for."""

    name: str
    rows: Any
    getters: tuple[tuple[str, Getter], ...]
    follow: tuple[FollowPlan, ...]
    join: FollowPlan | None
    expected: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that reading a page needs. rest: what is followed from a page of no type; expected: its selectors."""

    parser: Parser
    pages: dict[str, PagePlan]
    rest: tuple[FollowPlan, ...]
    head: Any
    expected: tuple[Any, ...]


@lru_cache(maxsize=8)
def plan_of(rules: Rules) -> Plan:
    """Return the rules compiled."""
    parser: Parser = plugins.load("toolkit.apps.scrape.parsers", rules.parser, "parser")
    rest = tuple(FollowPlan(rule, select(parser, rule.selector, xpath=rule.xpath)) for rule in rules.follow)
    pages = {page.name: _page(parser, page, rest) for page in rules.pages}
    expected = tuple(one.selector for one in rest if not one.rule.xpath and one.selector is not None)
    return Plan(parser, pages, rest, parser.compile(SELECTOR), expected)


def select(parser: Parser, selector: str, *, xpath: bool = False, within: bool = False) -> Any:
    """Return a selector compiled, None for none; raises ValueError. within: it is used in a record."""
    if not selector:
        return None
    if xpath:
        return parser.xpath(selector)
    return parser.compile(scoped(selector) if within else selector, within=within)


def getter_of(parser: Parser, field: Field, *, within: bool) -> Getter:
    """Return what finds a field. within: in a record."""
    below = within and not field.whole
    selector = select(parser, field.selector, xpath=field.xpath, within=below)
    if field.fields:
        return _record(parser, field, selector, below=below)
    find = _finder(field, selector, below=below)
    steps = [step(field.name, one) for one in field.filters]
    if field.take == "table":
        steps.insert(0, each(lambda node, sight: records(sight.document, node)))
    if not steps and field.default is None and not field.required:
        if field.many:
            return find
        return lambda sight: next(iter(find(sight)), None)
    return _worked(field, find, tuple(steps))


def _page(parser: Parser, page: PageType, rest: tuple[FollowPlan, ...]) -> PagePlan:
    within = page.rows is not None
    getters = tuple((field.name, getter_of(parser, field, within=within)) for field in page.fields)
    follow, join = [], None
    for rule in page.follow:
        inside = rule.join and within
        found = FollowPlan(rule, select(parser, rule.selector, xpath=rule.xpath, within=inside))
        if rule.join:
            join = found
        else:
            follow.append(found)
    rows = None if page.rows is None else select(parser, page.rows, xpath=page.rows_xpath)
    expected = [select(parser, field.selector) for field in page.fields if _seeks_all(field, within=within)]
    expected += [one.selector for one in (*follow, *rest) if not one.rule.xpath and one.selector is not None]
    if rows is not None and not page.rows_xpath:
        expected.append(rows)
    return PagePlan(page.name, rows, getters, (*follow, *rest), join, tuple(expected))


def _seeks_all(field: Field, *, within: bool) -> bool:
    """Tell whether all that a field's selector finds in a page is looked for."""
    if field.xpath or not field.selector or (within and not field.whole) or field.take == "exists":
        return False
    return field.attribute is not None or (field.many if field.fields else gathers(field))


def _finder(field: Field, selector: Any, *, below: bool) -> Callable[[Sight], list[Any]]:
    """Return what gives the texts of a field's matches: all of them if they are wanted, else the first."""
    first = not gathers(field)
    if field.take == "exists":
        return lambda sight: [sight.document.first(selector, sight.node if below else None) is not None]
    if field.attribute is not None:
        return _attributes(field.attribute, selector, below=below, first=first)
    if selector is None:
        return lambda sight: [_taken(sight.document, sight.node, field.take)]
    if field.take == "text":
        return lambda sight: sight.document.texts(selector, first=first, within=sight.node if below else None)

    def find(sight: Sight) -> list[Any]:
        document = sight.document
        nodes = _nodes(sight, selector, below=below, first=first)
        return [_taken(document, node, field.take) for node in nodes]

    return find


def _attributes(name: str, selector: Any, *, below: bool, first: bool) -> Callable[[Sight], list[Any]]:
    def find(sight: Sight) -> list[Any]:
        if selector is None:
            value = sight.document.attribute(sight.node, name)
            return [] if value is None else [value]
        return sight.document.attributes(selector, name, first=first, within=sight.node if below else None)

    if name not in ATTRIBUTES:
        return find
    return lambda sight: sight.references.all(find(sight))


def _nodes(sight: Sight, selector: Any, *, below: bool, first: bool) -> Sequence[Any]:
    within = sight.node if below else None
    if not first:
        return sight.document.find(selector, within)
    node = sight.document.first(selector, within)
    return [] if node is None else [node]


def _taken(document: Document, node: Any, take: str) -> Any:
    match take:
        case "text":
            return document.text(node)
        case "own":
            return document.own(node)
        case "pre":
            return document.pre(node)
        case "html":
            return document.inner(node)
        case "outer":
            return document.outer(node)
        case _:
            return node


def _worked(field: Field, find: Callable[[Sight], list[Any]], steps: tuple[Step, ...]) -> Getter:
    """Return what finds a field that has filters, a default, or must be there."""
    several = plural(field)
    default = list(field.default) if isinstance(field.default, tuple) else field.default

    def get(sight: Sight) -> Any:
        sight.field, sight.many = field.name, several
        values = find(sight)
        for one in steps:
            values = one(values, sight)
        failed = any(value is WRONG for value in values)
        if several:
            value: Any = [None if one is WRONG else one for one in values if one is not None]
        else:
            value = next(iter(values), None)
            value = None if value is WRONG else value
        if value is None or value == []:
            value = value if failed or field.default is None else default
        if field.required and not failed and value in (None, "", []):
            sight.wrong("required, and missing")
        return value

    return get


def _record(parser: Parser, field: Field, selector: Any, *, below: bool) -> Getter:
    """Return what finds a record within a page or record: a dict, or a list of them."""
    getters = tuple((one.name, getter_of(parser, one, within=True)) for one in field.fields)

    def get(sight: Sight) -> Any:
        nodes = _nodes(sight, selector, below=below, first=not field.many)
        found = []
        for index, node in enumerate(nodes):
            path = f"{sight.path}{field.name}" + (f"[{index}]." if field.many else ".")
            inner = Sight(sight.document, node, sight.references, sight.problems, path)
            found.append({name: getter(inner) for name, getter in getters})
        if field.required and not found:
            sight.field = field.name
            sight.wrong("required, and missing")
        return found if field.many else next(iter(found), None)

    return get
