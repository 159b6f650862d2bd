"""What runs in a worker process: it takes batches of tasks from a pipe and answers with what became of each."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from io import BytesIO
from multiprocessing import spawn
from multiprocessing.connection import Connection, wait
from typing import Any, cast

from toolkit import clients
from toolkit.clients import ClientOptions
from toolkit.core.errors import ToolkitError, UsageError
from toolkit.core.job import Job
from toolkit.core.rates import Rates
from toolkit.core.runtime import BlockingClient, BlockingRuntime
from toolkit.core.task import Task
from toolkit.models._wire import named, pack_failure, pack_outcome

SERIAL, SINCE, RECEIVED = range(3)
"""What a worker writes into memory that it shares with its parent: the number of the task it is on (0: none), since
when (monotonic seconds, the same clock in all processes), and the bytes that came in so far."""

BUDGET = 0.1
"""Seconds after which a batch is cut short: what is not begun goes back, to be shared out anew."""

Mark = Any
"""A shared array of three doubles."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What a worker is started with; loading it imports nothing of the job's. main: where the user's script is."""

    name: str
    job: bytes
    main: dict[str, Any]
    client: str
    client_options: ClientOptions
    rates: Rates | None = None


def serve(brief: Brief, connection: Connection, mark: Mark) -> None:
    """Answer one batch after the other until an empty message comes: the life of a worker process."""
    for number in (signal.SIGINT, signal.SIGTERM):  # they reach the whole process group, and are the parent's to answer
        signal.signal(number, signal.SIG_IGN)
    importlib.import_module("toolkit.models._alone")
    _die_with_parent()
    try:
        job = _load(brief.job, brief)
    except BaseException as error:
        why = str(error) if isinstance(error, ToolkitError) else named(error)
        connection.send_bytes((why or "?").encode(errors="replace"))
        return
    with closing(_runtime(brief, mark)) as runtime, suppress(EOFError):
        connection.send_bytes(b"")
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


def main_script() -> dict[str, Any]:
    """Return where the program's main module can be imported from, as multiprocessing describes it, or nothing."""
    data = spawn.get_preparation_data("toolkit")
    if not os.path.exists(data.get("init_main_from_path", __file__)):
        return {}
    return {name: value for name, value in data.items() if name.startswith("init_main")}


def memory_used() -> int:
    """Return the bytes of memory that this process holds."""
    if sys.platform == "linux":
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    import psutil

    return int(psutil.Process().memory_info().rss)


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
        task: Task[Any] = Task(*_load(packed, brief))
    except Exception as error:
        return pack_failure(f"the task cannot be loaded in a worker process: {named(error)}")
    return pack_outcome(runtime.perform(job, task, brief.name))


def _load(packed: bytes, brief: Brief) -> Any:
    if b"__main__" in packed:
        return _Loader(packed, brief.main).load()
    return pickle.loads(packed)  # noqa: S301 - from our own parent


class _Loader(pickle.Unpickler):
    """Imports the user's script once something that lives in it is needed, and not before."""

    def __init__(self, packed: bytes, main: dict[str, Any]) -> None:
        super().__init__(BytesIO(packed))
        self._main = main

    def find_class(self, module: str, name: str) -> Any:
        """Find what a pickle names."""
        if module == "__main__" and sys.modules["__main__"].__name__ != "__mp_main__":
            _import_main(self._main)
        return super().find_class(module, name)


def _import_main(main: dict[str, Any]) -> None:
    """Import the user's script as multiprocessing does, marked so that it starts no processes of its own."""
    process: Any = multiprocessing.current_process()
    process._inheriting = True  # noqa: SLF001 - what multiprocessing itself looks at, and models.load
    try:
        spawn.prepare(main)
    finally:
        del process._inheriting  # noqa: SLF001


def _runtime(brief: Brief, mark: Mark) -> BlockingRuntime:
    def open_client() -> BlockingClient:
        return cast("BlockingClient", clients.load(brief.client, "blocking").open(brief.client_options))

    counting = threading.Lock()  # a task's group has threads

    def received(size: int) -> None:
        with counting:
            mark[RECEIVED] += size

    # The parent kills what is cancelled or overdue: that works in C code, too.
    return BlockingRuntime(open_client, received=received, cancelled=lambda: False, rates=brief.rates)


def _die_with_parent() -> None:
    """End this process at once when its parent has died, even by kill -9."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101 - for the type checker: we are a worker
    if sys.platform == "linux":
        import fcntl

        # The kernel kills us when the other end of the parent's pipe closes, whatever we are doing. A thread can only
        # do so once C code frees the GIL, and a runaway regular expression never does.
        fcntl.fcntl(parent.sentinel, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(parent.sentinel, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(parent.sentinel, fcntl.F_SETFL, fcntl.fcntl(parent.sentinel, fcntl.F_GETFL) | os.O_ASYNC)

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="toolkit-watch", daemon=True).start()
