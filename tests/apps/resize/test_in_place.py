"""Pictures replaced in place: done once, whatever the format; made from their originals after a kill; never lost."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import toolkit
from tests.apps.resize.making import corners, saved
from toolkit.apps.resize import originals
from toolkit.apps.resize.job import ResizeApp
from toolkit.apps.resize.options import ResizeOptions
from toolkit.core.errors import UsageError
from toolkit.reporting import Summary

Bytes = dict[str, bytes]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder with two pictures."""
    saved(corners(), tmp_path / "photos/a.png")
    saved(corners(90, 60), tmp_path / "photos/2024/b.png")
    return tmp_path / "photos"


def done(source: Path | list[Path], backup: Path, **options: Any) -> Summary:
    """Do pictures in place, one after another."""
    chosen = {"size": "30x30", "model": "sequential", "backup": backup, **options}
    return toolkit.resize(source, in_place=True, **chosen)


def files(folder: Path) -> Bytes:
    """Return all files but the store's."""
    found = (path for path in folder.rglob("*") if path.is_file() and ".sqlite" not in path.name)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


KILLED = """
import os, sys
import send2trash
import toolkit
from toolkit.apps.resize import originals

def dies(before):
    def step(*found, **more):
        if {after} or not {when}:
            before(*found, **more)
        if {when}:
            os._exit(9)

    return step

if {links} is False:
    def refuse(*_, **__):
        raise PermissionError
    os.link = refuse
{module}.{name} = dies({module}.{name})
send2trash.send2trash = lambda path: os.rename(path, os.path.join({backup!r}, os.path.basename(path)))
where = dict(trash=True) if {trash} else dict(backup={backup!r})
toolkit.resize({source!r}, in_place=True, size="30x30", model="sequential", format={form!r}, **where)
"""


def killed(
    step: str, source: Path, backup: Path, form: str, *, links: bool = True, after: bool = False, trash: bool = False
) -> None:
    """Do a picture in a process that is killed before a step, or after it; it tidies nothing up."""
    module, name = ("os", "replace") if step == "rename" else ("originals", step)
    when = f"str(found[1]).endswith('photos/a.{form}')" if step == "rename" else "True"
    facts = {"when": when, "after": after, "trash": trash, "links": links, "module": module, "name": name, "form": form}
    code = KILLED.format(**facts, source=str(source), backup=str(backup))
    assert subprocess.run([sys.executable, "-c", code], timeout=30, check=False).returncode == 9


def size(path: Path) -> tuple[int, int]:
    """Return a picture's pixels across and down."""
    with Image.open(path) as image:
        return image.size


def forget(folder: Path) -> None:
    """Take the store away, as if the run had been killed before it wrote into it."""
    for path in folder.glob(".toolkit.sqlite*"):
        path.unlink()


def test_second_run_does_nothing(photos: Path, tmp_path: Path) -> None:
    """What is a result is not done again; the originals are in the backups, under their places."""
    before = files(photos)
    assert done(photos, tmp_path / "backup").succeeded == 2
    after = files(photos)
    assert files(tmp_path / "backup") == before
    assert (done(photos, tmp_path / "backup").skipped, files(photos)) == ({"up to date": 2}, after)
    assert size(photos / "a.png") == (30, 20)


def test_second_run_of_another_format_does_nothing(photos: Path, tmp_path: Path) -> None:
    """A result has another name than its original, which is gone: it is still a result, and its picture is done."""
    assert done(photos, tmp_path / "backup", format="webp").succeeded == 2
    after = files(photos)
    assert list(after) == ["a.webp", "2024/b.webp"]
    assert (done(photos, tmp_path / "backup", format="webp").skipped, files(photos)) == ({"up to date": 2}, after)


