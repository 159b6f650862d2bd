"""Race `toolkit resize` against its peers on this machine: real photographs, whole processes, quality beside.

Example: scripts/bench resize --rows photos,icons --runs 5 --sharp FOLDER
"""

from __future__ import annotations

import argparse
import compileall
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

from _figures import print_heading, save, usual_scratch
from _ground import BLOCK, SPARE, Ground, Need, check, kind
from _judge import judge
from _pictures import SHELVES, Shelf, build, found, kinds_of
from _race import Course, race
from _resize_results import Result, table, verdicts
from _resize_rows import ROWS, Row, choose
from _resizers import Bench, Pictures, contestants, find_sharp, versions
from _tools import Tool, pick

import toolkit
from toolkit.compare.environment import environment as facts
from toolkit.core.cpus import usable_cpus
from toolkit.core.errors import ToolkitError, UsageError

LARGEST: dict[Shelf, int] = {"photos": 10_000_000, "mixed": 20_000_000, "alpha": 10_000_000, "icons": 50_000}
"""Bytes of a picture and of what is made of it, on a disk, if it comes to the worst."""

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
    parser = argparse.ArgumentParser(prog="scripts/bench resize", description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", default=",".join(ROWS), help=f"of {', '.join(ROWS)} (default: all)")
    parser.add_argument("--runs", type=int, default=5, help="measured rounds, after one that warms up (default: 5)")
    parser.add_argument("--quick", action="store_true", help="few pictures, to see that all works; no figures")
    parser.add_argument("--tools", default="", help="only tools whose names contain one of these, with commas")
    parser.add_argument("--variants", action="store_true", help="toolkit by processes and threads in every row")
    parser.add_argument(
        "--photos", type=Path, metavar="FOLDER", help="your photographs (default: Debian's plasma-workspace-wallpapers)"
    )
    parser.add_argument(
        "--sharp", type=Path, metavar="FOLDER", help="where `npm install sharp` was run (default: by NODE_PATH)"
    )
    parser.add_argument(
        "--toolkit", type=Path, metavar="FILE", help="another toolkit program, as of an older tree (default: ours)"
    )
    parser.add_argument(
        "-j", "--at-once", type=int, default=usable_cpus(), metavar="N", help="for those that are told a number"
    )
    parser.add_argument(
        "--scratch", type=Path, help=f"where pictures are made, kept, and written (default: {usual_scratch()})"
    )
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100_000, help="of the order in each round")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured here, after every row")
    return parser.parse_args()


def _run(asked: argparse.Namespace) -> int:
    sharp = find_sharp(asked.sharp)
    if asked.sharp and not sharp:
        raise UsageError(f"--sharp {asked.sharp}: sharp is not there; run `npm install sharp` in that folder")
    bench = Bench((asked.toolkit or Path(sys.executable).with_name("toolkit")).absolute(), sharp, asked.at_once)
    rows, photos = choose(asked.rows), found(asked.photos)
    entries = pick([(row, contestants(row, bench, variants=asked.variants)) for row in rows], asked.tools)
    scratch = (asked.scratch or usual_scratch()).resolve()
    scratch.mkdir(parents=True, exist_ok=True)
    ground = Ground(scratch)
    check(ground, _needed(entries, asked))
    compileall.compile_dir(Path(toolkit.__file__).parent, quiet=2)
    kept = {"environment": facts(), "versions": versions(bench), "runs": asked.runs, "quick": asked.quick, "rows": []}
    kept["seed"] = asked.seed
    print_heading(kept)
    print(f"- {len(photos)} photographs; results go to {scratch} ({kind(scratch)}); --seed {asked.seed}\n", flush=True)
    return _judged(_race_all(entries, photos, asked, ground, kept), quick=asked.quick)


def _race_all(
    entries: Entries, photos: list[Path], asked: argparse.Namespace, ground: Ground, kept: dict[str, Any]
) -> list[Result]:
    """Run the rows, print each one's table, and add them to what is kept."""
    results: list[Result] = []
    chance = random.Random(asked.seed)
    try:
        for row, tools in entries:
            print(f"{row.name}: {row.title}", file=sys.stderr)
            sources = build(ground.scratch / "pictures", row.shelf, photos, _count(row, quick=asked.quick))
            look = judge(row, sources, kinds_of(row.shelf, photos))
            course = Course(_work(row, sources, ground.scratch), look, ground, SHELVES[row.shelf].many)
            standings = race(tools, course, _rounds(asked), chance)
            results.append(Result(row, len(sources), standings, look.qualities))
            print(table(results[-1]), end="\n\n", flush=True)
            kept["rows"].append(results[-1].values())
            save(asked.json, kept)
    finally:
        ground.clear()
    return results


def _work(row: Row, sources: list[Path], scratch: Path) -> Pictures:
    for path in sources:
        path.read_bytes()  # so that the first tool finds them in memory, too
    listing = scratch / f"{row.name}.txt"
    listing.write_text("".join(f"{path}\n" for path in sources))
    return Pictures(row, sources[0].parent, tuple(path.name for path in sources), listing)


def _judged(results: list[Result], *, quick: bool) -> int:
    if quick:
        print("a quick run: all of it is too small for a verdict")
        return 0
    goals = list(verdicts(results))
    for met, line in goals:
        print(f"{'PASS' if met else 'MISS'}  {line}")
    return 0 if all(met for met, _ in goals) else 1


def _count(row: Row, *, quick: bool) -> int:
    lot = SHELVES[row.shelf]
    return lot.quick if quick else min(lot.count, row.most or lot.count)


def _rounds(asked: argparse.Namespace) -> int:
    return 1 if asked.quick else int(asked.runs)


def _needed(entries: Entries, asked: argparse.Namespace) -> Need:
    """Return the room for the pictures, and for what is made of many of them, which stays to the end."""
    once, kept, files = 0, 0, 0
    for row, tools in entries:
        count, of_each = _count(row, quick=asked.quick), len(row.sides) * len(row.forms)
        once += count * LARGEST[row.shelf]
        if SHELVES[row.shelf].many:
            runs = len(tools) * (1 + _rounds(asked))
            kept, files = kept + count * of_each * BLOCK * 2 * runs, files + count * of_each * runs
    return Need(once + kept + SPARE, files + 10_000)


if __name__ == "__main__":
    raise SystemExit(main())
