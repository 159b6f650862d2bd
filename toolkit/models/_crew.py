"""The worker processes of a model: how they are started, listened to, replaced and ended.

Whoever feeds them never waits for a single one: it listens to all, and is told who has died.
"""

from __future__ import annotations

import atexit
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from typing import Any

from toolkit.core.errors import RunStopped, UsageError
from toolkit.models import Setup, rates_of
from toolkit.models._forkserver import begin, serving
from toolkit.models._supervised import Worker
from toolkit.models._wire import pack_job
from toolkit.models._worker import Brief, Work, main_script

STARTING = 60.0
"""Seconds in which a worker must be ready."""
MOST_WORKERS = 31 if sys.platform == "win32" else None
"""Windows waits for 63 things at once: two for each worker, and the alarm."""
ENDING = 2.0
"""Seconds that workers may take to end."""


class Crew:
    """The workers that are up, and those that end beside them."""

    def __init__(self, context: BaseContext, brief: Brief) -> None:
        self.workers: list[Worker] = []
        self._context, self._brief = context, brief
        self._ending: list[Worker] = []
        self._starting = threading.Lock()
        self._over = False
        self._alarm, self._bell = context.Pipe(duplex=False)

    @property
    def ready(self) -> bool:
        """Whether all workers have loaded the job."""
        return all(worker.ready for worker in self.workers)

    def start(self, name: str) -> None:
        """Start a worker; raises RunStopped if this machine has no room for it."""
        with self._starting:
            if self._over:
                raise RunStopped("the program ends")
            try:
                self.workers.append(Worker(self._context, replace(self._brief, name=name)))
            except (OSError, EOFError) as error:
                raise RunStopped(f"a worker process cannot be started ({error}): use fewer workers") from error

    def listen(self, until: float) -> list[tuple[Worker, bytes | None]]:
        """Wait until then (monotonic seconds) for messages; return each with its worker, or None: that one has died.

        Whoever has died is to be buried. Raises UsageError if a worker cannot load the job.
        """
        now = time.monotonic()
        for worker in self.workers:
            if not worker.ready and now > worker.born + STARTING:
                worker.kill()
        pipes = [worker.connection for worker in self.workers]
        sentinels = [worker.process.sentinel for worker in self.workers]
        heard = wait([*pipes, *sentinels, self._alarm], max(0.0, until - now))
        if self._alarm in heard:
            self._alarm.recv_bytes()
        said: list[tuple[Worker, bytes | None]] = []
        for worker, pipe, sentinel in zip(self.workers, pipes, sentinels, strict=True):
            if pipe in heard:
                said.append((worker, _message(pipe)))
            elif sentinel in heard:
                said.append((worker, None))
        self._see_off(time.monotonic())
        return [
            (worker, message) for worker, message in said if worker.ready or message is None or _enter(worker, message)
        ]

    def ring(self) -> None:
        """End a listen that is under way, from any thread."""
        with suppress(OSError):  # it is over, and the pipe is closed
            self._bell.send_bytes(b"!")

    def bury(self, worker: Worker) -> int | None:
        """Take a dead worker away; return its exit code, or None if nobody knows it."""
        self.workers.remove(worker)
        return worker.end(ENDING)

    def retire(self, worker: Worker) -> None:
        """Let a worker that has nothing to do end by itself, beside the others."""
        worker.dismiss()
        worker.ends_at = time.monotonic() + ENDING
        self._ending.append(worker)  # first, for kill() must find it in either
        self.workers.remove(worker)

    def close(self) -> None:
        """End all workers: those that are busy at once, the others by asking."""
        with ExitStack() as all_of_it:  # whatever fails, the rest is done
            all_of_it.callback(self._alarm.close)
            all_of_it.callback(self._bell.close)
            ends = time.monotonic() + ENDING
            for worker in (*self._ending, *self.workers):
                all_of_it.callback(lambda each: each.end(max(0.0, ends - time.monotonic())), worker)
            for worker in self.workers:
                all_of_it.callback(worker.kill if worker.tasks or not worker.ready else worker.dismiss)
            self.workers, self._ending = [], []

    def kill(self) -> None:
        """Kill all workers, and start no other; for the end of a program that has not closed its run."""
        with self._starting:
            self._over = True
            for worker in (*self.workers, *self._ending):
                with suppress(OSError, ValueError):
                    worker.kill()

    def _see_off(self, now: float) -> None:
        for worker in [worker for worker in self._ending if worker.has_ended() or now >= worker.ends_at]:
            self._ending.remove(worker)
            worker.end(0.0)


@contextmanager
def crew_of(setup: Setup, work: Work, modules: Sequence[str]) -> Iterator[Crew]:
    """Lend an empty crew whose workers will do this work, each with the job; modules: what they all load.

    Raises UsageError if they could not load the job.
    """
    job, needed = pack_job(setup.job)
    main = main_script()
    if "__main__" in needed and not main:
        raise UsageError("worker processes cannot load a job that was typed or piped in: put it into a file")
    brief = Brief(
        "",
        work,
        job,
        main,
        setup.client.name,
        setup.client_options,
        fetches=setup.fetches,
        task_timeout=setup.task_timeout,
        uvloop=setup.uvloop,
    )
    with serving(_preload(modules, needed, setup.client.name if setup.fetches else None)) as context:
        memory: Any = context  # its arrays, which types do not know
        rates = rates_of(setup, cells=lambda size: memory.RawArray("d", size), lock=context.Lock)
        crew = Crew(context, replace(brief, rates=rates))
        atexit.register(crew.kill)  # before multiprocessing's own, which asks them to end and waits for it
        try:
            yield crew
        finally:
            crew.close()
            atexit.unregister(crew.kill)


def expect(job: Any, client: str | None, modules: Sequence[str]) -> None:
    """Begin to load what the workers of a crew will need; one that follows finds it loaded, or soon will."""
    with suppress(UsageError):  # it is said by the crew
        begin(_preload(modules, pack_job(job)[1], client))


def _preload(modules: Sequence[str], needed: Sequence[str], client: str | None) -> list[str]:
    """Return what all workers load; not the user's script, which only a worker that needs it runs."""
    own = [f"toolkit.clients.{client}"] if client else []
    return ["toolkit.models._alone", *modules, *(name for name in needed if name != "__main__"), *own]


def _message(pipe: Any) -> bytes | None:
    """Return what a worker says, or None if it has died."""
    try:
        message: bytes = pipe.recv_bytes()
    except (EOFError, OSError):
        return None
    return message


def _enter(worker: Worker, message: bytes) -> bool:
    """Take a new worker's first message, which is not for others."""
    if message:
        raise UsageError(f"the job cannot be loaded in a worker process: {message.decode()}")
    worker.ready = True
    return False
