"""The benchmark of downloads from end to end: a quick run of one row with nginx."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "benchmarks" / "download.py"
PATHS = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"


def bench(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the benchmark."""
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)


@pytest.mark.skipif(
    not (shutil.which("nginx", path=PATHS) and shutil.which("openssl")), reason="nginx or openssl is not installed"
)
def test_quick_run(tmp_path: Path) -> None:
    """All that race are right, the table and the figures tell their options, and only what is served is left."""
    scratch, figures = tmp_path / "scratch", tmp_path / "figures.json"
    options = ("--quick", "--rows", "medium-http", "--tools", "toolkit at,pool", "--seed", 5)
    done = bench(*options, "--scratch", scratch, "--json", figures)
    assert done.returncode == 0, done.stderr
    assert "### medium-http: 20 × 1 MB" in done.stdout
    assert "| **toolkit at 8** | `--workers 8 --per-host 8` |" in done.stdout
    assert "| requests in a pool at 8 | `ThreadPoolExecutor(8)` |" in done.stdout
    kept = json.loads(figures.read_text())
    assert kept["seed"] == 5
    assert [(len(tool["runs"]), tool["wrong"]) for tool in kept["rows"][0]["tools"]] == [(1, "")] * 3
    assert not (scratch / "runs").exists()
    assert [path.name for path in (scratch / "site-quick").iterdir()] == ["medium"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--rows", "smal"], "error: --rows smal: choose from small-http"),
        (
            ["--rows", "capped", "--tools", "nobody"],
            "error: --tools nobody: none of these rows has such a tool; they have",
        ),
        (["--rows", "medium-http", "--runs", "9999999"], "GB are missing; ask for fewer --rows"),
    ],
)
def test_wrong_usage(tmp_path: Path, options: list[str], complaint: str) -> None:
    """One line says what is wrong, and nothing is made."""
    done = bench(*options, "--scratch", tmp_path)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert not list(tmp_path.iterdir())
