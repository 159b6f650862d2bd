"""What the heart costs: a task through the schedule, and the memory of a million tasks through schedule and store."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from toolkit.apps.download.job import DownloadApp
from toolkit.apps.download.options import DownloadOptions
from toolkit.apps.download.wanted import Fetched
from toolkit.core.job import Done
from toolkit.core.policy import Policy
from toolkit.core.schedule import Planned, Schedule
from toolkit.core.task import Skip, Success, Task
from toolkit.store import Store

GOAL_MICROSECONDS = 15
GOAL_MEGABYTES = 150


def main() -> None:
    """Print both tables; with an argument, be the process whose memory is measured."""
    if sys.argv[1:2] == ["million"]:
        million(Path(sys.argv[2]))
        return
    print("schedule, one core, 200,000 tasks, 16 at once (median of 5)")
    for name, lanes, delay in (("one host", 1, 0.0), ("1,000 hosts", 1000, 0.0), ("1,000 hosts, delay", 1000, 0.01)):
        cost = median(schedule_cost(lanes, delay) for _ in range(5))
        print(f"  {name:20} {cost:6.2f} us a task   goal <= {GOAL_MICROSECONDS}: {_verdict(cost <= GOAL_MICROSECONDS)}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        with (path / "urls.txt").open("w") as file:
            file.writelines(f"http://127.0.0.1:9/files/{n:07}/photo-{n}.jpg\n" for n in range(1_000_000))
        print("1,000,000 URLs planned, named, scheduled, stored (a fresh process)")
        for run in ("first run", "second run, all done"):
            output = subprocess.run([sys.executable, __file__, "million", folder], stdout=subprocess.PIPE, check=True)
            seconds, megabytes = (float(part) for part in output.stdout.split())
            good = _verdict(megabytes <= GOAL_MEGABYTES)
            print(f"  {run:20} {seconds:6.1f} s   peak {megabytes:6.1f} MB resident   goal <= {GOAL_MEGABYTES}: {good}")


def schedule_cost(lanes: int, delay: float) -> float:
    """Return microseconds a task, next() and settle() together."""
    count = 200_000
    schedule = Schedule(_plan(count, lanes), Policy(per_lane=64, delay=delay))
    running: deque[Task[int]] = deque()
    now = 0.0
    started = time.perf_counter()
    while schedule.counts.ended < count:
        step = schedule.next(now)
        if isinstance(step, Task):
            running.append(step)
        if running and (len(running) >= 16 or not isinstance(step, Task)):
            schedule.settle(Success(running.popleft(), None), now)
        elif not isinstance(step, Task):
            now += 0.001
    return (time.perf_counter() - started) / count * 1e6


def _plan(count: int, lanes: int) -> Iterator[Task[int]]:
    for number in range(count):
        yield Task(f"key-{number}", number, f"host-{number % lanes}", index=number)


def million(folder: Path) -> None:
    """Plan, schedule and store a million downloads whose job does nothing; print seconds and peak megabytes."""
    app = DownloadApp([str(folder / "urls.txt")], folder / "out", DownloadOptions())
    app.prepare()
    store = Store(folder / "store.sqlite")
    store.begin("download", "bench", "none", 1, "")
    schedule = Schedule(_remembered(app, store), Policy(per_lane=64))
    started = time.perf_counter()
    landed = []
    while not isinstance(step := schedule.next(time.perf_counter()), Done):
        if isinstance(step, Task):
            value = Fetched(step.payload.name, 1000, 1000, 0, step.key, '"etag"', None, "image/jpeg")
            landed.append(Success(step, value))
            schedule.settle(landed[-1], time.perf_counter())
        if len(landed) >= 1000:
            store.record(app, landed)
            landed.clear()
    store.record(app, landed)
    store.close()
    print(time.perf_counter() - started, _peak_megabytes())


def _remembered(app: DownloadApp, store: Store) -> Iterator[Planned]:
    for planned in app.plan(store):
        known = store.recall(planned.key) if isinstance(planned, Task) else None
        yield Skip(planned, "done") if known and isinstance(planned, Task) else planned


def _peak_megabytes() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return float("nan")


def _verdict(good: bool) -> str:  # noqa: FBT001
    return "met" if good else "NOT MET"


if __name__ == "__main__":
    main()
