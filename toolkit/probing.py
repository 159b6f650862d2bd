"""A look before the work: cheap requests for what a plan would do, under the model and the limits of the run itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from toolkit.core.policy import Policy
from toolkit.core.schedule import Planned, Schedule
from toolkit.core.task import Outcome, Task
from toolkit.feed import BEAT, Engine, ScheduleFeed
from toolkit.models import Model, Setup

BATCH = 1000
"""Tasks that are looked at together; they come out in the order of the plan."""
GRACE = 5.0
"""Seconds that requests may take to end when nobody waits for them any more."""

Look = Callable[[list[Task[Any]]], dict[str, Outcome]]


def in_batches(plan: Iterable[Planned], look: Look) -> Iterator[tuple[Planned, Outcome | None]]:
    """Yield a plan in its order, each task with what looking at it gave; None in the plan means "none yet"."""
    batch: list[Planned] = []
    for planned in plan:
        if planned is not None:
            batch.append(planned)
        if len(batch) >= BATCH or (planned is None and batch):
            yield from _looked(batch, look)
            batch = []
        if planned is None:
            yield None, None
    yield from _looked(batch, look)


def outcomes_of(tasks: list[Task[Any]], model: Model, setup: Setup, policy: Policy) -> dict[str, Outcome]:
    """Run a job on tasks and return what became of each, by key; a task is missing if the policy stopped before it."""
    feed = ScheduleFeed(Schedule(iter(tasks), replace(policy, slots=1)))
    engine = Engine(model, setup, feed)
    found: dict[str, Outcome] = {}
    engine.start()
    try:
        over = False
        while not over:
            over = engine.over.wait(BEAT)  # asked before looking, so that nothing lands after the last look
            feed.pulse()
            found |= {outcome.task.key: outcome for outcome, retry in feed.take() if retry is None}
    finally:
        if not engine.over.is_set():
            feed.stop("interrupted")
            feed.cancel()
        engine.join(GRACE)
    if engine.failure is not None:
        raise engine.failure
    return found


def _looked(batch: list[Planned], look: Look) -> Iterator[tuple[Planned, Outcome | None]]:
    tasks = [planned for planned in batch if isinstance(planned, Task)]
    found = look(tasks) if tasks else {}
    for planned in batch:
        yield planned, found.get(planned.key) if isinstance(planned, Task) else None
