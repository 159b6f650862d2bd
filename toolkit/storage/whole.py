"""Whole files only: written beside the final name first, then there by one atomic rename."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import IO

from toolkit.storage.opening import open_alone, open_new, write_all
from toolkit.storage.places import make_parent
from toolkit.storage.refusals import named, naming_errors


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
        handle = open_alone(beside)
    try:
        with naming_errors(final):
            with os.fdopen(handle, "w+b") as file:
                if os.fstat(handle).st_size:  # ext4 writes out at once, at the close, what was ever cut to nothing
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


def write_whole(beside: str, final: str, data: bytes, *, modified: int | None = None, fsync: bool = False) -> None:
    """Write a file that is all here beside its final name, and give it that name.

    modified: its time, in nanoseconds since 1970. fsync: whether it must be on the disk after this. A file of the name
    beside is written over, if no other run has it. Raises TaskError name or disk, with nothing left behind.
    """
    try:
        file = open_new(beside)
    except OSError as error:
        raise named(error, final) from error
    try:
        try:
            write_all(file, data)
            finish(file, beside, modified=modified, fsync=fsync)
            if os.name != "nt":  # before the lock goes with the descriptor; Windows renames no open file
                give_name(beside, final)
        except OSError as error:
            raise named(error, final) from error
        finally:
            os.close(file)
        if os.name == "nt":
            with naming_errors(final):
                give_name(beside, final)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
    if fsync:
        sync_folder(os.path.dirname(final), os.path.dirname(beside))


def give_name(beside: str, final: str) -> None:
    """Rename a finished file to its final name, making its folder; raises OSError, and TaskError for the folder."""
    try:
        os.replace(beside, final)
    except FileNotFoundError:
        make_parent(final)
        os.replace(beside, final)


def finish(file: int, path: str, *, modified: int | None, fsync: bool) -> None:
    """Give an open file its time, and have it written to the disk if asked; raises OSError."""
    if modified is not None:
        with suppress(OSError, OverflowError):  # a time that this file system cannot hold
            os.utime(file if os.utime in os.supports_fd else path, ns=(modified, modified))
    if fsync:
        os.fsync(file)


def sync_folder(folder: str, top: str | None = None) -> None:
    """Have a folder's names written to the disk, where the system can do that; and those of each above it, up to top.

    Folders on the way may be new, and a file is only there if they are.
    """
    while True:
        with suppress(OSError):
            file = os.open(folder or ".", os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
            try:
                os.fsync(file)
            finally:
                os.close(file)
        above = os.path.dirname(folder)
        if top is None or len(folder) <= len(top) or above == folder:
            return
        folder = above
