"""`toolkit resize` as a user meets it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import toolkit as package
from tests.conftest import Toolkit
from toolkit.compare.digests import digests

PICTURES = Path(__file__).parent.parent.parent / "samples" / "pictures"


def test_two_inputs_for_one_name_are_refused_before_anything_is_made(tmp_path: Path, toolkit: Toolkit) -> None:
    """Not even the output folder or its store is there afterwards."""
    (tmp_path / "in").mkdir()
    shutil.copy(PICTURES / "cat.jpg", tmp_path / "in" / "a.jpg")
    shutil.copy(PICTURES / "horse.png", tmp_path / "in" / "a.png")
    done = toolkit("resize", tmp_path / "in", "-o", tmp_path / "out", "--format", "webp")
    assert (done.returncode, "would both become a.webp" in done.stderr) == (2, True)
    assert not (tmp_path / "out").exists()


def test_missing_picture_is_refused_before_anything_is_made(tmp_path: Path, toolkit: Toolkit) -> None:
    """A mistyped name leaves nothing behind."""
    done = toolkit("resize", tmp_path / "none.jpg", "-o", tmp_path / "out", "--size", "10x10")
    assert done.returncode == 2
    assert not (tmp_path / "out").exists()


RICH: dict[str, Any] = {
    "sizes": "64,48x32!",
    "formats": "jpeg,webp",
    "effort": "fast",
    "op": ("autocontrast", "blur:1", "border:3"),
    "max_bytes": 4000,
    "fit": "cover",
    "gravity": "north",
    "metadata": "keep",
    "keep_dates": True,
    "name_template": "{format}/{stem}-{size}.{ext}",
}
PICTURES_USED = ("cat-soft-edge.png", "coffee-on-its-side.jpg", "horse-moving.gif", "rocket-16-bit.png")
SECONDS = {"decode", "process", "encode", "seconds", "model"}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with pictures of several sorts, a broken one and something else."""
    folder = tmp_path_factory.mktemp("mixed")
    for name in PICTURES_USED:
        shutil.copy(PICTURES / name, folder / name)
    (folder / "broken.jpg").write_bytes((PICTURES / "cat.jpg").read_bytes()[:4000])
    (folder / "notes.txt").write_text("no picture")
    return folder


def facts(out: Path, manifest: Path) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Return digests of all files, and the rows without what depends on the clock."""
    rows = map(json.loads, manifest.read_text().splitlines())
    plain = [{name: value for name, value in row.items() if name not in SECONDS} for row in rows]
    return digests(out), sorted(plain, key=lambda row: row["index"])


@pytest.fixture(scope="module")
def reference(mixed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Return the facts of a run of one picture after another."""
    place = tmp_path_factory.mktemp("reference")
    summary = package.resize(mixed, place / "out", model="sequential", manifest=place / "m.jsonl", **RICH)
    assert (summary.succeeded, summary.failed, summary.skipped) == (4, {"image": 1}, {"not a picture": 1})
    found = facts(place / "out", place / "m.jsonl")
    assert len(found[0]) == 4 * 4
    return found


@pytest.mark.parametrize("model", ["threads", "processes", "asyncio"])
def test_all_models_make_the_same(
    model: str, mixed: Path, reference: tuple[dict[str, str], list[dict[str, Any]]], tmp_path: Path
) -> None:
    """The same bytes under the same names, and the same rows; from Python."""
    summary = package.resize(mixed, tmp_path / "out", model=model, manifest=tmp_path / "m.jsonl", workers=2, **RICH)
    assert (summary.succeeded, summary.exit_code) == (4, 1)
    assert facts(tmp_path / "out", tmp_path / "m.jsonl") == reference


def test_command_line_makes_the_same(
    mixed: Path, reference: tuple[dict[str, str], list[dict[str, Any]]], tmp_path: Path, toolkit: Toolkit
) -> None:
    """Every option has its flag; the exit code says that some failed."""
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in RICH.items() if isinstance(value, str | int)]
    flags = [flag.replace("--keep-dates=True", "--keep-dates") for flag in flags]
    flags += [f"--op={each}" for each in RICH["op"]]
    done = toolkit("resize", mixed, "-o", tmp_path / "out", "--manifest", tmp_path / "m.jsonl", "-q", *flags)
    assert (done.returncode, done.stderr, done.stdout) == (1, "", "")
    assert facts(tmp_path / "out", tmp_path / "m.jsonl") == reference


def test_dry_run_says_what_would_be_done(mixed: Path, tmp_path: Path, toolkit: Toolkit) -> None:
    """A line for each picture, with all of its results; nothing is made."""
    done = toolkit("resize", mixed, "-o", tmp_path / "out", "--sizes", "10,20", "--dry-run")
    assert done.returncode == 0
    assert "do    rocket-16-bit.png -> rocket-16-bit-10.png, rocket-16-bit-20.png\n" in done.stdout
    assert "skip  notes.txt: not a picture\n" in done.stdout
    assert "5 tasks to do" in done.stderr
    assert not (tmp_path / "out").exists()


def test_report_shows_what_was_there_before_in_place(mixed: Path, tmp_path: Path, toolkit: Toolkit) -> None:
    """From its backup."""
    shutil.copytree(mixed, tmp_path / "in")
    (tmp_path / "in/broken.jpg").unlink()
    flags = ["--in-place", "--backup", tmp_path / "backup", "--size", "40x", "--report", tmp_path / "r.html", "-q"]
    done = toolkit("resize", tmp_path / "in", *flags)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "r.html").read_text()
    assert page.count("data:image/jpeg") == 2 * 4
