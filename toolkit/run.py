"""The conductor: plan -> schedule -> model -> store -> reporters -> Summary.

The model runs in a thread of its own. The caller's thread writes the store and tells the reporters, in one place, in
order; a signal finds it awake.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from toolkit import models
from toolkit.core.errors import RunStopped, TaskError, TaskSkipped, UsageError
from toolkit.core.job import App
from toolkit.core.policy import Policy
from toolkit.core.schedule import Planned, Schedule
from toolkit.core.task import Outcome, Skip, Success, Task, failure_of
from toolkit.feed import BEAT, Engine, ScheduleFeed
from toolkit.models import Model, Setup
from toolkit.options import NetworkOptions, RunOptions, client_options_of, limits_of, policy_of, workers_of
from toolkit.probing import in_batches, outcomes_of
from toolkit.reporting import (
    LimitChanged,
    Reporter,
    RunFinished,
    RunStarted,
    Summary,
    TaskSettled,
)
from toolkit.reporting.words import command_line
from toolkit.signals import taken_as
from toolkit.store import Store
from toolkit.telling import Telling, limits_of_run

TICK = 0.2
"""Seconds between Tick events."""
GRACE = 10.0
"""Seconds that running tasks may take to end after the first Ctrl-C, or the end of the run's time."""


class Run:
    """One run of an app under a model. Iterate outcomes() or call finish(); then `summary` is there."""

    def __init__(
        self,
        app: App,
        options: RunOptions,
        *,
        network: NetworkOptions | None = None,
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
        network = network or NetworkOptions()
        self._model: Model = models.load(options.model or app.usual_model)
        self._workers = workers_of(self._model, app, options)
        self.policy = policy or policy_of(app, options, network, self._workers)
        self._client = models.client_for(self._model, network.client)
        self._client_options = client_options_of(network)
        self._limits = limits_of(network)
        self._max_time = network.max_time if app.network else options.timeout
        if app.network:
            models.check_client(self._client, self._client_options)
        self._uvloop = network.uvloop
        if network.uvloop:
            models.check_loop(self._model)
        self._sources = tuple(sources)
        self._plan_name = hashlib.sha256("\0".join(sources).encode("utf-8", "surrogatepass")).hexdigest()[:16]
        self._tell = Telling([*reporters, *self._manifest()])
        self._interrupts = 0
        self._preparing = False
        self._closing = False
        self._stop = ""
        self._unnoted: list[Outcome] = []

    def interrupt(self) -> None:
        """Stop: once, start nothing more and let what runs end; twice, give up what runs. Safe in a signal handler."""
        self._interrupts += 1
        if self._preparing:
            raise KeyboardInterrupt  # nothing has begun
        if self._closing and self._interrupts > 1:
            raise KeyboardInterrupt  # the ending itself is being given up; what is stored stays

    @property
    def interrupted(self) -> bool:
        """Whether interrupt() was called, be it that nothing was left to stop."""
        return self._interrupts > 0

    @property
    def stopping(self) -> bool:
        """Whether stop() was called."""
        return bool(self._stop)

    def stop(self, reason: str) -> None:
        """Start nothing more, and let what runs end; the reason is told."""
        self._stop = self._stop or reason

    def finish(self, each: Callable[[Outcome], None] | None = None) -> Summary:
        """Run to the end, taking Ctrl-C as interrupt() where this is the main thread; each sees every outcome."""
        with taken_as(self.interrupt):
            for outcome in self.outcomes():
                if each is not None:
                    each(outcome)
        assert self.summary is not None  # noqa: S101 - outcomes has set it
        return self.summary

    def preview(self, *, probe: bool = False) -> Iterator[Planned]:
        """Yield what a run would do, and change nothing; probe: ask servers what they can tell of each task."""
        path = self.options.state or self.app.state
        store = Store(path if path and path.exists() else None)
        try:
            self._offer("meet", store)
            for planned in self._probed(store) if probe else self._planned(store):
                if planned is None:
                    time.sleep(BEAT)  # standard input has nothing yet
                else:
                    yield planned
        finally:
            store.rollback()
            store.close()
            self._offer("leave")

    def _probed(self, store: Store) -> Iterator[Planned]:
        app: Any = self.app
        job = getattr(app, "probe", None)
        if job is None:
            yield from self._planned(store)
            return
        setup = replace(self._setup(), job=job)
        looked = in_batches(self._planned(store), lambda tasks: outcomes_of(tasks, self._model, setup, self.policy))
        for planned, outcome in looked:
            yield app.probed(planned, outcome, store) if isinstance(planned, Task) else planned

    def outcomes(self) -> Iterator[Outcome]:
        """Run, and yield each outcome as it lands; closing the iterator stops the run."""
        path = self.options.state or self.app.state
        if self.options.retry_failed and (path is None or not path.exists()):
            raise UsageError(
                f"--retry-failed: nothing is remembered of {self.output}, so nothing is known to have failed"
            )
        self._preparing = True
        self.app.prepare()
        self._preparing = False
        store = Store(path)
        try:
            store.retrying = self.options.retry_failed
            if self.options.fresh:
                store.forget()
            yield from self._conduct(store)
        finally:
            store.close()
            self._offer("leave")

    def _conduct(self, store: Store) -> Iterator[Outcome]:
        schedule = Schedule(self._planned(store), self.policy)
        feed = ScheduleFeed(schedule)
        store.begin(self.app.name, self._plan_name, self._model.name, self._workers, command_line(self.command))
        self._offer("meet", store)
        self._tell(RunStarted(self.app.name, self._model.name, self._workers, self.policy.adaptive))
        engine = Engine(self._model, self._setup(), feed)
        started, at = time.monotonic(), datetime.now(UTC)
        engine.start()
        try:
            yield from self._follow(engine, feed, store, started)
            self._end(engine, feed)
            yield from self._land(feed, store)
        finally:
            self._end(engine, feed)
            self._land(feed, store)
            failure = engine.failure or (schedule.error if isinstance(schedule.error, UsageError) else None)
            if isinstance(failure, RunStopped):  # the model could not go on; what is done is told and kept
                feed.stop(str(failure))
                failure = None
            if failure is None:
                self._closing = True
                self._close(store, schedule, feed, engine, started, at)
        if failure := failure or self._tell.fault:
            raise failure

    def _follow(self, engine: Engine, feed: ScheduleFeed, store: Store, started: float) -> Iterator[Outcome]:
        looked = ticked = give_up_at = 0.0
        while True:
            called = feed.called(BEAT)
            over = engine.over.is_set()  # asked before landing, so that nothing lands after the last look
            landed = self._land(feed, store)
            feed.landed()
            yield from landed
            now = time.monotonic()
            if called and now - looked < BEAT and not (over or self._stop):
                continue
            looked = now
            for change in feed.pulse():
                self._tell(LimitChanged(change.limit, change.reason, max(0.0, change.at - started)))
            if now - ticked >= TICK or over:
                ticked = now
                self._tell(feed.tick(now - started, self.app.total))
            if over:
                return
            if self._stop:
                feed.stop(self._stop)
            if self._interrupts:
                give_up_at = give_up_at or now + GRACE
                feed.stop("interrupted")
            elif feed.expired:
                give_up_at = give_up_at or now + GRACE
            if give_up_at and (self._interrupts > 1 or now >= give_up_at):
                return  # _end cancels what still runs

    def _land(self, feed: ScheduleFeed, store: Store) -> list[Outcome]:
        """Store and tell what has landed since the last call; return the outcomes that are final."""
        landed = feed.take()
        if not landed:
            return []
        landed = [(self._brought(outcome, store) if retry is None else outcome, retry) for outcome, retry in landed]
        final = [outcome for outcome, retry in landed if retry is None]
        self._unnoted += final
        try:
            self._offer("storing", store)
            self._record(store)
        except (RunStopped, TaskError) as error:
            feed.stop(str(error))
            feed.cancel()
        for outcome in final:
            self._offer("ended", outcome)
        now = time.monotonic()
        for outcome, retry in landed:
            if retry is None:
                value = outcome.value if isinstance(outcome, Success) else None
                self._tell.tally.add(outcome, getattr(value, "bytes", 0), getattr(value, "warnings", ()))
            self._tell(TaskSettled(outcome, None if retry is None else max(0.0, retry.due - now)))
        if self._tell.fault is not None:
            feed.stop(f"a reporter failed: {self._tell.fault}")
        return final

    def _record(self, store: Store) -> None:
        """Note what became of tasks; what finds no room waits, and is done again by the next run if it never does."""
        store.record(self.app, self._unnoted, retrying=self.options.retry_failed)
        self._unnoted = []

    def _brought(self, outcome: Outcome, store: Store) -> Outcome:
        """Let the app do with a result what only one place can do."""
        if not isinstance(outcome, Success):
            return outcome
        try:
            return replace(outcome, value=self.app.land(outcome.task, outcome.value, store))
        except TaskError as error:
            if error.fatal:
                self.stop(error.message)
            return failure_of(outcome.task, error, outcome.timing)
        except TaskSkipped as error:
            return Skip(outcome.task, error.reason, outcome.timing)

    def _offer(self, hook: str, *args: Any) -> None:
        """Call what the app may have."""
        if (call := getattr(self.app, hook, None)) is not None:
            call(*args)

    def _end(self, engine: Engine, feed: ScheduleFeed) -> None:
        if not engine.over.is_set():
            feed.stop("interrupted")
            feed.cancel()
        engine.join(GRACE / 2)
        self.abandoned = engine.is_alive()

    def _close(
        self, store: Store, schedule: Schedule, feed: ScheduleFeed, engine: Engine, started: float, at: datetime
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
            succeeded=self._tell.tally.succeeded,
            skipped=dict(self._tell.tally.skipped),
            failed=dict(self._tell.tally.failed),
            failures=self._tell.tally.groups(),
            left=counts.drawn - counts.ended,
            retried=counts.retried,
            bytes=self._tell.tally.bytes,
            received=feed.bytes,
            seconds=time.monotonic() - started,
            started=at.isoformat(timespec="seconds"),
            output=self.output,
            store=str(store.path) if store.path else None,
            command=self.command,
            sources=self._sources,
            startup_seconds=engine.startup,
            warnings=dict(self._tell.tally.warnings),
            limits=limits_of_run(schedule),
            loop=feed.lag.lateness(),
            computing=feed.computed,
        )
        ended = {"succeeded": summary.succeeded, "failed": summary.errors, "skipped": summary.skips}
        try:
            if self._unnoted:  # parts have made room since
                self._offer("storing", store)
                self._record(store)
            store.end(summary.status, ended)
            self.app.finish(store)
        except (TaskError, RunStopped) as error:  # the disk is full: what is done stays done
            self.summary = summary = replace(
                summary, status="interrupted" if interrupted else "stopped", reason=summary.reason or str(error)
            )
        for text in getattr(self.app, "warnings", ()):
            self._tell.tally.warn(text)
        said: dict[str, Any] = {name: tuple(getattr(self.app, name, ())) for name in ("complaints", "remarks")}
        self.summary = summary = replace(summary, warnings=dict(self._tell.tally.warnings), **said)
        self._tell(RunFinished(summary))

    def _planned(self, store: Store) -> Iterator[Planned]:
        """Yield the plan of the app, less what is done already."""
        if self.options.retry_failed:
            yield from store.failed(self.app, self._plan_name if self._sources else None)
            return
        for planned in self.app.plan(store):
            if not isinstance(planned, Task) or self.options.fresh or store.blank:
                yield planned
            elif known := store.recall(planned.key):
                checked = self.app.recall(planned, known)
                if isinstance(checked, Skip):
                    store.keep(checked.task)
                yield checked
            else:
                yield planned

    def _manifest(self) -> list[Reporter]:
        app: Any = self.app
        if self.options.manifest is None:
            return []
        if not hasattr(app, "row"):
            raise UsageError(f"--manifest: {app.name} has no rows to write")
        from toolkit.reporting.manifest import Manifest

        facts = {"model": self._model.name, "client": self._client.name if app.network else None}
        keep = self.options.retry_failed
        return [Manifest(self.options.manifest, app.row, app.row_fields, app.moved, facts, keep=keep)]

    def _setup(self) -> Setup:
        return Setup(
            self.app.job,
            self._workers,
            self._client,
            self._client_options,
            self._max_time,
            fetches=self.app.network,
            limits=self._limits,
            uvloop=self._uvloop,
        )
