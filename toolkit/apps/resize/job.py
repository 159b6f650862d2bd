"""The resizer as an app: pictures become tasks, tasks become files, and what is unchanged is not done again."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import storage
from toolkit.apps.resize import engines, targets
from toolkit.apps.resize.ending import Ending
from toolkit.apps.resize.estimate import estimate
from toolkit.apps.resize.gallery import pair
from toolkit.apps.resize.names import from_text, to_text
from toolkit.apps.resize.options import ResizeOptions
from toolkit.apps.resize.plan import Plan, home
from toolkit.apps.resize.recall import UP_TO_DATE, is_result, is_up_to_date
from toolkit.apps.resize.result import Resized, as_facts
from toolkit.apps.resize.rows import FIELDS, row_of
from toolkit.apps.resize.settings import Settings
from toolkit.apps.resize.targets import Target
from toolkit.apps.resize.template import Naming
from toolkit.apps.resize.walk import Found, Passed
from toolkit.core.errors import FailureKind
from toolkit.core.job import Memory, Remembered, Runtime
from toolkit.core.task import Failure, Outcome, Skip, Success, Task

RULES = 2
"""Raised when our own rules change what a picture becomes, so that old results are made anew."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What one task works on. source: a path; targets: its results; origin: its place below what was named.

    size in bytes; width, height in pixels, as they are stored, 0 where the header does not tell; kind: its format.
    """

    source: str
    targets: tuple[Target, ...] = ()
    origin: str = ""
    size: int = 0
    mtime_ns: int = 0
    width: int = 0
    height: int = 0
    kind: str = ""

    @property
    def target(self) -> str:
        """The name of the first result, as plans show it."""
        return self.targets[0].name if self.targets else ""


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
        self.out = out
        self._out = Path(os.path.abspath(out))  # workers may have another working folder
        made_by = f"rules {RULES}, {engines.version(self._settings.engine)}"
        self.settings = self._settings.digest(made_by)
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
            self._plan = self._new_plan()
            self._plan.check()  # before even the store is made there
        storage.output_folder(self._out)

    def plan(self, memory: Memory) -> Iterator[Task[Any] | Skip | Failure]:
        """Yield a task for each picture, a Skip or Failure for what is none; raises UsageError for a wrong plan."""
        self._memory = memory
        if self._plan is None:
            self._plan = self._new_plan()
        for index, finding in enumerate(self._plan):
            if isinstance(finding, Found):
                yield self._picture(finding, index, memory)
                continue
            task = Task(to_text(finding.origin), Picture(finding.source, origin=finding.origin), index=index)
            if isinstance(finding, Passed):
                yield Skip(task, finding.reason)
            else:
                kind = FailureKind.UNSUPPORTED if finding.unsupported else FailureKind.INPUT
                yield Failure(task, kind, finding.message)

    def recall(self, task: Task[Picture], known: Remembered) -> Task[Picture] | Skip:
        """Skip a picture whose file is as it was when its results were made, if those are there, of the size they had.

        The file is as it was if its size is, and its time or else its content.
        """
        if self._settings.existing == "overwrite" or known.state != "done" or known.settings != self.settings:
            return task
        picture = task.payload
        wanted = tuple(target.name for target in picture.targets)
        fresh = is_up_to_date(self._out, picture.source, picture.size, picture.mtime_ns, wanted, known.value)
        if fresh is None:
            return task
        if fresh is not known.value and self._memory is not None:  # its time changed, and nothing else
            self._memory.amend(task.key, fresh)
        return Skip(task, UP_TO_DATE)

    def record(self, value: Resized) -> dict[str, Any]:
        """Return a result's facts as JSON values."""
        return as_facts(value)

    def land(self, task: Task[Any], value: Any, memory: Memory) -> Any:
        """Note in place what is a result and no longer an original, should it have another name."""
        if self._settings.in_place:
            for output in value.outputs:
                memory.claim(to_text(output.name), task.key)
        return value

    def dump(self, task: Task[Picture]) -> dict[str, Any]:
        """Return a picture as JSON values."""
        picture = task.payload
        facts = {name: getattr(picture, name) for name in ("size", "mtime_ns", "width", "height", "kind")}
        results = [(to_text(target.name), target.size, target.format) for target in picture.targets]
        return facts | {"source": to_text(picture.source), "origin": to_text(picture.origin), "targets": results}

    def load(self, key: str, payload: dict[str, Any], index: int) -> Task[Picture]:
        """Return the task that dump described."""
        results = tuple(Target(from_text(name), size, form) for name, size, form in payload["targets"])
        names = {name: from_text(payload[name]) for name in ("source", "origin")}
        picture = Picture(**{**payload, **names, "targets": results})
        cost, needs = estimate(picture, self._settings)
        return Task(key, picture, cost=cost, index=index, memory=needs)

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
        return pair(outcome.task.key, outcome.task.payload.source, self._out, outcome.value)

    def thumbnail(self, path: str, side: int) -> bytes:
        """Return a small JPEG of a picture, within side x side pixels; raises TaskError."""
        from toolkit.apps.resize.thumbnail import thumbnail  # it brings the imaging library

        return thumbnail(path, side)

    def finish(self, memory: Memory) -> None:
        """Write what is made of all results: the snippets for browsers, the contact sheet."""
        self._ending.write(memory)

    def _new_plan(self) -> Plan:
        settings = self._settings
        naming = Naming(
            settings.name_template,
            tuple(size.label if size else "" for size in settings.shape.sizes),
            settings.writing.formats,
            beside=settings.in_place,
        )
        backup = [Path(settings.backup)] if settings.backup else []
        return Plan(self._sources, self._out, naming, also=settings.also_read, exclude=backup, reserved=self._reserved)

    def _picture(self, found: Found, index: int, memory: Memory) -> Task[Any] | Skip:
        key = to_text(found.origin)
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
        cost, needs = estimate(picture, self._settings)
        task = Task(key, picture, cost=cost, index=index, memory=needs)
        if self._settings.in_place:
            return self._in_place(task, memory)
        if self._settings.existing == "skip" and not targets.missing(str(self._out), found.targets):
            return Skip(task, targets.EXISTS)
        return task

    def _in_place(self, task: Task[Picture], memory: Memory) -> Task[Picture] | Skip:
        """Return a picture as it is to be done: not at all if it is a result; from its backup if a run was killed."""
        picture = task.payload
        owner = memory.claimed(to_text(os.path.relpath(picture.source, self._out)))
        if owner is not None and owner != task.key:
            known = memory.recall(owner)
            if known is not None and is_result(picture.source, picture.size, known.value):
                return Skip(task, UP_TO_DATE)
        if self._settings.backup and memory.recall(task.key) is None:
            kept = os.path.join(self._settings.backup, os.path.relpath(picture.source, self._out))
            if os.path.isfile(kept):
                return dataclasses.replace(task, payload=dataclasses.replace(picture, source=kept))
        return task


def _render(picture: Picture, out: str, settings: Settings) -> Resized:
    # The imaging library is loaded here, where a worker first needs it, and not to plan or to show help.
    from toolkit.apps.resize.develop import develop

    return develop(picture.source, picture.targets, Path(out), settings)


APP = ResizeApp
