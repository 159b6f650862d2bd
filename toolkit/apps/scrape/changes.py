"""What became of pages since they were seen last: rows that are new, changed, unchanged or gone.

A scrape goes in rounds. In each, every page is visited again; a round that was cut short is gone on with by the next
run. Pages that were not reached by the end of a round, or answer that they are not there, are gone.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from toolkit.apps.scrape.manifest_rows import ALREADY
from toolkit.apps.scrape.output import Batch
from toolkit.apps.scrape.result import CHANGE
from toolkit.core.errors import FailureKind
from toolkit.core.job import Memory, Remembered
from toolkit.core.task import Failure, Outcome, Skip

NEW, CHANGED, UNCHANGED, GONE = "new", "changed", "unchanged", "gone"
UNCHECKED = "unchecked"
"""Rows of a page that this round has not seen, or could not read."""
NOTE = "round"
OPEN = " open"
TAKEN = "taken"
"""In place of the name of a row that has become another: no JSON, so no row's name."""

Row = dict[str, Any]


class Changes:
    """The rounds of one output. fields: the columns that count as changes; wanted: whether this run looks for any.

    blind: whether something could not be read that might have led to pages that were not seen.
    """

    def __init__(self, fields: Sequence[str], *, wanted: bool) -> None:
        self.wanted = wanted
        self.number = 0
        self._open = False
        self._seen: Counter[str] = Counter()
        self._unseen: Counter[str] = Counter()
        self._fields = tuple(fields)
        self._unsure: set[str] = set()
        self._missing: set[str] = set()
        self.blind = False

    def meet(self, memory: Memory) -> None:
        """Find out which round was the last."""
        number, still, _ = memory.noted(NOTE).partition(OPEN)
        self.number, self._open = int(number or 0), bool(still)

    def begin(self, memory: Memory) -> None:
        """Begin the next round, if this run looks for changes and the last one was complete."""
        if self.wanted and not self._open and not memory.retrying:
            self.number += 1
            self._open = True
            memory.note(NOTE, f"{self.number}{OPEN}")

    def mark(self, rows: Sequence[Row], known: Remembered | None) -> tuple[list[Row], list[Row]]:
        """Return a page's rows with their change, and those that it has no more.

        A row that is as one was before is unchanged. Of the others, one whose first field is that of a row before, or
        which is the page's only row as there was only one, is changed.
        """
        before = [] if known is None or known.value.get(GONE) else [*known.value.get("rows", ())]
        left = Counter(self._essence(row) for row in before)
        changes: list[str] = []
        for row in rows:
            same = left[self._essence(row)] > 0
            left[self._essence(row)] -= same
            changes.append(UNCHANGED if same else NEW)
        lost = []
        for row in before:
            if left[self._essence(row)] > 0:
                left[self._essence(row)] -= 1
                lost.append(row)
        names = [self._name(row) for row in lost]
        if len(rows) == len(before) == 1 and lost:
            changes, names = [CHANGED], [TAKEN]
        waiting: dict[str, deque[int]] = defaultdict(deque)
        for place, name in enumerate(names):
            waiting[name].append(place)
        for index, row in enumerate(rows):
            if changes[index] == NEW and (name := self._name(row)) and waiting.get(name):
                changes[index], names[waiting[name].popleft()] = CHANGED, TAKEN
        lost = [row for row, name in zip(lost, names, strict=True) if name != TAKEN]
        self._seen.update(changes)
        self._seen[GONE] += len(lost)
        return [{**row, CHANGE: change} for row, change in zip(rows, changes, strict=True)], [
            {**row, CHANGE: GONE} for row in lost
        ]

    @property
    def on(self) -> bool:
        """Whether rows are told apart: in a run that looks for changes, and in others as long as a round is open."""
        return self.wanted or self._open

    def ended(self, outcome: Outcome, memory: Memory) -> None:
        """Remember which pages could not be seen, though they may be there, and lead to others."""
        if isinstance(outcome, Failure):
            missing = outcome.kind is FailureKind.HTTP and bool(re.match(r"HTTP (404|410)\b", outcome.message))
        elif isinstance(outcome, Skip) and outcome.reason != ALREADY:
            missing = outcome.reason.startswith("duplicate")
        else:
            return
        key = outcome.task.key
        (self._missing if missing else self._unsure).add(key)
        if not missing and not self.blind:
            known = memory.recall(key)
            self.blind = getattr(outcome.task.payload, "kind", "") != "page" or bool(known and "rows" in known.value)

    def rows(self, memory: Memory, settings: str, *, complete: bool, trusts: bool = True) -> Iterator[Batch]:
        """Yield all rows that are known, with what became of them; complete: whether the round is over.

        trusts: whether a page is gone that nothing has led to.
        """
        unseen: Counter[str] = Counter()
        for known in memory.kept():
            value = known.value
            if known.state == "done" and known.settings == settings:
                yield Batch([*value["rows"], *value.get("lost", ())], known.run)
            elif not value.get(GONE) and "rows" in value:
                change = GONE if complete and self._is_gone(known, memory, trusts=trusts) else UNCHECKED
                unseen[change] += len(value["rows"])
                yield Batch([{**row, CHANGE: change} for row in value["rows"]], known.run, change == GONE)
        self._unseen = unseen

    def close(self, memory: Memory, settings: str, *, trusts: bool = True) -> None:
        """End the round: what is gone is told no more."""
        for known in memory.kept():
            seen = known.state == "done" and known.settings == settings
            if not seen and not known.value.get(GONE) and self._is_gone(known, memory, trusts=trusts):
                memory.amend(known.key, {**known.value, GONE: True})
        memory.note(NOTE, str(self.number))
        self._open = False

    @property
    def counts(self) -> dict[str, int]:
        """How many rows are what."""
        every = self._seen + self._unseen
        return {change: every[change] for change in (NEW, CHANGED, UNCHANGED, GONE, UNCHECKED) if every[change]}

    def _is_gone(self, known: Remembered, memory: Memory, *, trusts: bool) -> bool:
        if known.plan != memory.plan:
            return False
        return known.key in self._missing or (trusts and known.key not in self._unsure)

    def _essence(self, row: Mapping[str, Any]) -> str:
        return json.dumps([row.get(name) for name in self._fields], default=str)

    def _name(self, row: Mapping[str, Any]) -> str:
        """Return what a row goes by: its first field, or "" if that has no value."""
        value = row.get(next(iter(self._fields), ""))
        return "" if value is None else json.dumps(value, default=str)


def told(row: Mapping[str, Any]) -> bool:
    """Whether a row is news, which a file that is added to wants."""
    return row.get(CHANGE) not in (UNCHANGED, UNCHECKED)
