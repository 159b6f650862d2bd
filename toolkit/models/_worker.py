"""The life of a worker process, whatever its work: it loads the job, works, and ends with its parent at the latest."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from multiprocessing import spawn
from multiprocessing.connection import Connection, wait
from typing import Any

from toolkit import clients
from toolkit.clients import ClientKind, ClientOptions
from toolkit.core.errors import ToolkitError
from toolkit.core.job import Job
from toolkit.core.loops import CELLS
from toolkit.core.rates import Rates
from toolkit.models._wire import named

SERIAL, SINCE, RECEIVED, CALLING, COMPUTED = range(5)
"""What a worker writes into memory that it shares with its parent: the number of the task it is on (0: none), since
when (monotonic seconds, the same clock in all processes), and the bytes that came in so far. Where many are under way,
SINCE says when its loop last came round, and CALLING which task it calls a function for in a thread; from COMPUTED on
are the calls of functions that compute in the loop, their seconds, and both again for threads."""
LAG = COMPUTED + 4
"""Where what is noted of the loop begins (core.loops.Lag)."""
MARKS = LAG + CELLS
"""Numbers in all."""

Mark = Any
"""A shared array of MARKS doubles."""
Work = Callable[["Brief", Job[Any, Any], Connection, Mark], None]
"""Takes tasks from a pipe and answers with what became of each, until an empty message comes."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What a worker is started with; loading it imports nothing of the job's. work: what it does with the job, until it
    is dismissed. main: where the user's script is. fetches: whether tasks use the client."""  # noqa: D209, D205

    name: str
    work: Work
    job: bytes
    main: dict[str, Any]
    client: str
    client_options: ClientOptions
    fetches: bool = False
    task_timeout: float | None = None
    uvloop: bool = False
    rates: Rates | None = None


def serve(brief: Brief, connection: Connection, mark: Mark) -> None:
    """Live: say that the job is loaded, or why it cannot be, and work."""
    for number in (signal.SIGINT, signal.SIGTERM):  # they reach the whole process group, and are the parent's to answer
        signal.signal(number, signal.SIG_IGN)
    importlib.import_module("toolkit.models._alone")
    _die_with_parent()
    memory_used()
    try:
        job = load(brief.job, brief)
    except BaseException as error:
        why = str(error) if isinstance(error, ToolkitError) else named(error)
        connection.send_bytes((why or "?").encode(errors="replace"))
        return
    with suppress(EOFError):
        connection.send_bytes(b"")
        brief.work(brief, job, connection, mark)


def main_script() -> dict[str, Any]:
    """Return where the program's main module can be imported from, as multiprocessing describes it, or nothing."""
    data = spawn.get_preparation_data("toolkit")
    if not os.path.exists(data.get("init_main_from_path", __file__)):
        return {}
    return {name: value for name, value in data.items() if name.startswith("init_main")}


@cache
def client_kind(name: str, works: str) -> ClientKind:
    """Return a client by name. Once is early enough: when open files have run out, no folder can be looked into."""
    return clients.load(name, works)


def memory_used() -> int:
    """Return the bytes of memory that this process holds."""
    if sys.platform == "linux":
        return int(os.pread(_statm(), 256, 0).split()[1]) * os.sysconf("SC_PAGESIZE")
    import psutil

    return int(psutil.Process().memory_info().rss)


def load(packed: bytes, brief: Brief) -> Any:
    """Return what the parent has packed; raises whatever loading it raises."""
    if b"__main__" in packed:
        return _Loader(packed, brief.main).load()
    return pickle.loads(packed)  # noqa: S301 - from our own parent


@cache
def _statm() -> int:
    """Return the open file that tells of this process's memory; it stays open, for others may run out of them."""
    return os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)


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
