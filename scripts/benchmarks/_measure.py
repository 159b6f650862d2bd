"""One command as a fresh process, measured from outside: time, processor time and memory, all that it starts included.

A small process stands between: on Linux it becomes the parent of every orphan below it and waits for all of them, so
that the kernel's own sums hold grandchildren, too. Nothing is sampled: watching would cost what is being measured.

    python _measure.py OUT ERR COMMAND...
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36  # from linux/prctl.h


@dataclass(frozen=True, slots=True)
class Taken:
    """What a run took.

    seconds: wall time until the command ended. user, system: processor seconds of the whole tree. peak: resident bytes
    of the largest process in it. exit_code: None if the run was ended for taking too long. said: its last line of
    complaint.
    """

    seconds: float
    user: float
    system: float
    peak: int
    exit_code: int | None
    said: str = ""

    @property
    def cpu(self) -> float:
        """Return user and system seconds together."""
        return self.user + self.system


def measure(command: list[str], folder: Path, environment: dict[str, str], limit: float) -> Taken:
    """Run a command and return what it took; end it, and all that it started, after `limit` seconds or an interrupt.

    folder: an existing one, for what the command prints; it is the working folder, too.
    """
    out, err = folder / "stdout.txt", folder / "stderr.txt"
    command = [sys.executable, "-I", "-S", __file__, str(out), str(err), *command]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=folder,
        env=environment,
        process_group=0,
    ) as between:
        try:
            told, _ = between.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            return Taken(limit, 0.0, 0.0, 0, None, f"ended after {limit:g} s")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(between.pid, signal.SIGKILL)
    return Taken(**json.loads(told), said=_last_line(err) or _last_line(out))


def main() -> None:
    """Be the process between: run the command, wait for all below, print the facts."""
    out, err, *command = sys.argv[1:]
    _adopt_orphans()
    with Path(out).open("wb") as stdout, Path(err).open("wb") as stderr:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)
    facts: dict[str, float | None] = {"seconds": 0.0, "user": 0.0, "system": 0.0, "peak": 0, "exit_code": None}
    with suppress(ChildProcessError):
        while True:
            pid, status, used = os.wait4(-1, 0)
            if pid == process.pid:
                facts |= {"seconds": time.perf_counter() - started, "exit_code": os.waitstatus_to_exitcode(status)}
            facts["user"] = (facts["user"] or 0) + used.ru_utime
            facts["system"] = (facts["system"] or 0) + used.ru_stime
            unit = 1 if sys.platform == "darwin" else 1024
            facts["peak"] = max(facts["peak"] or 0, used.ru_maxrss * unit)
    print(json.dumps(facts))


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else ""


if __name__ == "__main__":
    main()
