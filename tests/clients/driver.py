"""Any client, used in the same way: blocking ones in this thread, async ones on a loop of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from toolkit.clients import ClientKind, ClientOptions
from toolkit.core.errors import TaskError
from toolkit.core.follow import MayGo, follow
from toolkit.core.http import Accept, Head, MemorySink, Progress, Reply, Request
from toolkit.core.job import Group
from toolkit.core.runtime import AsyncClient, BlockingClient, drive

T = TypeVar("T")
MUCH = 1 << 30


def ignore(_: int) -> float:
    """Count nothing, wait for nothing."""
    return 0.0


@dataclass
class Got:
    """What became of one fetch."""

    reply: Reply
    body: bytes
    blocks: list[int] = field(default_factory=list)


class Driver:
    """One client, open; `with Driver(kind) as client: client.get(url)`."""

    def __init__(
        self,
        kind: ClientKind,
        options: ClientOptions | None = None,
        loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
    ) -> None:
        self._runner = asyncio.Runner(loop_factory=loop)
        self._kind = kind
        self._options = options or ClientOptions()
        self.client: Any = None

    def __enter__(self) -> Self:
        try:
            self.client = self._run(self._open())
        except BaseException:
            self._runner.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close())
        self._runner.close()

    def fetch(self, request: Request, accept: Accept, progress: Progress = ignore) -> Reply:
        """Fetch with the client as it is."""
        return self._run(self._fetch(request, accept, progress))

    @property
    def name(self) -> str:
        """Return the client's name."""
        return self._kind.name

    def get(
        self, url: str, *, head: Callable[[Head], object] | None = None, pause: float = 0.0, **settings: Any
    ) -> Got:
        """Fetch a whole body into memory, with a pause after each block; settings are those of Request."""
        sink, blocks = MemorySink(MUCH), list[int]()

        def accept(seen: Head) -> MemorySink:
            if head is not None:
                head(seen)
            return sink

        def progress(size: int) -> float:
            blocks.append(size)
            return pause

        reply = self.fetch(Request(url, **{"read_timeout": 5.0, **settings}), accept, progress)
        return Got(reply, sink.body(), blocks)

    def failure(self, url: str, **settings: Any) -> TaskError:
        """Fetch what must fail, and return the failure."""
        try:
            got = self.get(url, **settings)
        except TaskError as error:
            return error
        raise AssertionError(f"came through with {got}")

    def follow(
        self, request: Request, may_go: MayGo | None = None, accept: Accept | None = None, **keeping_to: Any
    ) -> Got:
        """Fetch a whole body, following redirects; keeping_to: network and home, as follow has them."""
        sink = MemorySink(MUCH)
        reply = self._run(follow(_Runtime(self), request, accept or (lambda _: sink), may_go=may_go, **keeping_to))
        return Got(reply, sink.body())

    def run(self, work: Callable[[AsyncClient], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine over an async client."""
        return self._runner.run(work(self.client))

    async def _fetch(self, request: Request, accept: Accept, progress: Progress) -> Reply:
        if self._kind.works == "async":
            client: AsyncClient = self.client
            return await client.fetch(request, accept, progress)
        blocking: BlockingClient = self.client
        return blocking.fetch(request, accept, progress)

    async def _open(self) -> BlockingClient | AsyncClient:
        return self._kind.open(self._options)

    async def _close(self) -> None:
        if self._kind.works == "async":
            await self.client.close()
        else:
            self.client.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work) if self._kind.works == "async" else drive(work)


class _Runtime:
    """The runtime that follow needs, over a driver's client."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    async def fetch(self, request: Request, accept: Accept) -> Reply:
        return await self._driver._fetch(request, accept, ignore)

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        return function(*args)

    async def compute(self, function: Callable[..., T], *args: Any) -> T:
        return function(*args)

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        return await make()

    def group(self) -> AbstractAsyncContextManager[Group]:
        """No job asks for one here."""
        raise NotImplementedError
