"""What becomes of originals in place: before a new file takes their name, they are in the backups or the trash.

Nothing is lost if the run is killed between any two lines: each step adds a name for the original before one goes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from filecmp import cmp
from functools import partial
from hashlib import blake2b
from itertools import count
from pathlib import Path

from toolkit import storage
from toolkit.core.errors import FailureKind, TaskError

SPARE = ".toolkit-"
"""How the hidden name begins under which an original is kept beside its place."""
_SPARE_OF = f"{SPARE}original-"
"""The same, where the picture's own name follows."""
_LONGEST = 255
"""Bytes of a name."""


@contextmanager
def replaced(path: Path, place: str, backup: Path | None) -> Iterator[Callable[[], None]]:
    """Give the function that puts the file at path aside, for the block to call when the new file is complete.

    That is after it was written and flushed beside, and before it takes the name:

        with replaced(path, place, backup) as put_aside, storage.atomic_write(path) as file:
            encode(file)
            file.flush()
            put_aside()

    place: where the file lies in its tree. backup: the folder for originals, with the same tree; None for the trash.
    A backup never replaces an earlier one. Where there is no file at path, nothing is put aside. Raises TaskError name
    or disk; then, and whenever the block fails, the file is at its place as before.
    """
    undo: list[Callable[[], None]] = []
    done: list[Callable[[], None]] = []

    def put_aside() -> None:
        if not os.path.lexists(path):
            return
        with storage.naming_errors(path):
            if backup is not None:
                if kept := _keep(path, storage.inside(backup, place)):
                    undo.append(partial(_unlink_twin, kept, path))
                return
            spare = _keep(path, _hidden(path)) or _twin(path, _hidden(path))  # of a run that was killed
            if spare:
                undo.append(partial(_put_back, spare, path))
                done.append(spare.unlink)
            _to_trash(path)

    try:
        yield put_aside
    except BaseException:
        for step in undo:
            with suppress(OSError):
                step()
        raise
    for step in done:
        with suppress(OSError):
            step()


@contextmanager
def moved(path: Path, place: str, backup: Path | None) -> Iterator[Callable[[], None]]:
    """Give the function that keeps an original, for the block to call before a result of another name is there.

    When the block ends well, the original leaves its place; so whenever both are there, is_under_way() tells that one
    is the other's result. Place and backup are those of replaced(), as are the errors.
    """
    kept: list[Path] = []

    def keep() -> None:
        with storage.naming_errors(path):
            if spare := _keep(path, _aside(path, place, backup)):
                kept.append(spare)

    try:
        yield keep
    except BaseException:
        for spare in kept:
            with suppress(OSError):
                _unlink_twin(spare, path)
        raise
    hidden = _twin(path, _hidden(path)) if backup is None else None
    remove(path, place, backup)
    if hidden is not None:
        with suppress(OSError):
            hidden.unlink()


def is_under_way(path: Path, place: str, backup: Path | None) -> bool:
    """Tell whether an original that is at its place was kept already: a run was killed before it had removed it."""
    return _twin(path, _aside(path, place, backup)) is not None


def spare_of(path: Path) -> Path | None:
    """Return the name under which a killed run has kept the original of a path beside it, on its way to the trash."""
    hidden = _hidden(path)
    return hidden if hidden.is_file() and not _alike(path, hidden) else None


def kept_as(place: str, backup: Path, facts: Iterable[tuple[int, int]]) -> Path | None:
    """Return the backup of a place whose size in bytes and time (ns) are among these, or None."""
    wanted = set(facts)
    for name in _numbered(storage.inside(backup, place)):
        try:
            found = os.stat(name)
        except OSError:
            return None
        if (found.st_size, found.st_mtime_ns) in wanted:
            return name
    raise AssertionError("count() does not end")


def remove(path: Path, place: str, backup: Path | None) -> None:
    """Move an original whose results have other names to the backups or the trash; last, when those are complete.

    Raises TaskError name or disk.
    """
    with storage.naming_errors(path):
        if backup is None:
            _to_trash(path)
        else:
            _keep(path, storage.inside(backup, place))
            path.unlink()


