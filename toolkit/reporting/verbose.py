"""The reporter that names every task as it ends."""

from __future__ import annotations

from typing import TextIO

from toolkit.core.task import Failure, Skip, Success
from toolkit.reporting import Event, LimitChanged, RunFinished, TaskSettled
from toolkit.reporting._loops import sentence
from toolkit.reporting.ending import is_late
from toolkit.reporting.words import shown


class VerboseReporter:
    """One line an attempt, and one for each new limit; with tracebacks, also those of failures.

    At the end, one that tells how late event loops were, which the ending tells by itself only where they were.
    """

    def __init__(self, stream: TextIO, *, tracebacks: bool = False) -> None:
        self._stream = stream
        self._tracebacks = tracebacks

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, LimitChanged):
            print(f"limit {event.limit} at once: {event.reason}", file=self._stream, flush=True)
        if isinstance(event, RunFinished) and not is_late(event.summary) and (text := sentence(event.summary)):
            print(text, file=self._stream, flush=True)
        if not isinstance(event, TaskSettled):
            return
        outcome = event.outcome
        key = shown(outcome.task.key).replace("\n", "\\n").replace("\t", "\\t")  # a line stays a line
        if isinstance(outcome, Success):
            text = f"done  {key} ({outcome.timing.seconds:.3f} s)"
        elif isinstance(outcome, Skip):
            text = f"skip  {key}: {shown(outcome.reason)}"
        else:
            again = "" if event.retry_in is None else f"; again in {event.retry_in:.1f} s"
            text = f"fail  {key}: {outcome.kind.value}: {shown(outcome.message)}{again}"
        print(text, file=self._stream, flush=True)
        if self._tracebacks and isinstance(outcome, Failure) and outcome.debug:
            print(outcome.debug, file=self._stream, flush=True)
