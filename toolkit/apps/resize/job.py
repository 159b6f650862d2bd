"""The resizer as an app: pictures become tasks, tasks become files, and what is unchanged is not done again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from toolkit import storage
from toolkit.apps.resize import again, claims, engines, targets
from toolkit.apps.resize.ending import Ending
from toolkit.apps.resize.estimate import estimate
from toolkit.apps.resize.formats import is_picture_name
from toolkit.apps.resize.gallery import pair
from toolkit.apps.resize.in_place import Places
from toolkit.apps.resize.names import to_text
from toolkit.apps.resize.options import ResizeOptions
from toolkit.apps.resize.picture import Picture, as_values, from_values
from toolkit.apps.resize.plan import Plan, home
from toolkit.apps.resize.recall import UP_TO_DATE, is_up_to_date, with_dates
from toolkit.apps.resize.result import Resized, as_facts
from toolkit.apps.resize.rows import FIELDS, row_of
from toolkit.apps.resize.settings import Settings
from toolkit.apps.resize.template import Naming
from toolkit.apps.resize.walk import Found, Passed, Unreadable
from toolkit.core.errors import FailureKind, UsageError
from toolkit.core.job import Memory, Remembered, Runtime
from toolkit.core.task import Failure, Outcome, Skip, Success, Task

RULES = 3
"""Raised when our own rules change what a picture becomes, so that old results are made anew."""


@dataclass(frozen=True, slots=True)
class ResizeJob:
    """Makes one picture's results."""

    out: str
    settings: Settings

    @property
    def preload(self) -> tuple[str, ...]:
        """What worker processes load once for all, before they are started; never libvips, which has threads."""
        return ("toolkit.apps.resize.develop", "toolkit.apps.resize.engines.pillow")

    async def __call__(self, task: Task[Picture], runtime: Runtime) -> Resized:
        """Render the picture; raises TaskError."""
        return await runtime.call(_render, task.payload, self.out, self.settings)


