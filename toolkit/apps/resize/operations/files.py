"""Files that operations need: what they hold is part of the settings, where they lie is not."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field

from toolkit.core.errors import FailureKind, TaskError

_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class File:
    """A file, and the SHA-256 digest of what it held when the options were read."""

    digest: str
    path: str = field(repr=False)

    def content(self) -> bytes:
        """Return the bytes; raises TaskError if they are no longer those that the options were read with."""
        try:
            data = _read(self.path)
        except ValueError as error:
            raise TaskError(FailureKind.INPUT, str(error)) from error
        if hashlib.sha256(data).hexdigest() != self.digest:
            raise TaskError(FailureKind.INPUT, f"{self.path} has changed since the run began: run again")
        return data


def parse_file(text: str) -> File:
    """Read a path (`~` is the home folder) and digest the file; raises ValueError with a message."""
    path = os.path.abspath(os.path.expanduser(text))
    return File(hashlib.sha256(_read(path)).hexdigest(), path)


def _read(path: str) -> bytes:
    try:
        # Opened at once, a named pipe would wait for its writer.
        if os.path.exists(path) and not os.path.isfile(path):
            raise ValueError(f"{path} is not a file")
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) > _MOST_BYTES:
        raise ValueError(f"{path} is larger than {_MOST_BYTES // 1024 // 1024} MB")
    return data
