"""Results in the order of the plan."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from toolkit.apps.scrape.inorder import InOrder
from toolkit.core.task import Skip, Success, Task


def _tasks(count: int) -> list[Task[str]]:
    return [Task(f"k{index}", "", index=index * 3) for index in range(count)]


@pytest.mark.parametrize("seed", range(20))
def test_results_go_in_order_whatever_order_they_come_in(seed: int) -> None:
    """Each goes as soon as all before it have ended, and nothing is left."""
    order = InOrder[str]()
    drawn = list(order.plan(iter(_tasks(50))))
    random.Random(seed).shuffle(drawn)
    gone: list[str] = []
    ended: set[int] = set()
    for task in drawn:
        gone += order.ended(Success(task, None), [task.key, task.key + "'"])
        ended.add(task.index // 3)
        free = next((index for index in range(51) if index not in ended), 51)
        assert len(gone) == 2 * free
    assert gone == [name for task in _tasks(50) for name in (task.key, task.key + "'")]
    assert order.rest() == []


def test_what_needed_no_work_holds_nothing_up() -> None:
    """Skips of the plan have their place, too; None has none."""
    order = InOrder[str]()
    first, second, third = _tasks(3)
    drawn = list(order.plan(iter([first, None, Skip(second, "known"), third])))
    assert drawn == [first, None, Skip(second, "known"), third]
    assert order.ended(Success(third, None), ["c"]) == []
    assert order.ended(Skip(second, "known"), []) == []
    assert order.ended(Success(first, None), ["a"]) == ["a", "c"]


def test_rest_when_one_never_ended() -> None:
    """What waited for it comes at the end, in order."""
    order = InOrder[str]()
    tasks = list(order.plan(iter(_tasks(4))))
    for task in reversed(tasks[1:]):
        assert order.ended(Success(task, None), [task.key]) == []
    assert order.rest() == ["k1", "k2", "k3"]
    assert order.rest() == []


def test_plan_when_too_many_wait() -> None:
    """Nothing new is drawn until the one that all wait for has ended."""
    order = InOrder[str](most=2)
    plan: Iterator[Any] = order.plan(iter(_tasks(10)))
    tasks = list(islice(plan, 4))
    for task in tasks[1:]:
        order.ended(Success(task, None), [])
    assert next(plan) is None
    assert next(plan) is None
    order.ended(Success(tasks[0], None), [])
    assert next(plan) == _tasks(5)[4]
