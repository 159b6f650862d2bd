"""Where runs write: a new folder for each, in which files are as quickly made as they were for the run before.

On ext4 without a journal, making a file passes over every inode that was freed near by in the last minute, one by one
(in the last six minutes, until that is on the disk: `recently_deleted` in the kernel's fs/ext4/ialloc.c). Whoever comes
after 5,000 deletions pays for them at each file. So what runs of many files fetched stays until the end, and places are
spread over the disk and tried out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psutil
from _rows import Row
from _site import SHELVES

from toolkit.core.errors import UsageError

BLOCK = 4096
"""Bytes that files are rounded up to: what a block of most file systems has."""
SPARE = 500_000_000
"""Bytes for stores, logs and lists, and to leave some room."""
MEMORY = ("tmpfs", "ramfs")
PROBES = 50
TRIES = 8
SLOW = 0.1
"""Milliseconds for an empty file, above which a place is left for another: 0.02 to 0.04 are usual."""


@dataclass(frozen=True, slots=True)
class Plot:
    """A run's own folder. out, logs: empty folders in it. pace: milliseconds that an empty file took in `out`."""

    place: Path
    out: Path
    logs: Path
    pace: float


class Ground:
    """A folder for the runs of one benchmark. in_memory: whether its files are: there, deleting costs nobody."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.in_memory = kind(scratch) in MEMORY
        self._place = scratch / "runs"
        self._name = f"{time.time_ns():x}"
        self._numbers = count(1)

    def new(self) -> Plot:
        """Return a plot that no run has had, and if one can be found, one where others have not deleted much lately.

        The file system puts a folder, and the files in it, in a part of the disk that it thinks fit.
        """
        if not self._place.exists():
            self._place.mkdir(parents=True)
            _spread(self._place)
        for _ in range(TRIES):
            plot = self._try()
            if plot.pace < SLOW:
                break
        return plot

    def leave(self, plot: Plot, *, many: bool) -> None:
        """Delete what a run has left, unless that would slow the next one down: where it has many files."""
        if self.in_memory or not many:
            shutil.rmtree(plot.place, ignore_errors=True)

    def clear(self) -> None:
        """Delete what all runs have left, those of benchmarks that were killed included."""
        shutil.rmtree(self._place, ignore_errors=True)

    def _try(self) -> Plot:
        place = self._place / f"{self._name}-{next(self._numbers)}"
        out, logs, aside = place / "out", place / "logs", place / "aside"
        for folder in (out, logs, aside):
            folder.mkdir(parents=True)
        started = time.perf_counter()
        for number in range(PROBES):
            os.close(os.open(out / str(number), os.O_CREAT | os.O_WRONLY))
        taken = time.perf_counter() - started
        for number in range(PROBES):
            (out / str(number)).rename(aside / str(number))  # to delete them is what must not be done
        return Plot(place, out, logs, taken / PROBES * 1000)


@dataclass(frozen=True, slots=True)
class Need:
    """Room on a disk. size: bytes. files: how many."""

    size: int
    files: int


def kind(folder: Path) -> str:
    """Return the type of a folder's file system, as the system calls it, or nothing if it does not tell."""
    mounts = sorted(psutil.disk_partitions(all=True), key=lambda each: len(each.mountpoint), reverse=True)
    return next((each.fstype for each in mounts if folder.is_relative_to(each.mountpoint)), "")


def _spread(folder: Path) -> None:
    """Ask the file system to put each folder in this one in a part of the disk of its own (ext2 to ext4 do)."""
    if command := shutil.which("chattr"):
        subprocess.run([command, "+T", str(folder)], stderr=subprocess.DEVNULL, check=False)


def needed(ground: Ground, rows: list[tuple[Row, int]], site: Path, rounds: int, *, quick: bool) -> Need:
    """Return the room for rows, each with so many tools, in so many rounds, and for what they fetch, if not made yet.

    It is that of the worst case, in which no tool drops out.
    """
    once, kept, files = 0, 0, 0
    for row, tools in rows:
        shelf = SHELVES[row.shelf]
        each, size = shelf.lot(quick=quick)
        run = min(each, row.most or each) * -(-size // BLOCK) * BLOCK
        if shelf.many and not ground.in_memory:
            kept += run * tools * rounds
            files += min(each, row.most or each) * tools * rounds
        else:
            once = max(once, run * 2)  # some fetch parts first, and join them
    return Need(kept + once + _unmade(rows, site, quick=quick) + SPARE, files + 10_000)


def check(ground: Ground, need: Need) -> None:
    """Raise UsageError, which says what is missing, if the room is not there."""
    advice = "ask for fewer --rows, --tools or --runs, or give a --scratch folder elsewhere"
    if (free := shutil.disk_usage(ground.scratch).free) < need.size:
        raise UsageError(
            f"{ground.scratch}: {need.size / 1e9:.1f} GB may be needed, since small files are deleted at the end "
            f"only, and {free / 1e9:.1f} GB are free: {(need.size - free) / 1e9:.1f} GB are missing; {advice}"
        )
    room = os.statvfs(ground.scratch) if hasattr(os, "statvfs") else None
    if room and room.f_files and room.f_favail < need.files:
        raise UsageError(
            f"{ground.scratch}: room for {need.files:,} files may be needed, and there is room for {room.f_favail:,}; "
            f"{advice}"
        )


def _unmade(rows: list[tuple[Row, int]], site: Path, *, quick: bool) -> int:
    """Return the bytes of the files to be fetched that are not there yet."""
    unmade = 0
    for name in {row.shelf for row, _ in rows}:
        each, size = SHELVES[name].lot(quick=quick)
        there = sum(1 for _ in (site / name).iterdir()) if (site / name).is_dir() else 0
        unmade += max(0, each - there) * -(-size // BLOCK) * BLOCK
    return unmade
