"""Pages whose rows come by script, in a real browser that has no network of its own."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.apps.scrape.rendering.pages import (
    PAGE,
    ROWS,
    Rendering,
    Site,
    browsers,
    needs_chromium,
    rendered,
    see,
    serving,
    until,
)
from tests.models.conftest import start
from tests.models.fakes import FakeApp
from toolkit import models
from toolkit.apps.scrape.render import close_browser
from toolkit.apps.scrape.rendering import subresources
from toolkit.apps.scrape.rendering.engine import Engine
from toolkit.core.errors import FailureKind, TaskError, TaskSkipped
from toolkit.core.http import Request
from toolkit.core.job import Runtime
from toolkit.core.network import Network
from toolkit.core.runtime import BlockingClient, BlockingRuntime, Cancelled, drive
from toolkit.core.task import Success

pytestmark = [needs_chromium, pytest.mark.timeout(110)]


@pytest.fixture(scope="module")
def _site() -> Iterator[Site]:
    with serving() as site:
        yield site
    close_browser()
    assert until(lambda: not browsers()), "a browser was left behind"


@pytest.fixture
def site(_site: Site) -> Site:
    """Return the server, with nothing asked of it yet."""
    _site.asked.clear()
    return _site


@pytest.mark.parametrize("model", models.names())
def test_page_when_its_rows_come_by_script(model: str, site: Site) -> None:
    """They are there under every model; the page itself is not fetched again, and no browser is left behind."""
    payloads: list[Any] = [("li:nth-child(3)", f"{site.url}/list"), ("", f"{site.url}/list?2")]
    run = start(model, FakeApp(payloads, job=Rendering()), workers=2)
    outcomes = list(run.outcomes())
    assert [outcome for outcome in outcomes if not isinstance(outcome, Success)] == []
    for outcome in outcomes:
        html, requests, refused = outcome.value  # type: ignore[union-attr]
        assert ROWS in html
        assert (requests, refused) == (2, {})
    assert sorted(site.paths) == ["/app.js", "/app.js", "/data.json", "/data.json"]
    assert {headers["user-agent"] for _, _, headers, _ in site.asked} == {"toolkit-test/1"}
    close_browser()
    assert until(lambda: not browsers()), "a browser was left behind"


def test_page_when_in_another_encoding(site: Site) -> None:
    """What comes back is UTF-8; head and doctype are as they were."""
    html = '<!doctype html><meta charset="utf-16"><title>é</title><p>€'
    found = see(site.url, html.encode("cp1252"), "p", kind="text/html; charset=windows-1252")
    assert found.body.decode().startswith('<!DOCTYPE html><html><head><meta charset="utf-16"><title>é</title>')
    assert "<p>€</p>" in found.body.decode()


@pytest.mark.parametrize(
    ("html", "wait", "kind", "said"),
    [
        (PAGE, "li:nth-child(4)", FailureKind.OVERDUE, "'li:nth-child(4)' was not there after 1 s"),
        ("<script>while(true);</script>", "", FailureKind.OVERDUE, "its scripts were still busy after 1 s"),
        ("<script>for(;;)alert(1)</script>", "", FailureKind.OVERDUE, "its scripts were still busy after 1 s"),
        ("<script>location='about:blank'</script>", "", FailureKind.REDIRECT, "its scripts left the page"),
        (
            "<script>a=[];for(;;)a.push(new Array(1e6).fill(a.length))</script>",
            "",
            FailureKind.WORKER_DIED,
            "its scripts brought down Chromium's process for it",
        ),
        (
            "<p><script>document.body.append('y'.repeat(3e6))</script>",
            "p",
            FailureKind.TOO_LARGE,
            "the rendered page is larger than 2,000,000",
        ),
        ("<p>", "b >", FailureKind.INPUT, "wait = 'b >': "),
    ],
)
def test_page_when_it_cannot_be_rendered(site: Site, html: str, wait: str, kind: FailureKind, said: str) -> None:
    """It fails by name and in time."""
    with pytest.raises(TaskError) as caught:
        see(site.url, html, wait, timeout=1.0 if kind is FailureKind.OVERDUE else 15.0)
    assert caught.value.kind is kind
    assert caught.value.message.startswith(said)


def test_pages_when_one_never_ends(site: Site) -> None:
    """It fails alone: those beside it and after it are rendered by the same browser."""
    close_browser()
    failed: list[TaskError] = []

    def hang() -> None:
        try:
            see(site.url, "<p>x<script>while(true);</script>", "b", timeout=2.0)
        except TaskError as error:
            failed.append(error)

    other = threading.Thread(target=hang)
    other.start()
    assert ROWS in see(site.url, PAGE, "li:nth-child(3)").body.decode()
    before = {process.pid for process in browsers() if process.name().startswith("node")}
    other.join()
    assert [error.kind for error in failed] == [FailureKind.OVERDUE]
    assert ROWS in see(site.url, PAGE, "li:nth-child(3)").body.decode()
    assert {process.pid for process in browsers() if process.name().startswith("node")} == before


def test_page_when_it_never_rests(site: Site) -> None:
    """Where nothing is waited for, the page is taken as it is at its deadline."""
    html = "<p>x<script>setInterval(() => fetch('/data.json'), 50)</script>"
    assert b"<p>x" in see(site.url, html, timeout=1.0).body
    assert "/data.json" in site.paths


def test_browser_when_it_dies(site: Site) -> None:
    """The page that it was busy with may be tried again, and the next one has another browser."""
    html = "<p>x<script>fetch('/slow.json')</script>"

    def kill() -> None:
        until(lambda: "/slow.json" in site.paths)
        for process in browsers():
            if process.name().startswith("chrom"):
                process.kill()

    threading.Thread(target=kill, daemon=True).start()
    with pytest.raises(TaskError, match="Chromium ended") as caught:
        see(site.url, html, "b")
    assert (caught.value.kind, caught.value.retryable) == (FailureKind.WORKER_DIED, True)
    assert ROWS in see(site.url, PAGE, "li:nth-child(3)").body.decode()


def test_scripts_when_they_are_large(site: Site) -> None:
    """A megabyte is no matter; a bomb is refused by what it would become, and the page goes on without it."""
    html = "<p>x<script src=/bomb.js></script><script src=/big.js></script>"
    found = see(site.url, html)
    assert b"<title>big</title>" in found.body or b"big" in found.body
    assert found.refused == {"too_large": 1}


def test_requests_when_there_are_too_many(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those beyond the limit are refused, and counted."""
    monkeypatch.setattr(subresources, "MOST", 3)
    html = "<p>x<script>for (let n = 0; n < 5; n++) fetch('/data.json?' + n)</script>"
    found = see(site.url, html)
    assert (found.requests, len(site.asked)) == (3, 3)
    assert found.refused == {"more than 3 requests": 2}


