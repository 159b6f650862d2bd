"""The app around the pixels: options, what is up to date, what crosses a process, what is loaded when."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.apps.resize.making import Blank, corners, one, perform, run, saved
from toolkit.apps.resize.colour_words import parse_colour
from toolkit.apps.resize.job import ResizeApp
from toolkit.apps.resize.names import folded, from_text, shown, to_text
from toolkit.apps.resize.options import ResizeOptions
from toolkit.apps.resize.picture import Picture
from toolkit.apps.resize.result import Resized
from toolkit.apps.resize.targets import Target
from toolkit.core.errors import FailureKind, UsageError
from toolkit.core.job import App, Remembered
from toolkit.core.task import Failure, Skip, Success, Task


def _app(source: Path, out: Path, **options: Any) -> ResizeApp:
    app = ResizeApp([str(source)], out, ResizeOptions(**options))
    app.prepare()
    return app


def _done(app: App) -> tuple[Task[Any], Remembered]:
    """Do the one task of an app; return it and what a store would know of it."""
    (task,) = app.plan(Blank())
    assert isinstance(task, Task)
    assert isinstance(app, ResizeApp)
    outcome = perform(app, task)
    assert isinstance(outcome, Success)
    value = json.loads(json.dumps(app.record(outcome.value)))
    return task, Remembered(task.key, "done", app.settings, value, 0)


def test_up_to_date_when_nothing_changed(tmp_path: Path) -> None:
    """An unchanged picture with unchanged settings and its result in place is not done again."""
    app = _app(saved(corners(), tmp_path / "a.png"), tmp_path / "out", size="10x10")
    task, known = _done(app)
    skip = app.recall(task, known)
    assert isinstance(skip, Skip)
    assert skip.reason == "up to date"


def test_up_to_date_when_something_changed(tmp_path: Path) -> None:
    """A change of the picture, its time, the settings or the result is a reason to do it again."""
    source = saved(corners(), tmp_path / "a.png")
    app = _app(source, tmp_path / "out", size="10x10")
    task, known = _done(app)
    assert app.recall(task, Remembered(known.key, "failed", known.settings, known.value, 0)) is task
    assert app.recall(task, Remembered(known.key, "done", "other", known.value, 0)) is task
    result = tmp_path / "out/a.png"
    result.write_bytes(result.read_bytes() + b"!")
    assert app.recall(task, known) is task
    result.unlink()
    assert app.recall(task, known) is task


def test_up_to_date_when_only_the_time_changed(tmp_path: Path) -> None:
    """A picture of the same size and another time is read: its content decides."""
    source = saved(corners(), tmp_path / "a.png")
    app = _app(source, tmp_path / "out", size="10x10")
    _, known = _done(app)
    os.utime(source, ns=(1, 1))
    (task,) = app.plan(Blank())
    assert isinstance(task, Task)
    assert isinstance(app.recall(task, known), Skip)
    data = bytearray(source.read_bytes())
    data[-1] ^= 1
    source.write_bytes(data)
    (task,) = app.plan(Blank())
    assert isinstance(task, Task)
    assert app.recall(task, known) is task


def test_settings_when_options_differ(tmp_path: Path) -> None:
    """Every option that changes bytes changes the digest; a limit that changes none does not."""
    changes: list[dict[str, Any]] = [
        {},
        {"size": "10x10"},
        {"fit": "cover"},
        {"enlarge": True},
        {"format": "png"},
        {"quality": 50},
        {"background": "black"},
        {"op": ("blur",)},
        {"op": ("blur:3",)},
        {"op": ("blur", "invert")},
        {"op": ("invert", "blur")},
        {"profile": "keep"},
        {"metadata": "strip"},
    ]
    digests = [ResizeApp([], tmp_path, ResizeOptions(**change)).settings for change in changes]
    assert len(set(digests)) == len(changes)
    assert ResizeApp([], tmp_path, ResizeOptions(max_pixels=5)).settings == digests[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": "big"}, "--size: 'big' is not a size"),
        ({"fit": "squash"}, "fit='squash': choose from 'contain', 'cover'"),
        ({"format": "bmp"}, "--format: 'bmp' is none of jpeg, png"),
        ({"quality": 0}, "--quality 0"),
        ({"quality": 101}, "--quality 101"),
        ({"background": "#12"}, "--background: '#12' is not a colour"),
        ({"op": ("swirl",)}, "--op: there is no operation 'swirl'"),
        ({"op": ("invert:2",)}, "--op: 'invert:2': invert takes no arguments"),
        ({"op": ("blur:-1",)}, "--op: 'blur:-1': radius is a number from 0.1 to 100"),
        ({"op": ("blur:nan",)}, "--op: 'blur:nan'"),
        ({"op": ("blur:",)}, "--op: 'blur:'"),
        ({"profile": "p3"}, "--profile p3"),
        ({"metadata": "some"}, "metadata='some': choose from 'no-gps'"),
        ({"max_pixels": 0}, "--max-pixels 0"),
    ],
)
def test_options_when_wrong(options: dict[str, Any], words: str) -> None:
    """A wrong option is refused at once, in one line that says what to write."""
    with pytest.raises(UsageError) as caught:
        ResizeOptions(**options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("white", (255, 255, 255, 255)),
        ("#abc", (170, 187, 204, 255)),
        ("#010203", (1, 2, 3, 255)),
        ("#01020304", (1, 2, 3, 4)),
        ("Transparent", (255, 255, 255, 0)),
    ],
)
def test_colour_when_written_well(text: str, colour: tuple[int, ...]) -> None:
    """Colours are names or hexadecimal."""
    assert parse_colour(text) == colour


def test_job_and_result_cross_a_process(tmp_path: Path) -> None:
    """Job, task and result are small and picklable, and a task survives the store."""
    app = _app(saved(corners(), tmp_path / "a.png"), tmp_path / "out", op=("blur",))
    (task,) = app.plan(Blank())
    assert isinstance(task, Task)
    assert pickle.loads(pickle.dumps((app.job, task))) == (app.job, task)
    assert app.load(task.key, json.loads(json.dumps(app.dump(task))), 0) == task
    outcome = perform(app, task)
    assert isinstance(outcome, Success)
    assert len(pickle.dumps(outcome.value)) < 1000
    assert pickle.loads(pickle.dumps(outcome.value)) == outcome.value


def test_result_says_what_was_done(tmp_path: Path) -> None:
    """A result names its file, size and time, and those of the picture it was made from."""
    source = saved(corners(), tmp_path / "in/x/a.png")
    (outcome,) = run([tmp_path / "in"], tmp_path / "out", size="60x", format="webp")
    assert isinstance(outcome, Success)
    value: Resized = outcome.value
    facts = source.stat()
    assert (value.output, value.width, value.height, value.frames) == ("x/a.webp", 60, 40, 1)
    assert (value.source_size, value.source_mtime_ns) == (facts.st_size, facts.st_mtime_ns)
    assert min(value.decode, value.process, value.encode) > 0
    assert outcome.task.cost > 0
    assert outcome.task.memory > 120 * 80 * 4


def test_output_when_it_is_the_input(tmp_path: Path) -> None:
    """It is refused before anything is made there."""
    saved(corners(), tmp_path / "a.png")
    app = ResizeApp([str(tmp_path)], tmp_path, ResizeOptions())
    with pytest.raises(UsageError, match="both input and output"):
        app.prepare()
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_task_that_leads_outside_is_blocked(tmp_path: Path) -> None:
    """No name, however it came into a task, writes outside the output folder."""
    source = saved(corners(), tmp_path / "a.png")
    app = _app(source, tmp_path / "out")
    outcome = perform(app, Task("x", Picture(str(source), (Target("../b.png", 0, "png"),))))
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.BLOCKED
    assert not (tmp_path / "b.png").exists()


def test_imaging_library_is_not_loaded_to_plan(tmp_path: Path) -> None:
    """Help and plans start fast: Pillow is loaded by the first picture."""
    saved(corners(), tmp_path / "in/a.png")
    code = f"""
