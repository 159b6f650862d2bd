"""A job is written once; this is what it may ask of the world, and what apps, models and conductor owe each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Coroutine, Hashable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from toolkit.core.http import Accept, Reply, Request
from toolkit.core.loops import Computed, Lag
from toolkit.core.task import Failure, Outcome, Skip, Task

P = TypeVar("P")
R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")


class Runtime(Protocol):
    """All that a job may ask of the world."""

    async def fetch(self, request: Request, accept: Accept) -> Reply:
        """Exchange one request for one reply; the body goes to the sink that accept(head) answers with.

        Follows no redirect. Raises TaskError, and whatever accept or the sink raises.
        """

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """Run CPU-bound or blocking work where it does not hold up other tasks."""

    async def compute(self, function: Callable[..., T], *args: Any) -> T:
        """Run work that computes in Python, and so holds the GIL, where it suits: in place, or in another process.

        The function can be imported; arguments, result and errors can be pickled.
        """

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Return what make() returns; tasks of this process that ask for the same key meanwhile get the same.

        So with its error. Then it is forgotten. One that is cancelled leaves it to the next of those that wait.
        """

    def group(self) -> AbstractAsyncContextManager[Group]:
        """Open a group of fetches that go on at the same time; leaving it waits for all of them.

        Raises the first error of the body or of a member, once the others have been broken off.
        """


class Group(Protocol):
    """Fetches of one task that go on at the same time, each over its own connection."""

    def start(self, member: Callable[[Runtime], Coroutine[Any, Any, None]]) -> None:
        """Start another; may be called by a sink in the midst of a fetch. It uses the runtime that it is given."""


class Job(Protocol[P, R_co]):
    """What is done with one task: returns a small picklable value or raises TaskError or TaskSkipped.

    It never sleeps and never retries: waiting is the schedule's. An attribute `preload` may name modules that worker
    processes load once, before they multiply.
    """

    async def __call__(self, task: Task[P], runtime: Runtime) -> R_co:
        """Do the task."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the store knows of a task. state: "done" or "failed"; settings: those it was done with; value: what
    App.record kept of the last success, or {}; run: the number of the run that saw it last."""  # noqa: D209, D205

    key: str
    state: str
    settings: str
    value: dict[str, Any]
    index: int
    plan: str = ""
    run: int = 0


class Memory(Protocol):
    """What a plan may ask of the store."""

    def recall(self, key: str) -> Remembered | None:
        """Return what is known of a task."""

    def claim(self, name: str, key: str) -> str:
        """Reserve an output name for a task, for ever, and return the key of its owner: key itself, or another's."""

    def claimed(self, name: str) -> str | None:
        """Return the key of a name's owner, if it has one."""

    @property
    def plan(self) -> str:
        """The name of the plan that is being carried out."""

    round: str
    """Sets the frontiers of two searches for the same sources apart."""
    retrying: bool
    """Whether the run only tries again what failed."""

    @property
    def path(self) -> Path | None:
        """The file that remembers; None where nothing is kept."""

    @property
    def run_id(self) -> int:
        """The number of this run; 0 before it has begun, or in a look ahead."""

    @property
    def ended(self) -> str:
        """How this run ended: complete, stopped or interrupted; "" while it goes on."""

    def amend(self, key: str, value: dict[str, Any]) -> None:
        """Replace what is kept of a task's last success."""

    def disown(self, name: str, key: str) -> None:
        """Give a reserved output name to another task."""

    def discover(self, key: str, payload: dict[str, Any] | Callable[[], dict[str, Any]]) -> bool:
        """Add a task that was found by another to the frontier, for ever; return whether it is new.

        payload: JSON values by name, or what makes them, which is asked only if they are needed.
        """

    def discovered(
        self, after: int, limit: int, settings: str, *, failed: bool = False
    ) -> list[tuple[int, str, dict[str, Any]]]:
        """Return (number, key, payload) of tasks in the frontier that were not tried with these settings, by number.

        after: the number behind which to look; limit: how many at most. failed: of those that failed with these
        settings in an earlier run.
        """

    def commit(self) -> None:
        """Make everything so far survive a kill; raises RunStopped if the disk refuses."""

    def done(self, settings: str) -> Iterator[Remembered]:
        """Yield every task done with these settings, in the order of the plans that brought them."""

    def texts(self, settings: str) -> Iterator[str]:
        """Yield what App.record kept of the same tasks, in the same order, as JSON."""

    def kept(self) -> Iterator[Remembered]:
        """Yield every task that was ever done, in the same order, whatever its settings and what became of it since."""

    def found(self) -> Iterator[str]:
        """Yield the keys of all tasks in the frontier that stand for themselves."""

    def drop_rounds(self, names: str = "") -> None:
        """Forget the frontiers of other searches for the same sources, and names that begin so and are not of ours."""

    def note(self, name: str, value: str) -> None:
        """Keep a text of the app's own under a name, with what is committed next; "" forgets it."""

    def noted(self, name: str) -> str:
        """Return the text under a name, or ""."""


