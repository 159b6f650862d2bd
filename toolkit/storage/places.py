"""Where files may land: in the output folder, and never outside of it."""

from __future__ import annotations

import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import IO

from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.storage.refusals import naming_errors


def output_folder(path: Path) -> Path:
    """Make a folder and return it; raises UsageError if it cannot be made or written to."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path, prefix=".toolkit-"):
            pass
    except OSError as error:
        raise UsageError(f"cannot write to the output folder {path}: {error.strerror or error}") from error
    return path


def place(folder: str, name: str) -> str:
    """Return the path of folder/name; as inside, for many files at a time."""
    return f"{folder}{os.sep}{name}" if _is_one_component(name) else os.fspath(inside(Path(folder), name))


def inside(folder: Path, name: str) -> Path:
    """Return folder/name; raises TaskError blocked if that is outside the folder (`..`, a link, an absolute name)."""
    if _is_one_component(name):
        return folder / name
    target = folder / name
    if "\0" not in name and target.name != "..":
        resolved, root = _resolved(folder, target.parent), _resolved(folder, folder)
        if resolved and root and (resolved / target.name).is_relative_to(root) and resolved / target.name != root:
            return target
    raise TaskError(FailureKind.BLOCKED, f"{name!r} is outside the output folder")


def make_parent(path: str | Path) -> None:
    """Make the folder that a file goes into; raises TaskError."""
    with naming_errors(path):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)


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


def _is_one_component(name: str) -> bool:
    """Tell at a glance that a name leads nowhere: most do not, and links need not be followed for them."""
    return name not in ("", ".", "..") and not any(sign in name for sign in "/\\:\0")


@lru_cache(maxsize=4096)
def _resolved(folder: Path, path: Path) -> Path | None:  # noqa: ARG001 - a folder's answers are its own
    """Return where a folder is, links followed; asked once, since each of its files would ask again."""
    try:
        return path.resolve()
    except (RuntimeError, OSError):  # links in a circle, before Python 3.13
        return None
