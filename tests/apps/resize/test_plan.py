"""The plan names every result once, and refuses what would lose a picture, before anything is written."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from tests.apps.resize.planning import JPEG, OWN, PNG, made, planned, results
from toolkit.apps.resize.formats import Format
from toolkit.apps.resize.plan import Plan, home
from toolkit.apps.resize.targets import Target
from toolkit.apps.resize.template import Naming
from toolkit.apps.resize.walk import Found
from toolkit.core.errors import UsageError


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
    assert results([made(tmp_path / name, data)], tmp_path / "out", wanted) == [target]


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
def test_collision_is_refused(tmp_path: Path, one: str, other: str, wanted: Format | None) -> None:
    """Two pictures that would become one file are named before anything is written."""
    for name in (one, other):
        made(tmp_path / "in" / name, JPEG if name.endswith(("jpg", "jpeg")) else PNG)
    with pytest.raises(UsageError) as caught:
        results([tmp_path / "in"], tmp_path / "out", wanted)
    assert Path(one).name in str(caught.value)
    assert Path(other).name in str(caught.value)
    assert "different output folders" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_collision_of_two_folders(tmp_path: Path) -> None:
    """Equal names in two folders collide, also where only what the store knows them by is equal."""
    made(tmp_path / "a/1.png")
    made(tmp_path / "b/1.png")
    with pytest.raises(UsageError, match=r"would both become 1\.png"):
        planned([str(tmp_path / "a"), str(tmp_path / "b")], tmp_path / "out")
    made(tmp_path / "b/1.png", JPEG)
    with pytest.raises(UsageError, match=r"would both become 1\.png"):
        planned([str(tmp_path / "a"), str(tmp_path / "b")], tmp_path / "out")


def test_same_picture_named_twice(tmp_path: Path) -> None:
    """A picture that is named twice is done once."""
    a = made(tmp_path / "in/a.png")
    made(tmp_path / "in/b.png")
    assert results([tmp_path / "in", a, f"{tmp_path}/in/*.png", tmp_path / "in"], tmp_path / "out") == [
        "a.png",
        "b.png",
    ]


def test_source_that_would_replace_itself(tmp_path: Path) -> None:
    """A picture is never replaced by its own result: by the same path, a link or a hard link."""
    a = made(tmp_path / "in/a.png")
    for source in (tmp_path / "in", a):
        with pytest.raises(UsageError, match="another output folder"):
            planned([str(source)], tmp_path / "in")
    (tmp_path / "hard").mkdir()
    os.link(a, tmp_path / "hard/a.png")
    (tmp_path / "soft").mkdir()
    os.symlink(a, tmp_path / "soft/a.png")
    for folder in ("hard", "soft"):
        with pytest.raises(UsageError, match="would be replaced by its own result"):
            planned([str(a)], tmp_path / folder)
    assert results([a], tmp_path / "in", "webp") == ["a.webp"]


def test_source_that_another_would_replace(tmp_path: Path) -> None:
    """A result never lands on another picture that was named."""
    made(tmp_path / "out/old/1.png")
    made(tmp_path / "in/old/1.png")
    with pytest.raises(UsageError, match=r"in/old/1\.png would replace .*out/old/1\.png"):
        planned([str(tmp_path / "out/old/1.png"), str(tmp_path / "in")], tmp_path / "out")


def test_many_pictures_need_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan holds 8 bytes for each picture, and one folder's names."""
    from toolkit.apps.resize import plan as module

    def many(*_: object, **__: object) -> object:
        return (Found(f"in/{i}.png", f"{i}.png", (Target(f"{i}.png", 0, "png"),), 1, 1) for i in range(100_000))

    (tmp_path / "in").mkdir()
    monkeypatch.setattr(module, "walk", many)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert sum(1 for _ in Plan([str(tmp_path / "in")], tmp_path / "out", OWN)) == 100_000
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 12  # MiB, for a tenth of a million


def test_several_results_of_one_picture(tmp_path: Path) -> None:
    """Sizes times formats, all of them of one finding."""
    made(tmp_path / "in/x/a.png")
    naming = Naming(labels=("320", "640"), formats=("avif", "webp"))
    (found,) = planned([tmp_path / "in"], tmp_path / "out", naming)
    assert isinstance(found, Found)
    assert [target.name for target in found.targets] == [
        "x/a-320.avif",
        "x/a-320.webp",
        "x/a-640.avif",
        "x/a-640.webp",
    ]


def test_collision_of_one_result_of_several(tmp_path: Path) -> None:
    """Each name of each picture is compared with those of all others."""
    made(tmp_path / "in/a.png")
    made(tmp_path / "in/A-640.webp", b"RIFF....WEBPVP8 ")
    with pytest.raises(UsageError, match=r"would both become a-640\.webp"):
        results([tmp_path / "in"], tmp_path / "out", labels=("640", ""), formats=("webp",))
    with pytest.raises(UsageError, match=r"A-640\.webp and .*a\.png would both become a-640\.avif"):
        results([tmp_path / "in"], tmp_path / "out", labels=("", "640"), formats=("avif", "webp"))


