"""The scraper: a list of URLs or start pages in, rows out, in the order in which their pages became known."""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from toolkit.apps.scrape.auto import TYPES, parse_parts
from toolkit.apps.scrape.catalogue import visits_of
from toolkit.apps.scrape.coverage import Coverage, parse_share
from toolkit.apps.scrape.crawl import Crawl
from toolkit.apps.scrape.localfiles import Finding, LocalPage, Passed, find_pages, is_local
from toolkit.apps.scrape.manifest_rows import ALREADY, FIELDS, row_of
from toolkit.apps.scrape.moments import parse_since
from toolkit.apps.scrape.options import ScrapeOptions
from toolkit.apps.scrape.owncolumns import OwnColumns
from toolkit.apps.scrape.page import Page, ScrapeJob
from toolkit.apps.scrape.rules import FACTS, Follow, Rules, load_rules, read_rules
from toolkit.apps.scrape.rules.check import check
from toolkit.apps.scrape.scope import Scope, check_patterns
from toolkit.apps.scrape.visit import Visit, visit_of
from toolkit.apps.scrape.writers import check_output, form_of, replacing, writer
from toolkit.core import plugins
from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.core.job import Memory, Remembered
from toolkit.core.lists import Columns, Line, Seen, check_sources, count_urls, read_urls
from toolkit.core.network import Network
from toolkit.core.task import Failure, Outcome, Skip, Task, failure_of
from toolkit.core.urls import lane_of, wire_url
from toolkit.storage import output_folder

STDOUT = Path("-")
LINES = frozenset({"jsonl", "csv", "tsv"})
"""Forms that have a line for each row."""
PRIVATE = frozenset({"header", "headers", "cookie", "cookies", "authorization", "auth", "password", "token"})
"""Columns of lists that are for requests, and private: they are never carried into rows."""
FORMAT = 3
"""Grows whenever the same rules would give other rows, so that old rows are done anew."""


