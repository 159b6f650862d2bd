"""What is measured of a fetch: by a clock of our own."""

from __future__ import annotations

import pytest

from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Request
from toolkit.core.meter import Meter, metered
from toolkit.core.rates import Limits, Rates


def slow_after(meter: Meter, blocks: list[tuple[float, int]], pauses: float = 0.0) -> float | None:
    """Feed (seconds since the last block, bytes); return when it was found too slow, or None."""
    now = 1000.0
    for after, size in blocks:
        now += after
        if meter.count(size, now):
            return now - 1000.0
        meter.pause(pauses)
        now += pauses
    return None


def test_a_steady_speed_below_the_limit_is_found_once_the_window_is_full() -> None:
    """Not before: a limit that is asked for over 30 seconds needs 30 seconds."""
    assert slow_after(Meter(1000, 30.0), [(1.0, 900)] * 100) == pytest.approx(31.0)
    assert slow_after(Meter(1000, 30.0), [(1.0, 1000)] * 1000) is None


def test_a_pause_in_between_is_made_up_for_by_what_comes_after() -> None:
    """It is the average that counts, not each second."""
    assert slow_after(Meter(1000, 10.0), ([(1.0, 1000)] * 5 + [(4.0, 5000)]) * 50) is None


def test_what_was_fast_long_ago_does_not_help() -> None:
    """A window that slides: a gigabyte at first, and then a trickle."""
    found = slow_after(Meter(1000, 10.0), [(0.1, 10_000_000)] * 100 + [(0.5, 10)] * 100)
    assert found is not None
    assert 10.0 + 9.0 < found < 10.0 + 13.0


def test_a_trickle_of_bytes_is_found_however_rarely_they_come() -> None:
    """One byte every 20 seconds never trips a read timeout of 30."""
    assert slow_after(Meter(10, 30.0), [(20.0, 1)] * 10) == pytest.approx(60.0)


def test_our_own_pauses_do_not_count() -> None:
    """Who is held to 1,000 bytes a second by us is not slower than 5,000."""
    assert slow_after(Meter(5000, 10.0), [(0.1, 1000)] * 200, pauses=0.9) is None


def test_a_request_without_limits_costs_nothing() -> None:
    """The function that counts is called as it is."""
    assert metered(print, Request("http://h/"), None) is print  # type: ignore[arg-type,comparison-overlap]


def test_a_fetch_that_is_too_slow_fails_and_may_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """In words that name the limit."""
    clock = iter((0, 10, 20, 25, 40))
    monkeypatch.setattr("toolkit.core.meter.time.monotonic", lambda: next(clock))
    progress = metered(lambda _: 0.0, Request("http://h/", low_speed=1000, low_speed_time=30), None)
    for _ in range(4):
        progress(9999)
    with pytest.raises(TaskError) as caught:
        progress(9999)
    assert (caught.value.kind, caught.value.retryable) == (FailureKind.TIMEOUT, True)
    assert caught.value.message == "slower than 1,000 bytes a second for 30 s"


def test_pauses_are_those_of_the_limit_and_never_pass_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that has no more time learns it in time."""
    monkeypatch.setattr("toolkit.core.meter.time.monotonic", lambda: 100.0)
    rates = Rates(Limits(total=1000))
    assert metered(lambda _: 0.0, Request("http://h/"), rates)(2000) == pytest.approx(1.9)
    assert metered(lambda _: 5.0, Request("http://h/"), rates)(0) == 5.0
    assert metered(lambda _: 0.0, Request("http://h/"), rates, 100.5)(2000) == 0.5
    assert metered(lambda _: 0.0, Request("http://h/"), rates, 99.0)(2000) == 0.0
