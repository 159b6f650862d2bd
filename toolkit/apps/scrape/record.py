"""Pages fetched as the scraper fetches them, and saved as they came: what rules are tried on without a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toolkit.apps.scrape.fetching import Fetching, is_success
from toolkit.apps.scrape.job import ScrapeApp
from toolkit.apps.scrape.options import ScrapeOptions
from toolkit.apps.scrape.output import STDOUT
from toolkit.apps.scrape.saved import page_of, save
from toolkit.apps.scrape.settings import rules_of
from toolkit.apps.scrape.visit import Visit
from toolkit.core.errors import UsageError
from toolkit.core.job import Memory, Remembered, Runtime
from toolkit.core.network import Network
from toolkit.core.options import option
from toolkit.core.quantities import parse_bytes
from toolkit.core.task import Failure, Skip, Task
from toolkit.storage import output_folder


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """What can be asked of a recording; the words are those of a scrape."""

    url_column: str | None = option(None, "The column of a table that holds the URLs.", metavar="NAME")
    rules: Path | None = option(
        None, "A rules file: its login is used, and its page types say what is rendered.", metavar="FILE"
    )
    render: bool = option(False, "Save pages as their scripts leave them, where the rules ask for it (extra render).")
    limit: int | None = option(None, "Pages saved in this run, at most.", metavar="N")
    ignore_robots: bool = option(False, "Fetch what robots.txt forbids, too.")
    user_agent: str | None = option(None, "How to introduce yourself to servers.", metavar="TEXT")
    contact: str | None = option(None, "A URL or mail address to add to the default introduction.", metavar="TEXT")
    max_body: int = option(10_000_000, "Fail pages that are larger, once decoded.", metavar="SIZE", parse=parse_bytes)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A page that was saved. bytes: on the wire; lane_delay: seconds between two pages that the host asks for."""

    path: Path
    bytes: int
    lane_delay: float | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordJob:
    """Fetch one page, whatever its status is but 429 and 503, and save it.

    run: names the robots.txt cache that its tasks share.
    """

    folder: Path
    fetching: Fetching

    async def __call__(self, task: Task[Visit], runtime: Runtime) -> Recorded:
        """Fetch and save; raises TaskError or TaskSkipped."""
        fetched = await self.fetching.page(runtime, task.payload, lambda _: "", errors=True)
        page = page_of(task.payload.url, fetched.head, fetched.body, datetime.now(UTC))
        path = await runtime.call(save, self.folder, page)
        notes = () if is_success(fetched.head) else (f"saved though the server said HTTP {page.status}",)
        return Recorded(path, fetched.received, fetched.crawl_delay, (*fetched.notes, *notes))


class RecordApp:
    """One recording: sources are URLs or lists of them, out is a folder. Nothing is remembered: each run saves anew.

    Raises UsageError for sources and options that cannot be used.
    """

    name = "scrape record"
    network = True
    settings = ""
    usual_model = ScrapeApp.usual_model
    usual_per_host = ScrapeApp.usual_per_host
    jitter = ScrapeApp.jitter
    state: Path | None = None

    def __init__(self, sources: Sequence[str], out: Path, options: RecordOptions, *, network: Network) -> None:
        """Check the options and sources; raises UsageError."""
        wanted = ScrapeOptions(
            url_column=options.url_column,
            limit=options.limit,
            ignore_robots=options.ignore_robots,
            user_agent=options.user_agent,
            contact=options.contact,
            max_body=options.max_body,
        )
        self._list = ScrapeApp(sources, STDOUT, wanted, network=network)
        if self._list.files:
            raise UsageError(f"{self._list.files[0]}: this page is on this disk already: name URLs, or lists of them")
        self.out = out
        rules = rules_of(ScrapeOptions(rules=options.rules, render=options.render))
        self.job = RecordJob(out, replace(self._list.job.fetching, rules=rules, render=options.render))

    @property
    def meets_hosts(self) -> bool:
        """Whether the first page of a host is alone, as in a scrape."""
        return self._list.meets_hosts

    @property
    def total(self) -> int | None:
        """How many URLs there are."""
        return self._list.total

    def plan(self, memory: Memory) -> Iterator[Task[Visit] | Skip | Failure | None]:
        """Yield what a scrape of these sources would visit."""
        return self._list.plan(memory)

    def recall(self, task: Task[Any], known: Remembered) -> Task[Any]:  # noqa: ARG002
        """Save anew what was saved before: a recording is made to have the page as it is now."""
        return task

    def record(self, value: Recorded) -> dict[str, Any]:
        """Return what is counted."""
        return {"bytes": value.bytes}

    def land(self, task: Task[Any], value: Recorded, memory: Memory) -> Recorded:  # noqa: ARG002
        """Take it as it is."""
        return value

    def dump(self, task: Task[Any]) -> dict[str, Any]:
        """Return a task's payload as JSON values."""
        return self._list.dump(task)

    def load(self, key: str, payload: dict[str, Any], index: int) -> Task[Visit] | Failure:
        """Return the task that dump described."""
        return self._list.load(key, payload, index)

    def prepare(self) -> None:
        """Make the folder."""
        output_folder(self.out)

    def finish(self, memory: Memory) -> None:
        """Nothing is left to write."""

    def leave(self) -> None:
        """Close the browser, if there is one."""
        self.job.fetching.close()
