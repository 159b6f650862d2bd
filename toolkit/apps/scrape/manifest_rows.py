"""What became of a page, as a row of the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.apps.scrape.result import Page
from toolkit.apps.scrape.visit import Visit
from toolkit.core.task import Failure, Outcome, Skip

ALREADY = "already scraped"
"""Why a page is skipped whose rows the store has."""
FIELDS: dict[str, type] = {
    "url": str,
    "final_url": str,
    "index": int,
    "outcome": str,
    "reason": str,
    "message": str,
    "rows": int,
    "bytes": int,
    "warnings": list,
    "depth": int,
    "found": int,
    "seconds": float,
    "attempts": int,
    "model": str,
    "client": str,
}
"""What every row has, in this order, and of which type it is unless it is None; the last two are the run's to fill.

rows: how many the page gave. bytes: on the wire. depth: links from a start page. found: pages that its links lead to.
reason: the kind of a failure, or why it was skipped."""


def row_of(outcome: Outcome, known: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a row with the same fields for every outcome, None where nothing is known; then the line's own columns.

    known: what the store keeps of a page that was scraped before.
    """
    task, visit = outcome.task, outcome.task.payload
    ran = outcome.timing.ended > 0
    row: dict[str, Any] = dict.fromkeys(FIELDS)
    row |= {"url": visit.name or visit.url, "index": task.index, "warnings": [], "depth": visit.depth}
    row |= {"attempts": task.attempt if ran else 0, "seconds": round(outcome.timing.seconds, 6) if ran else None}
    if isinstance(outcome, Failure):
        row |= {"outcome": "failed", "reason": outcome.kind.value, "message": outcome.message}
    elif isinstance(outcome, Skip):
        row |= {"outcome": "skipped", "reason": outcome.reason, **_kept(known or {})}
    else:
        row |= {"outcome": "done", **_seen(outcome.value)}
    return row | _own(visit)


def _seen(page: Page) -> dict[str, Any]:
    return {
        "final_url": page.final_url,
        "rows": len(page.rows),
        "bytes": page.bytes,
        "warnings": list(page.warnings),
        "found": len(page.found),
    }


def _kept(known: Mapping[str, Any]) -> dict[str, Any]:
    if not known:
        return {}
    rows = known["rows"]
    return {"rows": len(rows), "bytes": known.get("bytes"), "final_url": rows[0].get("final_url") if rows else None}


def _own(visit: Visit) -> dict[str, str]:
    """Return the columns of the user's list; one that has a name of ours gets another."""
    return {f"input_{name}" if name in FIELDS else name: value for name, value in visit.columns}
