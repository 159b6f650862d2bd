"""The work of a process that does one task after the other, in batches; it says how far it is as it goes."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from multiprocessing.connection import Connection
from typing import Any, cast

from toolkit.core.errors import UsageError
from toolkit.core.job import Job
from toolkit.core.runtime import BlockingClient, BlockingRuntime
from toolkit.core.task import Task
from toolkit.models._wire import named, pack_failure, pack_outcome
from toolkit.models._worker import RECEIVED, SERIAL, SINCE, Brief, Mark, client_kind, load, memory_used

BUDGET = 0.1
"""Seconds after which a batch is cut short: what is not begun goes back, to be shared out anew."""


def work(brief: Brief, job: Job[Any, Any], connection: Connection, mark: Mark) -> None:
    """Answer one batch after the other until an empty message comes."""
    with closing(_runtime(brief, mark)) as runtime:
        while message := connection.recv_bytes():
            first, tasks = pickle.loads(message)  # noqa: S301 - from our own parent
            try:
                results, late = _batch(first, tasks, job, runtime, brief, mark)
            except UsageError as error:  # it is the whole run's
                connection.send_bytes(pickle.dumps((error, 0)))
                return
            ahead = connection.recv_bytes() if late and connection.poll() else None
            connection.send_bytes(pickle.dumps((results, memory_used())))
            if ahead:  # sent when nobody knew how long this would take: others may be free for it by now
                connection.send_bytes(pickle.dumps(([], memory_used())))
            elif ahead is not None:
                return


def _batch(
    first: int, tasks: Sequence[bytes], job: Job[Any, Any], runtime: BlockingRuntime, brief: Brief, mark: Mark
) -> tuple[list[bytes], bool]:
    """Run tasks until the budget is spent; return their results, and whether it was.

    It marks where it is: if this process dies, its parent knows on what.
    """
    results: list[bytes] = []
    now = time.monotonic()
    ends = now + BUDGET
    for serial, packed in enumerate(tasks, first):
        mark[SINCE] = now
        mark[SERIAL] = serial
        results.append(_perform(packed, job, runtime, brief))
        now = time.monotonic()
        if now > ends:
            break
    mark[SERIAL] = 0
    return results, now > ends


def _perform(packed: bytes, job: Job[Any, Any], runtime: BlockingRuntime, brief: Brief) -> bytes:
    try:
        task: Task[Any] = Task(*load(packed, brief))
    except Exception as error:
        return pack_failure(f"the task cannot be loaded in a worker process: {named(error)}")
    return pack_outcome(runtime.perform(job, task, brief.name))


def _runtime(brief: Brief, mark: Mark) -> BlockingRuntime:
    def open_client() -> BlockingClient:
        return cast("BlockingClient", client_kind(brief.client, "blocking").open(brief.client_options))

    if brief.fetches:
        client_kind(brief.client, "blocking")
    counting = threading.Lock()  # a task's group has threads

    def received(size: int) -> None:
        with counting:
            mark[RECEIVED] += size

    # The parent kills what is cancelled or overdue: that works in C code, too.
    return BlockingRuntime(open_client, received=received, cancelled=lambda: False, rates=brief.rates)
