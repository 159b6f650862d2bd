"""What a comparison is made of: variants, what one run took, points, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from toolkit.compare.statistics import SpeedUp


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to do the work. name: the model, with "#2" if it is listed twice. workers: None for the model's own."""

    name: str
    model: str
    workers: int | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run took, seen from outside: the whole tree of its processes.

    Times are in seconds, sizes in bytes. memory: the highest sum of a kind ("pss", or "rss" where that cannot be read),
    of so many samples; None if the run was over before the first. left_behind: processes that had to be killed.
    """

    seconds: float
    cpu_user: float
    cpu_system: float
    cpu_exact: bool
    memory: int | None
    memory_kind: Literal["pss", "rss"]
    memory_samples: int
    peak_rss: int | None
    rss_samples: int
    exit_code: int
    left_behind: int

    @property
    def cpu(self) -> float:
        """User and system seconds."""
        return self.cpu_user + self.cpu_system


@dataclass(frozen=True, slots=True)
class Told:
    """What a run says of itself, from its report. loop_p99: seconds by which its loop was late at 99 % of all times."""

    workers: int
    client: str | None
    succeeded: int
    skipped: int
    failed: int
    startup_seconds: float
    loop_p99: float | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run, just ended. problem: why it counts for nothing, or empty. digests: of its output, by task."""

    measured: Measured | None = None
    told: Told | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """One run in its place. round: 0 is the warm-up, which counts for nothing but agreement.

    problem: how it broke, or differs from the reference; or empty. digest: of the whole output. far_out: whether its
    time stands far from the others of its variant; it is used all the same.
    """

    variant: str
    round: int
    place: int
    measured: Measured | None
    told: Told | None
    digest: str
    problem: str = ""
    far_out: bool = False

    @property
    def dropped(self) -> bool:
        """Whether it is left out of the figures."""
        return self.round == 0

    @property
    def tasks_per_second(self) -> float | None:
        """Tasks that succeeded, by the whole time of the process."""
        return self.told.succeeded / self.measured.seconds if self.told and self.measured else None


@dataclass(frozen=True, slots=True)
class Medians:
    """The middle of a variant's points, the warm-up left out; None where nothing was measured."""

    seconds: float | None
    cpu: float | None
    memory: float | None
    tasks_per_second: float | None
    startup_seconds: float | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of a variant. problem: why it is INVALID, or empty. speed_up: None if there is none to tell."""

    variant: Variant
    reference: bool
    problem: str
    medians: Medians
    speed_up: SpeedUp | None


@dataclass(frozen=True, slots=True)
class Missing:
    """A model that was left out because a package is not installed; how: the pip command."""

    model: str
    how: str


@dataclass(frozen=True, slots=True)
class Step:
    """How far a comparison is: a run begins (point is None) or has ended."""

    number: int
    total: int
    round: int
    rounds: int
    variant: str
    point: Point | None = None


Watch = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison that has ended; document.document() makes JSON values of it."""

    app: str
    standings: tuple[Standing, ...]
    points: tuple[Point, ...]
    order: tuple[tuple[str, ...], ...]
    missing: tuple[Missing, ...]
    rounds: int
    seed: int
    environment: Mapping[str, Any]
    warnings: tuple[str, ...]
    started: str
    command: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 if all variants agree, 1 if one is INVALID."""
        return int(any(standing.problem for standing in self.standings))