def test_secrets_when_another_origin_is_asked(site: Site) -> None:
    """What the user gave goes to the page's own origin only; what may be read there is the other server's to say."""
    html = """<ul></ul><script>
      const show = (url, how) => fetch(url, how).then(a => a.json()).then(
        rows => document.body.insertAdjacentHTML("beforeend", `<li>${rows}</li>`),
        () => document.body.insertAdjacentHTML("beforeend", `<li>no</li>`));
      show("/data.json", {headers: {"X-Own": "1", "Cookie": "c=2", "User-Agent": "other"}});
      show("OTHER/open.json", {credentials: "include"}).then(() => 0);
      show("OTHER/open.json?2").then(() => show("OTHER/shut.json"));
    </script>"""
    with serving() as other:
        secret = (("Authorization", "Bearer s3cret"), ("Cookie", "id=s3cret"), ("X-Key", "s3cret"))
        found = see(site.url, html.replace("OTHER", other.url), "li:nth-of-type(4)", fields=secret).body.decode()
        own = site.headers("/data.json")
        assert (own["authorization"], own["cookie"], own["x-key"]) == ("Bearer s3cret", "id=s3cret", "s3cret")
        assert (own["x-own"], own["user-agent"]) == ("1", "toolkit-test/1")
        assert len(other.asked) == 3
        for _, _, headers, _ in other.asked:
            assert "s3cret" not in str(headers)
            assert (headers["user-agent"], headers["origin"]) == ("toolkit-test/1", site.url)
        assert found.count("<li>open</li>") == 1
        assert found.count("<li>no</li>") == 2


def test_post_when_to_whom(site: Site) -> None:
    """It goes to the page's own origin with its body, and nowhere else; other methods go nowhere."""
    html = """<script>
      fetch("/data.json", {method: "POST", body: "q=1", headers: {"Content-Type": "text/plain"}});
      fetch("OTHER/open.json", {method: "POST", body: "q=1", mode: "no-cors"});
      fetch("/data.json", {method: "DELETE"});
    </script>"""
    with serving() as other:
        found = see(site.url, html.replace("OTHER", other.url))
        assert other.asked == []
    assert [(method, path, body) for method, path, _, body in site.asked] == [("POST", "/data.json", b"q=1")]
    assert found.refused == {"POST to another origin": 1, "method DELETE": 1}


