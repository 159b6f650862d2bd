"""From lists to tasks: names for ever, what is here already, and lines that are no URL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.apps.download.fakes import Answer, Script, ScriptedClient, Thing, perform
from toolkit.apps.download.fetch import Wanted
from toolkit.apps.download.job import APP, DownloadApp
from toolkit.apps.download.names import distinct
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
        self.out.mkdir(parents=True)
        self.client = ScriptedClient(Thing(b"body"))
        self.backwards = False

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
        app.prepare()
        ends = [perform(self.client, app.job, p) if isinstance(p, Task) else p for p in self._planned(app, store)]
        if self.backwards:
            ends.reverse()
        landed = [self._landed(app, end, store) for end in ends if end is not None]
        store.record(app, landed)
        app.finish(store)
        store.close()
        return landed[::-1] if self.backwards else landed

    @property
    def files(self) -> dict[str, str]:
        """The files in the folder."""
        return {path.name: path.read_text() for path in self.out.iterdir() if path.name[0] != "."}

    @staticmethod
    def _landed(app: DownloadApp, end: Outcome, store: Store) -> Outcome:
        return replace(end, value=app.land(end.task, end.value, store)) if isinstance(end, Success) else end

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


def test_run_gives_foreign_files_way_when_existing_is_rename(runs: Runs) -> None:
    """Theirs stays, ours gets a mark, once; what is ours and here is up to date."""
    (runs.out / "x.txt").write_text("precious")
    runs.run([A, "http://h/y"], existing="rename")
    assert runs.files == {"x.txt": "precious", distinct("x.txt", A): "body", "y": "body"}
    assert reasons(runs.run([A, "http://h/y"], existing="rename")) == ["already downloaded"] * 2
    assert len(runs.client.asked) == 2


def test_run_does_everything_again_when_it_is_forgotten(runs: Runs) -> None:
    """--fresh fetches what is ours, and leaves what is not."""
    runs.run([A])
    (runs.out / "y").write_text("precious")
    store = Store(runs.out / ".toolkit.sqlite")
    store.forget()
    store.close()
    runs.client.script = Thing(b"other")
    ends = runs.run([A, "http://h/y"])
    assert [type(end) for end in ends] == [Success, Skip]
    assert runs.files == {"x.txt": "other", "y": "precious"}
    assert reasons(runs.run([A])) == ["already downloaded"]


def suggesting(names: dict[str, str]) -> Script:
    """Return a server that names some of its files, and sends each file's URL as its body."""

    def answer(request: Request) -> Answer:
        body = request.url.encode()
        headers = {"Content-Length": str(len(body)), "ETag": f'"{request.url}"'}
        if {key.lower(): value for key, value in request.headers}.get("if-none-match") == headers["ETag"]:
            return Answer(304, b"", headers)
        name = names.get(request.url)
        return Answer(200, body, headers | ({"Content-Disposition": f"attachment; filename={name}"} if name else {}))

    return answer


@pytest.mark.parametrize("backwards", [False, True])
def test_run_names_files_as_their_servers_do(runs: Runs, backwards: bool) -> None:
    """The first of the list has the name that several ask for; names of the plan stay; later runs ask nothing."""
    urls = [f"http://h/get?id={number}" for number in range(4)]
    named = dict(zip(urls, ["r.pdf", "r.pdf", "taken", "s.pdf"], strict=True))
    runs.client.script = suggesting(named)
    runs.backwards = backwards
    everything = [*urls, "http://h/taken"]
    runs.run(everything)
    expected = {"r.pdf": urls[0], "s.pdf": urls[3], "taken": "http://h/taken"}
    expected |= {distinct("r.pdf", urls[1]): urls[1], distinct("taken", urls[2]): urls[2]}
    assert runs.files == expected
    assert reasons(runs.run(everything)) == ["already downloaded"] * 5
    assert reasons(runs.run(everything, existing="update")) == ["not modified"] * 5
    runs.run(everything, existing="overwrite")
    assert runs.files == expected
    assert not list(runs.out.glob(".*.part*"))


def test_run_keeps_to_its_own_names_when_told(runs: Runs) -> None:
    """--url-names, a template, a tree, and a name in the list: no server has a say."""
    url = "http://h/a/get?id=1"
    runs.client.script = suggesting({url: "evil.exe"})
    for options, name in (
        ({"url_names": True}, "get"),
        ({"tree": True}, "h/a/get@id=1"),
        ({"name_template": "{stem}/f"}, "get/f"),
    ):
        out = Runs(runs.out / str(len(name)))
        out.client = runs.client
        out.run([url], **options)
        assert (out.out / name).read_text() == url
        assert not list(out.out.rglob("evil.exe"))


def test_names_in_a_list_are_followed_when_they_change(runs: Runs, tmp_path: Path) -> None:
    """A name that the user writes is the user's to change; the file under the old one stays."""
    lines = tmp_path / "list.csv"
    for name in ("one.txt", "folder/two.txt"):
        lines.write_text(f"url,name\n{A},{name}\n")
        assert [type(end) for end in runs.run([str(lines)])] == [Success]
        assert (runs.out / name).read_text() == "body"
        assert reasons(runs.run([str(lines)])) == ["already downloaded"]


