"""Bandwidth limits, by a clock of our own."""

from __future__ import annotations

import threading

import pytest

from toolkit.core.rates import BURST, CELLS, PROBES, Limits, Rates


def seconds_for(rates: Rates, lane: str, blocks: list[int], start: float = 1000.0) -> float:
    """Return how long one worker takes for blocks that would come at once, with the pauses that it is told."""
    now = start
    for size in blocks:
        now += rates.take(rates.key(lane), size, now)
    return now - start


@pytest.mark.parametrize("block", [1, 1000, 65_536, 262_144])
@pytest.mark.parametrize("limit", [1000, 100_000, 10_000_000])
def test_what_comes_in_all_keeps_to_the_limit(limit: int, block: int) -> None:
    """Whatever the blocks: after a burst, exactly so many bytes a second."""
    count = max(3, min(2000, 2 * limit // block))
    took = seconds_for(Rates(Limits(total=limit)), "h:80", [block] * count)
    assert took == pytest.approx(max(0.0, count * block / limit - BURST), rel=1e-6)


def test_several_workers_share_the_limit() -> None:
    """Each is told to wait for what the others got, too."""
    rates = Rates(Limits(total=1_000_000))
    clocks = [0.0, 0.0, 0.0]
    for _ in range(300):
        worker = clocks.index(min(clocks))
        clocks[worker] += rates.take(rates.key(f"h{worker}:80"), 100_000, clocks[worker])
    assert max(clocks) == pytest.approx(30.0 - BURST, abs=0.001)


def test_hosts_have_limits_of_their_own_below_the_total() -> None:
    """The stricter of both rules."""
    rates = Rates(Limits(total=3_000_000, per_host=1_000_000))
    assert seconds_for(rates, "a:80", [100_000] * 20) == pytest.approx(2.0 - BURST)
    assert seconds_for(rates, "b:80", [100_000] * 20, start=1002.0) == pytest.approx(2.0 - BURST)
    narrow = Rates(Limits(total=500_000, per_host=1_000_000))
    assert seconds_for(narrow, "a:80", [100_000] * 20) == pytest.approx(4.0 - BURST)


def test_rest_does_not_add_up() -> None:
    """After an hour without a byte there is one burst, not an hour's."""
    rates = Rates(Limits(per_host=1000))
    seconds_for(rates, "h:80", [5000])
    assert seconds_for(rates, "h:80", [5000], start=5000.0) == pytest.approx(5.0 - BURST)


def test_more_hosts_than_cells_are_never_faster_than_their_limit() -> None:
    """Cells whose time has come are used again; while all are taken, hosts share one, and are slower."""
    rates = Rates(Limits(per_host=1000))
    for host in range(3 * CELLS):
        rates.take(rates.key(f"h{host}:80"), 10_000, 0.0)
    assert rates.take(rates.key("another:80"), 1000, 0.0) > 1.0
    assert rates.take(rates.key("yet-another:80"), 1000, 1e6) == pytest.approx(1.0 - BURST)


def test_hosts_whose_keys_are_neighbours_are_told_apart() -> None:
    """The cells of a crowd are searched, not shared, as long as there are some."""
    rates = Rates(Limits(per_host=1000))
    for key in [7 + CELLS * n for n in range(PROBES)]:
        assert rates.take(key, 1000, 0.0) == pytest.approx(1.0 - BURST)
    assert rates.take(7, 1000, 0.0) == pytest.approx(2.0 - BURST)


def test_a_lock_whose_owner_died_holds_nobody_up_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker process may be killed just here."""
    monkeypatch.setattr("toolkit.core.rates.PATIENCE", 0.01)
    lock = threading.Lock()
    rates = Rates(Limits(total=1000), lock=lambda: lock)
    lock.acquire()
    assert seconds_for(rates, "h:80", [1000, 1000]) == pytest.approx(2.0 - BURST)


def test_no_charge_is_lost_between_threads() -> None:
    """Sixteen of them, as fast as they can."""
    rates = Rates(Limits(total=1000))

    def work() -> None:
        for _ in range(200):
            rates.take(1, 10, 0.0)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rates.take(1, 0, 0.0) == pytest.approx(16 * 200 * 10 / 1000 - BURST)
