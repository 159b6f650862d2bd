"""robots.txt is asked for as RFC 9309 says: what each answer means, for which pages, and for how long."""

from __future__ import annotations

import asyncio
import gzip
import threading
from itertools import pairwise

import pytest

from tests.apps.scrape.fakes import Answer, FakeClient, LoopRuntime, blocking, moved
from toolkit.apps.scrape import robots
from toolkit.apps.scrape.robots import FAILED_LIFE, LIFE, LIMIT, Robots, RobotsCache, agent_token, robots_url, shared
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Accept, Progress, Reply, Request
from toolkit.core.runtime import drive

AT = "http://h.org/robots.txt"
RULES = b"User-agent: *\nDisallow: /no\n"
PAGE = "http://h.org/no/page"


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def ask(cache: RobotsCache, client: FakeClient, url: str = PAGE) -> Robots:
    return drive(cache.read(blocking(client), Request(url)))


def allowed(answers: dict[str, Answer], url: str = PAGE) -> bool:
    return ask(RobotsCache(), FakeClient(answers), url).allows(url, "toolkit")


@pytest.mark.parametrize("status", [200, 203, 206])
def test_read_when_it_is_there(status: int) -> None:
    """A good answer is parsed."""
    answers = {AT: Answer(RULES, status)}
    assert not allowed(answers)
    assert allowed(answers, "http://h.org/yes")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451, 204, 304])
def test_read_when_there_is_none(status: int) -> None:
    """No rules: all is allowed; a body that comes with a 4xx is no rule."""
    assert allowed({AT: Answer(RULES if status > 399 else b"", status)})


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 599])
def test_read_when_the_server_cannot_say(status: int) -> None:
    """Nothing is allowed for now: the page fails, and another attempt may go better."""
    with pytest.raises(TaskError, match=rf"robots.txt of h.org cannot be read \(HTTP {status}") as caught:
        allowed({AT: Answer(RULES, status)})
    assert (caught.value.kind, caught.value.retryable) == (FailureKind.BLOCKED, True)


def test_read_when_asked_to_wait() -> None:
    """Retry-After on robots.txt cools the whole host."""
    with pytest.raises(TaskError) as caught:
        allowed({AT: Answer(status=429, headers={"Retry-After": "7"})})
    assert (caught.value.retry_after, caught.value.cool_lane) == (7.0, True)


@pytest.mark.parametrize("kind", [FailureKind.DNS, FailureKind.CONNECT, FailureKind.TIMEOUT, FailureKind.TLS])
def test_read_when_the_network_fails(kind: FailureKind) -> None:
    """Nothing is allowed, and the kind stays: the host is down, which is not a rule of its owner."""
    with pytest.raises(TaskError, match=r"cannot be read \(gone\)") as caught:
        allowed({AT: Answer(error=TaskError(kind, "gone", retryable=True))})
    assert (caught.value.kind, caught.value.retryable) == (kind, True)


@pytest.mark.parametrize(("hops", "free"), [(1, False), (5, False), (6, True)])
def test_read_when_redirected(hops: int, free: bool) -> None:
    """Five redirects are followed, across hosts, and hold for the first host; more mean that there are no rules."""
    chain = [AT, *(f"http://h{number}.org/r.txt" for number in range(hops))]
    answers = {old: moved(new) for old, new in pairwise(chain)} | {chain[-1]: Answer(RULES)}
    assert allowed(answers) is free


@pytest.mark.parametrize("answer", [moved(AT), moved("ftp://h.org/x"), Answer(status=302, headers={})])
def test_read_when_redirected_nowhere(answer: Answer) -> None:
    """A loop, or no target, is no robots.txt; a target that we do not go to is one we cannot read."""
    if answer.headers.get("Location", "").startswith("ftp"):
        with pytest.raises(TaskError, match="cannot be read"):
            allowed({AT: answer})
    else:
        assert allowed({AT: answer})


@pytest.mark.parametrize(
    ("body", "free"),
    [
        (b"\xef\xbb\xbfUser-agent: *\r\nDisallow: /no\r\n", False),
        (b"user-agent:*\rdisallow:/no", False),
        (b"Disallow: /no\n", True),
        (b"User-agent: other\nDisallow: /no", True),
        (b"User-agent: Toolkit\nDisallow: /no\n\nUser-agent: *\nDisallow:\n", False),
        (b"User-agent: toolkit\nDisallow:\n\nUser-agent: *\nDisallow: /\n", True),
        (b"User-agent: toolkitten\nDisallow: /\n", True),
        (b"User-agent: a\nUser-agent: toolkit\nDisallow: /no", False),
        (b"User-agent: *\nDisallow: /\nAllow: /no", True),
        (b"User-agent: *\nDisallow: /no\nAllow: /no", True),
        (b"User-agent: *\nAllow: /no\nDisallow: /no/page", False),
        (b"User-agent: *\nDisallow: /*/page$", False),
        (b"User-agent: *\nDisallow: /*/pag$", True),
        (b"User-agent: *\nDisallow: /%6Eo", False),
        (b"User-agent: *\nDisallow: /NO", True),
        (b"User-agent: *\nDisallow: /no # really", False),
        (b"User-agent: *\nSitemap: http://h.org/s.xml\nDisallow: /no", False),
        (b"User-agent: *\nwhat is this\nDisallow: /no", False),
        (b"<html><body>Not a robots.txt</body></html>", True),
        (b"\x00\xff\xfe", True),
        (b"", True),
    ],
)
def test_allows_when_the_rules_say_so(body: bytes, free: bool) -> None:
    """Our group before the general one, the longest match, Allow on a tie, wildcards, case, and tolerance."""
    assert allowed({AT: Answer(body)}) is free


