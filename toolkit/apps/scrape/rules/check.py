"""Whether rules can be used: selectors that the parser takes, names that exist once, and types that agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from toolkit.apps.scrape.parsers import Parser
from toolkit.apps.scrape.rules.css import beyond
from toolkit.apps.scrape.rules.filters import type_of
from toolkit.apps.scrape.rules.model import FACTS, Field, Follow, Login, PageType, Rules
from toolkit.apps.scrape.rules.plan import getter_of, select
from toolkit.core import plugins
from toolkit.core.errors import UsageError

Where = Callable[[Sequence[str | int]], str]
"""Returns what goes before a message about a key: the file and line, or nothing."""


def check(rules: Rules, where: Where, *, strict: bool) -> Rules:
    """Return the rules; raises UsageError for what cannot be used."""
    parser: Parser = plugins.load("toolkit.apps.scrape.parsers", rules.parser, "parser")
    names = [page.name for page in rules.pages]
    types: dict[str, tuple[type, str]] = {}
    called: set[str] = set()
    for number, page in enumerate(rules.pages):
        at: tuple[str | int, ...] = ("page", number)
        if names.index(page.name) != number:
            raise UsageError(f"{where((*at, 'name'))}two page types are called {page.name!r}: rename one")
        if page.rows is not None:
            _selector(parser, page.rows, page.rows_xpath, where((*at, "rows")) + "rows", within=False, strict=strict)
        if page.wait:
            _waited(page.wait, where((*at, "wait")))
        _names(page.fields, where, (*at, "fields"), top=True)
        for field in page.fields:
            before = where((*at, "fields", field.name))
            _field(parser, field, before, within=page.rows is not None, strict=strict)
            known, other = types.setdefault(field.name, (type_of(field), page.name))
            if known is not type_of(field):
                raise UsageError(
                    f"{before}field {field.name!r} is {type_of(field).__name__} here and {known.__name__} in the page"
                    f" type {other!r}: give them one type, or two names"
                )
        _follows(parser, page, called, names, where, at, strict=strict)
    for place, rule in enumerate(rules.follow):
        before = where(("follow", place))
        _called(rule, called, before)
        if rule.join:
            raise UsageError(f"{before}join = true has meaning in a page type only: move the rule below its [[page]]")
        _follow(parser, rule, names, before, within=False, strict=strict)
    if rules.login is not None:
        _login(parser, rules.login, where, strict=strict)
    return rules


def _follows(
    parser: Parser,
    page: PageType,
    called: set[str],
    names: list[str],
    where: Where,
    at: tuple[str | int, ...],
    *,
    strict: bool,
) -> None:
    joins = [place for place, rule in enumerate(page.follow) if rule.join]
    if len(joins) > 1:
        before = where((*at, "follow", joins[1], "join"))
        raise UsageError(f"{before}a row goes on with one page only: two rules have join = true")
    for place, rule in enumerate(page.follow):
        before = where((*at, "follow", place))
        _called(rule, called, before)
        _follow(parser, rule, names, before, within=rule.join and page.rows is not None, strict=strict)


def _login(parser: Parser, login: Login, where: Where, *, strict: bool) -> None:
    for key, selector in (("form", login.form), ("success", login.success)):
        if selector:
            what = f"{where(('login', key))}login: {key}"
            _selector(parser, selector, xpath=False, what=what, within=False, strict=strict)


def _waited(selector: str, before: str) -> None:
    """Check what a browser will look for, by the parser whose CSS is nearest to a browser's."""
    browser: Parser = plugins.load("toolkit.apps.scrape.parsers", "lexbor", "parser")
    try:
        if ":lexbor-" in selector:
            raise ValueError("browsers do not know :lexbor-contains")  # noqa: TRY301
        browser.compile(selector)
    except ValueError as error:
        raise UsageError(f"{before}wait: {selector!r} is not a CSS selector that browsers know: {error}") from error


def _called(rule: Follow, called: set[str], before: str) -> None:
    if rule.name in called:
        raise UsageError(f"{before}two follow rules are called {rule.name!r}: rename one")
    called.add(rule.name)


def _names(fields: Sequence[Field], where: Where, at: tuple[str | int, ...], *, top: bool) -> None:
    seen: set[str] = set()
    for field in fields:
        before = where((*at, field.name))
        if top and field.name in FACTS:
            raise UsageError(
                f"{before}field {field.name!r}: every row has a column of this name already; choose another"
            )
        if field.name in seen:
            raise UsageError(f"{before}field {field.name!r} is given twice")
        seen.add(field.name)
        _names(field.fields, where, (*at, field.name, "fields"), top=False)


def _field(parser: Parser, field: Field, before: str, *, within: bool, strict: bool) -> None:
    what = f"{before}field {field.name!r}"
    inside = within and not field.whole
    _selector(parser, field.selector, field.xpath, what, within=inside, strict=strict)
    if not field.selector and not inside:
        raise UsageError(f"{what}: the selector is missing; only in a record may it be left out")
    for one in field.fields:
        _field(parser, one, before, within=True, strict=strict)
    getter_of(parser, field, within=within)


def _follow(parser: Parser, rule: Follow, names: list[str], before: str, *, within: bool, strict: bool) -> None:
    what = f"{before}follow rule {rule.name!r}"
    _selector(parser, rule.selector, rule.xpath, what, within=within, strict=strict)
    if rule.page is not None and rule.page not in names:
        known = ", ".join(names)
        raise UsageError(f"{what}: no page type is called {rule.page!r}: there are {known}")


def _selector(parser: Parser, selector: str, xpath: bool, what: str, *, within: bool, strict: bool) -> None:  # noqa: FBT001
    try:
        if xpath:
            if within and selector.startswith("//"):
                raise UsageError(f"{what}: {selector!r} looks in the whole page: in a record, begin with .//")
            parser.xpath(selector)
            return
        if not within and (":scope" in selector or selector[:1] in (">", "+", "~")):
            raise ValueError(":scope and a combinator in front have meaning in a record only")  # noqa: TRY301
        select(parser, selector, within=within)
    except ValueError as error:
        kind = "an XPath" if xpath else "a CSS selector"
        raise UsageError(f"{what}: {selector!r} is not {kind}: {error}") from error
    if strict and (rest := beyond(selector)) is not None:
        raise UsageError(
            f"{what}: {selector!r} leaves the CSS that all parsers read alike at {rest!r}: write it otherwise, or leave"
            " out strict = true"
        )
