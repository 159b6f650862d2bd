"""Jobs that have functions computed, and a program that does so: `python -m tests.models.computing FOLDER WHAT`.

A payload is a name from fakes.DOES, and an argument.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

from tests.models.conftest import start, when_stopping
from tests.models.fakes import DOES, FakeApp, Payload
from toolkit.core.job import Runtime
from toolkit.core.task import Task
from toolkit.models import _computing

EAGER = {"CALLS": 1, "WORTH": 0.0, "BACK": 0.0, "PAYS": 0.0, "usable_cpus": lambda: 2}
"""What _computing is to have for processes to be wanted from the second call on."""


class Job:
    """Has one function computed, wherever that is."""

    async def __call__(self, task: Task[Any], runtime: Runtime) -> Any:
        """Do the task."""
        return await runtime.compute(act, *task.payload, task.attempt)


class Beside:
    """Has one function computed in a process beside the loop: it asks for another until it is computed there."""

    async def __call__(self, task: Task[Any], runtime: Runtime) -> Any:
        """Do the task."""
        await beside(runtime)
        return await runtime.compute(act, *task.payload, task.attempt)


async def beside(runtime: Any) -> None:
    """Have it computed which process it is, until it is another."""
    for _ in range(4000):
        if await runtime.compute(act, "pid", None, 1) != os.getpid():
            return
        await asyncio.sleep(0.005)
    raise TimeoutError


def act(name: str, argument: Any, attempt: int) -> Any:
    """Do what the name says."""
    if name == "pid":
        return os.getpid()
    if name == "spin":
        return spin(argument)
    return DOES[name](argument, attempt)


def spin(seconds: float) -> int:
    """Compute for a time of the processor's; return the process."""
    ends = time.thread_time() + seconds
    while time.thread_time() < ends:
        pass
    return os.getpid()


if __name__ == "__main__":
    for name, value in EAGER.items():
        setattr(_computing, name, value)
    folder, what = Path(sys.argv[1]), sys.argv[2]
    first: dict[str, Payload] = {
        "hold": ("hold", (str(folder / "shown"), str(folder / "go"))),
        "backtrack": ("backtrack", str(folder / "shown")),
    }
    stopping = when_stopping((folder / "stopping").touch)
    summary = start("asyncio", FakeApp([first[what]], job=Beside()), workers=2, reporters=[stopping]).finish()
    print(summary.status, summary.succeeded, summary.left, flush=True)  # noqa: T201
    sys.exit(summary.exit_code)
