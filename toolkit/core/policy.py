"""What the schedule must keep to: how often, how fast, how many failures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolkit.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Policy:
    """All limits of a run; times are seconds.

    retries: attempts after the first. backoff, backoff_cap: full jitter draws from 0..min(cap, backoff * 2**n).
    retry_after_cap: a longer Retry-After fails the task. retry_share: retries may be this share of the tasks, plus
    retry_floor, so that a dead server costs little. per_lane: tasks of one lane at once. delay: least time between
    starts in a lane; jitter: what is added to it at most, as a share, by chance. meeting: for how long a lane's first
    task is alone at most, since its host may say with it how fast it is to be asked. breaker: failed attempts in a row
    at reaching a lane's host that pause it; breaker_pause: for how long, doubled each time; breaker_trips: pauses after
    which what is left of the lane fails. max_errors: failures that stop the run: a count, or a share (of at least
    errors_floor tasks). deadline: from the first call of next.
    look_ahead: tasks taken from the plan before they can start, those that wait for another attempt among them.
    order: "input", or "largest" cost first. workers: tasks at once, or 0 for as many as the model has workers;
    adaptive: whether that is found out, up to workers. slots: connections that one task may be given. memory: bytes
    that all tasks under way may need together; one that needs more runs alone. None for no limit.
    """

    retries: int = 3
    backoff: float = 0.5
    backoff_cap: float = 60.0
    retry_after_cap: float = 300.0
    retry_share: float = 0.5
    retry_floor: int = 50
    per_lane: int = 8
    delay: float = 0.0
    jitter: float = 0.0
    meeting: float = 0.0
    breaker: int = 10
    breaker_pause: float = 5.0
    breaker_trips: int = 3
    max_errors: int | float | None = None
    errors_floor: int = 20
    deadline: float | None = None
    look_ahead: int = 10_000
    order: Literal["input", "largest"] = "input"
    workers: int = 0
    adaptive: bool = False
    slots: int = 1
    memory: int | None = None


def parse_max_errors(text: str) -> int | float:
    """Return "20" as the count 20 and "5%" as the share 0.05; raises UsageError."""
    try:
        limit = float(text[:-1]) / 100 if text.endswith("%") else int(text)
    except ValueError as error:
        raise UsageError(f"--max-errors {text!r}: give a count such as 20, or a share such as 5%") from error
    if not limit >= 0 or (text.endswith("%") and limit > 1):  # "not >=" refuses nan, too
        raise UsageError(f"--max-errors {text!r}: give a count from 0, or a share from 0% to 100%")
    return limit
