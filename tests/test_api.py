"""The Python API: the command's options by name, a Summary back, outcomes as they land."""

from __future__ import annotations

import pydoc
import signal
import subprocess
import sys
import threading
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import toolkit
from samples.serve import SampleServer
from toolkit.apps.resize.options import ResizeOptions
from toolkit.core.errors import MissingExtra
from toolkit.core.task import Failure, Skip, Success
from toolkit.reporting import Event, RunFinished, RunStarted, TaskSettled

SAMPLES = Path(__file__).parent.parent / "samples"


def test_call_returns_the_summary(server: SampleServer, tmp_path: Path) -> None:
    """A single source may be given without a list; failures are in the summary, not raised."""
    summary = toolkit.download(f"{server.url}files/terms.txt", tmp_path, model="sequential")
    assert (summary.succeeded, summary.exit_code, summary.model) == (1, 0, "sequential")
    summary = toolkit.download([f"{server.url}files/terms.txt", f"{server.url}no"], str(tmp_path), workers=2)
    assert (summary.skipped, summary.failed, summary.exit_code) == ({"already downloaded": 1}, {"http": 1}, 1)


def test_stream_yields_every_outcome_as_it_lands(server: SampleServer, tmp_path: Path) -> None:
    """Success, Skip and Failure come one by one, with the task that they are of."""
    urls = [f"{server.url}files/terms.txt", f"{server.url}no", f"{server.url}files/terms.txt#again"]
    outcomes = {outcome.task.index: outcome for outcome in toolkit.download.stream(urls, tmp_path)}
    assert [type(outcomes[n]) for n in range(3)] == [Success, Failure, Skip]


def test_stream_stops_the_run_when_it_is_closed(server: SampleServer, tmp_path: Path) -> None:
    """Leaving the loop leaves no thread behind, and what was not done is left for the next call."""
    urls = [f"{server.url}generated/{1000 + n}.bin?delay=0.05" for n in range(100)]
    stream = toolkit.download.stream(urls, tmp_path, workers=2)
    assert isinstance(next(stream), Success)
    stream.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("toolkit")]
    assert len(server.log()["paths"]) < 20
    rest = toolkit.download(urls, tmp_path, per_host=50, workers=50)
    assert rest.succeeded + rest.skips == 100
    assert rest.skips >= 1


def test_reporters_are_told_in_order(server: SampleServer, tmp_path: Path) -> None:
    """A reporter is any callable that takes events."""
    events: list[Event] = []
    toolkit.download(f"{server.url}files/terms.txt", tmp_path, reporters=[events.append])
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunFinished)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"frob": 1}, "toolkit.download has no option 'frob'"),
        ({"existing": "eat"}, "existing='eat': choose from 'skip'"),
        ({"model": "magic"}, "unknown model 'magic'"),
        ({"workers": 0}, "--workers 0"),
        ({"workers": "three"}, "--workers 'three': give a number from 1, or auto"),
        ({"delay": "x"}, "delay='x': give float"),
        ({"header": {"a": "b"}}, "header: give tuple"),
        ({"ca_file": "nowhere.pem"}, "nowhere.pem"),
    ],
)
def test_call_raises_usage_error_for_options_that_cannot_be(
    options: dict[str, Any], words: str, tmp_path: Path
) -> None:
    """A wrong option is an exception with one clear line, before anything is written."""
    with pytest.raises(toolkit.UsageError, match=words):
        toolkit.download("http://h/x", tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_second_run_is_refused_while_the_first_is_using_the_output(server: SampleServer, tmp_path: Path) -> None:
    """Two runs never share a store."""
    stream = toolkit.download.stream([f"{server.url}files/terms.txt", f"{server.url}files/hours.json"], tmp_path)
    next(stream)
    with pytest.raises(toolkit.UsageError, match="another run is using"):
        toolkit.download(f"{server.url}files/terms.txt", tmp_path)
    stream.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("download_files.py", "1 new, 0 there already, 1 failed"),
        ("resize_pictures.py", "coffee-cmyk.jpg: 300x200"),
        ("scrape_pages.py", "1 rows, 0 skipped, 1 failed of 2 pages"),
    ],
)
def test_sample_program_works_as_its_first_line_says(
    program: str, words: str, server: SampleServer, tmp_path: Path
) -> None:
    """The three programs run as they are."""
    urls = [f"{server.url}item/cat-oval.html", f"{server.url}none"]
    arguments = {
        "download_files.py": [*urls, str(tmp_path / "out")],
        "resize_pictures.py": [str(SAMPLES / "pictures"), str(tmp_path / "out")],
        "scrape_pages.py": [*urls, str(tmp_path / "rows.csv")],
    }[program]
    done = subprocess.run(
        [sys.executable, SAMPLES / program, *arguments], capture_output=True, text=True, timeout=50, check=False
    )
    assert words in done.stdout, done.stderr
    assert done.returncode == (0 if program.startswith("resize") else 1)


def test_reporter_that_fails_stops_the_run_but_loses_nothing(server: SampleServer, tmp_path: Path) -> None:
    """The error reaches the caller, after what has landed was stored."""

    def broken(event: Event) -> None:
        if isinstance(event, TaskSettled):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        toolkit.download(f"{server.url}files/terms.txt", tmp_path, reporters=[broken])
    assert toolkit.download(f"{server.url}files/terms.txt", tmp_path).skipped == {"already downloaded": 1}


def test_one_text_stands_for_itself_where_several_may_be_given(server: SampleServer, tmp_path: Path) -> None:
    """A field is not taken apart into letters; an int is a number of errors."""
    url = f"{server.url}item/cat-oval.html"
    summary = toolkit.scrape(url, tmp_path / "rows.jsonl", field="t=title", max_errors=5)
    assert summary.succeeded == 1
    assert '"t": "' in (tmp_path / "rows.jsonl").read_text()


