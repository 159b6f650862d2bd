"""`--report FILE.html` as a user meets it."""

from __future__ import annotations

from pathlib import Path

from samples.serve import SampleServer
from tests.conftest import Toolkit


def test_report_is_a_web_page_of_the_run(server: SampleServer, tmp_path: Path, toolkit: Toolkit) -> None:
    """What was done and what failed stand there by name; the exit code is the run's."""
    page = tmp_path / "reports" / "run.html"
    urls = [f"{server.url}item/cat-oval.html", f"{server.url}status/404"]
    done = toolkit("scrape", *urls, "-o", tmp_path / "rows.jsonl", "--field", "t=title", "--report", page)
    assert done.returncode == 1, done.stderr
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert all(word in text for word in (*urls, "1 page done, 1 failed", "--retry-failed"))
    assert [path.name for path in page.parent.iterdir()] == ["run.html"]


def test_report_is_refused_before_anything_is_made(tmp_path: Path, toolkit: Toolkit) -> None:
    """A name that says no web page, and one that is read."""
    (tmp_path / "urls.html").write_text("http://h/x")
    for name, why in (("run.pdf", "end it in .html"), ("urls.html", "are one file")):
        done = toolkit("download", tmp_path / "urls.html", "-o", tmp_path / "out", "--report", tmp_path / name)
        assert (done.returncode, why in done.stderr) == (2, True), done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["urls.html"]


def test_report_is_not_written_by_a_dry_run(tmp_path: Path, toolkit: Toolkit) -> None:
    """Nothing is changed."""
    out, page = tmp_path / "out", tmp_path / "run.html"
    done = toolkit("scrape", "http://h/x", "-o", out / "r.jsonl", "--field", "t=title", "--dry-run", "--report", page)
    assert done.returncode == 0, done.stderr
    assert [*tmp_path.iterdir()] == []
