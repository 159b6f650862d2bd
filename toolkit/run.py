"""The conductor: plan -> schedule -> model -> store -> reporters -> Summary.

The model runs in a thread of its own. The caller's thread writes the store and tells the reporters, in one place, in
order; a signal finds it awake.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toolkit import models
from toolkit.core.errors import RunStopped, UsageError
from toolkit.core.job import App, Done, Wait
from toolkit.core.options import option
from toolkit.core.policy import Policy, parse_max_errors
from toolkit.core.schedule import Planned, Retry, Schedule
from toolkit.core.task import Failure, Outcome, Skip, Success, Task
from toolkit.models import ClientOptions, Model, Setup
from toolkit.reporting import Reporter, RunFinished, RunStarted, Summary, Tally, TaskSettled, Tick
from toolkit.store import Store

BEAT = 0.05
"""Seconds between looks at what has landed; each is one write to the store."""
TICK = 0.2
"""Seconds between Tick events."""
BACKLOG = 5_000
"""Outcomes that wait for the store before nothing more is started."""
GRACE = 10.0
"""Seconds that running tasks may take to end after the first Ctrl-C."""
IO_WORKERS = 16


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a job is run: the same options for every app."""

    model: str = option("", "Concurrency model; `toolkit models` lists them.", flags=("--model", "-m"), metavar="NAME")
    workers: int | None = option(None, "Tasks at once.", flags=("--workers", "-j"), metavar="N")
    client: str | None = option(None, "HTTP client (requests, aiohttp).", metavar="NAME")
    per_host: int = option(8, "Tasks at once for one host.", metavar="N")
    delay: float = option(0.0, "Least seconds between two requests to one host.", metavar="SECONDS")
    retries: int = option(3, "Attempts after the first.", metavar="N")
    timeout: float | None = option(
        None, "Seconds without a byte (network) or for a picture, after which a task fails.", metavar="SECONDS"
    )
    max_errors: str | None = option(None, "Stop after so many failures: 20, or 5%.", metavar="N|N%")
    ca_file: str | None = option(None, "Trust the certificates in this file, and no others.", metavar="FILE")
    fresh: bool = option(False, "Forget what was done before, and do everything.")
    retry_failed: bool = option(False, "Only the tasks that failed before; sources may be left out.")
    state: Path | None = option(None, "Where to keep what is done, if not beside the output.", metavar="FILE")


