"""The manifest: a row for each task that ended, in three forms, without secrets, and right in the end."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import toolkit
from samples.serve import SampleServer
from toolkit.apps.scrape.record import RecordApp, RecordOptions
from toolkit.core.errors import FailureKind, MissingExtra, UsageError
from toolkit.core.network import Network
from toolkit.core.task import Failure, Outcome, Success, Task
from toolkit.options import RunOptions
from toolkit.reporting import RunFinished, RunStarted, TaskSettled
from toolkit.reporting.manifest import Manifest
from toolkit.run import Run

FIELDS: dict[str, type] = {"url": str, "index": int, "path": str, "seconds": float, "links": list, "model": str}


def row_of(outcome: Outcome) -> dict[str, Any]:
    """Return a row of what the task carries."""
    return {"url": outcome.task.key, "index": outcome.task.index, "path": "old", **outcome.task.payload}


def settled(key: str, index: int = 0, retry_in: float | None = None, **columns: Any) -> TaskSettled:
    """Return the event of an outcome."""
    task = Task(key, columns, index=index)
    return TaskSettled(Failure(task, FailureKind.HTTP, "404") if retry_in else Success(task, None), retry_in)


def written(manifest: Manifest, *events: TaskSettled) -> None:
    """Tell of a whole run; nobody reads its Summary here."""
    manifest(RunStarted("download", "threads", 1))
    for event in events:
        manifest(event)
    manifest(RunFinished(None))  # type: ignore[arg-type]


def read_parquet(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file."""
    from pyarrow import parquet

    found: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    return found


READ: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
    "jsonl": lambda path: [json.loads(line) for line in path.read_text().splitlines()],
    "csv": lambda path: list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline=""))),
    "parquet": read_parquet,
}


@pytest.mark.parametrize("form", READ)
def test_manifest_holds_a_row_for_each_task_that_ended(form: str, tmp_path: Path) -> None:
    """Attempts that are tried again are no end; every form says the same, as far as it can."""
    path = tmp_path / f"rows.{form}"
    path.write_text("old")
    manifest = Manifest(path, row_of, FIELDS, facts={"model": "threads"})
    written(
        manifest,
        settled("http://h/1", 1, seconds=0.5, links=["a", "b"]),
        settled("http://h/2", 2, retry_in=1.0),
        settled("http://h/3", 3, title='x, "ü"\n', seconds=None, links=[]),
    )
    rows = READ[form](path)
    assert os.listdir(tmp_path) == [path.name]
    assert [(row["url"], str(row["index"]), row["model"]) for row in rows] == [
        ("http://h/1", "1", "threads"),
        ("http://h/3", "3", "threads"),
    ]
    assert rows[1]["title"] == 'x, "ü"\n'
    whole = rows[0]["seconds"], rows[0]["links"]
    assert whole == (("0.5", "a b") if form == "csv" else (0.5, ["a", "b"]))


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_manifest_of_no_rows_has_its_columns_all_the_same(form: str, tmp_path: Path) -> None:
    """A program that reads it need not ask whether there was work."""
    path = tmp_path / f"rows.{form}"
    written(Manifest(path, row_of, FIELDS))
    assert READ[form](path) == []
    if form == "csv":
        assert path.read_bytes().decode() == ",".join(FIELDS) + "\r\n"


@pytest.mark.parametrize("form", READ)
def test_manifest_tells_the_place_of_files_that_moved(form: str, tmp_path: Path) -> None:
    """A row is made before anybody knows; a URL may have secrets that the manifest does not tell."""
    path = tmp_path / f"rows.{form}"
    moved = {("http://h/?token=1", 1): "new"}
    manifest = Manifest(path, row_of, FIELDS, lambda: moved)
    written(manifest, settled("http://h/?token=1", 1), settled("http://h/?token=2", 2))
    assert [row["path"] for row in READ[form](path)] == ["new", "old"]