class ScrapeApp:
    """One scrape: sources are URLs, files of URLs, or "-" for standard input; out is a file of rows, or "-".

    Where links are followed it is a crawl: every page is visited once, whatever links lead to it. Else each entry of
    the list is one task. Raises UsageError for rules, an option or an output that cannot be used.
    """

    name = "scrape"
    network = True
    usual_model = "asyncio"
    usual_per_host = 4
    jitter = 0.5
    row_fields = FIELDS

    def __init__(
        self,
        sources: Sequence[str],
        out: Path,
        options: ScrapeOptions | None = None,
        *,
        network: Network | None = None,
    ) -> None:
        """Check the options and sources; raises UsageError."""
        self.options = options or ScrapeOptions()
        self.files = tuple(source for source in sources if is_local(source))
        self.sources = tuple(source for source in sources if source not in self.files)
        if self.sources:
            check_sources(self.sources, self.options.url_column)
        self.named = (*sources, *self.options.sitemap, *self.options.feed)
        self.out = Path(out)
        if self.out != STDOUT:
            check_output(self.out)
        self.rules = rules_of(self.options)
        self.auto = parse_parts(self.options.auto) if self.options.auto is not None else ()
        self.follows = bool(self.rules.follow or any(page.follow for page in self.rules.pages))
        self.crawls = self.follows or self.options.names_sources
        self._owned = OwnColumns({*FACTS, "fetched_at", *self.rules.columns, *self.auto})
        self._asked = parse_share(self.options.coverage) if self.options.coverage else None
        self._memory: Memory | None = None
        self._crawl = Crawl(
            lambda: self.settings,
            limit=self.options.limit,
            max_per_host=self.options.max_per_host,
            catalogues=catalogues_of(self.options),
        )
        self._printed = self._counter()
        self.complaints: tuple[str, ...] = ()
        self.job = ScrapeJob(
            self.rules,
            user_agent_of(self.options),
            not self.options.ignore_robots,
            self.options.max_body,
            network or Network(),
            uuid.uuid4().hex,
            scope=scope_of(self.options),
            follows=self.follows,
            nofollow=not self.options.follow_nofollow,
            bad_rows=self.options.bad_rows,
            auto=self.auto,
            since=since_of(self.options.since),
        )

    @property
    def settings(self) -> str:
        """A digest of what rows depend on: the rules, and what becomes of bad rows."""
        facts = f"{FORMAT} {self.rules.digest()} {self.options.bad_rows} {self.auto}"
        return hashlib.blake2b(facts.encode(), digest_size=16).hexdigest()

    def plan(self, memory: Memory) -> Iterator[Task[Visit] | Skip | Failure | None]:
        """Yield a task for each URL, a Skip for one seen before in this run, a Failure for a line that is no URL.

        In a crawl, then what these led to.
        """
        self._memory = memory
        return self._crawl.plan(self._starts(), memory) if self.crawls else self._limited(self._starts())

    def recall(self, task: Task[Any], known: Remembered) -> Task[Any] | Skip:
        """Skip what the store has rows of, made by the same rules."""
        if known.state == "done" and known.settings == self.settings:
            return Skip(task, ALREADY)
        return task

    def record(self, value: Page) -> dict[str, Any]:
        """Return the rows, and the bytes that their page took on the wire."""
        return {"rows": _rows(value), "bytes": value.bytes}

    def line(self, value: Page) -> str:
        """Return the rows as lines of JSON, without the last line break, for standard output."""
        line = plugins.load("toolkit.apps.scrape.writers", "jsonl", "line")
        return "\n".join(line(row) for row in _rows(value))

    def land(self, task: Task[Any], value: Any, memory: Memory) -> Any:
        """Take in what the page led to; raises TaskSkipped for one that is known by another URL."""
        if self.crawls:
            self._crawl.land(value, task.key, memory)
        if self.out == STDOUT:  # nothing is kept to be counted in the end
            for row in value.rows:
                self._printed.add(row)
        return value

    @property
    def warnings(self) -> tuple[str, ...]:
        """How many links were not followed, and why, as the report tells it."""
        refused = sorted(self._crawl.refused.items(), key=lambda pair: -pair[1])
        return tuple(f"{count:,} links were not followed: {reason}" for reason, count in refused)

    def ended(self, outcome: Outcome) -> None:
        """Count a task that has ended: a crawl is over when none is under way."""
        self._crawl.ended(outcome)

    def row(self, outcome: Outcome) -> dict[str, Any]:
        """Return what became of a page, as a row of the manifest."""
        asked = isinstance(outcome, Skip) and outcome.reason == ALREADY and self._memory
        known = asked.recall(outcome.task.key) if asked else None
        return row_of(outcome, known.value if known else None)

    def moved(self) -> dict[tuple[str, int], str]:
        """Return nothing: pages are no files that could move."""
        return {}

    def dump(self, task: Task[Any]) -> dict[str, Any]:
        """Return a task's payload as JSON values."""
        return dict(task.payload.to_json())

    def load(self, key: str, payload: dict[str, Any], index: int) -> Task[Visit] | Failure:
        """Return the task that dump described, or its failure if its line was no URL."""
        visit = visit_of(payload)
        task = Task(key, visit, index=index)
        try:
            url = wire_url(visit.url)
        except TaskError as error:
            return failure_of(task, error)
        return Task(key, replace(visit, url=url), lane_of(url), index=index)

    @cached_property
    def total(self) -> int | None:
        """How many URLs there are; of a crawl nobody knows."""
        if self.crawls or self.files:
            return None
        return count_urls(self.sources, self.options.url_column)

    @property
    def state(self) -> Path | None:
        """Where the store lives: beside the output; rows that go to standard output are not remembered."""
        return None if self.out == STDOUT else self.out.parent / f".{self.out.name}.toolkit.sqlite"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of every row: facts, the user's own, the fields."""
        facts = (*FACTS, "fetched_at")
        own = (name for name in self._owned.names if name.lower() not in PRIVATE)
        return tuple(dict.fromkeys((*facts, *own, *self.rules.columns, *self.auto)))

    def prepare(self) -> None:
        """Make the output's folder, and look at the names of the user's columns."""
        self._owned.meet(self.sources, self.options.url_column)
        if self.out == STDOUT:
            return
        if self.out.is_dir():
            raise UsageError(f"{self.out} is a folder: name a file in it, such as {self.out / 'rows.jsonl'}")
        output_folder(self.out.parent)

    def finish(self, memory: Memory) -> None:
        """Write the whole output file from the rows that the store has, in the order of the list."""
        if self.out == STDOUT:
            self._complain(self._printed)
            return
        write = writer(form_of(self.out))
        coverage = self._counter()
        rows = (row for known in memory.done(self.settings) for row in known.value["rows"])
        types = {**self.rules.types, "fetched_at": str, **dict.fromkeys(self._owned.names, str)}
        types |= {part: TYPES[part] for part in self.auto}
        with replacing(self.out) as file:
            write(
                file,
                self.columns,
                _counted(rows, coverage),
                types=types,
                escape_formulas=self.options.escape_formulas,
            )
            if form_of(self.out) in LINES:
                _spare(self.out, file)
        self._complain(coverage)

    def _counter(self) -> Coverage:
        return Coverage((*self.rules.columns[len(FACTS) :], *self.auto))

    def _complain(self, coverage: Coverage) -> None:
        if self._asked is not None:
            self.complaints = tuple(
                f"{name} has a value in {share:.1%} of the rows, less than --coverage {self.options.coverage} asks for"
                for name, share in coverage.below(self._asked)
            )

    def _starts(self) -> Iterator[Task[Visit] | Skip | Failure | None]:
        seen = Seen()
        index = 0
        for finding in find_pages(self.files, self.options.base_url):
            yield _on_disk(finding, index)
            index += 1
        for line in read_urls(self.sources, self.options.url_column):
            if line is None:
                yield None
                continue
            yield _planned(line, index, seen, self._owned.of(_public(line.columns)))
            index += 1

    def _limited(self, planned: Iterator[Task[Visit] | Skip | Failure | None]) -> Iterator[Any]:
        taken = 0
        for one in planned:
            if isinstance(one, Task):
                if self.options.limit is not None and taken >= self.options.limit:
                    return
                taken += 1
            yield one


