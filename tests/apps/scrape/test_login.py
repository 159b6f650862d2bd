"""Logging in by a form on a real site: once, with its token and cookies, and told in one line where it fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.apps.scrape.members import USER, Club, club
from tests.models.fakes import FakeApp
from toolkit import clients, models
from toolkit.apps.scrape.login import PAUSE, log_in, logged_in, looks_logged_out
from toolkit.apps.scrape.rules.model import Login
from toolkit.apps.scrape.sessions import CookieRuntime, HostJar, shared
from toolkit.clients import ClientOptions
from toolkit.core.errors import FailureKind, TaskError, TaskSkipped
from toolkit.core.follow import follow
from toolkit.core.http import Head, Headers, MemorySink, Request
from toolkit.core.job import Runtime
from toolkit.core.network import Network
from toolkit.core.policy import Policy
from toolkit.core.runtime import BlockingRuntime, drive
from toolkit.core.task import Failure, Outcome, Success, Task
from toolkit.models._beside import Threads
from toolkit.models._loop import AsyncRuntime
from toolkit.options import RunOptions
from toolkit.run import Run

FIELDS = (("user", USER[0]), ("word", USER[1]))
NETWORK = Network(timeout=5.0)
TEMPLATE = NETWORK.request("", (("User-Agent", "toolkit/1.0 (tests)"), ("Accept", "text/html")))
Work = Callable[[Runtime], Coroutine[Any, Any, Any]]


@pytest.fixture
def site() -> Iterator[Club]:
    """Return a running site."""
    with club() as served:
        yield served


def visit(work: Work, client: str = "requests") -> Any:
    """Do the work over a real client, in the way that the client works."""
    if client == "aiohttp":
        return asyncio.run(_on_loop(work))
    runtime = BlockingRuntime(
        lambda: clients.load(client, "blocking").open(ClientOptions()),  # type: ignore[arg-type, return-value]
        received=lambda _: None,
        cancelled=lambda: False,
    )
    try:
        return drive(work(runtime))
    finally:
        runtime.close()


async def _on_loop(work: Work) -> Any:
    opened: list[Any] = []

    def open_client() -> Any:
        opened.append(clients.load("aiohttp", "async").open(ClientOptions()))
        return opened[-1]

    threads = Threads(1)
    try:
        return await work(AsyncRuntime(open_client, received=lambda _: None, rates=None, threads=threads))
    finally:
        for each in opened:
            await each.close()
        threads.close(5.0)


def login_of(site: Club, **more: Any) -> Login:
    return Login(**{"url": site.login, "fields": FIELDS, "success": "a.out", **more})


def failure(login: Login, jar: HostJar | None = None, **more: Any) -> TaskError:
    async def work(runtime: Runtime) -> None:
        await log_in(CookieRuntime(runtime, jar or HostJar()), login, TEMPLATE, NETWORK, **more)

    with pytest.raises(TaskError) as caught:
        visit(work)
    assert USER[1] not in str(caught.value) + repr(caught.value)
    return caught.value


async def page_behind(runtime: CookieRuntime, site: Club, path: str = "/page") -> tuple[str, bytes]:
    """Return where a page was found, and what it says."""
    sink = MemorySink(9999)
    reply = await follow(runtime, Request(site.address + path), lambda _: sink, network=NETWORK)
    return reply.head.url, sink.body()


@pytest.mark.parametrize("client", ["requests", "curl", "aiohttp"])
@pytest.mark.parametrize("parser", ["lexbor", "lxml", "bs4"])
def test_member_sees_the_page_behind(site: Club, client: str, parser: str) -> None:
    """Token, cookies set by the page, by the answer and by a redirect: all of it as a browser has it."""

    async def work(runtime: Runtime) -> tuple[str, bytes]:
        cookies = CookieRuntime(runtime, HostJar())
        await log_in(cookies, login_of(site), TEMPLATE, NETWORK, parser=parser)
        assert [name for name, _ in cookies.jar.pairs(site.address)] == ["sid", "greeted"]
        return await page_behind(cookies, site)

    assert visit(work, client) == (f"{site.address}/page", b"<!doctype html><title>/page</title>")
    token = next(iter(site.tokens))
    sent = {"csrf": token, "user": USER[0], "word": USER[1], "go": "1", "Origin:": site.address, "Referer:": site.login}
    assert site.posted == [sent]


def test_stranger_sees_the_form(site: Club) -> None:
    """Without a login the site leads to its form, and that is told from a page."""

    async def work(runtime: Runtime) -> tuple[str, bytes]:
        return await page_behind(CookieRuntime(runtime, HostJar()), site)

    url, _ = visit(work)
    assert looks_logged_out(f"{site.address}/page", Head(url, 200, Headers()), login_of(site))


def test_wrong_password_stops_the_run(site: Club) -> None:
    """One clear line, which does not say the password."""
    error = failure(login_of(site, fields=(("user", "ann"), ("word", "gu3ss"))))
    told = f"login at {site.login} failed: 'a.out' is not on the page that came back"
    assert (error.message, error.fatal, error.retryable) == (told, True, False)


def test_without_a_sign_of_success_any_good_answer_will_do(site: Club) -> None:
    """The rules have said nothing to look for."""

    async def work(runtime: Runtime) -> None:
        login = login_of(site, fields=(("user", "ann"), ("word", "gu3ss")), success="")
        await log_in(CookieRuntime(runtime, HostJar()), login, TEMPLATE, NETWORK)

    visit(work)


@pytest.mark.parametrize(
    ("step", "status", "fatal", "words"),
    [
        ("GET /login", 404, True, "HTTP 404 Not Found"),
        ("GET /login", 503, False, "HTTP 503 Service Unavailable"),
        ("POST /login", 401, True, "HTTP 401 Unauthorized: a login is wanted"),
        ("POST /login", 403, True, "HTTP 403 Forbidden"),
        ("POST /login", 429, False, "HTTP 429 Too Many Requests"),
        ("POST /login", 500, False, "HTTP 500 Internal Server Error"),
        ("GET /home", 410, True, "HTTP 410 Gone"),
    ],
)
def test_status_says_whether_to_try_again(site: Club, step: str, status: int, fatal: bool, words: str) -> None:
    """A server in trouble may do better next time; a no is a no."""
    site.answers[step] = (status, (), "<form><input type=password name=word></form>")
    error = failure(login_of(site))
    assert error.message.startswith(f"login at {site.login} failed: {words}")
    assert (error.fatal, error.retryable) == (fatal, not fatal)


def test_network_in_trouble_is_tried_again(site: Club) -> None:
    """Nobody listens at the port."""
    site.answers["POST /login"] = (307, (("Location", "/login2"),), "")
    site.answers["POST /login2"] = (302, (("Location", "http://127.0.0.1:1/"),), "")
    error = failure(login_of(site))
    assert (error.kind, error.retryable, error.fatal) == (FailureKind.CONNECT, True, False)
    assert [each["word"] for each in site.posted] == [USER[1]] * 2


def form(text: str) -> tuple[int, tuple[tuple[str, str], ...], str]:
    return 200, (), f"<!doctype html><form {text}><input name=user><input type=password name=word></form>"


@pytest.mark.parametrize(
    ("page", "more", "words"),
    [
        ((200, (), "<p>Closed"), {}, "the page has no form with a password field"),
        (form("id=x"), {"form": "#in"}, "the page has no '#in'"),
        (form(""), {"fields": (("pin", "1234"),)}, "its form has no field 'pin' (it has: user, word)"),
        (form("method=post action=http://evil.test/x?y"), {}, "its form goes to another host (http://evil.test)"),
        (form("method=post action=//127.0.0.1:1/"), {}, "its form goes to another host (http://127.0.0.1:1)"),
        (form("action=http://a:b@evil.test/"), {}, "its form goes to another host (http://evil.test)"),
        (form("method=post action=javascript:send()"), {}, "its form goes to no http or https URL"),
        (form("method=post action=ftp://evil.test/"), {}, "its form goes to no http or https URL"),
    ],
)
def test_form_that_cannot_be_sent_stops_the_run(site: Club, page: Any, more: dict[str, Any], words: str) -> None:
    """Nothing goes out; least of all to somebody else."""
    site.answers["GET /login"] = page
    error = failure(login_of(site, **more))
    assert error.message == f"login at {site.login} failed: {words}"
    assert (error.kind, error.fatal, site.posted) == (FailureKind.INPUT, True, [])


def test_login_page_elsewhere_gets_nothing(site: Club) -> None:
    """A redirect to another host's form is not what the user named; the password stays here."""
    with club() as other:
        site.answers["GET /login"] = (302, (("Location", other.login),), "")
        error = failure(login_of(site))
        assert error.message.endswith(f"it leads to {other.address}: name the page there, if that is meant")
        assert (error.fatal, other.posted) == (True, [])


