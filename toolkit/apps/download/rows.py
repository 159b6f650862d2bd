"""What became of a file, as a row of the manifest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from toolkit.apps.download.wanted import Fetched
from toolkit.core.task import Failure, Outcome, Skip

STATUS = {"Success": "done", "Skip": "skipped", "Failure": "failed"}
HERE, UNCHANGED = "already downloaded", "not modified"
"""Why a file that is here is skipped."""
NOT_MODIFIED = 304
TIMES = ("dns_seconds", "connect_seconds", "tls_seconds", "first_byte_seconds", "total_seconds")
FIELDS: dict[str, type] = {
    "url": str,
    "final_url": str,
    "path": str,
    "index": int,
    "status": str,
    "kind": str,
    "message": str,
    "http_status": int,
    "attempts": int,
    "bytes": int,
    "received": int,
    "checksum": str,
    "verified": str,
    "etag": str,
    "last_modified": str,
    "content_type": str,
    "redirects": list,
    **dict.fromkeys(TIMES, float),
    "resumed": int,
    "segments": int,
    "model": str,
    "client": str,
}
"""What every row has, in this order, and of which type it is unless it is None; the last two are the run's to fill."""
EMPTY = {name: 0 if name in ("attempts", "received", "resumed") else None for name in FIELDS}


def row_of(outcome: Outcome, path: str | None = None, known: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a row with the same fields for every outcome, None where nothing is known; then the line's own columns.

    path: where the file is by now, if it moved. known: what the store keeps of a file that is here. Sizes are bytes,
    times seconds.
    """
    task, wanted = outcome.task, outcome.task.payload
    row: dict[str, Any] = {
        **EMPTY,
        "url": wanted.url,
        "path": wanted.name or None,
        "index": task.index,
        "status": STATUS[type(outcome).__name__],
        "attempts": 0 if wanted.bad or (isinstance(outcome, Skip) and outcome.reason != UNCHANGED) else task.attempt,
        "redirects": [],
    }
    if isinstance(outcome, Failure):
        status = re.match(r"HTTP (\d{3})\b", outcome.message)
        row |= {"kind": outcome.kind.value, "message": outcome.message, "received": None}
        row |= {"http_status": int(status[1])} if status else {}
        row |= {"total_seconds": _rounded(outcome.timing.seconds)} if outcome.timing.ended else {}
    elif isinstance(outcome, Skip):
        row |= {"message": outcome.reason, **_known(known or {})}
        row |= {"http_status": NOT_MODIFIED} if outcome.reason == UNCHANGED else {}
    else:
        row |= _fetched(outcome.value)
    row |= {"path": path} if path else {}
    # The line's own columns come last; one that has a name of ours gets another.
    return row | {f"input_{name}" if name in FIELDS else name: value for name, value in wanted.columns}


def _fetched(value: Fetched) -> dict[str, Any]:
    times = asdict(value.timings)
    return {
        "final_url": value.final_url,
        "path": value.name,
        "http_status": value.status,
        "bytes": value.bytes,
        "received": value.received,
        "checksum": value.checksum,
        "verified": value.verified or None,
        "etag": value.etag,
        "last_modified": value.modified,
        "content_type": value.content_type,
        "redirects": list(value.redirects),
        **{name: _rounded(times[name.removesuffix("_seconds")]) for name in TIMES},
        "resumed": value.resumed,
        "segments": value.segments,
    }


def _known(value: Mapping[str, Any]) -> dict[str, Any]:
    names = ("final_url", "bytes", "checksum", "verified", "etag", "content_type")
    return {**{name: value.get(name) for name in names}, "last_modified": value.get("modified")}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
