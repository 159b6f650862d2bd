"""A written app whose tasks do what their payload says: a name from DOES, and an argument."""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import os
import re
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from toolkit.core.errors import FailureKind, TaskError, TaskSkipped, UsageError
from toolkit.core.http import MemorySink, Request
from toolkit.core.job import Memory, Remembered, Runtime
from toolkit.core.task import Failure, Skip, Task

Payload = tuple[str, Any]


class Awkward(Exception):  # noqa: N818 - it is what it is
    """An exception that pickle cannot rebuild: its __init__ needs two arguments."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


class Locked(Exception):  # noqa: N818
    """An exception that pickle cannot even take apart."""

    def __init__(self) -> None:
        super().__init__("holds a lock")
        self.lock = (character for character in "a generator")


class Unloadable:
    """A result that can be pickled, but not unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _refuse, ()


def _refuse() -> None:
    raise ValueError("cannot be rebuilt")


class Job:
    """Does what the payload says."""

    async def __call__(self, task: Task[Payload], runtime: Runtime) -> Any:
        """Do the task, the way most jobs do: in one call that computes or blocks."""
        name, argument = task.payload
        if name == "await":
            return await _await(argument)
        if name == "exit-in-loop":
            raise SystemExit(argument)
        if name == "fetch":
            sink = MemorySink(10_000_000)
            request = argument if isinstance(argument, Request) else Request(argument)
            await runtime.fetch(request, lambda head: sink)
            return hashlib.sha256(sink.body()).hexdigest()
        return await runtime.call(DOES[name], argument, task.attempt)


async def _await(argument: tuple[str, float]) -> float:
    """Say that the task runs, and wait; only an event loop can."""
    _touch(argument[0], 1)
    await asyncio.sleep(argument[1])
    return argument[1]


def _square(argument: int, attempt: int) -> int:
    return argument * argument


def _fail(argument: str, attempt: int) -> None:
    raise TaskError(FailureKind.IMAGE, argument)


def _flaky(argument: int, attempt: int) -> int:
    if attempt <= argument:
        raise TaskError(FailureKind.TIMEOUT, "not yet", retryable=True)
    return attempt


def _unusable(argument: str, attempt: int) -> None:
    raise UsageError(argument)


def _skip(argument: str, attempt: int) -> None:
    raise TaskSkipped(argument)


def _raise(argument: str, attempt: int) -> None:
    raise {
        "unknown": ValueError("of no known sort"),
        "awkward": Awkward("one", "two") if argument == "awkward" else None,
        "locked": Locked(),
        "exit": SystemExit(3),
        "interrupt": KeyboardInterrupt(),
        "stop": StopIteration("no more"),
        "generator": GeneratorExit(),
        "cancelled": asyncio.CancelledError(),
        "memory": MemoryError(),
    }[argument] or AssertionError


def _unpicklable(argument: Any, attempt: int) -> Any:
    return (character for character in "a generator")


def _unloadable(argument: Any, attempt: int) -> Any:
    return Unloadable()


def _large(argument: int, attempt: int) -> bytes:
    return b"x" * argument


def _die(argument: int, attempt: int) -> None:
    os.kill(os.getpid(), argument)
    time.sleep(60)


def _crash(argument: Any, attempt: int) -> None:
    ctypes.string_at(0)


def _exit(argument: int, attempt: int) -> None:
    os._exit(argument)


def _die_once(argument: Any, attempt: int) -> int:
    if attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)
    return attempt


def _touch(argument: str, attempt: int) -> int:
    """Say that the task runs, by a file with the worker's process number in it."""
    beside = Path(f"{argument}.{attempt}.new")
    beside.write_text(str(os.getpid()))
    os.replace(beside, argument)
    return os.getpid()


def _hold(argument: tuple[str, str], attempt: int) -> int:
    """Say that the task runs, and go on until a second file is there."""
    _touch(argument[0], attempt)
    return _until(argument[1])


