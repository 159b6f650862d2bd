"""A cheap look at a file before it is fetched: its size and the name that its server gives it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from toolkit.apps.download import disposition
from toolkit.apps.download.wanted import Wanted
from toolkit.core.follow import follow
from toolkit.core.http import (
    RETRY_STATUSES,
    Head,
    Headers,
    Reply,
    content_length,
    content_range,
    http_error,
    unsatisfied_total,
)
from toolkit.core.job import Runtime
from toolkit.core.network import Network
from toolkit.core.task import Task
from toolkit.core.urls import wire_url

OK, PARTIAL, NO_SUCH_RANGE, ERRORS = 200, 206, 416, 400


@dataclass(frozen=True, slots=True)
class Probed:
    """What a server tells of a file without sending it. size: bytes, or None if it does not say. name: "" for none."""

    size: int | None
    name: str


@dataclass(frozen=True, slots=True)
class ProbeJob:
    """Ask for the head of a file; where a server has none, or tells no length in it, for the file's first byte."""

    headers: tuple[tuple[str, str], ...]
    network: Network

    async def __call__(self, task: Task[Wanted], runtime: Runtime) -> Probed:
        """Ask; raises TaskError, as the download would."""
        wanted = task.payload
        request = self.network.request(wire_url(wanted.url), self.headers + wanted.headers)
        reply = await follow(runtime, replace(request, method="HEAD"), _unread, network=self.network)
        status = reply.head.status
        if status in RETRY_STATUSES and status < 500:  # noqa: PLR2004 - others may be meant for HEAD alone
            raise http_error(reply.head)
        size = content_length(reply.head.headers) if status == OK and is_plain(reply.head.headers) else None
        if size is None:
            reply = await follow(runtime, request.with_headers(("Range", "bytes=0-0")), _unread, network=self.network)
            size = _size(reply)
        return Probed(size, disposition.filename(reply.head.headers) or "")


def is_plain(headers: Headers) -> bool:
    """Tell whether a length is that of the file, not of a coded form."""
    return all(coding.lower() in ("", "identity") for coding in headers.all("content-encoding"))


def _unread(head: Head) -> None:  # noqa: ARG001 - bodies are not wanted, whatever they are
    return None


def _size(reply: Reply) -> int | None:
    status, headers = reply.head.status, reply.head.headers
    if status == PARTIAL:
        found = content_range(headers)
        return found.total if found else None
    if status == NO_SUCH_RANGE:
        return unsatisfied_total(headers)
    if status >= ERRORS:
        raise http_error(reply.head)
    return content_length(headers) if status == OK and is_plain(headers) else None
