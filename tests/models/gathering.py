"""A job that fetches several URLs at the same time; its payload says how that goes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Head, MemorySink, Request
from toolkit.core.job import Runtime
from toolkit.core.task import Task

MUCH = 100_000_000
PATIENCE = 50.0
"""Seconds without a byte: tests that wait for them have failed."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Of all bodies, and of one that is fetched afterwards; seen: what the body of the group saw of its end."""

    bodies: tuple[str, ...]
    after: str = ""
    seen: str = ""


class Gathering:
    """Fetches the first URL, and the others from members that its first block starts, or its head."""

    async def __call__(self, task: Task[Any], runtime: Runtime) -> Sums:
        """Do as the payload says: how, URLs, and where to say that the members run."""
        how, urls, shown = task.payload
        sums: dict[str, str] = {}
        seen = ""
        try:
            async with runtime.group() as group:

                def start() -> None:
                    for url in urls[1:]:
                        group.start(partial(_member, url=url, sums=sums, how=how, shown=shown))

                try:
                    sums[urls[0]] = await _get(runtime, urls[0], start)
                except BaseException as error:
                    seen = type(error).__name__
                    raise
                _fail_if(how == "body fails", "the body has failed")
        except TaskError as error:
            if how != "recover":
                raise
            return Sums((), await _get(runtime, urls[0].partition("?")[0]), f"{seen}: {error.message}")
        return Sums(tuple(sums[url] for url in urls))


async def _member(runtime: Runtime, url: str, sums: dict[str, str], how: str, shown: str) -> None:
    if shown:
        _touch(shown)
    _fail_if(how in ("member fails", "recover"), "the member has failed")
    if how == "member exits":
        raise SystemExit(3)
    sums[url] = await _get(runtime, url)


def _touch(path: str) -> None:
    Path(path).touch()


def _fail_if(wanted: bool, message: str) -> None:
    if wanted:
        raise TaskError(FailureKind.IMAGE, message)


async def _get(runtime: Runtime, url: str, at_first: Callable[[], None] | None = None) -> str:
    hangs = "hang" in url  # then there is no block
    sink = _Sink(None if hangs else at_first)

    def accept(_: Head) -> _Sink:
        if hangs and at_first is not None:
            at_first()
        return sink

    await runtime.fetch(Request(url, read_timeout=PATIENCE), accept)
    return hashlib.sha256(sink.body()).hexdigest()


class _Sink(MemorySink):
    """Calls something at its first block."""

    def __init__(self, at_first: Callable[[], None] | None) -> None:
        super().__init__(MUCH)
        self._at_first = at_first

    def write(self, block: bytes | bytearray | memoryview, /) -> None:
        """Keep the block."""
        super().write(block)
        if self._at_first is not None:
            self._at_first()
            self._at_first = None