class Run:
    """One run of an app under a model. Iterate outcomes() or call finish(); then `summary` is there."""

    def __init__(
        self,
        app: App,
        options: RunOptions,
        *,
        output: str,
        sources: Sequence[str] = (),
        reporters: Sequence[Reporter] = (),
        command: Sequence[str] = (),
        policy: Policy | None = None,
    ) -> None:
        """Check the options; nothing is made or written yet. Raises UsageError."""
        self.app = app
        self.options = options
        self.output = output
        self.command = tuple(command)
        self.summary: Summary | None = None
        self.abandoned = False
        self.policy = policy or _policy(app, options)
        self._model: Model = models.load(options.model or app.usual_model)
        self._workers = _workers(self._model, app, options)
        self._client = models.client_for(self._model, options.client)
        self._plan_name = hashlib.sha256("\0".join(sources).encode("utf-8", "surrogatepass")).hexdigest()[:16]
        self._reporters = tuple(reporters)
        self._interrupts = 0
        self._tally = Tally()

    def interrupt(self) -> None:
        """Stop: once, start nothing more and let what runs end; twice, give up what runs. Safe in a signal handler."""
        self._interrupts += 1

    def finish(self, each: Callable[[Outcome], None] | None = None) -> Summary:
        """Run to the end, taking Ctrl-C as interrupt() where this is the main thread; each sees every outcome."""
        with _signals(self.interrupt):
            for outcome in self.outcomes():
                if each is not None:
                    each(outcome)
        assert self.summary is not None  # noqa: S101 - outcomes has set it
        return self.summary

    def preview(self) -> Iterator[Planned]:
        """Yield what a run would do, and change nothing."""
        path = self.options.state or self.app.state
        store = Store(path if path and path.exists() else None)
        try:
            yield from self._planned(store)
        finally:
            store.rollback()
            store.close()

    def outcomes(self) -> Iterator[Outcome]:
        """Run, and yield each outcome as it lands; closing the iterator stops the run."""
        self.app.prepare()
        path = self.options.state or self.app.state
        store = Store(path)
        try:
            if self.options.fresh:
                store.forget()
            yield from self._conduct(store)
        finally:
            store.close()

    def _conduct(self, store: Store) -> Iterator[Outcome]:
        schedule = Schedule(self._planned(store), self.policy)
        feed = _Feed(schedule)
        store.begin(self.app.name, self._plan_name, self._model.name, self._workers, " ".join(self.command))
        self._tell(RunStarted(self.app.name, self._model.name, self._workers))
        engine = _Engine(self._model, self._setup(), feed)
        started, at = time.monotonic(), datetime.now(UTC)
        engine.start()
        try:
            yield from self._follow(engine, feed, store, started)
        finally:
            self._end(engine, feed)
            with suppress(RunStopped):
                self._land(feed, store)
            failure = engine.failure or (schedule.error if isinstance(schedule.error, UsageError) else None)
            if failure is None:
                self._close(store, schedule, feed, engine, started, at)
        if failure is not None:
            raise failure

    def _follow(self, engine: _Engine, feed: _Feed, store: Store, started: float) -> Iterator[Outcome]:
        ticked = give_up_at = 0.0
        while True:
            over = engine.over.wait(BEAT)  # asked before landing, so that nothing lands after the last look
            try:
                yield from self._land(feed, store)
            except RunStopped as error:
                feed.stop(str(error))
                feed.cancel()
            now = time.monotonic()
            if now - ticked >= TICK or over:
                ticked = now
                self._tell(feed.tick(now - started, self.app.total))
            if over:
                return
            if self._interrupts:
                give_up_at = give_up_at or now + GRACE
                feed.stop("interrupted")
                if self._interrupts > 1 or now >= give_up_at:
                    return  # _end cancels what still runs

    def _land(self, feed: _Feed, store: Store) -> list[Outcome]:
        """Store and tell what has landed since the last call; return the outcomes that are final."""
        landed = feed.take()
        if not landed:
            return []
        final = [outcome for outcome, retry in landed if retry is None]
        store.record(self.app, final)
        now = time.monotonic()
        for outcome, retry in landed:
            if retry is None:
                value = outcome.value if isinstance(outcome, Success) else None
                self._tally.add(outcome, getattr(value, "bytes", 0), getattr(value, "warnings", ()))
            self._tell(TaskSettled(outcome, None if retry is None else max(0.0, retry.due - now)))
        return final

    def _end(self, engine: _Engine, feed: _Feed) -> None:
        if not engine.over.is_set():
            feed.stop("interrupted")
            feed.cancel()
        self.abandoned = not engine.over.wait(GRACE / 2)

    def _close(
        self, store: Store, schedule: Schedule, feed: _Feed, engine: _Engine, started: float, at: datetime
    ) -> None:
        counts = schedule.counts
        interrupted = schedule.stopped == "interrupted"
        self.summary = summary = Summary(
            app=self.app.name,
            model=self._model.name,
            workers=self._workers,
            client=self._client.name if self.app.network else None,
            status="interrupted" if interrupted else "stopped" if schedule.stopped else "complete",
            reason=schedule.stopped,
            succeeded=self._tally.succeeded,
            skipped=dict(self._tally.skipped),
            failed=dict(self._tally.failed),
            failures=self._tally.groups(),
            left=counts.drawn - counts.ended,
            retried=counts.retried,
            bytes=self._tally.bytes,
            received=feed.bytes,
            seconds=time.monotonic() - started,
            started=at.isoformat(timespec="seconds"),
            output=self.output,
            store=str(store.path) if store.path else None,
            command=self.command,
            startup_seconds=engine.startup,
            warnings=dict(self._tally.warnings),
        )
        self.app.finish(store)
        store.end(summary.status, {"succeeded": summary.succeeded, "failed": summary.errors, "skipped": summary.skips})
        self._tell(RunFinished(summary))

    def _planned(self, store: Store) -> Iterator[Planned]:
        """Yield the plan of the app, less what is done already."""
        if self.options.retry_failed:
            yield from store.failed(self.app)
            return
        for planned in self.app.plan(store):
            if isinstance(planned, Task) and (known := store.recall(planned.key)):
                planned = self.app.recall(planned, known)
                if isinstance(planned, Skip):
                    store.keep(planned.task)
            yield planned

    def _setup(self) -> Setup:
        timeout = None if self.app.network else self.options.timeout
        return Setup(self.app.job, self._workers, self._client, ClientOptions(self.options.ca_file), timeout)

    def _tell(self, event: Any) -> None:
        for reporter in self._reporters:
            reporter(event)


