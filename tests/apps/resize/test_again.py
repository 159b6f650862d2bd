"""What failed as the sources were looked through is looked at anew by --retry-failed, and never blocks the others."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import toolkit
from tests.apps.resize.making import corners, saved
from toolkit.apps.resize.job import ResizeApp
from toolkit.apps.resize.options import ResizeOptions
from toolkit.apps.resize.picture import Picture
from toolkit.core.task import Failure, Task
from toolkit.reporting import Summary
from toolkit.store import Store

NO_PICTURE = "the name is a picture's, but it is no picture, or damaged at its start"
LATER = "it can be read now: repeat the command without --retry-failed"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder with a text under a picture's name, and a picture that is cut off."""
    whole = io.BytesIO()
    corners().save(whole, "PNG")
    (tmp_path / "in/x").mkdir(parents=True)
    (tmp_path / "in/cut.png").write_bytes(whole.getvalue()[:200])
    (tmp_path / "in/x/text.png").write_bytes(b"hello")
    return tmp_path / "in"


def done(photos: Path, **options: Any) -> Summary:
    """Do the folder."""
    return toolkit.resize(photos, photos.parent / "out", **{"size": "10x", "model": "sequential", **options})


def tried_again(photos: Path, **options: Any) -> Summary:
    """Try again what failed in the output folder, naming no sources."""
    return toolkit.resize([], photos.parent / "out", retry_failed=True, model="sequential", size="10x", **options)


def reasons(summary: Summary) -> list[str]:
    """Return why tasks failed, in order."""
    return sorted(group.message for group in summary.failures)


def test_fails_again_with_its_reason(photos: Path) -> None:
    """Once and twice; the others are tried."""
    first = done(photos)
    assert (first.errors, NO_PICTURE in reasons(first)) == (2, True)
    saved(corners(), photos / "cut.png")
    again = tried_again(photos)
    assert (again.status, again.succeeded, reasons(again)) == ("complete", 1, [NO_PICTURE])
    assert reasons(tried_again(photos)) == [NO_PICTURE]


def test_done_when_it_has_become_a_picture(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever folder the command is given in; it is up to date from then on."""
    monkeypatch.chdir(photos.parent)
    toolkit.resize("in", "out", size="10x", model="sequential")
    saved(corners(), photos / "x/text.png")
    monkeypatch.chdir(photos)
    assert (again := tried_again(photos)).succeeded == 1
    assert again.errors == 1
    with Image.open(photos.parent / "out/x/text.png") as image:
        assert image.size == (10, 7)
    assert done(photos).skipped == {"up to date": 1}


def test_fails_again_when_it_is_gone(photos: Path) -> None:
    """It cannot be read."""
    done(photos)
    (photos / "x/text.png").unlink()
    assert "cannot be read: No such file or directory" in reasons(tried_again(photos))


def test_refused_when_somebody_has_its_name(photos: Path) -> None:
    """As in a run that is no retry."""
    done(photos)
    saved(corners(), photos / "x/text.png")
    (photos.parent / "out/x").mkdir()
    (photos.parent / "out/x/text.png").write_bytes(b"mine")
    assert tried_again(photos).failed == {"name": 1, "image": 1}
    assert (photos.parent / "out/x/text.png").read_bytes() == b"mine"


@pytest.mark.parametrize("existing", ["update", "overwrite"])
def test_left_when_another_picture_has_its_name(existing: str, photos: Path) -> None:
    """A whole run tells of it; a retry does not replace the other's result."""
    saved(corners(), photos / "x/text.gif")
    assert done(photos, format="webp").succeeded == 1
    result = photos.parent / "out/x/text.webp"
    facts = result.stat()
    saved(corners(), photos / "x/text.png")
    assert LATER in reasons(tried_again(photos, format="webp", existing=existing))
    assert result.stat().st_mtime_ns == facts.st_mtime_ns


def test_left_when_names_are_numbers(photos: Path) -> None:
    """Its own is not known unless all are counted."""
    naming = "{index}.{ext}"
    done(photos, name_template=naming)
    saved(corners(), photos / "x/text.png")
    assert LATER in reasons(tried_again(photos, name_template=naming))


@pytest.mark.parametrize("form", ["png", "webp"])
def test_in_place(form: str, photos: Path) -> None:
    """It is done if its result takes its own place, and else left to a run that sees the others."""
    options: dict[str, Any] = {"in_place": True, "backup": photos.parent / "backup", "format": form, "size": "10x"}
    (photos / "cut.png").unlink()
    assert toolkit.resize(photos, model="sequential", **options).errors == 1
    saved(corners(), photos / "x/text.png")
    again = toolkit.resize(photos, model="sequential", retry_failed=True, **options)
    assert (again.succeeded, reasons(again)) == ((1, []) if form == "png" else (0, [LATER]))
    last = toolkit.resize(photos, model="sequential", **options)
    assert (last.succeeded, last.skips, last.errors) == ((0, 1, 0) if form == "png" else (1, 0, 0))


def test_left_when_it_is_a_folder(photos: Path, tmp_path: Path) -> None:
    """One that could not be read, and now can, holds any number of pictures."""
    app = ResizeApp([], tmp_path / "out", ResizeOptions(size="10x"))
    app.meet(store := Store(None))
    failed = app.dump(Task("x", Picture(str(photos / "x"), origin="x")))
    outcome = app.load("x", json.loads(json.dumps(failed)), 0)
    assert isinstance(outcome, Failure)
    assert outcome.message == LATER
    store.close()
