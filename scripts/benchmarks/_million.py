"""A million URLs through the whole of `toolkit download`: how much memory that takes, and whether it grows.

Every URL is really tried: the list is spread over many loopback addresses with eight URLs each, all on a closed port,
where connections are refused at once. (One host alone would be given up after ten failures, and tried no more.)
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from _tools import environment

from toolkit.compare.sampling import descendants, resident
from toolkit.core.errors import UsageError

EACH = 8
"""URLs for one address: fewer than the failures after which a host is left alone."""
GOAL = 200
"""Megabytes resident, at most."""
GROWTH = 20
"""Megabytes that the last quarter may hold above the second."""
PORT = 1


def million(place: Path, count: int, keep: dict[str, Any]) -> list[tuple[bool, str]]:
    """Run it with so many URLs, print what it held over time, add that to `keep`, and return the verdicts."""
    if sys.platform != "linux":
        raise UsageError("the row million needs all of 127.0.0.0/8 on loopback, which only Linux has")
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", PORT)) == 0:
            raise UsageError(f"port {PORT} of this machine is open, and the row million needs it closed")
    place.mkdir(parents=True, exist_ok=True)
    listed = place / f"{count}.txt"
    with listed.open("w") as file:
        file.writelines(_urls(count))
    with tempfile.TemporaryDirectory(dir=place) as out:
        seconds, samples, ended = _watched(listed, Path(out), place)
    quarters = [max(size for at, size in samples if n / 4 <= at / seconds <= (n + 1) / 4) / 1e6 for n in range(4)]
    peak = max(quarters)
    failed = sum(ended["failed"].values())
    print(f"### million: {count:,} URLs of {count // EACH:,} addresses that refuse\n")
    print("| seconds | URLs/s | peak MB | in each quarter of the time | failed, as they must |")
    print("|--:|--:|--:|---|--:|")
    held = ", ".join(f"{size:.0f}" for size in quarters)
    print(f"| {seconds:.0f} | {count / seconds:,.0f} | {peak:.0f} | {held} | {failed:,} |\n", flush=True)
    keep["million"] = {"seconds": seconds, "urls": count, "quarters_mb": quarters, "failed": failed}
    return [
        (failed == count, f"million: every URL ends, and as failed: {failed:,} of {count:,}"),
        (peak < GOAL, f"million: below {GOAL} MB: {peak:.0f} MB"),
        (quarters[3] - quarters[1] < GROWTH, f"million: flat: {quarters[1]:.0f} MB, then {quarters[3]:.0f} MB"),
    ]


def _urls(count: int) -> Iterator[str]:
    for number in range(count):
        host = 256 + number // EACH  # from 127.0.1.0
        yield f"http://127.{host >> 16 & 255}.{host >> 8 & 255}.{host & 255}:{PORT}/files/photo-{number}.jpg\n"


def _watched(listed: Path, out: Path, place: Path) -> tuple[float, list[tuple[float, int]], dict[str, Any]]:
    """Run the download; return its seconds, the bytes resident in its tree over time, and its report."""
    program = str(Path(sys.executable).with_name("toolkit"))
    command = [program, "download", str(listed), "-o", str(out), "--retries", "0", "--json", "--quiet"]
    samples: list[tuple[float, int]] = []
    started = time.monotonic()
    with (place / "report.json").open("wb") as report, (place / "stderr.txt").open("wb") as complaints:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=report,
            stderr=complaints,
            env=environment(place / "home"),
            process_group=0,
        )
        try:
            while process.poll() is None:
                held = sum(resident(pid) for pid in [process.pid, *descendants(process.pid)])
                samples.append((time.monotonic() - started, held))
                time.sleep(0.1)
        finally:
            process.kill()
            process.wait()
    if process.returncode not in (0, 1):
        raise UsageError(f"toolkit ended with {process.returncode}: {(place / 'stderr.txt').read_text()[-500:]}")
    seconds = time.monotonic() - started
    return seconds, samples, json.loads((place / "report.json").read_text())