def rules_of(options: ScrapeOptions) -> Rules:
    """Return the rules that the options name; raises UsageError."""
    if options.rules is not None:
        rules = load_rules(options.rules, options.parser, options.field)
    else:
        rules = read_rules(options.parser, options.field)
        if options.auto is not None and not options.field:  # the parts are the columns
            rules = Rules(rules.parser, (replace(rules.pages[0], fields=()),))
    if not options.follow:
        return rules
    added = tuple(Follow(f"--follow {selector}", selector) for selector in options.follow)
    return check(replace(rules, follow=(*rules.follow, *added)), lambda _: "", strict=False)


def scope_of(options: ScrapeOptions) -> Scope:
    """Return how far links may lead; raises UsageError."""
    check_patterns("allow", options.allow)
    check_patterns("deny", options.deny)
    for name in ("max_depth", "max_per_host", "limit"):
        value = getattr(options, name)
        if value is not None and value < (name != "max_depth"):
            raise UsageError(f"--{name.replace('_', '-')} {value}: give a number from {int(name != 'max_depth')}")
    for domain in options.domain:
        if not re.fullmatch(r"[A-Za-z0-9.-]+", domain):
            raise UsageError(f"--domain {domain!r}: give a host, such as example.org")
    domains = frozenset(domain.lower().strip(".") for domain in options.domain)
    return Scope(domains, options.allow, options.deny, options.max_depth)


def catalogues_of(options: ScrapeOptions) -> list[Visit]:
    """Return the sitemaps and feeds to fetch; raises UsageError."""
    try:
        return visits_of(options.sitemap, options.feed)
    except TaskError as error:
        raise UsageError(f"--sitemap or --feed: {error}") from error


def since_of(text: str | None) -> datetime | None:
    """Return the moment; raises UsageError."""
    try:
        return None if text is None else parse_since(text)
    except ValueError as error:
        raise UsageError(f"--since {text!r}: {error}") from error


def user_agent_of(options: ScrapeOptions) -> str:
    """Return the User-Agent to send: honest, and with a contact if there is one; raises UsageError."""
    from toolkit import __version__

    contact = f" (+{options.contact})" if options.contact else ""
    agent = options.user_agent or f"toolkit/{__version__}{contact}"
    if not re.fullmatch(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?", agent):
        raise UsageError(f"{agent!r} cannot be sent as a User-Agent: use plain ASCII letters and signs")
    return agent


def _spare(out: Path, fresh: IO[bytes]) -> None:
    """Keep the file that is there as NAME.before, if the new one has fewer lines.

    Asking for other fields while the site is down must not cost the rows that somebody has.
    """
    try:
        with out.open("rb") as file:
            before = _lines(file)
    except OSError:
        return
    fresh.flush()
    fresh.seek(0)
    if _lines(fresh) < before:
        os.replace(out, out.with_name(out.name + ".before"))


def _lines(file: IO[bytes]) -> int:
    return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def _rows(page: Page) -> list[dict[str, Any]]:
    """Return a page's rows as they are written, with when it was fetched."""
    return [_dated(row, page.fetched_at) for row in page.records()]


def _dated(row: dict[str, Any], moment: str) -> dict[str, Any]:
    facts = {name: row[name] for name in FACTS}
    return {**facts, "fetched_at": moment, **row}


def _counted(rows: Iterator[dict[str, Any]], coverage: Coverage) -> Iterator[dict[str, Any]]:
    for row in rows:
        coverage.add(row)
        yield row


def _public(columns: Columns) -> Columns:
    return tuple((name, value) for name, value in columns if name.strip().lower() not in PRIVATE)


def _on_disk(finding: Finding, index: int) -> Task[Visit] | Skip | Failure:
    """Return the task for a page on this disk; its name is its path, and the rule says where it stood."""
    if isinstance(finding, LocalPage):
        return Task(finding.url, Visit(finding.url, kind="file", name=finding.path, rule=finding.base), index=index)
    task = Task(f"file {finding.path}", Visit(finding.path, kind="file"), index=index)
    if isinstance(finding, Passed):
        return Skip(task, finding.reason)
    return Failure(task, FailureKind.INPUT, finding.message)


def _planned(line: Line, index: int, seen: Seen, columns: Columns) -> Task[Visit] | Skip | Failure:
    key = line.where if line.bad else line.text.partition("#")[0] or line.text
    try:
        url = _url_of(line)
    except TaskError as error:
        if seen.add(key):
            return replace(failure_of(Task(key, Visit(key), index=index), error), message=f"{line.where}: {error}")
    else:
        if seen.add(url):
            return Task(key, Visit(url, columns=columns, name="" if key == url else key), lane_of(url), index=index)
    # Not the plain key: that is the first one's, whose place in the output must stay.
    return Skip(Task(f"{key} ({line.where})", Visit(key), index=index), "duplicate")


def _url_of(line: Line) -> str:
    if line.bad:
        raise TaskError(FailureKind.INPUT, line.bad)
    return wire_url(line.text)


APP = ScrapeApp
