"""The benchmark of scraping from end to end: a quick run with nginx, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "benchmarks" / "scrape.py"
PATHS = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
with_nginx = pytest.mark.skipif(
    not (shutil.which("nginx", path=PATHS) and shutil.which("openssl")), reason="nginx or openssl is not installed"
)


def bench(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the benchmark."""
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """Return a small site: one page cannot be reached from the first, and one link is dead."""
    folder = tmp_path / "pages"
    folder.mkdir()
    for name, links in {"index": "a dead", "a": "b", "b": "index a#part", "alone": "a"}.items():
        anchors = "".join(
            f'<a href="{link.replace("#", ".html#") if "#" in link else f"{link}.html"}">x</a>\n'
            for link in links.split()
        )
        text = f'<title>Page\n {name}</title><h1>Page <i>{name}</i></h1><pre>x = <b>1</b>\n  y</pre><a href="#">top</a>'
        (folder / f"{name}.html").write_text(f"<!doctype html><meta charset=utf-8>{text}{anchors}")
    return folder


@with_nginx
def test_quick_run(tmp_path: Path, pages: Path) -> None:
    """Lists and crawls have the same rows as the usual script; missing peers are named, and runs leave nothing."""
    scratch, figures = tmp_path / "scratch", tmp_path / "figures.json"
    options = ("--quick", "--rows", "list,crawl,one", "--tools", "toolkit asyncio,Beautiful", "--pages", pages)
    done = bench(*options, "--scratch", scratch, "--json", figures, "--seed", 5)
    assert done.returncode == 0, done.stderr
    assert "- scrapy not there: left out (python -m venv FOLDER" in done.stdout
    assert "### list: 4 pages of a list" in done.stdout
    assert "### crawl: 3 pages found by following all links" in done.stdout
    assert done.stdout.count("All rows are the same, field by field") == 2
    kept = json.loads(figures.read_text())
    assert [tool["wrong"] for row in kept["rows"] for tool in row["tools"]] == [""] * 6
    assert not (scratch / "runs").exists()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--rows", "lists"], "error: --rows lists: choose from list, crawl, one, frontier"),
        (["--tools", "nobody"], "error: --tools nobody: none of these rows has such a tool; they have"),
        (["--peers", "nowhere"], "error: --peers nowhere: there is no bin/python in it"),
        (["--pages", "nowhere", "--rows", "list"], "error: --pages nowhere: there are no files below it whose names"),
    ],
)
def test_wrong_usage(tmp_path: Path, options: list[str], complaint: str) -> None:
    """One line says what is wrong."""
    done = bench(*options, "--scratch", tmp_path)
    assert done.returncode == 2
    assert complaint in done.stderr


@with_nginx
def test_a_crawl_needs_an_index(tmp_path: Path, pages: Path) -> None:
    """Where nothing says where to start, the row cannot be run."""
    (pages / "index.html").unlink()
    done = bench("--quick", "--rows", "crawl", "--tools", "hybrid", "--pages", pages, "--scratch", tmp_path / "scratch")
    assert done.returncode == 2
    assert "a crawl starts from index.html, which is not there; leave that row out" in done.stderr