class _Feed:
    """What models pull from: the schedule behind a lock, with the clock, and a tray for what has landed."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._wake = threading.Condition()
        self._waiters = 0
        self._tray: deque[tuple[Outcome, Retry | None]] = deque()
        self._actions: list[Callable[[], None]] = []
        self.bytes = 0
        self.cancelled = False

    def next(self) -> Task[Any] | Wait | Done:
        with self._wake:
            now = time.monotonic()
            if len(self._tray) > BACKLOG:
                return Wait(now + BEAT)
            step = self._schedule.next(now)
            while isinstance(step, Skip | Failure):
                self._tray.append((step, None))
                if len(self._tray) > BACKLOG:
                    return Wait(now + BEAT)
                step = self._schedule.next(now)
            # Each start wakes the next worker, if there is work for it: waking all for every task costs dearly.
            if isinstance(step, Done):
                self._wake.notify_all()
            elif self._waiters and self._schedule.has_ready:
                self._wake.notify()
            return step

    def settle(self, outcome: Outcome) -> None:
        with self._wake:
            self._tray.append((outcome, self._schedule.settle(outcome, time.monotonic())))

    def wait(self, step: Wait, *, most: float = 0.2) -> None:
        with self._wake:
            pause = most if step.until is None else min(most, step.until - time.monotonic())
            if pause > 0:
                self._waiters += 1
                self._wake.wait(pause)
                self._waiters -= 1

    def received(self, size: int) -> None:
        self.bytes += size

    def on_cancel(self, action: Callable[[], None]) -> None:
        self._actions.append(action)

    def take(self) -> list[tuple[Outcome, Retry | None]]:
        return [self._tray.popleft() for _ in range(len(self._tray))]

    def stop(self, reason: str) -> None:
        self._schedule.stop(reason)

    def cancel(self) -> None:
        self.cancelled = True
        for action in list(self._actions):
            action()

    def tick(self, seconds: float, total: int | None) -> Tick:
        counts, schedule = self._schedule.counts, self._schedule
        return Tick(
            counts.succeeded,
            counts.skipped,
            counts.failed,
            counts.retried,
            schedule.in_flight,
            self.bytes,
            seconds,
            total,
            schedule.stopped,
        )


class _Engine(threading.Thread):
    """The thread in which a model runs."""

    def __init__(self, model: Model, setup: Setup, feed: _Feed) -> None:
        super().__init__(name="toolkit-model", daemon=True)
        self._model, self._setup, self._feed = model, setup, feed
        self.over = threading.Event()
        self.failure: BaseException | None = None
        self.startup = 0.0

    def run(self) -> None:
        started = time.monotonic()
        try:
            with self._model.start(self._setup) as runner:
                self.startup = time.monotonic() - started
                runner(self._feed)
        except BaseException as error:  # raised again in the caller's thread
            self.failure = error
        finally:
            self.over.set()


@contextmanager
def _signals(interrupt: Callable[[], None]) -> Iterator[None]:
    """Take SIGINT and SIGTERM as interrupts, where this thread may."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: interrupt()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _policy(app: App, options: RunOptions) -> Policy:
    for name, least in (("workers", 1), ("per_host", 1), ("retries", 0), ("delay", 0), ("timeout", 0)):
        value = getattr(options, name)
        if value is not None and (value < least or (name == "timeout" and value == 0)):
            raise UsageError(
                f"--{name.replace('_', '-')} {value:g}: give a number {'above' if name == 'timeout' else 'from'}"
                f" {least}"
            )
    return Policy(
        retries=options.retries,
        per_lane=options.per_host,
        delay=options.delay,
        max_errors=parse_max_errors(options.max_errors) if options.max_errors else None,
        order="input" if app.network else "largest",
    )


def _workers(model: Model, app: App, options: RunOptions) -> int:
    if model.name == "sequential":
        return 1
    if options.workers is not None:
        return options.workers
    return IO_WORKERS if app.network and not model.traits.parallel_cpu else usable_cpus()


def usable_cpus() -> int:
    """Return how many processors this process may use, by affinity."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
