"""Take up half-made downloads where servers go wrong: six scenarios and more, toolkit and the usual command-line tools.

Each tool makes its own half: it is interrupted, by Ctrl-C's signal, while the server holds back the rest. Then it is
run again as it was; if that fails, once more. Example: scripts/bench resume --write
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from _scenarios import NAME, SCENARIOS, Player, Scenario, half
from _tools import clients, environment, version

from toolkit import __version__

README = Path(__file__).parents[2] / "README.md"
MARKED = re.compile(r"(<!-- resume table -->\n).*?(<!-- end -->)", re.DOTALL)
SETTLE = 1.0
"""Seconds for a tool to write down what it has been sent, before it is interrupted: nothing tells from outside."""
PATIENCE = 45.0
"""Seconds after which a run is ended."""
MERCY = 5.0
"""Seconds that an interrupted tool may take to end before it is interrupted again, and then killed."""
AT_ONCE = 4
"""Tools that run at the same time; each has a server and a folder of its own."""

RUNNING: set[subprocess.Popen[bytes]] = set()
STOPPED = threading.Event()


@dataclass(frozen=True, slots=True)
class Tool:
    """One that takes up downloads. title: for the table. command: what fetches a URL into a folder, or goes on."""

    name: str
    title: str
    command: Callable[[str, Path], list[str]]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended. code: None if it had to be ended. sent: bytes of bodies that the server sent meanwhile."""

    code: int | None
    sent: int
    content: bytes | None


def main() -> int:
    """Play all scenarios to all tools and print the table; return 0 if toolkit is right in each, else 1."""
    parser = argparse.ArgumentParser(prog="scripts/bench resume", description=__doc__.partition("\n")[0])
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown, as the README shows it")
    parser.add_argument("--write", action="store_true", help="put the table in the README, too")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    tools = [*peers(), *ours()]
    try:
        told = play(tools)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    text = markdown(tools, told)
    print(text if asked.markdown else plain(tools, told))
    if asked.write:
        README.write_text(MARKED.sub(lambda found: f"{found[1]}{text}{found[2]}", README.read_text()))
    return (
        0 if all(told[tool.name, scenario.name].startswith("right") for tool in ours() for scenario in SCENARIOS) else 1
    )


def peers() -> list[Tool]:
    """Return the other tools that are installed, told to go on with what is there."""
    known = (
        Tool("curl", "`curl -C -`", lambda url, to: ["curl", "-q", "-sSf", "-C", "-", "-o", str(to / NAME), url]),
        Tool("wget", "`wget -c`", lambda url, to: ["wget", "--no-config", "-q", "-c", "-t3", "-P", str(to), url]),
        Tool("wget2", "`wget2 -c`", lambda url, to: ["wget2", "--no-config", "-q", "-c", "-t3", "-P", str(to), url]),
        Tool("aria2c", "`aria2c -c`", lambda url, to: ["aria2c", "--no-conf", "-q", "-c", "-d", str(to), url]),
    )
    for tool in known:
        if shutil.which(tool.name) is None:
            print(f"{tool.name} is not installed: left out", file=sys.stderr)
    return [tool for tool in known if shutil.which(tool.name)]


def ours() -> list[Tool]:
    """Return toolkit under every model with every client that goes with it."""
    blocking = [name for name in ("requests", "curl") if name in clients()]
    pairs = [*product(("sequential", "threads", "processes"), blocking), ("asyncio", "aiohttp")]
    return [_toolkit(*pair) for pair in pairs]


def _toolkit(model: str, client: str) -> Tool:
    def command(url: str, to: Path) -> list[str]:
        program = str(Path(sys.executable).with_name("toolkit"))
        return [program, "download", url, "-o", str(to), "--model", model, "--client", client, "--quiet"]

    return Tool(f"toolkit {model}, {client}", f"toolkit ({model}, {client})", command)


def play(tools: Sequence[Tool]) -> dict[tuple[str, str], str]:
    """Return the verdict for every tool and scenario."""
    told: dict[tuple[str, str], str] = {}
    with tempfile.TemporaryDirectory(prefix="toolkit-resume-") as place, ThreadPoolExecutor(AT_ONCE) as pool:

        def one(pair: tuple[Tool, Scenario]) -> None:
            tool, scenario = pair
            folder = Path(place) / tool.name.replace(" ", "-") / scenario.name
            folder.mkdir(parents=True)
            told[tool.name, scenario.name] = attempt(tool, scenario, folder)
            print(f"  {scenario.name}  {tool.name:28} {told[tool.name, scenario.name]}", file=sys.stderr, flush=True)

        try:
            list(pool.map(one, product(tools, SCENARIOS)))
        except KeyboardInterrupt:
            STOPPED.set()
            for process in list(RUNNING):
                process.kill()
            raise
    return told


