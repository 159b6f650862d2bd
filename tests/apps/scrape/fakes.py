"""Stand-ins for the world: a client that serves from a dict, and a store in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Hashable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from toolkit.core.errors import TaskError
from toolkit.core.flights import once
from toolkit.core.http import Accept, Head, Headers, Progress, Reply, Request
from toolkit.core.job import Group, Remembered
from toolkit.core.runtime import BlockingRuntime
from toolkit.core.task import Outcome, Task
from toolkit.models._loop import landing

T = TypeVar("T")
HTML = {"Content-Type": "text/html; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What stands at a URL: a reply, or the failure of the network."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: HTML)
    error: TaskError | None = None


def moved(to: str, status: int = 302) -> Answer:
    """Return a redirect."""
    return Answer(status=status, headers={"Location": to})


class FakeClient:
    """Serves answers by URL, in blocks; what is not there is a 404."""

    def __init__(self, answers: Mapping[str, Answer], block: int = 1000) -> None:
        self.answers = dict(answers)
        self.block = block
        self.asked: list[Request] = []

    @property
    def urls(self) -> list[str]:
        """The URLs that were asked for, in order."""
        return [request.url for request in self.asked]

    def fetch(self, request: Request, accept: Accept, progress: Progress) -> Reply:
        """Answer one request."""
        self.asked.append(request)
        answer = self.answers.get(request.url, Answer(status=404))
        if answer.error is not None:
            raise answer.error
        head = Head(request.url, answer.status, Headers(answer.headers.items()))
        sink = accept(head)
        buffer = bytearray(self.block)  # reused, as real clients do
        for start in range(0, len(answer.body) if sink else 0, self.block):
            part = answer.body[start : start + self.block]
            buffer[: len(part)] = part
            progress(len(part))
            if sink is not None:
                sink.write(memoryview(buffer)[: len(part)])
        return Reply(head, len(answer.body))

    def abort(self) -> None:
        """Nothing is ever under way."""

    def close(self) -> None:
        """Nothing is open."""


def blocking(client: FakeClient) -> BlockingRuntime:
    """Return the runtime of the blocking models over a fake client."""
    return BlockingRuntime(lambda: client, received=lambda _: None, cancelled=lambda: False)


def perform(client: FakeClient, job: Any, task: Task[Any]) -> Outcome:
    """Run a job on a task as a blocking model does."""
    return blocking(client).perform(job, task, "worker")


class LoopRuntime:
    """A runtime for one event loop: fetches suspend, and call leaves the loop."""

    def __init__(self, client: FakeClient) -> None:
        self.client = client
        self.calls = 0

    async def fetch(self, request: Request, accept: Accept) -> Reply:
        """Answer after giving the others a turn."""
        await asyncio.sleep(0)
        return self.client.fetch(request, accept, lambda _: 0.0)

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """Run the function in a thread."""
        self.calls += 1
        return await asyncio.to_thread(function, *args)

    async def compute(self, function: Callable[..., T], *args: Any) -> T:
        """Run the function in a thread."""
        return await self.call(function, *args)

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Make it, or wait for what another makes of it."""
        return await once(key, make, landing)

    def group(self) -> AbstractAsyncContextManager[Group]:
        """No job asks for one here."""
        raise NotImplementedError


class FakeMemory:
    """A store that only remembers what is done."""

    path: Path | None = None
    round = ""
    retrying = False
    run_id = 1
    ended = "complete"

    def __init__(self) -> None:
        self.known: dict[str, Remembered] = {}
        self.notes: dict[str, str] = {}

    def keep(self, key: str, settings: str, value: dict[str, Any], index: int) -> None:
        """Remember a success."""
        self.known[key] = Remembered(key, "done", settings, value, index)

    def recall(self, key: str) -> Remembered | None:
        """Return what is known."""
        return self.known.get(key)

    def claim(self, name: str, key: str) -> str:
        """Scrapes claim no names."""
        raise NotImplementedError(name, key)

    def claimed(self, name: str) -> str | None:
        """Scrapes claim no names."""
        raise NotImplementedError(name)

    def done(self, settings: str) -> Iterator[Remembered]:
        """Yield what is done, in the order of the list."""
        yield from sorted((r for r in self.known.values() if r.settings == settings), key=lambda r: r.index)

    def texts(self, settings: str) -> Iterator[str]:
        """Yield the same as JSON."""
        yield from (json.dumps(known.value) for known in self.done(settings))

    def kept(self) -> Iterator[Remembered]:
        """Yield all that is done."""
        yield from sorted(self.known.values(), key=lambda r: r.index)

    def note(self, name: str, value: str) -> None:
        """Keep a text."""
        self.notes[name] = value

    def noted(self, name: str) -> str:
        """Return a text."""
        return self.notes.get(name, "")

    def found(self) -> Iterator[str]:
        """Find nothing."""
        return iter(())

    def drop_rounds(self, names: str = "") -> None:
        """Keep all."""

    def discover(self, key: str, payload: dict[str, Any] | Callable[[], dict[str, Any]]) -> bool:
        """Scrapes of lists find nothing."""
        raise NotImplementedError(key, payload)

    def discovered(
        self, after: int, limit: int, settings: str, *, failed: bool = False
    ) -> list[tuple[int, str, dict[str, Any]]]:
        """Scrapes of lists find nothing."""
        raise NotImplementedError(after, limit, settings, failed)

    @property
    def plan(self) -> str:
        """Return the name of the plan."""
        return ""

    def amend(self, key: str, value: dict[str, Any]) -> None:
        """Replace what is kept."""
        self.known[key] = replace(self.known[key], value=value)

    def disown(self, name: str, key: str) -> None:
        """Take no name from anyone."""
        raise NotImplementedError(name, key)

    def commit(self) -> None:
        """Keep nothing."""
