"""The store on real files: what it remembers, whom it refuses, and what a kill or a full disk leaves."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolkit.core.errors import FailureKind, RunStopped, UsageError
from toolkit.core.job import Job, Memory, Remembered
from toolkit.core.task import Failure, Skip, Success, Task, Timing
from toolkit.store import Store, schema
from toolkit.store.schema import APPLICATION, SCHEMA

KEYS = (
    "plain",
    "caf\xe9",
    "a name \udce9\udcff",
    "\x1a",
    "\x1a1a",
    "\x1au0041",
    "\ud800 alone",
    "nul\0",
    "",
    "日本\U0001f600",
)


class Notes:
    """An app whose values and payloads are dicts already."""

    name = "notes"
    network = False
    usual_model = "sequential"
    total = None
    state = None
    job: Job[Any, Any]

    def __init__(self, settings: str = "1") -> None:
        self.settings = settings

    def plan(self, memory: Memory) -> Iterator[Task[Any] | Skip | Failure | None]:
        """Plan nothing."""
        yield from ()

    def recall(self, task: Task[Any], known: Remembered) -> Task[Any] | Skip:
        """Do everything again."""
        return task

    def record(self, value: dict[str, Any]) -> dict[str, Any]:
        """Keep the value as it is."""
        return value

    def land(self, task: Task[Any], value: Any, memory: Memory) -> Any:
        """Return the value as it is."""
        return value

    def dump(self, task: Task[Any]) -> dict[str, Any]:
        """Wrap the payload."""
        return {"payload": task.payload}

    def load(self, key: str, payload: dict[str, Any], index: int) -> Task[Any] | Failure:
        """Unwrap the payload."""
        return Task(key, payload["payload"], index=index)

    def prepare(self) -> None:
        """Need nothing."""

    def finish(self, memory: Memory) -> None:
        """Leave nothing."""


APP = Notes()
CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_store import APP, done
from toolkit.core.errors import RunStopped, UsageError
from toolkit.store import Store
def say(text):
    print(text, flush=True)
try:
    store = Store(Path(sys.argv[1]))
    store.begin("notes", "p", "sequential", 1, "child")
except UsageError as error:
    say(error)
    sys.exit(2)
"""


def done(key: str, index: int = 0, **value: Any) -> Success[Any]:
    return Success(Task(key, None, index=index), value)


def failed(key: str, index: int = 0, message: str = "404", payload: Any = None) -> Failure:
    return Failure(Task(key, payload, index=index, attempt=4), FailureKind.HTTP, message)


def open_run(path: Path | None, plan: str = "p") -> Store:
    store = Store(path)
    store.begin("notes", plan, "sequential", 1, "notes x")
    return store


def child(program: str, path: Path, **kwargs: Any) -> subprocess.Popen[str]:
    here = str(Path(__file__).parent)
    return subprocess.Popen(
        [sys.executable, "-c", CHILD + program, path, here], stdin=-1, stdout=-1, text=True, **kwargs
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".toolkit.sqlite"


def test_recall_when_nothing_is_known(path: Path) -> None:
    """An unknown task is None; opening makes the file."""
    store = open_run(path)
    assert store.recall("x") is None
    assert path.exists()
    store.close()


def test_recall_round_trip_when_keys_are_strange(path: Path) -> None:
    """Keys and names come back as they went in: bytes that are no UTF-8, control characters, lone surrogates."""
    store = open_run(path)
    store.record(APP, [done(key, index, text=key) for index, key in enumerate(KEYS)])
    assert [store.claim("name " + key, key) for key in KEYS] == list(KEYS)
    store.close()
    store = Store(path)
    for index, key in enumerate(KEYS):
        assert store.recall(key) == Remembered(key, "done", "1", {"text": key}, index, "p", 1)
        assert store.claimed("name " + key) == key
    assert [known.key for known in store.done("1")] == list(KEYS)
    store.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=st.lists(st.text(st.characters(codec=None) | st.sampled_from("\x1au01a")), unique=True, max_size=5))
def test_recall_finds_each_key_when_keys_are_anything(keys: list[str]) -> None:
    """No two texts are the same key, and no text is refused."""
    store = open_run(None)
    store.record(APP, [done(key, index) for index, key in enumerate(keys)])
    assert [known.key for known in store.done("1")] == keys
    store.close()


