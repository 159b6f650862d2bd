"""Real signals to real programs: Ctrl-C in a terminal, and kill -9."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

from samples.serve import SampleServer

CTRL_C = b"\x03"


class Terminal:
    """A program in a terminal of its own, as a user has it: Ctrl-C goes to its whole process group."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            ["setsid", "--ctty", sys.executable, "-W", "error", *map(str, arguments)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=private(folder),
        )
        os.close(slave)

    def press(self, key: bytes) -> None:
        """Press a key."""
        os.write(self._master, key)

    def read_to_end(self) -> str:
        """Return all that the program says until it ends."""
        said = b""
        while select.select([self._master], [], [], 30)[0]:
            try:
                said += os.read(self._master, 4096)
            except OSError:  # the last one on the other side has gone
                return said.decode()
        raise TimeoutError(said)

    def close(self) -> None:
        """End it."""
        for process in self.family():
            process.kill()
        self.process.wait()
        os.close(self._master)

    def family(self) -> list[psutil.Process]:
        """Return the program and all that it started, while it runs."""
        if self.process.poll() is not None:
            return []
        program = psutil.Process(self.process.pid)
        return [program, *program.children(recursive=True)]


@contextmanager
def terminal(folder: Path, *arguments: object) -> Iterator[Terminal]:
    with closing(Terminal(folder, *arguments)) as program:
        yield program


def private(folder: Path) -> dict[str, str]:
    """Return an environment with a temporary folder of its own: who is killed cannot tidy up."""
    return {**os.environ, "TMPDIR": str(folder)}


def wait_for(path: Path) -> None:
    """Wait until a file is there."""
    ends = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < ends, f"{path.name} was not written"
        time.sleep(0.005)


def lives(process: psutil.Process) -> bool:
    """Whether a process still does something; its new parent may take its time to bury it."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_ctrl_c_once_lets_what_runs_settle(model: str, tmp_path: Path) -> None:
    """The held task settles, no other starts, no traceback is shown by anyone, and the exit code is 130."""
    with terminal(tmp_path, "-m", "tests.models.script", model, tmp_path, "hold") as program:
        wait_for(tmp_path / "shown")
        program.press(CTRL_C)
        wait_for(tmp_path / "stopping")
        (tmp_path / "go").touch()
        said = program.read_to_end()
        assert program.process.wait() == 130
    assert said.replace("^C", "").startswith("interrupted 1 ")
    assert said.count("\n") == 1
    assert not list(tmp_path.glob("started-*"))


@pytest.mark.parametrize(
    ("stoppable", "what"),
    [
        ("processes", "hold"),
        ("processes", "backtrack"),
        ("asyncio", "await"),
        ("hybrid", "hold"),
        ("hybrid", "backtrack"),
        ("hybrid", "await"),
    ],
)
def test_ctrl_c_twice_gives_up_what_runs(stoppable: str, what: str, tmp_path: Path) -> None:
    """What runs is given up at once, even in C code that never comes back."""
    with terminal(tmp_path, "-m", "tests.models.script", stoppable, tmp_path, what) as program:
        wait_for(tmp_path / "shown")
        program.press(CTRL_C)
        wait_for(tmp_path / "stopping")
        pressed = time.monotonic()
        program.press(CTRL_C)
        said = program.read_to_end()
        assert program.process.wait() == 130
    assert time.monotonic() - pressed < 3
    assert said.replace("^C", "").startswith("interrupted 0 ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("how", "what"), [("processes", "hold"), ("processes", "backtrack"), ("hybrid", "hold"), ("hybrid", "backtrack")]
)
def test_kill_9_of_the_program_leaves_no_worker(tmp_path: Path, how: str, what: str) -> None:
    """Workers end with their parent, whatever they are doing."""
    # Not in a terminal: its end would kill them, too.
    command = [sys.executable, "-m", "tests.models.script", how, str(tmp_path), what]
    program = subprocess.Popen(command, start_new_session=True, env=private(tmp_path))
    wait_for(tmp_path / "shown")
    family = psutil.Process(program.pid).children(recursive=True)
    assert int((tmp_path / "shown").read_text()) in {process.pid for process in family}
    program.kill()
    program.wait()
    ends = time.monotonic() + 5
    while (alive := [process for process in family if lives(process)]) and time.monotonic() < ends:
        time.sleep(0.005)
    for process in alive:
        process.kill()
    assert not alive


def test_ctrl_c_in_a_download_can_be_resumed(server: SampleServer, tmp_path: Path) -> None:
    """The command line under worker processes: exit code 130, and the same command does the rest."""
    urls = [f"{server.url}generated/{1000 + n}.bin?delay=0.1" for n in range(20)]
    (tmp_path / "urls.txt").write_text("\n".join(urls))
    out = tmp_path / "out"
    command = ["-m", "toolkit", "download", tmp_path / "urls.txt", "-o", out, "-m", "processes", "-j", "2", "-v"]
    with terminal(tmp_path, *command) as program:
        wait_for(out)
        while not list(out.glob("*.bin")):
            time.sleep(0.005)
        program.press(CTRL_C)
        said = program.read_to_end()
        assert program.process.wait() == 130, said
    first = {path.name for path in out.glob("*.bin")}
    assert 0 < len(first) < 20
    with terminal(tmp_path, *command) as program:
        said = program.read_to_end()
        assert program.process.wait() == 0, said
    assert len(list(out.glob("*.bin"))) == 20
    assert "Traceback" not in said
