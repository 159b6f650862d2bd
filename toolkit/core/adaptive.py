"""How many tasks run at once, found by trying: more while that brings more, fewer when it does not, or when it hurts.

Pure: it is told what starts, what ends and how many bytes came, each with the time. It climbs by doubling, and then
holds, trying a little more or a little less now and then; a try is kept only if the throughput says so.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

from toolkit.core.errors import FailureKind
from toolkit.core.look import TASK_BYTES, Look
from toolkit.core.task import Failure, Outcome

START = 4
"""Tasks at once to begin with."""
UNLIMITED = 1 << 30
"""A limit that none reaches."""
LEAST = 0.1
"""Seconds that a look at the throughput takes at least."""
SOON = 0.04
"""The same where twice as many do nearly twice as much: climbing must not take long."""
FLOWING = 0.5
"""Seconds after which large files are judged by their bytes though none has ended."""
PATIENCE = 10.0
"""Seconds after which any work at all is judged."""
USED = 0.6
"""Share of the limit that must have been in use on average, or nothing can be said of it."""
GAIN = 0.2
"""Share of what more workers could bring at best that they must bring: of doubling, a fifth more."""
SOARS = 0.7
"""The same for climbing on at once."""
LOSS = 0.1
"""Share of what fewer workers could cost at most that they may cost."""
HURTS = 0.9
"""What throughput falls to, of what it was, when no second look is needed."""
TROUBLED = 0.25
"""Share of tasks that are throttled or time out at which fewer run."""
CUT = 0.7
"""What the limit is multiplied with then."""
TRIES = (4, 48)
"""Looks between tries: at first, and at most, when they bring nothing."""
CALM = (0.6, 1.6)
"""What throughput may be of what it was; beyond, the world has changed, and it is time for another try."""
RELIEF = 30.0
"""Seconds after which this machine's own limit is tried again, a quarter higher."""
RISES = "throughput rises"
"""The reason for another leap."""
UNUSED = "not used"
"""The reason to go back where hosts, or this machine, let no more run."""
TROUBLES = frozenset({FailureKind.THROTTLED, FailureKind.TIMEOUT})
KEPT = 1000
"""Changes that are kept until they are told."""


@dataclass(frozen=True, slots=True)
class Change:
    """The limit is another now. at: monotonic seconds."""

    limit: int
    reason: str
    at: float


