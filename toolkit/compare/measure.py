"""The small process that stands between a comparison and one run, and measures the run from outside.

On Linux it makes itself the parent of every orphan below it, and waits for all of them: so the CPU time that the kernel
adds up holds grandchildren too, exactly, even those whose own parent died first. Elsewhere the sum is sampled.

Its standard input is a leash: when the other end closes it, by choice or by dying, the run and all below it are ended.

    python -m toolkit.compare.measure --stdout OUT --stderr ERR -- COMMAND...
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from toolkit.compare.sampling import Sampler, descendants

LINGER = 5.0
"""Seconds that processes may live on after the command has ended, before they are killed and counted."""
AGAIN = 0.3
"""Seconds after which a run that must end is told for the second time: at once."""
MERCY = 7.0
"""Seconds that a run told to end may take before it is killed; longer than a run's own patience."""
PR_SET_CHILD_SUBREAPER = 36  # from linux/prctl.h


def main(arguments: list[str] | None = None) -> int:
    """Run the command, print what it took as one JSON object, and return 0; return 1 if it was cut short."""
    parser = argparse.ArgumentParser(prog="python -m toolkit.compare.measure")
    parser.add_argument("--stdout", type=Path, required=True)
    parser.add_argument("--stderr", type=Path, required=True)
    parser.add_argument("--linger", type=float, default=LINGER)
    parser.add_argument("command", nargs="+")
    asked = parser.parse_args(arguments)
    measured = _Measuring(asked.linger).run(asked.command, asked.stdout, asked.stderr)
    if measured is None:
        return 1
    print(json.dumps(measured))  # noqa: T201 - to the process that asked for it
    return 0


class _Measuring:
    """One run: started, watched, reaped, told of."""

    def __init__(self, linger: float) -> None:
        self._linger = linger
        self._exact = _adopt_orphans()
        self._cpu_seen: dict[int, tuple[float, float]] = {}
        if not self._exact:
            import psutil  # noqa: F401 - now, as the first reading would seem to be a costly one
        self._sampler = Sampler(os.getpid()) if self._exact else Sampler(os.getpid(), self._see_cpu)
        self._ended = threading.Event()
        self._over = threading.Event()
        self._cut_short = False
        self._killed: set[int] = set()

    def run(self, command: list[str], stdout: Path, stderr: Path) -> dict[str, Any] | None:
        before = _cpu_of_children()
        with stdout.open("wb") as out, stderr.open("wb") as err:
            started = time.monotonic()
            group: dict[str, Any] = {} if sys.platform == "win32" else {"process_group": 0}
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, **group)  # noqa: S603
        self._sampler.start()
        threading.Thread(target=self._watch_leash, args=(process.pid,), name="leash", daemon=True).start()
        seconds = self._reap(process, started) if self._exact else self._wait(process, started)
        self._over.set()
        self._sampler.stop()
        return None if self._cut_short else self._facts(seconds, process.returncode, before)

    def _reap(self, process: subprocess.Popen[bytes], started: float) -> float:
        """Wait for all that is below this process; return the seconds until the command itself ended."""
        seconds = 0.0
        while True:
            try:
                pid, status = os.waitpid(-1, 0)
            except ChildProcessError:
                return seconds
            if pid == process.pid:
                seconds = time.monotonic() - started
                process.returncode = os.waitstatus_to_exitcode(status)
                self._end_of_command()

    def _wait(self, process: subprocess.Popen[bytes], started: float) -> float:
        """Wait for the command, where orphans cannot be waited for; end the children that are left."""
        process.wait()
        seconds = time.monotonic() - started
        self._end_of_command()
        while descendants(os.getpid()) and not self._killed:
            self._over.wait(AGAIN)
        return seconds

    def _end_of_command(self) -> None:
        self._ended.set()
        timer = threading.Timer(self._linger, self._kill_all)
        timer.daemon = True
        timer.start()

    def _watch_leash(self, pid: int) -> None:
        with suppress(OSError):
            while os.read(0, 1024):
                pass
        self._cut_short = not self._over.is_set()
        for pause in (AGAIN, MERCY):
            if self._ended.is_set():
                break
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            self._ended.wait(pause)
        self._kill_all()

    def _kill_all(self) -> None:
        """Kill until nothing is left: what is killed may have begun something meanwhile."""
        while not self._over.is_set():
            for pid in descendants(os.getpid()):
                self._killed.add(pid)
                with suppress(ProcessLookupError):
                    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
            self._over.wait(0.02)

    def _see_cpu(self, pid: int) -> None:
        import psutil

        with suppress(psutil.Error):
            times = psutil.Process(pid).cpu_times()
            self._cpu_seen[pid] = (times.user, times.system)

    def _facts(self, seconds: float, exit_code: int, before: tuple[float, float]) -> dict[str, Any]:
        if self._exact:
            user, system = (now - then for now, then in zip(_cpu_of_children(), before, strict=True))
        else:
            user, system = (sum(each) for each in zip((0.0, 0.0), *self._cpu_seen.values(), strict=True))
        kind, peak, samples = self._sampler.memory
        return {
            "seconds": round(seconds, 6),
            "cpu_user": round(user, 6),
            "cpu_system": round(system, 6),
            "cpu_exact": self._exact,
            "memory": peak or None,
            "memory_kind": kind,
            "memory_samples": samples,
            "peak_rss": self._sampler.peak_rss or None,
            "rss_samples": self._sampler.rss_samples,
            "exit_code": exit_code,
            "left_behind": len(self._killed),
        }


def _cpu_of_children() -> tuple[float, float]:
    """Return the user and system seconds of all that has been waited for below this process."""
    if sys.platform == "win32":
        return 0.0, 0.0
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime, used.ru_stime


def _adopt_orphans() -> bool:
    """Become the parent of orphans below this process (prctl(2)); return whether that can be done here."""
    if sys.platform != "linux":
        return False
    import ctypes

    try:
        return bool(ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


if __name__ == "__main__":
    raise SystemExit(main())
