"""Changes of real files are told of once, when they have come to rest, and none is lost."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from toolkit import watching
from toolkit.core.errors import MissingExtra, UsageError

watchfiles = pytest.importorskip("watchfiles")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder to watch."""
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


def _watched(*sources: Path | str, stop: Event, exclude: tuple[Path, ...] = ()) -> Iterator[None]:
    return watching.changes([str(source) for source in sources], exclude=exclude, stop=stop, debounce_ms=60)


def _count_to_stop(signals: Iterator[None], stop: Event) -> int:
    stop.set()
    return sum(1 for _ in signals)


def test_burst_is_one_signal(photos: Path) -> None:
    """Many files that come together are one signal; it ends when it is told to stop."""
    stop = Event()
    signals = _watched(photos, stop=stop)
    for i in range(50):
        (photos / f"{i}.jpg").write_bytes(b"x")
    next(signals)
    assert _count_to_stop(signals, stop) == 0


def test_change_while_nobody_waits(photos: Path) -> None:
    """Changes before the first wait, and while the last signal is worked on, are told of."""
    stop = Event()
    signals = _watched(photos, stop=stop)
    for name in ("before.jpg", "meanwhile.jpg", "later.jpg"):
        (photos / name).write_bytes(b"x")
        next(signals)
    stop.set()


def test_new_folder_is_watched(photos: Path) -> None:
    """A folder that comes is a change; and what comes into it later, too."""
    stop = Event()
    signals = _watched(photos, stop=stop)
    (photos / "new/deep").mkdir(parents=True)
    next(signals)
    (photos / "new/deep/a.jpg").write_bytes(b"x")
    next(signals)
    (photos / "new/deep/a.jpg").rename(photos / "b.jpg")
    next(signals)
    stop.set()


def test_file_that_an_editor_replaces(photos: Path) -> None:
    """A file by itself is watched by its name, not by what has that name just now; its folder is not looked through."""
    stop = Event()
    (photos / "a.jpg").write_bytes(b"1")
    signals = _watched(photos / "a.jpg", stop=stop)
    for _ in range(3):
        (photos / "new.jpg").write_bytes(b"2")
        os.replace(photos / "new.jpg", photos / "a.jpg")
        next(signals)
    stop.set()


def test_pattern_and_link(photos: Path, tmp_path: Path) -> None:
    """The folder that a pattern starts from is watched, also by way of a link."""
    os.symlink(photos, tmp_path / "link")
    stop = Event()
    signals = _watched(f"{tmp_path}/link/**/*.jpg", stop=stop)
    (photos / "a.jpg").write_bytes(b"x")
    next(signals)
    stop.set()


def test_burst_that_never_rests(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where files come all the time, there is a signal now and then all the same."""
    moments = iter(range(100))
    monkeypatch.setattr(time, "monotonic", lambda: next(moments) / 10)
    scope = watching._scope([str(photos)], ())
    ticks = (({(watchfiles.Change.added, str(photos / f"{i}.jpg"))},) for i in range(90))
    assert sum(1 for _ in watching._bursts(ticks, scope, 0.15, pending=False)) == 2


@pytest.mark.parametrize(
    ("place", "counts"),
    [
        ("a.jpg", True),
        ("2024/no suffix", True),
        ("2024", True),
        ("out", False),
        ("out/a.jpg", False),
        ("outer/a.jpg", True),
        ("report.html", False),
        (".toolkit.sqlite-wal", False),
        ("2024/.toolkit-0123.tmp", False),
        (".git/a.jpg", False),
        ("a.jpg.part", False),
        ("a.jpg~", False),
        ("../elsewhere/a.jpg", False),
    ],
)
def test_what_counts(photos: Path, place: str, counts: bool) -> None:
    """What the run writes itself, and hidden and temporary files, are no reason to run again."""
    scope = watching._scope([str(photos)], [photos / "out", photos / "report.html"])
    assert scope.has(os.path.normpath(photos / place)) is counts


def test_file_that_goes(photos: Path) -> None:
    """Where a file went, nothing is left to do."""
    scope = watching._scope([str(photos)], ())
    assert not scope.any_of({(watchfiles.Change.deleted, str(photos / "a.jpg"))})
    assert scope.any_of({(watchfiles.Change.modified, str(photos / "a.jpg"))})


def test_interrupt_ends_it(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while waiting is the end, and no error."""

    def interrupted(*_: object, **__: object) -> Iterator[set[object]]:
        yield set()
        raise KeyboardInterrupt

    monkeypatch.setattr(watchfiles, "watch", interrupted)
    assert list(_watched(photos, stop=Event())) == []


def test_stop_before_the_start(photos: Path) -> None:
    """A stop that comes first is kept to."""
    stop = Event()
    stop.set()
    assert list(_watched(photos, stop=stop)) == []


def test_folder_that_cannot_be_watched(tmp_path: Path) -> None:
    """It is an error of the command."""
    with pytest.raises(UsageError, match="cannot watch"):
        _watched(tmp_path / "nothing", stop=Event())


def test_library_is_not_there(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the message is the pip command."""
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    with pytest.raises(MissingExtra, match=r"pip install 'toolkit\[watch\]'"):
        _watched(photos, stop=Event())
