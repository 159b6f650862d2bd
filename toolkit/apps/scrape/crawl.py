"""A crawl's plan: start pages, then what they led to, until nothing is left and nothing is under way.

All pages of a crawl go through the frontier, start pages too, so that a link back to one is known. The plan is drawn in
one thread and told of endings in another; each writes numbers of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from toolkit.apps.scrape.keys import key_of
from toolkit.apps.scrape.result import Page
from toolkit.apps.scrape.scope import TOO_MANY, HostCounts
from toolkit.apps.scrape.visit import Visit, visit_of
from toolkit.core.errors import TaskSkipped
from toolkit.core.job import Memory
from toolkit.core.task import Failure, Outcome, Skip, Task
from toolkit.core.urls import lane_of

PLACE = "page"
"""Before the key of a page that another one was redirected to: whose it is, in this round."""
PIECE = 500
"""Tasks taken from the frontier at a time."""

Planned = Task[Visit] | Skip | Failure | None


class Crawl:
    """One crawl. limit: pages to visit, at most. catalogues: the sitemaps and feeds that the user named.

    cut: whether the limit has ended the plan.
    """

    def __init__(
        self,
        settings: Callable[[], str],
        *,
        limit: int | None,
        max_per_host: int | None,
        catalogues: Sequence[Visit] = (),
    ) -> None:
        self._settings = settings
        self._catalogues = catalogues
        self._limit = limit
        self._hosts = HostCounts(max_per_host)
        self._unasked = self._drawn = 0
        self._over = self._skipped = 0
        self.cut = False
        self.refused: Counter[str] = Counter()

    def plan(self, starts: Iterator[Planned], memory: Memory) -> Iterator[Planned]:
        """Yield all that is to be visited, None while it is not known whether there is more."""
        yield from self._begin(starts, memory)
        after = {False: 0, True: 0}
        while True:
            over = self._over  # asked before the frontier: what ended since may have found something
            piece = self._piece(memory, after) if self._room else []
            for key, visit, number in piece:
                while not self._room and memory.plan and self._over < self._drawn + self._unasked:
                    yield None  # what is under way may turn out to be no page
                if not self._room:
                    self.cut = True
                    break
                self._drawn += 1
                yield Task(key, visit, lane_of(visit.url), index=number)
            if piece:
                continue
            if over >= self._drawn + self._unasked or not memory.plan:  # without a name it is only a look ahead
                break
            yield None
        self.cut = self.cut or (not self._room and bool(self._piece(memory, after)))

    def _begin(self, starts: Iterator[Planned], memory: Memory) -> Iterator[Planned]:
        """Put all that the crawl starts from into the frontier; yield what of it is no task."""
        if self._hosts.most is not None:
            for key in memory.found():
                self._hosts.take(urlsplit(key).netloc)
        for visit in self._catalogues:
            memory.discover(_listed(f"{visit.kind} {key_of(visit.url)}", memory), visit.to_json)
        for planned in starts:
            if isinstance(planned, Task):
                visit = planned.payload
                home = (urlsplit(visit.url).hostname or "").lower()
                memory.discover(key_of(visit.url), replace(visit, home=home).to_json)
            else:
                self._unasked += planned is not None
                yield planned

    @property
    def _room(self) -> bool:
        """Whether another page may be drawn: what was skipped was no visit."""
        skipped = max(0, self._skipped - self._unasked)
        return self._limit is None or self._drawn - skipped < self._limit

    def _piece(self, memory: Memory, after: dict[bool, int]) -> list[tuple[str, Visit, int]]:
        """Return what is to be visited next; what failed before comes last, so that a small limit gets past it."""
        for failed, number in after.items():
            at = number
            while piece := memory.discovered(at, PIECE, self._settings(), failed=failed):
                after[failed] = at = piece[-1][0]
                if visits := [(key, visit_of(facts), number) for number, key, facts in piece if "alias" not in facts]:
                    return visits
        after.pop(True, None)  # earlier runs will have no more failures, and a look for them goes through all
        return []

    def land(self, page: Page, key: str, memory: Memory) -> tuple[dict[str, Any], ...]:
        """Take in what a page led to; raises TaskSkipped if it is one that another URL stands for already.

        Returns the rows of a listing whose own pages are not visited.
        """
        stray: list[dict[str, Any]] = []
        for found, visit in page.found:
            host = urlsplit(visit.url).netloc
            if visit.kind != "page":
                memory.discover(_listed(found, memory), visit.to_json)
            elif not self._hosts.has_room(host):
                self.refused[TOO_MANY] += 1
                stray += [] if visit.carry is None else [dict(visit.carry)]
            elif memory.discover(found, visit.to_json):
                self._hosts.take(host)
                if visit.carry is not None:  # a plain link need not lead there again
                    memory.discover(key_of(visit.url), {"alias": found})
        for reason, count in page.refused:
            self.refused[reason] += count
        if page.visit.kind == "page" and page.visit.carry is None:
            self._claim(page, key, memory)
        return tuple(stray)

    def _claim(self, page: Page, key: str, memory: Memory) -> None:
        """Note where a page has led to by redirects; raises TaskSkipped if that is known already."""
        final, place = key_of(page.final_url), f"{PLACE}{memory.round}:"
        if final == key:
            return
        if not memory.discover(final, {"alias": key}) and memory.claimed(place + final) != key:
            raise TaskSkipped("duplicate: redirected to a page that is known")
        memory.claim(place + final, key)

    def ended(self, outcome: Outcome) -> None:
        """Count a task that has ended."""
        self._skipped += isinstance(outcome, Skip)
        self._over += 1


def _listed(key: str, memory: Memory) -> str:
    """Return the key of a sitemap or feed: each run reads them anew, and what they list is as new as they are."""
    return f"{key} {memory.run_id}"
