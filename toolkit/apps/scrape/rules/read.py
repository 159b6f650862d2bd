"""Reading one page by the rules: bytes in; rows, links and what is wrong with them out. Pure."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from toolkit.apps.scrape.encodings import codec_of, decode
from toolkit.apps.scrape.parsers import Document
from toolkit.apps.scrape.rules import limits
from toolkit.apps.scrape.rules.head import read_head
from toolkit.apps.scrape.rules.links import UNENDORSED, Carry, Link, References
from toolkit.apps.scrape.rules.model import Rules, Value
from toolkit.apps.scrape.rules.plan import FollowPlan, PagePlan, Sight, plan_of
from toolkit.apps.scrape.urls import without_password
from toolkit.core.errors import FailureKind, TaskError

Row = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Problem:
    """A value that is not what the rules say.

    row: the place among all records of the page, those included that go on with a linked page. field: as in
    `reviews[2].stars`.
    """

    row: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a page gave.

    page: its type's name, "" if it is of none. rows: those that end here; one that goes on with a linked page is in
    that link's carry. canonical: the absolute URL that the page calls its own, or None. robots: of noindex, nofollow
    and none, what it says in meta tags. replaced: how many U+FFFD stand for bytes that mean nothing. encoding: its
    name, as the Encoding standard has it. records: for each of the rows, its place among all records of the page.
    """

    page: str
    rows: tuple[Row, ...] = ()
    links: tuple[Link, ...] = ()
    problems: tuple[Problem, ...] = ()
    canonical: str | None = None
    robots: frozenset[str] = frozenset()
    replaced: int = 0
    encoding: str = ""
    records: tuple[int, ...] = ()

    def without(self, bad: Collection[int]) -> Reading:
        """Return what is left without these records: neither their rows nor the links that these would go on with."""
        kept = [(place, row) for place, row in zip(self.records, self.rows, strict=True) if place not in bad]
        return replace(
            self,
            rows=tuple(row for _, row in kept),
            links=tuple(link for link in self.links if link.record not in bad),
            records=tuple(place for place, _ in kept),
        )


def read_page(
    body: bytes,
    charset: str | None,
    url: str,
    rules: Rules,
    *,
    page: str | None = None,
    carry: Carry | None = None,
    agent: str = "toolkit",
) -> Reading:
    """Return what a page holds. charset: HTTP's label or None; url: where the page was found.

    A user name and password in that are in nothing that is returned: links are lent them by who follows them.

    page: the type to read it as; None: what its URL says. carry: a listing's row, which the page's rows complete.
    agent: our token in robots meta tags, in lower case. Raises TaskError parse if the parser gives up.
    """
    try:
        return _read(body, charset, without_password(url), rules, page, carry, agent)
    except (ValueError, RecursionError, AssertionError, MemoryError) as error:
        raise TaskError(FailureKind.PARSE, f"{rules.parser} cannot read the page: {error}") from error


def extract(body: bytes, charset: str | None, url: str, rules: Rules) -> Row:
    """Return the fields of a page's first row, all null if it has none; as read_page."""
    reading = read_page(body, charset, url, rules)
    return reading.rows[0] if reading.rows else dict.fromkeys(field.name for field in rules.fields)


def complete(carry: Carry | None, row: Row) -> Row:
    """Return a listing's row with what the linked page adds; what the page does not have stays the listing's."""
    if not carry:
        return row
    done = dict(carry)
    done.update({name: value for name, value in row.items() if name not in done or value not in (None, "", [])})
    return done