class App(Protocol):
    """A workload: where its tasks come from, what is done with each, and what is remembered of it.

    A value that a job returns, or an error that it raises, may have lane_delay: seconds between two tasks that the host
    asks for. An app that fetches may have usual_per_host, tasks at once for one host; jitter, a share by which that
    time varies; and meets_hosts: whether a host's first task is alone for a while, for it may say how fast to ask.

    An app may also offer meet(memory), called before anything is planned, and before a look ahead; storing(memory),
    called when what landed is about to be committed; ended(outcome), called for every task that has ended, after what
    is known of it was stored: where tasks find others, a plan is over only when none is under way; leave(), called at
    the very end, whatever happened; lines(outcome), what to print of an outcome on standard output, and of None at the
    end. And complaints: what the results as a whole are not that was asked for, and remarks: what there is to tell of
    them else, both in words, known once finish has been called.
    """

    @property
    def name(self) -> str:
        """The command's name."""

    @property
    def settings(self) -> str:
        """A digest of every option that changes a result: a task done with other settings is not up to date."""

    @property
    def job(self) -> Job[Any, Any]:
        """The job; picklable."""

    @property
    def network(self) -> bool:
        """Whether tasks mostly wait for the network (and not for the processor)."""

    @property
    def usual_model(self) -> str:
        """The concurrency model that it runs under unless another is asked for."""

    @property
    def total(self) -> int | None:
        """How many tasks there are, once that is known; asked a few times a second."""

    def plan(self, memory: Memory) -> Iterator[Task[Any] | Skip | Failure | None]:
        """Yield the tasks, lazily; a Skip or Failure where an input needs no work or is bad; None for "none yet".

        Raises UsageError before the first task if the whole plan is wrong.
        """

    def recall(self, task: Task[Any], known: Remembered) -> Task[Any] | Skip:
        """Decide from what is known whether a task must be done, and hand what helps to its job."""

    def record(self, value: Any) -> dict[str, Any] | str:
        """Return what the store keeps of a success: JSON values by name, or such an object as JSON."""

    def land(self, task: Task[Any], value: Any, memory: Memory) -> Any:
        """Do what only one place can do, such as choosing a name that depends on other results.

        Called for each success in the order in which they arrive; returns the value to record. Raises TaskError.
        """

    def dump(self, task: Task[Any]) -> dict[str, Any]:
        """Return a task's payload as JSON values."""

    def load(self, key: str, payload: dict[str, Any], index: int) -> Task[Any] | Failure:
        """Return the task that dump described, or its failure if it never was a usable one."""

    @property
    def state(self) -> Path | None:
        """Where the store lives, or None to keep nothing."""

    def prepare(self) -> None:
        """Check and make the output place, before anything else; raises UsageError for what cannot be written."""

    def finish(self, memory: Memory) -> None:
        """Write what can only be written at the end; called after every run, also an interrupted one."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to start now: ask again at `until` (monotonic seconds) or after the next task has settled."""

    until: float | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more to start, ever. reason: why, if tasks were left."""

    reason: str = ""


class Feed(Protocol):
    """The conductor's side, as a model sees it; safe to call from any thread."""

    def next(self, settled: Outcome | None = None) -> Task[Any] | Wait | Done:
        """Return what to start now; settled: an attempt's outcome to report on the way."""

    def settle(self, outcome: Outcome) -> None:
        """Report an attempt's outcome."""

    def wait(self, step: Wait, *, most: float = 0.2) -> None:
        """Block until there may be something to start. One of those that wait looks again after `most` seconds."""

    def wake(self) -> None:
        """Let all that wait look again."""

    def received(self, size: int) -> None:
        """Count bytes that came in, for the live view."""

    def looped(self, lag: Lag, computed: tuple[Computed, ...]) -> None:
        """Take what event loops have noted of themselves, once for all of them, when they are at their end."""

    @property
    def unwanted(self) -> Collection[str]:
        """Keys of tasks that nobody waits for any more: what runs may be killed, where that can be done."""

    @property
    def scarce(self) -> bool:
        """Whether this machine has run out of something: who waits keeps no connection open."""

    @property
    def cancelled(self) -> bool:
        """Whether running tasks must be given up now."""

    def on_cancel(self, action: Callable[[], None]) -> None:
        """Have action called, from another thread, when running tasks must be given up."""
