"""Looking at how late an event loop comes round to what is due."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self

from toolkit.core.loops import PERIOD, Lag


class Ticker:
    """Notes the lag of the loop that it is entered on, twenty times a second, until it is left."""

    def __init__(self, lag: Lag) -> None:
        self._lag = lag
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._wind()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _wind(self) -> None:
        self._due = time.monotonic() + PERIOD  # not the loop's clock: that of uvloop goes by milliseconds
        self._timer = self._loop.call_later(PERIOD, self._tick)

    def _tick(self) -> None:
        self._lag.note(max(0.0, time.monotonic() - self._due))
        self._wind()
