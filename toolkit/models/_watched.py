"""Knowing whose step an event loop is in, even from another process, and after a crash."""

from __future__ import annotations

import types
from collections.abc import Coroutine, Generator
from functools import partial
from typing import Any, TypeVar

from toolkit.models._worker import SERIAL, Mark

T = TypeVar("T")


@types.coroutine
def watched(coroutine: Coroutine[Any, Any, T], mark: Mark, serial: int) -> Generator[Any, Any, T]:
    """Await a coroutine; while a step of it runs, and not while it waits, the mark bears its number."""
    step = partial(coroutine.send, None)
    while True:
        mark[SERIAL] = serial
        try:
            awaited = step()
        except StopIteration as stop:
            value: T = stop.value
            return value
        finally:
            mark[SERIAL] = 0
        try:
            step = partial(coroutine.send, (yield awaited))
        except BaseException as error:  # a cancellation, or the loop's end: it is the coroutine's to answer
            step = partial(coroutine.throw, error)
