"""Rules held against saved pages: the rows that they find, how well fields are covered, and what differs from before.

`NAME.expected.json` beside a saved page has the rows that it gave when somebody looked; it makes the page a test.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.apps.scrape.coverage import Coverage
from toolkit.apps.scrape.rules import Problem, Reading, Rules, read_page
from toolkit.apps.scrape.saved import SavedPage, write_json
from toolkit.core.errors import TaskError, UsageError

EXPECTED = ".expected.json"
MOST_DIFFERENCES = 100
"""Differences of one page that are told."""
ABSENT = "absent"
"""What stands for a row or field that is not there."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that is not the expected one. field: as in `reviews[2].stars`, or "" for a whole row."""

    row: int
    field: str
    expected: Any
    found: Any


@dataclass(frozen=True, slots=True)
class PageTrial:
    """What the rules found in one page.

    page: the type that it was read as, "" for none. rows: its rows; those that a linked page would complete come last,
    and going_on says how many they are. links: how many pages would be followed. expected: whether it has expected
    rows. error: why it could not be read, or None.
    """

    name: str
    url: str
    page: str = ""
    rows: tuple[Row, ...] = ()
    going_on: int = 0
    links: int = 0
    problems: tuple[Problem, ...] = ()
    expected: bool = False
    differences: tuple[Difference, ...] = ()
    error: str | None = None

    @property
    def good(self) -> bool:
        """Whether there is nothing to say against it."""
        return self.error is None and not self.problems and not self.differences

    def record(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "name": self.name,
            "url": self.url,
            "page": self.page or None,
            "rows": list(self.rows),
            "going_on": self.going_on,
            "links": self.links,
            "problems": [{"row": one.row, "field": one.field, "reason": one.reason} for one in self.problems],
            "expected": self.expected,
            "differences": [
                {"row": one.row, "field": one.field, "expected": one.expected, "found": one.found}
                for one in self.differences
            ],
            "error": self.error,
        }


@dataclass(slots=True)
class Totals:
    """Counts over all pages of a trial."""

    coverage: Coverage
    pages: int = 0
    rows: int = 0
    problems: int = 0
    differences: int = 0
    errors: int = 0
    untyped: int = 0
    below: list[tuple[str, float]] = field(default_factory=list)

    def add(self, trial: PageTrial) -> None:
        """Count a page."""
        self.pages += 1
        self.rows += len(trial.rows)
        self.problems += len(trial.problems)
        self.differences += len(trial.differences)
        self.errors += trial.error is not None
        self.untyped += trial.error is None and not trial.page
        for row in trial.rows:
            self.coverage.add(row)

    def check(self, threshold: float | None) -> None:
        """Note the fields that are covered less than asked for."""
        self.below = [] if threshold is None else self.coverage.below(threshold)

    @property
    def good(self) -> bool:
        """Whether nothing differs, fails or is covered too little; problems are the rows' own, and only told."""
        return not (self.differences or self.errors or self.below)

    def record(self) -> dict[str, Any]:
        """Return the totals as JSON values."""
        counts = self.coverage.counts()
        shares = self.coverage.shares()
        return {
            "pages": self.pages,
            "rows": self.rows,
            "problems": self.problems,
            "differences": self.differences,
            "errors": self.errors,
            "untyped": self.untyped,
            "coverage": {
                name: {"share": shares[name], "with_value": full, "rows": rows} for name, (full, rows) in counts.items()
            },
            "below": dict(self.below),
        }


def totals_of(rules: Rules) -> Totals:
    """Return totals at zero."""
    return Totals(Coverage([one.name for one in rules.fields]))


def trials(
    rules: Rules, pages: Iterable[SavedPage], *, page: str | None = None, update: bool = False
) -> Iterator[PageTrial]:
    """Yield what the rules find in each page.

    page: the type to read all as; None: what their URLs say. update: what is found is what is expected from now on.
    Raises UsageError for expected rows that cannot be read or written.
    """
    for saved in pages:
        try:
            reading = read_page(saved.body, saved.charset, saved.final_url, rules, page=page)
        except TaskError as error:
            yield PageTrial(saved.name, saved.url, error=error.message)
            continue
        yield _trial(saved, reading, update=update)


def differences(expected: Sequence[Row], found: Sequence[Row]) -> list[Difference]:
    """Return where rows differ, in order, field by field; no more than can be looked at."""
    told: list[Difference] = []
    for index in range(max(len(expected), len(found))):
        if index >= len(found):
            told.append(Difference(index, "", expected[index], ABSENT))
        elif index >= len(expected):
            told.append(Difference(index, "", ABSENT, found[index]))
        else:
            told += [Difference(index, *one) for one in _differing("", expected[index], found[index])]
        if len(told) >= MOST_DIFFERENCES:
            break
    return told[:MOST_DIFFERENCES]


def _trial(saved: SavedPage, reading: Reading, *, update: bool) -> PageTrial:
    going_on = [dict(link.carry) for link in reading.links if link.carry is not None]
    rows = (*reading.rows, *going_on)
    path = None if saved.path is None else saved.path.with_suffix(EXPECTED)
    plain = json.loads(json.dumps(rows, ensure_ascii=False, default=str))
    if update and path is not None:
        try:
            write_json(path, {"page": reading.page or None, "rows": plain})
        except TaskError as error:
            raise UsageError(str(error)) from error
    expected = None if path is None else _expected(path)
    found: list[Difference] = []
    if expected is not None:
        kind, wanted = expected
        if kind != (reading.page or None):
            found.append(Difference(0, "(page type)", kind, reading.page or None))
        found += differences(wanted, plain)
    return PageTrial(
        saved.name,
        saved.url,
        reading.page,
        tuple(rows),
        len(going_on),
        len(reading.links),
        reading.problems,
        expected is not None,
        tuple(found),
    )


def _expected(path: Path) -> tuple[str | None, list[Row]] | None:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error
    try:
        facts = json.loads(text)
        return facts["page"], [dict(row) for row in facts["rows"]]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UsageError(f"{path}: not the expected rows of a page ({error}): write them anew by --update") from error


def _differing(at: str, expected: Any, found: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the places where two values differ: the innermost that both have."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in dict.fromkeys((*expected, *found)):
            inner = f"{at}.{name}" if at else name
            if name not in expected or name not in found:
                yield inner, expected.get(name, ABSENT), found.get(name, ABSENT)
            else:
                yield from _differing(inner, expected[name], found[name])
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from _differing(f"{at}[{index}]", one, other)
    elif type(expected) is not type(found) or expected != found:
        yield at, expected, found
