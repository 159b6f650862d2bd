"""A file that grows by whole lines, locked; what a kill or a full disk left of a line is cut off."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from toolkit.core.errors import UsageError
from toolkit.storage import make_parent, named, naming_errors
from toolkit.storage.opening import open_alone, write_all

Mend = Callable[[BinaryIO], tuple[int, bytes]]
"""Reads a file from its start; returns where its last whole line ends, and what that lacks."""


class GrowingFile:
    """An open, locked file. size: its bytes. cut: bytes of a torn line, or of lines behind the mark, that were dropped.

    mark: where the file is known to be whole, or None, where mend finds that out. Raises UsageError if the file has
    become shorter than that, TaskError for what the file system refuses, retryable if another run writes the file.
    """

    def __init__(self, path: Path, mend: Mend, mark: int | None = None) -> None:
        self._path = path
        make_parent(path)
        with naming_errors(path):
            self._file = open_alone(path)
            try:
                self.size, self.cut = self._mended(mend, mark)
            except BaseException:
                os.close(self._file)
                raise

    def write(self, line: bytes) -> None:
        """Append a line, which has its end, in one call."""
        try:
            write_all(self._file, line)
        except OSError as error:
            raise named(error, self._path) from error
        self.size += len(line)

    def close(self) -> None:
        """Close the file, once."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _mended(self, mend: Mend, mark: int | None) -> tuple[int, int]:
        size, missing = os.fstat(self._file).st_size, b""
        if mark is None:
            with open(self._file, "rb", closefd=False) as file:
                end, missing = mend(file)
        elif mark <= size:
            end = mark
        else:
            raise shorter(self._path)
        if end < size:
            os.ftruncate(self._file, end)
        os.lseek(self._file, end, os.SEEK_SET)
        if missing:
            write_all(self._file, missing)
        return end + len(missing), size - end


def shorter(path: Path) -> UsageError:
    """Return the error for a file that lacks rows which were in it."""
    what = "has lost rows since the last run wrote it"
    return UsageError(
        f"{path} {what}: put them back, choose another output, or remove it: all that is remembered is written again"
    )
