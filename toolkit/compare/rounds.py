"""The order of the runs: every round runs every variant once, shuffled, so that a drift of the machine favours none."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from toolkit.compare.digests import difference, overall
from toolkit.compare.results import Attempt, Point, Step, Variant, Watch
from toolkit.core.errors import UsageError

Runner = Callable[[Variant], Attempt]
"""Runs a variant once, in a fresh process and an empty folder; must not raise for a run that fails."""


def orders(variants: Sequence[Variant], rounds: int, seed: int) -> tuple[tuple[Variant, ...], ...]:
    """Return the order within each round, the warm-up first; the same seed gives the same order."""
    shuffle = random.Random(seed)
    return tuple(tuple(shuffle.sample(variants, len(variants))) for _ in range(rounds + 1))


def reference_of(variants: Sequence[Variant]) -> Variant:
    """Return the variant that the others are held against: the first sequential one, else the first."""
    return next((variant for variant in variants if variant.model == "sequential"), variants[0])


def race(
    order: Sequence[Sequence[Variant]], reference: Variant, run: Runner, watch: Watch = lambda _: None
) -> list[Point]:
    """Run all rounds and return a point for each run, checked against the reference's run in the warm-up."""
    points: list[Point] = []
    total = sum(map(len, order))
    first: Attempt | None = None
    for number, variants in enumerate(order):
        attempts: list[tuple[Variant, Attempt]] = []
        for variant in variants:
            step = Step(len(points) + len(attempts) + 1, total, number, len(order) - 1, variant.name)
            watch(step)
            attempts.append((variant, run(variant)))
            watch(_ended(step, _point(*attempts[-1], number, len(attempts))))
        if not number:
            _refuse_wrong_usage([attempt for _, attempt in attempts])
        first = first or next(attempt for variant, attempt in attempts if variant == reference)
        points += [
            _point(variant, attempt, number, place, disagreement(reference.name, first, attempt))
            for place, (variant, attempt) in enumerate(attempts, 1)
        ]
    return points


def disagreement(name: str, first: Attempt, other: Attempt) -> str:
    """Return how an attempt differs from the reference's first, or why it counts for nothing; empty if they agree."""
    if other.problem:
        return other.problem
    if first.problem or not (first.told and other.told and first.measured and other.measured):
        return ""  # nothing to hold it against: the reference itself is INVALID
    differing = difference(first.digests, other.digests)
    notes = [differing] if differing else []
    facts = (
        ("tasks done", other.told.succeeded, first.told.succeeded),
        ("failed", other.told.failed, first.told.failed),
        ("skipped", other.told.skipped, first.told.skipped),
        ("exit code", other.measured.exit_code, first.measured.exit_code),
    )
    notes += [f"{what}: {theirs:,} ({name}: {ours:,})" for what, theirs, ours in facts if theirs != ours]
    return "; ".join(notes)


def _refuse_wrong_usage(attempts: Sequence[Attempt]) -> None:
    """Raise UsageError if every variant says that the command is wrong: more rounds would only repeat it."""
    if all(attempt.measured and attempt.measured.exit_code == 2 for attempt in attempts):  # noqa: PLR2004
        raise UsageError(f"no variant can do this: {attempts[0].problem}")


def _point(variant: Variant, attempt: Attempt, number: int, place: int, problem: str = "") -> Point:
    digest = overall(attempt.digests) if attempt.told else ""
    return Point(variant.name, number, place, attempt.measured, attempt.told, digest, problem or attempt.problem)


def _ended(step: Step, point: Point) -> Step:
    return Step(step.number, step.total, step.round, step.rounds, step.variant, point)
