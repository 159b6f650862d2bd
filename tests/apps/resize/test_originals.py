"""An original that is replaced or removed is in the backups or the trash first, and nothing is lost on the way."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from multiprocessing.pool import ThreadPool
from pathlib import Path
from threading import Lock

import pytest

from toolkit import storage
from toolkit.apps.resize import originals
from toolkit.core.errors import TaskError

OLD, NEW = b"the original", b"the result"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Return an original in a tree."""
    path = tmp_path / "photos/2024/a.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(OLD)
    return path


@pytest.fixture
def trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of files that were put into a trash of our own."""
    other = pytest.importorskip("send2trash.plat_other")
    monkeypatch.setattr(other, "HOMETRASH", str(tmp_path / "Trash"))
    monkeypatch.setattr(other, "HOMETRASH_B", os.fsencode(tmp_path / "Trash"))
    monkeypatch.setattr(other, "get_dev", lambda path: 1)
    monkeypatch.setattr("send2trash.send2trash", other.send2trash)
    return tmp_path / "Trash/files"


def _replace(path: Path, backup: Path | None, data: bytes = NEW) -> None:
    with originals.replaced(path, "2024/a.jpg", backup) as put_aside, storage.atomic_write(path) as file:
        file.write(data)
        file.flush()
        put_aside()


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_backup_keeps_the_tree(picture: Path, tmp_path: Path) -> None:
    """The original is in the backups under its place, and nothing else is left anywhere."""
    _replace(picture, tmp_path / "backup")
    assert _files(tmp_path) == {"photos/2024/a.jpg": NEW, "backup/2024/a.jpg": OLD}


def test_backup_when_there_is_an_earlier_one(picture: Path, tmp_path: Path) -> None:
    """Backups are numbered: none is ever replaced."""
    for data in (b"1", b"2", b"3"):
        _replace(picture, tmp_path / "backup", data)
    kept = _files(tmp_path / "backup/2024")
    assert kept == {"a.jpg": OLD, "a.jpg.1": b"1", "a.jpg.2": b"2"}


def test_backup_on_a_disk_without_links(picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The original is copied, with its dates; the copy is not made again after a kill."""
    monkeypatch.setattr(os, "link", _no_links)
    os.utime(picture, ns=(1_000_000_000, 2_000_000_000))
    originals._keep(picture, tmp_path / "backup/2024/a.jpg")
    assert (tmp_path / "backup/2024/a.jpg").stat().st_mtime_ns == 2_000_000_000
    _replace(picture, tmp_path / "backup")
    assert _files(tmp_path) == {"photos/2024/a.jpg": NEW, "backup/2024/a.jpg": OLD}


def test_backup_that_leads_out(picture: Path, tmp_path: Path) -> None:
    """No backup lands outside of its folder."""
    with (
        pytest.raises(TaskError, match="outside"),
        originals.replaced(picture, "../a.jpg", tmp_path / "backup") as put_aside,
    ):
        put_aside()
    assert _files(tmp_path) == {"photos/2024/a.jpg": OLD}


def test_nothing_is_there_to_replace(picture: Path, tmp_path: Path) -> None:
    """A result under a new name has nothing to put aside."""
    _replace(picture.with_name("b.jpg"), tmp_path / "backup")
    assert _files(tmp_path) == {"photos/2024/a.jpg": OLD, "photos/2024/b.jpg": NEW}


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("aside", ["backup", "trash"])
def test_failure_changes_nothing(picture: Path, tmp_path: Path, trash: Path, where: str, aside: str) -> None:
    """Whatever fails, before the original was put aside or after, it is at its place as it was."""
    backup = tmp_path / "backup" if aside == "backup" else None
    with pytest.raises(ZeroDivisionError):
        _fail(picture, backup, where)
    assert _files(tmp_path / "photos") == {"2024/a.jpg": OLD}
    assert _files(tmp_path / "backup") == {}


def _fail(picture: Path, backup: Path | None, where: str) -> None:
    with originals.replaced(picture, "2024/a.jpg", backup) as put_aside, storage.atomic_write(picture) as file:
        file.write(NEW)
        if where == "after":
            put_aside()
        raise ZeroDivisionError


