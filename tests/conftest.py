"""What all tests share: the sample server, and the command line as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from samples.serve import SampleServer

Toolkit = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def _server() -> Iterator[SampleServer]:
    with SampleServer() as server:
        yield server


@pytest.fixture
def server(_server: SampleServer) -> SampleServer:
    """Return the sample server, with its counters at zero."""
    _server.reset()
    return _server


@pytest.fixture(scope="session")
def toolkit() -> Toolkit:
    """Return a function that runs `toolkit ...` in a process of its own and captures what it says."""

    def run(*arguments: object, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "toolkit", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
            env={**os.environ, **environment},
        )

    return run
