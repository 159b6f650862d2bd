"""What rules are made of: values only, picklable, the same for a whole run."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import urlsplit

from toolkit.core.errors import UsageError

FACTS = ("url", "final_url", "status")
"""The columns that every row has, before its fields."""

Value = Any
"""A field's value: text, int, float, bool, dict, a list of these, or None where nothing in the page matches."""

Take = Literal["text", "own", "pre", "html", "outer", "table", "exists"]
"""What is taken of a match that no attribute is named for."""

TAKES: tuple[Take, ...] = ("text", "own", "pre", "html", "outer", "table", "exists")


@dataclass(frozen=True, slots=True)
class Filter:
    """One step between what the page says and the value: its name and what stands after the colon, or None."""

    name: str
    argument: str | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One column.

    selector: CSS, or an XPath if xpath; "" is the record itself. attribute: whose value is taken, or None. many: a list
    of all matches, not the first. fields: the match is a record of its own. whole: looked up in the whole page, not in
    the record. default: stands for what is missing.
    """

    name: str
    selector: str
    attribute: str | None = None
    many: bool = False
    take: Take = "text"
    filters: tuple[Filter, ...] = ()
    default: Any = None
    required: bool = False
    xpath: bool = False
    whole: bool = False
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Follow:
    """Which links of a page lead on.

    allow, deny: regular expressions that a URL must or must not hold. domains: where it may lead, with all below them;
    none are given: the crawl's own scope decides. page: the type that the linked page is read as, or None for what its
    URL says. join: the link is looked up in each row, which goes on as a row of the linked page. depth: how many links
    from a start page this rule holds.
    """

    name: str
    selector: str = "a"
    attribute: str | None = "href"
    xpath: bool = False
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    depth: int | None = None
    page: str | None = None
    pagination: bool = False
    join: bool = False

    def refusal(self, url: str) -> str | None:
        """Return why this rule does not lead to a URL, or None if it does; to be asked again after each redirect."""
        if self.domains and not _within(url, self.domains):
            return "outside of the rule's domains"
        if self.allow and not any(_pattern(text).search(url) for text in self.allow):
            return "not among what the rule allows"
        if any(_pattern(text).search(url) for text in self.deny):
            return "denied by the rule"
        return None


@dataclass(frozen=True, slots=True)
class PageType:
    """How pages whose URL looks a certain way are read.

    match: regular expressions, one of which a URL must hold; without any, every URL is right. rows: the selector of
    each record; without it a page is one row. render: its scripts are to run before it is read. wait: the selector of
    what must be there by then.
    """

    name: str
    fields: tuple[Field, ...]
    match: tuple[str, ...] = ()
    rows: str | None = None
    rows_xpath: bool = False
    follow: tuple[Follow, ...] = ()
    render: bool = False
    wait: str = ""

    def takes(self, url: str) -> bool:
        """Tell whether a URL is of this type."""
        return not self.match or any(_pattern(text).search(url) for text in self.match)


@dataclass(frozen=True, slots=True)
class Login:
    """How to log in before the first page: a form that is filled in and sent.

    url: the page with the form. fields: what to fill in, by name, in order. form: its selector; "" is the first with a
    password field. success: the selector of what only those see who are logged in; "" trusts any good answer.
    """

    url: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)
    form: str = ""
    success: str = ""


@dataclass(frozen=True, eq=False)
class Rules:
    """The page types, what is followed from all of them, the parser, and how to log in, if that is needed."""

    parser: str
    pages: tuple[PageType, ...]
    follow: tuple[Follow, ...] = ()
    login: Login | None = None
    _digest: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        facts = [self.parser, [asdict(page) for page in self.pages], [asdict(rule) for rule in self.follow]]
        if self.login is not None:
            facts.append([self.login.url, [name for name, _ in self.login.fields]])
        text = json.dumps(facts, ensure_ascii=False, sort_keys=True)
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        object.__setattr__(self, "_digest", digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rules) and other._digest == self._digest

    def __hash__(self) -> int:
        return hash(self._digest)

    def digest(self) -> str:
        """Return what names these rules: other rows or links, another digest."""
        return self._digest

    @property
    def fields(self) -> tuple[Field, ...]:
        """Return the fields of all page types, each name once, in the order of the columns."""
        found: dict[str, Field] = {}
        for page in self.pages:
            for one in page.fields:
                found.setdefault(one.name, one)
        return tuple(found.values())

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of a row's columns, in order, whatever the page types of a run."""
        return FACTS + tuple(one.name for one in self.fields)

    @property
    def types(self) -> dict[str, type]:
        """Return each column's type: str, int, float, bool, dict, list, or object where any JSON value may stand."""
        from toolkit.apps.scrape.rules.filters import type_of

        facts: dict[str, type] = {"url": str, "final_url": str, "status": int}
        return facts | {one.name: type_of(one) for one in self.fields}

    def page(self, name: str) -> PageType:
        """Return the page type of this name."""
        return next(page for page in self.pages if page.name == name)

    def page_for(self, url: str) -> PageType | None:
        """Return the first page type that takes a URL, or None."""
        return next((page for page in self.pages if page.takes(url)), None)

    def rule(self, name: str) -> Follow:
        """Return the follow rule of this name."""
        return _by_name(self)[name]


@lru_cache(maxsize=8)
def _by_name(rules: Rules) -> dict[str, Follow]:
    every = (*(rule for page in rules.pages for rule in page.follow), *rules.follow)
    return {rule.name: rule for rule in reversed(every)}


def glob_pattern(glob: str) -> str:
    """Return the regular expression for a pattern of URLs: `*` is anything within a part of the path, `**` anything.

    A glob that begins with / is held against the path, else against the whole URL; the query counts only if the glob
    has a `?`.
    """
    pieces = [{"**": ".*", "*": "[^/?#]*"}.get(piece, re.escape(piece)) for piece in re.split(r"(\*\*|\*)", glob)]
    start = "^[a-z]+://[^/?#]*" if glob.startswith("/") else "^"
    return start + "".join(pieces) + ("(#|$)" if "?" in glob else "([?#]|$)")


def compiled(text: str, what: str) -> re.Pattern[str]:
    """Return a regular expression; raises UsageError that says what it is for."""
    try:
        return _pattern(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(f"{what}: {text!r} is not a regular expression: {error}") from error


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _within(url: str, domains: tuple[str, ...]) -> bool:
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return False
    return any(host == domain or host.endswith("." + domain) for domain in domains)
