"""A crawl that is killed by -9 again and again ends as one that nobody disturbed: same rows, same frontier.

Five kills for each model, that the suite stays short; TOOLKIT_KILLS=20 in the environment makes it as many.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.apps.scrape.stage import Stage, moved, reply
from toolkit.apps.scrape.keys import key_of

KILLS = int(os.environ.get("TOOLKIT_KILLS", "5"))
BRANCHES, LEAVES = 8, 2 + KILLS
"""Pages with links, and pages that each of them has: enough for all kills to be in the midst of it."""
MOST = 8
"""Requests after which a run is killed, at most; one in five runs is let go on nearly to its end."""

pytestmark = pytest.mark.timeout(60 + 10 * KILLS)


def page(title: str, *links: str) -> bytes:
    anchors = "".join(f'<a href="{link}">x</a>' for link in links)
    return f"<!doctype html><title>{title}</title>{anchors}".encode()


@pytest.fixture
def site() -> Iterator[Stage]:
    """Return a running site: each page is found by one other, so that its depth is the same whatever lands first."""
    with Stage() as stage:
        branches = [f"/branch/{number}" for number in range(BRANCHES)]
        stage.answers |= {
            "/robots.txt": reply(b"User-agent: *\nDisallow: /secret", kind="text/plain"),
            "/": page("start", *branches, "/secret", "/none", "/moved"),
            "/moved": moved("/target"),
            "/target": page("target", "/beyond"),
            "/beyond": page("beyond", "/"),
        }
        for branch in branches:
            leaves = [f"{branch}/leaf?number={number}" for number in range(LEAVES)]
            stage.answers |= {branch: page(branch, "/", branch, *leaves)}
            stage.answers |= {leaf: page(leaf, "/", branch) for leaf in leaves}
        yield stage


@dataclass(frozen=True, slots=True)
class State:
    """What a crawl has left: rows, what the store knows of tasks, and the frontier."""

    rows: list[str]
    tasks: dict[str, tuple[str, str | None]]
    frontier: dict[str, Any]

    @property
    def done(self) -> set[str]:
        """The keys of pages that the store has rows of."""
        return {key for key, (state, _) in self.tasks.items() if state == "done"}


def left(out: Path) -> State:
    """Return the state beside an output file; a run that was killed at once has none."""
    rows = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    assert all(row.pop("fetched_at") for row in rows)
    path = out.parent / f".{out.name}.toolkit.sqlite"
    if not path.exists():
        return State([], {}, {})
    with closing(sqlite3.connect(path)) as store:
        if not store.execute("PRAGMA user_version").fetchone()[0]:
            return State([], {}, {})
        tasks = {key: (state, kind) for key, state, kind in store.execute("SELECT key, state, kind FROM tasks")}
        frontier = {key: json.loads(facts) for key, facts in store.execute("SELECT key, payload FROM frontier")}
    return State(sorted(map(json.dumps, rows)), tasks, frontier)


def command(site: Stage, out: Path, model: str) -> list[str]:
    options = ["--follow", "a", "--field", "t=title", "--field", "l[]=a@href", "--model", model, "--quiet"]
    return [
        *(sys.executable, "-m", "toolkit", "scrape", site.url("/"), "-o", str(out), *options),
        *("--workers", "4", "--per-host", "4", "--delay", "0.003", "--retries", "0"),
    ]


def kill_after(requests: int, site: Stage, arguments: list[str]) -> bool:
    """Start the command and kill it when the server has seen so many requests; tell whether it was still at work."""
    process = subprocess.Popen(arguments)
    site.wait_for(requests, lambda: process.poll() is not None)
    running = process.poll() is None
    children = psutil.Process(process.pid).children(recursive=True) if running else []
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive, "a worker outlived the run"
    return running


@pytest.mark.parametrize(("model", "seed"), [("asyncio", 11), ("hybrid", 12)])
def test_crawl_when_killed_again_and_again(site: Stage, tmp_path: Path, model: str, seed: int) -> None:
    """Rows and frontier are those of an undisturbed run, and no page that was done is asked for again."""
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    assert subprocess.run(command(site, tmp_path / "whole" / "rows.jsonl", model), check=False).returncode == 1
    whole = left(tmp_path / "whole" / "rows.jsonl")
    assert len(whole.rows) == 1 + BRANCHES * (1 + LEAVES) + 2
    assert Counter(state for state, _ in whole.tasks.values()) == {"done": len(whole.rows), "failed": 1}

    out = tmp_path / "killed" / "rows.jsonl"
    arguments = command(site, out, model)
    draw = random.Random(seed)
    killed, known = 0, State([], {}, {})
    for _ in range(KILLS):
        missing = len(whole.rows) - len(known.done)
        last = not draw.randrange(5)
        requests = max(1, missing - draw.randrange(3)) if last and killed > KILLS // 2 else draw.randint(1, MOST)
        site.forget()
        killed += kill_after(requests, site, arguments)
        asked = {key_of(site.url(path)) for path in site.asked}
        assert not asked & known.done, "a page was asked for though the store had it"
        before, known = known, left(out)
        assert before.done <= known.done
        assert known.frontier.items() <= whole.frontier.items()
        assert known.done <= whole.done
    assert killed >= KILLS // 2
    site.forget()
    assert subprocess.run(arguments, check=False).returncode == 1
    assert not {key_of(site.url(path)) for path in site.asked} & known.done
    found = left(out)
    assert found.rows == whole.rows
    assert dict(found.tasks.items() ^ whole.tasks.items()) == {}
    assert found.frontier == whole.frontier
