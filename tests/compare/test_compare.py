"""`toolkit compare`, end to end: real runs against servers on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import psutil
import pytest

from samples.serve import SampleServer
from tests.compare.servers import Waiting, changing, serving
from toolkit.cli import main
from toolkit.clients import usual
from toolkit.compare.commands import Work
from toolkit.compare.document import schema
from toolkit.compare.results import Variant
from toolkit.compare.runs import FreshRuns

# What a script starts in the background ignores SIGINT, and so do these tests and all below them.
FROM_A_TERMINAL = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv[0] = "toolkit"
from toolkit.cli import main
main()
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Lend the address of the sample server."""
    with SampleServer() as server:
        yield server.url


def toolkit(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command of toolkit as a user would."""
    command = [sys.executable, "-W", "error", "-m", "toolkit", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)


def compared(*arguments: str | Path, code: int = 0) -> dict[str, Any]:
    """Compare with --json, and return the document, held to its schema."""
    done = toolkit("compare", *arguments, "--json")
    assert done.returncode == code, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    jsonschema.Draft202012Validator(schema()).validate(found)
    return found


def test_download_when_models_agree(address: str, tmp_path: Path) -> None:
    """Equal results, a failure in all of them included; figures for every run; and nothing left on the disk."""
    scratch, page = tmp_path / "scratch", tmp_path / "page.md"
    scratch.mkdir()
    urls = [f"{address}files/{name}" for name in ("terms.txt", "hours.json", "sizes.csv", "nothing")]
    options = ["--models", "sequential,threads", "--rounds", "2", "--workers", "3", "--seed", "4"]
    found = compared("download", *urls, *options, "--scratch", scratch, "--markdown", page)
    assert [each["name"] for each in found["variants"]] == ["sequential", "threads"]
    assert [each["workers"] for each in found["variants"]] == [1, 3]
    assert [each["verdict"] for each in found["variants"]] == ["reference", "too few rounds"]
    assert found["variants"][1]["speed_up"]["ratio"] > 0
    assert len(found["points"]) == 6
    assert len({point["digest"] for point in found["points"]}) == 1
    assert all((point["told"]["succeeded"], point["told"]["failed"]) == (3, 1) for point in found["points"])
    assert all(point["measured"]["exit_code"] == 1 for point in found["points"])
    assert all(point["measured"]["cpu_user"] > 0.05 for point in found["points"])
    assert all(point["measured"]["left_behind"] == 0 for point in found["points"])
    assert [point["variant"] for point in found["points"]] == [name for names in found["order"] for name in names]
    assert any("too few" in warning for warning in found["warnings"])
    assert "1 of 4 tasks failed, under every valid variant" in found["warnings"]
    assert found["command"][:3] == ["toolkit", "compare", "download"]
    assert list(scratch.iterdir()) == []
    assert f"| threads | 3 | {usual('blocking')} |" in page.read_text(encoding="utf-8")


def test_download_when_shown_as_text(address: str) -> None:
    """The table goes to standard output, a line for each run to standard error."""
    done = toolkit("compare", "download", f"{address}files/terms.txt", "--models", "threads,threads", "--rounds", "1")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].split()[:5] == ["variant", "workers", "client", "results", "median"]
    assert lines[1].split()[3] == lines[2].split()[3] != "differ"
    assert lines[1].split()[:3] == ["threads", "64", usual("blocking")]
    assert lines[2].split()[:3] == ["threads#2", "64", usual("blocking")]
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == [
        "[1/4] warm-up (dropped)",
        "[2/4] warm-up (dropped)",
        "[3/4] round 1 of 1",
        "[4/4] round 1 of 1",
    ]


def test_download_when_results_differ() -> None:
    """Other bytes at every request: INVALID, the task named, no speed, exit code 1."""
    with serving(changing()) as url:
        found = compared("download", f"{url}page", "--models", "sequential,threads", "--rounds", "1", code=1)
    assert [each["verdict"] for each in found["variants"]] == ["INVALID", "INVALID"]
    assert found["variants"][1]["problem"] == "'page' differs"
    assert found["variants"][1]["speed_up"] is None
    assert found["exit_code"] == 1


def test_run_when_it_has_ended(address: str, tmp_path: Path) -> None:
    """Its output is gone before the next one begins, so that a comparison needs the room of one."""
    run = FreshRuns(Work("download", (f"{address}files/terms.txt",)), tmp_path)
    assert list(run(Variant("threads", "threads")).digests) == ["terms.txt"]
    assert list(tmp_path.iterdir()) == []


def test_run_when_it_breaks(tmp_path: Path) -> None:
    """The reason is what the run said last; nothing is raised."""
    found = FreshRuns(Work("download", ("http://x/",)), tmp_path)(Variant("x", "no-such-model"))
    assert found.problem.startswith("exit code 2: toolkit: unknown model 'no-such-model'")
    assert found.told is None


def test_scrape_when_models_agree(address: str) -> None:
    """Rows are compared one by one, and the app's own options reach each run."""
    urls = [f"{address}item/{name}.html" for name in ("cat-oval", "horse-card")]
    options = ["--field", "title=title", "--parser", "lxml", "--models", "threads,sequential", "--rounds", "1"]
    found = compared("scrape", *urls, *options)
    assert found["reference"] == "sequential"
    assert len({point["digest"] for point in found["points"]}) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Usage: toolkit compare [OPTIONS] COMMAND"),
        (["download", "http://x/", "--models", "thread"], "unknown model 'thread': choose from"),
        (["download", "http://x/", "--models", ","], "no model to compare"),
        (["download", "http://x/", "--rounds", "0"], "--rounds 0: give a number from 1"),
        (["download", "-", "--models", "threads"], "standard input can be read only once"),
        (["download", "nowhere.txt", "--models", "threads", "--quiet"], "nowhere.txt"),
        (["download", "http://x/", "--scratch", "/no/such/folder", "--models", "threads"], "/no/such/folder"),
        (["download", "http://x/", "--markdown", "/no/such/page.md"], "there is no such folder"),
        (["download", "http://x/", "--workers", "0", "--models", "threads"], "--workers 0"),
        (["download"], "Missing argument"),
        (["upload", "x"], "No such command 'upload'"),
    ],
)
def test_command_when_wrong(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage is exit code 2 and one line."""
    with pytest.raises(SystemExit) as ending:
        main(["compare", *arguments])
    printed = capsys.readouterr()
    assert ending.value.code == 2
    assert said in printed.err
    assert printed.err.count("\n") == 1 or not arguments
    assert printed.out == ""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_comparison_when_interrupted(number: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C ends the run and all below it, removes what it wrote, and exits with 130."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    body = Waiting()
    with serving(body) as url:
        command = ["compare", "download", f"{url}page", "--models", "threads", "--scratch", str(scratch)]
        with subprocess.Popen([sys.executable, "-c", FROM_A_TERMINAL, *command], stderr=subprocess.PIPE) as process:
            try:
                assert body.asked.wait(20)
                below = psutil.Process(process.pid).children(recursive=True)
                assert len(below) == 2
                os.kill(process.pid, number)
                assert process.wait(20) == 130
                assert process.stderr is not None
                assert process.stderr.read().strip() == b""
            finally:
                body.go_on.set()
                process.kill()
    assert list(scratch.iterdir()) == []
    assert not any(child.is_running() for child in below)


def test_models_when_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Every model that is found by name is there, with its usual client."""
    with pytest.raises(SystemExit, match="0"):
        main(["models"])
    lines = capsys.readouterr().out.splitlines()
    assert {"sequential", "threads"} <= {line.split()[0] for line in lines}
    assert any(line.split()[:3] == ["threads", "yes", usual("blocking")] for line in lines)


def test_models_when_listed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The same for programs."""
    with pytest.raises(SystemExit, match="0"):
        main(["models", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "toolkit.models/1"
    threads = next(each for each in found["models"] if each["name"] == "threads")
    assert threads["installed"]
    assert threads["default_client"] == usual("blocking")
