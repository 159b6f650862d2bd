"""The resizer as an app: pictures become tasks, tasks become files, and what is unchanged is not done again."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

from toolkit import storage
from toolkit.apps.resize.names import from_text, to_text
from toolkit.apps.resize.options import ResizeOptions, Settings
from toolkit.apps.resize.plan import Plan
from toolkit.apps.resize.result import Resized
from toolkit.apps.resize.template import Naming
from toolkit.apps.resize.walk import Found, Passed, Unreadable
from toolkit.core.errors import FailureKind
from toolkit.core.job import Memory, Remembered, Runtime
from toolkit.core.task import Failure, Skip, Task

UP_TO_DATE = "up to date"

RULES = 1
"""Raised when our own rules change what a picture becomes, so that old results are made anew."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What one task works on. source: a path; target: the result's place below the output folder; size in bytes."""

    source: str
    target: str
    size: int = 0
    mtime_ns: int = 0


@dataclass(frozen=True, slots=True)
class ResizeJob:
    """Makes one picture's result."""

    out: str
    settings: Settings
    preload: ClassVar = ("toolkit.apps.resize.engines.pillow",)
    """What worker processes load once for all, before they are started."""

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
        self._out = Path(os.path.abspath(out))  # workers may have another working folder
        self._settings = options.settings()
        self.settings = self._settings.digest(f"rules {RULES}, pillow {version('pillow')}")
        self._plan: Plan | None = None

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
        if self._sources:
            self._plan = Plan(self._sources, self._out, Naming(formats=(self._settings.format,)))
            self._plan.check()  # before even the store is made there
        storage.output_folder(self._out)

    def plan(self, memory: Memory) -> Iterator[Task[Any] | Skip | Failure]:  # noqa: ARG002 - no name is decided later
        """Yield a task for each picture, a Skip or Failure for what is none; raises UsageError for a wrong plan."""
        if self._plan is None:
            self._plan = Plan(self._sources, self._out, Naming(formats=(self._settings.format,)))
        for index, finding in enumerate(self._plan):
            task = _task(finding, index)
            if isinstance(finding, Found):
                yield task
            elif isinstance(finding, Passed):
                yield Skip(task, finding.reason)
            else:
                kind = FailureKind.UNSUPPORTED if finding.unsupported else FailureKind.INPUT
                yield Failure(task, kind, finding.message)

    def recall(self, task: Task[Picture], known: Remembered) -> Task[Picture] | Skip:
        """Skip a picture whose file is as it was when its result was made, if that is there and of the size it had."""
        picture, value = task.payload, known.value
        same = (
            known.state == "done"
            and known.settings == self.settings
            and value.get("output") == to_text(picture.target)
            and value.get("source_size") == picture.size
            and value.get("source_mtime_ns") == picture.mtime_ns
            and value.get("bytes") == _size_of(os.path.join(self._out, picture.target))
        )
        return Skip(task, UP_TO_DATE) if same else task

    def record(self, value: Resized) -> dict[str, Any]:
        """Return a result's facts as JSON values."""
        facts = dataclasses.asdict(value)
        return facts | {"output": to_text(value.output), "warnings": list(value.warnings)}

    def land(self, task: Task[Any], value: Any, memory: Memory) -> Any:  # noqa: ARG002 - nothing is left to do
        """Return the value as it is."""
        return value

    def dump(self, task: Task[Picture]) -> dict[str, Any]:
        """Return a picture as JSON values."""
        facts = dataclasses.asdict(task.payload)
        return facts | {"source": to_text(task.payload.source), "target": to_text(task.payload.target)}

    def load(self, key: str, payload: dict[str, Any], index: int) -> Task[Picture]:
        """Return the task that dump described."""
        names = {"source": from_text(payload["source"]), "target": from_text(payload["target"])}
        picture = Picture(**{**payload, **names})
        return Task(key, picture, cost=float(picture.size), index=index)

    def finish(self, memory: Memory) -> None:
        """Nothing is left to write."""


def _task(finding: Found | Passed | Unreadable, index: int) -> Task[Picture]:
    if isinstance(finding, Found):
        picture = Picture(os.path.abspath(finding.source), finding.targets[0].name, finding.size, finding.mtime_ns)
    else:
        picture = Picture(finding.source, finding.origin)
    return Task(to_text(finding.origin), picture, cost=float(picture.size), index=index)


def _render(picture: Picture, out: str, settings: Settings) -> Resized:
    # The imaging library is loaded here, where a worker first needs it, and not to plan or to show help.
    from toolkit.apps.resize.engines import pillow

    target = storage.inside(Path(out), picture.target)
    done = pillow.render(picture.source, target, settings)
    return dataclasses.replace(done, output=picture.target)


def _size_of(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None


APP = ResizeApp
