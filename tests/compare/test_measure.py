"""The measuring process: all that a run and its descendants take, and none of them left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import psutil
import pytest

from toolkit.compare.sampling import descendants

MB = 1_000_000
linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel must count orphans")
BURN = "import time\nwhile time.process_time() < 0.5: pass"
MEASURE = ("-m", "toolkit.compare.measure")
SAMPLED = "import toolkit.compare.measure as m; m._adopt_orphans = lambda: False; raise SystemExit(m.main())"


def command(folder: Path, code: str, *, how: tuple[str, ...] = MEASURE, linger: float = 10) -> list[str]:
    """Return the command that measures a piece of Python."""
    files = ["--stdout", str(folder / "out"), "--stderr", str(folder / "err"), "--linger", str(linger)]
    return [sys.executable, *how, *files, "--", sys.executable, "-c", textwrap.dedent(code)]


def measured(folder: Path, code: str, **more: Any) -> dict[str, Any]:
    """Measure a piece of Python; the leash is held until the end."""
    with subprocess.Popen(command(folder, code, **more), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        facts: dict[str, Any] = json.loads(process.stdout.read())
    return facts


def test_output_when_it_ends(tmp_path: Path) -> None:
    """Both streams go to files, and the exit code is told."""
    facts = measured(tmp_path, "import sys; print('data'); print('words', file=sys.stderr); sys.exit(3)")
    assert facts["exit_code"] == 3
    assert (tmp_path / "out").read_text() == "data\n"
    assert (tmp_path / "err").read_text() == "words\n"
    assert 0 < facts["seconds"] < 10
    assert facts["left_behind"] == 0


def test_exit_code_when_killed(tmp_path: Path) -> None:
    """A run that a signal ended has the signal's number, negative."""
    assert measured(tmp_path, "import os; os.kill(os.getpid(), 9)")["exit_code"] == -signal.SIGKILL


@linux
def test_cpu_when_a_grandchild_outlives_its_parent(tmp_path: Path) -> None:
    """Its CPU time is counted, although nobody but the measuring process waits for it."""
    facts = measured(
        tmp_path,
        f"""
        import subprocess, sys
        subprocess.Popen([sys.executable, '-c', {BURN!r}]).returncode = 0
        """,
    )
    assert facts["cpu_exact"]
    assert facts["cpu_user"] + facts["cpu_system"] > 0.5


@linux
def test_cpu_when_a_fork_server_has_workers(tmp_path: Path) -> None:
    """The worker is a child of the fork server, which outlives the run; both are counted and none is left."""
    facts = measured(
        tmp_path,
        f"""
        import multiprocessing, os
        worker = multiprocessing.get_context('forkserver').Process(target=exec, args=({BURN!r}, {{}}))
        worker.start()
        worker.join()
        os._exit(worker.exitcode)
        """,
    )
    assert facts["exit_code"] == 0, (tmp_path / "err").read_text()
    assert facts["cpu_user"] + facts["cpu_system"] > 0.5
    assert facts["left_behind"] == 0


@linux
def test_cpu_when_the_parent_waits(tmp_path: Path) -> None:
    """Its CPU time is counted once, not twice."""
    facts = measured(tmp_path, f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN!r}], check=True)")
    assert 0.5 < facts["cpu_user"] + facts["cpu_system"] < 0.9


@linux
def test_memory_when_two_children_hold_their_own(tmp_path: Path) -> None:
    """Two children with 50 MB each make about 100 MB."""
    hold = f"data = b'x' * {50 * MB}; import time; time.sleep(0.8)"
    facts = measured(
        tmp_path,
        f"""
        import subprocess, sys
        for child in [subprocess.Popen([sys.executable, '-c', {hold!r}]) for _ in 'ab']: child.wait()
        """,
    )
    assert facts["memory_kind"] == "pss"
    assert 100 * MB < facts["memory"] < 130 * MB
    assert facts["memory_samples"] > 1


@linux
def test_memory_when_children_share_it(tmp_path: Path) -> None:
    """Memory that three processes share is counted once; the resident sum counts it three times."""
    facts = measured(
        tmp_path,
        f"""
        import os, time
        data = b'x' * {60 * MB}
        for child in range(2):
            if not os.fork():
                time.sleep(0.8)
                os._exit(0)
        os.wait(), os.wait()
        """,
    )
    assert 60 * MB < facts["memory"] < 90 * MB
    assert facts["peak_rss"] > 180 * MB


@linux
def test_process_when_it_outlives_the_run(tmp_path: Path) -> None:
    """What lives on after the grace time is killed and counted, in whatever session it hides."""
    facts = measured(
        tmp_path,
        """
        import subprocess, sys
        child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'], start_new_session=True)
        print(child.pid)
        child.returncode = 0
        """,
        linger=0.2,
    )
    assert facts["left_behind"] == 1
    assert not psutil.pid_exists(int((tmp_path / "out").read_text()))


@linux
def test_processes_when_the_leash_is_let_go(tmp_path: Path) -> None:
    """When the comparison ends or dies, so does the run, and all below it."""
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    code = f"""
        import os, signal, subprocess, sys
        child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])
        with open({str(ready)!r}, 'w') as file: print(os.getpid(), child.pid, file=file)
        signal.pause()
        """
    with subprocess.Popen(command(tmp_path, code), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        pids = [int(word) for word in ready.read_text().split()]
        assert set(descendants(process.pid)) == set(pids)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 1
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_cpu_when_it_can_only_be_sampled(tmp_path: Path) -> None:
    """Without help from the kernel the figures are sampled, and say so."""
    facts = measured(tmp_path, BURN, how=("-c", SAMPLED))
    assert not facts["cpu_exact"]
    assert 0.2 < facts["cpu_user"] + facts["cpu_system"] < 0.8
    assert facts["memory"] > 1 * MB