def test_read_when_longer_than_the_limit() -> None:
    """The first 500 KiB count; a line that the limit cuts does not."""
    filling = b"#" + b"x" * (LIMIT - len(RULES) - 14) + b"\n"
    body = RULES + filling + b"Disallow: /yes-and-more-than-fits\n" + b"# more\n" * 100_000
    assert not allowed({AT: Answer(body)})
    assert allowed({AT: Answer(body)}, "http://h.org/yes")


def test_read_when_compressed() -> None:
    """A compressed robots.txt is read; a broken one cannot be."""
    headers = {"Content-Encoding": "gzip"}
    assert not allowed({AT: Answer(gzip.compress(RULES), headers=headers)})
    with pytest.raises(TaskError, match="cannot be read"):
        allowed({AT: Answer(gzip.compress(RULES)[:-3], headers=headers)})


def test_read_when_asked_again() -> None:
    """One answer holds for a day, for its scheme, host and port."""
    clock, client = Clock(), FakeClient({AT: Answer(RULES)})
    cache = RobotsCache(clock)
    for url in (PAGE, "http://H.ORG/x", "http://h.org:80/y"):
        ask(cache, client, url)
    assert client.urls == [AT]
    ask(cache, client, "https://h.org/")
    ask(cache, client, "http://h.org:8080/")
    assert client.urls[1:] == ["https://h.org/robots.txt", "http://h.org:8080/robots.txt"]
    clock.now = LIFE - 1
    ask(cache, client)
    assert len(client.urls) == 3
    clock.now = LIFE
    ask(cache, client)
    assert len(client.urls) == 4


def test_read_when_a_failure_is_asked_again() -> None:
    """A failure is remembered for a moment only, then the host may have recovered."""
    clock, client = Clock(), FakeClient({AT: Answer(status=503)})
    cache = RobotsCache(clock)
    for _ in range(3):
        with pytest.raises(TaskError):
            ask(cache, client)
    assert client.urls == [AT]
    client.answers[AT] = Answer(RULES)
    clock.now = FAILED_LIFE
    assert not ask(cache, client).allows(PAGE, "toolkit")


def test_read_when_many_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host unused for longest is forgotten, so that memory has a limit."""
    monkeypatch.setattr(robots, "MOST_HOSTS", 2)
    cache, client = RobotsCache(), FakeClient({})
    for host in "abacab":
        ask(cache, client, f"http://{host}/")
    assert client.urls == [f"http://{host}/robots.txt" for host in "abcb"]


class SlowClient(FakeClient):
    """A client whose answer waits until it is let go."""

    def __init__(self) -> None:
        super().__init__({AT: Answer(RULES)})
        self.go = threading.Event()
        self.started = threading.Event()

    def fetch(self, request: Request, accept: Accept, progress: Progress) -> Reply:
        """Answer once let go."""
        self.started.set()
        assert self.go.wait(10)
        return super().fetch(request, accept, progress)


def test_read_when_threads_ask_at_once() -> None:
    """Among threads one fetches, and the others wait for it."""
    cache, client = RobotsCache(), SlowClient()
    found: list[Robots] = []
    threads = [threading.Thread(target=lambda: found.append(ask(cache, client))) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert client.started.wait(10)
    client.go.set()
    for thread in threads:
        thread.join(10)
    assert client.urls == [AT]
    assert [one.allows(PAGE, "toolkit") for one in found] == [False] * 8


def test_read_when_the_one_that_fetches_is_stopped() -> None:
    """Whatever becomes of the fetch, nobody waits for ever, and the next may try."""

    class Stopped(BaseException):
        """What a cancelled task raises."""

    class Stopping(FakeClient):
        def fetch(self, request: Request, accept: Accept, progress: Progress) -> Reply:
            """Be stopped."""
            raise Stopped

    cache = RobotsCache()
    with pytest.raises(Stopped):
        ask(cache, Stopping({}))
    assert not ask(cache, FakeClient({AT: Answer(RULES)})).allows(PAGE, "toolkit")


def test_read_when_a_loop_asks_at_once() -> None:
    """Tasks of one loop never block it; those that come later find the answer."""
    cache, client = RobotsCache(), FakeClient({AT: Answer(RULES)})

    async def crowd() -> list[Robots]:
        first = await asyncio.gather(*(cache.read(LoopRuntime(client), Request(PAGE)) for _ in range(4)))
        return [*first, await cache.read(LoopRuntime(client), Request(PAGE))]

    assert [one.allows(PAGE, "toolkit") for one in asyncio.run(crowd())] == [False] * 5
    assert len(client.urls) == 4


def test_crawl_delay_when_asked_for() -> None:
    """The delay that the host asks of us is known."""
    client = FakeClient({AT: Answer(b"User-agent: *\nCrawl-delay: 2.5\n")})
    assert ask(RobotsCache(), client).crawl_delay("toolkit") == 2.5
    assert Robots().crawl_delay("toolkit") is None


@pytest.mark.parametrize(
    ("agent", "token"), [("toolkit/1.0 (+x)", "toolkit"), ("My-Bot (+x)", "My-Bot"), ("Mozilla/5.0 (x)", "Mozilla")]
)
def test_agent_token_when_taken_from_the_header(agent: str, token: str) -> None:
    """Groups are looked up by the product token of the User-Agent that is sent."""
    assert agent_token(agent) == token


def test_robots_url_when_the_page_has_a_password() -> None:
    """The root of the host is asked, port kept, password dropped."""
    assert robots_url("http://u:p@[::1]:81/a?b") == "http://[::1]:81/robots.txt"


def test_shared_when_runs_come_and_go() -> None:
    """Each run has its own cache, and old ones are forgotten."""
    first = shared("one")
    assert shared("one") is first
    for name in "abcd":
        shared(name)
    assert shared("one") is not first