def test_manifest_is_there_while_the_run_goes_on(tmp_path: Path) -> None:
    """JSON lines: a kill loses no row."""
    path = tmp_path / "rows.jsonl"
    manifest = Manifest(path, row_of, FIELDS)
    manifest(RunStarted("download", "threads", 1))
    assert path.read_text() == ""
    manifest(settled("http://h/1"))
    assert len(READ["jsonl"](path)) == 1
    manifest(settled("http://h/2"))
    assert len(READ["jsonl"](path)) == 2
    written(manifest)


def test_manifest_tells_no_secrets_and_no_halves_of_characters(tmp_path: Path) -> None:
    """Whatever the list and the servers say."""
    path = tmp_path / "rows.jsonl"
    row = settled("http://me:hunter2@h/?token=hunter2", links=["http://h/?sig=hunter2"], note="see http://a:hunter2@b/")
    written(Manifest(path, row_of, FIELDS), row, settled("http://h/\udce9", name="\ud800"))
    assert "hunter2" not in path.read_text()
    found = READ["jsonl"](path)[1]
    assert (found["url"], found["name"]) == ("http://h/?", "?")


def test_manifest_is_refused_before_the_run_when_it_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form that is not known, no folder, no package, no rows."""
    (tmp_path / "file").touch()
    for name in ("rows.txt", "rows", "file/rows.csv", ".csv"):
        with pytest.raises(UsageError, match="--manifest"):
            Manifest(tmp_path / name, row_of)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UsageError, match="this is a folder"):
        Manifest(tmp_path / "folder.csv", row_of)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtra, match=r"pip install 'toolkit\[parquet\]'"):
        Manifest(tmp_path / "rows.parquet", row_of)
    (tmp_path / "list.jsonl").write_text('"http://127.0.0.1:9/x"')
    with pytest.raises(UsageError, match="one file"):
        toolkit.download(tmp_path / "list.jsonl", tmp_path, manifest=tmp_path / "list.jsonl")
    assert (tmp_path / "list.jsonl").read_text()
    app = RecordApp(["http://127.0.0.1:9/x"], tmp_path, RecordOptions(), network=Network())
    with pytest.raises(UsageError, match="scrape record has no rows"):
        Run(app, RunOptions(manifest=tmp_path / "rows.csv"), output="")


@pytest.mark.parametrize("form", READ)
def test_manifest_of_a_retry_replaces_what_was_retried_alone(form: str, tmp_path: Path) -> None:
    """Following the command that is shown at the end costs no rows; a place that another URL has is another row."""
    path = tmp_path / "new" / "folder" / f"rows.{form}"
    old = [settled(f"http://h/{n}", n, note="old", seconds=0.5, links=["a", "b"]) for n in range(3)]
    written(Manifest(path, row_of, FIELDS), *old)
    new = [settled("http://h/1", 1, note="new", more="x"), settled("http://h/9", 2, note="new")]
    written(Manifest(path, row_of, FIELDS, lambda: {("http://h/1", 1): "moved"}, keep=True), *new)
    rows = READ[form](path)
    assert [(row["url"][-1], row["note"], row["path"]) for row in rows] == [
        ("0", "old", "old"),
        ("2", "old", "old"),
        ("1", "new", "moved"),
        ("9", "new", "old"),
    ]
    assert (rows[0]["seconds"], rows[0]["links"]) == (("0.5", "a b") if form == "csv" else (0.5, ["a", "b"]))
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("form", READ)
def test_manifest_of_a_retry_goes_on_from_what_a_kill_left(form: str, tmp_path: Path) -> None:
    """The journal is newer than the file; half a line in it is no row; and without either there is nothing to keep."""
    path = tmp_path / f"rows.{form}"
    written(Manifest(path, row_of, FIELDS, keep=True), settled("http://h/1", 1))
    killed = Manifest(path, row_of, FIELDS)
    killed(RunStarted("download", "threads", 1))
    killed(settled("http://h/2", 2))
    journal = path if form == "jsonl" else tmp_path / f".rows.{form}.journal.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"url": "http')
    written(Manifest(path, row_of, FIELDS, keep=True), settled("http://h/3", 3))
    assert [row["url"] for row in READ[form](path)] == ["http://h/2", "http://h/3"]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_manifest_that_is_something_else_is_not_replaced_by_a_retry(form: str, tmp_path: Path) -> None:
    """What cannot be read cannot be kept."""
    path = tmp_path / f"rows.{form}"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(OSError, match=r"file that can be read"):
        written(Manifest(path, row_of, FIELDS, keep=True))
    assert path.read_bytes() == b"\xff\xfe"


@pytest.mark.parametrize("model", ["sequential", "threads", "processes", "asyncio"])
def test_manifest_of_a_download_says_what_became_of_each_line(model: str, server: SampleServer, tmp_path: Path) -> None:
    """Done, failed and skipped; with the line's own columns, where each file is, and how it came."""
    get = f"{server.url}generated"
    lines = ["id,url,status", f"1,{get}/1000.bin?filename=r.pdf,mine", f"2,{get}/1001.bin?filename=r.pdf,"]
    lines += [f"3,{server.url}files/terms.txt?redirect=1,", f"4,{get}/7.bin?status=404,", "5,,"]
    (tmp_path / "list.csv").write_text("\n".join(lines))
    path, out = tmp_path / "rows.jsonl", tmp_path / "out"
    toolkit.download(tmp_path / "list.csv", out, manifest=path, model=model, hash="sha256", retries=0)
    rows = {row["id"]: row for row in READ["jsonl"](path)}
    assert [rows[n]["status"] for n in "12345"] == ["done"] * 3 + ["failed"] * 2
    for row in rows.values():
        assert (row["path"] is not None and (out / row["path"]).is_file()) == (row["status"] == "done")
        assert row["bytes"] is None or (out / row["path"]).stat().st_size == row["bytes"] == row["received"]
        assert (row["model"], row["input_status"]) == (model, "mine" if row["id"] == "1" else "")
    assert rows["1"]["path"] == "r.pdf"
    assert rows["4"]["total_seconds"] > 0
    assert rows["1"]["total_seconds"] >= rows["1"]["first_byte_seconds"] > 0
    assert rows["1"]["checksum"].startswith("sha256:")
    assert rows["3"]["redirects"] == [f"{server.url}files/terms.txt?redirect=1"]
    assert (rows["4"]["http_status"], rows["4"]["kind"], rows["5"]["kind"]) == (404, "http", "input")
    toolkit.download(tmp_path / "list.csv", out, manifest=str(path), model=model, retries=0)
    again = {row["id"]: row for row in READ["jsonl"](path)}
    assert [again[n]["status"] for n in "12345"] == ["skipped"] * 3 + ["failed"] * 2
    for number in "123":
        for name in ("path", "bytes", "checksum", "etag", "last_modified", "final_url", "content_type", "verified"):
            assert again[number][name] == rows[number][name], name
    assert [again[n]["attempts"] for n in "12345"] == [0, 0, 0, 1, 0]
    toolkit.download(tmp_path / "list.csv", out, manifest=path, model=model, retries=0, existing="update")
    asked = {row["id"]: row for row in READ["jsonl"](path)}
    assert (asked["3"]["message"], asked["3"]["http_status"], asked["3"]["attempts"]) == ("not modified", 304, 1)
    assert (asked["3"]["bytes"], asked["3"]["checksum"]) == (rows["3"]["bytes"], rows["3"]["checksum"])
    toolkit.download([], out, manifest=path, model=model, retries=0, retry_failed=True)
    retried = {row["id"]: row for row in READ["jsonl"](path)}
    assert {n: row["message"] for n, row in retried.items()} == {n: row["message"] for n, row in asked.items()}
