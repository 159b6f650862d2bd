"""Files that are not whole yet, and the space that they will need."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from toolkit.core.errors import FailureKind, TaskError
from toolkit.storage.opening import PLAIN, open_alone, truncate, write_all
from toolkit.storage.refusals import named, naming_errors


class PartFile:
    """A file that is not whole yet: opened at an offset, what lies behind it cut off, locked against other writers.

    limit: bytes after which TaskError too_large is raised. look: called once with the first LOOK bytes, as soon as they
    are there; may raise. The kernel may fill it, too: at the descriptor's own offset, told by advance. Raises TaskError
    name, disk or limit from every method.
    """

    LOOK = 512

    def __init__(
        self, path: str | Path, offset: int, limit: int | None = None, look: Callable[[bytes], object] | None = None
    ) -> None:
        self._path = path
        self._limit = limit
        self._look = look if offset < self.LOOK else None
        self.size = offset
        with naming_errors(path):
            self._file = open_alone(path)
            try:
                truncate(self._file, path, offset)
                os.lseek(self._file, offset, os.SEEK_SET)
            except BaseException:
                os.close(self._file)
                raise

    def write(self, block: bytes | bytearray | memoryview, /) -> None:
        """Append a block, whole."""
        size = self.size + len(block)
        if self._limit is not None and size > self._limit:
            raise TaskError(FailureKind.TOO_LARGE, f"larger than {self._limit:,} bytes")
        try:
            write_all(self._file, block)
        except OSError as error:
            raise named(error, self._path) from error
        self.size = size
        if self._look is not None:
            self._show()

    def advance(self, size: int, /) -> None:
        """Count bytes that the kernel has put at the descriptor's offset."""
        self.size += size
        if self._limit is not None and self.size > self._limit:
            raise TaskError(FailureKind.TOO_LARGE, f"larger than {self._limit:,} bytes")
        if self._look is not None:
            self._show()

    def reserve(self, total: int) -> None:
        """Make the file as long as it will be, with space on the disk where that is cheap to have."""
        with naming_errors(self._path):
            if hasattr(os, "posix_fallocate") and _allocates(os.path.dirname(self._path) or "."):
                os.posix_fallocate(self._file, 0, total)
            os.ftruncate(self._file, total)

    def give_back(self, size: int) -> None:
        """Cut so many bytes off the end again, or all that there are."""
        self.size = max(0, self.size - size)
        with suppress(OSError):
            os.ftruncate(self._file, self.size)

    def sync(self) -> None:
        """Have all bytes so far written to the disk."""
        with naming_errors(self._path):
            getattr(os, "fdatasync", os.fsync)(self._file)

    def fileno(self) -> int:
        """Return the descriptor, for moves without copies."""
        return self._file

    def close(self) -> None:
        """Close the file, once."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _show(self) -> None:
        """Show the beginning to the one who wants to look."""
        look = self._look
        if look is not None and self.size >= self.LOOK and hasattr(os, "pread"):
            self._look = None
            look(os.pread(self._file, self.LOOK, 0))


class Window:
    """A place in a part file that another descriptor of this process has locked; written from an offset on."""

    def __init__(self, path: str | Path, offset: int) -> None:
        self._path = path
        with naming_errors(path):
            self._file = os.open(path, os.O_RDWR | PLAIN)
            os.lseek(self._file, offset, os.SEEK_SET)

    def write(self, block: bytes | bytearray | memoryview, /) -> None:
        """Write a block at the window's offset, whole."""
        try:
            write_all(self._file, block)
        except OSError as error:
            raise named(error, self._path) from error

    def fileno(self) -> int:
        """Return the descriptor, for moves without copies."""
        return self._file

    def close(self) -> None:
        """Close the window."""
        os.close(self._file)


def check_space(folder: str, size: int) -> None:
    """Raise TaskError disk, fatal, if so many bytes more cannot fit on the disk."""
    with suppress(OSError):  # a file system that does not tell
        usage = shutil.disk_usage(folder)
        if usage.total and usage.free < size:
            what = f"{size:,} bytes are still to come, and {usage.free:,} are free in {folder}"
            raise TaskError(FailureKind.DISK, what, fatal=True)


def is_full(folder: str, size: int) -> bool:
    """Tell whether so many bytes more cannot fit on the disk, as far as it tells."""
    try:
        return shutil.disk_usage(folder).free < size
    except OSError:
        return False


@lru_cache(maxsize=16)
def _allocates(folder: str) -> bool:
    """Tell whether the file system reserves space by itself; where it cannot, glibc would write every block."""
    try:
        with open("/proc/self/mounts", encoding="utf-8", errors="replace") as file:
            mounts = [line.split(" ")[1:3] for line in file]
    except OSError:
        return False
    place = os.path.join(os.path.realpath(folder), "")
    kinds = [(len(point), kind) for point, kind in mounts if place.startswith(os.path.join(point, ""))]
    return bool(kinds) and max(kinds)[1] in ("ext4", "xfs", "btrfs", "tmpfs", "f2fs")
