"""One thread that looks at all connections of this process, for clients that have no exact clock of their own."""

from __future__ import annotations

import threading
import time
from typing import Protocol

BEAT = 0.1
"""Seconds between two looks."""


class Watched(Protocol):
    """Something that may take too long."""

    def look(self, now: float) -> None:
        """See whether it does, by the monotonic clock; called in another thread, and must not wait."""


class Watch:
    """Looks at what was added until it is removed; the thread lives as long as there is something to look at."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: tuple[Watched, ...] = ()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def add(self, watched: Watched) -> None:
        """Look at this, too; raises RuntimeError if no thread can be started."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():  # in a forked process it is not
                self._stop = threading.Event()
                thread = threading.Thread(target=self._look, args=(self._stop,), name="toolkit-watch", daemon=True)
                thread.start()
                self._thread = thread
            self._watched = (*self._watched, watched)

    def remove(self, watched: Watched) -> None:
        """Look at it no more: when this returns, no look is under way."""
        with self._lock:
            self._watched = tuple(each for each in self._watched if each is not watched)
            thread, self._thread = self._thread, None if not self._watched else self._thread
            if self._watched or thread is None:
                return
            self._stop.set()
        thread.join()

    def _look(self, stop: threading.Event) -> None:
        while not stop.wait(BEAT):
            now = time.monotonic()
            for each in self._watched:
                each.look(now)


WATCH = Watch()
"""That of this process."""
