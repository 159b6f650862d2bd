"""The download of one file: resumed where that is safe, under its final name only when it is whole."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from toolkit import storage
from toolkit.apps.download.part import Part
from toolkit.apps.download.resume import Disagreement, Restart
from toolkit.apps.download.segments import MOST
from toolkit.apps.download.split import OURS, Ended, Split
from toolkit.apps.download.transfer import BadPieces, Transfer
from toolkit.apps.download.wanted import Fetched, Settings, Wanted
from toolkit.core.errors import TaskError
from toolkit.core.follow import follow
from toolkit.core.http import Accept, Reply, Request
from toolkit.core.job import Group, Runtime
from toolkit.core.network import Network
from toolkit.core.task import Task
from toolkit.core.urls import wire_url

__all__ = ["DownloadJob", "Fetched", "Settings", "Wanted"]


@dataclass(frozen=True, slots=True)
class DownloadJob:
    """Fetch one file into a folder. headers go with every request.

    Its attribute slots tells the schedule how many connections one task can use.
    """

    folder: Path
    headers: tuple[tuple[str, str], ...]
    network: Network = Network()  # noqa: RUF009 - frozen
    settings: Settings = Settings()  # noqa: RUF009 - frozen

    @property
    def slots(self) -> int:
        """Connections that one file may have."""
        return self.settings.segments or MOST

    async def __call__(self, task: Task[Wanted], runtime: Runtime) -> Fetched:
        """Fetch, resuming the part that an earlier attempt left, and give the file its name."""
        wanted = task.payload
        final = storage.place(os.fspath(self.folder), wanted.name)
        if not wanted.mirrors:
            return await self._bring(task, wanted.url, runtime, final)
        return await self._from_any(task, runtime, final)

    async def _from_any(self, task: Task[Wanted], runtime: Runtime, final: str) -> Fetched:
        """Ask one mirror after the other, until one has it."""
        failures: list[TaskError] = []
        part = Part(self.folder, task.payload.url)
        before = part.usable(task.payload.checksums)[0]
        for url in (task.payload.url, *task.payload.mirrors):
            came = part.usable(task.payload.checksums)[0] if failures else before
            try:
                # What came in this attempt is worth more than a mirror's other version of the file.
                return await self._bring(task, url, runtime, final, keep=came > before)
            except Disagreement:
                continue
            except TaskError as failure:
                if failure.fatal or failure.kind in OURS:
                    raise
                failures.append(failure)
        raise _worth_most(failures)

    async def _bring(
        self, task: Task[Wanted], url: str, runtime: Runtime, final: str, *, keep: bool = False
    ) -> Fetched:
        """Fetch from one URL; what proves to be of no use is fetched again from the start, once for each reason."""
        before: set[str] = set()
        while True:
            try:
                return await self._try(task, url, runtime, final, keep=keep, alone=bool(before))
            except Restart as restart:
                if keep and restart.why != "checksum":
                    raise Disagreement from None
                Part(self.folder, task.payload.url).discard()
                if restart.why in before:
                    raise restart.failure from None
                before.add(restart.why)

    async def _try(
        self, task: Task[Wanted], url: str, runtime: Runtime, final: str, *, keep: bool, alone: bool
    ) -> Fetched:
        wanted, settings = task.payload, self.settings
        ask = _Asking(self, wanted)
        transfer = Transfer(
            Part(self.folder, wanted.url), wanted, settings, ask, final=final, source=url, keep=keep,
            slots=1 if alone or settings.segments == 1 else task.slots,
        )  # fmt: skip
        try:
            reply: Reply | None
            if transfer.split is None:
                reply = await ask(runtime, url, transfer.fields(), transfer.accept)
            elif transfer.slots > 1:
                async with runtime.group() as group:
                    reply = await self._by_many(transfer, transfer.split, ask, url, runtime, group)
            else:
                reply = await self._by_many(transfer, transfer.split, ask, url, runtime, None)
            return await self._finish(transfer, reply, runtime)
        except BaseException as error:
            transfer.leave(error)
            raise

    async def _by_many(
        self, transfer: Transfer, split: Split, ask: _Asking, url: str, runtime: Runtime, group: Group | None
    ) -> Reply | None:
        """Bring all bytes, and return the reply; None if it was left before its end, since others brought the rest."""
        split.open_to(group)
        reply: Reply | None = None
        if (partial := transfer.segmented) is not None:
            transfer.go_on(partial)
        else:
            try:
                reply = await ask(runtime, url, transfer.fields(), transfer.accept)
            except Ended:
                pass
            except TaskError as failure:
                if not split.begun:
                    raise
                split.bear(failure)
        if split.begun:
            await split.join(runtime, group)
        return reply

    async def _finish(self, transfer: Transfer, reply: Reply | None, runtime: Runtime) -> Fetched:
        if reply is None:
            assert transfer.split is not None  # noqa: S101 - who else could have left it
            reply = transfer.split.reply()
        try:
            return await transfer.finish(reply, runtime)
        except BadPieces as bad:
            split = transfer.mend(bad.ranges, reply.received)
        await split.join(runtime, None)
        return await transfer.finish(reply, runtime)


class _Asking:
    """How one task asks: with the job's header fields and its own, following redirects."""

    def __init__(self, job: DownloadJob, wanted: Wanted) -> None:
        self._job, self._wanted = job, wanted
        self.hops: list[str] = []

    async def __call__(self, runtime: Runtime, url: str, fields: tuple[tuple[str, str], ...], accept: Accept) -> Reply:
        """Fetch a URL of the task."""
        job = self._job
        request = job.network.request(wire_url(url), job.headers + self._wanted.headers + fields)
        home = None if url == self._wanted.url else wire_url(self._wanted.url)
        return await follow(runtime, request, accept, may_go=self._note, network=job.network, home=home)

    async def _note(self, old: str, _: Request) -> None:
        self.hops.append(old)


def _worth_most(failures: list[TaskError]) -> TaskError:
    """Return the failure that stands for all: the first that may pass, else the first."""
    best = next((failure for failure in failures if failure.retryable), failures[0])
    if best is failures[0]:
        return best
    return TaskError(best.kind, f"a mirror: {best.message}", retryable=True)
