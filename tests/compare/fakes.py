"""Runs that never happened: written results for each variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from toolkit.compare.results import Attempt, Measured, Told, Variant

OUTPUT = {"a.txt": "1", "b.txt": "2"}


class FakeRuns:
    """Gives each variant its attempts, one after the other; the last one again and again. Notes who ran."""

    def __init__(self, attempts: Mapping[str, Sequence[Attempt]]) -> None:
        self._attempts = {name: list(each) for name, each in attempts.items()}
        self.ran: list[str] = []

    def __call__(self, variant: Variant) -> Attempt:
        """Return the next attempt of a variant."""
        self.ran.append(variant.name)
        left = self._attempts[variant.name]
        return left.pop(0) if len(left) > 1 else left[0]


def attempt(
    seconds: float = 1.0, digests: Mapping[str, str] = OUTPUT, *, failed: int = 0, exit_code: int = 0, problem: str = ""
) -> Attempt:
    """Return a run that ended so."""
    measured = Measured(
        seconds=seconds,
        cpu_user=0.2,
        cpu_system=0.1,
        cpu_exact=True,
        memory=20_000_000,
        memory_kind="pss",
        memory_samples=4,
        peak_rss=30_000_000,
        rss_samples=20,
        exit_code=exit_code,
        left_behind=0,
    )
    told = None if problem else Told(2, "requests", len(digests), 0, failed, 0.01)
    return Attempt(measured, told, {} if problem else digests, problem)


def variants(*names: str) -> list[Variant]:
    """Return a variant for each name; what follows # is not of the model's name."""
    return [Variant(name, name.partition("#")[0]) for name in names]
