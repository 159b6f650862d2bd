"""The downloader as an app: lines become tasks with names, and what is here already is not fetched again."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from toolkit import storage
from toolkit.apps.download import space
from toolkit.apps.download.choices import headers_of, settings_of
from toolkit.apps.download.fetch import DownloadJob
from toolkit.apps.download.lines import Lines
from toolkit.apps.download.naming import Naming
from toolkit.apps.download.options import DownloadOptions
from toolkit.apps.download.part import Part
from toolkit.apps.download.probe import Probed, ProbeJob
from toolkit.apps.download.rows import FIELDS, HERE, UNCHANGED, row_of
from toolkit.apps.download.wanted import Fetched, Wanted
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.job import Memory, Remembered
from toolkit.core.lists import Line, Seen, check_sources, count_urls, read_urls
from toolkit.core.lists.columns import own_columns
from toolkit.core.network import Network
from toolkit.core.quantities import shown_bytes
from toolkit.core.task import Failure, Outcome, Skip, Success, Task, failure_of
from toolkit.core.urls import lane_of, wire_url

KEPT = (
    *("name", "bytes", "final_url", "etag", "modified", "content_type", "status", "checksum", "verified"),
    *("suggested", "received", "resumed", "segments"),
)
"""Fields of what came that the store keeps."""
FOREIGN = "a file of this name is there already"


class DownloadApp:
    """Downloads: sources are URLs, files of URLs, or "-"."""

    name = "download"
    network = True
    usual_model = "threads"
    settings = "1"
    row_fields = FIELDS

    def __init__(
        self, sources: Sequence[str], out: Path, options: DownloadOptions, *, network: Network | None = None
    ) -> None:
        """Check the options and sources; raises UsageError."""
        if sources:
            check_sources(sources, options.url_column)
        self.out = out
        self._sources = tuple(sources)
        self._options = options
        self._folder = os.fspath(out)
        self._careful = options.existing in ("skip", "rename")
        self._lines = Lines(options)
        self._naming = Naming(out, overwrite=options.existing == "overwrite")
        self._memory: Memory | None = None
        self._read_all = self._planned_any = False
        self.job = DownloadJob(out, headers_of(options), network or Network(), settings_of(options))

    @cached_property
    def total(self) -> int | None:
        """How many URLs there are."""
        return count_urls(self._sources, self._options.url_column)

    @property
    def state(self) -> Path:
        """The store's place."""
        return self.out / ".toolkit.sqlite"

    @property
    def warnings(self) -> list[str]:
        """What the user should know at the end of a run."""
        if not self._read_all:
            return []
        unmet = self._lines.expected.unmet
        shown = ", ".join(unmet[:3]) + (", …" if len(unmet) > 3 else "")  # noqa: PLR2004
        told = [] if self._planned_any else ["nothing to do: there is no URL in what was given"]
        return told + ([f"--checksums: no file is called {shown}"] if unmet else [])

    def prepare(self) -> None:
        """Make the folder; raises UsageError."""
        storage.output_folder(self.out)
        self._naming.live = True

    def plan(self, memory: Memory) -> Iterator[Task[Any] | Skip | Failure | None]:
        """Yield a task for each line, named once and for all."""
        self._memory = memory
        space.check(self._sources, self._options.url_column, self.out, lambda key: self._bytes_here(key, memory))
        seen = Seen()
        index = 0
        for line in read_urls(self._sources, self._options.url_column):
            if line is None:
                yield None
                continue
            yield self._planned(line, index, seen, memory)
            index += 1
        self._read_all, self._planned_any = True, index > 0

    @property
    def probe(self) -> ProbeJob | None:
        """What looks at a file before it is fetched, or None if nobody asks for it."""
        return None if self._options.no_probe else ProbeJob(self.job.headers, self.job.network)

    def probed(self, task: Task[Wanted], outcome: Outcome | None, memory: Memory) -> Task[Wanted] | Failure:
        """Return a task of a preview with what looking at it gave: its size, and the name that it would get."""
        if not isinstance(outcome, Success):
            return outcome if isinstance(outcome, Failure) else task
        found: Probed = outcome.value
        most, wanted = self._options.max_size, task.payload
        if most is not None and (found.size or 0) > most:
            return Failure(task, FailureKind.TOO_LARGE, f"{found.size:,} bytes, more than --max-size {most:,}")
        wanted = replace(wanted, size=wanted.size if found.size is None else found.size)
        if found.name not in ("", wanted.name) and self.job.settings.suggest and not wanted.fixed:
            name = self._naming.suggested(found.name, task.key, task.index, memory.plan, memory)
            wanted = replace(wanted, name=name)
        return replace(task, payload=wanted)

    def describe(self, task: Task[Wanted]) -> str:
        """Return what a preview says of a task: its file, its size if that is known, and what is in its way."""
        wanted = task.payload
        facts = [] if wanted.size is None else [shown_bytes(wanted.size)]
        if wanted.etag or wanted.modified:
            facts.append("if it has changed")
        elif os.path.lexists(self.out / wanted.name):
            facts.append("replaces the file that is there")
        return f"-> {wanted.name}" + (f" ({', '.join(facts)})" if facts else "")

    def recall(self, task: Task[Wanted], known: Remembered) -> Task[Wanted] | Skip:
        """Skip what is here; or ask whether it changed; or fetch it again: as --existing says."""
        value, wanted = known.value, task.payload
        if not wanted.fixed and value.get("name"):
            wanted = replace(wanted, name=self._kept(task.key, value))
            task = replace(task, payload=wanted)
        current = known.settings == self.settings and not _contradicts(wanted, value)
        if not current or self._options.existing == "overwrite" or not self._is_here(wanted.name, value.get("bytes")):
            return task
        if self._options.existing != "update":
            return Skip(task, HERE)
        return replace(task, payload=replace(wanted, etag=value.get("etag"), modified=value.get("modified")))

    def record(self, value: Fetched) -> dict[str, Any]:
        """Return what the store keeps: what helps the next run, and what people ask a store for."""
        return {name: kept for name in KEPT if (kept := getattr(value, name)) not in (None, "")}

    def land(self, task: Task[Wanted], value: Fetched, memory: Memory) -> Fetched:
        """Give a file the name that its server suggests, or as near to it as may be."""
        if not value.suggested:
            return value
        known = None if self._memory else memory.recall(task.key)  # without a plan, tasks are those of earlier ones
        plan = known.plan if known else memory.plan
        name = self._naming.suggested(value.suggested, task.key, task.index, plan, memory)
        Part(self.out, task.payload.url).give_name(f"{self._folder}{os.sep}{name}")
        if self._options.fsync:
            storage.sync_folder(self._folder)
        return replace(value, name=name)

    def dump(self, task: Task[Wanted]) -> dict[str, Any]:
        """Return a payload as JSON values."""
        empty = Wanted("", "")
        return {name: value for name, value in asdict(task.payload).items() if value != getattr(empty, name)}

    def load(self, key: str, payload: dict[str, Any], index: int) -> Task[Wanted] | Failure:
        """Return the task that dump described."""
        task = Task(
            key, Wanted(**{"name": "", **{name: _frozen(value) for name, value in payload.items()}}), index=index
        )
        if task.payload.bad:  # a line that could not be used, and still cannot
            kind, message = task.payload.bad
            return Failure(task, FailureKind(kind), message)
        try:
            return replace(task, lane=lane_of(wire_url(task.payload.url)))
        except TaskError as error:
            return failure_of(task, error)

    def row(self, outcome: Outcome) -> dict[str, Any]:
        """Return what became of a task, as a row of the manifest."""
        asked = isinstance(outcome, Skip) and outcome.reason in (HERE, UNCHANGED) and self._memory
        known = asked.recall(outcome.task.key) if asked else None
        moved = self._naming.moved.get((outcome.task.key, outcome.task.index))
        return row_of(outcome, moved, known.value if known else None)

    def moved(self) -> dict[tuple[str, int], str]:
        """Return the paths of files that moved in this run, by URL and index."""
        return self._naming.moved

    def finish(self, memory: Memory) -> None:
        """Note what was moved."""
        self._naming.finish(memory)

    def _planned(self, line: Line, index: int, seen: Seen, memory: Memory) -> Task[Any] | Skip | Failure:
        key = line.text.partition("#")[0]
        try:
            if line.bad:
                raise TaskError(FailureKind.INPUT, line.bad)  # noqa: TRY301 - all that is bad of a line ends below
            url = wire_url(line.text)
            if not seen.add(url):  # the key is the first one's
                return Skip(Task(f"{key} ({line.where})", _told(key, line), lane_of(url), index=index), "duplicate")
            wanted = self._lines.wanted(line, key, url, index)
            name = self._naming.planned(wanted.name, key, url, memory)
            foreign = self._careful and self._is_foreign(name, key, memory, fixed=wanted.fixed)
            if foreign and self._options.existing == "rename":
                name, foreign = self._naming.other(name, key, url, memory), False
            named = wanted if name == wanted.name else replace(wanted, name=name)
        except TaskError as error:
            message = f"{line.where}: {error.message}"
            told = replace(_told(line.text, line), bad=(error.kind.value, message))
            return replace(failure_of(Task(line.text, told, index=index), error), message=message)
        task = Task(key, named, lane_of(url), index=index)
        return Skip(task, FOREIGN) if foreign else task

    def _is_foreign(self, name: str, key: str, memory: Memory, *, fixed: bool) -> bool:
        """Tell whether a file of this name is there that we did not fetch for this task."""
        if not os.path.lexists(f"{self._folder}{os.sep}{name}"):
            return False
        known = memory.recall(key)
        ours = known is not None and "bytes" in known.value and not (fixed and known.value.get("name") != name)
        return not ours

    def _bytes_here(self, key: str, memory: Memory) -> int:
        """Return the bytes of a file that need not come again: those of its part, or all."""
        known = memory.recall(key)
        if known and self._is_here(known.value.get("name", ""), known.value.get("bytes")):
            return sys.maxsize
        part = Part(self.out, key).path
        return part.stat().st_size if part.is_file() else 0

    def _kept(self, key: str, value: dict[str, Any]) -> str:
        name: str = value["name"]
        if not value.get("suggested") or self._memory is None:
            return name
        return self._naming.kept(name, key, self._memory)

    def _is_here(self, name: str, size: int | None) -> bool:
        try:
            return (self.out / name).stat().st_size == size
        except OSError:
            return False


def _told(url: str, line: Line) -> Wanted:
    """Return what stands for a line that nothing comes of: its URL, and the columns that are the user's own."""
    return Wanted(url, "", columns=own_columns(line.columns))


def _contradicts(wanted: Wanted, value: dict[str, Any]) -> bool:
    """Tell whether the list asks for another checksum than the one that was recorded."""
    had = value.get("checksum") or ""
    return any(each.partition(":")[0] == had.partition(":")[0] and each != had for each in wanted.checksums)


def _frozen(value: Any) -> Any:
    """Return a JSON value with tuples for lists."""
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value


APP = DownloadApp
