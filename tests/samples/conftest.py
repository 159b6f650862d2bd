"""One sample server for each file of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from samples.serve import SampleServer
from tests.samples.asking import Asker


@pytest.fixture(scope="module")
def running() -> Iterator[SampleServer]:
    with SampleServer() as server:
        yield server


@pytest.fixture
def ask(running: SampleServer) -> Asker:
    running.reset()
    return Asker(running)