@pytest.mark.parametrize("status", [307, 308])
def test_form_is_not_handed_on_to_another_host(site: Club, status: int) -> None:
    """Neither by a redirect that keeps the body."""
    with club() as other:
        site.answers["POST /login"] = (status, (("Location", f"{other.address}/take"),), "")
        error = failure(login_of(site))
        assert (error.kind, error.fatal, other.posted) == (FailureKind.REDIRECT, True, [])


def test_form_by_get_shows_in_no_message(site: Club) -> None:
    """What was filled in is in the URL then, which failures like to tell."""
    site.answers["GET /login"] = form("action=/check")
    site.answers["GET /check"] = (302, (("Location", "?user=ann&word=p%C3%A4ss+%26+w%C3%B6rd"),), "")
    error = failure(login_of(site))
    assert error.message == f"login at {site.login} failed: redirect loop at {site.address}/check?…"
    assert site.asked["GET /check"] == 1


def test_hook_is_asked_before_each_step(site: Club) -> None:
    """And what it forbids is not done."""
    steps: list[tuple[str, str, str]] = []

    async def may_go(left: str, request: Request) -> None:
        steps.append((left, request.method, request.url))
        if request.url.endswith("/home"):
            raise TaskSkipped("robots.txt disallows it")

    error = failure(login_of(site), may_go=may_go)
    assert (error.message, error.kind) == (
        f"login at {site.login} failed: robots.txt disallows it",
        FailureKind.BLOCKED,
    )
    at = site.address
    assert steps == [
        ("", "GET", site.login),
        (site.login, "POST", site.login),
        (site.login, "GET", f"{at}/welcome"),
        (f"{at}/welcome", "GET", f"{at}/home"),
    ]


