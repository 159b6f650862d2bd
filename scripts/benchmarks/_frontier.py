"""A crawl of a million pages without a network: what the frontier holds in memory, and whether it slows down.

Everything is real but the pages: plan, frontier, schedule, model, store and the rows in the end. A page of a made-up
site leads to ten new ones, to those it came from, and to some that all pages lead to.

    python _frontier.py COUNT FOLDER
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median
from typing import Any

from toolkit.apps.scrape.job import ScrapeApp
from toolkit.apps.scrape.keys import key_of
from toolkit.apps.scrape.options import ScrapeOptions
from toolkit.apps.scrape.page import ScrapeJob
from toolkit.apps.scrape.result import Page
from toolkit.apps.scrape.visit import Visit
from toolkit.core.job import Runtime
from toolkit.core.task import Task
from toolkit.options import NetworkOptions, RunOptions
from toolkit.run import Run

GOAL = 300
"""Megabytes resident, at most."""
SLOWER = 0.20
"""How much more time a URL may take than in the small crawl."""
SMALL = 10_000
REPEATS = 3
"""Small crawls, of which the median counts."""
NEW = 10
"""Links of a page that nobody has seen."""
MENU = 8
"""Pages that all pages lead to."""
SITE = "http://frontier.test/catalogue/section"


@dataclass(frozen=True, slots=True)
class Walk(ScrapeJob):
    """The job, but that it sees pages of a site of so many without fetching them."""

    count: int = 0

    async def __call__(self, task: Task[Visit], _: Runtime) -> Page:
        """Return the page, its row, and where it leads."""
        visit = task.payload
        number = int(visit.url.rpartition("-")[2].removesuffix(".html"))
        ahead = range(number * NEW + 1, min(number * NEW + NEW + 1, self.count))
        known = {*range(min(MENU, self.count)), max(0, number - 1) // NEW}
        found = {key_of(url): Visit(url, visit.depth + 1, visit.home, rule="a") for url in map(page, [*known, *ahead])}
        row = {"title": f"Page {number}"}
        return Page(visit, visit.url, 200, (row,), tuple(found.items()), bytes=20_000, fetched_at="2026-01-01")


def page(number: int) -> str:
    """Return the URL of a page; the ten that one page leads to stand next to each other."""
    return f"{SITE}-{number // 1000:04}/page-{number}.html"


def walk(count: int, folder: Path) -> dict[str, float]:
    """Crawl so many pages into a folder; return seconds, processor seconds, the most megabytes held, and counts."""
    app = ScrapeApp([page(0)], folder / "rows.jsonl", ScrapeOptions(follow=("a",), field=("title=title",)))
    app.job = Walk(**{each.name: getattr(app.job, each.name) for each in fields(app.job)}, count=count)
    network = NetworkOptions(delay=0, per_host=16)
    started, computed = time.perf_counter(), time.process_time()
    run = Run(app, RunOptions(model="asyncio", workers=16), network=network, output=str(app.out), sources=[page(0)])
    summary = run.finish()
    seconds, cpu = time.perf_counter() - started, time.process_time() - computed
    with app.out.open("rb") as lines:
        rows = sum(1 for _ in lines)
    counts = {"rows": rows, "succeeded": summary.succeeded}
    return {"seconds": seconds, "cpu": cpu, "peak_mb": _peak_megabytes(), **counts}


def frontier(place: Path, count: int, keep: dict[str, Any]) -> list[tuple[bool, str]]:
    """Walk the large site, and the small one some times, print both, add them to `keep`, and return the verdicts."""
    place.mkdir(parents=True, exist_ok=True)
    few = min(SMALL, count)
    small = [_apart(few, place) for _ in range(REPEATS)]
    large = _apart(count, place)
    usual = {name: median(each[name] for each in small) for name in large}
    print("### frontier: a crawl without a network\n")
    print("| URLs | seconds | µs/URL | CPU µs/URL | peak MB |")
    print("|--:|--:|--:|--:|--:|")
    for urls, each in ((few, usual), (count, large)):
        wall, cpu = (each[name] / urls * 1e6 for name in ("seconds", "cpu"))
        print(f"| {urls:,} | {each['seconds']:.1f} | {wall:.0f} | {cpu:.0f} | {each['peak_mb']:.0f} |")
    print(flush=True)
    of_small, of_large = usual["seconds"] / few, large["seconds"] / count
    keep["frontier"] = {"urls": count, "large": large, "small": small}
    more = of_large / of_small - 1
    told = f"{of_small * 1e6:.0f} µs, then {of_large * 1e6:.0f} µs"
    return [
        (large["rows"] == count, f"frontier: every page has its row: {large['rows']:,.0f} of {count:,}"),
        (large["peak_mb"] < GOAL, f"frontier: below {GOAL} MB is the goal, {large['peak_mb']:.0f} MB it is"),
        (more <= SLOWER, f"frontier: at most {SLOWER:.0%} more for each URL is the goal, {more:+.0%} it is ({told})"),
    ]


def _apart(count: int, place: Path) -> dict[str, float]:
    """Walk in a process of its own, into a folder that is deleted."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        print(f"frontier: {count:,} URLs", file=sys.stderr, flush=True)
        done = subprocess.run([sys.executable, __file__, str(count), folder], stdout=subprocess.PIPE, check=True)
    return dict(json.loads(done.stdout))


def _peak_megabytes() -> float:
    """Return the most that was resident; the kernel's sums for children hold their parent's, too."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024 / 1e6
    return float("nan")


if __name__ == "__main__":
    print(json.dumps(walk(int(sys.argv[1]), Path(sys.argv[2]))))
