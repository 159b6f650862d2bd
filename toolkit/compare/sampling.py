"""How much memory a tree of processes holds, asked now and then from outside.

The sum of resident sizes (RSS) is cheap but counts a page once for each process that shares it. The proportional size
(PSS) divides shared pages fairly, but the kernel walks all pages to tell it, so it is asked less often.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

RSS_EVERY = 0.025
"""Seconds between readings of the resident size."""
PSS_EVERY = 0.25
"""Seconds between readings of the proportional size while the resident size does not grow."""
PSS_LEAST = 0.05
"""Seconds between readings of the proportional size at least, however fast memory grows."""
GROWTH = 1.1
"""Growth of the resident size since the last proportional one that is worth another at once."""
SHARE = 50
"""A reading is followed by a pause of this many times its own length, so that watching takes 2 % of a CPU at most…"""
LONGEST = 1.0
"""… but by no pause longer than this, in seconds."""


def descendants(root: int) -> list[int]:
    """Return the process ids below a process, without itself; those that end meanwhile are left out."""
    if _kernel_lists_children():
        return _below(root)
    import psutil

    try:
        return [child.pid for child in psutil.Process(root).children(recursive=True)]
    except psutil.Error:
        return []


def resident(pid: int) -> int:
    """Return the resident bytes of a process, 0 if it has ended."""
    if sys.platform == "linux":
        try:
            return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            return 0
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def proportional(pid: int) -> int:
    """Return the proportional bytes of a process, 0 if it has ended; raises PermissionError if they are not told."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    lines = (line.split() for line in text.splitlines())
    return next((int(words[1]) * 1024 for words in lines if words[0] == "Pss:"), 0)


class Sampler:
    """Watches what is below a process, in a thread, until stop(). Peaks are in bytes."""

    def __init__(self, root: int, each: Callable[[int], None] = lambda _: None) -> None:
        """Prepare; `each` is called with every process id at every reading."""
        self.peak_rss = self.peak_pss = 0
        self.rss_samples = self.pss_samples = 0
        self._root = root
        self._each = each
        self._pss_told = sys.platform == "linux"
        self._pss_at = self._pss_next = 0.0
        self._rss_then = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="sampler", daemon=True)

    @property
    def memory(self) -> tuple[str, int, int]:
        """The best figure there is: "pss" or "rss", its peak, and the number of readings."""
        if self._pss_told and self.pss_samples:
            return "pss", self.peak_pss, self.pss_samples
        return "rss", self.peak_rss, self.rss_samples

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End the watch."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        pause = 0.0
        while not self._over.wait(pause):
            started = time.monotonic()
            self._read(started)
            pause = max(RSS_EVERY, min(LONGEST, SHARE * (time.monotonic() - started)))

    def _read(self, now: float) -> None:
        pids = descendants(self._root)
        for pid in pids:
            self._each(pid)
        rss = sum(map(resident, pids))
        if not rss:
            return
        self.rss_samples += 1
        self.peak_rss = max(self.peak_rss, rss)
        grown = rss > GROWTH * self._rss_then and now >= self._pss_at + PSS_LEAST
        if self._pss_told and (grown or now >= self._pss_next):
            self._read_pss(pids, rss, now)

    def _read_pss(self, pids: list[int], rss: int, now: float) -> None:
        started = time.monotonic()
        try:
            pss = sum(map(proportional, pids))
        except PermissionError:
            self._pss_told = False
            return
        self._pss_at, self._rss_then = now, rss
        self._pss_next = now + max(PSS_EVERY, min(LONGEST, SHARE * (time.monotonic() - started)))
        self.pss_samples += bool(pss)
        self.peak_pss = max(self.peak_pss, pss)


def _below(root: int) -> list[int]:
    found: list[int] = []
    parents = [root]
    while parents:
        children = _children(parents.pop())
        found += children
        parents += children
    return found


def _children(pid: int) -> list[int]:
    """Return the children of a process: the kernel lists them by the thread that made them."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    children: list[int] = []
    for thread in threads:
        try:
            children += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_bytes().split())
        except OSError:
            continue
    return children


def _kernel_lists_children() -> bool:
    return sys.platform == "linux" and Path(f"/proc/self/task/{os.getpid()}/children").exists()