class ResizeApp:
    """Pictures from files, folders and patterns into an output folder, the tree kept.

    A task's key is the picture's path below what was named (`2024/cat.jpg`): it stays the same when input or output
    move, and two inputs of one run cannot share it, since the plan refuses that.
    """

    name = "resize"
    network = False
    usual_model = "processes"

    def __init__(
        self,
        sources: Sequence[str],
        out: Path,
        options: ResizeOptions,
    ) -> None:
        self._sources = tuple(sources)
        self._settings = options.settings()
        if self._settings.in_place:
            out = home(sources) if sources else out
        elif is_picture_name(out.name) and not out.is_dir():
            raise UsageError(f"-o {out}: results go into a folder, and this is the name of a picture")
        self.out = out
        self._out = Path(os.path.abspath(out))  # workers may have another working folder
        backup = Path(self._settings.backup) if self._settings.backup else None
        self._places = Places(self._out, backup) if self._settings.in_place else None
        self.settings = self._settings.digest(_made_by(self._settings))
        self._ending = Ending(self._out, self.settings, options.srcset, options.contact_sheet)
        self._reserved = [path for path in (options.srcset, options.contact_sheet) if path is not None]
        self._plan: Plan | None = None
        self._memory: Memory | None = None
        self.row_fields = FIELDS

    @property
    def job(self) -> ResizeJob:
        """The job; picklable."""
        return ResizeJob(str(self._out), self._settings)

    @property
    def total(self) -> int | None:
        """How many pictures and other files there are, once they were counted."""
        return self._plan.total if self._plan else None

    @property
    def state(self) -> Path:
        """Where the store lives."""
        return self._out / ".toolkit.sqlite"

    def prepare(self) -> None:
        """Check the plan and make the output folder; raises UsageError."""
        self._ending.check()
        if self._sources:
            if self._places is not None:
                self._places.check(self._sources)
                self._places.bring_back(self._sources)
            self._plan = self._new_plan()
            self._plan.check()  # before even the store is made there
        storage.output_folder(self._out)
        if self._places is not None and self._places.backup is not None:
            # There before the pictures are looked for, so that it is left out if it lies among them.
            storage.output_folder(self._places.backup)

    def meet(self, memory: Memory) -> None:
        """Keep the store at hand: what is tried again is not planned."""
        self._memory = memory

    def plan(self, memory: Memory) -> Iterator[Task[Any] | Skip | Failure]:
        """Yield a task for each picture, a Skip or Failure for what is none; raises UsageError for a wrong plan."""
        self._memory = memory
        self._ending.check_ours(memory)
        if self._plan is None:
            self._plan = self._new_plan()
        for index, finding in enumerate(self._plan):
            if isinstance(finding, Found):
                yield self._picture(finding, index, memory)
                continue
            picture = Picture(os.path.abspath(finding.source), origin=finding.origin)
            task = Task(to_text(finding.origin), picture, index=index)
            yield Skip(task, finding.reason) if isinstance(finding, Passed) else _failure(task, finding)

    def recall(self, task: Task[Picture], known: Remembered) -> Task[Picture] | Skip:
        """Skip a picture whose file is as it was when its results were made, if those are there, of the size they had.

        The file is as it was if its size is, and its time or else its content.
        """
        if self._settings.existing == "overwrite" or known.state != "done" or known.settings != self.settings:
            return task
        picture = task.payload
        if picture.kept:  # a killed run had begun to do it again
            return task
        wanted = tuple(target.name for target in picture.targets)
        fresh = is_up_to_date(self._out, picture.source, picture.size, picture.mtime_ns, wanted, known.value)
        if fresh is None:
            return task
        if fresh is not known.value and self._memory is not None:  # its time changed, and nothing else
            if self._settings.keep_dates and self._memory.plan:
                fresh = with_dates(self._out, picture.source, fresh)
            self._memory.amend(task.key, fresh)
        return _up_to_date(task, fresh)

    def record(self, value: Resized) -> dict[str, Any]:
        """Return a result's facts as JSON values."""
        return as_facts(value)

    def land(self, task: Task[Any], value: Any, memory: Memory) -> Any:  # noqa: ARG002
        """Names of results are chosen by the plan: nothing is left to do."""
        return value

    def describe(self, task: Task[Picture]) -> str:
        """Return what a picture becomes, for a plan that is shown."""
        return "-> " + ", ".join(target.name for target in task.payload.targets)

    def dump(self, task: Task[Picture]) -> dict[str, Any]:
        """Return a picture as JSON values."""
        return as_values(task.payload)

    def load(self, key: str, payload: dict[str, Any], index: int) -> Task[Picture] | Failure:
        """Return the task that dump described, or its failure if a file that is not ours has a result's name."""
        picture = from_values(payload)
        if not picture.targets and self._memory is not None:
            return self._looked_at_again(Task(key, picture, index=index), self._memory)
        cost, needs = estimate(picture, self._settings)
        task = Task(key, picture, cost=cost, index=index, memory=needs)
        if self._places is not None or self._memory is None:
            return task
        return self._claimed(task, self._memory)

    def row(self, outcome: Outcome) -> dict[str, Any]:
        """Return a row of the manifest."""
        return row_of(outcome)

    def moved(self) -> dict[tuple[str, int], str]:
        """No file moves after its row is written."""
        return {}

    def gallery(self, outcome: Outcome) -> dict[str, Any] | None:
        """Return what a page shows of a picture before and after; None for one that has no result."""
        if not isinstance(outcome, Success):
            return None
        picture, value = outcome.task.payload, outcome.value
        before = picture.kept or picture.source
        if self._places is not None and not picture.kept:
            before = self._places.before(before, value.source_size, value.source_mtime_ns)
        return pair(outcome.task.key, before, self._out, value)

    def thumbnail(self, path: str, side: int) -> bytes:
        """Return a small JPEG of a picture, within side x side pixels; raises TaskError."""
        from toolkit.apps.resize.thumbnail import thumbnail  # it brings the imaging library

        return thumbnail(path, side)

    def finish(self, memory: Memory) -> None:
        """Write what is made of all results: the snippets for browsers, the contact sheet."""
        self._ending.write(memory)

    @property
    def _naming(self) -> Naming:
        settings = self._settings
        return Naming(
            settings.name_template,
            tuple(size.label if size else "" for size in settings.shape.sizes),
            settings.writing.formats,
            beside=settings.in_place,
        )

    def _new_plan(self) -> Plan:
        settings = self._settings
        return Plan(
            self._sources,
            self._out,
            self._naming,
            also=settings.also_read,
            exclude=[Path(settings.backup)] if settings.backup else [],
            reserved=self._reserved,
            unfinished=lambda found: self._places is not None and self._places.is_under_way(found.source),
        )

    def _picture(self, found: Found, index: int, memory: Memory) -> Task[Any] | Skip | Failure:
        picture = Picture(
            os.path.abspath(found.source),
            found.targets,
            found.origin,
            found.size,
            found.mtime_ns,
            found.width,
            found.height,
            found.kind,
        )
        if self._places is not None:
            return self._in_place(picture, index, self._places, memory)
        task = self._task(found.origin, picture, index)
        if self._settings.existing == "skip" and not targets.missing(str(self._out), found.targets):
            return Skip(task, targets.EXISTS)
        return self._claimed(task, memory)

    def _claimed(self, task: Task[Picture], memory: Memory) -> Task[Picture] | Failure:
        """Return a task whose results' names are ours from now on, or its failure if somebody else's file has one."""
        out, wanted = str(self._out), task.payload.targets
        if self._settings.existing == "update" and claims.is_foreign(out, wanted, task.key, memory):
            return Failure(task, FailureKind.NAME, targets.FOREIGN)
        if self._settings.existing == "skip":
            wanted = targets.missing(out, wanted)
        claims.claim(wanted, task.key, memory)
        return task

    def _looked_at_again(self, task: Task[Picture], memory: Memory) -> Task[Picture] | Failure:
        """Return what failed as the sources were looked through as it is now: to be done, or failed again."""
        finding = again.look(task.payload, self._out, self._naming, self._settings.also_read)
        if isinstance(finding, Unreadable):
            return _failure(task, finding)
        if not claims.is_taken(finding.targets, task.key, memory):
            planned = self._picture(finding, task.index, memory)
            if isinstance(planned, Failure) or (isinstance(planned, Task) and planned.key == task.key):
                return planned
        return Failure(task, FailureKind.INPUT, again.LATER)

    def _task(self, name: str, picture: Picture, index: int) -> Task[Picture]:
        cost, needs = estimate(picture, self._settings)
        return Task(to_text(name), picture, cost=cost, index=index, memory=needs)

    def _in_place(self, picture: Picture, index: int, places: Places, memory: Memory) -> Task[Picture] | Skip:
        """Return a picture as it is to be done: not at all if it is a result; from its backup if a run was killed."""
        found = places.standing(picture.source, picture.size, memory)
        own = to_text(places.place(picture.source))
        task = self._task(own, picture, index)
        if found.is_result and found.key != own:  # of a picture with another name, which is gone
            assert found.known is not None  # noqa: S101 - it is known as a result
            if found.known.settings == self.settings and self._settings.existing != "overwrite":
                return _up_to_date(task, found.known.value)
        elif found.kept is not None:
            task = replace(task, key=found.key, payload=replace(picture, kept=str(found.kept)))
        places.claim(picture.targets, task.key, memory)
        return task


def _failure(task: Task[Picture], finding: Unreadable) -> Failure:
    kind = FailureKind.UNSUPPORTED if finding.unsupported else FailureKind.INPUT
    return Failure(task, kind, finding.message)


def _up_to_date(task: Task[Picture], known: Mapping[str, Any]) -> Skip:
    return Skip(replace(task, payload=replace(task.payload, known=known)), UP_TO_DATE)


def _made_by(settings: Settings) -> str:
    """Return what, besides options, decides whether results are up to date: our rules and the engine's version.

    In place, it does not: results would be encoded again, and lose by it, each time that an engine is upgraded.
    """
    return "in place" if settings.in_place else f"rules {RULES}, {engines.version(settings.engine)}"


def _render(picture: Picture, out: str, settings: Settings) -> Resized:
    # The imaging library is loaded here, where a worker first needs it, and not to plan or to show help.
    from toolkit.apps.resize.develop import develop

    return develop(picture.kept or picture.source, picture.targets, Path(out), settings)


APP = ResizeApp
