"""The scraper: a list of URLs or start pages in, rows out, in the order in which their pages became known."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from toolkit.apps.scrape.auto import TYPES, parse_parts
from toolkit.apps.scrape.changes import Changes, told
from toolkit.apps.scrape.coverage import Coverage, parse_share
from toolkit.apps.scrape.crawl import PLACE, Crawl
from toolkit.apps.scrape.fetching import Fetching
from toolkit.apps.scrape.inorder import InOrder
from toolkit.apps.scrape.localfiles import is_local
from toolkit.apps.scrape.manifest_rows import ALREADY, FIELDS, row_of
from toolkit.apps.scrape.options import ScrapeOptions
from toolkit.apps.scrape.output import STDOUT, Batch, Output, Shape
from toolkit.apps.scrape.owncolumns import OwnColumns
from toolkit.apps.scrape.packing import Lines, lines_of, pack
from toolkit.apps.scrape.page import ScrapeJob
from toolkit.apps.scrape.result import CHANGE, Page
from toolkit.apps.scrape.rules import FACTS
from toolkit.apps.scrape.scope import TOO_MANY
from toolkit.apps.scrape.settings import catalogues_of, rules_of, scope_of, since_of, user_agent_of
from toolkit.apps.scrape.starts import PRIVATE, Start, starts
from toolkit.apps.scrape.visit import Visit, visit_of
from toolkit.core.errors import TaskError, UsageError
from toolkit.core.job import Memory, Remembered
from toolkit.core.lists import check_sources, count_urls
from toolkit.core.network import Network
from toolkit.core.task import Failure, Outcome, Skip, Success, Task, failure_of
from toolkit.core.urls import lane_of, wire_url

KEPT = {"fresh": "fresh, and not asked for", "confirmed": "confirmed by their server"}
TORN = "if all rows there are of these pages, remove the file and run again: it is written from what is remembered"
FORMAT = 5
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
        self.options = options = options or ScrapeOptions()
        self.files = tuple(source for source in sources if is_local(source))
        self.sources = tuple(source for source in sources if source not in self.files)
        if self.sources:
            check_sources(self.sources, options.url_column)
        self.named = (*sources, *options.sitemap, *options.feed)
        self.out = Path(out)
        self.rules = rules_of(options)
        self.auto = parse_parts(options.auto) if options.auto is not None else ()
        self.follows = bool(self.rules.follow or any(page.follow for page in self.rules.pages))
        self.crawls = self.follows or options.names_sources
        fields = (*self.rules.columns[len(FACTS) :], *self.auto)
        if options.incremental and CHANGE in fields:
            raise UsageError(f"--incremental has a column {CHANGE!r} of its own: give the field another name")
        self._owned = OwnColumns({*FACTS, "fetched_at", CHANGE, *fields})
        self._asked = parse_share(options.coverage) if options.coverage else None
        self._coverage = Coverage(fields)
        self._output = Output(self.out, options.append, options.ordered, options.escape_formulas, self._coverage.add)
        self._changes = Changes(fields, wanted=options.incremental)
        self._printed = InOrder[str]()
        self._memory: Memory | None = None
        self._planned = self._cut = False
        self._kept_pages: Counter[str] = Counter()
        self._dropped = 0
        self._farewell: tuple[str, ...] = ()
        self._crawl = Crawl(
            lambda: self.settings,
            limit=options.limit,
            max_per_host=options.max_per_host,
            catalogues=catalogues_of(options),
        )
        self.complaints: tuple[str, ...] = ()
        self.job = ScrapeJob(
            self._fetching(network or Network()),
            scope=scope_of(options),
            follows=self.follows,
            nofollow=not options.follow_nofollow,
            bad_rows=options.bad_rows,
            auto=self.auto,
            since=since_of(options),
        ).sealed()

    def _fetching(self, network: Network) -> Fetching:
        options, cache = self.options, self.options.cache
        if cache is None and options.incremental and self.out != STDOUT:
            cache = self.out.parent / f".{self.out.name}.pages.sqlite"
        if options.max_age is not None and cache is None:
            raise UsageError("--max-age is about pages that are kept: give --cache FILE")
        return Fetching(
            self.rules,
            user_agent_of(options),
            not options.ignore_robots,
            options.max_body,
            network,
            uuid.uuid4().hex,
            cookies=self.follows,
            cache="" if cache is None else str(cache),
            always=options.incremental and options.max_age is None,
            max_age=options.max_age,
            render=options.render,
        )

    @property
    def meets_hosts(self) -> bool:
        """Whether the first page of a host is alone: robots.txt may ask for time between pages."""
        return not self.options.ignore_robots

    @property
    def settings(self) -> str:
        """A digest of what rows depend on: the rules, what becomes of bad rows, the round, and how far a crawl goes."""
        options = self.options
        facts = f"{FORMAT} {self.rules.digest()} {options.bad_rows} {self.auto} {self._changes.number}"
        facts += f" {options.ignore_robots}"
        if self.crawls:  # a page that was seen may have led to what was not followed then
            facts += f" {self.job.scope} {options.follow_nofollow} {options.max_per_host}"
        return hashlib.blake2b(facts.encode(), digest_size=16).hexdigest()

    def meet(self, memory: Memory) -> None:
        """Open the file that is added to, and find out which round this is; raises UsageError."""
        self._memory = memory
        self._changes.meet(memory)
        if memory.run_id:  # else this is only a look ahead
            if self.options.incremental and memory.path is None:
                raise UsageError(
                    "--incremental: nothing is remembered of rows on standard output: name a file, or --state FILE"
                )
            if memory.retrying and self.options.limit is not None:
                raise UsageError("--limit is about the pages of lists and crawls: leave it out with --retry-failed")
            self.job.fetching.open_cache()
            self._output.meet(self._shape, memory, lambda: self._kept(memory))
        self._changes.begin(memory)
        memory.round = f"#{self.settings}"

    def plan(self, memory: Memory) -> Iterator[Start]:
        """Yield a task for each URL, a Skip for one seen before in this run, a Failure for a line that is no URL.

        In a crawl, then what these led to.
        """
        owned, options = self._owned, self.options
        first = starts(self.files, self.sources, owned, base_url=options.base_url, url_column=options.url_column)
        planned = self._crawl.plan(first, memory) if self.crawls else self._limited(first, memory)
        yield from self._printed.plan(planned) if self.out == STDOUT and options.ordered else planned
        self._planned = not (self._cut or self._crawl.cut)

    def recall(self, task: Task[Any], known: Remembered) -> Task[Any] | Skip:
        """Skip what the store has rows of, made by the same rules."""
        if known.state == "done" and known.settings == self.settings:
            return Skip(task, ALREADY)
        return task

    def record(self, value: Page) -> str:
        """Return the rows, and the bytes that their page took on the wire, as JSON."""
        return pack(value.bytes, value.json(), value.lost)

    def lines(self, outcome: Outcome | None) -> list[str]:
        """Return what to print of an outcome, or at the end (None), on standard output: rows as lines of JSON."""
        if outcome is None:
            return [*self._printed.rest(), *self._farewell]
        lines: list[str] = []
        if isinstance(outcome, Success):
            lines = [*outcome.value.json().texts, *lines_of(outcome.value.lost).texts]
        return self._printed.ended(outcome, lines) if self.options.ordered else lines

    def land(self, task: Task[Any], value: Any, memory: Memory) -> Any:
        """Take in what the page led to, and its rows; raises TaskSkipped for one that is known by another URL."""
        if self.crawls:
            stray = self._crawl.land(value, task.key, memory)
            value = replace(value, rows=value.rows + stray, lines=Lines()) if stray else value
        if value.kept:
            self._kept_pages[value.kept] += 1
        self._dropped += len(value.dropped)
        for row in value.dropped:  # a field that they lack is why
            self._coverage.add(row)
        if self._changes.on:
            rows, lost = self._changes.mark(value.rows, memory.recall(task.key))
            value = replace(value, rows=tuple(rows), lost=tuple(lost), lines=Lines())
        if self.out == STDOUT:  # nothing is kept to be counted in the end
            for row in value.rows:
                self._coverage.add(row)
        else:
            self._output.take(self._news([*value.written(), *value.lost]))
        return value

    def storing(self, memory: Memory) -> None:
        """Note how far the file that is added to has come."""
        self._output.storing(memory)

    def leave(self) -> None:
        """Close the files that were open all the time."""
        self._output.leave()
        if self._memory is not None and self._memory.run_id:
            self.job.fetching.close()

    @property
    def warnings(self) -> tuple[str, ...]:
        """How many links were not followed, and why, as the report tells it."""
        refused = sorted(self._crawl.refused.items(), key=lambda pair: -pair[1])
        lacking = sorted(self._output.lacking)
        return (
            *(f"{count:,} links were not followed: {reason}" for reason, count in refused),
            *((f"{self._dropped:,} rows did not fit and were left out",) if self._dropped else ()),
            *(("pages that nothing led to are not taken for gone: not all was read",) if self._doubts else ()),
            *((f"half a line at the end of {self.out} was cut off: {TORN}",) if self._output.torn else ()),
            *(f"column {name!r} is not in {self.out}: it became known too late" for name in lacking),
        )

    @property
    def remarks(self) -> tuple[str, ...]:
        """How many rows are new, changed, unchanged or gone, and how many pages were not sent again."""
        counts = ", ".join(f"{count:,} {change}" for change, count in self._changes.counts.items())
        kept = ", ".join(f"{count:,} {KEPT[how]}" for how, count in sorted(self._kept_pages.items()))
        return (*((f"rows: {counts}",) if counts else ()), *((f"pages that were kept: {kept}",) if kept else ()))

    def ended(self, outcome: Outcome) -> None:
        """Count a task that has ended: a crawl is over when none is under way."""
        self._crawl.ended(outcome)
        if self._changes.on and self._memory is not None:
            self._changes.ended(outcome, self._memory)

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
        facts = (*FACTS, "fetched_at", *((CHANGE,) if self.options.incremental else ()))
        own = (name for name in self._owned.names if name.lower() not in PRIVATE)
        return tuple(dict.fromkeys((*facts, *own, *self.rules.columns, *self.auto)))

    def prepare(self) -> None:
        """Make the output's folder, and look at the names of the user's columns."""
        self._owned.meet(self.sources, self.options.url_column)
        self._output.prepare()

    def finish(self, memory: Memory) -> None:
        """Write the output file from the rows that the store has, in the order of the list, or what it lacks."""
        complete = self._planned and memory.ended == "complete"
        plain = not self._changes.on and self._asked is None
        texts = memory.texts(self.settings) if plain else None
        kept = self._kept(memory, complete=complete)
        if self.out == STDOUT and self._changes.on:
            self._farewell = lines_of([row for batch in kept if batch.late for row in batch.rows]).texts
        self._output.finish(self._shape, memory, kept, texts)
        if complete and self.crawls:
            memory.drop_rounds(PLACE)
        if complete and self._changes.on:
            self._changes.close(memory, self.settings, trusts=self._trusts)
        memory.commit()  # all at once: what the file has, and what of it was news
        self._output.end(memory)
        if self._asked is not None and (self._coverage.rows or not self.options.append):
            self.complaints = tuple(
                f"{name} has a value in {share:.1%} of the rows, less than --coverage {self.options.coverage} asks for"
                for name, share in self._coverage.below(self._asked)
            )

    @property
    def _trusts(self) -> bool:
        """Whether a page is gone that nothing has led to: not if what may have led there was not read, or was cut."""
        whole = not self._changes.blind and self.options.since is None and not self._crawl.refused[TOO_MANY]
        return whole or not self.crawls

    @property
    def _doubts(self) -> bool:
        return self.options.incremental and self._planned and not self._trusts

    def _news(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the rows that a file wants which is added to."""
        return [row for row in rows if told(row)] if self._changes.on else rows

    @property
    def _shape(self) -> Shape:
        text = ("fetched_at", CHANGE, *self._owned.names)
        types = {**self.rules.types, **dict.fromkeys(text, str), **{part: TYPES[part] for part in self.auto}}
        return Shape(self.columns, types)

    def _kept(self, memory: Memory, *, complete: bool = False) -> Iterator[Batch]:
        """Yield the rows that the output is to have, page by page."""
        if not self._changes.on:
            for known in memory.done(self.settings):
                yield Batch(known.value["rows"], known.run)
            return
        for batch in self._changes.rows(memory, self.settings, complete=complete, trusts=self._trusts):
            yield replace(batch, rows=self._news([*batch.rows])) if self.options.append else batch

    def _limited(self, planned: Iterator[Start], memory: Memory) -> Iterator[Start]:
        """Yield as many tasks as --limit allows, not counting what needs no visit."""
        left = self.options.limit
        for one in planned:
            if left is not None and isinstance(one, Task):
                known = memory.recall(one.key)
                left -= not (known and isinstance(self.recall(one, known), Skip))
                if left < 0:
                    self._cut = True
                    return
            yield one


APP = ScrapeApp
