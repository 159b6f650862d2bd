"""A picture as a row of the manifest, for other programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.apps.resize.names import to_text
from toolkit.apps.resize.result import Resized, as_facts
from toolkit.core.task import Failure, Outcome, Skip

FIELDS: dict[str, type] = {
    "input": str,
    "index": int,
    "outcome": str,
    "reason": str,
    "message": str,
    "outputs": list,
    "bytes": int,
    "warnings": list,
    "source_size": int,
    "source_format": str,
    "source_width": int,
    "source_height": int,
    "source_hash": str,
    "engine": str,
    "salvaged": bool,
    "decode": float,
    "process": float,
    "encode": float,
    "seconds": float,
    "attempts": int,
}
"""What every row has. outputs: name, format, bytes, width, height, frames, quality and SSIM of each file; seconds of
decoding, processing and encoding, and of all together. A picture that is up to date has the facts of when it was made,
but for the seconds."""

_SECONDS = frozenset({"decode", "process", "encode", "seconds"})


def row_of(outcome: Outcome) -> dict[str, Any]:
    """Return the row of an outcome."""
    task = outcome.task
    facts: dict[str, Any] = dict.fromkeys(FIELDS)
    facts |= {"input": to_text(task.payload.source), "index": task.index, "attempts": task.attempt}
    facts |= {"outputs": [], "warnings": [], "source_size": task.payload.size, "seconds": outcome.timing.seconds}
    if isinstance(outcome, Skip):
        return facts | _known(task.payload.known) | {"outcome": "skipped", "reason": outcome.reason}
    if isinstance(outcome, Failure):
        return facts | {"outcome": "failed", "reason": outcome.kind.value, "message": outcome.message}
    value: Resized = outcome.value
    made = as_facts(value)
    return facts | {"outcome": "done"} | {name: made[name] for name in FIELDS if name in made}


def _known(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value[name] for name in FIELDS if name in value and name not in _SECONDS}