def _hold_once(argument: tuple[str, str], attempt: int) -> int:
    """Hold at the first attempt only."""
    return _hold(argument, attempt) if attempt == 1 else attempt


def _heed_and_hold(argument: tuple[str, str], attempt: int) -> int:
    """Hold, in a worker that heeds SIGTERM again."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    return _hold(argument, attempt)


def _echo(argument: tuple[bytes, int], attempt: int) -> bytes:
    return b"x" * argument[1]


def _until(path: str) -> int:
    while not os.path.exists(path):
        time.sleep(0.005)
    return os.getpid()


def _slow(argument: float, attempt: int) -> float:
    time.sleep(argument)
    return argument


def _stuck(argument: Any, attempt: int) -> int:
    """Compute without an end, in Python, so that a thread of it is at least a daemon that can be left."""
    while True:
        attempt += 1


def _backtrack(argument: str, attempt: int) -> None:
    """Stay for ever in C code that does not free the GIL, after saying that the task runs."""
    _touch(argument, attempt)
    re.match(r"(a|a)*$", "a" * 99 + "b")


def _environ(argument: str, attempt: int) -> str | None:
    return os.environ.get(argument)


def _length(argument: bytes, attempt: int) -> int:
    return len(argument)


def _grow(argument: int, attempt: int) -> int:
    _KEPT.append(b"x" * argument)
    return os.getpid()


_KEPT: list[bytes] = []

DOES: dict[str, Callable[[Any, int], Any]] = {
    "square": _square,
    "fail": _fail,
    "flaky": _flaky,
    "skip": _skip,
    "unusable": _unusable,
    "raise": _raise,
    "unpicklable": _unpicklable,
    "unloadable": _unloadable,
    "large": _large,
    "die": _die,
    "crash": _crash,
    "exit": _exit,
    "die-once": _die_once,
    "touch": _touch,
    "hold": _hold,
    "heed-and-hold": _heed_and_hold,
    "echo": _echo,
    "hold-once": _hold_once,
    "slow": _slow,
    "stuck": _stuck,
    "backtrack": _backtrack,
    "environ": _environ,
    "length": _length,
    "grow": _grow,
}


class Picky(Job):
    """A job that does not load in another process: it raises there, or ends it."""

    def __init__(self, how: str) -> None:
        self.how = how

    def __reduce__(self) -> tuple[Any, ...]:
        return _load_picky, (self.how, os.getpid())


def _load_picky(how: str, home: int) -> Picky:
    if os.getpid() != home and how == "raise":
        raise ImportError("no such library here")
    if os.getpid() != home:
        os._exit(7)
    return Picky(how)


class FakeApp:
    """An app of given payloads; it counts how many were drawn."""

    name = "fake"
    network = False
    settings = ""
    state = None
    total = None
    usual_model = "sequential"

    def __init__(self, payloads: Iterable[Payload], *, job: Any = None, lane: str = "") -> None:
        self._payloads = payloads
        self.job = job or Job()
        self._lane = lane
        self.drawn = 0

    def plan(self, memory: Memory) -> Iterator[Task[Any] | Skip | Failure | None]:
        """Yield a task for each payload."""
        for index, payload in enumerate(self._payloads):
            self.drawn += 1
            yield Task(str(index), payload, self._lane, index=index)

    def recall(self, task: Task[Any], known: Remembered) -> Task[Any] | Skip:
        """Know nothing of earlier runs."""
        return task

    def record(self, value: Any) -> dict[str, Any]:
        """Keep nothing."""
        return {}

    def land(self, task: Task[Any], value: Any, memory: Memory) -> Any:
        """Return the value as it is."""
        return value

    def dump(self, task: Task[Any]) -> dict[str, Any]:
        """Keep nothing of the task."""
        return {}

    def load(self, key: str, payload: dict[str, Any], index: int) -> Task[Any]:
        """Return an empty task."""
        return Task(key, payload, index=index)

    def prepare(self) -> None:
        """Make nothing."""

    def finish(self, memory: Memory) -> None:
        """Write nothing."""
