"""Rounds: who runs when, and who agrees with whom."""

from __future__ import annotations

import pytest

from tests.compare.fakes import FakeRuns, attempt, variants
from toolkit.compare.results import Attempt, Standing, Step
from toolkit.compare.rounds import orders, race, reference_of
from toolkit.compare.verdicts import failing, flagged, standings
from toolkit.core.errors import UsageError


def stand(rounds: int = 5, **attempts: list[Attempt]) -> dict[str, Standing]:
    """Race written attempts and return what became of each variant."""
    several = variants(*attempts)
    reference = reference_of(several)
    points = race(orders(several, rounds, 1), reference, FakeRuns(attempts))
    return {each.variant.name: each for each in standings(several, reference, points)}


def test_orders_when_the_seed_is_the_same() -> None:
    """The seed decides the order; every round holds every variant once, and one round more warms up."""
    several = variants("sequential", "threads", "asyncio", "processes")
    assert orders(several, 9, 3) == orders(several, 9, 3)
    assert orders(several, 9, 3) != orders(several, 9, 4)
    assert len(orders(several, 9, 3)) == 10
    assert all(sorted(each, key=several.index) == several for each in orders(several, 9, 3))
    assert len(set(orders(several, 9, 3))) > 5


def test_race_when_it_runs() -> None:
    """Runs follow the order, the warm-up is dropped, and each run is announced and told of."""
    several = variants("sequential", "threads")
    runs, steps = FakeRuns({"sequential": [attempt()], "threads": [attempt()]}), list[Step]()
    order = orders(several, 2, 1)
    points = race(order, several[0], runs, steps.append)
    assert runs.ran == [variant.name for each in order for variant in each] == [point.variant for point in points]
    assert [point.dropped for point in points] == [True, True, False, False, False, False]
    assert [point.place for point in points] == [1, 2] * 3
    assert [(step.number, step.total, step.point is None) for step in steps[:4]] == [
        (1, 6, True),
        (1, 6, False),
        (2, 6, True),
        (2, 6, False),
    ]


@pytest.mark.parametrize(
    ("names", "expected"), [(["threads", "sequential"], "sequential"), (["threads", "asyncio"], "threads")]
)
def test_reference_when_chosen(names: list[str], expected: str) -> None:
    """Sequential is the reference wherever it is listed; without it, the first."""
    assert reference_of(variants(*names)).name == expected


def test_standing_when_one_is_faster() -> None:
    """The speed-up is over the reference, and the warm-up does not count."""
    found = stand(sequential=[attempt(99), attempt(2)], threads=[attempt(99), attempt(1)])
    assert found["sequential"].speed_up is None
    assert found["threads"].speed_up is not None
    assert found["threads"].speed_up.ratio == pytest.approx(2)
    assert found["threads"].speed_up.verdict == "faster"
    assert found["threads"].medians.seconds == 1
    assert found["threads"].medians.cpu == pytest.approx(0.3)
    assert found["threads"].medians.tasks_per_second == 2


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        (attempt(digests={"a.txt": "1", "b.txt": "x"}), "'b.txt' differs"),
        (attempt(digests={"a.txt": "1"}), "'b.txt' is missing; tasks done: 1 (sequential: 2)"),
        (attempt(failed=1), "failed: 1 (sequential: 0)"),
        (attempt(exit_code=1), "exit code: 1 (sequential: 0)"),
        (attempt(problem="exit code 70: out of luck"), "exit code 70: out of luck"),
        (Attempt(problem="could not be measured: no"), "could not be measured: no"),
    ],
)
def test_standing_when_one_disagrees(other: Attempt, problem: str) -> None:
    """Whoever disagrees or breaks is INVALID with the reason, and has no ratio; the others keep theirs."""
    found = stand(sequential=[attempt(2)], threads=[other], asyncio=[attempt(1)])
    assert found["threads"].problem == problem
    assert found["threads"].speed_up is None
    assert found["asyncio"].speed_up is not None
    assert not found["asyncio"].problem


def test_standing_when_one_round_disagrees() -> None:
    """Once is enough, and the round is named."""
    found = stand(sequential=[attempt()], threads=[attempt(), attempt(), attempt(digests={}), attempt()])
    assert found["threads"].problem.startswith("round 2: 'a.txt' is missing (and 1 more)")


def test_standing_when_the_reference_contradicts_itself() -> None:
    """A reference whose runs differ is INVALID, and nothing can be held against it."""
    found = stand(sequential=[attempt(), attempt(digests={"a.txt": "x", "b.txt": "2"})], threads=[attempt()])
    assert found["sequential"].problem == "round 1: 'a.txt' differs"
    assert not found["threads"].problem
    assert found["threads"].speed_up is None


def test_standing_when_the_reference_breaks() -> None:
    """The others are not called INVALID for the reference's fault, but have no ratio."""
    found = stand(sequential=[attempt(problem="exit code 70", exit_code=70)], threads=[attempt()])
    assert found["sequential"].problem == "exit code 70"
    assert not found["threads"].problem
    assert found["threads"].speed_up is None


def test_race_when_every_variant_refuses() -> None:
    """A command that no variant understands is wrong usage, and is not repeated for all rounds."""
    refusing = attempt(problem="exit code 2: toolkit: cannot read it", exit_code=2)
    runs = FakeRuns({"sequential": [refusing], "threads": [refusing]})
    several = variants("sequential", "threads")
    with pytest.raises(UsageError, match="cannot read it"):
        race(orders(several, 5, 1), several[0], runs)
    assert len(runs.ran) == 2


def test_flagged_when_a_point_stands_far_out() -> None:
    """It bears a mark and still counts."""
    several = variants("sequential")
    times = [1.0, 1.0, 1.1, 1.2, 1.3, 9.0]
    points = race(orders(several, 5, 1), several[0], FakeRuns({"sequential": [attempt(each) for each in times]}))
    marked = flagged(several, points)
    assert [point.far_out for point in marked] == [False] * 5 + [True]
    assert standings(several, several[0], marked)[0].medians.seconds == 1.2


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (attempt(), []),
        (attempt(failed=1), ["1 of 3 tasks failed, under every valid variant"]),
        (attempt(digests={}, failed=1), ["no task succeeded, so the times are those of failures"]),
    ],
)
def test_failing_when_variants_agree(only: Attempt, expected: list[str]) -> None:
    """Agreement about failures is no reason to trust the times."""
    several = variants("sequential")
    assert failing(race(orders(several, 1, 1), several[0], FakeRuns({"sequential": [only]}))) == expected
