"""A walk finds every picture once, whatever else there is, and says of the rest why it is left alone."""

from __future__ import annotations

import glob
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.apps.resize.making import RED, run, saved
from tests.apps.resize.planning import JPEG, OWN, PNG, made, planned, results
from toolkit.apps.resize import formats
from toolkit.apps.resize.template import Naming
from toolkit.apps.resize.walk import LINK_IN_PLACE, Finding, Found, Passed, Unreadable, roots, walk
from toolkit.core.errors import FailureKind, UsageError
from toolkit.core.task import Failure, Skip, Success


def test_folder_keeps_its_tree(tmp_path: Path) -> None:
    """Folders are walked in the order of names; hidden files and the output folder are left out."""
    photos = tmp_path / "photos"
    for name in ("b.png", "a.png", "2024/x.png", "2024/deep/y.png", ".hidden.png", ".cache/z.png", "thumbs/old.png"):
        made(photos / name)
    assert results([photos], photos / "thumbs") == ["a.png", "b.png", "2024/x.png", "2024/deep/y.png"]


def test_pattern_when_the_shell_did_not_expand_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tree below the fixed part of a pattern is kept; what lies in the output folder is left out."""
    monkeypatch.chdir(tmp_path)
    for name in ("p/a.png", "p/b.txt", "p/x/c.png", "p/out/d.png", "p/.e.png"):
        made(Path(name))
    assert results(["p/*.png"], Path("out")) == ["a.png"]
    assert sorted(results(["p/**/*.png"], Path("p/out"))) == ["a.png", "x/c.png"]
    assert sorted(results(["p/*"], Path("p/out"))) == ["a.png", "b.txt.png", "x/c.png"]
    assert sorted(results(["p/**"], Path("p/out"))) == ["a.png", "b.txt.png", "x/c.png"]


def test_pattern_when_results_are_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers are given in the order of names, whatever order the file system has."""
    for name in "abc":
        made(tmp_path / "p" / f"{name}.png")
    monkeypatch.setattr(glob, "iglob", lambda *_, **__: (f"{tmp_path}/p/{name}.png" for name in "cab"))
    assert results([f"{tmp_path}/p/*.png"], tmp_path / "out", template="{index}{stem}") == [
        "1a.png",
        "2b.png",
        "3c.png",
    ]


@pytest.mark.parametrize("source", ["nothing.jpg", "no/*.jpg", "empty/*.png"])
def test_source_that_names_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """A file or pattern that names nothing is an error of the command."""
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    with pytest.raises(UsageError, match=r"there is no file|no file matches"):
        planned([source], tmp_path / "out")


def test_no_sources(tmp_path: Path) -> None:
    """So is naming nothing at all."""
    with pytest.raises(UsageError, match="no pictures were named"):
        planned([], tmp_path / "out")


def test_links_in_a_circle(tmp_path: Path) -> None:
    """Links to folders are told of and not followed; links to files are pictures like any other."""
    made(tmp_path / "in/a.png")
    os.symlink(tmp_path / "in", tmp_path / "in/loop")
    os.symlink(tmp_path / "in/a.png", tmp_path / "in/b.png")
    os.symlink(tmp_path / "in/nowhere", tmp_path / "in/c.png")
    found = planned([str(tmp_path / "in")], tmp_path / "out")
    kinds = {finding.origin: type(finding) for finding in found}
    assert kinds == {"a.png": Found, "b.png": Found, "c.png": Unreadable, "loop": Passed}


def test_what_is_no_picture(tmp_path: Path) -> None:
    """Other files and pipes are passed over; pictures that we do not read are failures."""
    saved(Image.new("RGB", (8, 8), RED), tmp_path / "in/real.png")
    made(tmp_path / "in/notes.txt", b"no picture at all")
    made(tmp_path / "in/empty", b"")
    made(tmp_path / "in/old.tga", b"no picture that is read")
    made(tmp_path / "in/camera.cr3", b"\0\0\0\x18ftypcrx \0\0\0\1crx isom")
    made(tmp_path / "in/art.psd", b"8BPS\0\1")
    os.mkfifo(tmp_path / "in/pipe.jpg")
    outcomes = {outcome.task.key: outcome for outcome in run([tmp_path / "in"], tmp_path / "out")}
    assert isinstance(outcomes["real.png"], Success)
    for name in ("notes.txt", "empty", "old.tga", "pipe.jpg"):
        skip = outcomes[name]
        assert isinstance(skip, Skip)
        assert skip.reason == "not a picture"
    for name in ("camera.cr3", "art.psd"):
        failed = outcomes[name]
        assert isinstance(failed, Failure)
        assert failed.kind is FailureKind.UNSUPPORTED


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is empty"),
        (bytes(5000), "it is no picture, or damaged at its start"),
        (b"<html>not found</html>", "it is no picture, or damaged at its start"),
    ],
)
def test_what_is_named_as_a_picture(tmp_path: Path, data: bytes, words: str) -> None:
    """It is a failure if it is none, not passed over: a photograph that a disk has lost must not go unnoticed."""
    made(tmp_path / "in/a.JPG", data)
    (failed,) = run([tmp_path / "in"], tmp_path / "out")
    assert isinstance(failed, Failure)
    assert (failed.kind, failed.message) == (FailureKind.INPUT, f"the name is a picture's, but {words}")