class Adaptive:
    """The limit on tasks at once, from 1 to most; without adaptive, most, unless this machine has less to give."""

    __slots__ = (
        "_base", "_ceiling", "_cut_at", "_doubted", "_look", "_phase", "_reached", "_relief", "_up", "_wait", "_waited",
        "adaptive", "changed", "changes", "highest", "limit", "most", "settled", "why",
    )  # fmt: skip

    def __init__(self, most: int, *, adaptive: bool) -> None:
        """settled: where the limit stands when nothing is being tried, and why: for what reason, or "" before any was
        found. changed: how often settled was another."""  # noqa: D209, D205
        self.most = most
        self.adaptive = adaptive
        self.limit = self.settled = self.highest = min(START, most) if adaptive else most
        self.changes: deque[Change] = deque(maxlen=KEPT)
        self.changed = 0
        self.why = ""
        self._ceiling = most
        self._relief = self._cut_at = float("-inf")
        self._phase: Literal["climb", "hold", "try"] = "climb"
        self._up = False
        self._base: float | None = None
        self._doubted = False
        self._wait, self._waited = TRIES[0], 0
        self._reached = True
        self._look = Look(skip=self.limit)

    @property
    def scarce(self) -> bool:
        """Whether this machine had no more to give, and may have no more yet."""
        return self._ceiling < self.most

    def started(self, running: int, now: float) -> None:
        """Take note that a task starts beside `running` others."""
        self._look.advance(running, now)

    def ended(self, outcome: Outcome, running: int, received: int, now: float) -> None:
        """Learn from a task's end. running: tasks, this one among them. received: bytes of the whole run so far."""
        self._look.advance(running, now)
        if isinstance(outcome, Failure):
            self._fail(outcome, running, received, now)
        if not self.adaptive:
            return
        look = self._look
        look.tasks += 1
        if look.skip:
            if look.tasks >= look.skip:
                look.open(received, now)
        # Only whole rounds: tasks that start together end together, and half of such a burst would tell nothing.
        elif look.tasks % self.limit == 0 and (
            look.elapsed(now) >= LEAST or (self._phase == "climb" and self._soars(received, now))
        ):
            self._judge(received, now)

    def review(self, running: int, received: int, now: float) -> None:
        """Look at the bytes now and then: large files move the limit before they end."""
        self._look.advance(running, now)
        if self._ceiling < self.most and now >= self._relief:
            self._raise_ceiling(received, now)
        look, elapsed = self._look, self._look.elapsed(now)
        if not self.adaptive or elapsed < FLOWING / 2:
            return
        brought = look.brought(received)
        flows = brought / TASK_BYTES > max(1, look.tasks)
        if look.skip:
            if flows:
                look.open(received, now)
        elif (flows and elapsed >= FLOWING) or (elapsed >= PATIENCE and (look.tasks or brought > 0)):
            self._judge(received, now)

    def _soars(self, received: int, now: float) -> bool:
        look = self._look
        return look.elapsed(now) >= SOON and self._base is not None and self._gains(look.rate(received, now), SOARS)

    def _judge(self, received: int, now: float) -> None:
        look = self._look
        rate, running, ended = look.rate(received, now), look.running(now), look.tasks
        troubled = look.troubles > TROUBLED * look.tasks
        look.open(received, now)
        if troubled:
            self._cut(max(1, int(min(self.limit, max(1.0, running)) * CUT)), "hosts ask for less", received, now)
            return
        if self._ceiling < self.most and self.limit > self._ceiling:
            self._move(self._ceiling, "this machine's limit", received, now)
            return
        used = running >= USED * self.limit
        self._reached = running > (self.limit + self.settled) / 2
        if self._phase == "climb":
            self._climb(rate, received, now, used=used)
        elif self._phase == "try":
            self._try(rate, received, now, used=used)
        elif used:
            self._hold(rate, received, now, ends=ended >= self.limit)

    def _climb(self, rate: float, received: int, now: float, *, used: bool) -> None:
        if not used:
            self._up = True  # and so the first try is of fewer: what starts no more workers may be this machine itself
            self._back(UNUSED, received, now)
            return
        if self._base is None or self._gains(rate, GAIN):
            soars = self._base is not None and self._gains(rate, SOARS)
            self._keep(rate, RISES if self._base is not None else "")
            if self.limit < self._ceiling:
                self._move(min(self._ceiling, 2 * self.limit), RISES, received, now)
            else:
                self._phase = "hold"
                self._wait = TRIES[0] * (4 if soars else 1)  # all of it is of use: fewer can wait
        elif rate < HURTS * self._base or self._doubted:
            self._up = True  # and so the first try is of fewer
            self._back("more bring nothing", received, now)
        else:
            self._doubted = True  # new connections take a while before they bring anything: look once more

    def _hold(self, rate: float, received: int, now: float, *, ends: bool) -> None:
        if self._base is not None and not CALM[0] < rate / self._base < CALM[1]:
            self._wait = TRIES[0]
        self._base = rate if self._base is None else (self._base + rate) / 2
        self._waited += 1
        if self._waited < self._wait:
            return
        self._up = (not self._up or self.limit == 1) and self.limit < self._ceiling
        if self._up:
            self._phase = "try"
            self._move(min(self._ceiling, max(self.limit + 1, int(1.5 * self.limit))), "trying more", received, now)
        elif self.limit > 1 and ends:  # while large files go on, a lower limit changes nothing that could be seen
            self._phase = "try"
            self._move(min(self.limit - 1, int(0.7 * self.limit)), "trying fewer", received, now)

    def _try(self, rate: float, received: int, now: float, *, used: bool) -> None:
        assert self._base is not None  # noqa: S101 - holding has set it
        if self._up and used and self._gains(rate, GAIN):
            soars = self._gains(rate, SOARS)
            self._keep(rate, RISES)
            self._phase = "climb" if soars and self.limit < self._ceiling else "hold"
            self._up = False  # and so the next try is of more again
            if self._phase == "climb":
                self._move(min(self._ceiling, 2 * self.limit), RISES, received, now)
        elif not self._up and rate >= self._base * (1 - LOSS * (1 - self.limit / self.settled)):
            self._keep(rate, "fewer do as well")
            self._phase, self._up = "hold", True  # and so the next try is of fewer again
        elif self._up and used and rate >= HURTS * self._base and not self._doubted:
            self._doubted = True
        else:
            self._back("more bring nothing" if self._up else "fewer bring less", received, now)

    def _gains(self, rate: float, share: float) -> bool:
        """Whether more workers bring this share of what they could at best."""
        assert self._base is not None  # noqa: S101 - the callers have looked
        return rate >= self._base * (1 + share * (self.limit / self.settled - 1))

    def _keep(self, rate: float, why: str) -> None:
        """Stay with the limit that is being tried."""
        self.why = why
        self._base = rate
        self._doubted = False
        self._wait, self._waited = TRIES[0], 0
        self._rest(self.limit)

    def _back(self, reason: str, received: int, now: float) -> None:
        """Give up what was tried; the next try comes later."""
        if self.limit > self.settled:
            self.why = reason if self._reached else UNUSED
        elif not self.why:
            self.why = reason
        self._phase = "hold"
        self._wait, self._waited = min(2 * self._wait, TRIES[1]), 0
        self._move(self.settled, reason, received, now)

    def _move(self, limit: int, reason: str, received: int, now: float) -> None:
        self._doubted = False
        if limit == self.limit:
            return
        # Of more, those that are new bring something when those under way have ended; of fewer, too many run at first.
        skip = 0 if limit > self.limit else max(1, self.limit - limit)
        self.limit = limit
        self.changes.append(Change(limit, reason, now))
        self._look.open(received, now, skip)

    # What hurts

    def _fail(self, failure: Failure, running: int, received: int, now: float) -> None:
        if failure.timing.started < self._cut_at:
            return  # it began before the last cut, which was for its like
        if failure.kind is FailureKind.LIMIT:
            self._ceiling = max(1, min(self.limit, running) * 3 // 4)
            self._relief = now + RELIEF
            self._cut(self._ceiling, "this machine's limit", received, now)
        elif failure.kind in TROUBLES or failure.cool_lane:
            self._look.troubles += 1

    def _cut(self, limit: int, reason: str, received: int, now: float) -> None:
        self._cut_at = now
        self._phase, self._base, self._up = "hold", None, False
        self._wait, self._waited = min(2 * self._wait, TRIES[1]), 0
        self._settle(min(limit, self.limit), reason, received, now)

    def _raise_ceiling(self, received: int, now: float) -> None:
        self._ceiling = min(self.most, self._ceiling + max(1, self._ceiling // 4))
        self._relief = now + RELIEF
        if not self.adaptive:
            self._settle(self._ceiling, "trying more", received, now)

    def _settle(self, limit: int, reason: str, received: int, now: float) -> None:
        self.why = reason
        self._move(limit, reason, received, now)
        self._rest(limit)

    def _rest(self, limit: int) -> None:
        if self.settled != limit:
            self.settled = limit
            self.changed += 1
        self.highest = max(self.highest, limit)
