"""The crawl without a network: every page is found, once, and both figures are told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import _frontier
import pytest
from _frontier import frontier, walk


def test_every_page_is_found_once(tmp_path: Path) -> None:
    """As many rows as the site has pages."""
    taken = walk(300, tmp_path)
    assert (taken["rows"], taken["succeeded"]) == (300, 300)
    assert taken["seconds"] > 0
    assert "page-299.html" in (tmp_path / "rows.jsonl").read_text()


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="memory is read as Linux tells it")
def test_both_crawls_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each in a process of its own, whose files are gone afterwards."""
    monkeypatch.setattr(_frontier, "SMALL", 50)
    monkeypatch.setattr(_frontier, "REPEATS", 1)
    kept: dict[str, Any] = {}
    told = frontier(tmp_path / "place", 200, kept)
    assert [line.partition(":")[0] for _, line in told] == ["frontier"] * 3
    assert told[0] == (True, "frontier: every page has its row: 200 of 200")
    assert kept["frontier"]["large"]["peak_mb"] > 10
    assert "| 200 |" in capsys.readouterr().out
    assert not list((tmp_path / "place").iterdir())
