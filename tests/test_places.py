"""Files of a run: what it writes is never what it reads, nor another file that it writes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import toolkit
from tests.conftest import Toolkit
from toolkit.core.errors import UsageError
from toolkit.options import RunOptions
from toolkit.places import check_places

PAGE = "<!doctype html><title>t</title>"
URL = "http://127.0.0.1:9/"
RULES = '[fields]\nt = "title"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder, which is the current one, with a list, rules, a page, and a folder of pages."""
    (tmp_path / "in.csv").write_text(f"url\n{URL}\n")
    (tmp_path / "rules.toml").write_text(RULES)
    (tmp_path / "page.html").write_text(PAGE)
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.html").write_text(PAGE)
    (tmp_path / "pages" / "b.csv").write_text(PAGE)
    (tmp_path / "list.txt").write_text(URL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def state_of(folder: Path) -> dict[str, bytes]:
    """Return all that is in a folder."""
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


@pytest.mark.parametrize(
    ("sources", "out", "options"),
    [
        ("in.csv", "in.csv", {}),
        ("in.csv", "./pages/../in.csv", {}),
        ("in.csv", "rows.csv", {"manifest": "in.csv"}),
        ("in.csv", "rows.csv", {"state": "in.csv"}),
        ("in.csv", "rows.csv", {"cache": "in.csv"}),
        ("in.csv", "rows.csv", {"manifest": "rows.csv"}),
        ("in.csv", "rows.sqlite", {"state": "rows.sqlite"}),
        ("in.csv", "rows.sqlite", {"cache": "rows.sqlite"}),
        ("in.csv", "rows.csv", {"state": "kept", "cache": "kept"}),
        ("in.csv", "rows.csv", {"rules": "rules.toml", "state": "rules.toml"}),
        ("in.csv", "rows.csv", {"rules": "rules.toml", "cache": "rules.toml"}),
        ("in.csv", "rows.csv", {"rules": "rows.csv"}),
        ("in.csv", "rows.csv", {"cookies": "list.txt", "state": "list.txt"}),
        ("in.csv", "rows.csv", {"key": "list.txt", "cert": "list.txt", "state": "list.txt"}),
        ("page.html", "rows.csv", {"state": "page.html"}),
        ("pages", "pages/b.csv", {}),
        ("pages", "rows.csv", {"cache": "pages/a.html"}),
    ],
)
def test_scrape_refuses_two_uses_of_one_file(folder: Path, sources: str, out: str, options: dict[str, Any]) -> None:
    """Nothing is made or changed, be it by one name or by another one."""
    before = state_of(folder)
    with pytest.raises(UsageError, match=r"one file|is among what is read"):
        toolkit.scrape(sources, out, **options)
    with pytest.raises(UsageError, match=r"one file|is among what is read"):
        list(toolkit.scrape.plan(sources, out, **options))
    assert state_of(folder) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("scrape", "in.csv", "-o", "rows.jsonl", "--events", "in.csv"),
        ("scrape", "in.csv", "-o", "rows.jsonl", "--events", "rows.jsonl"),
        ("scrape", "page.html", "-o", "rows.jsonl", "--report", "page.html"),
        ("scrape", "pages", "-o", "rows.jsonl", "--report", "pages/a.html"),
        ("scrape", URL, "-o", "rows.jsonl", "--report", "r.html", "--events", "r.html"),
        ("download", "list.txt", "-o", "got", "--manifest", "rows.jsonl", "--events", "rows.jsonl"),
        ("scrape", "record", "list.txt", "-o", "got", "--events", "list.txt"),
        ("resize", "page.html", "-o", "got", "--srcset", "s.html", "--report", "s.html"),
    ],
)
def test_command_refuses_reports_over_other_files(folder: Path, toolkit: Toolkit, arguments: tuple[str, ...]) -> None:
    """The file of events is not even opened, and the exit code says that the command is wrong."""
    before = state_of(folder)
    done = toolkit(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "choose another name" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert state_of(folder) == before


def test_links_are_the_file_that_they_lead_to(folder: Path) -> None:
    """A link, to what is there or not, and a second name are one file with it."""
    (folder / "link.csv").symlink_to("in.csv")
    (folder / "far.csv").symlink_to("new.csv")
    os.link("in.csv", "second.csv")
    for source, out, manifest in (
        ("in.csv", "link.csv", None),
        ("link.csv", "in.csv", None),
        ("in.csv", "second.csv", None),
        ("list.txt", "new.csv", Path("far.csv")),
    ):
        with pytest.raises(UsageError, match="one file"):
            check_places([source], Path(out), (RunOptions(manifest=manifest),))


def test_what_is_no_file_may_be_named_twice(folder: Path) -> None:
    """Devices, folders, standard output and URLs are no files; what is only read loses nothing."""
    check_places([URL, "-"], Path("-"), (RunOptions(state=Path("/dev/null"), manifest=Path("/dev/null")),))
    check_places(["pages"], Path("pages"), ())
    check_places(["in.csv", "in.csv", "a\0b"], Path("got"), (RunOptions(state=Path("got/state")),))


def test_other_files_of_a_source_folder_may_be_written(folder: Path) -> None:
    """Rows beside the pages, and pages that are hidden, are not read as pages."""
    (folder / "pages" / "rows.csv").write_text("url,title\n")
    (folder / "pages" / ".hidden.html").write_text(PAGE)
    for _ in range(2):
        done = toolkit.scrape("pages", "pages/rows.csv", manifest="pages/done.jsonl", field=("t=title",))
        assert (done.exit_code, done.errors) == (0, 0)