def test_begin_when_the_command_names_a_file_that_is_no_utf8(path: Path) -> None:
    """The history keeps any command line."""
    store = Store(path)
    store.begin("notes", "p", "threads", 2, "toolkit caf\udce9")
    assert store.runs()[0]["command"] == "toolkit caf\udce9"
    store.close()


def test_record_when_a_task_failed_after_a_success(path: Path) -> None:
    """A failure leaves what the success taught; the next success wipes the failure."""
    store = open_run(path)
    store.record(APP, [done("k", etag="abc")])
    store.record(Notes("2"), [failed("k")])
    assert store.recall("k") == Remembered("k", "failed", "2", {"etag": "abc"}, 0, "p", 1)
    assert list(store.done("1")) == []
    store.record(Notes("2"), [done("k", 5, etag="def")])
    assert store.recall("k") == Remembered("k", "done", "2", {"etag": "def"}, 5, "p", 1)
    assert list(store.failed(APP)) == []
    store.close()


def test_record_when_the_outcome_is_a_skip(path: Path) -> None:
    """A skip changes nothing: a duplicate late in the list does not move the first."""
    store = open_run(path)
    store.record(APP, [done("a", 0), done("b", 1), Skip(Task("a", None, index=2), "again"), Skip(Task("c", None), "x")])
    assert [known.key for known in store.done("1")] == ["a", "b"]
    assert store.recall("c") is None
    store.close()


def test_record_when_what_had_failed_needs_no_work(path: Path) -> None:
    """What was tried has failed no longer, and is not done either; what was only planned stays as it is."""
    store = open_run(path)
    store.record(APP, [failed("a"), failed("b"), done("c", etag="abc"), failed("d")])
    store.record(APP, [failed("c")])
    tried = Timing(1.0, 1.5)
    store.record(APP, [*(Skip(Task(key, None), "robots", tried) for key in "acx"), Skip(Task("b", None), "again")])
    assert [each.task.key if isinstance(each, Failure) else each.key for each in store.failed(APP)] == ["b", "d"]
    assert (store.recall("a"), store.recall("x"), [*store.done("1")]) == (None, None, [])
    known = store.recall("c")
    assert known is not None
    assert (known.state, known.settings, known.value) == ("done", "", {"etag": "abc"})
    store.close()


def test_done_is_in_the_order_of_the_plans(path: Path) -> None:
    """The order is that of the lists that brought the tasks, whatever the order in which they ended."""
    store = open_run(path, "first list")
    store.record(APP, [done("c", 2), done("a", 0)])
    store.record(APP, [done("b", 1), failed("x", 3)])
    store.close()
    store = open_run(path, "second list")
    store.record(APP, [done("d", 0)])
    assert [known.key for known in store.done("1")] == ["a", "b", "c", "d"]
    assert list(store.done("other settings")) == []
    store.close()


def test_done_follows_when_a_task_moves_to_another_place(path: Path) -> None:
    """A task that is met again takes its place in the newest list; one that failed keeps its own."""
    store = open_run(path, "first list")
    store.record(APP, [done("a", 0), done("b", 1), failed("f", 2)])
    store.close()
    store = open_run(path, "second list")
    store.keep(Task("b", None, index=0))
    store.record(APP, [done("c", 1)])
    store.keep(Task("a", None, index=2))
    store.keep(Task("f", None, index=9))
    store.close()
    store = open_run(path, "first list")
    assert [(known.key, known.index) for known in store.done("1")] == [("b", 0), ("c", 1), ("a", 2)]
    assert [task.task.index if isinstance(task, Failure) else task.index for task in store.failed(APP)] == [2]
    store.close()


def test_failed_gives_the_tasks_back_when_asked(path: Path) -> None:
    """--retry-failed needs no list: payloads come from the store, first attempt again, in order."""
    store = open_run(path)
    store.record(APP, [failed("b\udcff", 7, "no \udcff", {"n": [1, "\udcff"]}), done("x", 1), failed("a", 3)])
    store.close()
    store = Store(path)
    assert list(store.failed(APP)) == [Task("a", None, index=3), Task("b\udcff", {"n": [1, "\udcff"]}, index=7)]
    store.close()