def _read(
    body: bytes, charset: str | None, url: str, rules: Rules, page: str | None, carry: Carry | None, agent: str
) -> Reading:
    plan = plan_of(rules)
    if page is None:
        kind = rules.page_for(url)
        page = kind.name if kind is not None else ""
    text, encoding = decode(body, charset)
    limits.check(text)
    replaced = _replaced(text, body, encoding)
    as_sent = encoding == "utf-8" and not replaced and "\ufffd" not in text  # nor was any NUL replaced
    document = plan.parser.parse(text, body.removeprefix(BOM_UTF8) if as_sent else None)
    chosen = plan.pages.get(page)
    document.expect((plan.head, *(chosen.expected if chosen is not None else plan.expected)))
    head = read_head(document, plan.head, agent)
    references = References(url, head.base, codec_of(encoding))
    collector = _Collector(document, references)
    if chosen is not None:
        collector.rows_of(chosen, carry)
    for rule in chosen.follow if chosen is not None else plan.rest:
        collector.links_of(rule, page)
    canonical = None if head.canonical is None else references.resolve(head.canonical).partition("#")[0]
    return Reading(
        page,
        tuple(collector.rows),
        (*collector.joined, *collector.links.values()),
        tuple(collector.problems),
        canonical if canonical and canonical.startswith(("http://", "https://")) else None,
        head.robots,
        replaced,
        encoding,
        tuple(collector.records),
    )


class _Collector:
    """Gathers a page's rows and links."""

    def __init__(self, document: Document, references: References) -> None:
        self._document = document
        self._references = references
        self.rows: list[Row] = []
        self.records: list[int] = []
        self.problems: list[Problem] = []
        self.joined: list[Link] = []
        self.links: dict[str, Link] = {}

    def rows_of(self, plan: PagePlan, carry: Carry | None) -> None:
        for place, node in enumerate((None,) if plan.rows is None else self._document.find(plan.rows)):
            told: list[tuple[str, str]] = []
            sight = Sight(self._document, node, self._references, told)
            row = complete(carry, {name: get(sight) for name, get in plan.getters})
            if plan.join is None or not self._join(plan.join, row, node, plan.name, place):
                self.rows.append(row)
                self.records.append(place)
            if told:
                self.problems += [Problem(place, name, reason) for name, reason in told]

    def links_of(self, plan: FollowPlan, page: str) -> None:
        """Take the links of a rule; a URL that an earlier rule has taken is that rule's."""
        for url, nofollow in self._targets(plan, None):
            known = self.links.get(url)
            if known is None:
                self.links[url] = self._link(plan, url, page, nofollow=nofollow)
            elif known.nofollow and not nofollow and known.rule == plan.rule.name:
                self.links[url] = self._link(plan, url, page, nofollow=False)

    def _join(self, plan: FollowPlan, row: Row, node: Any, page: str, place: int) -> bool:
        """Tell whether the row goes on with a linked page."""
        for url, nofollow in self._targets(plan, node):
            link = self._link(plan, url, page, nofollow=nofollow)
            self.joined.append(replace(link, carry=tuple(row.items()), record=place))
            return True
        return False

    def _link(self, plan: FollowPlan, url: str, page: str, *, nofollow: bool) -> Link:
        rule = plan.rule
        target = rule.page or (page or None if rule.pagination else None)
        return Link(url, rule.name, target, nofollow, rule.pagination)

    def _targets(self, plan: FollowPlan, node: Any) -> Any:
        """Yield the URLs that a rule leads to, and whether the page does not vouch for them."""
        document, rule = self._document, plan.rule
        name = rule.attribute or "href"
        if plan.selector is not None:
            pairs = document.pairs(plan.selector, name, "rel", node)
        else:
            text = node if isinstance(node, str) else document.attribute(node, name)
            pairs = [] if text is None else [(text, None if isinstance(node, str) else document.attribute(node, "rel"))]
        done: set[str] = set()
        for text, rel in pairs:
            head = text.partition("#")[0]
            if head in done:
                continue
            nofollow = rel is not None and not UNENDORSED.isdisjoint(rel.lower().split())
            if not nofollow:  # a link that is not vouched for may yet be, further down
                done.add(head)
            url = self._references.bare(head)
            if url.startswith(("http://", "https://")) and rule.refusal(url) is None:
                yield url, nofollow


def _replaced(text: str, body: bytes, encoding: str) -> int:
    """Return how many U+FFFD the page does not have itself."""
    if "\ufffd" not in text:
        return 0
    count = text.count("\ufffd")
    try:
        own = body.count("\ufffd".encode(codec_of(encoding)))
    except (LookupError, UnicodeEncodeError):
        own = 0
    return max(0, count - own)
