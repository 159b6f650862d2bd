"""The plan finds every picture once, and refuses what would lose one, before anything is written."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.apps.resize.making import RED, run, saved
from toolkit.apps.resize.formats import Format
from toolkit.apps.resize.plan import Plan
from toolkit.apps.resize.targets import Target
from toolkit.apps.resize.template import Naming
from toolkit.apps.resize.walk import Finding, Found, Passed, Unreadable
from toolkit.core.errors import FailureKind, UsageError
from toolkit.core.task import Failure, Skip, Success

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff\xe0"


def _file(path: Path, data: bytes = PNG) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


OWN = Naming()


def _planned(sources: Sequence[Path | str], out: Path, naming: Naming = OWN, **choices: Any) -> list[Finding]:
    plan = Plan([str(source) for source in sources], out, naming, **choices)
    found = list(plan)
    assert plan.total == len(found)
    return found


def _targets(sources: Sequence[Path | str], out: Path, wanted: Format | None = None, **naming: Any) -> list[str]:
    found = _planned(sources, out, Naming(**({"formats": (wanted,)} | naming)))
    return [target.name for finding in found if isinstance(finding, Found) for target in finding.targets]


def test_folder_keeps_its_tree(tmp_path: Path) -> None:
    """Folders are walked in the order of names; hidden files and the output folder are left out."""
    photos = tmp_path / "photos"
    for name in ("b.png", "a.png", "2024/x.png", "2024/deep/y.png", ".hidden.png", ".cache/z.png", "thumbs/old.png"):
        _file(photos / name)
    assert _targets([photos], photos / "thumbs") == ["a.png", "b.png", "2024/x.png", "2024/deep/y.png"]


def test_pattern_when_the_shell_did_not_expand_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tree below the fixed part of a pattern is kept; what lies in the output folder is left out."""
    monkeypatch.chdir(tmp_path)
    for name in ("p/a.png", "p/b.txt", "p/x/c.png", "p/out/d.png", "p/.e.png"):
        _file(Path(name))
    assert _targets(["p/*.png"], Path("out")) == ["a.png"]
    assert sorted(_targets(["p/**/*.png"], Path("p/out"))) == ["a.png", "x/c.png"]
    assert sorted(_targets(["p/*"], Path("p/out"))) == ["a.png", "b.txt.png", "x/c.png"]
    assert sorted(_targets(["p/**"], Path("p/out"))) == ["a.png", "b.txt.png", "x/c.png"]


@pytest.mark.parametrize("source", ["nothing.jpg", "no/*.jpg", "empty/*.png"])
def test_source_that_names_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """A file or pattern that names nothing is an error of the command."""
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    with pytest.raises(UsageError, match=r"there is no file|no file matches"):
        _planned([source], tmp_path / "out")


def test_no_sources(tmp_path: Path) -> None:
    """So is naming nothing at all."""
    with pytest.raises(UsageError, match="no pictures were named"):
        _planned([], tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "data", "wanted", "target"),
    [
        ("a.JPG", JPEG, None, "a.JPG"),
        ("a.jpeg", JPEG, "jpeg", "a.jpeg"),
        ("a.jpg", PNG, None, "a.png"),
        ("a.png", JPEG, "webp", "a.webp"),
        ("a", PNG, None, "a.png"),
        ("photo.2024", JPEG, None, "photo.2024.jpg"),
        ("v1.2.png", PNG, "avif", "v1.2.avif"),
        ("a.bmp", b"BM" + b"\0" * 12 + b"\x28\0\0\0", None, "a.png"),
        ("a.tif", b"II*\0", None, "a.tif"),
        ("a.mpo", JPEG, None, "a.jpg"),
    ],
)
def test_name_of_the_result(tmp_path: Path, name: str, data: bytes, wanted: Format | None, target: str) -> None:
    """The suffix changes only where it would not be true."""
    assert _targets([_file(tmp_path / name, data)], tmp_path / "out", wanted) == [target]


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ("a.jpg", "a.png", "webp"),
        ("a.png", "A.PNG", None),
        ("caf\u00e9.png", "cafe\u0301.png", None),
        ("stra\u00dfe.png", "STRASSE.png", None),
        ("x/a.jpg", "x/a.jpeg", "png"),
    ],
)
def test_collision_is_refused(tmp_path: Path, one: str, other: str, wanted: str | None) -> None:
    """Two pictures that would become one file are named before anything is written."""
    for name in (one, other):
        _file(tmp_path / "in" / name, JPEG if name.endswith(("jpg", "jpeg")) else PNG)
    with pytest.raises(UsageError) as caught:
        run([tmp_path / "in"], tmp_path / "out", format=wanted)
    assert Path(one).name in str(caught.value)
    assert Path(other).name in str(caught.value)
    assert "different output folders" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_collision_of_two_folders(tmp_path: Path) -> None:
    """Equal names in two folders collide, also where only what the store knows them by is equal."""
    _file(tmp_path / "a/1.png")
    _file(tmp_path / "b/1.png")
    with pytest.raises(UsageError, match=r"would both become 1\.png"):
        _planned([str(tmp_path / "a"), str(tmp_path / "b")], tmp_path / "out")
    _file(tmp_path / "b/1.png", JPEG)
    with pytest.raises(UsageError, match=r"would both become 1\.png"):
        _planned([str(tmp_path / "a"), str(tmp_path / "b")], tmp_path / "out")


