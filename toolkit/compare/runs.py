"""One run of one variant: a fresh process, an empty folder, what it took, what it wrote."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from toolkit.compare.commands import Work, python
from toolkit.compare.digests import digests
from toolkit.compare.results import Attempt, Measured, Told, Variant

PINNED = {"PYTHONHASHSEED": "0"}
"""Settings of every run, so that sets and dictionaries are the same in all."""
PATIENCE = 20.0
"""Seconds that a run which must end may take until the process that measures it is killed as well."""
REPORTED = (0, 1, 3)
"""Exit codes of a run that wrote a report."""


class FreshRuns:
    """Runs variants, each in a folder of its own below `scratch`, which is empty again afterwards."""

    def __init__(self, work: Work, scratch: Path) -> None:
        self._work = work
        self._scratch = scratch

    def __call__(self, variant: Variant) -> Attempt:
        """Run a variant once; a run that fails is an Attempt with a problem."""
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=self._scratch))
        try:
            return self._attempt(variant, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _attempt(self, variant: Variant, folder: Path) -> Attempt:
        (folder / "out").mkdir()
        report, messages = folder / "report.json", folder / "messages.txt"
        command = self._work.command(variant, folder / "out")
        text, said = _measure(command, report, messages)
        if not text:
            return Attempt(problem=f"could not be measured: {said}")
        measured = Measured(**json.loads(text))
        if measured.exit_code not in REPORTED:
            return Attempt(measured, problem=_ending(measured.exit_code, messages))
        try:
            told = _told(json.loads(report.read_bytes()))
        except (ValueError, KeyError):
            return Attempt(measured, problem=_ending(measured.exit_code, messages) + ", without a report")
        if measured.exit_code == 3:  # noqa: PLR2004 - the exit code of a run that was stopped
            return Attempt(measured, told, problem=f"stopped: {last_line(messages) or 'by its own policy'}")
        return Attempt(measured, told, digests(folder / "out", self._work.rows))


def last_line(messages: Path, most: int = 300) -> str:
    """Return the last line that a run wrote for people, cut to so many characters."""
    try:
        with messages.open("rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - 4096))
            lines = stream.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    line = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return line if len(line) <= most else line[: most - 1] + "…"


def _measure(command: list[str], report: Path, messages: Path) -> tuple[str, str]:
    """Run a command through the measuring process; return what that prints, empty if it broke, and its complaint."""
    complaints = messages.with_name("measuring.txt")
    measure = [*python("toolkit.compare.measure"), "--stdout", str(report), "--stderr", str(messages), "--", *command]
    # In a group of its own, so that Ctrl-C reaches only us; closing its standard input ends it, and all below it.
    group: dict[str, Any] = {} if sys.platform == "win32" else {"process_group": 0}
    with complaints.open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603 - our own command
            measure,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stream,
            env={**os.environ, **PINNED},
            text=True,
            **group,
        )
    assert process.stdin is not None  # noqa: S101 - both are pipes
    assert process.stdout is not None  # noqa: S101
    try:
        return process.stdout.read(), last_line(complaints)
    finally:
        process.stdin.close()
        _end(process)
        process.stdout.close()


def _end(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _told(report: dict[str, Any]) -> Told:
    return Told(
        workers=int(report["workers"]),
        client=report["client"],
        succeeded=int(report["succeeded"]),
        skipped=sum(report["skipped"].values()),
        failed=sum(report["failed"].values()),
        startup_seconds=float(report["startup_seconds"]),
        loop_p99=float(report["loop"]["p99"]) if report.get("loop") else None,
    )


def _ending(code: int, messages: Path) -> str:
    how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
    said = last_line(messages)
    return f"{how}: {said}" if said else how