def test_who_is_logged_in_already_is_not_asked_to(site: Club) -> None:
    """By a cookie of the user's own, the login page shows what only members see."""
    site.answers["GET /login"] = (302, (("Location", "/home"),), "")
    site.sessions.add("mine")

    async def work(runtime: Runtime) -> None:
        await log_in(
            CookieRuntime(runtime, HostJar()), login_of(site), TEMPLATE.with_headers(("Cookie", "sid=mine")), NETWORK
        )

    visit(work)
    assert site.posted == []


class Clock:
    """A clock that is moved by hand."""

    now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def test_session_that_was_lost_is_renewed_once(site: Club) -> None:
    """Whoever notices later finds it done; a site that asks again at once is not asked."""
    clock = Clock()
    jar = HostJar(clock)

    async def work(runtime: Runtime) -> list[int]:
        cookies = CookieRuntime(runtime, jar)

        async def ensure(after: int = 0) -> int:
            return await logged_in(cookies, login_of(site), TEMPLATE, NETWORK, run="lost", after=after)

        done = [await ensure(), await ensure()]
        site.sessions.clear()
        url, _ = await page_behind(cookies, site)
        assert url == f"{site.login}?next=/page"
        with pytest.raises(TaskError, match="asks for another 0 s after the last one") as caught:
            await ensure(1)
        assert (caught.value.retryable, caught.value.retry_after, caught.value.fatal) == (True, PAUSE, False)
        clock.now += PAUSE
        done += [await ensure(1), await ensure(1), await ensure()]
        assert (await page_behind(cookies, site))[0] == f"{site.address}/page"
        return done

    assert visit(work) == [1, 1, 2, 2, 2]
    assert site.asked["POST /login"] == 2


def test_refused_login_is_not_tried_again(site: Club) -> None:
    """Too many wrong passwords, and an account is locked."""
    login = login_of(site, fields=(("user", "ann"), ("word", "gu3ss")))
    jar = HostJar()

    async def work(runtime: Runtime) -> set[str]:
        told = set()
        for _ in range(3):
            with pytest.raises(TaskError) as caught:
                await logged_in(CookieRuntime(runtime, jar), login, TEMPLATE, NETWORK, run="refused")
            told.add(caught.value.message)
        return told

    assert len(visit(work)) == 1
    assert site.asked["POST /login"] == 1


