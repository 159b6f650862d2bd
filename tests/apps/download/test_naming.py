"""Who gets which name: the same outcome in any order of planning and landing, and no file lost on the way."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.apps.download.test_names import assert_safe
from tests.test_store import APP
from toolkit.apps.download.names import distinct, folded, from_user
from toolkit.apps.download.naming import Naming, Suggested
from toolkit.core.errors import TaskError
from toolkit.core.task import Success, Task
from toolkit.store import Store

A, B, C, D = (f"http://h/{letter}?id=1" for letter in "abcd")


class Folder:
    """A folder of files that name their owners, its store, and one plan after the other."""

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self.path = path
        self.store = Store(None)
        self.overwrite = overwrite
        self.begin("first")

    def begin(self, plan: str) -> None:
        """Begin another run."""
        self.store.begin("download", plan, "sequential", 1, "")
        self.naming = Naming(self.path, overwrite=self.overwrite)
        self.naming.live = True

    def plan(self, name: str, key: str) -> str:
        """Plan a task and let its file come at once."""
        found = self.naming.planned(name, key, key, self.store)
        target = self.path / found
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(key)
        return found

    def land(self, name: str, key: str, index: int, *, recorded: bool = True) -> str:
        """Let a file come that its server calls name."""
        found = self.naming.suggested(name, key, index, self.store.plan, self.store)
        (self.path / found).write_text(key)
        if recorded:
            self.record(found, key, index)
        return found

    def record(self, name: str, key: str, index: int) -> None:
        """Keep what came."""
        self.store.record(APP, [Success(Task(key, None, index=index), {"name": name, "suggested": name, "bytes": 1})])

    @property
    def files(self) -> dict[str, str]:
        """The owner of each file."""
        found = [path for path in self.path.rglob("*") if path.is_file()]
        return {path.relative_to(self.path).as_posix(): path.read_text() for path in found}

    def stored(self, key: str) -> str:
        """Return the name that the store has for a task."""
        known = self.store.recall(key)
        assert known is not None
        return str(known.value["name"])


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_planned_names_are_the_same_in_every_run(folder: Folder) -> None:
    """The first in the list has the plain name, the others a mark of their URL, for ever."""
    first = {key: folder.plan("x.txt", key) for key in (A, B, C)}
    assert first == {A: "x.txt", B: distinct("x.txt", B), C: distinct("x.txt", C)}
    folder.begin("second")
    assert {key: folder.plan("x.txt", key) for key in (C, A, B)} == first


def test_planned_names_are_the_same_for_another_spelling_of_the_url(folder: Folder) -> None:
    """What the store knows by one spelling is not given away by another."""
    assert folder.naming.planned("ä", "http://h/ä", "http://h/%C3%A4", folder.store) == "ä"
    assert folder.naming.planned("ä", "http://h/%C3%A4", "http://h/%C3%A4", folder.store) == "ä"


def test_folders_and_files_never_share_a_name(folder: Folder) -> None:
    """The later one is marked, whichever sort it is; folders may differ by case only."""
    assert folder.plan("a/b", A) == "a/b"
    assert folder.plan("a", B) == distinct("a", B)
    assert folder.plan("A/c", C) == "A/c"
    assert folder.plan("x", C) == "x"
    marked = folder.plan("x/y/z", D)
    assert marked == f"{distinct('x', 'x')}/y/z"
    assert folder.plan("x/y/w", "http://h/w") == f"{distinct('x', 'x')}/y/w"
    assert set(folder.files.values()) == {A, B, C, D, "http://h/w"}


def test_suggestion_is_taken_when_it_is_free(folder: Folder) -> None:
    """Not when a planned name, a folder or somebody else's file has it; those stay as they are."""
    folder.plan("planned.pdf", A)
    folder.plan("folder/x", B)
    (folder.path / "mine.pdf").write_text("precious")
    assert folder.land("free.pdf", C, 2) == "free.pdf"
    for name in ("Planned.PDF", "folder", "mine.pdf"):
        assert folder.land(name, D, 3) == distinct(name, D)
    assert folder.files["mine.pdf"] == "precious"


def test_suggestion_replaces_the_files_of_others_when_told(tmp_path: Path) -> None:
    """Overwrite means what it says, but for files of the plan."""
    folder = Folder(tmp_path, overwrite=True)
    (folder.path / "mine.pdf").write_text("old")
    folder.plan("planned.pdf", A)
    assert folder.land("mine.pdf", B, 1) == "mine.pdf"
    assert folder.land("planned.pdf", C, 2) == distinct("planned.pdf", C)


