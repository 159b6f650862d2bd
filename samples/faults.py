"""Faults on demand: query parameters that make any address refuse, change or deliver its body badly.

They combine, and they are deterministic: whatever depends on "how many times so far" is counted per full URL.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self
from urllib.parse import quote

from aiohttp import web

from samples.bodies import Body, changed, gzipped


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults that one request asks for; each field is a query parameter of the same name."""

    delay: float = 0.0  # seconds before the head
    drop: int = 0  # close the connection unanswered, the first N times
    fail: int = 0  # an error (503, or ?status=) the first N times
    status: int = 0  # this status: always, or as often as ?fail= says
    retry_after: str = ""  # the header of that name, on errors
    redirect: int = 0  # N redirects to the same address before the answer
    loop: bool = False  # a redirect to the same URL, for ever
    version: int = 0  # another body, ETag and date
    gzip: bool = False  # Content-Encoding: gzip, asked or not
    weak: bool = False  # a weak ETag
    noetag: bool = False  # no ETag
    nodate: bool = False  # no Last-Modified
    norange: bool = False  # Range is ignored
    wrongrange: bool = False  # 206, but from byte 0
    filename: str = ""  # Content-Disposition: attachment
    chunked: bool = False  # no Content-Length
    rate: float = 0.0  # bytes a second
    drip: bool = False  # one byte per half second
    hang: bool = False  # the head, then nothing
    cut: float = 0.0  # close after this share of the body
    cut_once: float = 0.0  # the same, the first time only

    @classmethod
    def asked(cls, query: Mapping[str, str]) -> Self:
        """Read the faults from a query; other parameters are left alone. Raise ValueError on a value that is none."""
        asked = [each for each in fields(cls) if each.name in query]
        return cls(**{each.name: _value(each.default, query[each.name]) for each in asked})


@dataclass(slots=True)
class Memory:
    """What the server remembers between requests: who asked for what, and how often a fault has struck."""

    seen: dict[str, list[dict[str, str | float]]] = field(default_factory=dict)
    struck: Counter[tuple[str, str]] = field(default_factory=Counter)
    started: float = field(default_factory=time.monotonic)
    busy: int = 0
    peak: int = 0

    def note(self, request: web.Request) -> None:
        """Remember a request: its method, when it came (seconds since the reset) and the headers that matter."""
        headers = {name: request.headers[name] for name in NOTED if name in request.headers}
        at = time.monotonic() - self.started
        self.seen.setdefault(request.raw_path, []).append({"method": request.method, "at": at, **headers})

    def strikes(self, fault: str, request: web.Request, times: int) -> bool:
        """Tell whether this fault still strikes this URL, which it does `times` times."""
        self.struck[fault, request.raw_path] += bool(times)
        return self.struck[fault, request.raw_path] <= times and times > 0

    def reset(self) -> None:
        """Forget everything but the requests under way."""
        self.seen, self.struck, self.started, self.peak = {}, Counter(), time.monotonic(), self.busy


NOTED = ("Range", "If-Range", "If-None-Match", "If-Modified-Since", "Accept-Encoding", "User-Agent")


def refuse(request: web.Request, faults: Faults, memory: Memory) -> web.StreamResponse | None:
    """Return the answer that stands instead of the resource, if a fault asks for one."""
    return next((answer for rule in REFUSALS if (answer := rule(request, faults, memory))), None)


def change(body: Body, faults: Faults) -> Body:
    """Return the body as the faults want it."""
    for name, rule in CHANGES.items():
        if value := getattr(faults, name):
            body = rule(body, value)
    return body


def cut_at(request: web.Request, faults: Faults, memory: Memory) -> float | None:
    """Return the share of the body after which to close the connection, or None to send it all."""
    once = "cut_once" in request.query and memory.strikes("cut_once", request, 1)
    if "cut" in request.query or once:
        return faults.cut_once if once else faults.cut
    return None


async def paced(pieces: Iterable[bytes | memoryview], faults: Faults) -> AsyncIterator[bytes | memoryview]:
    """Yield the pieces no faster than the faults allow."""
    rate = 2.0 if faults.drip else faults.rate
    started, sent = time.monotonic(), 0
    for piece in pieces:
        step = max(1, int(rate / 20)) if rate else max(1, len(piece))
        for start in range(0, len(piece), step):
            part = piece[start : start + step]
            sent += len(part)
            if rate:
                await asyncio.sleep(started + sent / rate - time.monotonic())
            yield part


def _failing(request: web.Request, faults: Faults, memory: Memory) -> web.StreamResponse | None:
    strikes = memory.strikes("fail", request, faults.fail) if faults.fail else bool(faults.status)
    return _error(faults.status or 503, faults) if strikes else None


def _dropping(request: web.Request, faults: Faults, memory: Memory) -> web.StreamResponse | None:
    if not memory.strikes("drop", request, faults.drop):
        return None
    if request.transport:
        request.transport.abort()
    return web.Response(status=500)


def _redirecting(request: web.Request, faults: Faults, _: Memory) -> web.StreamResponse | None:
    if not faults.redirect and not faults.loop:
        return None
    left = faults.redirect if faults.loop else faults.redirect - 1
    return web.Response(status=302, headers={"Location": str(request.rel_url.update_query(redirect=left))})


def _error(status: int, faults: Faults) -> web.Response:
    headers = {"Retry-After": faults.retry_after} if faults.retry_after else {}
    text = None if status in (204, 304) else f"{status}, as asked\n"
    return web.Response(status=status, text=text, headers=headers)


def _value(default: Any, text: str) -> Any:
    return bool(int(text)) if isinstance(default, bool) else type(default)(text)


def _attached(body: Body, name: str) -> Body:
    plain = name.encode("ascii", "replace").decode().replace('"', "'")
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return replace(body, headers={**body.headers, "Content-Disposition": disposition})


REFUSALS: tuple[Callable[[web.Request, Faults, Memory], web.StreamResponse | None], ...] = (
    _dropping,
    _failing,
    _redirecting,
)

CHANGES: dict[str, Callable[..., Body]] = {  # in this order: a gzipped body is that of the version asked for
    "version": changed,
    "gzip": lambda body, _: gzipped(body),
    "weak": lambda body, _: replace(body, etag=f"W/{body.etag}"),
    "noetag": lambda body, _: replace(body, etag=""),
    "nodate": lambda body, _: replace(body, modified=None),
    "norange": lambda body, _: replace(body, ranges=False),
    "filename": _attached,
}
