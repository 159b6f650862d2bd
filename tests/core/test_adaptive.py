"""The adaptive limit against simulated servers: where it settles, how soon, and what it never does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.simulated import PULSE, Server, run
from toolkit.core.adaptive import RELIEF, START, UNLIMITED, Adaptive
from toolkit.core.errors import FailureKind
from toolkit.core.task import Failure, Success, Task, Timing

SEEDS = range(4)


def latency(seconds: float) -> Callable[[int], float]:
    """Each task takes so long, however many run."""
    return lambda count: 1 / seconds


def contention(count: int) -> float:
    """No latency: two do all that can be done, and from four on each more is in the way (as measured with threads)."""
    total = 2600 if count == 1 else 3800 / (1 + max(0, count - 4) / 12)
    return total / count


def bandwidth(total: float, each: float, size: int) -> Callable[[int], float]:
    """So many bytes a second for all, and for each."""
    return lambda count: min(total / count, each) / size


def above(most: int, kind: FailureKind) -> Callable[[int], FailureKind | None]:
    """Failures of a kind where more than so many run."""
    return lambda count: kind if count > most else None


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("spread", [0.1, 0.6])
def test_limit_stays_low_when_the_server_has_no_latency(seed: int, spread: float) -> None:
    """More threads than the work needs cost dearly: four at most, and never more than a moment of more."""
    limiter = Adaptive(64, adaptive=True)
    course = run(limiter, Server(contention, spread=spread), 4.0, seed=seed)
    assert limiter.settled <= START
    assert limiter.why in ("more bring nothing", "fewer do as well")
    assert max(change.limit for change in limiter.changes) <= 2 * START
    assert course.done >= 0.96 * 3800 * course.seconds


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("most", "spread"), [(64, 0.02), (64, 0.3), (256, 0.1)])
def test_limit_climbs_to_the_cap_within_a_second_when_there_is_latency(most: int, spread: float, seed: int) -> None:
    """Where tasks wait, twice as many do twice as much: doubling finds the cap fast, and it stays there."""
    limiter = Adaptive(most, adaptive=True)
    course = run(limiter, Server(latency(0.05), spread=spread), 4.0, seed=seed)
    assert course.settled == [most] * 4
    assert limiter.why == "throughput rises"
    assert course.done >= 0.8 * most / 0.05 * course.seconds


@pytest.mark.parametrize("seed", SEEDS)
def test_limit_climbs_when_latency_is_long(seed: int) -> None:
    """A doubling costs about one round of tasks."""
    limiter = Adaptive(64, adaptive=True)
    run(limiter, Server(latency(1.0)), 9.0, seed=seed)
    assert limiter.settled == 64


@pytest.mark.parametrize("seed", SEEDS)
def test_limit_settles_where_the_line_is_full(seed: int) -> None:
    """Ten connections fill the line: more add nothing and are given back, fewer would lose."""
    server = Server(bandwidth(100e6, 10e6, 1_000_000), size=1_000_000)
    limiter = Adaptive(64, adaptive=True)
    course = run(limiter, server, 10.0, seed=seed)
    assert 9 <= limiter.settled <= 16
    assert course.done >= 0.9 * 100 * course.seconds


@pytest.mark.parametrize("seed", SEEDS)
def test_limit_grows_by_bytes_when_no_task_ends(seed: int) -> None:
    """Huge files that take minutes still show within seconds that five connections bring more than four."""
    server = Server(bandwidth(100e6, 10e6, 1 << 30), size=1 << 30)
    limiter = Adaptive(64, adaptive=True)
    course = run(limiter, server, 20.0, seed=seed)
    assert course.done == 0
    assert 8 <= limiter.settled <= 16
    assert all(limit >= 8 for limit in course.settled[3:])


@pytest.mark.parametrize("seed", SEEDS)
def test_limit_is_not_raised_when_it_is_not_used(seed: int) -> None:
    """With eight tasks at most for the only host there is nothing to learn from a limit of sixty-four."""
    limiter = Adaptive(64, adaptive=True)
    course = run(limiter, Server(latency(0.05)), 6.0, room=8, seed=seed)
    assert all(8 <= limit <= 12 for limit in course.settled)
    assert limiter.why == "not used"


@pytest.mark.parametrize("kind", [FailureKind.THROTTLED, FailureKind.TIMEOUT, FailureKind.LIMIT])
@pytest.mark.parametrize("seed", SEEDS)
def test_limit_shrinks_when_more_hurts(kind: FailureKind, seed: int) -> None:
    """Hosts that ask for less, time out, or a machine without descriptors: it stays below what hurt."""
    limiter = Adaptive(64, adaptive=True)
    course = run(limiter, Server(latency(0.05), refuses=above(20, kind)), 10.0, seed=seed)
    assert all(10 <= limit <= 20 for limit in course.settled)
    assert limiter.why
    assert len(limiter.changes) < 30  # it is not tried again and again


def test_limit_follows_when_the_server_gets_slow() -> None:
    """What was best a moment ago is tried anew."""
    limiter = Adaptive(64, adaptive=True)
    slow: list[bool] = []

    def speed(count: int) -> float:
        return contention(count) if not slow else 1 / 0.05

    run(limiter, Server(speed), 3.0)
    assert limiter.settled <= START
    slow.append(True)
    # The clock of the second course goes on where the limit's own stands.
    run(limiter, Server(speed), 10.0, start=200.0)
    assert limiter.settled >= 32


def test_fixed_limit_is_lowered_by_this_machine_only() -> None:
    """A number that was asked for is kept, whatever hosts say; without descriptors it cannot be."""
    limiter = Adaptive(64, adaptive=False)
    run(limiter, Server(latency(0.05), refuses=above(20, FailureKind.TIMEOUT)), 3.0)
    assert (limiter.limit, limiter.changed) == (64, 0)
    run(limiter, Server(latency(0.05), refuses=above(20, FailureKind.LIMIT)), 3.0, start=200.0)
    assert 10 <= limiter.limit <= 20
    assert {change.reason for change in limiter.changes} == {"this machine's limit"}


def test_no_limit_becomes_one_when_this_machine_has_no_more() -> None:
    """Also where nobody set a limit there is one then: three quarters of what ran."""
    limiter = Adaptive(UNLIMITED, adaptive=False)
    limiter.ended(Failure(Task("", None), FailureKind.LIMIT, "no", timing=Timing(1.0, 2.0)), 40, 0, 2.0)
    assert limiter.limit == 30


def test_fixed_limit_comes_back_when_this_machine_has_had_relief() -> None:
    """A quarter more every half minute: descriptors may have come free."""
    limiter = Adaptive(64, adaptive=False)
    limiter.ended(Failure(Task("", None), FailureKind.LIMIT, "no"), 40, 0, 0.0)
    found = []
    for step in range(6):
        limiter.review(0, 0, step * RELIEF)
        found.append(limiter.limit)
    assert found == [30, 37, 46, 57, 64, 64]


def test_limit_is_cut_once_for_all_that_were_under_way() -> None:
    """Twenty tasks that find no descriptor at the same moment are one sign, not twenty."""
    limiter = Adaptive(64, adaptive=False)
    for number in range(20):
        failure = Failure(Task("", None), FailureKind.LIMIT, "no", timing=Timing(1.0, 2.0))
        limiter.ended(failure, 40 - number, 0, 2.0 + number / 1000)
    assert limiter.limit == 30


def test_changes_that_nobody_takes_do_not_fill_the_memory() -> None:
    """They are counted all the same."""
    limiter = Adaptive(8, adaptive=True)
    for second in range(4000):
        limiter.ended(Failure(Task("", None), FailureKind.LIMIT, "no", timing=Timing(second, second)), 8, 0, second)
        limiter.review(0, 0, second + RELIEF)
    assert len(limiter.changes) <= 1000


kinds = st.sampled_from((None, None, FailureKind.THROTTLED, FailureKind.TIMEOUT, FailureKind.LIMIT, FailureKind.HTTP))
steps = st.tuples(
    st.sampled_from(("start", "start", "end", "review")), st.floats(0.0, 20.0), kinds, st.integers(0, 10**9)
)


@settings(max_examples=150, deadline=None)
@given(most=st.integers(1, 300), adaptive=st.booleans(), script=st.lists(steps, max_size=300))
def test_limit_is_between_one_and_the_cap_whatever_happens(
    most: int, adaptive: bool, script: list[tuple[str, float, FailureKind | None, int]]
) -> None:
    """No order of starts, ends, bytes and clocks leads out of 1..most."""
    limiter = Adaptive(most, adaptive=adaptive)
    now, received = 50.0, 0
    running: list[float] = []
    for what, seconds, kind, size in script:
        now += seconds * PULSE
        received += size
        if what == "start":
            limiter.started(len(running), now)
            running.append(now)
        elif what == "end" and running:
            timing = Timing(running.pop(0), now)
            task = Task("", None)
            outcome = Success(task, None, timing) if kind is None else Failure(task, kind, "no", timing=timing)
            limiter.ended(outcome, len(running) + 1, received, now)
        else:
            limiter.review(len(running), received, now)
        assert 1 <= limiter.limit <= most
        assert 1 <= limiter.settled <= limiter.highest <= most