def test_outcome_is_the_same_in_any_order_of_landing(tmp_path: Path) -> None:
    """The first in the list has the plain name in the end, every file is there once, and the store knows it."""
    wishes = {0: "r.pdf", 1: "R.PDF", 2: "r.pdf", 3: "s.pdf", 4: "late.bin", 5: "r.pdf"}
    keys = {index: f"http://h/get?id={index}" for index in wishes}
    outcomes = set()
    shuffled = random.Random(3)
    for number in range(40):
        order = list(wishes)
        shuffled.shuffle(order)
        path = tmp_path / str(number)
        path.mkdir()
        folder = Folder(path)
        planned_after = shuffled.randrange(len(order))
        waiting = []
        for place, index in enumerate(order):
            if place == planned_after:  # a line further down, whose URL gives the name
                folder.plan("late.bin", A)
            now = shuffled.random() < 0.5  # the store hears of a landing now, or some landings later
            name = folder.land(wishes[index], keys[index], index, recorded=now)
            waiting += [] if now else [(name, keys[index], index)]
        for name, key, index in waiting:
            folder.record(name, key, index)
        folder.naming.finish(folder.store)
        stored = {folder.stored(key): key for key in keys.values()}
        assert {name: key for name, key in folder.files.items() if key != A} == stored
        for (key, _), name in folder.naming.moved.items():
            assert folder.files[name] == key
        outcomes.add(tuple(sorted(folder.files.items())))
    assert len(outcomes) == 1
    files = dict(outcomes.pop())
    assert (files["r.pdf"], files["s.pdf"], files["late.bin"]) == (keys[0], keys[3], A)
    assert files[distinct("R.PDF", keys[1])] == keys[1]


def test_names_of_earlier_lists_stay(folder: Folder) -> None:
    """A later list takes no name from a file that has it; the same list, gone on with, does by its order."""
    folder.land("r.pdf", B, 5)
    folder.begin("second")
    assert folder.land("r.pdf", A, 0) == distinct("r.pdf", A)
    assert folder.naming.planned("r.pdf", C, C, folder.store) == distinct("r.pdf", C)
    folder.begin("first")
    assert folder.land("r.pdf", D, 1) == "r.pdf"
    assert folder.files == {"r.pdf": D, distinct("r.pdf", A): A, distinct("r.pdf", B): B}
    assert (folder.stored(B), folder.stored(D)) == (distinct("r.pdf", B), "r.pdf")


def test_kept_finds_a_file_that_moved_before_the_store_had_it(folder: Folder) -> None:
    """A kill between the two leaves the old name in the store; who owns it tells the new one."""
    folder.land("r.pdf", B, 1, recorded=False)
    folder.land("r.pdf", A, 0)
    folder.record("r.pdf", B, 1)
    folder.begin("first")
    assert folder.naming.kept("r.pdf", B, folder.store) == distinct("r.pdf", B)
    assert folder.naming.kept("r.pdf", A, folder.store) == "r.pdf"
    assert folder.naming.kept("gone.pdf", A, folder.store) == "gone.pdf"


def test_preview_moves_no_file(folder: Folder) -> None:
    """What is only shown is not done."""
    folder.land("r.pdf", B, 1)
    folder.naming.live = False
    assert folder.naming.planned("r.pdf", A, A, folder.store) == "r.pdf"
    assert folder.files == {"r.pdf": B}


def test_planned_name_survives_its_own_suggestion(folder: Folder) -> None:
    """A name that a server gave first and the plan gives later belongs to the plan: nobody in it takes it away."""
    folder.land("x.txt", A, 0)
    assert folder.plan("x.txt", A) == "x.txt"
    assert folder.plan("x.txt", B) == distinct("x.txt", B)
    assert folder.files["x.txt"] == A


def test_move_that_the_disk_refuses_is_a_failure(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the task that asked for the name; nothing is replaced."""
    folder.land("r.pdf", B, 1)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr("toolkit.apps.download.naming.os.replace", refuse)
    with pytest.raises(TaskError, match="cannot write"):
        folder.land("r.pdf", A, 0)
    assert folder.files == {"r.pdf": B}


def test_owner_text_is_told_from_a_url() -> None:
    """What the store keeps of a suggestion comes back whole."""
    wish = Suggested('http://h/"x', 3, "p q", "a\tb")
    assert Suggested.read(wish.owner) == wish
    assert Suggested.read("http://h/{}") is None


_parts = st.sampled_from(["a", "A", "b.txt", "B.TXT", "caf\xe9", "cafe\u0301", "x" * 300 + ".tar.gz", "con"])
_paths = st.lists(st.lists(_parts, min_size=1, max_size=3).map("/".join).map(from_user), min_size=1, max_size=12)


@settings(max_examples=100, deadline=None)
@given(_paths)
def test_planned_names_are_distinct_safe_and_stable(paths: list[str]) -> None:
    """Of any list: no two files for one name on any file system, no file where a folder is, the same names again."""
    urls = [f"http://h/{number}" for number in range(len(paths))]
    store, folder = Store(None), Path("nowhere")

    def plan(store: Store) -> list[str]:
        naming = Naming(folder, overwrite=False)
        return [naming.planned(path, url, url, store) for path, url in zip(paths, urls, strict=True)]

    found = plan(store)
    files = [folded(path) for path in found]
    folders = {folded("/".join(path.split("/")[:depth])) for path in found for depth in range(1, path.count("/") + 1)}
    assert len(set(files)) == len(files)
    assert not folders & set(files)
    for path in found:
        for part in path.split("/"):
            assert_safe(part)
    assert plan(store) == found == plan(Store(None))
    store.close()
