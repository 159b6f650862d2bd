"""Tables and verdicts: what is compared with what."""

from __future__ import annotations

import pytest
from _measure import Taken
from _results import Result, Standing, table, verdicts
from _rows import ROWS, Row
from _tools import Tool


def standing(name: str, seconds: float, at_once: int | None = None, *, told: bool = False, wrong: str = "") -> Standing:
    """Return a tool with one run, of which a tenth is processor time."""
    tool = Tool(name, name, f"`{name} options`", lambda *_: [], at_once, told)
    runs = [] if wrong else [Taken(seconds, seconds / 20, seconds / 20, 50_000_000, 0)]
    return Standing(tool, runs, wrong=wrong)


def result(row: Row, *standings: Standing) -> Result:
    """Return a row of a thousand files of 10 KB."""
    return Result(row, 1000, 10_000_000, list(standings))


def test_table_tells_options_and_processor_time_for_each_file_and_gigabyte() -> None:
    """Fastest first; who has no figure comes last, with the reason."""
    lines = table(
        result(
            ROWS["small-http"], standing("slow", 4), standing("toolkit", 2), standing("bad", 0, wrong="1 of 2 files")
        )
    ).splitlines()
    assert lines[0] == "### small-http: 1,000 × 10 KB"
    assert lines[4] == "| **toolkit** | `toolkit options` | 2.00 | 2.00–2.00 | 0.20 | 0.20 | 20.00 | 50 | 1.00× |"
    assert lines[5] == "| slow | `slow options` | 4.00 | 4.00–4.00 | 0.40 | 0.40 | 40.00 | 50 | 2.00× |"
    assert lines[6] == "| bad | `bad options` | – | | | | | | 1 of 2 files |"
    assert len({line.count("|") for line in lines[2:]}) == 1


def test_default_races_the_best_peer_however_it_is_run() -> None:
    """The peer's better number counts against our default; equal numbers are a race of their own."""
    told = list(
        verdicts(
            [
                result(
                    ROWS["small-http"],
                    standing("toolkit", 1.0),
                    standing("toolkit", 0.8, 16),
                    standing("wget2", 1.5),
                    standing("wget2", 1.2, 16),
                    standing("aria2c", 4.0),
                )
            ]
        )
    )
    assert [met for met, _ in told] == [False, True, True]
    assert [line.split(" is the goal")[0] for _, line in told] == [
        "small-http, best peer: at least 1.3× as fast",
        "small-http, aria2c: at least 4× as fast",
        "small-http, all at 16: faster",
    ]
    assert told[0][1].endswith("1.20× it is (toolkit 1.00 s, wget2 1.20 s)")


@pytest.mark.parametrize(
    ("name", "at_once", "seconds", "met"), [("slow", None, 0.9, True), ("slow-64", 64, 1.1, False)]
)
def test_rows_of_one_number_race_at_that(name: str, at_once: int | None, seconds: float, met: bool) -> None:
    """Where all have their defaults, or all the same number, there is one verdict."""
    told = list(verdicts([result(ROWS[name], standing("toolkit", seconds, at_once), standing("curl", 1.0, at_once))]))
    assert [each for each, _ in told] == [met]


def test_told_to_split_is_a_race_of_its_own() -> None:
    """Who must be told does not race those that were not."""
    told = list(
        verdicts(
            [
                result(
                    ROWS["capped"],
                    standing("toolkit", 2.0),
                    standing("toolkit", 1.0, told=True),
                    standing("aria2c", 3.0),
                    standing("aria2c", 0.9, told=True),
                )
            ]
        )
    )
    assert [(met, line.split(":")[0]) for met, line in told] == [
        (True, "capped, best peer"),
        (False, "capped, told to split"),
    ]


def test_no_figure_of_ours_is_a_miss() -> None:
    """A row that toolkit got wrong is not passed over."""
    told = list(verdicts([result(ROWS["big-tls"], standing("toolkit", 0, wrong="exit code 1"), standing("curl", 1.0))]))
    assert told == [(False, "big-tls: toolkit has no figure")]