def test_same_picture_named_twice(tmp_path: Path) -> None:
    """A picture that is named twice is done once."""
    a = _file(tmp_path / "in/a.png")
    _file(tmp_path / "in/b.png")
    assert _targets([tmp_path / "in", a, f"{tmp_path}/in/*.png", tmp_path / "in"], tmp_path / "out") == [
        "a.png",
        "b.png",
    ]


def test_source_that_would_replace_itself(tmp_path: Path) -> None:
    """A picture is never replaced by its own result: by the same path, a link or a hard link."""
    a = _file(tmp_path / "in/a.png")
    for source in (tmp_path / "in", a):
        with pytest.raises(UsageError, match="another output folder"):
            _planned([str(source)], tmp_path / "in")
    (tmp_path / "hard").mkdir()
    os.link(a, tmp_path / "hard/a.png")
    (tmp_path / "soft").mkdir()
    os.symlink(a, tmp_path / "soft/a.png")
    for folder in ("hard", "soft"):
        with pytest.raises(UsageError, match="would be replaced by its own result"):
            _planned([str(a)], tmp_path / folder)
    assert _targets([a], tmp_path / "in", "webp") == ["a.webp"]


def test_source_that_another_would_replace(tmp_path: Path) -> None:
    """A result never lands on another picture that was named."""
    _file(tmp_path / "out/old/1.png")
    _file(tmp_path / "in/old/1.png")
    with pytest.raises(UsageError, match=r"in/old/1\.png would replace .*out/old/1\.png"):
        _planned([str(tmp_path / "out/old/1.png"), str(tmp_path / "in")], tmp_path / "out")


def test_links_in_a_circle(tmp_path: Path) -> None:
    """Links to folders are told of and not followed; links to files are pictures like any other."""
    _file(tmp_path / "in/a.png")
    os.symlink(tmp_path / "in", tmp_path / "in/loop")
    os.symlink(tmp_path / "in/a.png", tmp_path / "in/b.png")
    os.symlink(tmp_path / "in/nowhere", tmp_path / "in/c.png")
    found = _planned([str(tmp_path / "in")], tmp_path / "out")
    kinds = {finding.origin: type(finding) for finding in found}
    assert kinds == {"a.png": Found, "b.png": Found, "c.png": Unreadable, "loop": Passed}


def test_what_is_no_picture(tmp_path: Path) -> None:
    """Content tells, not the name: text and pipes are passed over, pictures that we do not read are failures."""
    saved(Image.new("RGB", (8, 8), RED), tmp_path / "in/real.png")
    _file(tmp_path / "in/text.jpg", b"no picture at all")
    _file(tmp_path / "in/empty.jpg", b"")
    _file(tmp_path / "in/camera.cr3", b"\0\0\0\x18ftypcrx \0\0\0\1crx isom")
    _file(tmp_path / "in/art.psd", b"8BPS\0\1")
    os.mkfifo(tmp_path / "in/pipe.jpg")
    outcomes = {outcome.task.key: outcome for outcome in run([tmp_path / "in"], tmp_path / "out")}
    assert isinstance(outcomes["real.png"], Success)
    for name in ("text.jpg", "empty.jpg", "pipe.jpg"):
        skip = outcomes[name]
        assert isinstance(skip, Skip)
        assert skip.reason == "not a picture"
    for name in ("camera.cr3", "art.psd"):
        failed = outcomes[name]
        assert isinstance(failed, Failure)
        assert failed.kind is FailureKind.UNSUPPORTED


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


def test_many_pictures_need_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan holds 8 bytes for each picture, and one folder's names."""
    from toolkit.apps.resize import plan as module

    def many(*_: object, **__: object) -> object:
        return (Found(f"in/{i}.png", f"{i}.png", (Target(f"{i}.png", 0, "png"),), 1, 1) for i in range(200_000))

    (tmp_path / "in").mkdir()
    monkeypatch.setattr(module, "walk", many)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert sum(1 for _ in Plan([str(tmp_path / "in")], tmp_path / "out", OWN)) == 200_000
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 30  # MiB, for a fifth of a million