def attempt(tool: Tool, scenario: Scenario, folder: Path) -> str:
    """Make half a file, go on with it, and say what became of it."""
    with Player(scenario) as player:
        if scenario.first:
            _interrupted(tool, player, folder)
            player.answer = scenario.then
        first = _run(tool, player, folder)
        second = first if first.code == 0 else _run(tool, player, folder)
        return verdict(scenario.object, first, second, folder, some=scenario.first is half)


def verdict(right: bytes, first: Ended, second: Ended, folder: Path, *, some: bool = True) -> str:
    """Say what a tool made of it, in few words; some: whether some bytes were here before, but not all."""
    if first.code == 0:
        if first.content == right:
            return "right, resumed" if some and 0 < first.sent < len(right) else "right"
        beside = [path for path in folder.iterdir() if path.name.startswith(f"{NAME}.") and path.read_bytes() == right]
        also = f" (the right one in `{beside[0].name}`)" if beside else ""
        return f"**{_flaw(right, first.content)}**, exit 0{also}"
    if second.code == 0:
        came = "right" if second.content == right else f"**{_flaw(right, second.content)}**, exit 0"
        return f"{_code(first)}; run again: {came}"
    how = f"{_code(first)} each time" if first.code == second.code else f"{_code(first)}, then {_code(second)}"
    return f"{how}, yet the file is right" if second.content == right else f"stuck: {how}"


def _code(ended: Ended) -> str:
    return f"exit {ended.code}" if ended.code is not None else f"no end in {PATIENCE:.0f} s"


def _flaw(right: bytes, content: bytes | None) -> str:
    if content is None:
        return "no file"
    if right.startswith(content):
        return f"only {len(content) / len(right):.0%} of it"
    return "wrong bytes"


def _interrupted(tool: Tool, player: Player, folder: Path) -> None:
    """Run a tool until it ends, or until the server holds back what is left; then interrupt it as Ctrl-C does."""
    process = _start(tool, player, folder)
    try:
        until = time.monotonic() + PATIENCE
        while process.poll() is None and not player.hung.wait(0.05):
            if time.monotonic() > until:
                raise SystemExit(f"{tool.name} never came as far as half of the file")
        if process.poll() is None:
            time.sleep(SETTLE)
        for _ in range(2):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.send_signal(signal.SIGINT)
                process.wait(MERCY)
        if process.poll() is None:
            print(f"{tool.name} did not heed the interrupts: killed", file=sys.stderr)
    finally:
        process.kill()
        process.wait()


def _run(tool: Tool, player: Player, folder: Path) -> Ended:
    player.sent = 0
    process = _start(tool, player, folder)
    try:
        code: int | None = process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        process.kill()
        process.wait()
    path = folder / NAME
    return Ended(code, player.sent, path.read_bytes() if path.exists() else None)


def _start(tool: Tool, player: Player, folder: Path) -> subprocess.Popen[bytes]:
    if STOPPED.is_set():
        raise RuntimeError("stopped")
    process = subprocess.Popen(
        tool.command(player.url, folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(folder.parent / "home"),
        cwd=folder,
        process_group=0,
    )
    RUNNING.add(process)
    return process


def plain(tools: Sequence[Tool], told: dict[tuple[str, str], str]) -> str:
    """Return the verdicts as lines."""
    lines: list[str] = []
    for scenario in SCENARIOS:
        lines += [f"{scenario.name}: {scenario.title}"]
        lines += [f"    {tool.name:28} {told[tool.name, scenario.name]}" for tool in tools]
    return "\n".join(lines)


def markdown(tools: Sequence[Tool], told: dict[tuple[str, str], str]) -> str:
    """Return the table; toolkit has one column if all its models and clients agree, which they should."""
    columns = [(f"{tool.title} {version(tool.name)}", tool) for tool in tools if not tool.name.startswith("toolkit")]
    variants = [tool for tool in tools if tool.name.startswith("toolkit")]
    if all(len({told[tool.name, each.name] for tool in variants}) == 1 for each in SCENARIOS):
        columns.append((f"toolkit {__version__}", variants[0]))
    else:
        columns += [(tool.title, tool) for tool in variants]
    titles = " | ".join(title for title, _ in columns)
    lines = [f"| half of the file is here, and | {titles} |", "|---" * (len(columns) + 1) + "|"]
    for scenario in SCENARIOS:
        cells = " | ".join(told[tool.name, scenario.name] for _, tool in columns)
        lines.append(f"| {scenario.title} | {cells} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
