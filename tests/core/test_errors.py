"""The exception tree, and its way across a process boundary."""

from __future__ import annotations

import pickle
from itertools import product

import pytest

from toolkit.core import errors
from toolkit.core.errors import FailureKind, MissingExtra, RunStopped, TaskError, TaskSkipped, ToolkitError, UsageError


def test_every_error_of_ours_has_one_root() -> None:
    """Whoever catches ToolkitError catches all that is raised on purpose."""
    ours = [thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, Exception)]
    assert len(ours) == 6
    assert all(issubclass(error, ToolkitError) for error in ours)
    assert issubclass(MissingExtra, UsageError)


def test_missing_extra_names_the_command() -> None:
    """The message is what to type."""
    assert str(MissingExtra("pyvips", "vips")) == "pyvips is not installed: pip install 'toolkit[vips]'"


@pytest.mark.parametrize("retry_after", [None, 0.0, 7, 2.5])
def test_task_error_keeps_every_fact_when_pickled(retry_after: float | None) -> None:
    """A worker's failure arrives as it was raised."""
    yes_no = (False, True)
    for kind, retryable, cool, fatal in product(FailureKind, yes_no, yes_no, yes_no):
        error = TaskError(kind, f"a {kind}", retryable=retryable, retry_after=retry_after, cool_lane=cool, fatal=fatal)
        again = pickle.loads(pickle.dumps(error))
        assert vars(again) == vars(error)
        assert str(again) == f"a {kind}"


@pytest.mark.parametrize(
    "error", [TaskSkipped("not modified"), RunStopped("disk full"), UsageError("no"), MissingExtra("ray", "ray")]
)
def test_other_errors_survive_when_pickled(error: ToolkitError) -> None:
    """What is raised in a worker process can be raised again in the conductor's."""
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), vars(again)) == (str(error), vars(error))


def test_failure_kinds_are_stable_words() -> None:
    """Stores and reports keep them: lower-case words, each once."""
    assert all(kind.value == kind.name.lower() for kind in FailureKind)
