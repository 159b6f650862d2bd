"""`toolkit scrape` as a user meets it: rows that are never lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from samples.serve import SampleServer
from tests.conftest import Toolkit


@pytest.fixture
def pages(server: SampleServer, tmp_path: Path) -> Path:
    """Return a list of three pages, of which the second fails until the server is reset."""
    names = ("cat-oval", "bricks-wrap", "gravel-wrap")
    faults = ("", "?fail=1", "")
    path = tmp_path / "pages.txt"
    lines = (f"{server.url}item/{name}.html{fault}" for name, fault in zip(names, faults, strict=True))
    path.write_text("\n".join(lines))
    return path


def urls_of(rows: Path) -> list[str]:
    """Return the URLs of a file of rows, in order."""
    return [json.loads(line)["url"] for line in rows.read_text().splitlines()]


def test_retried_row_stands_in_its_place(pages: Path, tmp_path: Path, toolkit: Toolkit) -> None:
    """After --retry-failed without the list, the file is in the order of the list."""
    rows, field = tmp_path / "rows.jsonl", ("--field", "t=title")
    assert toolkit("scrape", pages, "-o", rows, *field, "--retries", "0").returncode == 1
    assert toolkit("scrape", "-o", rows, *field, "--retry-failed").returncode == 0
    assert urls_of(rows) == pages.read_text().split()


def test_retry_with_other_fields_is_refused_and_costs_nothing(pages: Path, tmp_path: Path, toolkit: Toolkit) -> None:
    """Rows of other columns would not be those that failed; the file stays as it is."""
    rows = tmp_path / "rows.jsonl"
    toolkit("scrape", pages, "-o", rows, "--field", "t=title", "--retries", "0")
    done = toolkit("scrape", "-o", rows, "--retry-failed")
    assert (done.returncode, "other options" in done.stderr) == (2, True)
    assert len(urls_of(rows)) == 2


def test_rows_are_kept_beside_when_the_new_ones_are_fewer(
    server: SampleServer, tmp_path: Path, toolkit: Toolkit
) -> None:
    """Other fields while the site is down: the new file is empty, the old one is not gone."""
    rows, url = tmp_path / "rows.jsonl", f"{server.url}item/cat-oval.html?fail=0"
    (tmp_path / "list").write_text(url)
    assert toolkit("scrape", tmp_path / "list", "-o", rows, "--field", "t=title").returncode == 0
    before = rows.read_bytes()
    (tmp_path / "list").write_text(url.replace("fail=0", "status=404"))
    toolkit("scrape", tmp_path / "list", "-o", rows, "--field", "other=h1")
    assert rows.read_bytes() == b""
    assert (tmp_path / "rows.jsonl.before").read_bytes() == before


def test_standard_output_takes_any_page(server: SampleServer, tmp_path: Path, toolkit: Toolkit) -> None:
    """Rows on standard output are UTF-8, whatever the terminal speaks."""
    done = toolkit(
        "scrape", f"{server.url}russkij.html", "-o", "-", "--field", "t=title", PYTHONIOENCODING="latin-1:strict"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith('{"url": ')


def test_standard_output_is_ours_alone_when_progress_is_live(pages: Path, tmp_path: Path) -> None:
    """Rows go into the file that they were sent to, and the live view to the terminal."""
    pty = pytest.importorskip("pty")
    master, terminal = pty.openpty()
    rows = tmp_path / "rows.out"
    with rows.open("wb") as out:
        command = [sys.executable, "-m", "toolkit", "scrape", str(pages), "-o", "-", "--field", "t=title"]
        environment = {key: value for key, value in os.environ.items() if key != "CI"} | {"TERM": "xterm"}
        process = subprocess.Popen(command, stdout=out, stderr=terminal, env=environment)
        os.close(terminal)
        shown = b""
        with suppress(OSError):  # the end of a terminal is an error on Linux
            while block := os.read(master, 4096):
                shown += block
        assert process.wait(50) == 0
    os.close(master)
    assert sorted(urls_of(rows)) == sorted(pages.read_text().split())
    assert b"3 pages done" in shown
    assert b'"final_url"' not in shown


def test_reader_that_goes_away_is_told_as_such(server: SampleServer, pages: Path, tmp_path: Path) -> None:
    """`| head -1` is no failure of tasks, and no interruption."""
    urls = tmp_path / "many.txt"
    urls.write_text("\n".join(f"{server.url}item/cat-oval.html?delay=0.02&n={n}" for n in range(60)))
    script = (
        f"'{sys.executable}' -m toolkit scrape '{urls}' -o - --field t=title 2>err | head -n 1; echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False)
    assert done.stdout.splitlines()[1:] == ["141"]
    assert "STOPPED (the reader of the output has gone away)" in (tmp_path / "err").read_text()
