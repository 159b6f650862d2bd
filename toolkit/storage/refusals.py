"""What the file system refuses, in our words."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from toolkit.core.errors import FailureKind, TaskError

FULL = frozenset({errno.ENOSPC, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""Errors after which no other file can be written either: the run stops."""


BUSY = frozenset({errno.EMFILE, errno.ENFILE})
"""Errors that pass when other files are closed."""


@contextmanager
def naming_errors(path: str | Path) -> Iterator[None]:
    """Turn an OSError about a path into a TaskError."""
    try:
        yield
    except OSError as error:
        raise named(error, path) from error


def named(error: OSError, path: str | Path) -> TaskError:
    """Return the failure for an OSError about a path.

    Of kind disk (fatal when nothing else would fit either), name, or limit where this process has too much open.
    """
    what = f"cannot write {path}: {error.strerror or error}"
    if error.errno in FULL:
        return TaskError(FailureKind.DISK, what, fatal=True)
    if error.errno in BUSY:
        return TaskError(FailureKind.LIMIT, what, retryable=True)
    if error.errno in (errno.EFBIG, errno.EIO):
        return TaskError(FailureKind.DISK, what)
    return TaskError(FailureKind.NAME, what)