import sys
from pathlib import Path
from toolkit.apps.resize.job import ResizeApp
from toolkit.apps.resize.options import ResizeOptions
from toolkit.apps.resize.picture import Picture
from toolkit.store import Store
app = ResizeApp([{str(tmp_path / "in")!r}], Path({str(tmp_path / "out")!r}), ResizeOptions(size="9x9"))
assert len(list(app.plan(Store(None)))) == 1
assert not [name for name in sys.modules if name.split(".")[0] == "PIL"]
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


def test_size_when_none_is_asked_for(tmp_path: Path) -> None:
    """Without --size only what was asked for is done."""
    image, _ = one(saved(corners(), tmp_path / "a.png"), tmp_path / "out")
    assert image.tobytes() == corners().tobytes()


def test_enlarge_when_asked_for(tmp_path: Path) -> None:
    """Small pictures stay small unless --enlarge."""
    source = saved(Image.new("RGB", (8, 4), (9, 9, 9)), tmp_path / "a.png")
    assert one(source, tmp_path / "o1", size="16x16")[0].size == (8, 4)
    assert one(source, tmp_path / "o2", size="16x16", enlarge=True)[0].size == (16, 8)


@pytest.mark.parametrize("name", ["a.png", "caf\u00e9/x.png", os.fsdecode(b"caf\xe9/\xff.png"), "//odd", "a%b"])
def test_names_as_text(name: str) -> None:
    """Any name becomes text that can be stored and shown; the text gives the name back."""
    to_text(name).encode()
    shown(name).encode()
    if not name.startswith("//"):
        assert from_text(to_text(name)) == name


def test_names_when_folded() -> None:
    """Names that some file system takes for one are equal once folded."""
    assert folded("CAF\u00c9.png") == folded("cafe\u0301.PNG")
    assert folded("a.png") != folded("b.png")
