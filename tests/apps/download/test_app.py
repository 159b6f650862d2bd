"""From lists to tasks: names for ever, what is here already, and lines that are no URL."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.apps.download.fakes import Answer, ScriptedClient, Thing, perform
from toolkit.apps.download.fetch import Wanted
from toolkit.apps.download.job import APP, DownloadApp
from toolkit.apps.download.options import DownloadOptions
from toolkit.core.errors import FailureKind, UsageError
from toolkit.core.http import Request
from toolkit.core.schedule import Planned
from toolkit.core.task import Failure, Outcome, Skip, Success, Task
from toolkit.store import Store

A, B, C = "http://a/x.txt", "http://b/x.txt", "http://c/X.TXT"


class Runs:
    """Runs of the downloader in one folder, as the conductor does them, one task after the other."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "out"
        self.out.mkdir()
        self.client = ScriptedClient(Thing(b"body"))

    def app(self, sources: Sequence[str], **options: Any) -> DownloadApp:
        """Return the app of one run."""
        return DownloadApp(sources, self.out, DownloadOptions(**options))

    def plan(self, sources: Sequence[str], **options: Any) -> list[Planned]:
        """Return what a run would do."""
        store = Store(self.out / ".toolkit.sqlite")
        plan = self._planned(self.app(sources, **options), store)
        store.rollback()
        store.close()
        return plan

    def run(self, sources: Sequence[str], **options: Any) -> list[Outcome]:
        """Do all tasks and keep what became of them."""
        app = self.app(sources, **options)
        store = Store(app.state)
        store.begin("download", "list", "sequential", 1, "")
        ends = [perform(self.client, app.job, p) if isinstance(p, Task) else p for p in self._planned(app, store)]
        store.record(app, [end for end in ends if end is not None])
        store.close()
        return [end for end in ends if end is not None]

    @property
    def files(self) -> dict[str, str]:
        """The files in the folder."""
        return {path.name: path.read_text() for path in self.out.iterdir() if path.name[0] != "."}

    def _planned(self, app: DownloadApp, store: Store) -> list[Planned]:
        plan: list[Planned] = []
        for planned in app.plan(store):
            known = store.recall(planned.key) if isinstance(planned, Task) else None
            plan.append(app.recall(planned, known) if isinstance(planned, Task) and known else planned)
        return plan


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def names(plan: Sequence[Planned]) -> list[str]:
    return [task.payload.name for task in plan if isinstance(task, Task)]


def reasons(ends: Sequence[Planned | Outcome]) -> list[str]:
    return [end.reason for end in ends if isinstance(end, Skip)]


def test_plan_makes_a_task_of_each_line(runs: Runs, tmp_path: Path) -> None:
    """Key and payload keep the line as it stands, less its fragment; the lane is the host that is asked."""
    lines = tmp_path / "list"
    lines.write_text("# files\n\nhttp://A:80/ä b#top\nhttps://b/y?q=1\n")
    assert runs.plan([str(lines)]) == [
        Task("http://A:80/ä b", Wanted("http://A:80/ä b", "ä b"), "a:80", index=0),
        Task("https://b/y?q=1", Wanted("https://b/y?q=1", "y"), "b:443", index=1),
    ]


def test_plan_fails_each_bad_line_with_its_number(runs: Runs, tmp_path: Path) -> None:
    """What cannot be fetched says where it stands, and the rest goes on."""
    lines = tmp_path / "list.txt"
    lines.write_text("ftp://h/x\n\nnonsense\nhttp://\nhttp://h:99999/\nhttp://h/[\nhttp://ok/y\n")
    plan = runs.plan([str(lines)])
    failures = [failure for failure in plan if isinstance(failure, Failure)]
    assert [failure.message.partition(": ")[0] for failure in failures] == [f"list.txt:{n}" for n in (1, 3, 4, 5)]
    assert {failure.kind for failure in failures} <= {FailureKind.BLOCKED, FailureKind.INPUT}
    assert names(plan) == ["[", "y"]


def test_plan_skips_when_a_url_comes_again(runs: Runs) -> None:
    """Spellings that ask for the same bytes are the same; the store keeps the first one's place."""
    ends = runs.run([A, A, A + "#part", "http://a/x%2Etxt", B])
    assert reasons(ends) == ["duplicate"] * 2
    assert [type(end) for end in ends] == [Success, Skip, Skip, Success, Success]
    assert [end.task.key for end in ends].count(A) == 1


def test_names_differ_when_urls_share_one(runs: Runs) -> None:
    """Also by case only, and by the spelling of an accent: some file systems take them for one."""
    plan = runs.plan([A, B, C, "http://d/caf%C3%A9", "http://e/cafe%CC%81"])
    found = names(plan)
    assert (found[0], found[3]) == ("x.txt", "café")
    assert len({name.casefold() for name in found}) == 5
    assert all(name.startswith(("x-", "X-", "café-")) for name in (found[1], found[2], found[4]))


def test_names_stay_when_the_run_is_repeated_in_another_order(runs: Runs) -> None:
    """A URL keeps the name that it got first, whatever the lists say later."""
    first = {task.key: task.payload.name for task in runs.plan([A, B, C]) if isinstance(task, Task)}
    runs.run([A, B, C])
    later = runs.plan([C, "http://z/x.txt", B, A], existing="overwrite")
    found = {task.key: task.payload.name for task in later if isinstance(task, Task)}
    assert {key: found[key] for key in first} == first
    assert len(set(found.values())) == 4


