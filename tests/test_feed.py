"""Between conductor and model: who is woken, and when, and that nobody is forgotten."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

import pytest

from toolkit.core.job import Done, Wait
from toolkit.core.policy import Policy
from toolkit.core.schedule import PAUSE, Planned, Schedule
from toolkit.core.task import Success, Task
from toolkit.feed import LITTLE, SOON, ScheduleFeed

LONG = 20.0
"""Seconds that no test waits unless it fails."""


def feed_of(plan: Iterable[Planned], **policy: object) -> ScheduleFeed:
    return ScheduleFeed(Schedule(plan, Policy(**policy)))  # type: ignore[arg-type]


def tasks(count: int, lane: str = "") -> list[Planned]:
    return [Task(f"t{index}", None, lane, index=index) for index in range(count)]


def waiting(feed: ScheduleFeed, said: list[str], name: str, most: float = LONG) -> threading.Thread:
    """Start a thread that waits for a task to take, and return once it waits."""
    before = len(feed._waiters)

    def work() -> None:
        feed.wait(Wait(), most=most)
        said.append(name)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    until(lambda: len(feed._waiters) > before)
    return thread


def until(happens: Callable[[], bool]) -> None:
    pause = threading.Event()
    while not happens():
        pause.wait(0.001)


def test_next_settles_on_the_way() -> None:
    """One call reports an outcome and brings the next task, which the outcome has made room for."""
    feed = feed_of(tasks(2, "h"), per_lane=1)
    first = feed.next()
    assert isinstance(first, Task)
    assert feed.next() == Wait(None)
    second = feed.next(Success(first, None))
    assert isinstance(second, Task)
    assert isinstance(feed.next(Success(second, None)), Done)
    assert [outcome.task.key for outcome, _ in feed.take()] == ["t0", "t1"]


def test_the_last_to_wait_is_woken_first() -> None:
    """Its connections are warm; the one on guard stays where it is."""
    feed = feed_of(tasks(9), workers=3)
    running = [feed.next() for _ in range(3)]
    said: list[str] = []
    patience = {"early": 3 * LONG, "late": 2 * LONG, "guard": LONG}  # the least patient is on guard
    threads = {name: waiting(feed, said, name, most) for name, most in patience.items()}
    assert isinstance(running[0], Task)
    feed.settle(Success(running[0], None))
    assert isinstance(feed.next(), Task)
    assert not said  # there is room for none of them
    for number, name in ((1, "late"), (2, "early")):
        ended = running[number]
        assert isinstance(ended, Task)
        feed.settle(Success(ended, None))
        feed.pulse()
        threads[name].join(LONG)
        assert isinstance(feed.next(), Task)
    assert said == ["late", "early"]
    feed.wake()
    threads["guard"].join(LONG)


def test_another_goes_on_guard_when_the_guard_takes_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is always one that looks at the clock, or a host's pause would end unseen."""
    monkeypatch.setattr("toolkit.feed.ASLEEP", 10 * LONG)
    feed = feed_of(tasks(3, "h"), delay=0.05, workers=3)
    assert isinstance(feed.next(), Task)
    said: list[str] = []
    got: list[Task[None]] = []

    def work(name: str) -> None:
        while not isinstance(step := feed.next(), Done):
            if isinstance(step, Task):
                got.append(step)
                return
            feed.wait(step, most=LONG)
        said.append(name)

    threads = [threading.Thread(target=work, args=(name,), daemon=True) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert sorted(task.key for task in got) == ["t1", "t2"]


def test_wait_returns_when_something_came_since_the_step_was_given() -> None:
    """What happens between next and wait is not missed."""
    feed = feed_of(tasks(3, "h"), per_lane=1)
    first = feed.next()
    assert isinstance(first, Task)
    assert feed.next() == Wait(None)
    feed.settle(Success(first, None))
    feed.wait(Wait(None), most=LONG)
    assert isinstance(feed.next(), Task)


def test_all_that_fit_are_started_when_an_end_makes_room_in_memory() -> None:
    """Two small ones start at once where a large one was, though one end brings only one worker back."""
    plan = [Task(f"t{n}", None, index=n, memory=size) for n, size in enumerate((100, 50, 50))]
    feed = feed_of(plan, memory=100)
    large = feed.next()
    assert isinstance(large, Task)
    assert feed.next() == Wait(None)
    said: list[str] = []
    threads = [waiting(feed, said, "worker"), waiting(feed, said, "guard", LONG / 2)]
    assert isinstance(feed.next(Success(large, None)), Task)
    threads[0].join(LONG / 4)
    assert said == ["worker"]
    assert isinstance(feed.next(), Task)
    feed.wake()
    threads[1].join(LONG)


def test_wait_returns_when_memory_came_free_since_the_step_was_given() -> None:
    """What was freed between next and wait is not missed."""
    feed = feed_of([Task(f"t{n}", None, index=n, memory=60) for n in range(2)], memory=100)
    first = feed.next()
    assert isinstance(first, Task)
    assert feed.next() == Wait(None)
    feed.settle(Success(first, None))
    feed.wait(Wait(None), most=LONG)
    assert isinstance(feed.next(), Task)


def test_all_are_woken_when_it_is_over() -> None:
    """Nobody sleeps on after the last task, nor after a stop; and who comes later does not begin to."""
    for stops in (False, True):
        feed = feed_of(tasks(1))
        last = feed.next()
        said: list[str] = []
        threads = [waiting(feed, said, name) for name in "abc"]
        if stops:
            feed.stop("interrupted")
            feed.pulse()
        else:
            assert isinstance(last, Task)
            assert isinstance(feed.next(Success(last, None)), Done)
        for thread in threads:
            thread.join(LONG)
        assert sorted(said) == ["a", "b", "c"]
        assert isinstance(feed.next(), Done)
        feed.wait(Wait(None), most=LONG)


def test_pulse_does_not_wait_when_the_plan_hangs() -> None:
    """A Ctrl-C is heard though a worker sits in a plan that gives nothing."""
    inside, go = threading.Event(), threading.Event()

    def plan() -> Iterable[Planned]:
        inside.set()
        go.wait(LONG)
        yield from tasks(1)

    feed = feed_of(plan())
    thread = threading.Thread(target=feed.next, daemon=True)
    thread.start()
    assert inside.wait(LONG)
    assert feed.pulse() == []
    feed.stop("interrupted")
    go.set()
    thread.join(LONG)


def test_pulse_tells_of_new_limits_once() -> None:
    """Each change is handed over to the conductor."""
    feed = feed_of(tasks(100), workers=64, adaptive=True)
    feed._schedule.limiter._move(8, "throughput rises", 0, 0.0)
    assert [(change.limit, change.reason) for change in feed.pulse()] == [(8, "throughput rises")]
    assert feed.pulse() == []
    assert feed.tick(0.0, None).limit == 8


def hungry(feed: ScheduleFeed, count: int) -> list[Task[None]]:
    """Start `count` tasks, all that the plan has so far."""
    running = [feed.next() for _ in range(count)]
    assert isinstance(feed.next(), Wait)
    return [step for step in running if isinstance(step, Task)]


def test_the_conductor_is_called_when_what_lands_is_all_that_the_plan_waits_for() -> None:
    """And the plan is asked again soon, as long as it is being stored, too; then as seldom as ever."""
    feed = feed_of([*tasks(1), *[None] * 9])
    (only,) = hungry(feed, 1)
    assert not feed.called(0)
    before = time.monotonic()
    step = feed.next(Success(only, None))
    assert isinstance(step, Wait)
    assert step.until is not None
    assert before + SOON <= step.until <= time.monotonic() + SOON
    assert feed.called(0)
    assert len(feed.take()) == 1
    step = feed.next()
    assert isinstance(step, Wait)
    assert step.until is not None
    assert step.until < time.monotonic() + PAUSE
    assert not feed.called(0)  # there is nothing more to store
    feed.landed()
    for _ in range(2):
        before = time.monotonic()
        step = feed.next()
        assert isinstance(step, Wait)
        assert step.until is not None
        assert step.until >= before + PAUSE
        assert not feed.called(0)
        assert feed.take() == []
        feed.landed()


def test_one_that_waits_asks_again_when_all_has_landed() -> None:
    """It does not sleep on while the plan may have what the last page led to."""
    feed = feed_of([*tasks(1), *[None] * 9])
    (only,) = hungry(feed, 1)
    feed.settle(Success(only, None))
    said: list[str] = []
    thread = waiting(feed, said, "worker")
    feed.landed()
    assert not said  # nothing was taken
    feed.take()
    feed.landed()
    thread.join(LONG / 2)
    assert said == ["worker"]


def test_the_conductor_is_not_called_when_much_is_under_way() -> None:
    """Each write to the store is to take many outcomes along."""
    feed = feed_of([*tasks(LITTLE + 3), *[None] * 99])
    running = hungry(feed, LITTLE + 3)
    called = []
    for task in running:
        feed.next(Success(task, None))
        called.append(feed.called(0))
    assert called == [False, False] + [True] * (LITTLE + 1)


def test_the_conductor_is_not_called_when_tasks_are_left_to_start() -> None:
    """A host with few places holds them up, not the plan: there is no hurry, and each call costs a write."""
    feed = feed_of([*tasks(50, "h"), *[None] * 99], per_lane=2)
    step = feed.next(), feed.next()
    running = [task for task in step if isinstance(task, Task)]
    ended = 0
    while running and not feed.called(0):
        step = feed.next(Success(running.pop(0), None)), feed.next()
        running += [task for task in step if isinstance(task, Task)]
        ended += 1
    assert ended == 48  # the last two have nobody behind them


def test_tick_has_no_limit_when_the_model_alone_says_how_many_run() -> None:
    """Then there is nothing to show."""
    assert feed_of(tasks(1)).tick(0.0, None).limit is None
