"""The schedule under random plans, outcomes and clocks: what it promises holds after every step."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from toolkit.core.errors import FailureKind
from toolkit.core.job import Done, Wait
from toolkit.core.policy import Policy
from toolkit.core.schedule import FARTHER, MOST_CRASHES, PAUSE, PULLS, Planned, Schedule
from toolkit.core.task import Failure, Outcome, Skip, Success, Task

LANES = ("", "a:80", "b:80", "c:443", "d:80")
KINDS = (
    FailureKind.CONNECT,
    FailureKind.TIMEOUT,
    FailureKind.HTTP,
    FailureKind.THROTTLED,
    FailureKind.WORKER_DIED,
    FailureKind.LIMIT,
)
NEVER = float("inf")

# What stops a run is rare here, or most runs would be over before they meet anything else.
policies = st.builds(
    Policy,
    retries=st.integers(0, 4),
    backoff=st.sampled_from((0.0, 0.5, 8.0)),
    backoff_cap=st.sampled_from((1.0, 60.0)),
    retry_share=st.sampled_from((0.0, 0.5)),
    retry_floor=st.sampled_from((0, 3, 50)),
    per_lane=st.integers(1, 4),
    delay=st.sampled_from((0.0, 0.0, 0.3, 2.0)),
    breaker=st.integers(1, 3),
    breaker_trips=st.integers(0, 1),
    max_errors=st.sampled_from((None,) * 9 + (0, 5, 0.3)),
    errors_floor=st.sampled_from((1, 5)),
    deadline=st.sampled_from((None,) * 9 + (30.0,)),
    look_ahead=st.sampled_from((100, 1, 5)),
    order=st.sampled_from(("input", "largest")),
    workers=st.sampled_from((0, 0, 1, 2, 5)),
    adaptive=st.booleans(),
    slots=st.sampled_from((1, 1, 2, 3, 8)),
    memory=st.sampled_from((None, None, 0, 7, 20)),
)
items = st.one_of(
    st.tuples(st.just("task"), st.sampled_from(LANES), st.integers(0, 9)),
    st.tuples(st.just("task"), st.sampled_from(LANES[:2]), st.integers(0, 9)),
    st.tuples(st.sampled_from(("skip", "failure", "none")), st.just(""), st.just(0)),
)
failures = st.builds(
    Failure,
    task=st.just(Task("", None)),
    kind=st.sampled_from(KINDS),
    message=st.just("no"),
    retryable=st.booleans(),
    retry_after=st.sampled_from((None, None, 0.1, 5.0, 300.0, 301.0)),
    cool_lane=st.booleans(),
    fatal=st.sampled_from((False,) * 99 + (True,)),
)
outcomes = st.one_of(st.sampled_from(("success", "skip")), failures, failures)


class InputGoneError(Exception):
    """What a plan that breaks off raises."""


class ScheduleMachine(RuleBasedStateMachine):
    """Drives a schedule by hand, keeping books of its own to compare with."""

    @initialize(
        policy=policies,
        plan=st.lists(items, max_size=40) | st.lists(items, min_size=30, max_size=150),
        breaks=st.sampled_from((False, False, False, True)),
        down=st.sampled_from(LANES),
        seed=st.integers(0, 9),
    )
    def begin(self, policy: Policy, plan: Sequence[tuple[str, str, int]], breaks: bool, down: str, seed: int) -> None:
        """Start with some plan and policy, at some moment of the monotonic clock."""
        self.policy = policy
        self.now = 1000.0
        self.breaks = breaks
        self.down = down
        self.drawn: list[str] = []
        self.looked_too_far = False
        self.exhausted = False
        self.running: dict[str, Task[Any]] = {}
        self.ended: Counter[str] = Counter()
        self.succeeded = self.skipped = self.failed = self.retried = 0
        self.due: dict[str, float] = {}
        self.attempts: dict[str, int] = {}
        self.last_start: dict[str, float] = {}
        self.cool_until: dict[str, float] = {}
        self.until: float | None = None
        self.first_call: float | None = None
        self.reasons: set[str] = set()
        self.schedule = Schedule(self.plan(plan), policy, random.Random(seed))

    def plan(self, codes: Sequence[tuple[str, str, int]]) -> Iterator[Planned]:
        """Yield what the codes stand for, and note how far the schedule looks ahead."""
        for index, (what, lane, cost) in enumerate(codes):
            # Where it is to be known whether others want connections, a few are in view in any case.
            view = max(self.policy.look_ahead * (FARTHER if self.policy.workers else 1), self.policy.slots)
            self.looked_too_far |= self.schedule.waiting >= view
            task = Task(f"{what}-{index}", None, lane, float(cost), index, memory=7 * index % 10)
            if what != "none":
                self.drawn.append(task.key)
            if what == "task":
                self.attempts[task.key] = 0
                yield task
            elif what == "skip":
                yield Skip(task, "known")
            elif what == "failure":
                yield Failure(task, FailureKind.INPUT, "bad line")
            else:
                self.drawn_nothing = True
                yield None
        self.exhausted = True
        if self.breaks:
            self.reasons.add("broke off")
            raise InputGoneError("the disk is gone")

    @rule(times=st.integers(1, 8))
    def ask(self, times: int) -> None:
        """Ask what runs next."""
        for _ in range(times):
            self.step()

    @rule(turns=st.lists(st.tuples(st.integers(0, 3), outcomes, st.integers(0, 99)), min_size=1, max_size=12))
    def work(self, turns: Sequence[tuple[int, str | Failure, int]]) -> None:
        """Ask a few times and end one of the running tasks, again and again, at one moment."""
        for times, outcome, which in turns:
            self.ask(times)
            if self.running:
                self.end(self.running.pop(sorted(self.running)[which % len(self.running)]), outcome)

    @rule(seconds=st.sampled_from((0.0, 0.01, 0.01, 0.3, 0.3, 1.0, 7.0, 61.0, 400.0)))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    @precondition(lambda self: self.until is not None)
    @rule()
    def wait_as_told(self) -> None:
        """Let just so much time pass as the schedule said."""
        self.now = max(self.now, self.until or 0.0)

    @precondition(lambda self: len(self.drawn) > 10)
    @rule(really=st.sampled_from((False,) * 49 + (True,)))
    def stop(self, really: bool) -> None:
        """Stop, now and then."""
        if really:
            self.schedule.stop("interrupted")
            self.reasons.add("interrupted")

    @invariant()
    def the_books_balance(self) -> None:
        """Every task drawn has ended once, runs or waits; the counts are right."""
        counts, schedule = self.schedule.counts, self.schedule
        assert counts.drawn == len(self.drawn)
        assert counts.drawn == counts.ended + schedule.in_flight + schedule.waiting
        assert (counts.succeeded, counts.skipped, counts.failed) == (self.succeeded, self.skipped, self.failed)
        assert counts.retried == self.retried
        assert schedule.in_flight == len(self.running)
        assert set(self.ended.values()) <= {1}
        assert not self.ended.keys() & self.running.keys()

    @invariant()
    def look_ahead_is_bounded(self) -> None:
        """Nothing is drawn while as many tasks wait as may."""
        assert not self.looked_too_far

    @invariant()
    def lanes_keep_their_caps(self) -> None:
        """No more tasks of a host run than may; every lane with work is known to the schedule."""
        busy = Counter(task.lane for task in self.running.values())
        used: Counter[str] = Counter()
        for task in self.running.values():
            used[task.lane] += task.slots
        assert all(count <= self.policy.per_lane for lane, count in used.items() if lane)
        assert {name: lane.connections for name, lane in self.schedule._lanes.items() if lane.connections} == used
        assert {name: lane.in_flight for name, lane in self.schedule._lanes.items() if lane.in_flight} == busy

    @invariant()
    def connections_keep_their_cap(self) -> None:
        """All tasks together use no more connections than workers, or than one task may have."""
        used = sum(task.slots for task in self.running.values())
        assert used == self.schedule.connections
        assert not self.policy.workers or used <= max(self.policy.workers, self.policy.slots)
        assert self.schedule.limiter.limit >= 1

    @invariant()
    def memory_keeps_its_limit(self) -> None:
        """All that runs needs no more together than it may, or it runs alone."""
        needed = sum(task.memory for task in self.running.values())
        assert needed == self.schedule.memory
        assert self.policy.memory is None or needed <= self.policy.memory or len(self.running) == 1

    @invariant()
    def it_stops_for_a_reason_only(self) -> None:
        """Stop if, and only if, something that stops has happened."""
        assert bool(self.schedule.stopped) == bool(self.reasons)
        assert isinstance(self.schedule.error, InputGoneError) == ("broke off" in self.reasons)

    def teardown(self) -> None:
        """From any state, a driver that waits as told and succeeds comes to the end, in few steps."""
        if not hasattr(self, "schedule"):
            return
        for _ in range(20 * len(self.drawn) + 2000):
            step = self.step()
            if isinstance(step, Done) and not self.running:
                break
            if isinstance(step, Wait | Done) and self.running:
                self.settled(Success(self.running.popitem()[1], 1))
            elif isinstance(step, Wait):
                assert step.until is not None
                self.now = step.until
            self.the_books_balance()
        else:
            raise AssertionError("it never came to an end")
        if not self.schedule.stopped:
            assert self.exhausted
            assert self.ended == Counter(self.drawn)
        assert isinstance(self.schedule.next(self.now + 1e6), Done)

    def step(self) -> Task[Any] | Skip | Failure | Wait | Done:
        """Ask once, and check the answer."""
        drawn, was_stopped, self.drawn_nothing = len(self.drawn), bool(self.schedule.stopped), False
        self.check_deadline()
        step = self.schedule.next(self.now)
        self.until = None
        if isinstance(step, Task):
            assert not was_stopped
            self.started(step)
        elif isinstance(step, Skip | Failure):
            self.decided(step)
        elif isinstance(step, Wait):
            self.until = step.until
            self.check_wait(step.until, len(self.drawn) - drawn)
            self.schedule.review(self.now)
        else:
            assert step.reason == self.schedule.stopped
            assert step.reason or not (self.running or self.schedule.waiting or not self.exhausted)
        return step

    def started(self, task: Task[Any]) -> None:
        """Check that this task may start now."""
        assert task.key not in self.running
        assert task.key not in self.ended
        assert len(self.running) < self.schedule.limiter.limit
        assert self.fits(task)
        assert 1 <= task.slots <= (self.policy.slots if task.lane else 1)
        assert self.now >= self.due.pop(task.key, 0.0)
        assert task.attempt == self.attempts[task.key] + 1 <= self.policy.retries + 1
        if task.lane:
            assert self.now >= self.last_start.get(task.lane, 0.0) + self.policy.delay
            assert self.now >= self.cool_until.get(task.lane, 0.0)
        self.last_start[task.lane] = self.now
        self.attempts[task.key] = task.attempt
        self.running[task.key] = task

    def fits(self, task: Task[Any]) -> bool:
        """Whether there is memory for this task beside those that run."""
        if self.policy.memory is None or not self.running:
            return True
        return sum(each.memory for each in self.running.values()) + task.memory <= self.policy.memory

    def decided(self, outcome: Skip | Failure) -> None:
        """Check an outcome that needed no run: the plan's own, or that of a host given up."""
        if isinstance(outcome, Failure) and outcome.kind is FailureKind.HOST_DOWN:
            assert outcome.task.lane
            assert outcome.task.key not in self.running
            assert self.schedule._lanes[outcome.task.lane].dead
        else:
            assert outcome.task.key.startswith(("skip", "failure"))
        self.ends(outcome)

    def end(self, task: Task[Any], outcome: str | Failure) -> None:
        """End a task in one way or another; those of the host that is down cannot reach it."""
        if task.lane == self.down:
            self.settled(Failure(task, FailureKind.CONNECT, "no route", retryable=outcome != "skip"))
        elif isinstance(outcome, Failure):
            self.settled(replace(outcome, task=task))
        else:
            self.settled(Success(task, 1) if outcome == "success" else Skip(task, "not modified"))

    def settled(self, outcome: Outcome) -> None:
        """Hand an outcome in, and check what the schedule makes of it."""
        retry = self.schedule.settle(outcome, self.now)
        if not isinstance(outcome, Failure):
            assert retry is None
            self.ends(outcome)
            return
        task, policy, wait = outcome.task, self.policy, outcome.retry_after or 0.0
        if outcome.fatal:
            self.reasons.add("fatal")
        asks = outcome.kind is FailureKind.THROTTLED or outcome.retry_after is not None
        if outcome.cool_lane and asks and task.lane:
            pause = policy.backoff if outcome.retry_after is None else min(wait, policy.retry_after_cap)
            self.cool_until[task.lane] = max(self.cool_until.get(task.lane, 0.0), self.now + pause)
        may_retry = (
            outcome.retryable
            and not self.reasons
            and task.attempt <= policy.retries
            and wait <= policy.retry_after_cap
            and self.retried < policy.retry_floor + policy.retry_share * len(self.drawn)
            and not (outcome.kind is FailureKind.WORKER_DIED and task.attempt >= MOST_CRASHES)
        )
        lane = self.schedule._lanes.get(task.lane)
        assert (retry is not None) == (may_retry and not (lane is not None and lane.dead))
        if retry is None:
            self.ends(outcome)
            return
        ceiling = min(policy.backoff_cap, policy.backoff * 2 ** (task.attempt - 1))
        assert self.now + wait <= retry.due <= self.now + wait + ceiling
        self.due[task.key] = retry.due
        self.retried += 1

    def ends(self, outcome: Outcome) -> None:
        """Write an end into the books, and see whether the error budget is spent."""
        self.ended[outcome.task.key] += 1
        self.succeeded += isinstance(outcome, Success)
        self.skipped += isinstance(outcome, Skip)
        self.failed += isinstance(outcome, Failure)
        limit, tried = self.policy.max_errors, self.succeeded + self.failed
        if isinstance(limit, int):
            spent = self.failed > limit
        else:
            spent = limit is not None and tried >= self.policy.errors_floor and self.failed > limit * tried
        if spent:
            self.reasons.add("max errors")

    def check_deadline(self) -> None:
        """Expect the end of a time limit that starts with the first call."""
        if self.first_call is None:
            self.first_call = self.now
        if self.policy.deadline is not None and self.now >= self.first_call + self.policy.deadline:
            self.reasons.add("deadline")

    def check_wait(self, until: float | None, drawn: int) -> None:
        """Check that a wait is for something: it neither spins nor sleeps past the moment when a task may start."""
        if until is None:
            assert self.running
        elif until <= self.now:
            assert until == self.now
            assert drawn == PULLS
            return
        elif self.drawn_nothing and until == self.now + PAUSE:
            return
        used = sum(task.slots for task in self.running.values())
        most = max(self.policy.workers, self.policy.slots) if self.policy.workers else NEVER
        if len(self.running) >= self.schedule.limiter.limit or used >= most:
            assert until is None  # only an end makes room
            return
        asleep_until = NEVER if until is None else until
        ready = self.schedule._ready
        if ready and ready[0].opens_at <= self.now and not self.fits(ready[0].queue[0][2]):
            assert self.running  # their ends make room, and nothing overtakes the task that waits for it
            return
        opens = [lane.opens_at for lane in self.schedule._lanes.values() if lane.has_room]
        retries = [due for due in self.due.values() if due > self.now]  # else it is back in its lane
        assert min(opens + retries, default=NEVER) >= asleep_until


TestScheduleMachine = ScheduleMachine.TestCase
TestScheduleMachine.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