def test_names_are_the_same_when_two_folders_get_the_same_list(runs: Runs, tmp_path: Path) -> None:
    """Nothing but the list decides."""
    (tmp_path / "other").mkdir()
    assert names(runs.plan([A, B, C])) == names(Runs(tmp_path / "other").plan([A, B, C]))


def test_run_does_only_what_is_missing_when_repeated(runs: Runs) -> None:
    """Run the same command again: what is here is skipped, what was removed or changed in size is fetched."""
    assert [type(end) for end in runs.run([A, B, C])] == [Success] * 3
    assert reasons(runs.run([A, B, C])) == ["already downloaded"] * 3
    assert len(runs.client.asked) == 3
    second, third = names(runs.plan([A, B, C], existing="overwrite"))[1:]
    (runs.out / second).unlink()
    (runs.out / third).write_text("cut")
    assert [type(end) for end in runs.run([A, B, C])] == [Skip, Success, Success]
    assert set(runs.files.values()) == {"body"}


def test_run_asks_the_server_when_existing_is_update(runs: Runs) -> None:
    """With what was known of the file: a 304 leaves it, a change fetches it."""
    thing = Thing(b"body", modified="Sat, 01 Mar 2025 10:00:00 GMT")
    runs.client.script = thing
    runs.run([A])
    assert reasons(runs.run([A], existing="update")) == ["not modified"]
    thing.body, thing.etag = b"changed", '"v2"'
    assert isinstance(runs.run([A], existing="update")[0], Success)
    assert runs.files == {"x.txt": "changed"}
    assert runs.client.sent("if-none-match") == [None, '"v1"', '"v1"']
    assert reasons(runs.run([A], existing="update")) == ["not modified"]


def test_run_fetches_without_condition_when_the_file_to_update_is_gone(runs: Runs) -> None:
    """There is nothing that could be up to date."""
    runs.run([A])
    (runs.out / "x.txt").unlink()
    assert isinstance(runs.run([A], existing="update")[0], Success)
    assert runs.client.sent("if-none-match") == [None, None]


def test_run_fetches_again_when_existing_is_overwrite(runs: Runs) -> None:
    """Every time, and without asking."""
    runs.run([A])
    runs.client.script = Thing(b"other")
    assert isinstance(runs.run([A], existing="overwrite")[0], Success)
    assert runs.files == {"x.txt": "other"}


def test_run_leaves_the_files_of_others_alone_however_often_it_runs(runs: Runs) -> None:
    """A file that we did not fetch is not ours to replace: not in the first run, and not in the second."""
    (runs.out / "x.txt").write_text("precious")
    for _ in range(3):
        assert reasons(runs.run([A])) == ["a file of this name is there already"]
    assert runs.files == {"x.txt": "precious"}
    assert runs.client.asked == []


def test_run_leaves_the_files_of_others_alone_when_the_url_failed_before(runs: Runs) -> None:
    """A failure in the store does not make a file ours."""
    runs.client.script = _missing
    assert isinstance(runs.run([A])[0], Failure)
    (runs.out / "x.txt").write_text("precious")
    runs.client.script = Thing(b"body")
    assert reasons(runs.run([A])) == ["a file of this name is there already"]
    assert runs.files == {"x.txt": "precious"}


def test_run_replaces_the_files_of_others_when_told(runs: Runs) -> None:
    """Overwrite means what it says."""
    (runs.out / "x.txt").write_text("precious")
    runs.run([A], existing="overwrite")
    assert runs.files == {"x.txt": "body"}


def test_run_fetches_again_when_it_failed_before(runs: Runs) -> None:
    """A failure is not remembered as done; what an earlier success taught is."""
    runs.client.script = _missing
    assert isinstance(runs.run([A])[0], Failure)
    runs.client.script = Thing(b"body")
    assert isinstance(runs.run([A])[0], Success)
    assert reasons(runs.run([A])) == ["already downloaded"]


def test_load_undoes_dump(runs: Runs) -> None:
    """--retry-failed gets the task that failed, and a bad line as the failure it was."""
    runs.client.script = _missing
    ends = runs.run([A, "http://b/\udce9 #x", "ftp://h/x"])
    store = Store(runs.out / ".toolkit.sqlite")
    again = list(store.failed(runs.app([])))
    store.close()
    assert again[:2] == [end.task for end in ends[:2]]
    assert isinstance(again[2], Failure)
    assert again[2].kind is FailureKind.BLOCKED


def test_app_refuses_what_cannot_be(tmp_path: Path) -> None:
    """A missing list or a malformed header is found before anything is made."""
    with pytest.raises(UsageError, match="neither a URL nor a readable file"):
        DownloadApp(["missing.txt"], tmp_path, DownloadOptions())
    for header in ("no colon", ": x", "A: b\r\nC: d", "A: \0"):
        with pytest.raises(UsageError, match=r"write 'Name: value'|plain ASCII"):
            DownloadApp([A], tmp_path, DownloadOptions(header=(header,)))
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot write to the output folder"):
        DownloadApp([A], tmp_path / "file", DownloadOptions()).prepare()


def test_app_sends_the_headers_that_were_asked_for(runs: Runs) -> None:
    """The user's own fields, the user agent, and a wish for bytes as they are."""
    runs.run([A], header=("X-Key:  secret ", "Accept: text/plain"), user_agent="me")
    assert runs.client.sent("x-key") == ["secret"]
    assert runs.client.sent("accept-encoding") == ["identity"]
    assert runs.client.sent("user-agent") == ["me"]
    assert APP is DownloadApp


def _missing(_: Request) -> Answer:
    return Answer(404)