def test_failed_yields_each_once_when_outcomes_are_recorded_meanwhile(path: Path) -> None:
    """A run reads the failures while it writes what becomes of them."""
    store = open_run(path)
    store.record(APP, [failed(f"k{index:04}", index) for index in range(2000)])
    keys = []
    for number, task in enumerate(store.failed(APP)):
        assert isinstance(task, Task)
        keys.append(task.key)
        store.record(APP, [failed(task.key, task.index) if number % 2 else done(task.key, task.index)])
    assert keys == [f"k{index:04}" for index in range(2000)]
    assert sum(1 for _ in store.failed(APP)) == 1000
    store.close()


def test_claim_belongs_to_the_first_when_two_want_a_name(path: Path) -> None:
    """A name has one owner for ever, in this run and in later ones."""
    store = open_run(path)
    assert store.claimed("x") is None
    assert store.claim("x", "a") == "a"
    assert store.claim("x", "b") == "a"
    store.close()
    store = Store(path)
    assert (store.claim("x", "b"), store.claim("x", "a"), store.claimed("x")) == ("a", "a", "a")
    store.close()


def test_forget_keeps_names_and_history(path: Path) -> None:
    """--fresh does everything again, under the same names; what an earlier run made is known to be ours."""
    store = open_run(path)
    store.record(APP, [done("a", size=1), failed("b"), done("c", size=1), failed("c")])
    store.claim("x", "a")
    store.forget()
    assert (store.recall("b"), list(store.failed(APP)), store.claimed("x"), len(store.runs())) == (None, [], "a", 1)
    assert list(store.done(APP.settings)) == []
    for key in "ac":
        known = store.recall(key)
        assert known is not None
        assert (known.settings, known.value) == ("", {"size": 1})
    store.close()


def test_rollback_undoes_what_a_preview_claimed(path: Path) -> None:
    """A preview changes nothing."""
    store = open_run(path)
    store.claim("x", "a")
    store.rollback()
    store.close()
    store = Store(path)
    assert store.claimed("x") is None
    store.close()


def test_runs_tell_the_history_when_several_ran(path: Path) -> None:
    """Each run with its command, process, times, status and summary; one that was killed has no end."""
    for status in ("complete", None, "stopped"):
        store = open_run(path)
        if status is not None:
            store.end(status, {"failed": 3})
        store.close()
    store = Store(path)
    runs = store.runs()
    assert [run["status"] for run in runs] == ["complete", None, "stopped"]
    assert [run["id"] for run in runs] == [1, 2, 3]
    assert (runs[0]["command"], runs[0]["pid"], runs[0]["summary"]) == ("notes x", os.getpid(), '{"failed": 3}')
    assert runs[0]["started"] <= runs[0]["ended"]
    store.close()


def test_store_in_memory_when_there_is_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written."""
    monkeypatch.chdir(tmp_path)
    store = open_run(None)
    store.record(APP, [done("a")])
    assert store.recall("a")
    store.close()
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_open_refuses_when_a_newer_toolkit_wrote_it(path: Path) -> None:
    """The message tells what to do, and the file stays as it is."""
    Store(path).close()
    with sqlite3.connect(path) as other:
        other.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    other.close()
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"written by a newer toolkit .* pip install -U toolkit, or .*--state FILE"):
        Store(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", [0, SCHEMA, SCHEMA + 7])
def test_open_refuses_when_it_is_another_sqlite_file(path: Path, version: int) -> None:
    """Somebody else's database is named as such, and not changed in one byte, whatever version it bears."""
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
        other.execute(f"PRAGMA user_version = {version}")
    other.close()
    before = path.read_bytes()
    with pytest.raises(UsageError, match=r"some other SQLite file, not a store: --state FILE"):
        Store(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database, but a letter" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_open_refuses_when_the_file_is_garbage(path: Path, content: bytes) -> None:
    """The message names the file and the way out."""
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"cannot use the store .*\.toolkit\.sqlite: .*--state FILE"):
        Store(path)
    assert path.read_bytes() == content


