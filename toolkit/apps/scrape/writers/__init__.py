"""Writers of rows, one file each, found by the output's suffix: whole files at the end, or a row at a time.

| suffix | holds | None | lists and records |
|---|---|---|---|
| `.jsonl` | an object a line | `null` | as they are |
| `.csv`, `.tsv` | cells; columns fixed up front | an empty cell, as "" is | JSON text |
| `.sqlite`, `.db` | the table `rows` | NULL | JSON text |
| `.parquet` | typed columns | null | JSON text; lists whose type says of what (`list[str]`) as lists |
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, Protocol, cast

from toolkit.core import plugins
from toolkit.core.errors import UsageError
from toolkit.storage import atomic_write, naming_errors, remove_alone

Row = dict[str, Any]
"""One row: column to text, number, bool, list, record (dict) or None."""
Types = Mapping[str, Any]
"""Columns to str, int, float, bool, dict, list, list[str] and the like, or object for any value; others are text."""
UNTYPED: Types = MappingProxyType({})
PACKAGE = "toolkit.apps.scrape.writers"


class Write(Protocol):
    """What a file in this folder gives under the name `write`."""

    def __call__(
        self,
        file: IO[bytes],
        columns: Sequence[str],
        rows: Iterable[Row],
        *,
        types: Types = UNTYPED,
        escape_formulas: bool = False,
    ) -> None:
        """Write every row, in order, holding a few in memory. escape_formulas: matters to CSV only."""


class Appender(Protocol):
    """Writes rows as they come, behind those that are there; what a file in this folder gives under that name.

    The store and the file are kept in step by marks: add rows, take the mark, commit it with the rows' state. After a
    kill, an appender that is opened at the last committed mark drops what was written behind it, since those rows will
    come again; so none is lost or doubled.
    """

    def add(self, row: Row) -> None:
        """Write a row. Raises TaskError for what the disk refuses."""

    def mark(self) -> int:
        """Make all rows so far safe against a kill, and return a number that stands for them."""

    def close(self) -> None:
        """Finish the file, once."""


class OpenAppender(Protocol):
    """How the appender of a form is made."""

    def __call__(
        self,
        path: Path,
        columns: Sequence[str],
        *,
        types: Types = UNTYPED,
        key: Sequence[str] = (),
        escape_formulas: bool = False,
        mark: int | None = None,
    ) -> Appender:
        """Open the file, mended. Raises UsageError for a file that these rows do not fit in, TaskError."""


def form_of(path: Path) -> str:
    """Return the writer that a name's suffix asks for; raises UsageError."""
    known = plugins.names(PACKAGE)
    name = path.suffix.removeprefix(".").lower()
    if name not in known:
        endings = ", ".join(f".{ending}" for ending in known)
        raise UsageError(f"{str(path)!r}: the output's name must end in one of {endings}, or be - for standard output")
    return name


def check_output(path: Path, *, replace: bool = True) -> str:
    """Return the writer for a file; raises UsageError and MissingExtra, before anything is fetched.

    replace: whether the file will be replaced; a database with tables of somebody else's is not.
    """
    form = form_of(path)
    writer(form)
    check: Callable[[Path], None] | None = getattr(sys.modules[f"{PACKAGE}.{form}"], "check_replaceable", None)
    if check is not None and replace:
        check(path)
    return form


def writer(form: str) -> Write:
    """Return what writes whole files of a form; raises MissingExtra."""
    return cast(Write, plugins.load(PACKAGE, form, "write"))


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Give a file to write to, which takes the name when the block ends well; raises TaskError."""
    with atomic_write(path) as file:
        yield file
        file.flush()
        _remove_beside(path)  # a write-ahead log of the old database would be taken for the new one's


def open_appender(
    path: Path,
    columns: Sequence[str],
    *,
    types: Types = UNTYPED,
    key: Sequence[str] = (),
    escape_formulas: bool = False,
    replace: bool = False,
    mark: int | None = None,
) -> Appender:
    """Open the appender for a file by its suffix.

    key: columns that tell rows apart, for forms that can put a new row in an old one's place (SQLite). replace: write
    beside, and take the name when closed; else go on behind the rows that are there. mark: what Appender.mark returned
    when the rows were last known to be safe; None after a clean end, or where nothing is known: then only a last line
    that was cut short is dropped. Raises UsageError, MissingExtra, TaskError.
    """
    opening = cast(OpenAppender, plugins.load(PACKAGE, form_of(path), "Appender"))
    place = path.with_name(f".{path.name}.part") if replace else path
    if replace and mark is None:
        remove_alone(str(place))
        _remove_beside(place)
    inner = opening(place, columns, types=types, key=key, escape_formulas=escape_formulas, mark=mark)
    return _Replacing(inner, place, path) if replace else inner


class _Replacing:
    """An appender whose file takes its name at the end."""

    def __init__(self, inner: Appender, beside: Path, final: Path) -> None:
        self._inner, self._beside, self._final = inner, beside, final

    def add(self, row: Row) -> None:
        """Write a row."""
        self._inner.add(row)

    def mark(self) -> int:
        """Make all rows so far safe."""
        return self._inner.mark()

    def close(self) -> None:
        """Finish the file and give it its name."""
        self._inner.close()
        _remove_beside(self._final)
        with naming_errors(self._final):
            os.replace(self._beside, self._final)


def _remove_beside(path: Path) -> None:
    """Remove what writers keep beside a file, which must not be taken for a new file's."""
    for name in (f"{path.name}-wal", f"{path.name}-shm", f"{path.name}-journal", f".{path.name}.journal.jsonl"):
        path.with_name(name).unlink(missing_ok=True)