@pytest.mark.parametrize(
    ("naming", "lacking"),
    [
        ({"template": "{stem}.{ext}", "labels": ("1", "2")}, r"{size}"),
        ({"labels": ("320", "320")}, r"{size}"),
        ({"template": "{stem}-{size}", "labels": ("a?", "a*")}, r"{size}"),
    ],
)
def test_template_that_does_not_tell_results_apart(tmp_path: Path, naming: dict[str, object], lacking: str) -> None:
    """The field that is missing is named."""
    made(tmp_path / "in/a.png")
    with pytest.raises(UsageError) as caught:
        planned([tmp_path / "in"], tmp_path / "out", Naming(**naming))  # type: ignore[arg-type]
    assert f"--name-template needs {lacking}" in str(caught.value)
    assert "a.png" in str(caught.value)


def test_template_that_does_not_tell_pictures_apart(tmp_path: Path) -> None:
    """Without the folder, equal names collide; with a running number they do not, and its order is that of the walk."""
    for name in ("x/a.png", "y/a.png", "y/b.png"):
        made(tmp_path / "in" / name)
    with pytest.raises(UsageError, match=r"x/a\.png and .*y/a\.png would both become a\.png"):
        results([tmp_path / "in"], tmp_path / "out", template="{stem}")
    assert results([tmp_path / "in"], tmp_path / "out", template="{index:03}") == ["001.png", "002.png", "003.png"]


def test_same_picture_named_twice_with_numbers(tmp_path: Path) -> None:
    """It is done once, though it would get two numbers."""
    made(tmp_path / "in/a.png")
    made(tmp_path / "in/b.png")
    named = [tmp_path / "in", tmp_path / "in", tmp_path / "in/b.png"]
    assert results(named, tmp_path / "out", template="{index}-{stem}") == ["1-a.png", "2-b.png"]


def test_sources_inside_the_output_folder(tmp_path: Path) -> None:
    """That is allowed, unless a result would lie among the sources, and be an input the next time."""
    photos = tmp_path / "photos"
    made(photos / "raw/a.png")
    assert results([photos / "raw"], photos) == ["a.png"]
    assert results([f"{photos}/raw/*.png"], photos) == ["a.png"]
    made(photos / "raw/raw/b.png")
    with pytest.raises(UsageError, match="would lie among the sources"):
        results([photos / "raw"], photos)
    with pytest.raises(UsageError, match="would lie among the sources"):
        results([photos / "raw"], photos, template="RAW/new/{stem}")


def test_in_place(tmp_path: Path) -> None:
    """Results lie beside their pictures, below the folder that holds all of them; backups are left out."""
    made(tmp_path / "p/2024/a.png")
    made(tmp_path / "p/2024/backup/a.png")
    b = made(tmp_path / "q/b.jpg", JPEG)
    sources = [tmp_path / "p", b]
    assert home([str(source) for source in sources]) == tmp_path.resolve()
    assert home([str(tmp_path / "p")]) == (tmp_path / "p").resolve()
    assert home([f"{tmp_path}/p/*/a.*"]) == (tmp_path / "p").resolve()
    naming, backup = Naming(beside=True), tmp_path / "p/2024/backup"
    found = planned(sources, tmp_path, naming, exclude=[backup])
    names = [target.name for one in found if isinstance(one, Found) for target in one.targets]
    assert names == ["p/2024/a.png", "q/b.jpg"]
    found = planned([tmp_path / "p"], tmp_path / "p", Naming(beside=True, formats=("webp",)), exclude=[backup])
    assert [target.name for one in found if isinstance(one, Found) for target in one.targets] == ["2024/a.webp"]


def test_in_place_when_a_result_would_replace_another_picture(tmp_path: Path) -> None:
    """Only its own picture may be replaced; and one picture becomes one file."""
    made(tmp_path / "a.png")
    made(tmp_path / "a.jpg", JPEG)
    with pytest.raises(UsageError, match=r"would replace .*a\.png|would both become"):
        planned([tmp_path], tmp_path, Naming(beside=True, formats=("png",)))
    for naming in (Naming(beside=True, labels=("1", "2")), Naming(beside=True, formats=("webp", None))):
        with pytest.raises(UsageError, match="give one size and one format"):
            planned([tmp_path], tmp_path, naming)


@pytest.mark.parametrize("taken", ["out/b.png", "out/B.PNG", "in/b.png", "in/x/../b.png"])
def test_report_that_would_be_a_picture(tmp_path: Path, taken: str) -> None:
    """A report or contact sheet is not written over a result or a source."""
    made(tmp_path / "in/a.png")
    made(tmp_path / "in/b.png")
    (tmp_path / "in/x").mkdir()
    with pytest.raises(UsageError, match="too: write it elsewhere"):
        planned([tmp_path / "in"], tmp_path / "out", reserved=[tmp_path / "c.png", tmp_path / taken])
    planned([tmp_path / "in"], tmp_path / "out", reserved=[tmp_path / "c.png"])


def test_collision_of_two_names_of_one_file(tmp_path: Path) -> None:
    """Two names of one file are two pictures if their results differ, and may not share one of several."""
    os.link(made(tmp_path / "in/a.png"), tmp_path / "in/a-1.png")
    assert results([tmp_path / "in"], tmp_path / "out") == ["a-1.png", "a.png"]
    with pytest.raises(UsageError, match=r"would both become a-1-1\.png"):
        results([tmp_path / "in"], tmp_path / "out", labels=("1", "1-1"))
