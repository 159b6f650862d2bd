"""Whatever becomes of the program, its browser goes with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.apps.scrape.rendering.pages import browsers, needs_chromium, serving, until

pytestmark = [needs_chromium, pytest.mark.skipif(sys.platform == "win32", reason="signals are those of Unix")]


@contextmanager
def program(folder: Path, model: str, url: str, wait: str) -> Iterator[subprocess.Popen[str]]:
    """Run the program as the leader of a process group of its own, as a shell does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.apps.scrape.rendering.program", model, url, wait],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def gone(processes: set[psutil.Process]) -> bool:
    """Tell whether none of them runs any more."""
    return not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in processes)


@pytest.mark.parametrize(
    ("model", "how"),
    [
        ("sequential", "end"),
        ("processes", "end"),
        ("threads", "ctrl-c"),
        ("processes", "ctrl-c"),
        ("asyncio", "ctrl-c"),
        ("sequential", "kill -9"),
        ("processes", "kill -9"),
    ],
)
def test_browser_when_the_program_ends(tmp_path: Path, model: str, how: str) -> None:
    """No process of it is left, and nothing in the temporary folder."""
    with serving() as site:
        wait = "li" if how == "end" else "#never"
        with program(tmp_path, model, site.url, wait) as process:
            family: set[psutil.Process] = set()

            def begun() -> bool:
                with suppress(psutil.NoSuchProcess):
                    family.update(browsers(psutil.Process(process.pid)))
                return process.poll() is not None or (len(family) > 3 and bool(site.asked))

            assert until(begun, 30)
            if how == "ctrl-c":
                with suppress(ProcessLookupError):  # it has ended
                    os.killpg(process.pid, signal.SIGINT)
            elif how == "kill -9":
                process.send_signal(signal.SIGKILL)
            if how == "ctrl-c":
                until(lambda: process.poll() is not None, 1)
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGINT)
            said, _ = process.communicate(timeout=40)
        assert until(lambda: gone(family)), [each for each in family if each.is_running()]
        assert "Traceback" not in said or how == "ctrl-c", said
        assert len(family) > 3
        if how == "end":
            assert said == "Success\n"
        assert until(lambda: not [each for each in tmp_path.iterdir() if "playwright" in each.name])
