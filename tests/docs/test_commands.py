"""Every command in the README and the docs runs, in order, on the sample site and pictures."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from samples.serve import SampleServer
from tests.conftest import Toolkit
from toolkit.apps.scrape.rendering.chromium import check_render
from toolkit.core.errors import UsageError

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "samples" / "README.md"]
FENCE = re.compile(r"^```(\w+)( norun| chromium)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
QUICK = (
    (re.compile(r"--rounds \d+"), "--rounds 1"),
    (re.compile(r"\btoolkit resize "), "toolkit resize --model threads "),
)
"""What the pages advise, and what shows as well that the commands work: one round, and a model that starts at once."""
ADDRESS = "http://localhost:8000/"

try:
    check_render()
    RUNS: tuple[str, ...] = ("", " chromium")
except UsageError:  # there is no browser here: what needs one is left out
    RUNS = ("",)

pytestmark = pytest.mark.timeout(110)


def blocks(page: Path) -> list[tuple[str, str]]:
    """Return the shell and Python blocks of a page that are meant to be run here, as (language, text)."""
    found = [(language, text) for language, mark, text in FENCE.findall(page.read_text()) if mark in RUNS]
    return [(language, text) for language, text in found if language in ("sh", "python")]


@pytest.fixture
def place(tmp_path: Path, server: SampleServer, toolkit: Toolkit) -> Path:
    """Return a folder with what the pages speak of: photos/, urls.txt and pages.txt."""
    shutil.copytree(ROOT / "samples" / "pictures", tmp_path / "photos")
    toolkit("download", f"{server.url}lists/files.txt", f"{server.url}lists/pages.txt", "-o", tmp_path, "--quiet")
    (tmp_path / "files.txt").rename(tmp_path / "urls.txt")
    for left in tmp_path.glob(".toolkit*"):
        left.unlink()
    return tmp_path


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: page.stem)
def test_page_runs_as_written(page: Path, place: Path, server: SampleServer) -> None:
    """Each block exits with 0, in the order of the page, in one folder."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "110"}
    for language, text in blocks(page):
        command = ["bash", "-euo", "pipefail", "-c"] if language == "sh" else [sys.executable, "-c"]
        done = subprocess.run(
            [*command, _quick(text.replace(ADDRESS, server.url))],
            cwd=place,
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"


def _quick(text: str) -> str:
    for slow, quick in QUICK:
        text = slow.sub(quick, text)
    return text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link in a page names a file that exists, and a heading that is in it."""
    for target in re.findall(r"\]\(([^)\s]+)", page.read_text()):
        if "://" not in target:
            name, _, anchor = target.partition("#")
            there = page.parent / name if name else page
            assert there.exists(), target
            assert not anchor or anchor in anchors(there), target


def anchors(page: Path) -> set[str]:
    """Return what headings of a page are called in links."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
