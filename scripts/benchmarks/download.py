"""Race `toolkit download` against its peers on this machine: nginx on loopback, the same lists, whole processes.

Example: scripts/bench download --rows small-http,big-http --runs 5
"""

from __future__ import annotations

import argparse
import compileall
import random
import signal
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _figures import print_heading, save, usual_scratch
from _ground import Ground, check, kind, needed
from _million import million
from _nginx import Address, nginx
from _race import Course, race, same_files
from _results import Result, table, verdicts
from _rows import LATENCY, ROWS, Row, choose, write_lists
from _site import SHELVES, build, certificates, site
from _slow import slow_server
from _tools import Tool, Work, contestants, install_pypdl, pick, splitting, versions

import toolkit
from toolkit.compare.environment import environment as facts
from toolkit.core.errors import ToolkitError


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
    parser = argparse.ArgumentParser(prog="scripts/bench download", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--rows", default=",".join(ROWS), help=f"of {', '.join(ROWS)}, million (default: all but million)"
    )
    parser.add_argument("--runs", type=int, default=5, help="measured rounds, after one that warms up (default: 5)")
    parser.add_argument("--urls", type=int, default=1_000_000, metavar="N", help="in the row million")
    parser.add_argument("--quick", action="store_true", help="few and small files, to see that all works; no figures")
    parser.add_argument("--tools", default="", help="only tools whose names contain one of these, with commas")
    parser.add_argument("--variants", action="store_true", help="toolkit by every model and client, too")
    parser.add_argument(
        "--with-pypdl", action="store_true", help="install pypdl in an environment below the scratch folder"
    )
    parser.add_argument("--http1", action="store_true", help="offer no HTTP/2 over TLS")
    parser.add_argument(
        "--scratch",
        type=Path,
        help="where files are made, kept, and fetched to: best where nobody deletes files meanwhile, or in memory, "
        f"below /dev/shm (default: {usual_scratch()})",
    )
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100_000, help="of the order in each round")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured here, after every row")
    return parser.parse_args()


@dataclass(frozen=True, slots=True)
class Track:
    """Where the race is run: what is served, by whom, with which certificate, and where files go."""

    site: Path
    address: Address
    authority: Path
    ground: Ground


Entries = list[tuple[Row, list[Tool]]]
"""Rows, and who races in them."""


def _run(asked: argparse.Namespace) -> int:
    scratch = (asked.scratch or usual_scratch()).resolve()
    scratch.mkdir(parents=True, exist_ok=True)
    names = [name.strip() for name in asked.rows.split(",")]
    rows = choose(",".join(name for name in names if name != "million"))
    pypdl = install_pypdl(scratch / "pypdl") if asked.with_pypdl else None
    entries = pick([(row, _tools(row, asked, pypdl)) for row in rows], asked.tools)
    compileall.compile_dir(Path(toolkit.__file__).parent, quiet=2)
    kept = {"environment": facts(), "versions": versions(pypdl), "runs": asked.runs, "quick": asked.quick, "rows": []}
    kept["seed"] = asked.seed
    print_heading(kept)
    results = _race_all(entries, asked, scratch, kept) if rows else []
    goals = list(verdicts(results))
    if "million" in names:
        goals += million(scratch / "million", 20_000 if asked.quick else asked.urls, kept)
        save(asked.json, kept)
    if asked.quick:
        print("a quick run: all of it is too small for a verdict")
        return 0
    for met, line in goals:
        print(f"{'PASS' if met else 'MISS'}  {line}")
    return 0 if all(met for met, _ in goals) else 1


def _race_all(entries: Entries, asked: argparse.Namespace, scratch: Path, kept: dict[str, Any]) -> list[Result]:
    """Run the rows, print each one's table, and add them to what is kept."""
    ground, served = Ground(scratch), site(scratch, quick=asked.quick)
    sizes = [(row, len(tools)) for row, tools in entries]
    check(ground, needed(ground, sizes, served, 1 + _rounds(asked), quick=asked.quick))
    build(served, {row.shelf for row, _ in entries}, quick=asked.quick)
    authority, certificate, key = certificates(scratch)
    results: list[Result] = []
    chance = random.Random(asked.seed)
    try:
        with nginx(served, scratch / "nginx", certificate, key, http2=not asked.http1) as address:
            kept["versions"]["nginx"] = address.version
            print(f"- nginx {address.version}, HTTP/2 {'not ' if asked.http1 else ''}on offer over TLS", flush=True)
            print(
                f"- files go to {scratch} ({kind(scratch)}); the order of tools is by --seed {asked.seed}\n", flush=True
            )
            for row, tools in entries:
                results.append(_row(row, tools, asked, Track(served, address, authority, ground), chance))
                print(table(results[-1]), end="\n\n", flush=True)
                kept["rows"].append(results[-1].values())
                save(asked.json, kept)
    finally:
        ground.clear()
    return results


def _row(row: Row, tools: list[Tool], asked: argparse.Namespace, track: Track, chance: random.Random) -> Result:
    print(f"{row.name}: {row.title}", file=sys.stderr)
    limit = SHELVES[row.shelf].quick[0] if asked.quick else None
    with _server(row, track) as base:
        urls, config, files = write_lists(row, track.site, base, track.ground.scratch, limit)
        for path in files:
            path.read_bytes()  # so that the first tool finds them in memory, too
        trust = track.authority if row.server == "https" else None
        course = Course(Work(urls, config, trust), same_files(files), track.ground, SHELVES[row.shelf].many)
        standings = race(tools, course, _rounds(asked), chance)
    return Result(row, len(files), sum(path.stat().st_size for path in files), standings)


def _rounds(asked: argparse.Namespace) -> int:
    return 1 if asked.quick else int(asked.runs)


def _server(row: Row, track: Track) -> AbstractContextManager[str]:
    """Return what serves a row: nginx, which is there already, or the slow one, for this row only."""
    if row.server == "slow":
        return slow_server(track.site / row.shelf, LATENCY)
    return nullcontext(track.address.https if row.server == "https" else track.address.http)


def _tools(row: Row, asked: argparse.Namespace, pypdl: Path | None) -> list[Tool]:
    first, *others = row.at_once
    tools = contestants(first, variants=asked.variants, pypdl=pypdl)
    for number in others:
        tools += contestants(number, variants=False, pypdl=pypdl)
    return tools + (splitting() if row.shelf == "capped" else [])


if __name__ == "__main__":
    raise SystemExit(main())
