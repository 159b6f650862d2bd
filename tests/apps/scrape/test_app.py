"""The list in, the file out: every line is accounted for, and the file is whole."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.apps.scrape.fakes import Answer, FakeClient, FakeMemory, perform
from toolkit.apps.scrape.job import APP, ScrapeApp
from toolkit.apps.scrape.options import ScrapeOptions
from toolkit.apps.scrape.visit import Visit
from toolkit.core.errors import FailureKind, UsageError
from toolkit.core.job import App, Remembered
from toolkit.core.quantities import parse_bytes
from toolkit.core.task import Failure, Outcome, Skip, Success, Task

HOST = "http://h.org"
PAGES = {f"{HOST}/{name}": Answer(f"<!doctype html><title>{name}</title>".encode()) for name in ("a", "b", "é", "c")}
PAGES[f"{HOST}/%C3%A9"] = PAGES.pop(f"{HOST}/é")


def app_of(sources: list[str], out: Path, **options: Any) -> ScrapeApp:
    return ScrapeApp(sources, out, ScrapeOptions(field=("t=title",), **options))


def run(app: ScrapeApp, memory: FakeMemory) -> list[Outcome]:
    """Do what the conductor does, one task after the other."""
    client, outcomes = FakeClient(PAGES), list[Outcome]()
    for step in app.plan(memory):
        if step is None:
            continue
        outcome: Outcome | Task[Any] = step
        if isinstance(outcome, Task):
            known = memory.recall(outcome.key)
            outcome = app.recall(outcome, known) if known else outcome
        if isinstance(outcome, Task):
            outcome = perform(client, app.job, outcome)
        if isinstance(outcome, Success):
            memory.keep(outcome.task.key, app.settings, json.loads(app.record(outcome.value)), outcome.task.index)
        outcomes.append(outcome)
    app.finish(memory)
    return outcomes


@pytest.fixture
def urls(tmp_path: Path) -> Path:
    """Return a list as people keep it."""
    path = tmp_path / "urls.txt"
    lines = ["\ufeffhttp://h.org/b", "", "# later", "h.org/c", "http://h.org/a#x", "http://h.org/b", "http://h.org/é"]
    path.write_bytes("\r\n".join([*lines, "http://h.org/a", "http://h.org/404", "mailto:x@h.org"]).encode())
    return path


def test_run_when_the_list_is_mixed(urls: Path, tmp_path: Path) -> None:
    """Each line ends in exactly one row, failure or skip, with where it stands."""
    app, memory = app_of([str(urls), f"{HOST}/c"], tmp_path / "rows.jsonl"), FakeMemory()
    outcomes = run(app, memory)
    found = [type(one).__name__ if not isinstance(one, Failure) else one.message for one in outcomes]
    assert found == [
        "Success",
        "urls.txt:4: not a URL: it does not begin with http:// or https://",
        "Success",
        "Skip",
        "Success",
        "Skip",
        "HTTP 404",
        "urls.txt:10: scheme 'mailto': only http and https are fetched",
        "Success",
    ]
    assert [one.task.index for one in outcomes] == list(range(9))
    assert {one.reason for one in outcomes if isinstance(one, Skip)} == {"duplicate"}
    assert len({one.task.key for one in outcomes}) == 9
    bad = [one for one in outcomes if isinstance(one, Failure) and "urls.txt" in one.message]
    assert [one.kind for one in bad] == [FailureKind.INPUT, FailureKind.BLOCKED]
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text("utf-8").splitlines()]
    assert [(row["url"], row["t"]) for row in rows] == [(f"{HOST}/{name}", name) for name in ("b", "a", "é", "c")]
    assert rows[2]["final_url"] == f"{HOST}/%C3%A9"


def test_run_when_run_again(urls: Path, tmp_path: Path) -> None:
    """What is done is not done again, and the file is the same, byte for byte."""
    app, memory = app_of([str(urls)], tmp_path / "rows.csv"), FakeMemory()
    run(app, memory)
    before = (tmp_path / "rows.csv").read_bytes()
    again = run(app_of([str(urls)], tmp_path / "rows.csv"), memory)
    assert [one.reason for one in again if isinstance(one, Skip)].count("already scraped") == 3
    assert not any(isinstance(one, Success) for one in again)
    assert (tmp_path / "rows.csv").read_bytes() == before
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        assert [row["t"] for row in csv.DictReader(file)] == ["b", "a", "é"]


def test_recall_when_the_rules_changed(tmp_path: Path) -> None:
    """Rows of other rules, and failures, are done anew."""
    app, other = app_of([HOST], tmp_path / "r.jsonl"), ScrapeApp([HOST], tmp_path / "r.jsonl")
    task = Task(HOST, Visit(HOST))
    assert app.settings == app_of([HOST], tmp_path / "s.csv", max_body=5, contact="x").settings
    assert app.settings != other.settings
    assert app.settings != app_of([HOST], tmp_path / "r.jsonl", parser="lxml").settings
    assert isinstance(app.recall(task, Remembered(HOST, "done", app.settings, {}, 0)), Skip)
    assert app.recall(task, Remembered(HOST, "done", other.settings, {}, 0)) is task
    assert app.recall(task, Remembered(HOST, "failed", app.settings, {}, 0)) is task


def test_finish_when_nothing_is_done(tmp_path: Path) -> None:
    """The file is whole even when it is empty, and replaces what was there."""
    (tmp_path / "rows.csv").write_text("old")
    app_of([HOST], tmp_path / "rows.csv").finish(FakeMemory())
    assert (tmp_path / "rows.csv").read_bytes() == b"url,final_url,status,fetched_at,t\r\n"
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_record_when_kept(tmp_path: Path) -> None:
    """The store keeps the row and the wire bytes; standard output gets the same row as a line."""
    app = app_of([f"{HOST}/a"], Path("-"))
    task = next(iter(app.plan(FakeMemory())))
    assert isinstance(task, Task)
    outcome = perform(FakeClient(PAGES), app.job, task)
    assert isinstance(outcome, Success)
    kept = json.loads(app.record(outcome.value))
    (row,) = kept["rows"]
    assert datetime.fromisoformat(row["fetched_at"]) <= datetime.now(UTC)
    facts = {"url": f"{HOST}/a", "final_url": f"{HOST}/a", "status": 200, "t": "a"}
    assert row == facts | {"fetched_at": row["fetched_at"]}
    assert kept["bytes"] == len(PAGES[f"{HOST}/a"].body)
    assert [json.loads(line) for line in app.lines(outcome)] == [row]


def test_prepare_when_the_output_is_fine(tmp_path: Path) -> None:
    """The folder is made, and the store lives beside the output; standard output has none."""
    app = app_of([HOST], tmp_path / "new" / "rows.jsonl")
    app.prepare()
    assert app.state == tmp_path / "new" / ".rows.jsonl.toolkit.sqlite"
    assert (tmp_path / "new").is_dir()
    app = app_of([HOST], Path("-"))
    app.prepare()
    assert app.state is None
    app.finish(FakeMemory())


@pytest.mark.parametrize("name", ["rows", "rows.xml", "rows.jsonl.gz", ".jsonl"])
def test_app_when_the_output_has_no_writer(tmp_path: Path, name: str) -> None:
    """The suffix chooses the writer; the message lists the choices."""
    with pytest.raises(UsageError, match=r"\.csv, \.db, \.jsonl"):
        app_of([HOST], tmp_path / name)


def test_prepare_when_the_output_is_a_folder(tmp_path: Path) -> None:
    """A folder cannot be written as a file."""
    (tmp_path / "rows.csv").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        app_of([HOST], tmp_path / "rows.csv").prepare()


def test_app_when_a_file_is_missing(tmp_path: Path) -> None:
    """A missing list stops the run before its first task."""
    with pytest.raises(UsageError, match=r"none\.txt"):
        app_of([HOST, str(tmp_path / "none.txt")], tmp_path / "r.csv")


def test_tasks_when_dumped_and_loaded(tmp_path: Path) -> None:
    """A task survives being kept as JSON."""
    app = app_of([f"{HOST}/é"], tmp_path / "r.csv")
    task = next(iter(app.plan(FakeMemory())))
    assert isinstance(task, Task)
    assert (task.key, task.payload.url, task.lane) == (f"{HOST}/é", f"{HOST}/%C3%A9", "h.org:80")
    assert app.load(task.key, json.loads(json.dumps(app.dump(task))), task.index) == task
    bad = next(iter(app_of(["ftp://h"], tmp_path / "r.csv").plan(FakeMemory())))
    assert isinstance(bad, Failure)
    again = app.load(bad.task.key, json.loads(json.dumps(app.dump(bad.task))), 0)
    assert isinstance(again, Failure)
    assert again.kind is FailureKind.BLOCKED


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, r"toolkit/\d+\.\d+\S*"),
        ({"contact": "https://me.org/bot"}, r"toolkit/\S+ \(\+https://me.org/bot\)"),
        ({"user_agent": "Mine/2"}, "Mine/2"),
    ],
)
def test_user_agent_when_chosen(tmp_path: Path, options: dict[str, str], expected: str) -> None:
    """By default it is honest."""
    import re

    assert re.fullmatch(expected, app_of([HOST], tmp_path / "r.csv", **options).job.fetching.user_agent)


@pytest.mark.parametrize("agent", ["a\r\nX: y", "é", " a"])
def test_user_agent_when_it_cannot_be_sent(tmp_path: Path, agent: str) -> None:
    """No header can be smuggled in."""
    with pytest.raises(UsageError, match="User-Agent"):
        app_of([HOST], tmp_path / "r.csv", user_agent=agent)


@pytest.mark.parametrize(
    ("text", "size"), [("65536", 65536), ("500k", 500_000), ("10M", 10**7), ("1.5 MB", 1_500_000), ("16MiB", 2**24)]
)
def test_parse_bytes_when_right(text: str, size: int) -> None:
    """Sizes are written as people write them."""
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "M", "ten", "10X", "-1", "10 M B"])
def test_parse_bytes_when_wrong(text: str) -> None:
    """The message says how a size is written."""
    with pytest.raises(ValueError, match="500k, 10M"):
        parse_bytes(text)


def test_app_when_typed(tmp_path: Path) -> None:
    """It is what the core calls an app."""
    app: App = APP([HOST], tmp_path / "r.csv")
    assert (app.name, app.network) == ("scrape", True)


def test_import_when_starting() -> None:
    """Importing the app loads no parser and no detector."""
    import subprocess
    import sys

    heavy = "{'lxml', 'bs4', 'selectolax', 'soupsieve', 'charset_normalizer', 'protego', 'requests', 'aiohttp'}"
    script = f"import sys, toolkit.apps.scrape.job; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_run_when_the_list_is_a_table(tmp_path: Path) -> None:
    """A column holds the URLs; a row that is none is one failure with its line, and the run goes on."""
    path = tmp_path / "urls.csv"
    path.write_text(f"id,where\n1,{HOST}/a\n2\n3,\n4,{HOST}/b\n2\n")
    app = app_of([str(path)], tmp_path / "rows.jsonl", url_column="Where")
    outcomes = run(app, FakeMemory())
    assert app.total == 5
    assert [one.message if isinstance(one, Failure) else type(one).__name__ for one in outcomes] == [
        "Success",
        "urls.csv:3: 1 cells, where the first row has 2",
        "urls.csv:4: no URL in column 'where'",
        "Success",
        "urls.csv:6: 1 cells, where the first row has 2",
    ]
    assert {one.kind for one in outcomes if isinstance(one, Failure)} == {FailureKind.INPUT}
    assert len({one.task.key for one in outcomes}) == 5
    with pytest.raises(UsageError, match="name one by --url-column"):
        app_of([str(path)], tmp_path / "rows.jsonl")


def test_app_when_since_is_about_nothing(tmp_path: Path) -> None:
    """It chooses among what sitemaps and feeds list: without one it would be without effect."""
    with pytest.raises(UsageError, match="--since '3d' is about sitemaps and feeds: name one with --sitemap"):
        app_of(["http://h.org/"], tmp_path / "rows.jsonl", since="3d")
