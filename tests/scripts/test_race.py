"""A race: who runs when, into which folder, and what counts as right."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from _ground import Ground
from _measure import measure
from _race import Course, race, same_files
from _results import Standing
from _tools import Tool, Work, environment

COPY = "import shutil, sys; shutil.copytree(sys.argv[1], sys.argv[2], dirs_exist_ok=True)"
FAULTS = {
    "right": "",
    "lacking": "; import os; os.remove(sys.argv[2] + '/b.bin')",
    "altered": "; open(sys.argv[2] + '/a.bin', 'wb').write(b'x' * 5)",
    "failing": "; sys.exit('no way')",
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a folder of two files."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "a.bin").write_bytes(b"12345")
    (folder / "b.bin").write_bytes(b"678")
    return folder


def tool(name: str, source: Path, outs: list[tuple[str, Path]]) -> Tool:
    """Return a contestant that copies a folder, with its fault."""

    def command(_: Work, out: Path) -> list[str]:
        assert not list(out.iterdir())
        outs.append((name, out))
        return [sys.executable, "-I", "-S", "-c", COPY + FAULTS[name], str(source), str(out)]

    return Tool(name, name, "", command)


def run(
    names: list[str], source: Path, runs: int, *, many: bool = True
) -> tuple[list[Standing], list[tuple[str, Path]]]:
    """Race; return the standings, and who was given which folder, in order."""
    outs: list[tuple[str, Path]] = []
    ground = Ground(source.parent)
    ground.in_memory = False
    course = Course(Work(Path(), Path(), None), same_files(sorted(source.iterdir())), ground, many)
    tools = [tool(name, source, outs) for name in names]
    return race(tools, course, runs, random.Random(3)), outs


def test_what_is_wrong_has_no_figure(source: Path) -> None:
    """A tool that says all is well is looked at all the same, and is not run again once it was wrong."""
    standings, outs = run(list(FAULTS), source, 1)
    told = {each.tool.name: each.wrong for each in standings}
    assert told["right"] == ""
    assert told["lacking"].startswith("1 of 2 files, 5 bytes")
    assert told["altered"] == "wrong bytes, though it said that all is well"
    assert told["failing"] == "exit code 1: no way"
    assert [each.tool.name for each in standings if each.good] == ["right"]
    assert sorted(name for name, _ in outs) == ["altered", "failing", "lacking", "right", "right"]


@pytest.mark.parametrize("many", [True, False])
def test_every_run_has_a_new_folder(source: Path, many: bool) -> None:
    """Nothing is deleted in a race of many files; of few, all is at once."""
    standings, outs = run(["right"], source, 3, many=many)
    assert len(standings[0].runs) == len(standings[0].paces) == 3
    assert len({out for _, out in outs}) == 4
    assert all(out.exists() == many for _, out in outs)


def test_processor_time_of_all_below_counts(tmp_path: Path) -> None:
    """What a grandchild computes is in the sum, and a run that takes too long is ended."""
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-I', '-S', '-c', {busy!r}]); sys.exit(7)"
    taken = measure([sys.executable, "-I", "-S", "-c", nested], tmp_path, environment(tmp_path / "home"), 60)
    assert (taken.exit_code, taken.cpu >= 0.3, taken.peak > 1_000_000) == (7, True, True)
    ended = measure([sys.executable, "-c", "import time; time.sleep(600)"], tmp_path, environment(tmp_path), 0.2)
    assert (ended.exit_code, ended.said) == (None, "ended after 0.2 s")


def test_environment_is_nobodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies and settings files of whoever measures are not in the race."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    around = environment(tmp_path / "home")
    assert "HTTPS_PROXY" not in around
    assert around["HOME"] == str(tmp_path / "home")