def test_trash_takes_the_original(picture: Path, tmp_path: Path, trash: Path) -> None:
    """The original goes into the trash whole, and no second name of it is left."""
    _replace(picture, None)
    assert _files(tmp_path / "photos") == {"2024/a.jpg": NEW}
    assert _files(trash) == {"a.jpg": OLD}


def test_trash_that_refuses(picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An original that the trash does not take is not replaced."""
    pytest.importorskip("send2trash")

    def refuse(path: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("send2trash.send2trash", refuse)
    with pytest.raises(TaskError, match=r"a\.jpg into the trash: Permission denied"):
        _replace(picture, None)
    assert _files(tmp_path) == {"photos/2024/a.jpg": OLD}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' trash finds names by itself")
def test_trash_from_many_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One worker at a time uses the trash: between looking for a free name and taking it, nobody else may."""
    pytest.importorskip("send2trash")
    gate, clashes = Lock(), []

    def slow(path: str) -> None:
        clashes.append(not gate.acquire(blocking=False))
        for _ in range(100):
            os.sched_yield()
        if not clashes[-1]:
            gate.release()

    monkeypatch.setattr("send2trash.send2trash", slow)
    with ThreadPool(4) as pool:
        pool.map(lambda i: originals.remove(tmp_path / f"{i}/a.jpg", "a.jpg", None), range(20))
    assert clashes == [False] * 20


@pytest.mark.parametrize("aside", ["backup", "trash"])
def test_original_of_another_name_goes_last(picture: Path, tmp_path: Path, trash: Path, aside: str) -> None:
    """When a.jpg became a.webp, it moves."""
    originals.remove(picture, "2024/a.jpg", tmp_path / "backup" if aside == "backup" else None)
    assert _files(tmp_path / "photos") == {}
    assert _files(tmp_path / "backup/2024" if aside == "backup" else trash) == {"a.jpg": OLD}


class _Killed(BaseException):
    """Stands for a kill: whatever would change the disk after it raises it again, so that nothing is tidied up."""


def _dying(function: Callable[..., object], left: Iterator[int]) -> Callable[..., object]:
    def step(*args: object, **kwargs: object) -> object:
        if next(left, None) is None:
            raise _Killed
        return function(*args, **kwargs)

    return step


def _no_links(*_: object) -> None:
    raise OSError(errno.EXDEV, "Invalid cross-device link")


@pytest.mark.parametrize("aside", ["backup", "trash", "backup by copies"])
def test_kill_between_any_two_steps(
    picture: Path, tmp_path: Path, trash: Path, monkeypatch: pytest.MonkeyPatch, aside: str
) -> None:
    """At each change of the disk the original is whole somewhere, and doing it again afterwards ends well."""
    names = ("link", "replace", "rename", "unlink", "open", "fsync")
    ended = False
    for steps in count():
        folder = tmp_path / f"backup {steps}"
        backup = None if aside == "trash" else folder
        with monkeypatch.context() as patch:
            left = iter(range(steps))
            for name in names:
                refused = name == "link" and aside == "backup by copies"
                patch.setattr(os, name, _dying(_no_links if refused else getattr(os, name), left))
            with suppress(_Killed):
                _replace(picture, backup)
                ended = True
        kept = [*_files(tmp_path / "photos").values(), *_files(trash if backup is None else folder).values()]
        assert OLD in kept, f"lost at step {steps}"
        if ended:
            break
        if backup is not None:  # a backup leaves the original at its place until the last moment
            assert picture.read_bytes() == OLD
            _replace(picture, backup)
            assert OLD in _files(folder).values()
        picture.write_bytes(OLD)
        shutil.rmtree(trash, ignore_errors=True)
    assert steps >= 3
    assert picture.read_bytes() == NEW


def test_dates_are_kept(picture: Path, tmp_path: Path) -> None:
    """A result gets the times of its picture, to the nanosecond."""
    os.utime(picture, ns=(1_234_567_891_123_456_789, 987_654_321_987_654_321))
    result = tmp_path / "b.jpg"
    result.write_bytes(NEW)
    originals.copy_dates(picture.stat(), result)
    facts = result.stat()
    assert (facts.st_atime_ns, facts.st_mtime_ns) == (1_234_567_891_123_456_789, 987_654_321_987_654_321)