def test_login_that_the_network_broke_is_tried_again(site: Club) -> None:
    """By the next task that needs it."""
    jar = HostJar()
    site.answers["POST /login"] = (503, (), "")

    async def work(runtime: Runtime) -> int:
        cookies = CookieRuntime(runtime, jar)
        with pytest.raises(TaskError, match="503"):
            await logged_in(cookies, login_of(site), TEMPLATE, NETWORK, run="broken")
        del site.answers["POST /login"]
        return await logged_in(cookies, login_of(site), TEMPLATE, NETWORK, run="broken")

    assert visit(work) == 1


def test_threads_log_in_once(site: Club) -> None:
    """All wait for the one that does."""
    jar, seen = HostJar(), list[int]()

    async def work(runtime: Runtime) -> None:
        seen.append(await logged_in(CookieRuntime(runtime, jar), login_of(site), TEMPLATE, NETWORK, run="threads"))

    threads = [threading.Thread(target=visit, args=(work,)) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (seen, site.asked["POST /login"]) == ([1] * 6, 1)


@pytest.mark.parametrize(
    ("url", "status", "login", "lost"),
    [
        ("http://h.test/login", 200, "http://h.test/login", True),
        ("http://h.test/login?next=/x", 200, "http://h.test/login", True),
        ("https://h.test:8443/login", 200, "HTTP://H.test/login#f", True),
        ("http://h.test/login/help", 200, "http://h.test/login", False),
        ("http://other.test/login", 200, "http://h.test/login", False),
        ("http://h.test/?act=login&next=x", 200, "http://h.test/?act=login", True),
        ("http://h.test/?act=show", 200, "http://h.test/?act=login", False),
        ("http://h.test", 200, "http://h.test/", True),
        ("http://h.test/page", 401, "http://h.test/login", True),
        ("http://h.test/page", 403, "http://h.test/login", False),
    ],
)
def test_session_looks_lost(url: str, status: int, login: str, lost: bool) -> None:
    """Where the login page comes in a page's place, or a 401."""
    assert looks_logged_out("http://h.test/asked", Head(url, status, Headers()), Login(login, ())) is lost
    assert looks_logged_out(url, Head(url, status, Headers()), Login(login, ())) is (status == 401)


@dataclass(frozen=True)
class Visitor:
    """A job that needs a login."""

    address: str
    run: str
    word: str

    async def __call__(self, task: Task[Any], runtime: Runtime) -> str:
        """Log in, and see a page."""
        cookies = CookieRuntime(runtime, shared(self.run))
        login = Login(f"{self.address}/login", (("user", "ann"), ("word", self.word)), success="a.out")
        await logged_in(cookies, login, TEMPLATE, NETWORK, run=self.run)
        sink = MemorySink(9999)
        await follow(cookies, Request(f"{self.address}/page/{task.index}"), lambda _: sink, network=NETWORK)
        return sink.body().decode()


def under(model: str, site: Club, word: str) -> tuple[list[Outcome], Run]:
    job = Visitor(site.address, f"{model} {word}", word)
    app = FakeApp([("", None)] * 12, job=job)
    run = Run(app, RunOptions(model=model, workers=2), output="", policy=Policy(backoff=0.001))
    return list(run.outcomes()), run


@pytest.mark.parametrize("model", models.names())
def test_login_under_every_model(site: Club, model: str) -> None:
    """Once for each process, before its first page."""
    outcomes, _ = under(model, site, USER[1])
    bodies = {each.task.index: each.value for each in outcomes if isinstance(each, Success)}
    assert bodies == {index: f"<!doctype html><title>/page/{index}</title>" for index in range(12)}
    assert 1 <= site.asked["POST /login"] <= (2 if model in ("processes", "hybrid") else 1)


@pytest.mark.parametrize("model", ["threads", "asyncio", "processes"])
def test_wrong_password_under_models(site: Club, model: str) -> None:
    """The run stops, and says why in one line; the password is tried once for each process."""
    outcomes, run = under(model, site, "gu3ss")
    told = f"login at {site.login} failed: 'a.out' is not on the page that came back"
    assert {each.message for each in outcomes if isinstance(each, Failure)} == {told}
    assert run.summary is not None
    assert told in run.summary.reason
    assert 1 <= site.asked["POST /login"] <= (2 if model == "processes" else 1)