def test_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a failure in the report, and the rest goes on."""
    saved(Image.new("RGB", (8, 8), RED), tmp_path / "in/a.png")
    (tmp_path / "in/locked").mkdir()
    listdir = os.listdir

    def refuse(path: str) -> list[str]:
        if path.endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refuse)
    first, second = run([tmp_path / "in"], tmp_path / "out")
    assert isinstance(first, Success)
    assert isinstance(second, Failure)
    assert (second.kind, second.task.key) == (FailureKind.INPUT, "locked")
    assert "Permission denied" in second.message


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    """Any name that the file system has is done, and its key and record are text that a store can take."""
    folder = os.fsencode(tmp_path / "in")
    os.mkdir(folder)
    image = Image.new("RGB", (8, 8), RED)
    image.save(tmp_path / "plain.png")
    os.rename(tmp_path / "plain.png", os.path.join(folder, b"caf\xe9 \n.png"))
    (outcome,) = run([tmp_path / "in"], tmp_path / "out", size="4x4")
    assert isinstance(outcome, Success)
    outcome.task.key.encode()
    assert os.listdir(os.fsencode(tmp_path / "out")) == [b"caf\xe9 \n.png"]


def _walked(folder: Path, **choices: Any) -> dict[str, Finding]:
    found = walk(roots([str(folder)]), folder.parent / "out", choices.pop("naming", OWN), **choices)
    return {finding.origin: finding for finding in found}


def test_link_to_itself_and_name_that_is_gone(tmp_path: Path) -> None:
    """What cannot be opened is a failure of its own."""
    made(tmp_path / "in/a.png")
    os.symlink("itself.png", tmp_path / "in/itself.png")
    found = _walked(tmp_path / "in")
    assert isinstance(found["a.png"], Found)
    assert isinstance(found["itself.png"], Unreadable)


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems take these for one")
def test_names_that_differ_by_case_or_normal_form(tmp_path: Path) -> None:
    """They are found, each; whether their results may lie side by side, the plan decides."""
    names = {"a.png", "A.png", "caf\u00e9.png", "cafe\u0301.png"}
    for name in names:
        made(tmp_path / "in" / name)
    assert set(_walked(tmp_path / "in")) == names


def test_folders_left_out(tmp_path: Path) -> None:
    """Whatever way they are named by, also where a pattern names the pictures; not folders with such a name."""
    for name in ("a.png", "backup/b.png", "x/backup/c.png"):
        made(tmp_path / "in" / name)
    os.symlink(tmp_path / "in/backup", tmp_path / "link")
    assert set(_walked(tmp_path / "in", exclude=[tmp_path / "link"])) == {"a.png", "x/backup/c.png"}
    found = walk(roots([f"{tmp_path}/in/**/*.png"]), tmp_path / "out", OWN, exclude=[tmp_path / "in/backup"])
    assert {finding.origin for finding in found} == {"a.png", "x/backup/c.png"}


def test_pictures_that_need_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is what to do: install an extra, or ask for a decoder."""
    made(tmp_path / "in/a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    made(tmp_path / "in/b.psd", b"8BPS\0\1")
    monkeypatch.setattr(formats, "missing", lambda kind: kind if kind == "heic" else None)
    found = _walked(tmp_path / "in")
    messages = {name: (one.message, one.unsupported) for name, one in found.items() if isinstance(one, Unreadable)}
    assert messages == {
        "a.heic": ("HEIC pictures need: pip install 'toolkit[heic]'", True),
        "b.psd": ("psd pictures are read only if asked for: --also-read psd", True),
    }
    monkeypatch.setattr(formats, "missing", lambda kind: None)
    found = _walked(tmp_path / "in", also=frozenset({"psd"}))
    assert [type(one) for one in found.values()] == [Found, Found]


def test_size_is_told_where_it_is_asked_for(tmp_path: Path) -> None:
    """Width and height are of the second walk: the first need not read so much."""
    saved(Image.new("RGB", (30, 20), RED), tmp_path / "in/a.png")
    made(tmp_path / "in/broken.png", PNG)
    sizes = [
        {name: (one.width, one.height) for name, one in _walked(tmp_path / "in", measure=measure).items()}  # type: ignore[union-attr]
        for measure in (False, True)
    ]
    assert sizes == [{"a.png": (0, 0), "broken.png": (0, 0)}, {"a.png": (30, 20), "broken.png": (0, 0)}]
    assert [(one.width, one.height) for one in planned([tmp_path / "in/a.png"], tmp_path / "out")] == [(30, 20)]  # type: ignore[union-attr]


def test_links_in_place(tmp_path: Path) -> None:
    """A link is not replaced by a file, nor is what it leads to."""
    made(tmp_path / "in/a.jpg", JPEG)
    os.symlink(tmp_path / "in/a.jpg", tmp_path / "in/b.jpg")
    found = walk(roots([str(tmp_path / "in")]), tmp_path / "in", Naming(beside=True))
    assert [one.reason if isinstance(one, Passed) else one.origin for one in found] == ["a.jpg", LINK_IN_PLACE]


def test_source_outside_of_the_place_it_would_be_written_to(tmp_path: Path) -> None:
    """In place means where the pictures are."""
    made(tmp_path / "in/a.png")
    (found,) = walk(roots([str(tmp_path / "in")]), tmp_path / "other", Naming(beside=True))
    assert isinstance(found, Unreadable)
    assert "lies outside of" in found.message


def test_name_that_gets_too_long(tmp_path: Path) -> None:
    """It is the failure of that picture, told before anything is made."""
    made(tmp_path / "in" / ("x" * 251 + ".png"))
    made(tmp_path / "in/y.png")
    found = list(_walked(tmp_path / "in", naming=Naming(labels=("320", "640"))).values())
    assert [type(one) for one in found] == [Unreadable, Found]
    assert "259 bytes" in found[0].message  # type: ignore[union-attr]