def test_rows_of_a_list_that_cannot_be_used_are_failures(runs: Runs, tmp_path: Path) -> None:
    """Each with its line number and its own columns; the run goes on."""
    lines = tmp_path / "list.csv"
    lines.write_text(f"id,url,size,headers,name\n1,,,,x\n2,{A},lots,X-Key: secret,\n3,{B},4,,\n")
    ends = runs.run([str(lines)])
    assert [type(end) for end in ends] == [Failure, Failure, Success]
    failures = [end for end in ends if isinstance(end, Failure)]
    assert [failure.message.partition(": ")[0] for failure in failures] == ["list.csv:2", "list.csv:3"]
    app = runs.app([])
    again = [app.load(end.task.key, json.loads(json.dumps(app.dump(end.task))), end.task.index) for end in failures]
    assert [(end.kind, end.message) for end in again if isinstance(end, Failure)] == [
        (failure.kind, failure.message) for failure in failures
    ]
    rows = [app.row(end) for end in ends]
    assert [row["attempts"] for row in rows] == [0, 0, 1]
    assert "name" not in rows[0]
    assert [(row["id"], row["status"], row["index"]) for row in rows] == [
        ("1", "failed", 0),
        ("2", "failed", 1),
        ("3", "done", 2),
    ]
    assert "secret" not in str(rows)


def test_run_fetches_again_when_the_list_has_another_checksum(runs: Runs, tmp_path: Path) -> None:
    """What is here is not what is wanted any more."""
    lines = tmp_path / "list.csv"
    old, new = (sha256(body).hexdigest() for body in (b"body", b"other"))
    lines.write_text(f"url,checksum\n{A},sha256:{old}\n")
    runs.run([str(lines)])
    assert reasons(runs.run([str(lines)])) == ["already downloaded"]
    lines.write_text(f"url,checksum\n{A},sha256:{new}\n")
    runs.client.script = Thing(b"other", etag='"v2"')
    assert [type(end) for end in runs.run([str(lines)])] == [Success]
    assert runs.files == {"x.txt": "other"}


def test_load_undoes_dump_of_everything(runs: Runs) -> None:
    """Through JSON and back: a retry knows as much as the first attempt did."""
    wanted = Wanted(
        "http://h/x", "a/b", fixed=True, etag='"e"', modified="m", mirrors=("http://m/x",), checksums=("md5:00",),
        pieces=("md5", 5, ("00", "11")), size=0, headers=(("A", "b"),), columns=(("id", "1"),),
    )  # fmt: skip
    app, task = runs.app([]), Task("http://h/x", wanted, "h:80", index=3)
    assert app.load(task.key, json.loads(json.dumps(app.dump(task))), 3) == task


def test_list_without_a_url_is_told(runs: Runs, tmp_path: Path) -> None:
    """It is no failure, and mostly a mistake; a plan that was not read, as of a retry, says nothing."""
    (tmp_path / "list.txt").write_text("# nothing yet\n")
    app = runs.app([str(tmp_path / "list.txt")])
    assert app.warnings == []
    assert list(app.plan(Store(None))) == []
    assert app.warnings == ["nothing to do: there is no URL in what was given"]
    app = runs.app([A])
    assert len(list(app.plan(Store(None)))) == 1
    assert app.warnings == []


def test_names_of_checksums_that_no_file_has_are_told(runs: Runs, tmp_path: Path) -> None:
    """A mistyped name must not pass for a check; a plan that was not read to its end says nothing of it."""
    (tmp_path / "SHA256SUMS").write_text(f"{sha256(b'body').hexdigest()}  x.txt\n{'0' * 64}  missing.txt\n")
    app = runs.app([A], checksums=(str(tmp_path / "SHA256SUMS"),))
    plan = app.plan(Store(None))
    task = next(plan)
    assert isinstance(task, Task)
    assert task.payload.checksums == (f"sha256:{sha256(b'body').hexdigest()}",)
    assert app.warnings == []
    assert list(plan) == []
    assert app.warnings == ["--checksums: no file is called missing.txt"]


def test_run_names_a_finished_file_without_fetching_it_again_after_a_kill(runs: Runs) -> None:
    """The file came whole and waited for its name; the next run asks whether it still holds, and names it."""
    runs.client.script = suggested_thing(Thing(b"x" * 2_000_000))
    task = runs.plan([A])[0]
    assert isinstance(task, Task)
    assert isinstance(perform(runs.client, runs.app([A]).job, task), Success)  # and here it was killed
    assert runs.files == {}
    ends = runs.run([A])
    assert isinstance(ends[0], Success)
    assert (ends[0].value.received, ends[0].value.resumed) == (0, 2_000_000)
    assert list(runs.files) == ["r.bin"]
    assert not list(runs.out.glob(".*.part*"))
    assert reasons(runs.run([A])) == ["already downloaded"]


def suggested_thing(thing: Thing) -> Script:
    """Return the server of a file that it calls r.bin."""

    def answer(request: Request) -> Answer:
        found = thing(request)
        return replace(found, headers={**found.headers, "Content-Disposition": 'attachment; filename="r.bin"'})

    return answer
