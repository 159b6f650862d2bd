"""The scraper: a list of URLs in, one row for each page out, in the order of the list."""

from __future__ import annotations

import hashlib
import json
import os
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from toolkit.apps.scrape.options import ScrapeOptions
from toolkit.apps.scrape.page import Page, ScrapeJob
from toolkit.apps.scrape.rules import read_rules
from toolkit.apps.scrape.writers import Write
from toolkit.core import plugins
from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.core.job import Memory, Remembered
from toolkit.core.lists import Line, Seen, check_sources, count_urls, read_urls
from toolkit.core.network import Network
from toolkit.core.task import Failure, Skip, Task, failure_of
from toolkit.core.urls import lane_of, wire_url
from toolkit.storage import atomic_write, output_folder

STDOUT = Path("-")
FORMAT = 1
"""Grows whenever the same rules would give other rows, so that old rows are done anew."""


class ScrapeApp:
    """One scrape: sources are URLs, files of URLs, or "-" for standard input; out is a .jsonl or .csv file, or "-".

    Raises UsageError for a field, a parser or an output that cannot be used.
    """

    name = "scrape"
    network = True
    usual_model = "asyncio"

    def __init__(
        self,
        sources: Sequence[str],
        out: Path,
        options: ScrapeOptions | None = None,
        *,
        network: Network | None = None,
    ) -> None:
        """Check the options and sources; raises UsageError."""
        if sources:
            check_sources(sources, options.url_column if options else None)
        self.sources = tuple(sources)
        self.out = Path(out)
        self.options = options or ScrapeOptions()
        self._writer = "jsonl" if self.out == STDOUT else _writer_of(self.out)
        self.rules = read_rules(self.options.parser, self.options.field)
        self.job = ScrapeJob(
            self.rules,
            user_agent_of(self.options),
            not self.options.ignore_robots,
            self.options.max_body,
            network or Network(),
            uuid.uuid4().hex,
        )

    @property
    def settings(self) -> str:
        """A digest of what rows depend on: the fields and the parser."""
        facts = [FORMAT, self.rules.parser, [[f.name, f.selector, f.attribute, f.many] for f in self.rules.fields]]
        return hashlib.blake2b(json.dumps(facts).encode(), digest_size=16).hexdigest()

    def plan(self, memory: Memory) -> Iterator[Task[str] | Skip | Failure | None]:  # noqa: ARG002
        """Yield a task for each URL, a Skip for one seen before in this run, a Failure for a line that is no URL."""
        seen = Seen()
        index = 0
        for line in read_urls(self.sources, self.options.url_column):
            if line is None:
                yield None
                continue
            yield _planned(line, index, seen)
            index += 1

    def recall(self, task: Task[Any], known: Remembered) -> Task[Any] | Skip:
        """Skip what the store has a row of, made by the same rules."""
        if known.state == "done" and known.settings == self.settings:
            return Skip(task, "already scraped")
        return task

    def record(self, value: Page) -> dict[str, Any]:
        """Return the row, and the bytes that its page took on the wire."""
        return {"row": value.row(), "bytes": value.bytes}

    def line(self, value: Page) -> str:
        """Return the row as a line of JSON, without its line break, for standard output."""
        line: str = plugins.load("toolkit.apps.scrape.writers", "jsonl", "line")(value.row())
        return line

    def land(self, task: Task[Any], value: Any, memory: Memory) -> Any:  # noqa: ARG002 - nothing is left to do
        """Return the value as it is."""
        return value

    def dump(self, task: Task[Any]) -> dict[str, Any]:
        """Return a task's payload as JSON values."""
        return {"url": task.payload}

    def load(self, key: str, payload: dict[str, Any], index: int) -> Task[str] | Failure:
        """Return the task that dump described, or its failure if its line was no URL."""
        task = Task(key, str(payload["url"]), index=index)
        try:
            url = wire_url(task.payload)
        except TaskError as error:
            return failure_of(task, error)
        return Task(key, url, lane_of(url), index=index)

    @cached_property
    def total(self) -> int | None:
        """How many URLs there are."""
        return count_urls(self.sources, self.options.url_column)

    @property
    def state(self) -> Path | None:
        """Where the store lives: beside the output; rows that go to standard output are not remembered."""
        return None if self.out == STDOUT else self.out.parent / f".{self.out.name}.toolkit.sqlite"

    def prepare(self) -> None:
        """Make the output's folder."""
        if self.out == STDOUT:
            return
        if self.out.is_dir():
            raise UsageError(f"{self.out} is a folder: name a file in it, such as {self.out / 'rows.jsonl'}")
        output_folder(self.out.parent)

    def finish(self, memory: Memory) -> None:
        """Write the whole output file from the rows that the store has, in the order of the list."""
        if self.out == STDOUT:
            return
        write: Write = plugins.load("toolkit.apps.scrape.writers", self._writer, "write")
        rows = (known.value["row"] for known in memory.done(self.settings))
        with atomic_write(self.out) as file:
            write(file, self.rules.columns, rows)
            _spare(self.out, file)


def user_agent_of(options: ScrapeOptions) -> str:
    """Return the User-Agent to send: honest, and with a contact if there is one; raises UsageError."""
    from toolkit import __version__

    contact = f" (+{options.contact})" if options.contact else ""
    agent = options.user_agent or f"toolkit/{__version__}{contact}"
    if not re.fullmatch(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?", agent):
        raise UsageError(f"{agent!r} cannot be sent as a User-Agent: use plain ASCII letters and signs")
    return agent


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


def _planned(line: Line, index: int, seen: Seen) -> Task[str] | Skip | Failure:
    key = line.where if line.bad else line.text.partition("#")[0] or line.text
    try:
        url = _url_of(line)
    except TaskError as error:
        if seen.add(key):
            return replace(failure_of(Task(key, key, index=index), error), message=f"{line.where}: {error}")
    else:
        if seen.add(url):
            return Task(key, url, lane_of(url), index=index)
    # Not the plain key: that is the first one's, whose place in the output must stay.
    return Skip(Task(f"{key} ({line.where})", key, index=index), "duplicate")


def _url_of(line: Line) -> str:
    if line.bad:
        raise TaskError(FailureKind.INPUT, line.bad)
    return wire_url(line.text)


def _writer_of(out: Path) -> str:
    known = plugins.names("toolkit.apps.scrape.writers")
    name = out.suffix.removeprefix(".").lower()
    if name not in known:
        endings = ", ".join(f".{ending}" for ending in known)
        raise UsageError(f"{str(out)!r}: the output's name must end in one of {endings}, or be - for standard output")
    return name


APP = ScrapeApp
