"""A job that has functions computed: what they do is in the payload, a name from DOES and an argument."""

from __future__ import annotations

import time
from typing import Any

from tests.models.fakes import DOES
from toolkit.core.job import Runtime
from toolkit.core.task import Task


class Job:
    """Has one function computed."""

    async def __call__(self, task: Task[Any], runtime: Runtime) -> Any:
        """Do the task."""
        name, argument = task.payload
        if name in DOES:
            return await runtime.compute(DOES[name], argument, task.attempt)
        return await runtime.compute(spin, argument)


def spin(seconds: float) -> float:
    """Compute for a time of the processor's."""
    ends = time.thread_time() + seconds
    while time.thread_time() < ends:
        pass
    return seconds
