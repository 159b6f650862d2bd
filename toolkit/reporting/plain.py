"""The reporter for logs and pipes: one plain line now and then, and the ending."""

from __future__ import annotations

from typing import TextIO

from toolkit.reporting import Event, RunFinished, Tick
from toolkit.reporting.ending import ending
from toolkit.reporting.words import duration, running, size

INTERVAL = 10.0
"""Seconds between lines."""


class PlainReporter:
    """Writes lines to a stream; progress=False writes the ending only."""

    def __init__(self, stream: TextIO, *, progress: bool = True) -> None:
        self._stream = stream
        self._progress = progress
        self._next = INTERVAL
        self._stopping = False

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, Tick) and event.stopping and event.in_flight and not self._stopping:
            self._stopping = True
            self._next = 0.0  # say so at once
        if isinstance(event, Tick) and self._progress and event.seconds >= self._next:
            self._next = event.seconds + INTERVAL
            self._line(line(event))
        elif isinstance(event, RunFinished):
            for text in ending(event.summary):
                self._line(text)

    def _line(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


def line(tick: Tick) -> str:
    """Return how far the run is, in one line."""
    rate = tick.ended / tick.seconds if tick.seconds else 0.0
    parts = [
        f"{tick.succeeded:,}{f' of {tick.total:,}' if tick.total else ''} done",
        f"{tick.skipped:,} skipped",
        f"{tick.failed:,} failed",
    ]
    parts += [running(tick), f"{tick.retried:,} retries", f"{rate:,.1f}/s"]
    parts += [f"{size(tick.received)} received"] if tick.received else []
    return (
        f"{duration(tick.seconds)}: "
        + ", ".join(parts)
        + (f" – {tick.stopping}: waiting for what runs" if tick.stopping else "")
    )