def test_run_after_an_upgrade_does_nothing(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new engine would encode results a second time: in place it is no reason to."""
    assert done(photos, tmp_path / "backup").succeeded == 2
    monkeypatch.setattr("toolkit.apps.resize.engines.version", lambda choice: "pillow 99")
    assert done(photos, tmp_path / "backup").skipped == {"up to date": 2}


def test_other_settings_are_meant(photos: Path, tmp_path: Path) -> None:
    """With other options, results are pictures like others; each state of a picture is kept, and none is done twice."""
    first = done(photos / "a.png", tmp_path / "backup", format="webp")
    second = done(photos / "a.webp", tmp_path / "backup", format="png", size="10x10")
    third = done(photos, tmp_path / "backup", format="png", size="10x10")
    assert (first.succeeded, second.succeeded, third.succeeded, third.skips) == (1, 1, 1, 1)
    assert set(files(photos)) == {"a.png", "2024/b.png"}
    assert set(files(tmp_path / "backup")) == {"a.png", "a.webp", "2024/b.png"}
    back = done(photos, tmp_path / "backup", format="webp")
    assert back.succeeded == 2
    assert done(photos, tmp_path / "backup", format="webp").skipped == {"up to date": 2}


def test_changed_result_is_a_picture(photos: Path, tmp_path: Path) -> None:
    """What somebody has put in the place of a result is done, and kept first."""
    done(photos / "a.png", tmp_path / "backup", format="webp")
    edited = saved(corners(70, 70), photos / "a.webp", lossless=True).read_bytes()
    assert done(photos / "a.webp", tmp_path / "backup", format="webp").succeeded == 1
    assert size(photos / "a.webp") == (30, 30)
    assert files(tmp_path / "backup")["a.webp"] == edited


def test_single_file_and_its_folder_share_what_is_known(photos: Path, tmp_path: Path) -> None:
    """Whichever is named, the store lies in the folder, and the picture has one key."""
    assert done(photos / "a.png", tmp_path / "backup").succeeded == 1
    summary = done(photos, tmp_path / "backup")
    assert (summary.succeeded, summary.skipped) == (1, {"up to date": 1})


def test_several_folders_may_hold_the_same_names(tmp_path: Path) -> None:
    """Their places below the folder that holds both tell them apart, and in the backups, too."""
    for name in ("x", "y"):
        saved(corners(), tmp_path / "in" / name / "a.png")
    before = files(tmp_path / "in")
    both = [tmp_path / "in/x", tmp_path / "in/y"]
    assert done(both, tmp_path / "backup", format="webp").succeeded == 2
    assert files(tmp_path / "backup") == before
    assert done(both, tmp_path / "backup", format="webp").skipped == {"up to date": 2}


def test_pattern_names_the_same_places(photos: Path, tmp_path: Path) -> None:
    """Pictures named by a pattern are known to a run on the folder."""
    assert done(Path(f"{photos}/*.png"), tmp_path / "backup").succeeded == 1
    assert done(photos, tmp_path / "backup").skipped == {"up to date": 1}


def test_folder_named_by_a_link(photos: Path, tmp_path: Path) -> None:
    """The pictures behind it are done where they are."""
    (tmp_path / "link").symlink_to(photos)
    before = files(photos)
    assert done(tmp_path / "link", tmp_path / "backup", format="webp").succeeded == 2
    assert (files(tmp_path / "backup"), set(files(photos))) == (before, {"a.webp", "2024/b.webp"})


def test_backups_among_the_pictures_are_left_alone(photos: Path, tmp_path: Path) -> None:
    """A folder of backups inside the tree is there, and known, before the first picture is looked for."""
    inside = photos / "2024/originals"
    ResizeApp([str(photos)], photos, ResizeOptions(in_place=True, backup=inside)).prepare()
    assert inside.is_dir()
    assert done(photos, inside).succeeded == 2
    assert done(photos, inside).skipped == {"up to date": 2}
    assert set(files(inside)) == {"a.png", "2024/b.png"}


@pytest.mark.parametrize("backup", ["photos", ".", "link"])
def test_pictures_among_the_backups_are_refused(
    backup: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would be taken for backups already, and be lost; nothing is made or changed."""
    (tmp_path / "link").symlink_to(photos)
    before = files(tmp_path)
    for source in (photos, photos / "a.png", Path(f"{photos}/*.png")):
        with pytest.raises(UsageError, match="lies in it; give a folder of its own"):
            done(source, tmp_path / backup)
    assert files(tmp_path) == before
    assert not (photos / ".toolkit.sqlite").exists()


@pytest.mark.parametrize(
    ("step", "form", "links"),
    [("_keep", "png", True), ("rename", "png", True), ("rename", "png", False), ("rename", "webp", True)],
)
def test_killed_before_the_result_is_there(step: str, form: str, links: bool, photos: Path, tmp_path: Path) -> None:
    """The picture is at its place, and is done by the next run; its backup is there once."""
    original = (photos / "a.png").read_bytes()
    killed(step, photos / "a.png", tmp_path / "backup", form, links=links)
    assert (photos / "a.png").read_bytes() == original
    summary = done(photos, tmp_path / "backup", format=form)
    assert (summary.succeeded, summary.errors) == (2, 0)
    assert set(files(photos)) == {f"a.{form}", f"2024/b.{form}"}
    assert files(tmp_path / "backup")["a.png"] == original
    assert set(files(tmp_path / "backup")) == {"a.png", "2024/b.png"}
    assert done(photos, tmp_path / "backup", format=form).skipped == {"up to date": 2}


@pytest.mark.parametrize(("form", "links"), [("webp", True), ("avif", False)])
def test_killed_while_both_are_there(form: str, links: bool, photos: Path, tmp_path: Path) -> None:
    """A result beside its original, under another name, is not an input; whichever is found first."""
    killed("remove", photos / "a.png", tmp_path / "backup", form, links=links)
    assert set(files(photos)) == {"a.png", f"a.{form}", "2024/b.png"}
    summary = done(photos, tmp_path / "backup", format=form)
    assert (summary.succeeded, summary.skipped) == (2, {"result of a picture that is done again": 1})
    assert set(files(photos)) == {f"a.{form}", f"2024/b.{form}"}
    assert set(files(tmp_path / "backup")) == {"a.png", "2024/b.png"}
    assert done(photos, tmp_path / "backup", format=form).skipped == {"up to date": 2}


@pytest.mark.parametrize("backup", ["backup", "photos/2024/originals"])
def test_killed_when_the_original_had_gone(backup: str, photos: Path, tmp_path: Path) -> None:
    """The result has its name, and no original stands beside: it was claimed before, and is made from the backup."""
    original = (photos / "a.png").read_bytes()
    killed("remove", photos / "a.png", tmp_path / backup, "webp", after=True)
    (result,) = files(photos).keys() - {"2024/b.png", "2024/originals/a.png"}
    assert result == "a.webp"
    assert done(photos, tmp_path / backup, format="webp").succeeded == 2
    assert files(tmp_path / backup)["a.png"] == original
    assert set(files(tmp_path / backup)) == {"a.png", "2024/b.png"}
    assert done(photos, tmp_path / backup, format="webp").skipped == {"up to date": 2}


def test_two_pictures_of_one_name_are_still_refused(photos: Path, tmp_path: Path) -> None:
    """Without a backup of the first, the second is nobody's result."""
    saved(corners(), photos / "a.webp")
    with pytest.raises(UsageError, match=r"would both become a\.webp"):
        done(photos, tmp_path / "backup", format="webp")


@pytest.mark.parametrize("form", ["png", "webp"])
def test_killed_before_it_was_noted(form: str, photos: Path, tmp_path: Path) -> None:
    """The result is there and the store knows nothing of it: it is made again from the original, to the same bytes."""
    whole = _undisturbed(photos, tmp_path, form)
    done(photos / "a.png", tmp_path / "backup", format=form)
    _unnote(photos)
    summary = done(photos, tmp_path / "backup", format=form)
    assert (summary.succeeded, summary.skips) == (2, 0)
    assert files(photos) == whole
    assert set(files(tmp_path / "backup")) == {"a.png", "2024/b.png"}
    assert done(photos, tmp_path / "backup", format=form).skipped == {"up to date": 2}


@pytest.mark.parametrize("name", ["a.png", "a.webp"])
def test_killed_in_a_second_run_with_other_settings(name: str, photos: Path, tmp_path: Path) -> None:
    """What that run has replaced is the first run's result, which has a backup of its own: that is taken."""
    backup, store = tmp_path / "backup", photos / ".toolkit.sqlite"
    if name != "a.png":  # a result that somebody has changed since, and that is a picture of its own
        done(photos / "a.png", backup, format="webp")
        saved(corners(), photos / name)
    done(photos / name, backup, size="60x60")
    before = store.read_bytes()
    done(photos / name, backup, op="invert")
    second = files(photos)[name]
    store.write_bytes(before)
    assert done(photos / name, backup, op="invert").succeeded == 1
    assert files(photos)[name] == second
    assert set(files(backup)) == {"a.png", name, f"{name}.1"}


def test_store_that_was_lost_costs_no_change(photos: Path, tmp_path: Path) -> None:
    """A picture edited since is made from its backup, for no one can tell; but what was there is kept first."""
    done(photos / "a.png", tmp_path / "backup")
    edited = saved(corners(50, 50), photos / "a.png").read_bytes()
    forget(photos)
    assert done(photos / "a.png", tmp_path / "backup").succeeded == 1
    assert files(tmp_path / "backup")["a.png.1"] == edited


def test_row_names_the_place_and_not_the_backup(photos: Path, tmp_path: Path) -> None:
    """A manifest names what was asked for, also when the original had to be fetched from the backups."""
    done(photos / "a.png", tmp_path / "backup")
    forget(photos)
    manifest = tmp_path / "m.jsonl"
    done(photos / "a.png", tmp_path / "backup", manifest=manifest)
    (row,) = map(json.loads, manifest.read_text().splitlines())
    assert (row["input"], row["source_width"], row["outputs"][0]["width"]) == (str(photos / "a.png"), 120, 30)


def test_preview_leaves_nothing_behind(photos: Path, tmp_path: Path) -> None:
    """No name is claimed by a plan that is not carried out."""
    done(photos / "2024", tmp_path / "backup")
    done(photos, tmp_path / "backup", size="80x80", format=None)
    assert list(toolkit.resize.plan(photos, in_place=True, backup=tmp_path / "backup", size="30x30", format="webp"))
    with closing(sqlite3.connect(photos / ".toolkit.sqlite")) as store:
        assert not store.execute("SELECT * FROM names WHERE name LIKE '%.webp'").fetchall()


@pytest.mark.parametrize(("step", "form"), [("rename", "png"), ("remove", "webp")])
def test_killed_when_the_trash_had_the_original(
    step: str, form: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is still kept beside, hidden, and the result is made from it; then that goes."""
    pytest.importorskip("send2trash")
    (tmp_path / "trash").mkdir()
    monkeypatch.setattr("send2trash.send2trash", lambda path: os.rename(path, tmp_path / "trash" / Path(path).name))
    whole = _undisturbed(photos, tmp_path, form)
    killed(step, photos / "a.png", tmp_path / "trash", form, after=True, trash=True)
    assert {f"a.{form}", "2024/b.png"} < set(files(photos))
    summary = toolkit.resize(photos, in_place=True, trash=True, size="30x30", format=form, model="sequential")
    assert (summary.succeeded, summary.errors) == (2, 0)
    assert files(photos) == whole
    assert set(files(tmp_path / "trash")) == {"a.png", "b.png"}


def test_killed_on_the_way_to_the_trash(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture is at its place, and nothing hidden stays beside the result that the next run makes."""
    pytest.importorskip("send2trash")
    (tmp_path / "trash").mkdir()
    monkeypatch.setattr("send2trash.send2trash", lambda path: os.rename(path, tmp_path / "trash" / Path(path).name))
    killed("_to_trash", photos / "a.png", tmp_path / "trash", "png", trash=True)
    assert len(files(photos)) == 4  # both pictures, the original once more, and an unfinished result
    summary = toolkit.resize(photos, in_place=True, trash=True, size="30x30", model="sequential")
    assert (summary.succeeded, set(files(photos))) == (2, {"a.png", "2024/b.png"})


def test_trash_takes_the_originals(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under their own names; nothing hidden is left beside the results."""
    other = pytest.importorskip("send2trash.plat_other")
    monkeypatch.setattr(other, "HOMETRASH", str(tmp_path / "Trash"))
    monkeypatch.setattr(other, "HOMETRASH_B", os.fsencode(tmp_path / "Trash"))
    monkeypatch.setattr(other, "get_dev", lambda path: 1)
    monkeypatch.setattr("send2trash.send2trash", other.send2trash)
    for form in (None, "webp"):
        assert toolkit.resize(photos, in_place=True, trash=True, size="30x", format=form, model="sequential").succeeded
    assert set(files(photos)) == {"a.webp", "2024/b.webp"}
    assert {name for name in files(tmp_path / "Trash/files") if not name.startswith("..")} >= {"a.png", "b.png"}
    assert len(files(tmp_path / "Trash/files")) == 4


def _undisturbed(photos: Path, tmp_path: Path, form: str) -> Bytes:
    copy = tmp_path / "copy"
    shutil.copytree(photos, copy)
    done(copy, tmp_path / "other", format=form)
    return files(copy)


def _unnote(folder: Path) -> None:
    """Make the store forget that anything was done, but not what was claimed before."""
    with closing(sqlite3.connect(folder / ".toolkit.sqlite")) as store, store:
        store.execute("DELETE FROM tasks")


@pytest.mark.parametrize("name", ["a.png", "a" * 240 + ".png"])
def test_killed_between_the_trash_and_the_result(
    name: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing has the picture's name then; the next run gives it back to the original that was kept, and goes on."""
    pytest.importorskip("send2trash")
    (tmp_path / "trash").mkdir()
    (photos / "a.png").rename(photos / name)
    monkeypatch.setattr("send2trash.send2trash", lambda path: os.rename(path, tmp_path / "trash" / Path(path).name))
    killed("_to_trash", photos / name, tmp_path / "trash", "png", after=True, trash=True)
    assert not (photos / name).exists()
    if len(name) > 200:  # there is no room for it in the hidden name: the trash has it, and so has a hidden file
        assert any(path.name.endswith(".original") for path in photos.iterdir())
        return
    summary = toolkit.resize(photos, in_place=True, trash=True, size="30x30", model="sequential")
    assert (summary.succeeded, summary.errors, set(files(photos))) == (2, 0, {name, "2024/b.png"})
    assert size(photos / name) == (30, 20)


def test_original_stays_hidden_where_its_result_stands(photos: Path) -> None:
    """A result with another suffix was made of it: it is no picture to be done again."""
    (photos / "a.png").rename(photos / ".toolkit-original-a.png")
    originals.bring_back(str(photos))
    assert (photos / "a.png").exists()
    (photos / "a.png").rename(photos / ".toolkit-original-a.png")
    (photos / "a.webp").write_bytes(b"result")
    originals.bring_back(str(photos))
    assert not (photos / "a.png").exists()
