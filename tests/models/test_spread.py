"""Which worker a task goes to: by its lane, and by what the workers have."""

from __future__ import annotations

from toolkit.models import _spread
from toolkit.models._spread import Spread


def test_a_task_without_a_lane_goes_to_the_idlest() -> None:
    """Nothing is warm for it anywhere."""
    spread = Spread()
    assert [spread.choose("", {"a": 3, "b": n}) for n in (2, 3, 4)] == ["b", "a", "a"]


def test_a_lane_stays_where_it_was_unless_that_worker_has_much_more() -> None:
    """More by half of all that is under way, or by more than two tasks."""
    spread = Spread()

    def chosen(**held: int) -> str:
        name = spread.choose("host", held)
        spread.ended("host")
        return name

    assert chosen(a=9, b=8) == "b"
    assert chosen(a=8, b=20) == "b"
    assert chosen(a=0, b=2) == "b"
    assert chosen(a=8, b=25) == "a"
    assert chosen(a=18, b=8) == "a", "and is at home there from then on"


def test_a_lane_whose_worker_is_not_free_goes_to_another() -> None:
    """It is being replaced, or runs a suspect alone."""
    spread = Spread()
    assert spread.choose("host", {"a": 0, "b": 1}) == "a"
    assert spread.choose("host", {"b": 9, "c": 5}) == "c"


def test_one_lane_alone_is_spread_over_all() -> None:
    """Evenly, so that each has as much to compute as any other."""
    spread = Spread()
    held = {"a": 0, "b": 0, "c": 0}
    for _ in range(30):
        held[spread.choose("host", held)] += 1
    assert held == {"a": 10, "b": 10, "c": 10}


def test_a_large_lane_is_spread_again_only_while_it_is_large() -> None:
    """When most of its tasks have ended, it is at home in one place."""
    spread = Spread()
    for _ in range(30):
        spread.choose("host", {"a": 4, "b": 5})
    assert spread.choose("host", {"a": 20, "b": 21}) == "a"
    assert spread.choose("host", {"a": 21, "b": 20}) == "b"
    for _ in range(30):
        spread.ended("host")
    assert [spread.choose("host", {"a": 20, "b": n}) for n in (21, 22, 23)] == ["b"] * 3


def test_lanes_that_were_used_long_ago_are_forgotten() -> None:
    """Memory does not grow with the number of hosts."""
    spread = Spread()
    for n in range(_spread.KEPT + 5):
        spread.choose(f"host-{n}", {"a": 0, "b": 1})
        spread.choose("host-0", {"a": 0, "b": 0})
    assert len(spread._homes) == _spread.KEPT
    assert spread.choose("host-0", {"b": 0, "a": 0}) == "a", "the one in use is not"
    assert spread.choose("host-1", {"b": 0, "a": 0}) == "b"
