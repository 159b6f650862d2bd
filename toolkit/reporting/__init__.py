"""What is told of a run: events, which go to reporters as they happen, and the Summary at its end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from toolkit.core.loops import Computed, Lateness
from toolkit.core.task import Failure, Outcome, Skip, Success

PLACE = re.compile(r"^[^\n]{1,300}?:\d+: ")
"""The line of a list that a message begins with: without it, failures of a sort are one group."""
FILE = re.compile(r"^cannot write [^\n]+: ")
"""The file that a message names: the same."""
EXAMPLES = 3
"""Failures of a sort that are named; the rest are counted."""
GROUPS = 200
"""Sorts of failures that are told apart; more, and only their kind is."""


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins. workers: tasks at once, at most; adaptive: whether it is found out how many of them help."""

    app: str
    model: str
    workers: int
    adaptive: bool = False

    @property
    def how(self) -> str:
        """How tasks run: "threads x4", or "threads x auto"."""
        return _how(self.model, self.workers, adaptive=self.adaptive)


@dataclass(frozen=True, slots=True)
class LimitChanged:
    """Another number of tasks runs at once from now on. seconds: since the start."""

    limit: int
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class TaskSettled:
    """An attempt ended. retry_in: seconds until the next attempt, or None if the task has ended."""

    outcome: Outcome
    retry_in: float | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """How far the run is, a few times a second.

    received: bytes so far. seconds: since the start.
    total: of tasks, if that is known. stopping: why nothing new is started, or "". limit: tasks at once, if there is
    one. resting: hosts that are left alone for a while.
    """

    succeeded: int
    skipped: int
    failed: int
    retried: int
    in_flight: int
    received: int
    seconds: float
    total: int | None = None
    stopping: str = ""
    limit: int | None = None
    resting: int = 0

    @property
    def ended(self) -> int:
        """Tasks that ended."""
        return self.succeeded + self.skipped + self.failed


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failures of one kind and message. examples: (task key, message)."""

    kind: str
    message: str
    count: int
    examples: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SlowHost:
    """A host that was slowed down. least: tasks at once when it was slowest. failures: how many slowed it, kind: what
    the last of them was."""  # noqa: D209, D205

    host: str
    least: int
    failures: int
    kind: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What became of the limits on tasks at once.

    last: where it settled, for the reason, if there was one. changes: how often that was another. per_host: the most
    for one host. hosts: those that were slowed down, the worst first.
    """

    adaptive: bool
    highest: int
    last: int
    changes: int
    reason: str = ""
    per_host: int = 0
    hosts: tuple[SlowHost, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a run. seconds: wall time. bytes: of results. left: tasks that were seen but not ended.

    workers: tasks at once, at most. sources: those of the command, which need not be repeated to retry. complaints:
    what the results as a whole are not that was asked for, though each task may have done well. remarks: what there is
    to tell of them else, in words. loop: how late event loops came round, under a model that has any; computing: where
    they had functions computed.
    """

    app: str
    model: str
    workers: int
    client: str | None
    status: Literal["complete", "stopped", "interrupted"]
    reason: str
    succeeded: int
    skipped: dict[str, int]
    failed: dict[str, int]
    failures: tuple[FailureGroup, ...]
    left: int
    retried: int
    bytes: int
    received: int
    seconds: float
    started: str
    output: str
    store: str | None
    command: tuple[str, ...] = ()
    startup_seconds: float = 0.0
    warnings: dict[str, int] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    limits: Limits | None = None
    complaints: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    loop: Lateness | None = None
    computing: tuple[Computed, ...] = ()

    @property
    def how(self) -> str:
        """How tasks ran: "threads x4", or "threads x auto"."""
        return _how(self.model, self.workers, adaptive=self.limits is not None and self.limits.adaptive)

    @property
    def total(self) -> int:
        """Tasks that were seen."""
        return self.succeeded + self.skips + self.errors + self.left

    @property
    def skips(self) -> int:
        """Tasks that needed no work."""
        return sum(self.skipped.values())

    @property
    def errors(self) -> int:
        """Tasks that failed."""
        return sum(self.failed.values())

    @property
    def exit_code(self) -> int:
        """0 all well, 1 some tasks failed or there are complaints, 3 stopped by policy or disk, 130 interrupted."""
        if self.status == "interrupted":
            return 130
        if self.status == "stopped":
            return 3
        return 1 if self.errors or self.complaints else 0


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run is over."""

    summary: Summary


Event = RunStarted | TaskSettled | LimitChanged | Tick | RunFinished
Reporter = Callable[[Event], None]
"""Takes events, all in one thread, in order; one reporter a file."""


class Tally:
    """Adds up outcomes in constant memory."""

    def __init__(self) -> None:
        self.succeeded = 0
        self.bytes = 0
        self.skipped: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.warnings: Counter[str] = Counter()
        self._groups: dict[tuple[str, str], list[Any]] = {}

    def add(self, outcome: Outcome, size: int, warnings: tuple[str, ...] = ()) -> None:
        """Count an outcome that is final; size: bytes of its result."""
        if isinstance(outcome, Success):
            self.succeeded += 1
            self.bytes += size
            for warning in warnings:
                self.warn(warning)
        elif isinstance(outcome, Skip):
            self.skipped[_bounded(self.skipped, outcome.reason)] += 1
        else:
            self._fail(outcome)

    def warn(self, text: str) -> None:
        """Count a warning."""
        self.warnings[_bounded(self.warnings, text)] += 1

    def groups(self) -> tuple[FailureGroup, ...]:
        """Return the failures by kind and message, the most frequent first."""
        found = [FailureGroup(kind, text, n, tuple(few)) for (kind, text), (n, few) in self._groups.items()]
        return tuple(sorted(found, key=lambda group: -group.count))

    def _fail(self, failure: Failure) -> None:
        self.failed[failure.kind.value] += 1
        text = FILE.sub("cannot write …: ", PLACE.sub("…: ", failure.message.replace(failure.task.key, "…")))
        key = (failure.kind.value, text)
        if key not in self._groups and len(self._groups) >= GROUPS:
            key = (failure.kind.value, "(others)")
        group = self._groups.setdefault(key, [0, []])
        group[0] += 1
        if len(group[1]) < EXAMPLES:
            group[1].append((failure.task.key, failure.message))


def _how(model: str, workers: int, *, adaptive: bool) -> str:
    return f"{model} x auto" if adaptive else f"{model} x{workers}"


def _bounded(counter: Counter[str], text: str) -> str:
    """Return the text to count, or "(others)" once there are many: they may come from outside."""
    return text if text in counter or len(counter) < GROUPS else "(others)"
