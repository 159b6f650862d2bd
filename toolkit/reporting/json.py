"""Reports for programs: the run as one JSON document (schema toolkit.run/1), and events as JSON lines."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from importlib import resources
from typing import Any, TextIO

from toolkit.core.task import Failure, Skip, Success
from toolkit.reporting import Event, LimitChanged, RunFinished, RunStarted, Summary, TaskSettled
from toolkit.reporting.words import redact, redacted

SCHEMA = "toolkit.run/1"


def document(summary: Summary) -> dict[str, Any]:
    """Return a summary as JSON values; the shape is that of run.schema.json. Seconds are floats, bytes integers."""
    facts = asdict(summary)
    del facts["sources"]  # the command has them
    facts["failures"] = [
        {**group, "message": redact(group["message"]), "examples": [_example(*e) for e in group["examples"]]}
        for group in facts["failures"]
    ]
    facts["computing"] = [asdict(each) | {"mean": each.mean} for each in summary.computing]
    facts["command"] = redacted(summary.command)
    facts |= {"total": summary.total, "exit_code": summary.exit_code}
    found: dict[str, Any] = _writable({"schema": SCHEMA, **facts})
    return found


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    found: dict[str, Any] = json.loads(resources.files("toolkit.reporting").joinpath("run.schema.json").read_text())
    return found


class EventsReporter:
    """Writes one JSON object a line: run_started, task_settled, limit_changed, run_finished; each line is flushed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, RunStarted):
            started = {"model": event.model, "workers": event.workers, "adaptive": event.adaptive}
            self._line("run_started", app=event.app, **started)
        elif isinstance(event, LimitChanged):
            self._line("limit_changed", limit=event.limit, reason=event.reason, seconds=round(event.seconds, 3))
        elif isinstance(event, TaskSettled):
            self._line("task_settled", **_settled(event))
        elif isinstance(event, RunFinished):
            self._line("run_finished", run=document(event.summary))

    def _line(self, name: str, **facts: Any) -> None:
        line = _writable({"event": name, "at": round(time.time(), 3), **facts})
        self._stream.write(json.dumps(line, default=str) + "\n")
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


def _writable(value: Any) -> Any:
    r"""Return JSON values whose every text is Unicode: bytes of a file name that are none become \\udcff."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_writable(name): _writable(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(part) for part in value]
    return value
