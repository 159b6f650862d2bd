"""Tables and verdicts of resizing: who is compared with whom."""

from __future__ import annotations

from _measure import Taken
from _quality import Quality
from _resize_results import Result, table, verdicts
from _resize_rows import ROWS
from _results import Standing
from _tools import Tool


def standing(name: str, seconds: float, family: str = "", wrong: str = "") -> Standing:
    """Return a tool with one run, of which half is processor time."""
    tool = Tool(name, family or name.partition(" ")[0], f"`{name} options`", lambda *_: [])
    runs = [] if wrong else [Taken(seconds, seconds / 4, seconds / 4, 50_000_000, 0)]
    return Standing(tool, runs, wrong=wrong)


def result(row: str, *standings: Standing, **qualities: float) -> Result:
    """Return a row of a hundred pictures; qualities: dB of the tools, with _ for the space in a name."""
    told = {name.replace("_", " "): Quality(psnr, 0.98, 50_000) for name, psnr in qualities.items()}
    return Result(ROWS[row], 100, list(standings), told)


def test_table() -> None:
    """Fastest first, with the ratios to both engines and the quality; who has no figure comes last."""
    told = result(
        "icons",
        standing("toolkit pillow", 2),
        standing("vipsthumbnail", 3),
        standing("gm mogrify", 0, wrong="exit code 1"),
        toolkit_pillow=36.3,
    )
    lines = table(told).splitlines()
    assert lines[0] == "### icons: 100 icons of 64 to 128 pixels into 48×48, PNG"
    assert lines[4] == (
        "| **toolkit pillow** | `toolkit pillow options` | 2.00 | 2.00–2.00 | 1.00 | 10.0 | 50 | 1.00× |  "
        "| 36.30 | 0.9800 | 50.0 |"
    )
    assert "| 1.50× |  | – | – | – |" in lines[5]
    assert lines[6].endswith("| exit code 1 |")
    assert len({line.count("|") for line in lines[2:]}) == 1


def test_each_engine_has_its_peers() -> None:
    """Pillow's is vipsthumbnail's batch; vips's are sharp, however it is run, and xargs."""
    told = list(
        verdicts(
            [
                result(
                    "icons",
                    standing("toolkit pillow", 2.0),
                    standing("toolkit vips", 1.0),
                    standing("vipsthumbnail", 2.3),
                    standing("sharp", 1.2),
                    standing("sharp tuned", 0.9),
                    standing("xargs -n8 vipsthumbnail", 1.3, "xargs vipsthumbnail"),
                    standing("mogrify", 0.1),
                )
            ]
        )
    )
    assert [(met, line.split(" is the goal")[0]) for met, line in told] == [
        (False, "icons, vipsthumbnail: at least 1.2× as fast"),
        (False, "icons, sharp tuned: at least 1× as fast"),
        (True, "icons, xargs -n8 vipsthumbnail: at least 1.3× as fast"),
    ]
    assert told[0][1].endswith("1.15× it is (toolkit pillow 2.00 s, vipsthumbnail 2.30 s)")


def test_several_results_race_separate_runs() -> None:
    """Twice as fast as the fastest of them; sharp, which makes all in one, is not among them."""
    told = list(
        verdicts([result("sizes", standing("toolkit pillow", 2), standing("mogrify", 4.2), standing("sharp", 1))])
    )
    assert [(met, line.partition(":")[0]) for met, line in told] == [(True, "sizes, mogrify")]


def test_quality_must_not_be_lower() -> None:
    """What does not show in the table is no difference."""
    for ours, met in ((36.26, True), (36.2, False)):
        told = list(verdicts([result("icons", toolkit_vips=ours, vipsthumbnail=36.3)]))
        assert [each for each, line in told if "quality" in line] == [met]


def test_models_must_agree() -> None:
    """Neither may be over a tenth slower; a variant of ours without a figure is a miss."""
    for threads, met in ((1.09, True), (1.2, False), (0.8, False)):
        told = result("photos", standing("toolkit vips processes", 1), standing("toolkit vips threads", threads))
        assert [each for each, _ in verdicts([told])] == [met]
    broken = result("photos", standing("toolkit pillow", 0, wrong="exit code 2"))
    assert list(verdicts([broken])) == [(False, "photos: toolkit pillow has no figure: exit code 2")]
