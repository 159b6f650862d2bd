"""The manifest: a row for every task that ended, as JSON lines, CSV or Parquet, for other programs to go on with.

JSON lines are there the moment a task ends: a kill loses no row. The other forms are made of such lines when the run
ends; until then they stand in a hidden file beside. A run that retries what failed replaces only the rows of that.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

from toolkit.core.errors import TaskError, UsageError
from toolkit.core.task import Outcome
from toolkit.reporting import Event, RunFinished, RunStarted, TaskSettled, _tables
from toolkit.reporting.words import redact
from toolkit.storage import atomic_write

Row = dict[str, Any]
Place = tuple[str, str]
"""What tells rows apart: the URL or the input, and its index."""
FORMS = (".jsonl", ".csv", ".parquet")
LINKS = ("url", "final_url", "message")
"""Fields that may hold passwords, as URLs do."""


class Manifest:
    """The reporter that writes rows.

    row: what makes a row of an outcome. fields: what every row has, and of which type it is. moved: the paths of files
    that moved after their rows were made, by URL and index. facts: what is the same in every row, such as the model.
    keep: whether rows of an earlier run stay, unless there are new ones in their place.
    """

    def __init__(
        self,
        path: Path,
        row: Callable[[Outcome], Row],
        fields: Mapping[str, type] = MappingProxyType({}),
        moved: Callable[[], Mapping[tuple[str, int], str]] = dict,
        facts: Mapping[str, Any] | None = None,
        *,
        keep: bool = False,
    ) -> None:
        """Write nothing yet; raises UsageError for a place or form that cannot be, MissingExtra."""
        self._path, self._row, self._fields, self._moved, self._facts = path, row, fields, moved, facts or {}
        self._form = path.suffix.lower()
        if self._form not in FORMS:
            raise UsageError(f"--manifest {path}: end it in {', '.join(FORMS[:-1])} or {FORMS[-1]}")
        _check_place(path)
        if self._form == ".parquet":
            _tables.check_parquet()
        self._live = path if self._form == ".jsonl" else path.with_name(f".{path.name}.journal.jsonl")
        self._file = -1
        self._keep, self._kept = keep, 0

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, TaskSettled):
            if event.retry_in is None:
                self._write(_clean({**self._row(event.outcome), **self._facts}))
            return
        try:
            if isinstance(event, RunStarted):
                self._begin()
            elif isinstance(event, RunFinished):
                self._end()
        except TaskError as error:  # what a disk refuses is a report that could not be written
            raise OSError(error.message) from error

    def _begin(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._keep:
            self._take_over()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (0 if self._keep else os.O_TRUNC)
        self._file = os.open(self._live, flags | getattr(os, "O_BINARY", 0), 0o666)

    def _take_over(self) -> None:
        """Make the journal begin with the rows of earlier runs; one that was killed has left its own."""
        if self._live.exists():
            rows = self._rows({})
        elif self._path.exists():
            rows = _tables.read_csv(self._path) if self._form == ".csv" else _tables.read_parquet(self._path)
        else:
            return
        with atomic_write(self._live) as file:
            file.writelines(json.dumps(row).encode() + b"\n" for row in rows)
        self._kept = self._live.stat().st_size

    def _write(self, row: Row) -> None:
        block = memoryview(json.dumps(row).encode() + b"\n")
        while block:  # one call a row, unless a signal or a full disk cuts it short
            block = block[os.write(self._file, block) :]

    def _end(self) -> None:
        os.close(self._file)
        self._file = -1
        moved = {(redact(key), index): path for (key, index), path in self._moved().items()}
        if self._form == ".jsonl":
            if moved or self._kept:
                with atomic_write(self._path) as file:
                    file.writelines(json.dumps(row).encode() + b"\n" for row in self._rows(moved))
            return
        columns = list(dict.fromkeys([*self._fields, *(name for row in self._rows(moved) for name in row)]))
        with atomic_write(self._path) as file:
            if self._form == ".csv":
                _tables.write_csv(file, columns, self._rows(moved))
            else:
                _tables.write_parquet(file, columns, self._rows(moved), self._fields)
        with suppress(OSError):
            self._live.unlink()

    def _rows(self, moved: Mapping[tuple[str, int], str]) -> Iterator[Row]:
        newer = {_place(row) for row, _ in self._lines(self._kept)} if self._kept else set()
        for row, start in self._lines():
            if start >= self._kept or _place(row) not in newer:
                path = moved.get((row.get("url", ""), row.get("index", -1)))
                yield {**row, "path": path} if path else row

    def _lines(self, start: int = 0) -> Iterator[tuple[Row, int]]:
        """Yield the rows of the journal from a byte on, and where each begins; what is no row is left out."""
        with self._live.open("rb") as lines:
            lines.seek(start)
            for line in lines:
                row = _row_in(line)
                if row is not None:
                    yield row, start
                start += len(line)


def _check_place(path: Path) -> None:
    """Raise UsageError unless a file can be written there; missing folders are made when the run begins."""
    if path.is_dir():
        raise UsageError(f"--manifest {path}: this is a folder")
    above = next(place for place in path.absolute().parents if os.path.lexists(place))
    if not above.is_dir():
        raise UsageError(f"--manifest {path}: {above} is no folder")
    if not os.access(path if path.exists() else above, os.W_OK):
        raise UsageError(f"--manifest {path}: it cannot be written there")


def _row_in(line: bytes) -> Row | None:
    """Return the row in a line; None for half a line, where the disk was full, and for what is no row."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def _place(row: Row) -> Place:
    return str(row.get("url") or row.get("input")), str(row.get("index"))


def _clean(row: Row) -> Row:
    """Return a row without secrets and halves of characters."""
    return {_whole(name): _value(name, value) for name, value in row.items()}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return redact(_whole(value)) if name in LINKS or "://" in value else _whole(value)
    if isinstance(value, list | tuple):
        return [_value(name, each) for each in value]
    return value


def _whole(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
