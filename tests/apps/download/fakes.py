"""A client that follows a script, and a server's side of one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from toolkit.clients import check_received
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Accept, Head, Headers, Progress, Reply, Request
from toolkit.core.runtime import BlockingRuntime
from toolkit.core.task import Outcome, Task

BLOCK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply. cut: bytes after which the connection breaks, or None."""

    status: int = 200
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None


Script = Callable[[Request], Answer]


@dataclass(slots=True)
class Thing:
    """What stands at a URL, served as a careful server does: ranges, If-Range, If-None-Match."""

    body: bytes = field(repr=False)
    etag: str | None = '"v1"'
    modified: str | None = None
    cuts: list[int] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        """Answer one request."""
        asked = {name.lower(): value for name, value in request.headers}
        headers = {"Date": "Sat, 01 Mar 2025 12:00:00 GMT", "Content-Type": "application/octet-stream"}
        headers |= {"ETag": self.etag} if self.etag else {}
        headers |= {"Last-Modified": self.modified} if self.modified else {}
        cut = self.cuts.pop(0) if self.cuts else None
        if self.etag and asked.get("if-none-match") == self.etag:
            return Answer(304, b"", headers)
        if "range" in asked and asked.get("if-range") in (self.etag, self.modified):
            first = int(asked["range"].removeprefix("bytes=").removesuffix("-"))
            if first >= len(self.body):
                return Answer(416, b"", headers | {"Content-Range": f"bytes */{len(self.body)}"})
            span = f"bytes {first}-{len(self.body) - 1}/{len(self.body)}"
            rest = self.body[first:]
            return Answer(206, rest, headers | {"Content-Range": span, "Content-Length": str(len(rest))}, cut)
        return Answer(200, self.body, headers | {"Content-Length": str(len(self.body))}, cut)


class ScriptedClient:
    """Answers every request from one script; notes what was asked."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.asked: list[Request] = []

    def sent(self, name: str) -> list[str | None]:
        """Return the value of a header field in each request."""
        return [{key.lower(): value for key, value in request.headers}.get(name) for request in self.asked]

    def fetch(self, request: Request, accept: Accept, progress: Progress) -> Reply:
        """Answer one request, in blocks from a buffer that is used again."""
        self.asked.append(request)
        answer = self.script(request)
        head = Head(request.url, answer.status, Headers(answer.headers.items()), "")
        sink = accept(head)
        if sink is None:
            return Reply(head, 0)
        body, buffer = answer.body[: answer.cut], bytearray(BLOCK)
        for start in range(0, len(body), BLOCK):
            block = body[start : start + BLOCK]
            buffer[: len(block)] = block
            sink.write(memoryview(buffer)[: len(block)])
            progress(len(block))
        if answer.cut is not None:
            raise TaskError(FailureKind.TRUNCATED, "the connection broke", retryable=True)
        announced = head.headers.get("content-length")
        check_received(int(announced) if announced else None, len(body))
        return Reply(head, len(body))

    def abort(self) -> None:
        """Nothing is under way."""

    def close(self) -> None:
        """Nothing is open."""


def perform(client: ScriptedClient, job: Any, task: Task[Any]) -> Outcome:
    """Run a job on a task as every blocking model does."""
    runtime = BlockingRuntime(lambda: client, received=lambda _: None, cancelled=lambda: False)
    return runtime.perform(job, task, "worker")