def test_open_refuses_when_the_place_is_no_file(tmp_path: Path) -> None:
    """A folder, or a place in a folder that is not there."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="cannot use the store"):
        Store(tmp_path / "folder")
    with pytest.raises(UsageError, match="cannot write beside the store"):
        Store(tmp_path / "missing" / "store")


def test_open_takes_an_empty_file_when_a_run_was_killed_at_its_start(path: Path) -> None:
    """A file of no bytes is a new store."""
    path.touch()
    store = open_run(path)
    store.record(APP, [done("a")])
    store.close()


def test_open_migrates_when_the_schema_is_older(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step is taken once, in order, and what was known is still known."""
    store = open_run(path)
    store.record(APP, [done("a", size=3)])
    store.close()
    steps = {
        SCHEMA: lambda db: db.execute("ALTER TABLE tasks ADD COLUMN colour TEXT"),
        SCHEMA + 1: lambda db: db.execute("UPDATE tasks SET colour = 'blue'"),
    }
    monkeypatch.setattr(schema, "SCHEMA", SCHEMA + 2)
    monkeypatch.setattr(schema, "MIGRATIONS", steps)
    for _ in range(2):
        store = open_run(path)
        assert store.recall("a") == Remembered("a", "done", "1", {"size": 3}, 0, "p", 1)
        store.close()
    with sqlite3.connect(path) as plain:
        assert plain.execute("SELECT colour FROM tasks").fetchall() == [("blue",)]
        assert plain.execute("PRAGMA user_version").fetchone() == (SCHEMA + 2,)
        assert plain.execute("PRAGMA application_id").fetchone() == (APPLICATION,)
    plain.close()