def copy_dates(facts: os.stat_result, target: Path) -> None:
    """Give a file the times of access and modification that a picture had, as far as its file system holds them."""
    with suppress(OSError, OverflowError):
        os.utime(target, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def _keep(path: Path, wanted: Path) -> Path | None:
    """Give a file a second name, the first free one of wanted, wanted.1, wanted.2 and so on; a copy if need be.

    Return that name, or None if the file was kept there before: the run was killed after that.
    """
    storage.make_parent(wanted)
    for name in _numbered(wanted):
        try:
            _link_or_copy(path, name)
        except FileExistsError:
            if _alike(path, name):
                return None
        else:
            return name
    raise AssertionError("count() does not end")


def _numbered(wanted: Path) -> Iterator[Path]:
    """Yield wanted, wanted.1, wanted.2 and so on, without end."""
    yield wanted
    yield from (wanted.with_name(f"{wanted.name}.{number}") for number in count(1))


def _twin(path: Path, wanted: Path) -> Path | None:
    """Return the name under which a file is kept, or None."""
    for name in _numbered(wanted):
        if not os.path.lexists(name):
            return None
        if _alike(path, name):
            return name
    raise AssertionError("count() does not end")


def _aside(path: Path, place: str, backup: Path | None) -> Path:
    return storage.inside(backup, place) if backup is not None else _hidden(path)


def _link_or_copy(path: Path, name: Path) -> None:
    try:
        os.link(path, name)
    except FileExistsError:
        raise
    except OSError:  # another disk, or one without links
        _copy(path, name)


def _copy(path: Path, name: Path) -> None:
    """Copy a file with its times, on the disk when this returns; raises FileExistsError if the name is not free."""
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with path.open("rb") as source, storage.atomic_write(name) as file:
            shutil.copyfileobj(source, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            name.unlink()
        raise
    with suppress(OSError):
        shutil.copystat(path, name)
    storage.sync_folder(os.path.dirname(name))


def _alike(path: Path, name: Path) -> bool:
    with suppress(OSError):
        return os.path.samefile(path, name) or (name.is_file() and cmp(path, name, shallow=False))
    return False


def _unlink_twin(kept: Path, path: Path) -> None:
    """Remove a backup if the original is still at its place."""
    if _alike(path, kept):
        kept.unlink()


def _put_back(spare: Path, path: Path) -> None:
    """Give an original its name back if the trash has it; else it never went."""
    if os.path.lexists(path):
        spare.unlink()
    else:
        os.replace(spare, path)


def bring_back(folder: str) -> None:
    """Give originals below a folder their names back that a killed run had in the trash, and nothing in their place.

    Where a result with another suffix stands, the original was done with, and stays hidden. Raises TaskError.
    """
    for place, _, names in os.walk(folder):
        stems = {os.path.splitext(name)[0] for name in names if not name.startswith(".")}
        for name in names:
            own = name.removeprefix(_SPARE_OF)
            if own != name and os.path.splitext(own)[0] not in stems:
                path = Path(place, own)
                with storage.naming_errors(path):
                    os.rename(os.path.join(place, name), path)


def _hidden(path: Path) -> Path:
    """Return the name beside; it tells the picture's own, as far as there is room for that."""
    if len(os.fsencode(path.name)) <= _LONGEST - len(_SPARE_OF):
        return path.with_name(_SPARE_OF + path.name)
    mark = blake2b(os.fsencode(path.name), digest_size=8).hexdigest()
    return path.with_name(f"{SPARE}{mark}.original")


def _to_trash(path: Path) -> None:
    from send2trash import send2trash

    with _alone():
        try:
            send2trash(os.fspath(path))
        except OSError as error:
            message = f"cannot put {path} into the trash: {error.strerror or error}"
            raise TaskError(FailureKind.NAME, message) from error


@contextmanager
def _alone() -> Iterator[None]:
    """Let one worker at a time use the trash: send2trash looks for a free name, and takes it later."""
    try:
        import fcntl

        folder = os.open(os.path.expanduser("~"), os.O_RDONLY)  # a lock on it needs no file of ours
    except (ImportError, OSError):  # Windows, whose trash finds names by itself; or nobody's home
        yield
        return
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
