"""--uvloop: another event loop for the models that have one, and what is said where there can be none."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Any

import pytest

import toolkit
from samples.serve import SampleServer
from tests.clients.driver import Driver
from tests.models.conftest import QUICK
from tests.models.fakes import FakeApp
from toolkit import clients
from toolkit.core.errors import FailureKind, MissingExtra, UsageError
from toolkit.core.job import Runtime
from toolkit.core.task import Success, Task
from toolkit.options import NetworkOptions, RunOptions
from toolkit.run import Run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no uvloop for Windows")


@pytest.fixture(scope="module", autouse=True)
def _kept_for_good() -> None:
    """Let libuv open its pipe for signals, which a process keeps."""
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.new_event_loop().close()


async def which(task: Task[Any], runtime: Runtime) -> str:
    """Tell whose the running loop is."""
    return type(asyncio.get_running_loop()).__module__


def start(model: str, **network: Any) -> Run:
    app = FakeApp([("any", None)], job=which)
    return Run(app, RunOptions(model=model), network=NetworkOptions(**network), output="", policy=QUICK)


@pytest.mark.parametrize("model", ["asyncio", "hybrid"])
@pytest.mark.parametrize(("network", "module"), [({"uvloop": True}, "uvloop"), ({}, "asyncio")])
def test_the_loop_is_the_one_that_was_asked_for(model: str, network: dict[str, Any], module: str) -> None:
    """Installed is not asked for."""
    pytest.importorskip("uvloop")
    (outcome,) = start(model, **network).outcomes()
    assert isinstance(outcome, Success)
    assert outcome.value.startswith(module)


@pytest.mark.parametrize("model", ["sequential", "threads", "processes"])
def test_a_model_without_a_loop_is_refused(model: str) -> None:
    """Nobody is left to believe that it helped."""
    with pytest.raises(UsageError, match=f"--uvloop: {model} has no event loop: add --model asyncio"):
        start(model, uvloop=True)


def test_the_command_is_told_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is asked or written."""
    monkeypatch.setitem(sys.modules, "uvloop", None)
    with pytest.raises(MissingExtra, match=r"--uvloop needs .* pip install 'toolkit\[fast\]'"):
        start("asyncio", uvloop=True)


def test_there_is_none_for_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pip command would help there."""
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(UsageError, match="none for Windows") as caught:
        start("asyncio", uvloop=True)
    assert not isinstance(caught.value, MissingExtra)


def test_apps_that_fetch_run_on_it(server: SampleServer, tmp_path: Any) -> None:
    """Files over several connections, in a chunked body, compressed; and pages."""
    pytest.importorskip("uvloop")
    options: dict[str, Any] = {"model": "asyncio", "uvloop": True}
    urls = [f"{server.url}generated/3000000.bin", f"{server.url}files/terms.txt?chunked=1"]
    assert toolkit.download(urls, tmp_path / "o", segments="3", **options).succeeded == 2
    assert (tmp_path / "o" / "3000000.bin").stat().st_size == 3_000_000
    assert toolkit.scrape(f"{server.url}item/cat-poster.html", tmp_path / "rows.jsonl", **options).succeeded == 1


def test_addresses_are_judged_on_it(server: SampleServer) -> None:
    """It resolves names by itself; what it finds is looked at all the same."""
    uvloop = pytest.importorskip("uvloop")
    with Driver(clients.load("aiohttp", "async"), loop=uvloop.new_event_loop) as client:
        url = server.url.replace("127.0.0.1", "localhost")
        assert client.failure(url, addresses="public").kind is FailureKind.BLOCKED
        assert client.get(url).reply.head.status == 200
