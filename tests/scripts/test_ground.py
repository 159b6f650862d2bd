"""Where benchmarks write: a new folder for each run, enough room, and nothing deleted that slows the next one down."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from _ground import SLOW, SPARE, TRIES, Ground, Need, Plot, check, kind, needed
from _rows import ROWS
from _site import SHELVES, build, site

from toolkit.core.errors import UsageError


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """Return a ground on a disk, whatever the tests' own folder is on."""
    made = Ground(tmp_path)
    made.in_memory = False
    return made


def test_each_plot_is_new_and_empty(ground: Ground) -> None:
    """No two runs have a folder in common, and what tried a plot out is not in it."""
    plots = [ground.new() for _ in range(5)]
    assert len({plot.place for plot in plots}) == 5
    assert all(not list(plot.out.iterdir()) and not list(plot.logs.iterdir()) for plot in plots)
    assert all(plot.pace > 0 for plot in plots)


@pytest.mark.parametrize(
    ("many", "in_memory", "stays"), [(True, False, True), (False, False, False), (True, True, False)]
)
def test_many_files_stay_except_in_memory(ground: Ground, many: bool, in_memory: bool, stays: bool) -> None:
    """Only deletions of many files, on a disk, would cost the next run anything."""
    ground.in_memory = in_memory
    plot = ground.new()
    (plot.out / "file").touch()
    ground.leave(plot, many=many)
    assert plot.place.exists() == stays


def test_all_is_deleted_at_the_end(tmp_path: Path, ground: Ground) -> None:
    """What a benchmark that was killed has left goes, too; what is served stays."""
    (tmp_path / "runs" / "killed" / "out").mkdir(parents=True)
    (tmp_path / "site").mkdir()
    ground.leave(ground.new(), many=True)
    ground.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize(("slow", "tries"), [(0, 1), (3, 4), (100, TRIES)])
def test_a_slow_plot_is_left_for_another(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, slow: int, tries: int
) -> None:
    """The first that is quick is taken; if none is, the last."""
    paces = iter([SLOW * 2] * slow + [SLOW / 2])
    tried: list[Plot] = []

    def scripted(_: Ground) -> Plot:
        tried.append(Plot(Path(), Path(), Path(), next(paces)))
        return tried[-1]

    monkeypatch.setattr(Ground, "_try", scripted)
    assert ground.new() is tried[-1]
    assert len(tried) == tries


def test_room_for_small_files_grows_with_tools_and_rounds(tmp_path: Path, ground: Ground) -> None:
    """A file of 10 KB takes three blocks; each run has its own 5,000, and those to be served are made, too."""
    row, one = ROWS["small-http"], 5000 * 3 * 4096
    assert needed(ground, [(row, 4)], tmp_path, 6, quick=False).size == (4 * 6 + 1) * one + SPARE
    assert needed(ground, [(row, 4)], tmp_path, 6, quick=False).files >= 5000 * 4 * 6
    ground.in_memory = True
    assert needed(ground, [(row, 4)], tmp_path, 6, quick=False).size == (2 + 1) * one + SPARE


def test_room_for_big_files_does_not(tmp_path: Path, ground: Ground) -> None:
    """A gigabyte a run is deleted at once."""
    assert needed(ground, [(ROWS["big-http"], 20)], tmp_path, 9, quick=False).size < 3.2e9 + SPARE


def test_what_is_made_already_needs_no_room(tmp_path: Path, ground: Ground) -> None:
    """Files to be served are kept between benchmarks."""
    served = site(tmp_path, quick=True)
    before = needed(ground, [(ROWS["small-http"], 1)], served, 1, quick=True).size
    build(served, ["small"], quick=True)
    assert before - needed(ground, [(ROWS["small-http"], 1)], served, 1, quick=True).size == 300 * 3 * 4096
    assert len(list((served / "small").iterdir())) == SHELVES["small"].quick[0]
    assert not (served / "large").exists()


def test_missing_room_is_told(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """How much is missing, and what to do."""
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - as shutil's own is
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 0, 20_000_000_000))
    check(ground, Need(20_000_000_000, 1))
    with pytest.raises(UsageError, match=r"30\.5 GB may be needed.* 20\.0 GB are free: 10\.5 GB are missing; ask for"):
        check(ground, Need(30_500_000_000, 1))


def test_kind_is_that_of_the_nearest_mount() -> None:
    """A folder below a mount is of its type."""
    if not Path("/dev/shm").is_mount():
        pytest.skip("no /dev/shm here")
    assert kind(Path("/dev/shm/deeper")) == "tmpfs"
