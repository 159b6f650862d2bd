"""Comparisons as text: the table, the notes, and names from outside that must stay text."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest

from tests.compare.fakes import OUTPUT, FakeRuns, attempt, variants
from toolkit.compare.digests import overall
from toolkit.compare.document import document, schema
from toolkit.compare.environment import doubts, environment
from toolkit.compare.results import Attempt, Comparison, Missing
from toolkit.compare.rounds import orders, race, reference_of
from toolkit.compare.verdicts import flagged, standings
from toolkit.reporting.markdown import how, markdown, notes, plain, rows

SAME = overall(OUTPUT)[:8]
TWICE = {"sequential": [attempt(2)], "threads": [attempt(1)]}


def compared(attempts: dict[str, list[Attempt]], rounds: int = 5) -> dict[str, Any]:
    """Return the document of a comparison of written runs, held to its schema."""
    several = variants(*attempts)
    reference, order = reference_of(several), orders(several, rounds, 1)
    points = flagged(several, race(order, reference, FakeRuns(attempts)))
    facts = {**environment(), "load_before": 0.1, "usable_cpus": 2}
    found = document(
        Comparison(
            app="download",
            standings=standings(several, reference, points),
            points=points,
            order=tuple(tuple(variant.name for variant in names) for names in order),
            missing=(Missing("trio", "'trio' is not installed: pip install 'toolkit[trio]'"),),
            rounds=rounds,
            seed=1,
            environment=facts,
            warnings=tuple(doubts(facts, rounds)),
            started="2026-01-01T00:00:00+00:00",
            command=("toolkit", "compare", "download", "https://me:secret@example.org/", "a\n# head"),
        )
    )
    jsonschema.Draft202012Validator(schema()).validate(found)
    again: dict[str, Any] = json.loads(json.dumps(found))
    return again


def test_rows_when_one_is_faster() -> None:
    """Median, range, speed-up with its interval, verdict, and what it took."""
    assert rows(compared(TWICE)) == [
        [
            "sequential",
            "2",
            "requests",
            SAME,
            "2.00 s",
            "2.00–2.00",
            "1",
            "",
            "reference",
            "1.0",
            "0.30 s",
            "20.0 MB",
            "10 ms",
        ],
        [
            *("threads", "2", "requests", SAME, "1.00 s", "1.00–1.00", "2.00×", "2.00–2.00", "faster"),
            *("2.0", "0.30 s", "20.0 MB", "10 ms"),
        ],
    ]


def test_rows_when_one_is_invalid() -> None:
    """It shows no figures at all, so that nobody reads a speed from them."""
    found = compared({**TWICE, "asyncio": [attempt(0.1, {"a.txt": "1", "b.txt": "x"})]})
    assert rows(found)[2][3] not in (SAME, "–")
    assert rows(found)[2][4:] == ["–", "–", "–", "–", "INVALID", "–", "–", "–", "–"]
    assert notes(found)[0] == "asyncio is INVALID: 'b.txt' differs"
    assert found["exit_code"] == 1


def test_rows_when_nothing_could_be_measured() -> None:
    """A comparison of which nothing came is still a table, not a traceback."""
    found = compared({"threads": [Attempt(problem="could not be measured: no")]})
    assert "INVALID" in plain(found)
    assert "Nothing was measured." in markdown(found)


def test_rows_when_the_reference_is_invalid() -> None:
    """The others have their times, and no speed-up."""
    found = compared({"sequential": [attempt(problem="exit code 70", exit_code=70)], "threads": [attempt(1)]})
    assert rows(found)[1][4:9] == ["1.00 s", "1.00–1.00", "–", "", "no reference"]


def test_rows_when_rounds_are_few() -> None:
    """A ratio may be shown; an interval of so few would look like knowledge."""
    found = compared(TWICE, rounds=2)
    assert rows(found)[1][6:9] == ["2.00×", "", "too few rounds"]
    assert "Warning: too few rounds for a verdict (2): at least 5 are needed." in notes(found)


def test_doubts_when_the_machine_is_busy() -> None:
    """A load of more than half the CPUs is named."""
    assert doubts({"load_before": 1.0, "usable_cpus": 2}, 5) == []
    assert doubts({"load_before": None, "usable_cpus": 2}, 5) == []
    assert "load average 1.1 on 2 CPUs" in doubts({"load_before": 1.1, "usable_cpus": 2}, 5)[0]


def test_notes_when_there_is_something_to_say() -> None:
    """Points far out, processes left behind and models left out are named."""
    times = [1.0, 1.0, 1.1, 1.2, 1.3, 9.0]
    found = compared({"threads": [attempt(each) for each in times]})
    found["points"][2]["measured"]["left_behind"] = 1
    assert notes(found) == [
        "Far from the other times of threads, and counted all the same: 9.00 s.",
        "threads left 1 process behind, which had to be killed.",
        "Left out: trio: 'trio' is not installed: pip install 'toolkit[trio]'",
    ]


def test_notes_when_there_are_event_loops() -> None:
    """How late they came round is told beside the figures that it explains: the median of the rounds."""
    found = compared({"threads": [attempt(2)] * 6, "asyncio": [attempt(1)] * 6})
    late = iter([9.0, 0.04, 0.001, 0.02, 0.03, 0.05])
    for point in found["points"]:
        point["told"]["loop_p99"] = next(late) if point["variant"] == "asyncio" else None
    jsonschema.Draft202012Validator(schema()).validate(found)
    assert "The event loop of asyncio was late by 30 ms at one time in a hundred." in notes(found)
    assert not [note for note in notes(found) if "loop of threads" in note]


def test_how_when_figures_are_second_best() -> None:
    """Resident sizes and sampled CPU times are called what they are."""
    found = compared(TWICE)
    assert "memory is proportional (PSS), the highest of 4 samples." in how(found)[3]
    poorer = copy.deepcopy(found)
    poorer["points"][-1]["measured"] |= {"memory_kind": "rss", "memory_samples": 9, "cpu_exact": False}
    assert "resident (RSS)" in how(poorer)[3]
    assert "4 to 9 samples. CPU time is sampled" in how(poorer)[3]


def test_plain_when_printed() -> None:
    """Columns stand below their headings, and no line ends in spaces."""
    lines = plain(compared(TWICE)).splitlines()
    assert lines[0].index("verdict") == lines[1].index("reference") == lines[2].index("faster")
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a|b\n# head", "`x` *y* [z](http://x)", "\x1b[31mred"])
def test_markdown_when_a_name_is_hostile(name: str) -> None:
    """A task's name adds no row, heading, tag, link or colour."""
    page = markdown(compared({**TWICE, "asyncio": [attempt(1, {name: "x"})]}))
    harmless = markdown(compared({**TWICE, "asyncio": [attempt(1, {"name": "x"})]}))
    assert len(page.splitlines()) == len(harmless.splitlines())
    assert "<script" not in page
    assert "\n# head" not in page
    assert "[z](" not in page
    assert "\x1b" not in page


def test_markdown_when_it_holds_secrets() -> None:
    """A password in a URL is not written down; every raw point is."""
    page = markdown(compared(TWICE))
    assert "secret" not in page
    assert "| threads | 1.000 | 1.000 | 1.000 | 1.000 | 1.000 | 1.000 |" in page
