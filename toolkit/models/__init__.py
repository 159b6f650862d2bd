"""Concurrency models, one a file, found by name: how many tasks run at once, and by what means."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, cast

from toolkit import clients
from toolkit.clients import ClientKind, ClientOptions
from toolkit.core import plugins
from toolkit.core.errors import UsageError
from toolkit.core.job import Feed, Job
from toolkit.core.rates import Limits, Rates
from toolkit.core.runtime import BlockingClient, BlockingRuntime

__all__ = [
    "ClientOptions",
    "Model",
    "Runner",
    "Setup",
    "Traits",
    "blocking_runtime",
    "check_client",
    "check_loop",
    "client_for",
    "load",
    "names",
    "rates_of",
    "usual_client",
]


@dataclass(frozen=True, slots=True)
class Traits:
    """What a model declares of itself; the contract suite holds it to that.

    parallel_cpu: Python code runs on several processors at once. survives_killed_worker: a worker that dies costs its
    task an attempt, not the run. stops_overdue: a task past its time limit is stopped, even in C code. client: the sort
    of HTTP client it needs. most_workers: where the operating system sets a limit.
    """

    summary: str
    client: Literal["blocking", "async"]
    parallel_cpu: bool = False
    survives_killed_worker: bool = False
    stops_overdue: bool = False
    most_workers: int | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """What a model is started with.

    task_timeout: seconds a task may take, or None. recycle_growth: bytes by which a worker process may grow before it
    is replaced. fetches: whether tasks use the client, so that it is worth loading beforehand. limits: bytes a second
    that all workers share. uvloop: whether an event loop is that of uvloop.
    """

    job: Job[Any, Any]
    workers: int
    client: ClientKind
    client_options: ClientOptions = ClientOptions()
    task_timeout: float | None = None
    recycle_growth: int = 512 * 1024 * 1024
    fetches: bool = False
    limits: Limits | None = None
    uvloop: bool = False


Runner = Callable[[Feed], None]
"""Runs what the feed gives until it is done; no task outlives the call."""


@dataclass(frozen=True, slots=True)
class Model:
    """A concurrency model: entering start(setup) is start-up, calling the runner is the work, leaving is tear-down.

    expect: begins what of the start-up can go on beside this process, given the job and the client's name, if any.
    """

    name: str
    traits: Traits
    start: Callable[[Setup], AbstractContextManager[Runner]]
    expect: Callable[[Any, str | None], None] | None = None


def names() -> list[str]:
    """Return the names of all models."""
    return plugins.names(__name__)


def load(name: str) -> Model:
    """Return a model by name; raises UsageError or MissingExtra."""
    if _is_imported_by_worker():
        raise UsageError(
            "this script starts its run when it is imported, as its worker processes must do"
            ' for the job that is in it: put what it runs below `if __name__ == "__main__":`'
        )
    return cast("Model", plugins.load(__name__, name, "MODEL"))


def expect(name: str, job: Any, *, client: str | None = None, fetches: bool) -> None:
    """Begin to start a model whose run is being made, beside what this process still has to load.

    For programs that will start it, or end: what has begun ends with one of both. client: as client_for has it.
    """
    model = load(name)
    if model.expect is not None:
        model.expect(job, (client or usual_client(model.traits)) if fetches else None)


def client_for(model: Model, name: str | None) -> ClientKind:
    """Return the named client, or the usual one of the sort that the model needs."""
    return clients.load(name or usual_client(model.traits), model.traits.client)


def usual_client(traits: Traits) -> str:
    """Return the name of the client that a model takes if none is named."""
    return clients.usual(traits.client)


def check_client(kind: ClientKind, options: ClientOptions) -> None:
    """Raise UsageError if the client cannot be opened with these options, before a run has begun."""
    kind.check(options)


def check_loop(model: Model) -> None:
    """Raise UsageError if uvloop cannot be this model's event loop, or MissingExtra if it is not installed."""
    if model.traits.client != "async":
        raise UsageError(f"--uvloop: {model.name} has no event loop: add --model asyncio")
    from toolkit.models._uvloop import loop_of

    loop_of()


def blocking_runtime(setup: Setup, feed: Feed, rates: Rates | None) -> BlockingRuntime:
    """Return the runtime of one worker of a blocking model; its client is opened at the first fetch.

    rates: those of rates_of, the same for all workers.
    """
    return BlockingRuntime(
        lambda: cast("BlockingClient", setup.client.open(setup.client_options)),
        received=feed.received,
        cancelled=lambda: feed.cancelled,
        task_timeout=setup.task_timeout,
        rates=rates,
    )


def rates_of(setup: Setup, **shared: Any) -> Rates | None:
    """Return the buckets that workers share, if bandwidth is limited; shared: the memory and lock of Rates."""
    return Rates(setup.limits, **shared) if setup.limits is not None and setup.fetches else None


def _is_imported_by_worker() -> bool:
    """Whether this is a worker process that is only importing the user's script; multiprocessing marks it so."""
    process = sys.modules.get("multiprocessing.process")  # not loaded in most programs, and not needed
    return process is not None and getattr(process.current_process(), "_inheriting", False)
