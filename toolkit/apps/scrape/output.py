"""Where rows go: into a whole file at the end, or behind the rows of a file as they come.

A file that is replaced is made from the store when the run ends, in the order of the list. One that is added to gets
its rows at once; the store notes how far it had come, together with the pages that the rows are of, so that a kill
neither loses nor doubles any.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from toolkit.apps.scrape.packing import unpack
from toolkit.apps.scrape.writers import (
    Appender,
    Row,
    check_output,
    form_of,
    open_appender,
    replacing,
    writer,
)
from toolkit.core.errors import TaskError, UsageError
from toolkit.core.job import Memory
from toolkit.storage import output_folder

STDOUT = Path("-")
UNSURE = "?"
"""Noted while a file is replaced: nobody knows then which rows it has."""
LINES = frozenset({"jsonl", "csv", "tsv"})
"""Forms that have a line for each row."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns, in order, and their types."""

    columns: tuple[str, ...]
    types: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one page. run: the number of the run that brought them; late: whether only the end of a run told them."""

    rows: Sequence[Row]
    run: int
    late: bool = False


@dataclass(slots=True)
class Output:
    """One file of rows. append: add to it, not replace it; ordered: then in the order of the list, when the run ends.

    count: sees every row that is written. lacking: columns that became known too late; torn: bytes of half a line that
    was cut off the end of a file that no run was writing. Raises UsageError for a place where no rows can be.
    """

    path: Path
    append: bool = False
    ordered: bool = False
    escape_formulas: bool = False
    count: Callable[[Row], None] = lambda _: None
    _appender: Appender | None = None
    _columns: frozenset[str] = frozenset()
    _written: int = 0
    _fault: TaskError | None = None
    lacking: set[str] = field(default_factory=set)
    torn: int = 0

    def __post_init__(self) -> None:
        if self.path != STDOUT:
            check_output(self.path, replace=not self.append)
        elif self.append:
            raise UsageError("--append: name a file to add to; -o - prints rows as they come")

    def prepare(self) -> None:
        """Make the folder; raises UsageError."""
        if self.path == STDOUT:
            return
        if self.path.is_dir():
            raise UsageError(f"{self.path} is a folder: name a file in it, such as {self.path / 'rows.jsonl'}")
        output_folder(self.path.parent)

    def meet(self, shape: Shape, memory: Memory, kept: Callable[[], Iterator[Batch]]) -> None:
        """Open the file that is added to, mended, and bring it what runs before could not; raises UsageError."""
        if not self.append:
            if self.path != STDOUT:  # if this run is killed, the file is another one's, and not what the store has
                memory.note(self._note("written"), UNSURE)
            return
        written = memory.noted(self._note("written"))
        if written == UNSURE and self.path.exists():  # a run was killed while it replaced the file: do it now
            self._replace(shape, memory, kept(), None)
            written = str(memory.run_id - 1)
        run, _, mark = memory.noted(self._note("mark")).partition(" ")
        there = self.path.exists()
        self._columns = frozenset(shape.columns)
        try:
            self._appender = open_appender(
                self.path,
                shape.columns,
                types=shape.types,
                escape_formulas=self.escape_formulas,
                mark=int(mark) if mark and there else None,
            )
        except TaskError as error:
            raise UsageError(str(error)) from error
        self.torn = 0 if mark else getattr(self._appender, "cut", 0)
        self._written = max(int(written or 0), int(run or 0)) if there else 0
        self._settle(memory, self._written)
        if not self.ordered:
            for batch in kept():
                if batch.run > self._written:
                    self._add(batch.rows)
            self._settle(memory, memory.run_id)

    def take(self, rows: Sequence[Row]) -> None:
        """Add a page's rows, if that is not for the end; raises TaskError."""
        if self._appender is not None and not self.ordered:
            self._add(rows)

    def storing(self, memory: Memory) -> None:
        """Note how far the file has come, with the pages that are committed now.

        Raises TaskError where a row could not be written: then none of these pages may be noted, since nobody knows
        where they end.
        """
        if self._fault is not None:
            raise self._fault
        if self._appender is not None and not self.ordered:
            memory.note(self._note("mark"), f"{memory.run_id} {self._appender.mark()}")

    def finish(self, shape: Shape, memory: Memory, kept: Iterable[Batch], texts: Iterable[str] | None = None) -> None:
        """Write what is left: the whole file, or what is to be added at the end; raises TaskError.

        It is noted with what is committed next. texts: the same rows as the store has them, if nobody needs to see each
        of them.
        """
        if self.path == STDOUT:
            return
        if not self.append:
            self._replace(shape, memory, kept, texts if form_of(self.path) == "jsonl" else None)
            memory.note(self._note("written"), str(memory.run_id))
        elif self._appender is not None:
            for batch in kept:
                if batch.late or (self.ordered and batch.run > self._written):
                    self._add(batch.rows)
            memory.note(self._note("written"), str(memory.run_id))
            memory.note(self._note("mark"), f"{memory.run_id} {self._appender.mark()}")

    def end(self, memory: Memory) -> None:
        """Close the file, once all is committed; from then on it may be edited."""
        self.leave()
        memory.note(self._note("mark"), "")
        memory.commit()

    def leave(self) -> None:
        """Close the file, whatever happened."""
        appender, self._appender = self._appender, None
        if appender is not None:
            appender.close()

    def _settle(self, memory: Memory, run: int) -> None:
        """Commit that all rows of the runs up to this one are in the file, which ends here."""
        assert self._appender is not None  # noqa: S101 - it was opened just now
        memory.note(self._note("written"), str(run))
        memory.note(self._note("mark"), f"{run} {self._appender.mark()}")
        memory.commit()

    def _replace(self, shape: Shape, memory: Memory, kept: Iterable[Batch], texts: Iterable[str] | None) -> None:
        memory.note(self._note("mark"), "")
        memory.note(self._note("written"), UNSURE)
        memory.commit()  # before the file is another one
        with replacing(self.path) as file:
            if texts is not None:
                file.writelines(f"{line}\n".encode() for line in unpack(texts, shape.columns))
            else:
                rows = self._counted(row for batch in kept for row in batch.rows)
                write = writer(form_of(self.path))
                write(file, shape.columns, rows, types=shape.types, escape_formulas=self.escape_formulas)
            if form_of(self.path) in LINES:
                _spare(self.path, file)

    def _add(self, rows: Sequence[Row]) -> None:
        assert self._appender is not None  # noqa: S101 - the callers have looked
        if self._fault is not None:  # a line may be there in part: nothing may come behind it
            raise self._fault
        try:
            for row in self._counted(rows):
                self._appender.add(row)
                if not row.keys() <= self._columns:
                    self.lacking |= row.keys() - self._columns
        except TaskError as error:
            self._fault = error
            raise

    def _counted(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            self.count(row)
            yield row

    def _note(self, what: str) -> str:
        return f"{what} {os.path.abspath(self.path)}"


def _spare(out: Path, fresh: IO[bytes]) -> None:
    """Keep the file that is there as NAME.before, if the new one has fewer lines.

    Asking for other fields while the site is down must not cost the rows that somebody has.
    """
    try:
        with out.open("rb") as file:
            before = _lines(file)
    except OSError:
        return
    fresh.flush()
    fresh.seek(0)
    if _lines(fresh) < before:
        os.replace(out, out.with_name(out.name + ".before"))


def _lines(file: IO[bytes]) -> int:
    return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