def test_open_leaves_the_old_schema_when_a_migration_fails(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that breaks half-way is undone; the older toolkit can still use the file."""
    store = open_run(path)
    store.record(APP, [done("a")])
    store.close()

    def broken(db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM tasks")
        db.execute("ALTER TABLE absent ADD COLUMN colour TEXT")

    with monkeypatch.context() as patch:
        patch.setattr(schema, "SCHEMA", SCHEMA + 1)
        patch.setattr(schema, "MIGRATIONS", {SCHEMA: broken})
        with pytest.raises(UsageError, match="no such table"):
            Store(path)
    store = Store(path)
    assert store.recall("a")
    store.close()


def test_open_refuses_when_another_run_has_the_store(path: Path) -> None:
    """Two runs never write one store; when the first ends, however it ends, the next may."""
    store = open_run(path)
    with child("", path) as second:
        assert "another run is using" in second.communicate(timeout=20)[0]
    assert second.returncode == 2
    store.close()
    with child("say('open'); sys.stdin.read()", path) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "open\n"
        with pytest.raises(UsageError, match="another run is using"):
            Store(path)
        first.kill()
    Store(path).close()


def test_kill_loses_nothing_but_what_was_not_committed(path: Path) -> None:
    """After kill -9 the file opens, every acknowledged batch is there, and no batch is there by half."""
    program = (
        "for batch in range(100_000):\n"
        "    store.record(APP, [done(f'{batch}/{n}', batch * 7 + n) for n in range(7)])\n"
        "    store.claim(f'name {batch}', 'owner')\n"
        "    say(batch)\n"
    )
    with child(program, path) as writer:
        assert writer.stdout is not None
        last = [int(writer.stdout.readline()) for _ in range(40)][-1]
        writer.send_signal(signal.SIGKILL)
        last = max([last, *map(int, writer.stdout.read().split("\n")[:-1])])
    store = Store(path)
    keys = [known.key for known in store.done("1")]
    assert len(keys) % 7 == 0
    assert keys[: 7 * (last + 1)] == [f"{batch}/{n}" for batch in range(last + 1) for n in range(7)]
    assert store.claimed(f"name {last - 1}") == "owner"
    assert (
        store._db.execute("SELECT count(*) FROM names").fetchone()[0] == len(keys) // 7 - 1
    )  # the last claim was not committed
    store.close()


def test_record_stops_the_run_when_the_store_may_not_grow(path: Path) -> None:
    """SQLite's own "full": RunStopped names the store; what was there stays."""
    store = open_run(path)
    store.record(APP, [done("a")])
    store._db.execute("PRAGMA max_page_count = 20")
    with pytest.raises(RunStopped, match=r"cannot use the store .*\.toolkit\.sqlite: database or disk is full"):
        store.record(APP, [done(f"k{index}", index, text="x" * 500) for index in range(1000)])
    store.close()
    store = open_run(path)
    assert store.recall("a")
    store.record(APP, [done("b")])
    store.close()


def test_record_goes_on_when_the_disk_has_room_again(path: Path) -> None:
    """What a full disk refused can be recorded a moment later, by the same run."""
    store = open_run(path)
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute("COMMIT")
    store._db.execute(f"PRAGMA max_page_count = {pages + 5}")
    store._db.execute("BEGIN")
    outcomes = [done(f"k{index}", index, text="x" * 500) for index in range(1000)]
    for _ in range(2):
        with pytest.raises(RunStopped, match="database or disk is full"):
            store.record(APP, outcomes)
    store._db.execute("COMMIT")
    store._db.execute("PRAGMA max_page_count = 1000000")
    store._db.execute("BEGIN")
    store.record(APP, outcomes)
    store.close()
    store = open_run(path)
    assert sum(1 for _ in store.done("1")) == 1000
    store.close()


def test_record_stops_the_run_when_the_disk_refuses_more(path: Path) -> None:
    """The real thing: the system lets files grow no further, and says so while the store writes."""
    limit = 400_000
    program = (
        "try:\n"
        "    for batch in range(10_000):\n"
        "        store.record(APP, [done(f'{batch}/{n}', 0, text='x' * 500) for n in range(50)])\n"
        "        print(batch, file=sys.stderr)\n"
        "except RunStopped as error:\n"
        "    say(error)\n"
        "store.close()\n"
    )
    with child(
        program, path, stderr=-1, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    ) as writer:
        out, acknowledged = writer.communicate(timeout=30)
    assert out.startswith(f"cannot use the store {path}: ")
    store = open_run(path)
    batches = len(acknowledged.split())
    assert batches > 1
    assert sum(1 for _ in store.done("1")) >= 50 * batches
    store.record(APP, [done("more")])
    store.close()


def test_store_of_many_tasks_needs_little_memory(path: Path) -> None:
    """200,000 tasks are recorded and read back in constant memory."""
    program = (
        "import resource\n"
        "from test_store import failed\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "def write(start, stop):\n"
        "    for first in range(start, stop, 2000):\n"
        "        make = failed if first % 20_000 == 0 else done\n"
        "        store.record(APP, [make(f'http://host/{n}', n) for n in range(first, first + 2000)])\n"
        "def read(): return sum(1 for _ in store.done('1')) + sum(1 for _ in store.failed(APP))\n"
        "write(0, 20_000); read(); before = peak()\n"
        "write(20_000, 200_000); say(read()); say(peak() - before)\n"
    )
    with child(program, path) as writer:
        count, grown = map(int, writer.communicate(timeout=50)[0].split())
    assert count == 200_000
    assert grown < 20_000  # kilobytes; as objects, they would take six times as much


def test_failed_refuses_when_the_options_have_changed(path: Path) -> None:
    """A retry without the options of the run that failed would make other results."""
    store = open_run(path)
    store.record(APP, [failed("k")])
    with pytest.raises(UsageError, match="1 failed tasks were tried with other options"):
        list(store.failed(Notes("2")))
    store.close()


def test_record_keeps_the_places_when_retrying(path: Path) -> None:
    """A retried task stays where its own list put it."""
    store = open_run(path)
    store.record(APP, [done("a", 0), failed("b", 1), done("c", 2)])
    store.begin("notes", "no list", "threads", 2, "retry")
    store.record(APP, [done("b", 0)], retrying=True)
    assert [known.key for known in store.done("1")] == ["a", "b", "c"]
    store.close()


def test_failed_keeps_to_one_plan_when_asked(path: Path) -> None:
    """With sources, only what they brought is tried again."""
    store = Store(path)
    for plan in ("first", "second"):
        store.begin("notes", plan, "threads", 2, "")
        store.record(APP, [failed(plan)])
    assert [task.key for task in store.failed(APP, "second") if isinstance(task, Task)] == ["second"]
    assert len(list(store.failed(APP))) == 2
    store.close()


def test_store_is_readable_by_its_owner_only(path: Path) -> None:
    """URLs and payloads may hold passwords."""
    open_run(path).close()
    assert path.stat().st_mode & 0o077 == 0
