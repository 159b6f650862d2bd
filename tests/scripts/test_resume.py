"""The table of half-made files: how a verdict comes about, and that the README's is of these scenarios."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from _scenarios import NAME, SCENARIOS, Asked, read
from resume import MARKED, README, Ended, markdown, ours, verdict

RIGHT = b"0123456789"
HALF = RIGHT[:5]


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (Ended(0, 5, RIGHT), None, "right, resumed"),
        (Ended(0, 10, RIGHT), None, "right"),
        (Ended(0, 0, RIGHT), None, "right"),
        (Ended(0, 5, HALF), None, "**only 50% of it**, exit 0"),
        (Ended(0, 5, b"x" * 10), None, "**wrong bytes**, exit 0"),
        (Ended(0, 5, None), None, "**no file**, exit 0"),
        (Ended(18, 5, HALF), Ended(0, 5, RIGHT), "exit 18; run again: right"),
        (Ended(18, 5, HALF), Ended(0, 5, b"x"), "exit 18; run again: **wrong bytes**, exit 0"),
        (Ended(33, 5, HALF), Ended(33, 5, HALF), "stuck: exit 33 each time"),
        (Ended(None, 5, HALF), Ended(1, 5, HALF), "stuck: no end in 45 s, then exit 1"),
        (Ended(22, 0, RIGHT), Ended(22, 0, RIGHT), "exit 22 each time, yet the file is right"),
    ],
)
def test_verdict(tmp_path: Path, first: Ended, second: Ended | None, told: str) -> None:
    """Exit code 0 and every byte is right; resumed if less than all was sent for it."""
    assert verdict(RIGHT, first, second or first, tmp_path) == told


def test_what_was_whole_is_not_resumed(tmp_path: Path) -> None:
    """A tool may hang up on an answer that it does not need; that is not to go on with a part."""
    assert verdict(RIGHT, Ended(0, 5, RIGHT), Ended(0, 5, RIGHT), tmp_path, some=False) == "right"


def test_a_right_file_beside_is_told(tmp_path: Path) -> None:
    """A tool that leaves the half and puts the whole under another name has not failed in silence."""
    (tmp_path / f"{NAME}.1").write_bytes(RIGHT)
    told = verdict(RIGHT, Ended(0, 10, HALF), Ended(0, 10, HALF), tmp_path)
    assert told == f"**only 50% of it**, exit 0 (the right one in `{NAME}.1`)"


def test_requests_are_read() -> None:
    """Ranges and conditions, whatever the case of their names."""
    asked = read('GET /object.bin HTTP/1.1\r\nRANGE: bytes=5-\r\nif-range: "Old"\r\n\r\n')
    assert asked == Asked("GET", 5, None, '"Old"')
    assert read("HEAD /object.bin HTTP/1.1\r\nRange: bytes=5-9\r\n\r\n") == Asked("HEAD", 5, 9, "")


def test_toolkit_has_one_column_only_if_all_agree() -> None:
    """A model or client that differs is shown, not hidden behind the others."""
    tools = ours()
    told = {(tool.name, scenario.name): "right" for tool in tools for scenario in SCENARIOS}
    assert markdown(tools, told).splitlines()[0].count("toolkit") == 1
    told[tools[-1].name, "S1"] = "stuck"
    assert markdown(tools, told).splitlines()[0].count("toolkit") == len(tools)


def test_readme_has_the_table_of_these_scenarios() -> None:
    """Every scenario has its row, and toolkit, in the last column, is right in all."""
    found = MARKED.search(README.read_text())
    assert found
    rows = [re.split(r" *(?<!\\)\| *", line)[1:-1] for line in found[0].splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows[1:]] == [scenario.title for scenario in SCENARIOS]
    assert rows[0][-1].startswith("toolkit")
    assert all(row[-1].startswith("right") for row in rows[1:])
