"""From points to standings: who agrees with the reference, and how much faster or slower each one is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import median

from toolkit.compare.results import Medians, Point, Standing, Variant
from toolkit.compare.statistics import far_out, speed_up


def standings(variants: Sequence[Variant], reference: Variant, points: Sequence[Point]) -> tuple[Standing, ...]:
    """Return what became of each variant, in order. One run that broke or differs makes its variant INVALID."""
    problems = {variant: _problem(variant, points) for variant in variants}
    seconds = {variant: _seconds(_counted(variant, points)) for variant in variants}

    def stand(variant: Variant) -> Standing:
        comparable = variant != reference and not problems[variant] and not problems[reference] and seconds[variant]
        ratio = speed_up(seconds[reference], seconds[variant]) if comparable else None
        medians = _medians(_counted(variant, points))
        return Standing(variant, variant == reference, problems[variant], medians, ratio)

    return tuple(map(stand, variants))


def flagged(variants: Sequence[Variant], points: Sequence[Point]) -> tuple[Point, ...]:
    """Return the points, those marked whose time stands far from the others of their variant."""
    far: set[tuple[str, int]] = set()
    for variant in variants:
        timed = [point for point in _counted(variant, points) if point.measured]
        marks = far_out(_seconds(timed))
        far |= {(point.variant, point.round) for point, mark in zip(timed, marks, strict=True) if mark}
    return tuple(replace(point, far_out=(point.variant, point.round) in far) for point in points)


def failing(points: Sequence[Point]) -> list[str]:
    """Return a warning if tasks fail: variants may agree about that, but the times then tell of failures."""
    told = next((point.told for point in points if point.told and point.told.failed and not point.problem), None)
    if told is None:
        return []
    if not told.succeeded:
        return ["no task succeeded, so the times are those of failures"]
    return [
        f"{told.failed:,} of {told.succeeded + told.skipped + told.failed:,} tasks failed, under every valid variant"
    ]


def _counted(variant: Variant, points: Iterable[Point]) -> list[Point]:
    return [point for point in points if point.variant == variant.name and not point.dropped]


def _seconds(points: Iterable[Point]) -> list[float]:
    return [point.measured.seconds for point in points if point.measured]


def _problem(variant: Variant, points: Iterable[Point]) -> str:
    broken = [point for point in points if point.variant == variant.name and point.problem]
    if not broken:
        return ""
    where = f"round {broken[0].round}: " if broken[0].round else ""
    return f"{where}{broken[0].problem}"


def _medians(points: Sequence[Point]) -> Medians:
    measured = [point.measured for point in points if point.measured]
    return Medians(
        seconds=_middle(each.seconds for each in measured),
        cpu=_middle(each.cpu for each in measured),
        memory=_middle(each.memory for each in measured),
        tasks_per_second=_middle(point.tasks_per_second for point in points),
        startup_seconds=_middle(point.told.startup_seconds for point in points if point.told),
    )


def _middle(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
