"""Who races at resizing, with which command, and what counts as right."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import _resizers
import pytest
from _judge import judge
from _resize_rows import ROWS, choose
from _resizers import Bench, Pictures, contestants, find_sharp
from _tools import Tool, pick
from PIL import Image

from toolkit.core.errors import UsageError

BENCH = Bench(Path("toolkit"), Path("/sharp/node_modules"), 3)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """All peers are here."""
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(_resizers, "find_spec", lambda name: name)


def work_of(row: str, folder: Path, count: int = 2) -> Pictures:
    names = tuple(f"{number:04}-a b.jpg" for number in range(count))
    return Pictures(ROWS[row], folder, names, folder / "list.txt")


def command(name: str, row: str, folder: Path) -> str:
    """Return a tool's command as one line."""
    tool = next(tool for tool in contestants(ROWS[row], BENCH, variants=True) if tool.name == name)
    return " ".join(tool.command(work_of(row, folder), Path("/out")))


@pytest.mark.usefixtures("installed")
def test_all_race_where_they_can() -> None:
    """Filters are unknown to vipsthumbnail; models race apart in one row, or in all if asked."""
    names = {row: [tool.name for tool in contestants(ROWS[row], BENCH, variants=False)] for row in ROWS}
    assert len(names["photos"]) == len(set(names["photos"])) == 13
    assert names["icons"] == [name for name in names["photos"] if not name.endswith(("processes", "threads"))]
    assert names["filters"] == ["toolkit pillow", "toolkit vips", "sharp", "sharp tuned", "mogrify", "gm mogrify"]
    assert len(contestants(ROWS["icons"], BENCH, variants=True)) == 13


def test_who_is_not_installed_does_not_race(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only toolkit's first engine is always there."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(_resizers, "find_spec", lambda _: None)
    bench = Bench(Path("toolkit"), None, 2)
    assert [tool.name for tool in contestants(ROWS["icons"], bench, variants=False)] == ["toolkit pillow"]


@pytest.mark.usefixtures("installed")
def test_commands_say_what_the_row_says(tmp_path: Path) -> None:
    """Sizes, formats and quality are in each command; in several results, the peers do one after the other."""
    ours = command("toolkit vips threads", "photos", tmp_path)
    assert ours.endswith("--size 800x800 --format jpeg --quality 85 --engine vips --model threads -j 3 --fresh --quiet")
    several = command("toolkit pillow", "sizes", tmp_path)
    assert "--sizes 320x320,640x640,1280x1280 --formats jpeg,webp --quality 80" in several
    assert "--op grayscale --op blur:2 --op sharpen" in command("toolkit pillow", "filters", tmp_path)
    assert "--quality" not in command("toolkit pillow", "icons", tmp_path)
    assert "-o '/out/%s.jpg[Q=85]' '0000-a b.jpg'" in command("vipsthumbnail", "photos", tmp_path)
    for name in ("vipsthumbnail", "xargs -n8 vipsthumbnail", "mogrify", "gm mogrify"):
        assert command(name, "sizes", tmp_path).count(name.split()[-1]) == 6
    assert "VIPS_CONCURRENCY=1 xargs -a" in command("xargs -n8 vipsthumbnail", "photos", tmp_path)
    assert "-blur 0x2 -unsharp 0x1" in command("mogrify", "filters", tmp_path)
    job = json.loads(command("sharp tuned", "sizes", tmp_path).partition("_sharp.js ")[2])
    assert job["tuned"]
    assert [output["tail"] for output in job["outputs"]][:2] == ["-320.jpg", "-320.webp"]


def test_long_command_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of names in one argument are more than a kernel takes."""
    monkeypatch.setattr(shutil, "which", lambda name: name)
    tools = contestants(ROWS["icons"], BENCH, variants=False)
    peer = next(tool for tool in tools if tool.name == "vipsthumbnail")
    told = peer.command(work_of("icons", tmp_path, 20_000), Path("/out"))
    assert told == ["sh", str(tmp_path / "list.sh")]
    assert (tmp_path / "list.sh").read_text().count("a b.jpg") == 20_000
    assert subprocess.run(["sh", "-n", told[1]], check=False).returncode == 0


def test_sharp_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the folder where it was installed, its node_modules, or one of NODE_PATH."""
    monkeypatch.delenv("NODE_PATH", raising=False)
    modules = tmp_path / "node_modules"
    (modules / "sharp").mkdir(parents=True)
    assert find_sharp(tmp_path) is None
    (modules / "sharp" / "package.json").touch()
    assert find_sharp(tmp_path) == find_sharp(modules) == modules
    assert find_sharp(None) is None
    monkeypatch.setenv("NODE_PATH", f"/nowhere:{modules}")
    assert find_sharp(None) == modules


def test_rows_and_tools_are_chosen() -> None:
    """An unknown one is told, with those that there are."""
    assert [row.name for row in choose("icons, photos")] == ["icons", "photos"]
    with pytest.raises(UsageError, match="--rows photo: choose from photos, mixed"):
        choose("photo")
    tools = [Tool(name, name, "", lambda *_: []) for name in ("one", "other")]
    assert pick([("row", tools)], "oth") == [("row", tools[1:])]
    assert pick([("row", tools), ("empty", [])], "") == [("row", tools)]
    with pytest.raises(UsageError, match="--tools x: none of these rows has such a tool; they have one, other"):
        pick([("row", tools)], "x")


def test_judge_sees_what_is_wrong(tmp_path: Path) -> None:
    """A missing file, another format and a wrong size have no figure; what is right has its quality."""
    source, out = tmp_path / "0000-x.png", tmp_path / "out"
    Image.effect_noise((120, 90), 60).convert("RGB").save(source)
    out.mkdir()
    look, tool = judge(ROWS["icons"], [source], 1), Tool("peer", "peer", "", lambda *_: [])
    assert look(tool, out, False) == "files: none of 1 .png, though it said that all is well"
    with Image.open(source) as picture:
        picture.resize((48, 35)).save(out / "0000-x.jpg")
        assert look(tool, out, False).startswith("files: 1 .jpg of 1 .png")
        (out / "0000-x.jpg").unlink()
        picture.resize((40, 30)).save(out / "0000-x.png")
        assert look(tool, out, False) == ""
        assert look(tool, out, True) == "wrong sizes, though it said that all is well: picture 0000 at 40 pixels"
        picture.resize((48, 36), Image.Resampling.LANCZOS).save(out / "0000-x.png")
    assert not look.qualities
    assert look(tool, out, True) == ""
    assert look.qualities["peer"].psnr > 50


def test_judge_takes_pictures_on_which_all_agree(tmp_path: Path) -> None:
    """Those with a profile, or turned, are resized, but not compared; nor is anything that was filtered."""
    plain = Image.new("RGB", (60, 60))
    exif = Image.Exif()
    exif[274] = 6
    plain.save(tmp_path / "0000-plain.jpg")
    plain.save(tmp_path / "0001-turned.jpg", exif=exif)
    plain.save(tmp_path / "0002-profile.jpg", icc_profile=b"profile")
    sources = sorted(tmp_path.iterdir())
    assert list(judge(ROWS["photos"], sources, 3).samples) == ["0000"]
    assert not judge(ROWS["filters"], sources, 3).samples
