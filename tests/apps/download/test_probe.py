"""A look at files before they are fetched: sizes and names by the cheapest request that tells them."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from samples.serve import SampleServer
from tests.apps.download.fakes import Answer, Script, ScriptedClient, perform
from tests.conftest import Toolkit
from toolkit import download
from toolkit.apps.download.probe import Probed, ProbeJob
from toolkit.apps.download.wanted import Wanted
from toolkit.core.errors import FailureKind
from toolkit.core.http import Request
from toolkit.core.network import Network
from toolkit.core.task import Failure, Success, Task

JOB = ProbeJob((("Accept-Encoding", "identity"),), Network())
GZIP = {"Content-Encoding": "gzip", "Content-Length": "7"}


def answering(head: Answer, get: Answer | None = None) -> Script:
    """Return a server that answers HEAD and GET so; an unexpected GET is a mistake of the probe."""

    def answer(request: Request) -> Answer:
        if request.method == "HEAD":
            return head
        assert get is not None
        assert {name.lower(): value for name, value in request.headers}["range"] == "bytes=0-0"
        return get

    return answer


def length(size: int, status: int = 200, **more: str) -> Answer:
    """Return an answer with a length."""
    return Answer(status, b"", {"Content-Length": str(size), **{k.replace("_", "-"): v for k, v in more.items()}})


def ranged(span: str, status: int = 206) -> Answer:
    """Return an answer with a Content-Range."""
    return Answer(status, b"x"[: status == 206], {"Content-Range": span})


@pytest.mark.parametrize(
    ("head", "get", "size"),
    [
        (length(5), None, 5),
        (length(0), None, 0),
        (Answer(405), ranged("bytes 0-0/12"), 12),
        (Answer(501), ranged("bytes 0-0/12"), 12),
        (Answer(404), ranged("bytes 0-0/12"), 12),
        (Answer(503), ranged("bytes 0-0/12"), 12),
        (Answer(200), ranged("bytes 0-0/12"), 12),
        (Answer(200), ranged("bytes 0-0/*"), None),
        (Answer(200), ranged("bytes */0", 416), 0),
        (Answer(200), length(9), 9),
        (Answer(200), Answer(200), None),
        (Answer(200, b"", GZIP), Answer(200, b"", GZIP), None),
        (Answer(204), length(9), 9),
    ],
)
def test_probe_finds_the_size_however_the_server_tells_it(head: Answer, get: Answer | None, size: int | None) -> None:
    """By HEAD where that works, else by a range of one byte; of a coded body nobody knows."""
    end = perform(ScriptedClient(answering(head, get)), JOB, Task("u", Wanted("http://h/x", "x")))
    assert isinstance(end, Success), end
    assert end.value == Probed(size, "")


@pytest.mark.parametrize(("head", "get", "kind"), [(429, None, FailureKind.THROTTLED), (404, 404, FailureKind.HTTP)])
def test_probe_fails_as_the_download_would(head: int, get: int | None, kind: FailureKind) -> None:
    """And the schedule is told to be polite."""
    script = answering(Answer(head), None if get is None else Answer(get))
    end = perform(ScriptedClient(script), JOB, Task("u", Wanted("http://h/x", "x")))
    assert isinstance(end, Failure)
    assert (end.kind, end.cool_lane) == (kind, head == 429)


def test_probe_sends_what_the_download_would_and_hears_the_name() -> None:
    """The line's own fields included."""
    client = ScriptedClient(lambda _: length(3, Content_Disposition="attachment; filename=../r.pdf"))
    wanted = Wanted("http://h/x", "x", headers=(("X-Key", "1"),))
    end = perform(client, pickle.loads(pickle.dumps(JOB)), Task("u", wanted))
    assert isinstance(end, Success)
    assert end.value == Probed(3, "r.pdf")
    assert (client.sent("x-key"), client.sent("accept-encoding")) == (["1"], ["identity"])


@pytest.fixture
def urls(server: SampleServer) -> list[str]:
    """Return files of many sorts, one that is not there and one that is not fetched."""
    base = f"{server.url}generated"
    suggested = [f"{base}/{1000 + number}.bin?filename=r.pdf" for number in range(3)]
    return [*suggested, f"{base}/70000.bin?chunked=1", f"{base}/5.bin?status=404", "ftp://h/x", f"{base}/2000000.bin"]


@pytest.mark.parametrize("model", ["sequential", "threads", "processes", "asyncio"])
def test_plan_tells_the_names_and_sizes_that_a_run_gives(
    model: str, urls: list[str], server: SampleServer, tmp_path: Path
) -> None:
    """Under every model, in the order of the list; nothing is fetched and nothing made."""
    plan = list(download.plan(urls, tmp_path / "out", probe=True, model=model))
    assert not (tmp_path / "out").exists()
    assert [type(planned).__name__ for planned in plan] == ["Task"] * 4 + ["Failure"] * 2 + ["Task"]
    shown = {task.payload.name: task.payload.size for task in plan if isinstance(task, Task)}
    assert sum(len(seen["requests"]) for seen in server.log()["paths"].values()) < 12
    download(urls, tmp_path / "out", model=model, retries=0)
    assert shown == {path.name: path.stat().st_size for path in (tmp_path / "out").glob("[!.]*")}


def test_plan_asks_nobody_unless_told(urls: list[str], server: SampleServer, tmp_path: Path) -> None:
    """From Python, looking costs requests only if it is wanted."""
    assert len(list(download.plan(urls, tmp_path))) == 7
    assert server.log()["paths"] == {}


def test_plan_can_be_left_in_the_middle(server: SampleServer, tmp_path: Path) -> None:
    """Whoever has seen enough leaves no thread behind (a warning, if it did)."""
    plan = download.plan([f"{server.url}generated/{n}.bin" for n in range(20)], tmp_path, probe=True)
    assert isinstance(next(plan), Task)
    plan.close()  # type: ignore[attr-defined]


def test_dry_run_tells_what_is_in_the_way(server: SampleServer, tmp_path: Path, toolkit: Toolkit) -> None:
    """Sizes, what would be replaced, skipped or too large; --no-probe asks nobody."""
    (tmp_path / "terms.txt").write_text("precious")
    urls = [f"{server.url}files/terms.txt", f"{server.url}generated/5000.bin", f"{server.url}generated/90000.bin"]
    done = toolkit("download", *urls, "-o", tmp_path, "--dry-run", "--max-size", "50k", "--existing", "overwrite")
    assert "-> terms.txt (81 B, replaces the file that is there)" in done.stdout
    assert "-> 5000.bin (5.0 kB)" in done.stdout
    assert "90,000 bytes, more than --max-size 50,000" in done.stdout
    assert "2 tasks to do (5.1 kB), 0 to skip, 1 bad" in done.stderr
    server.reset()
    done = toolkit("download", *urls, "-o", tmp_path, "--dry-run", "--no-probe")
    assert "skip  " + urls[0] + ": a file of this name is there already" in done.stdout
    assert server.log()["paths"] == {}
