"""Reports for programs: the run as one JSON document (schema toolkit.run/1), and events as JSON lines."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from importlib import resources
from typing import Any, TextIO

from toolkit.core.task import Failure, Skip, Success
from toolkit.reporting import Event, RunFinished, RunStarted, Summary, TaskSettled
from toolkit.reporting.words import redact, redacted

SCHEMA = "toolkit.run/1"


def document(summary: Summary) -> dict[str, Any]:
    """Return a summary as JSON values; the shape is that of run.schema.json. Seconds are floats, bytes integers."""
    facts = asdict(summary)
    facts["failures"] = [
        {**group, "message": redact(group["message"]), "examples": [_example(*e) for e in group["examples"]]}
        for group in facts["failures"]
    ]
    facts["command"] = redacted(summary.command)
    return {"schema": SCHEMA, **facts, "total": summary.total, "exit_code": summary.exit_code}


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    found: dict[str, Any] = json.loads(resources.files("toolkit.reporting").joinpath("run.schema.json").read_text())
    return found


class EventsReporter:
    """Writes one JSON object a line: run_started, task_settled, run_finished; each line is flushed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, RunStarted):
            self._line("run_started", app=event.app, model=event.model, workers=event.workers)
        elif isinstance(event, TaskSettled):
            self._line("task_settled", **_settled(event))
        elif isinstance(event, RunFinished):
            self._line("run_finished", run=document(event.summary))

    def _line(self, name: str, **facts: Any) -> None:
        self._stream.write(json.dumps({"event": name, "at": round(time.time(), 3), **facts}, default=str) + "\n")
        self._stream.flush()


def _settled(event: TaskSettled) -> dict[str, Any]:
    outcome = event.outcome
    facts: dict[str, Any] = {
        "key": redact(outcome.task.key),
        "index": outcome.task.index,
        "attempt": outcome.task.attempt,
        "seconds": round(outcome.timing.seconds, 6),
        "worker": outcome.timing.worker,
    }
    if isinstance(outcome, Success):
        facts |= {"outcome": "success", "bytes": getattr(outcome.value, "bytes", 0)}
    elif isinstance(outcome, Skip):
        facts |= {"outcome": "skip", "reason": outcome.reason}
    elif isinstance(outcome, Failure):
        facts |= {"outcome": "failure", "kind": outcome.kind.value, "message": redact(outcome.message)}
        facts |= {"retry_in": round(event.retry_in, 3)} if event.retry_in is not None else {}
    return facts


def _example(key: str, message: str) -> dict[str, str]:
    return {"key": redact(key), "message": redact(message)}