def test_plan_shows_what_would_be_done(server: SampleServer, tmp_path: Path) -> None:
    """As --dry-run: nothing is made."""
    planned = list(toolkit.download.plan([f"{server.url}files/terms.txt", "ftp://h/x"], tmp_path / "out"))
    assert [type(each).__name__ for each in planned] == ["Task", "Failure"]
    assert not (tmp_path / "out").exists()


def picture(path: Path, colour: str = "red", size: tuple[int, int] = (40, 20)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def test_options_are_taken_as_python_writes_them(tmp_path: Path) -> None:
    """Lists, numbers, paths and sizes with units are as good as the command line's texts."""
    picture(tmp_path / "in/a.png")
    summary = toolkit.resize(
        tmp_path / "in",
        tmp_path / "out",
        sizes=[10, 20],
        formats=["png", "jpeg"],
        max_bytes="200KB",
        op="blur:2",
        srcset=str(tmp_path / "s.html"),
        model="sequential",
        memory="1GB",
    )
    assert summary.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.name[0] != ".") == [
        "a-10.jpg",
        "a-10.png",
        "a-20.jpg",
        "a-20.png",
    ]
    assert "a-20.jpg 20w" in (tmp_path / "s.html").read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_bytes": "big"}, "--max-bytes: 'big' is not a size"),
        ({"sizes": []}, "--sizes '': give from 1 to"),
        ({"sizes": [10, 10]}, "one is there twice"),
        ({"size": (10, 10)}, r"size=\(10, 10\): give str"),
        ({"watch": True}, r"toolkit\.resize\.watch\(\) goes on"),
        ({"in_place": True}, "-o out|--in-place"),
        ({"sice": "10x10"}, "no option 'sice'"),
    ],
)
def test_options_of_pictures_that_cannot_be(options: dict[str, Any], words: str, tmp_path: Path) -> None:
    """They are refused in one line, before anything is made."""
    picture(tmp_path / "in/a.png")
    with pytest.raises(toolkit.UsageError, match=words):
        toolkit.resize(tmp_path / "in", tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_watch_does_what_changes(tmp_path: Path) -> None:
    """The Summary of each run comes as the run ends: of all at first, then of what is new or changed."""
    pytest.importorskip("watchfiles")
    stop = threading.Event()
    picture(tmp_path / "in/a.png")
    runs = toolkit.resize.watch(tmp_path / "in", tmp_path / "out", stop=stop, size="10x", fresh=True, model="threads")
    assert next(runs).succeeded == 1
    picture(tmp_path / "in/new/b.png")
    summary = next(runs)
    while not summary.succeeded:  # a slow machine may have told of the folder first
        summary = next(runs)
    assert (summary.succeeded, summary.skipped) == (1, {"up to date": 1})
    assert (tmp_path / "out/new/b.png").exists()
    stop.set()
    assert list(runs) == []


def test_watch_ends_in_the_midst_of_a_run(tmp_path: Path) -> None:
    """What is done stays done; the next call does the rest."""
    pytest.importorskip("watchfiles")
    stop = threading.Event()
    for number in range(200):
        picture(tmp_path / f"in/{number}.png")

    def told(event: Event) -> None:
        if isinstance(event, TaskSettled):
            stop.set()

    watching = toolkit.resize.watch(
        tmp_path / "in", tmp_path / "out", stop=stop, size="10x", reporters=[told], model="sequential"
    )
    (summary,) = watching
    assert (summary.status, summary.reason) == ("stopped", "told to stop")
    assert 0 < summary.succeeded < 200


def test_watch_ends_by_ctrl_c(tmp_path: Path) -> None:
    """Be it that the run which it reaches has nothing left to stop."""
    pytest.importorskip("watchfiles")
    picture(tmp_path / "in/a.png")

    def interrupt(event: Event) -> None:
        if isinstance(event, RunFinished):
            signal.raise_signal(signal.SIGINT)

    watching = toolkit.resize.watch(
        tmp_path / "in", tmp_path / "out", size="10x", reporters=[interrupt], model="sequential"
    )
    assert [(summary.status, summary.succeeded) for summary in watching] == [("complete", 1)]


def test_watch_raises_what_makes_a_run_impossible(tmp_path: Path) -> None:
    """Two pictures for one name are the caller's to mend."""
    pytest.importorskip("watchfiles")
    picture(tmp_path / "in/a.png")
    runs = toolkit.resize.watch(tmp_path / "in", tmp_path / "out", format="jpeg", model="sequential")
    assert next(runs).succeeded == 1
    picture(tmp_path / "in/a.gif")
    with pytest.raises(toolkit.UsageError, match="would both become"):
        next(runs)


def test_watch_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pip command is named before anything is done."""
    picture(tmp_path / "in/a.png")
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    with pytest.raises(MissingExtra, match=r"pip install 'toolkit\[watch\]'"):
        next(toolkit.resize.watch(tmp_path / "in", tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_watch_where_nothing_can_be_watched(tmp_path: Path) -> None:
    """The network tells nobody of its changes."""
    with pytest.raises(toolkit.UsageError, match=r"toolkit\.download has nothing that could be watched"):
        next(toolkit.download.watch("http://h/x", tmp_path))


def test_help_names_every_option() -> None:
    """help(toolkit.resize) is a page about it, not about a class."""
    page = pydoc.plain(pydoc.render_doc(toolkit.resize))
    for field in fields(ResizeOptions):
        assert f" {field.name}: " in page
    assert " fit: 'contain' | 'cover' | " in page
    assert "toolkit.resize.watch(...)" in page
    assert ".watch(...)" not in pydoc.plain(pydoc.render_doc(toolkit.download))
