"""Files that one run at a time writes: opened, locked, cut and filled."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from toolkit.core.errors import FailureKind, TaskError
from toolkit.storage.refusals import naming_errors

PLAIN = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def open_alone(path: str | Path) -> int:
    """Open a file for writing and lock it until it is closed; raises TaskError, retryable, if another run has it."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | PLAIN, 0o666)
        try:
            lock(file, path)
            # Its owner may have given it a final name since it was opened: then this one must not be touched.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file), os.stat(path)):
                    return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def open_new(path: str) -> int:
    """Open a file that is not there yet, locked; or one that a dead run left, emptied."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | PLAIN, 0o666)
    except FileExistsError:
        file = open_alone(path)
        os.ftruncate(file, 0)
        return file
    try:
        lock(file, path)
    except BaseException:
        os.close(file)
        raise
    return file


def remove_alone(path: str) -> None:
    """Remove a file that may not be there; raises TaskError, retryable, if another run is writing it."""
    with naming_errors(path), suppress(FileNotFoundError):
        file = os.open(path, os.O_RDWR | PLAIN)
        try:
            lock(file, path)
            if os.name != "nt":
                os.unlink(path)
        finally:
            os.close(file)
        if os.name == "nt":
            os.unlink(path)


def write_all(file: int, block: bytes | bytearray | memoryview) -> None:
    """Write a block, whole; raises OSError."""
    written = os.write(file, block)
    while written < len(block):  # a signal or a full disk may cut a write short
        written += os.write(file, memoryview(block)[written:])


def truncate(file: int, path: str | Path, size: int) -> None:
    """Cut what lies behind size bytes off; raises TaskError if there are not so many."""
    here = os.fstat(file).st_size
    if here < size:  # a hole would be bytes that nobody sent
        raise TaskError(FailureKind.NAME, f"{path} was cut short by another program", retryable=True)
    if here > size:  # ext4 writes out at once, at the close, what was ever cut to nothing
        os.ftruncate(file, size)


def lock(file: int, path: str | Path) -> None:
    """Lock an open file until it is closed; raises TaskError, retryable, if another run has it."""
    try:
        import fcntl
    except ImportError:  # Windows has no such lock
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise TaskError(FailureKind.NAME, f"{path} is being written by another run", retryable=True) from None
    except OSError:
        pass  # a file system without locks
