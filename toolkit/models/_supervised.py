"""One worker process as its parent sees it: its pipe, what it was given, and what it was on when it died."""

from __future__ import annotations

import os
import pickle
import select
import signal
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from multiprocessing.context import BaseContext
from typing import Any, cast

from toolkit.core.task import Outcome, Task
from toolkit.models._forkserver import has_died, launching, server_number
from toolkit.models._outbox import Outbox
from toolkit.models._wire import unpack_outcome
from toolkit.models._worker import CALLING, MARKS, RECEIVED, SERIAL, SINCE, Brief, serve

UNKNOWN = 255
"""The exit code that multiprocessing makes up when the fork server is not there to tell."""


class Worker:
    """A worker process with the tasks it holds by number, oldest first."""

    def __init__(self, context: BaseContext, brief: Brief) -> None:
        self.name = brief.name
        self.born = time.monotonic()
        self.ready = False
        self.retiring = False
        self.ends_at = 0.0
        self.overdue: Task[Any] | None = None
        self.batches: deque[int] = deque()
        self.tasks: dict[int, Task[Any]] = {}
        self._serial = 1  # of the next task
        self._first_memory: int | None = None
        self._received = 0.0
        self._mark = cast("Any", context).RawArray("d", MARKS)
        self.connection, theirs = context.Pipe()
        target = {"target": serve, "args": (brief, theirs, self._mark)}
        self.process = cast("Any", context).Process(**target, name=f"toolkit-{brief.name}", daemon=True)
        with theirs:
            self._outbox = Outbox(self.connection, theirs)
            try:
                with launching():
                    self.process.start()
                    self.server = server_number()
            except BaseException:
                self.connection.close()
                raise

    def send(self, batch: Sequence[tuple[Task[Any], bytes]]) -> None:
        """Give it tasks, each with its packed form; never waits. If it has died, its sentinel says so."""
        message = pickle.dumps((self._serial, [packed for _, packed in batch]))
        self.batches.append(len(batch))
        self.tasks.update(enumerate((task for task, _ in batch), self._serial))
        self._serial += len(batch)
        self._outbox.send(message)

    def answered(self, results: Sequence[bytes]) -> tuple[list[Outcome], list[Task[Any]]]:
        """Return the outcomes of a batch, and the tasks of it that were not begun."""
        self._outbox.read()
        serials = list(islice(self.tasks, self.batches.popleft()))
        tasks = [self.tasks.pop(serial) for serial in serials]
        outcomes = [unpack_outcome(packed, task, self.name) for packed, task in zip(results, tasks, strict=False)]
        return outcomes, tasks[len(results) :]

    def finished(self, read: int, results: Sequence[tuple[int, bytes]]) -> list[Outcome]:
        """Return the outcomes of tasks that ended, in any order; read: messages it has read since it last said so."""
        for _ in range(read):
            self._outbox.read()
            self.batches.popleft()
        return [unpack_outcome(packed, self.tasks.pop(serial), self.name) for serial, packed in results]

    def suspects(self) -> list[Task[Any]]:
        """Return the tasks that may be why it does not answer: those it says it is busy with, or else all it holds."""
        marked = {int(self._mark[SERIAL]), int(self._mark[CALLING])}
        return [self.tasks[serial] for serial in marked if serial in self.tasks] or list(self.tasks.values())

    @property
    def last_round(self) -> float:
        """When its loop last came round (monotonic seconds)."""
        return max(self.born, float(self._mark[SINCE]))

    @property
    def noted(self) -> list[float]:
        """What its loop has noted of itself: see COMPUTED and LAG."""
        return list(self._mark)

    def current(self) -> tuple[Task[Any], float] | None:
        """Return the task that the worker is on, and since when (monotonic seconds)."""
        # It writes the time first: read in the other order, the time is never older than the task.
        serial = int(self._mark[SERIAL])
        since = float(self._mark[SINCE])
        task = self.tasks.get(serial)
        return None if task is None else (task, since)

    def grown(self, memory: int) -> int:
        """Return by how many bytes it has grown since its first batch."""
        if self._first_memory is None:
            self._first_memory = memory
        return memory - self._first_memory

    def newly_received(self) -> int:
        """Return the bytes that came in since the last call."""
        before, self._received = self._received, float(self._mark[RECEIVED])
        return int(self._received - before)

    def dismiss(self) -> None:
        """Ask it to end, once it has done what it holds."""
        self._outbox.send(b"")

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self.process.kill()

    def has_ended(self) -> bool:
        """Whether its process has ended."""
        return not self.process.is_alive()

    def end(self, patience: float) -> int | None:
        """Wait `patience` seconds for its end, then kill it; return its exit code and free all it held.

        None: nobody knows, for the fork server has died, which alone would have been told.
        """
        self.process.join(patience)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        code: int | None = self.process.exitcode
        if code == UNKNOWN and has_died(self.server):
            code = None
            if not _hung_up(self.connection):  # it does not know that it is taken for dead
                with suppress(OSError):
                    os.kill(self.process.pid, signal.SIGKILL)
        self._outbox.close()
        self.process.close()
        self.connection.close()
        return code


def _hung_up(connection: Any) -> bool:
    """Whether the other side's process is gone, which closes its end."""
    poll = select.poll()
    poll.register(connection.fileno(), 0)
    return any(event & select.POLLHUP for _, event in poll.poll(0))
