"""Rows of the manifest: every picture once, with its files, whenever they were made; the same in each form."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

import toolkit
from tests.apps.resize.making import corners, saved
from toolkit.apps.resize.rows import FIELDS

Rows = list[dict[str, Any]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a picture, a broken one and something else."""
    saved(corners(), tmp_path / "in/a.png")
    (tmp_path / "in/b.png").write_bytes((tmp_path / "in/a.png").read_bytes()[:150])
    (tmp_path / "in/c.txt").write_text("no picture")
    return tmp_path / "in"


def rows(folder: Path, manifest: Path, **options: Any) -> Rows:
    """Do a folder and return the rows in their order."""
    chosen = {"sizes": "10x,20x", "model": "sequential", "manifest": manifest, **options}
    toolkit.resize([] if options.get("retry_failed") else folder, folder.parent / "out", **chosen)
    return sorted(read(manifest), key=lambda row: int(row["index"]))


def read(manifest: Path) -> Rows:
    if manifest.suffix == ".jsonl":
        return [json.loads(line) for line in manifest.read_text().splitlines()]
    if manifest.suffix == ".csv":
        with manifest.open(newline="") as file:
            return list(csv.DictReader(file))
    parquet = pytest.importorskip("pyarrow.parquet")
    found: Rows = parquet.read_table(manifest).to_pylist()
    return found


def test_rows_tell_what_became_of_each(folder: Path, tmp_path: Path) -> None:
    """Done, failed or skipped, and why; every row has all fields."""
    done, failed, skipped = rows(folder, tmp_path / "m.jsonl")
    assert all(set(FIELDS) <= set(row) for row in (done, failed, skipped))
    assert [row["input"] for row in (done, failed, skipped)] == [
        str(folder / name) for name in ("a.png", "b.png", "c.txt")
    ]
    assert (done["outcome"], failed["outcome"], skipped["outcome"]) == ("done", "failed", "skipped")
    assert (failed["reason"], skipped["reason"]) == ("image", "not a picture")
    assert failed["message"]
    facts = [(each["name"], each["format"], each["width"], each["height"]) for each in done["outputs"]]
    assert facts == [("a-10.png", "png", 10, 7), ("a-20.png", "png", 20, 13)]
    assert done["bytes"] == sum((tmp_path / "out" / each["name"]).stat().st_size for each in done["outputs"])
    assert (done["source_width"], done["source_height"], done["source_format"]) == (120, 80, "PNG")
    assert (done["source_size"], done["engine"], done["salvaged"]) == (
        (folder / "a.png").stat().st_size,
        "pillow",
        False,
    )
    assert min(done["decode"], done["process"], done["encode"], done["seconds"]) > 0
    assert len(done["source_hash"]) > 10


def test_rows_of_a_second_run_have_the_files_too(folder: Path, tmp_path: Path) -> None:
    """A manifest is whole after every run; only seconds are told of this run alone."""
    first = rows(folder, tmp_path / "m.jsonl")[0]
    second = rows(folder, tmp_path / "m.jsonl")[0]
    same = set(FIELDS) - {"outcome", "reason", "decode", "process", "encode", "seconds"}
    assert {name: second[name] for name in same} == {name: first[name] for name in same}
    assert (second["outcome"], second["reason"], second["decode"], second["seconds"]) == (
        "skipped",
        "up to date",
        None,
        0,
    )


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_other_forms_say_the_same(form: str, folder: Path, tmp_path: Path) -> None:
    """Lists are JSON in a table of texts."""
    (done, *_) = rows(folder, tmp_path / "m.jsonl")
    (other, *_) = rows(folder, tmp_path / f"m.{form}", existing="overwrite")
    for name in ("input", "outcome", "source_hash", "source_width", "bytes", "engine"):
        assert str(other[name]) == str(done[name]), name
    outputs = json.loads(other["outputs"]) if isinstance(other["outputs"], str) else other["outputs"]
    names = [(json.loads(each) if isinstance(each, str) else each)["name"] for each in outputs]
    assert names == ["a-10.png", "a-20.png"]


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_retry_replaces_the_rows_of_what_failed(form: str, folder: Path, tmp_path: Path) -> None:
    """The others stay as they were."""
    manifest = tmp_path / f"m.{form}"
    rows(folder, manifest)
    saved(corners(30, 30), folder / "b.png")
    found = rows(folder, manifest, retry_failed=True)
    assert [(Path(row["input"]).name, row["outcome"]) for row in found] == [
        ("a.png", "done"),
        ("b.png", "done"),
        ("c.txt", "skipped"),
    ]
    assert str(found[1]["source_width"]) == "30"
