"""What follows from the options that every app shares."""

from __future__ import annotations

import pytest

from tests.models.fakes import FakeApp
from toolkit.core.errors import UsageError
from toolkit.core.memory import allowed
from toolkit.core.policy import Policy
from toolkit.options import NetworkOptions, RunOptions, policy_of


def policy(*, network: bool = False, memory: int | None = None) -> Policy:
    app = FakeApp([])
    app.network = network
    return policy_of(app, RunOptions(memory=memory), NetworkOptions(), 2)


def test_policy_limits_memory_where_tasks_compute() -> None:
    """Pictures need memory, and by default three fifths of what there is may be needed; pages need next to none."""
    assert policy().memory == int(0.6 * allowed())
    assert policy(network=True).memory is None


@pytest.mark.parametrize("network", [True, False])
def test_policy_takes_the_memory_that_is_given(network: bool) -> None:
    """Whatever the app, and however much there is."""
    assert policy(network=network, memory=10**15).memory == 10**15


def test_policy_refuses_no_memory_at_all() -> None:
    """Nothing could run but one by one, which is --workers 1."""
    with pytest.raises(UsageError, match="--memory 0: give a number from 1"):
        policy(memory=0)
