"""Files that cannot fit are told of before the first one is fetched."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from toolkit.apps.download import space
from toolkit.apps.download.job import DownloadApp
from toolkit.apps.download.options import DownloadOptions
from toolkit.apps.download.part import Part
from toolkit.core.errors import RunStopped
from toolkit.core.task import Success, Task
from toolkit.store import Store

A, B = "http://h/a", "http://h/b"


class Usage(NamedTuple):
    """What a disk tells of itself."""

    total: int
    used: int
    free: int


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave 1,000 bytes free on every disk."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10_000, 9_000, 1_000))


def listed(folder: Path, rows: str, name: str = "list.csv") -> str:
    """Return a list with these rows."""
    (folder / name).write_text(f"url,size\n{rows}")
    return str(folder / name)


@pytest.mark.usefixtures("disk")
@pytest.mark.parametrize(
    ("rows", "fits"),
    [
        (f"{A},400\n{B},600\n", True),
        (f"{A},400\n{B},601\n", False),
        (f"{A},900\n{A},900\n", True),  # once
        (f"{A},\n{B},nonsense\nno url,\n", True),  # nothing is known, or told where it is met
    ],
)
def test_check_sums_the_sizes_of_a_list(rows: str, fits: bool, tmp_path: Path) -> None:
    """Of each file once, before anything else; what is not known does not count."""
    sources = [listed(tmp_path, rows)]
    if fits:
        space.check(sources, None, tmp_path / "not" / "there", lambda _: 0)
    else:
        with pytest.raises(RunStopped, match=r"need 1\.0 kB, 1\.0 kB are free in .*not"):
            space.check(sources, None, tmp_path / "not" / "there", lambda _: 0)


@pytest.mark.usefixtures("disk")
def test_check_leaves_out_what_need_not_come(tmp_path: Path) -> None:
    """Files that are here, and the parts of others, take no more room than they have."""
    out, source = tmp_path / "out", listed(tmp_path, f"{A},5000\n{B},2000\n")
    app = DownloadApp([source], out, DownloadOptions())
    app.prepare()
    store = Store(None)
    store.begin("download", "p", "sequential", 1, "")
    with pytest.raises(RunStopped):
        next(app.plan(store))
    (out / "a").write_bytes(bytes(5000))
    Part(out, B).path.write_bytes(bytes(1000))
    store.record(_Keeping(), [Success(Task(A, None), {"name": "a", "bytes": 5000})])  # type: ignore[arg-type]
    assert isinstance(next(app.plan(store)), Task)
    os.truncate(Part(out, B).path, 999)
    with pytest.raises(RunStopped):
        next(app.plan(store))


class _Keeping:
    """An app that keeps values as they are."""

    settings = "1"

    def record(self, value: dict[str, object]) -> dict[str, object]:
        """Keep it."""
        return value


@pytest.mark.usefixtures("disk")
def test_check_reads_no_list_that_is_a_pipe_or_has_no_sizes(tmp_path: Path) -> None:
    """A pipe can be read only once; text has no sizes."""
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "list.txt").write_text(f"{A}\n")
    space.check([str(tmp_path / "pipe.csv"), str(tmp_path / "list.txt"), "-", A], None, tmp_path, lambda _: 0)
