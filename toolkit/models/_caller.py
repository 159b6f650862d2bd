"""The job of processes that compute for an event loop: a task is a function and its arguments."""

from __future__ import annotations

import pickle
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from toolkit.core.job import Runtime
from toolkit.core.task import Task
from toolkit.models._wire import named

Call = tuple[Callable[..., Any], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Called:
    """What a function has returned, or the error that it raised. seconds: of computing; trace: another process's."""

    value: Any
    seconds: float
    error: BaseException | None = None
    trace: str = ""

    def result(self) -> Any:
        """Return the value, or raise the error."""
        if self.error is None:
            return self.value
        if self.trace:
            raise self.error from _Trace(self.trace)
        raise self.error


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls what the task says. preload: what the functions will need."""

    preload: tuple[str, ...] = ()

    async def __call__(self, task: Task[Call], runtime: Runtime) -> Called:  # noqa: ARG002 - as jobs are called
        """Call it; whatever it raises is its result, too."""
        function, args = task.payload
        began = time.thread_time()
        try:
            value = function(*args)
        except BaseException as error:
            return Called(None, time.thread_time() - began, _sendable(error), traceback.format_exc())
        return Called(value, time.thread_time() - began)


class _Trace(Exception):  # noqa: N818 - it is not raised, but stands behind an error
    """The traceback of another process."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def _sendable(error: BaseException) -> BaseException:
    """Return the error, or one that says the same and can cross to another process."""
    if isinstance(error, StopIteration | GeneratorExit):  # awaits cannot carry them: they mean something there
        return RuntimeError(f"the function raised {named(error)}")
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    except Exception:
        return RuntimeError(named(error))
    return error