def test_redirect_when_it_is_not_allowed(site: Site) -> None:
    """Whoever says where we may go says so at each hop."""
    told: list[tuple[str, str]] = []

    async def may_ask(_: Runtime, left: str, request: Request) -> None:
        told.append((left.removeprefix(site.url), request.url.removeprefix(site.url)))
        if request.url.endswith("/data.json"):
            raise TaskSkipped("robots.txt disallows it")

    found = see(site.url + "/p", "<script>fetch('/moved.json')</script>", may_ask=may_ask)
    assert told == [("/p", "/moved.json"), ("/moved.json", "/data.json")]
    assert site.paths == ["/moved.json"]
    assert found.refused == {"robots.txt disallows it": 1}


NOSY = """<head><link rel=preconnect href=TCP/><link rel=dns-prefetch href=TCP/><link rel=prefetch href=TCP/p>
<link rel=preload as=font crossorigin href=TCP/f.woff><link rel=icon href=TCP/i.ico><link rel=manifest href=TCP/m>
<style>@font-face{font-family:x;src:url(TCP/f2.woff)} body{font-family:x;background:url(TCP/bg.png)}</style>
<script type=speculationrules>{"prefetch":[{"source":"list","urls":["TCP/sp"]}]}</script></head>
<body><img src=TCP/i.png><video src=TCP/v.mp4 autoplay></video><object data=TCP/o></object><embed src=TCP/e>
<a ping=TCP/ping href=# id=a>x</a><form id=f action=TCP/form target=_blank method=post></form>
<a id=d download href=TCP/d>d</a><script>
const attempt = (what) => { try { what() } catch (error) { console.log(String(error)) } };
const inner = `fetch("TCP/w");new WebSocket("WS/w")`;
attempt(() => new WebSocket("WS/ws"));
attempt(() => new EventSource("TCP/es"));
attempt(() => navigator.sendBeacon("TCP/b", "x"));
attempt(() => { const peer = new RTCPeerConnection({iceServers: [{urls: "stun:127.0.0.1:UDP"},
  {urls: "turn:127.0.0.1:NUMBER?transport=tcp", username: "a", credential: "b"},
  {urls: "turn:127.0.0.1:UDP", username: "a", credential: "b"}]});
  peer.createDataChannel("x"); peer.createOffer().then(offer => peer.setLocalDescription(offer)) });
attempt(() => new WebTransport("https://127.0.0.1:UDP/wt").ready.catch(() => 0));
attempt(() => window.open("TCP/pop"));
for (const id of "ad") attempt(() => document.getElementById(id).click());
attempt(() => document.getElementById("f").submit());
attempt(() => new Worker(URL.createObjectURL(new Blob([inner + `;importScripts("TCP/imp.js")`]))));
attempt(() => new SharedWorker("data:text/javascript," + encodeURIComponent(inner)));
attempt(() => navigator.serviceWorker.register("/sw.js"));
for (const kind of ["srcdoc", "src"]) attempt(() => { const frame = document.createElement("iframe");
  frame[kind] = (kind === "src" ? "data:text/html," : "") + `<img src=TCP/if.png><script>${inner}<\\/script>`;
  document.body.append(frame) });
attempt(() => fetch("TCP/keep", {keepalive: true}));
attempt(() => fetch("TCP/no", {mode: "no-cors"}));
attempt(() => { location = "TCP/nav" });
setTimeout(() => document.body.insertAdjacentHTML("beforeend", "<b id=done></b>"), 1500);
</script>"""


