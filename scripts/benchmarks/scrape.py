"""Race `toolkit scrape` against its peers on this machine: real pages by nginx on loopback, whole processes, same rows.

Example: scripts/bench scrape --rows list,crawl --runs 5 --peers FOLDER
"""

from __future__ import annotations

import argparse
import compileall
import random
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from _figures import print_heading, save, usual_scratch
from _frontier import frontier
from _ground import SPARE, Ground, Need, check, kind
from _nginx import nginx
from _race import Course, race
from _scrape_judge import Judge
from _scrape_pages import INDEX, Rows, found, paths, reached, read, without_code
from _scrape_results import Result, table, verdicts
from _scrape_rows import FRONTIER, ROWS, Row, choose
from _scrapers import Bench, Pages, contestants, find_peers, versions
from _site import certificates
from _tools import Tool, pick

import toolkit
from toolkit.compare.environment import environment as facts
from toolkit.core.errors import ToolkitError, UsageError

AT_ONCE = 16
QUICK = 40
"""Pages of a quick run."""
QUICK_URLS = 20_000
EACH = 40_000_000
"""Bytes of rows and store that a run leaves behind, at most."""

Entries = list[tuple[Row, list[Tool]]]
"""Rows, and who races in them."""


def main() -> int:
    """Run the rows asked for, print a table each and the goals at the end; return 0 if all are met, 1 if not."""
    asked = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _run(asked)
    except ToolkitError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench scrape", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--rows",
        default=",".join((*ROWS, FRONTIER)),
        help=f"of {', '.join(ROWS)}, {FRONTIER} (default: all)",
    )
    parser.add_argument("--runs", type=int, default=5, help="measured rounds, after one that warms up (default: 5)")
    parser.add_argument("--urls", type=int, default=1_000_000, metavar="N", help="in the row frontier")
    parser.add_argument("--quick", action="store_true", help="few pages, to see that all works; no figures")
    parser.add_argument("--tools", default="", help="only tools whose names contain one of these, with commas")
    parser.add_argument(
        "--variants", action="store_true", help="toolkit by every model with every parser in each row, and on uvloop"
    )
    parser.add_argument(
        "--pages", type=Path, metavar="FOLDER", help="your HTML files (default: Debian's python3.11-doc, fetched once)"
    )
    parser.add_argument(
        "--peers", type=Path, metavar="FOLDER", help="an environment of Python that has scrapy and crawlee"
    )
    parser.add_argument(
        "--toolkit", type=Path, metavar="FILE", help="another toolkit program, as of an older tree (default: ours)"
    )
    parser.add_argument("-j", "--at-once", type=int, default=AT_ONCE, metavar="N", help="for all (default: 16)")
    parser.add_argument(
        "--scratch", type=Path, help=f"where pages are kept, and rows written (default: {usual_scratch()})"
    )
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100_000, help="of the order in each round")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured here, after every row")
    return parser.parse_args()


def _run(asked: argparse.Namespace) -> int:
    rows, with_frontier = choose(asked.rows)
    python, peers = find_peers(asked.peers)
    if asked.peers and python is None:
        raise UsageError(
            f"--peers {asked.peers}: there is no bin/python in it; `python -m venv {asked.peers}` makes it"
        )
    program = (asked.toolkit or Path(sys.executable).with_name("toolkit")).absolute()
    bench = Bench(program, python, peers, asked.at_once)
    entries = pick([(row, contestants(row, bench, variants=asked.variants)) for row in rows], asked.tools)
    scratch = (asked.scratch or usual_scratch()).resolve()
    scratch.mkdir(parents=True, exist_ok=True)
    ground = Ground(scratch)
    runs = (1 + _rounds(asked)) * sum(len(tools) for _, tools in entries)
    check(ground, Need(EACH * 2 + SPARE + (2_000 * asked.urls if with_frontier else 0), 10_000 + 60 * runs))
    folder = found(asked.pages, scratch) if entries else None
    compileall.compile_dir(Path(toolkit.__file__).parent, quiet=2)
    kept = {"environment": facts(), "versions": versions(bench), "runs": asked.runs, "quick": asked.quick, "rows": []}
    kept["seed"] = asked.seed
    print_heading(kept)
    results = _race_all(entries, folder, asked, ground, kept) if folder else []
    goals = list(verdicts(results))
    if with_frontier:
        goals += frontier(scratch / "frontier", QUICK_URLS if asked.quick else asked.urls, kept)
        save(asked.json, kept)
    return _judged(goals, quick=asked.quick)


@dataclass(frozen=True, slots=True)
class Site:
    """What is served: a folder by an address, and what is in its pages."""

    folder: Path
    base: str
    there: Rows


def _race_all(
    entries: Entries, folder: Path, asked: argparse.Namespace, ground: Ground, kept: dict[str, Any]
) -> list[Result]:
    """Run the rows, print each one's table, and add them to what is kept."""
    results: list[Result] = []
    chance = random.Random(asked.seed)
    _, certificate, key = certificates(ground.scratch)
    try:
        with nginx(folder, ground.scratch / "nginx", certificate, key) as address:
            kept["versions"]["nginx"] = address.version
            print(f"- nginx {address.version} serves {folder}")
            print(f"- rows go to {ground.scratch} ({kind(ground.scratch)}); --seed {asked.seed}\n", flush=True)
            site = Site(folder, address.http, read(folder, paths(folder), address.http))
            for row, tools in entries:
                print(f"{row.name}: {row.title}", file=sys.stderr)
                wanted, source = _wanted(row, site, quick=asked.quick), ground.scratch / f"{row.name}.txt"
                source.write_text("".join(f"{url}\n" for url in wanted))
                judge = Judge(wanted, whole=row.name != "one")
                course = Course(Pages(source, next(iter(wanted))), judge, ground, many=False)
                standings = race(tools, course, _rounds(asked), chance)
                results.append(Result(row, len(wanted), _size(site, wanted), standings, judge.odd))
                print(table(results[-1]), end="\n\n", flush=True)
                kept["rows"].append(results[-1].values())
                save(asked.json, kept)
    finally:
        ground.clear()
    return results


def _wanted(row: Row, site: Site, *, quick: bool) -> Rows:
    """Return the pages that a tool must come back with; a crawl starts from the first. Raises UsageError."""
    if row.name == "list":
        return dict(list(site.there.items())[: QUICK if quick else None])
    if row.name == "one":
        sizes = sorted(site.there, key=lambda url: (site.folder / _path(site, url)).stat().st_size)
        return {url: without_code(site.there[url]) for url in sizes[len(sizes) // 2 :][:1]}
    start = f"{site.base}/{INDEX}"
    if start not in site.there:
        raise UsageError(f"--pages {site.folder}: a crawl starts from {INDEX}, which is not there; leave that row out")
    found = reached(site.there, start)
    return {start: found.pop(start), **found}


def _size(site: Site, rows: Rows) -> int:
    return sum((site.folder / _path(site, url)).stat().st_size for url in rows)


def _path(site: Site, url: str) -> str:
    return unquote(url.removeprefix(f"{site.base}/"))


def _judged(goals: list[tuple[bool, str]], *, quick: bool) -> int:
    if quick:
        print("a quick run: all of it is too small for a verdict")
        return 0
    for met, line in goals:
        print(f"{'PASS' if met else 'MISS'}  {line}")
    return 0 if all(met for met, _ in goals) else 1


def _rounds(asked: argparse.Namespace) -> int:
    return 1 if asked.quick else int(asked.runs)


if __name__ == "__main__":
    raise SystemExit(main())
