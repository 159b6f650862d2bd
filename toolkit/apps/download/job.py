"""The downloader as an app: lines become tasks with names, and what is here already is not fetched again."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from toolkit import __version__, storage
from toolkit.apps.download import names
from toolkit.apps.download.fetch import DownloadJob, Fetched, Settings, Wanted
from toolkit.apps.download.options import DownloadOptions
from toolkit.core.errors import TaskError, UsageError
from toolkit.core.job import Memory, Remembered
from toolkit.core.lists import Line, Seen, check_sources, count_urls, read_urls
from toolkit.core.network import Network
from toolkit.core.task import Failure, Skip, Task, failure_of
from toolkit.core.urls import lane_of, wire_url

USER_AGENT = f"toolkit/{__version__}"


class DownloadApp:
    """Downloads: sources are URLs, files of URLs, or "-"."""

    name = "download"
    network = True
    usual_model = "threads"
    settings = "1"

    def __init__(
        self, sources: Sequence[str], out: Path, options: DownloadOptions, *, network: Network | None = None
    ) -> None:
        """Check the options and sources; raises UsageError."""
        if sources:
            check_sources(sources)
        self.out = out
        self._sources = tuple(sources)
        self._options = options
        headers = (
            _header(f"User-Agent: {options.user_agent or USER_AGENT}"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
            *(_header(text) for text in options.header),
        )
        self.job = DownloadJob(out, headers, network or Network(), Settings(max_size=options.max_size))

    @cached_property
    def total(self) -> int | None:
        """How many URLs there are."""
        return count_urls(self._sources)

    @property
    def state(self) -> Path:
        """The store's place."""
        return self.out / ".toolkit.sqlite"

    def prepare(self) -> None:
        """Make the folder; raises UsageError."""
        storage.output_folder(self.out)

    def plan(self, memory: Memory) -> Iterator[Task[Any] | Skip | Failure | None]:
        """Yield a task for each line, named once and for all."""
        seen = Seen()
        index = 0
        for line in read_urls(self._sources):
            if line is None:
                yield None
                continue
            yield self._planned(line, index, seen, memory)
            index += 1

    def recall(self, task: Task[Wanted], known: Remembered) -> Task[Wanted] | Skip:
        """Skip what is here; or ask whether it changed; or fetch it again: as --existing says."""
        value, wanted = known.value, task.payload
        if self._options.existing == "overwrite" or not self._is_here(wanted.name, value.get("bytes")):
            return task
        if self._options.existing == "skip":
            return Skip(task, "already downloaded")
        return replace(task, payload=replace(wanted, etag=value.get("etag"), modified=value.get("modified")))

    def record(self, value: Fetched) -> dict[str, Any]:
        """Return what the store keeps."""
        return asdict(value)

    def land(self, task: Task[Any], value: Any, memory: Memory) -> Any:  # noqa: ARG002 - nothing is left to do
        """Return the value as it is."""
        return value

    def dump(self, task: Task[Wanted]) -> dict[str, Any]:
        """Return a payload as JSON values."""
        return {"url": task.payload.url, "name": task.payload.name}

    def load(self, key: str, payload: dict[str, Any], index: int) -> Task[Wanted] | Failure:
        """Return the task that dump described."""
        task = Task(key, Wanted(payload["url"], payload["name"]), index=index)
        try:
            return replace(task, lane=lane_of(wire_url(payload["url"])))
        except TaskError as error:
            return failure_of(task, error)

    def finish(self, memory: Memory) -> None:
        """Nothing is left to write."""

    def _planned(self, line: Line, index: int, seen: Seen, memory: Memory) -> Task[Any] | Skip | Failure:
        try:
            url = wire_url(line.text)
        except TaskError as error:
            task = Task(line.text, Wanted(line.text, ""), index=index)
            return replace(failure_of(task, error), message=f"{line.where}: {error.message}")
        key = line.text.partition("#")[0]
        task = Task(key, Wanted(key, ""), lane_of(url), index=index)
        if not seen.add(url):
            return Skip(replace(task, key=f"{key} ({line.where})"), "duplicate")  # the key is the first one's
        name = self._name(url, memory)
        task = replace(task, payload=Wanted(key, name))
        if self._options.existing == "skip" and os.path.lexists(self.out / name) and not self._is_ours(key, memory):
            return Skip(task, "a file of this name is there already")
        return task

    def _is_ours(self, key: str, memory: Memory) -> bool:
        known = memory.recall(key)
        return known is not None and "bytes" in known.value

    def _name(self, url: str, memory: Memory) -> str:
        """Return the name that this URL has in this folder for ever."""
        name = names.from_url(url)
        for digits in (0, 8, 16):
            candidate = names.distinct(name, url, digits) if digits else name
            folded = names.folded(candidate)
            owner = memory.claimed(folded)
            if owner is None:
                memory.claim(folded, url)
            if owner in (None, url):
                return candidate
        raise UsageError(f"no free name for {url}")

    def _is_here(self, name: str, size: int | None) -> bool:
        try:
            return (self.out / name).stat().st_size == size
        except OSError:
            return False


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name.strip()):
        raise UsageError(f"--header {name!r}: write 'Name: value'")
    if not re.fullmatch(r"[\t\x20-\x7e]*", value):
        raise UsageError(f"the header field {name!r} can hold plain ASCII letters and signs only")
    return name.strip(), value.strip()


APP = DownloadApp
