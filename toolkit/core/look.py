"""What is measured while a limit on tasks at once stands: how much gets done, and how much of the limit is in use."""

from __future__ import annotations

TASK_BYTES = 256 * 1024
"""Bytes that are as much work as the rest of a task: small files count as files, large ones as bytes."""


class Look:
    """One look at the throughput, from open on; times are monotonic seconds, received is bytes of the whole run.

    tasks: that ended. troubles: those of them that were throttled or timed out. skip: ends that are still to be left
    out, of tasks that began under another limit.
    """

    __slots__ = ("_area", "_began", "_last", "_received", "skip", "tasks", "troubles")

    def __init__(self, skip: int) -> None:
        self.open(0, 0.0, skip)

    def open(self, received: int, now: float, skip: int = 0) -> None:
        """Begin anew."""
        self._began = self._last = now
        self._received = received
        self._area = 0.0
        self.tasks = self.troubles = 0
        self.skip = skip

    def advance(self, running: int, now: float) -> None:
        """Take note that so many tasks ran until now."""
        self._area += running * (now - self._last)
        self._last = now

    def elapsed(self, now: float) -> float:
        """Return its seconds so far."""
        return now - self._began

    def running(self, now: float) -> float:
        """Return how many tasks ran on average."""
        return self._area / self.elapsed(now)

    def brought(self, received: int) -> int:
        """Return the bytes that came."""
        return received - self._received

    def rate(self, received: int, now: float) -> float:
        """Return the work that was done in a second: tasks that ended without trouble, and what the bytes are worth."""
        work = self.tasks - self.troubles + self.brought(received) / TASK_BYTES
        return work / self.elapsed(now)
