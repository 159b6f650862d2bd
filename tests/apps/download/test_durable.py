"""What is on the disk, and when; and the time that a file has."""

from __future__ import annotations

import os
import random
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import toolkit
from tests.apps.download.stage import Asked, Stage
from toolkit.apps.download.fetch import Fetched
from toolkit.apps.download.part import Part
from toolkit.apps.download.resume import Partial
from toolkit.core.task import Success

SMALL = bytes(5000)
LARGE = random.Random(9).randbytes(5_000_000)
MODIFIED = "Sat, 01 Mar 2025 10:00:00 GMT"
THEN = 1740823200


def scene(asked: Asked) -> None:
    """Serve a small or a large file."""
    asked.serve(SMALL if asked.path.startswith("/small") else LARGE, '"1"', Last_Modified=MODIFIED)


@pytest.fixture
def url() -> Iterator[str]:
    """Return the address of a server."""
    with Stage(scene) as stage:
        yield stage.url


def named(asked: Asked) -> None:
    """Serve a file under a name of the server's own."""
    fields = {"Last_Modified": MODIFIED, "Content_Disposition": 'attachment; filename="own.bin"'}
    asked.serve(SMALL if asked.path.startswith("/small") else LARGE, '"1"', **fields)


def fetched(url: str, out: Path, **options: Any) -> Fetched:
    """Download one file, which must succeed."""
    (found,) = list(toolkit.download.stream([url], out, model="threads", **options))
    assert isinstance(found, Success), found
    assert isinstance(found.value, Fetched)
    return found.value


def lay(out: Path, url: str, spans: tuple[tuple[int, int, int], ...] = ()) -> None:
    """Leave a part of the large file, as a run that was killed would."""
    out.mkdir()
    part = Part(out, url)
    size = len(LARGE) if spans else 2_000_000
    part.path.write_bytes(LARGE[:size])
    part.remember(Partial(url, '"1"', len(LARGE), spans=spans))


HOLES = ((0, 2_000_000, 3_000_000), (3_000_000, 3_500_000, len(LARGE)))


class Steps:
    """What is told to the system about the disk, in order: "sync NAME" and "name NAME"."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps: list[str] = []
        self._names: dict[tuple[int, int], str] = {}
        monkeypatch.setattr(os, "fsync", self._syncing("sync", os.fsync))
        monkeypatch.setattr(os, "fdatasync", self._syncing("data", os.fdatasync))
        monkeypatch.setattr(os, "replace", self._naming(os.replace))

    def _syncing(self, word: str, whole: Callable[[int], None]) -> Callable[[int], None]:
        def sync(file: int) -> None:
            path = os.readlink(f"/proc/self/fd/{file}")
            kind = "folder" if stat.S_ISDIR(os.fstat(file).st_mode) else "file"
            self.steps.append(f"{word} {kind} {os.path.basename(path)}")
            whole(file)

        return sync

    def _naming(self, whole: Callable[[str, str], None]) -> Callable[[str, str], None]:
        def replace(old: str, new: str) -> None:
            self.steps.append(f"name {os.path.basename(new)}")
            whole(old, new)

        return replace

    def of(self, out: Path, url: str) -> list[str]:
        """Return the steps, with the part called PART; notes are left out."""
        part = Part(out, url).path.name
        return [step.replace(part, "PART") for step in self.steps if ".json" not in step]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """Return what is told to the system."""
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("names of open files are looked up in /proc")
    return Steps(monkeypatch)


@pytest.mark.parametrize("name", ["small", "large"])
def test_fsync_comes_before_the_name_and_again_after_it(tmp_path: Path, url: str, steps: Steps, name: str) -> None:
    """The bytes are on the disk before the final name is, and the folder's new name before the file is told of."""
    fetched(url + name, tmp_path, fsync=True, segments=1)
    ends = steps.of(tmp_path, url + name)
    assert ends == ["sync file PART", f"name {name}", f"sync folder {tmp_path.name}"]


@pytest.mark.parametrize("name", ["small", "large"])
def test_fsync_reaches_folders_that_are_new(tmp_path: Path, url: str, steps: Steps, name: str) -> None:
    """A file is only there if the folders on the way to it are."""
    target = f"{url}{name}/a/b"
    fetched(target, tmp_path, fsync=True, segments=1, name_template="x/y/{name}")
    assert steps.of(tmp_path, target)[-5:] == [
        "name b", "name b", "sync folder y", "sync folder x", f"sync folder {tmp_path.name}",
    ]  # fmt: skip


def test_fsync_of_segments_comes_before_each_note(tmp_path: Path, url: str, steps: Steps) -> None:
    """A note never tells of bytes that a power cut could take."""
    lay(tmp_path / "out", url + "large", HOLES)
    steps.steps.clear()
    assert fetched(url + "large", tmp_path / "out", fsync=True).resumed == 2_500_000
    part = Part(tmp_path / "out", url + "large").path.name
    assert steps.of(tmp_path / "out", url + "large")[-3:] == ["sync file PART", "name large", "sync folder out"]
    notes = [number for number, step in enumerate(steps.steps) if step == f"name {part}.json"]
    assert notes
    assert all(steps.steps[number - 1] == f"data file {part}" for number in notes)


@pytest.mark.parametrize("name", ["small", "large"])
def test_fsync_comes_before_a_name_of_the_servers_too(tmp_path: Path, steps: Steps, name: str) -> None:
    """Where the name is given later, by another."""
    with Stage(named) as stage:
        assert fetched(stage.url + name, tmp_path, fsync=True, segments=1).name == "own.bin"
        done = steps.of(tmp_path, stage.url + name)
    assert done.index("sync file PART") < done.index("name own.bin") < len(done) - 1
    assert done[-1] == f"sync folder {tmp_path.name}"


def test_nothing_waits_for_the_disk_unless_told(tmp_path: Path, url: str, steps: Steps) -> None:
    """It is an option, since it costs."""
    fetched(url + "small", tmp_path)
    fetched(url + "large", tmp_path)
    assert not [step for step in steps.steps if "sync" in step or "data" in step]


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("how", ["small", "large", "resumed", "segments", "named"])
def test_files_have_the_servers_time_unless_told(tmp_path: Path, url: str, how: str, kept: bool) -> None:
    """However they came."""
    out, target = tmp_path / "out", url + ("small" if how == "small" else "large")
    before = time.time() - 2
    if how in ("resumed", "segments"):
        lay(out, target, HOLES if how == "segments" else ())
    if how == "named":
        with Stage(named) as stage:
            value = fetched(stage.url + "large", out, no_mtime=not kept)
    else:
        value = fetched(target, out, no_mtime=not kept)
    assert value.resumed == {"resumed": 2_000_000, "segments": 2_500_000}.get(how, 0)
    found = (out / value.name).stat().st_mtime
    assert (found == THEN) if kept else (before <= found <= time.time() + 2)


@pytest.mark.parametrize("date", ["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "yesterday", "0"])
def test_odd_times_fail_no_file(tmp_path: Path, date: str) -> None:
    """What the file system cannot hold, or nobody can read, is passed over."""
    with Stage(lambda asked: asked.serve(SMALL, '"1"', Last_Modified=date)) as stage:
        assert fetched(stage.url + "f", tmp_path).bytes == len(SMALL)
    assert (tmp_path / "f").read_bytes() == SMALL
