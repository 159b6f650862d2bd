"""Where bytes land: beside the final name first, then there by one atomic rename; never outside the folder."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import IO

from toolkit.core.errors import FailureKind, TaskError, UsageError

FULL = frozenset({errno.ENOSPC, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""Errors after which no other file can be written either: the run stops."""
BUSY = frozenset({errno.EMFILE, errno.ENFILE})
"""Errors that pass when other files are closed."""


def output_folder(path: Path) -> Path:
    """Make a folder and return it; raises UsageError if it cannot be made or written to."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path, prefix=".toolkit-"):
            pass
    except OSError as error:
        raise UsageError(f"cannot write to the output folder {path}: {error.strerror or error}") from error
    return path


def inside(folder: Path, name: str) -> Path:
    """Return folder/name; raises TaskError blocked if that is outside the folder (`..`, a link, an absolute name)."""
    target = folder / name
    if "\0" not in name and target.name != "..":
        with suppress(RuntimeError):  # links in a circle, before Python 3.13
            resolved, root = target.parent.resolve() / target.name, folder.resolve()
            if resolved.is_relative_to(root) and resolved != root:
                return target
    raise TaskError(FailureKind.BLOCKED, f"{name!r} is outside the output folder")


def make_parent(path: Path) -> None:
    """Make the folder that a file goes into; raises TaskError."""
    with naming_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)


@contextmanager
def atomic_write(final: Path) -> Iterator[IO[bytes]]:
    """Give a temporary file beside the final name; when the block ends well it takes that name, else it is removed.

    Raises TaskError name or disk for what the file system refuses.
    """
    make_parent(final)
    # Named after the final file, so that what a killed run left is used up when its task is done again.
    mark = blake2b(os.fsencode(final.name), digest_size=8).hexdigest()
    beside = final.with_name(f".toolkit-{mark}.tmp")
    with naming_errors(final):
        handle = _open_alone(beside)
    try:
        with naming_errors(final):
            with os.fdopen(handle, "w+b") as file:
                file.truncate()
                yield file
                file.flush()
                if os.name != "nt":  # before the lock goes with the handle; Windows renames no open file
                    os.replace(beside, final)
            if os.name == "nt":
                os.replace(beside, final)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise


@contextmanager
def naming_errors(path: Path) -> Iterator[None]:
    """Turn an OSError about a path into a TaskError: disk (fatal when nothing else would fit either) or name."""
    try:
        yield
    except OSError as error:
        what = error.strerror or str(error)
        if error.errno in FULL:
            raise TaskError(FailureKind.DISK, f"cannot write {path}: {what}", fatal=True) from error
        if error.errno in BUSY:
            raise TaskError(FailureKind.DISK, f"cannot write {path}: {what}", retryable=True) from error
        if error.errno in (errno.EFBIG, errno.EIO):
            raise TaskError(FailureKind.DISK, f"cannot write {path}: {what}") from error
        raise TaskError(FailureKind.NAME, f"cannot write {path}: {what}") from error


_PLAIN = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class PartFile:
    """A file that is not whole yet: opened at an offset, what lies behind it cut off, locked against other writers.

    limit: bytes after which TaskError too_large is raised. Raises TaskError name or disk from every method.
    """

    def __init__(self, path: Path, offset: int, limit: int | None = None) -> None:
        self._path = path
        self._limit = limit
        self.size = offset
        with naming_errors(path):
            self._file = _open_alone(path)
            try:
                _truncate(self._file, path, offset)
                os.lseek(self._file, offset, os.SEEK_SET)
            except BaseException:
                os.close(self._file)
                raise

    def write(self, block: bytes | bytearray | memoryview, /) -> None:
        """Append a block, whole."""
        self.size += len(block)
        if self._limit is not None and self.size > self._limit:
            raise TaskError(FailureKind.TOO_LARGE, f"larger than {self._limit:,} bytes")
        with naming_errors(self._path):
            written = os.write(self._file, block)
            while written < len(block):  # a signal or a full disk may cut a write short
                written += os.write(self._file, memoryview(block)[written:])

    def fileno(self) -> int:
        """Return the descriptor, for moves without copies."""
        return self._file

    def close(self) -> None:
        """Close the file, once."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def hold(path: Path) -> IO[bytes] | None:
    """Lock a file beside a store, until what is returned is closed or this process dies.

    Raises UsageError if another run holds it.
    """
    try:
        import fcntl
    except ImportError:  # Windows: SQLite's own locks keep two writers apart
        return None
    try:
        file = path.with_name(path.name + ".lock").open("a+b")
    except OSError as error:
        raise UsageError(f"cannot write beside the store {path}: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise UsageError(f"another run is using {path}: wait for it, or choose another store with --state") from None
    except OSError:
        pass  # a file system without locks
    return file


def _truncate(file: int, path: Path, size: int) -> None:
    if os.fstat(file).st_size < size:  # a hole would be bytes that nobody sent
        raise TaskError(FailureKind.NAME, f"{path} was cut short by another program", retryable=True)
    os.ftruncate(file, size)


def _open_alone(path: Path) -> int:
    """Open a file for writing and lock it until it is closed; raises TaskError, retryable, if another run has it."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | _PLAIN, 0o666)
        try:
            _lock(file, path)
            # Its owner may have given it a final name since it was opened: then this one must not be touched.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file), os.stat(path)):
                    return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _lock(file: int, path: Path) -> None:
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
