"""The schedule case by case: order, lanes, retries, budgets, and what ends a run."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from toolkit.core.errors import FailureKind
from toolkit.core.job import Done, Wait
from toolkit.core.lane import MEMORY
from toolkit.core.policy import Policy
from toolkit.core.schedule import PAUSE, PULLS, Planned, Retry, Schedule
from toolkit.core.task import Failure, Outcome, Skip, Success, Task

PATIENT = Policy(delay=0.0, backoff=0.0)


def task(index: int, lane: str = "", cost: float = 0.0, attempt: int = 1) -> Task[Any]:
    return Task(f"t{index}", None, lane, cost, index, attempt)


def tasks(*lanes: str) -> list[Planned]:
    return [task(index, lane) for index, lane in enumerate(lanes)]


def no(of: Task[Any], kind: FailureKind = FailureKind.HTTP, **facts: Any) -> Failure:
    return Failure(of, kind, "no", **facts)


def started(schedule: Schedule, now: float = 0.0) -> Task[Any]:
    step = schedule.next(now)
    assert isinstance(step, Task)
    return step


def all_ready(schedule: Schedule, now: float = 0.0) -> list[str]:
    """Start whatever may start now; return the keys."""
    keys = []
    while not isinstance(step := schedule.next(now), Done):
        if isinstance(step, Task):
            keys.append(step.key)
        elif isinstance(step, Wait) and step.until != now:
            break
    return keys


def drain(schedule: Schedule, now: float = 0.0) -> list[Outcome]:
    """Succeed with everything and jump to every moment waited for; return the outcomes in order."""
    ends: list[Outcome] = []
    running: list[Task[Any]] = []
    while not isinstance(step := schedule.next(now), Done):
        if isinstance(step, Task):
            running.append(step)
        elif isinstance(step, Skip | Failure):
            ends.append(step)
        elif running:
            ends.append(Success(running.pop(0), None))
            schedule.settle(ends[-1], now)
        else:
            assert step.until is not None
            now = step.until
    return ends


def test_next_returns_done_when_the_plan_is_empty() -> None:
    """No tasks: done at once, with no reason."""
    assert Schedule([], Policy()).next(0.0) == Done()


def test_next_waits_for_ever_when_only_running_tasks_are_left() -> None:
    """With nothing queued, only an outcome can bring news."""
    schedule = Schedule(tasks("h"), Policy())
    first = started(schedule)
    assert schedule.next(0.0) == Wait(None)
    schedule.settle(Success(first, None), 1.0)
    assert schedule.next(1.0) == Done()


def test_next_keeps_the_order_of_the_plan_when_lanes_do_not_matter() -> None:
    """Tasks without a lane start in the order in which they came."""
    schedule = Schedule(tasks(*[""] * 50), Policy())
    assert all_ready(schedule) == [f"t{index}" for index in range(50)]


def test_next_starts_the_largest_first_when_asked() -> None:
    """The most costly of all that is in view starts first; equals keep their order."""
    costs = (3.0, 9.0, 1.0, 9.0)
    schedule = Schedule([task(n, "", cost) for n, cost in enumerate(costs)], Policy(order="largest"))
    assert all_ready(schedule) == ["t1", "t3", "t0", "t2"]


def test_next_looks_no_farther_than_told_when_the_largest_come_first() -> None:
    """Largest first means the largest of the look-ahead: a plan of a million is not read to its end."""
    drawn = []

    def plan() -> Iterator[Planned]:
        for index in range(1000):
            drawn.append(index)
            yield task(index, "", index)

    schedule = Schedule(plan(), Policy(order="largest", look_ahead=10))
    assert started(schedule).key == "t9"
    assert len(drawn) == 10


def test_next_holds_few_outcomes_when_the_largest_come_first_and_all_is_done_already() -> None:
    """A plan of skips passes through; it is not gathered in memory."""
    plan = (Skip(task(index), "up to date") for index in range(5000))
    schedule = Schedule(plan, Policy(order="largest", look_ahead=10))
    most = 0
    while not isinstance(schedule.next(0.0), Done):
        most = max(most, schedule.waiting)
    assert most <= 10
    assert schedule.counts.skipped == 5000


def test_next_is_fair_when_the_list_is_sorted_by_host() -> None:
    """A host at its cap does not hold up the hosts that come after it in the list."""
    plan = [task(100 * host + n, f"host{host}:80") for host in range(20) for n in range(100)]
    schedule = Schedule(plan, Policy(per_lane=2))
    running = [plan[int(key[1:])].lane for key in all_ready(schedule)]
    assert sorted(running) == sorted(f"host{host}:80" for host in range(20) for _ in range(2))


def test_next_takes_turns_when_several_lanes_are_ready() -> None:
    """No lane starts twice before another that is ready has started once."""
    schedule = Schedule(tasks(*"aaabbbccc"), Policy(delay=1.0))
    assert [schedule.next(0.0).lane for _ in range(3)] == ["a", "b", "c"]  # type: ignore[union-attr]
    assert schedule.next(0.0) == Wait(1.0)
    assert sorted(all_ready(schedule, 1.0)) == ["t1", "t4", "t7"]


def test_next_is_short_when_the_plan_is_long() -> None:
    """One call draws a bounded number of tasks, and then asks to be called again at once."""
    schedule = Schedule(tasks(*["h"] * 1000), Policy(per_lane=1))
    started(schedule)
    assert schedule.next(5.0) == Wait(5.0)
    assert schedule.counts.drawn == 1 + PULLS


def test_next_draws_nothing_when_the_look_ahead_is_full() -> None:
    """The plan rests until what was drawn can start."""
    schedule = Schedule(tasks(*["h"] * 1000), Policy(per_lane=1, look_ahead=5))
    assert all_ready(schedule) == ["t0"]
    assert (schedule.counts.drawn, schedule.waiting) == (6, 5)
    assert schedule.next(0.0) == Wait(None)


def test_next_draws_nothing_when_too_many_wait_for_another_attempt() -> None:
    """Tasks that wait to be tried again take room in the look-ahead, too: a dead list costs bounded memory."""
    schedule = Schedule(tasks(*[""] * 1000), Policy(look_ahead=10, backoff=60.0, retry_floor=1000))
    while isinstance(step := schedule.next(0.0), Task):
        schedule.settle(no(step, retryable=True), 0.0)
    assert schedule.waiting == 10
    assert isinstance(step, Wait)
    assert step.until is not None


def test_next_asks_again_soon_when_the_plan_has_none_yet() -> None:
    """A slow input is polled; what runs goes on meanwhile."""
    schedule = Schedule([None, task(0), None, task(1)], Policy())
    assert schedule.next(0.0) == Wait(PAUSE)
    assert started(schedule).key == "t0"
    assert schedule.next(1.0) == Wait(1.0 + PAUSE)
    assert started(schedule).key == "t1"


def test_the_schedule_is_starved_when_the_plan_has_none_and_nothing_is_left_to_start() -> None:
    """What waits for a host that is full, or for a limit, is no lack of work; nor is the end of the plan."""
    schedule = Schedule([task(0, "h"), task(1, "h"), None, None, None, task(2, "h")], Policy(per_lane=1, workers=2))
    first = started(schedule)
    assert schedule.next(0.0) == Wait(PAUSE)
    assert not schedule.starved
    schedule.settle(Success(first, None), 0.0)
    second = started(schedule)
    assert schedule.next(0.0) == Wait(PAUSE)
    assert schedule.starved
    schedule.settle(Success(second, None), 0.0)
    assert schedule.next(0.0) == Wait(PAUSE)
    assert schedule.starved
    third = started(schedule)
    assert not schedule.starved
    assert schedule.next(0.0) == Wait(None)
    assert not schedule.starved
    schedule.settle(Success(third, None), 0.0)
    assert schedule.next(0.0) == Done()
    assert not schedule.starved


def test_next_hands_out_decided_outcomes_when_the_plan_yields_them() -> None:
    """A skip or failure in the plan ends without running, and is counted."""
    plan: list[Planned] = [Skip(task(0), "known"), no(task(1), FailureKind.INPUT), task(2)]
    schedule = Schedule(plan, Policy())
    assert [type(step) for step in drain(schedule)] == [Skip, Failure, Success]
    counts = schedule.counts
    assert (counts.drawn, counts.skipped, counts.failed, counts.succeeded) == (3, 1, 1, 1)


def test_next_fails_the_run_when_the_plan_raises() -> None:
    """An input that breaks off half-way never looks like an end: nothing starts, and the reason is told."""

    def plan() -> Iterator[Planned]:
        yield task(0, "h")
        yield task(1, "h")
        raise OSError("the disk is gone")

    schedule = Schedule(plan(), Policy(per_lane=1))
    first = started(schedule)
    assert schedule.next(0.0) == Done("the input broke off: the disk is gone")
    assert isinstance(schedule.error, OSError)
    schedule.settle(Success(first, None), 0.0)
    assert (schedule.counts.ended, schedule.waiting) == (1, 1)


@pytest.mark.parametrize("slots", [1, 4])
def test_next_names_the_exception_when_a_plan_raises_one_without_words(slots: int) -> None:
    """The reason is never empty, nor missing where the schedule has looked ahead."""

    def plan() -> Iterator[Planned]:
        raise RuntimeError
        yield None

    assert Schedule(plan(), Policy(slots=slots)).next(0.0) == Done("the input broke off: RuntimeError")


def test_next_starts_nothing_when_stopped() -> None:
    """After stop what waits is left, and outcomes of what runs are still taken."""
    schedule = Schedule(tasks("", "", ""), Policy())
    first = started(schedule)
    schedule.stop("interrupted")
    schedule.stop("a later reason")
    assert schedule.next(0.0) == Done("interrupted")
    assert schedule.settle(no(first, retryable=True), 0.0) is None
    assert schedule.counts.failed == 1


def test_next_hands_out_decided_outcomes_when_stopped() -> None:
    """What has ended is told even after a stop, so that the totals add up."""
    schedule = Schedule(tasks("h", "h"), Policy(breaker=1, breaker_trips=0, per_lane=1, max_errors=0))
    first = started(schedule)
    schedule.next(0.0)
    schedule.settle(no(first, FailureKind.CONNECT), 0.0)
    assert schedule.stopped
    step = schedule.next(0.0)
    assert isinstance(step, Failure)
    assert step.kind is FailureKind.HOST_DOWN
    assert isinstance(schedule.next(0.0), Done)
    assert schedule.waiting == 0


def test_next_leaves_what_waits_when_stopped_though_its_host_is_dead() -> None:
    """After a stop nothing ends that was not running: neither what is queued nor what waits for another attempt."""
    policy = Policy(per_lane=2, breaker=1, breaker_trips=0, look_ahead=3)
    schedule = Schedule(tasks("h", "h", "h", "h"), policy)
    first, second = started(schedule), started(schedule)
    assert schedule.settle(no(second, retryable=True), 0.0) is not None
    third = started(schedule)
    assert schedule.next(0.0) != Done()
    schedule.stop("interrupted")
    schedule.settle(no(first, FailureKind.CONNECT), 0.0)
    assert schedule.next(0.0) == Done("interrupted")
    schedule.settle(Success(third, None), 1000.0)
    assert schedule.next(1000.0) == Done("interrupted")
    assert (schedule.counts.ended, schedule.waiting) == (2, 2)


def test_next_stops_when_the_deadline_is_over() -> None:
    """The time limit counts from the first call, not from zero."""
    schedule = Schedule(tasks("", "", ""), Policy(deadline=10.0))
    started(schedule, 500.0)
    started(schedule, 509.9)
    assert schedule.next(510.0) == Done("the time limit of 10 s was reached")


def test_settle_stops_the_run_when_a_failure_is_fatal() -> None:
    """No space left for one is no space left for all."""
    schedule = Schedule(tasks("", ""), Policy())
    schedule.settle(no(started(schedule), FailureKind.DISK, fatal=True, retryable=True), 0.0)
    assert schedule.next(0.0) == Done("no")
    assert schedule.counts.failed == 1


@pytest.mark.parametrize(
    ("facts", "again"),
    [
        ({"retryable": True}, True),
        ({"retryable": False}, False),
        ({"retryable": True, "retry_after": 300.0}, True),
        ({"retryable": True, "retry_after": 300.1}, False),
        ({"retryable": True, "fatal": True}, False),
        ({"retryable": True, "kind": FailureKind.WORKER_DIED}, True),
    ],
)
def test_settle_retries_when_it_may_help(facts: dict[str, Any], again: bool) -> None:
    """A failure is tried again if it is retryable, not fatal, and the host asks for no more than the cap."""
    schedule = Schedule(tasks("h"), Policy())
    retry = schedule.settle(no(started(schedule), **facts), 0.0)
    assert isinstance(retry, Retry) == again
    assert schedule.counts.failed == (not again)


@pytest.mark.parametrize(("kind", "attempts"), [(FailureKind.TIMEOUT, 4), (FailureKind.WORKER_DIED, 2)])
def test_settle_gives_up_when_the_attempts_are_used_up(kind: FailureKind, attempts: int) -> None:
    """A task runs retries + 1 times; one that kills its worker, twice at most."""
    schedule = Schedule(tasks("h"), Policy(retries=3, breaker=100))
    now, ran = 0.0, 0
    while not isinstance(step := schedule.next(now), Done):
        if isinstance(step, Task):
            ran += 1
            assert step.attempt == ran
            schedule.settle(no(step, kind, retryable=True), now)
        else:
            assert isinstance(step, Wait)
            assert step.until is not None
            now = step.until
    assert ran == attempts
    assert schedule.counts.retried == attempts - 1


def test_settle_draws_full_jitter_when_it_retries() -> None:
    """The pause is drawn from the whole of 0..min(cap, backoff * 2**n), after what the host asked for."""
    policy = Policy(retries=6, backoff=1.0, backoff_cap=5.0, retry_floor=10_000)
    for attempt, ceiling in ((1, 1.0), (2, 2.0), (3, 4.0), (4, 5.0), (6, 5.0)):
        dues = []
        for seed in range(200):
            schedule = Schedule([task(0, "h", attempt=attempt)], policy, random.Random(seed))
            retry = schedule.settle(no(started(schedule), retryable=True, retry_after=7.0), 100.0)
            assert retry is not None
            dues.append(retry.due - 107.0)
        assert 0.0 <= min(dues) < 0.1 * ceiling
        assert 0.9 * ceiling < max(dues) <= ceiling


def test_settle_counts_on_when_retries_are_in_the_thousands() -> None:
    """Doubling a backoff without end is no overflow."""
    schedule = Schedule([task(0, attempt=5000)], Policy(retries=10_000, backoff_cap=2.0))
    retry = schedule.settle(no(started(schedule), retryable=True), 0.0)
    assert retry is not None
    assert retry.due <= 2.0


def test_settle_stops_retrying_when_the_retry_budget_is_spent() -> None:
    """A server that fails everything costs its tasks once, plus a share of them: not four times."""
    schedule = Schedule(
        tasks(*[""] * 100), Policy(retries=3, backoff=0.0, retry_share=0.1, retry_floor=5, look_ahead=1)
    )
    attempts = 0
    while not isinstance(step := schedule.next(0.0), Done):
        if isinstance(step, Task):
            attempts += 1
            schedule.settle(no(step, retryable=True), 0.0)
    assert attempts == 100 + 15
    assert schedule.counts.failed == 100


def test_settle_cools_the_lane_when_the_host_asks() -> None:
    """Retry-After holds up the whole host, for as long as it says; other hosts go on."""
    schedule = Schedule(tasks("a", "a", "b"), PATIENT)
    schedule.settle(no(started(schedule), retryable=True, retry_after=30.0, cool_lane=True), 0.0)
    assert all_ready(schedule) == ["t2"]
    assert schedule.next(29.9) == Wait(30.0)
    assert all_ready(schedule, 30.0) == ["t0", "t1"]


def test_settle_cools_the_lane_when_its_next_task_was_about_to_start() -> None:
    """A pause counts from the outcome on, also for a lane that stood ready."""
    schedule = Schedule(tasks("a", "a", "a"), Policy(order="largest"))
    first = started(schedule)
    assert schedule.has_ready
    schedule.settle(no(first, cool_lane=True, retry_after=9.0), 0.0)
    assert schedule.next(0.0) == Wait(9.0)


def test_settle_gives_a_host_up_when_it_asks_for_days() -> None:
    """A Retry-After above the cap fails its task and what is left of the host; other hosts go on."""
    schedule = Schedule(tasks("a", "a", "b"), PATIENT)
    first = started(schedule)
    assert schedule.settle(no(first, retryable=True, retry_after=86400.0, cool_lane=True), 0.0) is None
    left = [schedule.next(0.0) for _ in range(2)]
    down = next(step for step in left if isinstance(step, Failure))
    assert (down.kind, down.task.lane) == (FailureKind.HOST_DOWN, "a")
    assert "asks to be left alone for 86,400 s" in down.message
    assert any(isinstance(step, Task) and step.lane == "b" for step in left)


def test_settle_fails_what_is_left_of_a_host_when_it_is_dead() -> None:
    """After the last pause, queued, retrying and later tasks of the host fail without being tried."""
    lanes = ["dead"] * 6 + ["alive"] + ["dead"] * 3
    policy = Policy(per_lane=2, breaker=1, breaker_trips=0, look_ahead=6, backoff=0.1, retry_floor=0, retry_share=1.0)
    schedule = Schedule(tasks(*lanes), policy)
    first, second = started(schedule), started(schedule)
    assert isinstance(schedule.settle(no(second, FailureKind.HTTP, retryable=True), 0.0), Retry)
    third = started(schedule)
    assert isinstance(schedule.next(0.0), Task)  # the other host's; all the rest is queued now
    schedule.settle(no(first, FailureKind.CONNECT, retryable=True), 0.0)
    schedule.settle(Success(third, None), 0.0)
    schedule.settle(Success(task(6, "alive"), None), 0.0)
    ends = drain(schedule)
    down = [end for end in ends if isinstance(end, Failure)]
    assert {failure.kind for failure in down} == {FailureKind.HOST_DOWN}
    assert sorted(failure.task.key for failure in down) == sorted(f"t{n}" for n in (1, 3, 4, 5, 7, 8, 9))
    assert "dead was given up: it could not be reached" in down[0].message
    assert schedule.counts.succeeded == 2
    assert schedule.counts.failed == 8


@pytest.mark.parametrize(
    ("limit", "script", "stops_after"),
    [
        (0, "f", 1),
        (2, "fsfsf", 5),
        (2, "fsfsssss", None),
        (0.5, "ff", None),
        (0.5, "fffff", 5),
        (0.4, "sssff", None),
        (0.4, "ssfff", 5),
        (0.2, "fsss" + "s", None),
        (0.1, "fsss" + "s", 5),
        (0.0, "ssssf", 5),
        (0.0, "sssss", None),
    ],
)
def test_settle_stops_the_run_when_the_error_budget_is_spent(
    limit: float, script: str, stops_after: int | None
) -> None:
    """A count stops when it is exceeded; a share, too, once errors_floor tasks were tried."""
    schedule = Schedule(tasks(*[""] * 20), Policy(max_errors=limit, errors_floor=5))
    stopped = None
    for number, end in enumerate(script, 1):
        now_running = started(schedule)
        schedule.settle(Success(now_running, None) if end == "s" else no(now_running), 0.0)
        if schedule.stopped:
            stopped = number
            break
    assert stopped == stops_after
    assert ("--max-errors" in schedule.stopped) == (stops_after is not None)


def test_settle_ignores_retries_when_it_counts_errors() -> None:
    """Only failures that are final count against the budget."""
    schedule = Schedule(tasks("", ""), Policy(max_errors=0, backoff=0.0))
    for _ in range(3):
        assert schedule.settle(no(started(schedule), retryable=True), 0.0) is not None
    assert not schedule.stopped


@pytest.mark.parametrize("delay", [0.0, 1.0])
def test_settle_forgets_lanes_when_a_run_meets_many_hosts(delay: float) -> None:
    """A list of 100,000 hosts keeps few lanes in memory."""
    plan: Iterable[Planned] = (task(index, f"host{index}:80") for index in range(100_000 if delay == 0.0 else 20_000))
    schedule = Schedule(plan, Policy(delay=delay))
    now, most = 0.0, 0
    while not isinstance(step := schedule.next(now), Done):
        assert isinstance(step, Task)
        now += 0.01
        schedule.settle(Success(step, None), now)
        most = max(most, len(schedule._lanes))
    assert most <= (1 if delay == 0.0 else 102)


def test_settle_forgets_failing_hosts_when_their_time_is_over() -> None:
    """A host that failed is remembered for a minute after its last task, and no longer."""
    schedule = Schedule(
        (task(index, f"host{index}:80") for index in range(3000)), Policy(retries=0, breaker_trips=9, breaker=9)
    )
    now = 0.0
    while isinstance(step := schedule.next(now), Task):
        now += 1.0
        schedule.settle(no(step, FailureKind.CONNECT), now)
        assert len(schedule._lanes) <= MEMORY + 1


def test_settle_remembers_a_failing_host_from_its_last_task_when_tasks_come_slowly() -> None:
    """Each failure keeps the memory of a host alive for another minute."""
    plan: Iterator[Planned] = iter([*tasks("h", "h"), None, None, *tasks("x")])
    schedule = Schedule(plan, Policy(retries=0, per_lane=1))
    schedule.settle(no(started(schedule), FailureKind.CONNECT), 0.0)
    second = started(schedule, 50.0)
    schedule.settle(no(second, FailureKind.CONNECT), 50.0)
    schedule.next(MEMORY + 1.0)
    assert schedule._lanes["h"].failures == 2
    schedule.next(50.0 + MEMORY)
    assert "h" not in schedule._lanes


def test_settle_keeps_the_running_lane_when_the_timer_of_a_forgotten_one_goes_off() -> None:
    """A timer of a lane that was forgotten must not take a new lane of the same name with it."""
    schedule = Schedule(tasks("h", "h", "h"), Policy(retries=0, per_lane=1))
    schedule.settle(no(started(schedule), FailureKind.CONNECT), 0.0)  # to be kept until MEMORY
    schedule.settle(Success(started(schedule, 1.0), None), 1.0)  # all is well again: forgotten at once
    third = started(schedule, MEMORY - 1.0)
    assert schedule.next(MEMORY) == Wait(None)
    schedule.settle(Success(third, None), MEMORY)
    assert schedule.next(MEMORY) == Done()


def test_has_ready_when_another_task_could_start() -> None:
    """It tells a caller whether waking another worker makes sense."""
    schedule = Schedule(tasks("h", "h", "h"), Policy(per_lane=2))
    assert not schedule.has_ready
    started(schedule)
    schedule.next(0.0)
    schedule.next(0.0)
    assert not schedule.has_ready


@pytest.mark.parametrize("slots", [1, 4])
def test_next_gives_what_is_decided_when_the_plan_ends_with_it(slots: int) -> None:
    """Lines that are no URLs end as failures, also where nothing else is in the list and tasks share connections."""
    schedule = Schedule([no(task(n), FailureKind.INPUT) for n in range(3)], Policy(slots=slots))
    assert [one.task.key for one in drain(schedule)] == ["t0", "t1", "t2"]
    assert schedule.counts.drawn == schedule.counts.ended == 3
