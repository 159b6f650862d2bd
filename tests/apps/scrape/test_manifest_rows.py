"""Every page has one row of the manifest: done, failed or skipped, with what is known of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import toolkit
from samples.serve import SampleServer
from toolkit.apps.scrape.manifest_rows import FIELDS, row_of
from toolkit.apps.scrape.result import Page
from toolkit.apps.scrape.visit import Visit
from toolkit.core.errors import FailureKind
from toolkit.core.task import Failure, Outcome, Skip, Success, Task, Timing

VISIT = Visit("http://h.org/%C3%A9", depth=2, name="http://h.org/é", columns=(("id", "7"), ("rows", "mine")))
TASK = Task("http://h.org/é", VISIT, index=5, attempt=2)
RAN = Timing(1.0, 1.5, "w")
PAGE = Page(VISIT, "http://h.org/end", 200, ({"t": 1}, {"t": 2}), (("k", VISIT),), bytes=99, notes=("row 1: t: bad",))
SAME = {"url": "http://h.org/é", "index": 5, "depth": 2, "id": "7", "input_rows": "mine"}


@pytest.mark.parametrize(
    ("outcome", "known", "facts"),
    [
        (
            Success(TASK, PAGE, RAN),
            None,
            {"outcome": "done", "final_url": "http://h.org/end", "rows": 2, "bytes": 99, "found": 1}
            | {"warnings": ["row 1: t: bad"], "seconds": 0.5, "attempts": 2},
        ),
        (
            Failure(TASK, FailureKind.HTTP, "HTTP 404", timing=RAN),
            None,
            {"outcome": "failed", "reason": "http", "message": "HTTP 404", "seconds": 0.5, "attempts": 2},
        ),
        (
            Skip(TASK, "already scraped"),
            {"rows": [{"final_url": "http://h.org/end"}], "bytes": 9},
            {"outcome": "skipped", "reason": "already scraped", "final_url": "http://h.org/end", "rows": 1, "bytes": 9}
            | {"attempts": 0},
        ),
        (Skip(TASK, "duplicate"), None, {"outcome": "skipped", "reason": "duplicate", "attempts": 0}),
    ],
)
def test_row_of_each_ending(outcome: Outcome, known: dict[str, Any] | None, facts: dict[str, Any]) -> None:
    """The same fields for all, None where nothing is known; a column that has a name of ours gets another."""
    assert row_of(outcome, known) == {**dict.fromkeys(FIELDS), "warnings": [], **SAME, **facts}


def test_manifest_of_a_scrape_says_what_became_of_each_line(server: SampleServer, tmp_path: Path) -> None:
    """Done, failed, duplicate, forbidden; with the line's own columns; and what is done already is told the same."""
    page = f"{server.url}item/cat-oval.html"
    lines = [f"1,{page}", f"2,{page}?status=404", f"3,{page}", f"4,{server.url}private/x.html", "5,no url"]
    (tmp_path / "list.csv").write_text("\n".join(["id,url", *lines]))
    path = tmp_path / "m.jsonl"

    def rows() -> list[dict[str, Any]]:
        options: dict[str, Any] = {"field": ["t=title"], "retries": 0, "manifest": path}
        toolkit.scrape(tmp_path / "list.csv", tmp_path / "rows.jsonl", **options)
        return sorted(map(json.loads, path.read_text().splitlines()), key=lambda row: int(row["index"]))

    first, again = rows(), rows()
    assert [row["outcome"] for row in first] == ["done", "failed", "skipped", "skipped", "failed"]
    assert [row["reason"] for row in first] == [None, "http", "duplicate", "robots.txt disallows it", "input"]
    assert [row.get("id") for row in first[:2]] == ["1", "2"]
    assert (first[0]["model"], first[0]["rows"], first[0]["attempts"]) == ("asyncio", 1, 1)
    assert first[0]["bytes"] > 0
    assert (again[0]["outcome"], again[0]["reason"], again[0]["attempts"]) == ("skipped", "already scraped", 0)
    for name in ("url", "final_url", "rows", "bytes", "id"):
        assert again[0][name] == first[0][name], name