@pytest.mark.parametrize("url", ["http://public.example/page", "https://public.example/page"])
def test_network_when_a_page_tries_to_reach_it(url: str) -> None:
    """Neither what is routed nor what is not ever gets to a server on this machine: a public page has no way there."""
    seen: list[bytes] = []

    def accept(server: socket.socket) -> None:
        while True:
            try:
                seen.append(b"tcp " + server.accept()[0].recv(100))
            except OSError:
                return

    def receive(server: socket.socket) -> None:
        while True:
            try:
                seen.append(b"udp " + server.recv(100))
            except OSError:
                return

    with ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        stack.callback(tcp.shutdown, socket.SHUT_RDWR)
        for target, server in ((accept, tcp), (receive, udp)):
            threading.Thread(target=target, args=(server,), daemon=True).start()
        number = str(tcp.getsockname()[1])
        html = NOSY.replace("TCP/", f"http://127.0.0.1:{number}/").replace("WS/", f"ws://127.0.0.1:{number}/")
        html = html.replace("NUMBER", number).replace("UDP", str(udp.getsockname()[1]))
        found = see(url, html, "#done", network=Network())
        assert found.refused["blocked"] >= 3
        assert found.refused["websocket"] >= 1
        assert found.refused["navigation"] >= 1
        assert seen == []


def test_public_page_when_the_user_allows_private_addresses(site: Site) -> None:
    """What it asks for of this machine is fetched only then, or where it comes from here itself."""
    html = f"<script>fetch('{site.url}/open.json', {{mode: 'no-cors'}})</script>"
    assert see("http://public.example/", html).refused == {"blocked": 1}
    assert see("http://intranet.example/", html, address="93.184.216.34").refused == {"blocked": 1}
    assert site.asked == []
    see("http://public.example/", html, network=Network(private="allow"))
    see("http://intranet.example/", html, address="10.0.0.1")
    assert site.paths == ["/open.json", "/open.json"]
    see(site.url, html, network=Network(private="block"))
    assert len(site.asked) == 2


def test_browser_when_it_is_not_needed_any_more(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is closed after a while, and started again for the next page."""
    monkeypatch.setattr("toolkit.apps.scrape.rendering.browser.IDLE", 0.1)
    see(site.url, "<p>", "p")
    assert until(lambda: not browsers())
    assert b"<p>" in see(site.url, "<p>", "p").body
    assert until(lambda: not browsers())


def test_browser_when_it_is_closed_while_it_closes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever closes it again waits for the end that is under way, and does not break it off."""
    closing, called_again, ended = (threading.Event() for _ in range(3))
    close = Engine.close

    async def close_slowly(engine: Engine) -> None:
        closing.set()
        await asyncio.to_thread(called_again.wait, 10)
        for _ in range(10):  # times round the loop, in which it would be stopped
            await asyncio.sleep(0.01)
        await close(engine)
        ended.set()

    monkeypatch.setattr(Engine, "close", close_slowly)
    see(site.url, "<p>", "p")
    first = threading.Thread(target=close_browser)
    first.start()
    assert closing.wait(10)
    called_again.set()
    close_browser()
    assert ended.is_set()
    first.join()
    assert browsers() == []
    gc.collect()  # a program that its loop knew nothing of the end of would complain


def test_browser_when_it_does_not_start(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run need not go on; what Chromium itself says is told, and what to do about its sandbox."""
    close_browser()
    chromium = tmp_path / "chromium"
    chromium.write_text('#!/bin/sh\necho "[1:1:0101/1.2:FATAL:a/b.cc:3] No usable sandbox! Update it" >&2\nexit 1\n')
    chromium.chmod(0o755)
    monkeypatch.setenv("TOOLKIT_CHROMIUM", str(chromium))
    with pytest.raises(TaskError) as caught:
        see(site.url, PAGE, "li")
    close_browser()
    assert (caught.value.kind, caught.value.fatal) == (FailureKind.WORKER_DIED, True)
    assert caught.value.message.startswith("Chromium cannot be started: No usable sandbox! Update it (to do without")


class GivenUp(BlockingRuntime):
    """A runtime of a run that has been given up: what it is asked to do is not done any more."""

    async def call(self, function: Callable[..., Any], *args: Any) -> Any:
        """Say so."""
        raise Cancelled


@pytest.mark.parametrize("started", [False, True])
def test_page_when_the_run_is_given_up(site: Site, started: bool) -> None:
    """Whoever waits for it in a thread waits no longer; the browser serves others, even if it was starting."""
    if not started:
        close_browser()
    runtime = GivenUp(no_client, received=lambda _: None, cancelled=lambda: True)
    since = time.monotonic()
    with pytest.raises(Cancelled):
        drive(rendered(runtime, site.url, "<p>", "#never", 15.0))
    assert time.monotonic() - since < 10
    assert ROWS in see(site.url, PAGE, "li:nth-child(3)").body.decode()


def no_client() -> BlockingClient:
    """Open nothing."""
    raise AssertionError("nothing is to be fetched")
