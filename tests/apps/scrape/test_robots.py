"""robots.txt is asked for as RFC 9309 says: what each answer means, for which pages, and for how long."""

from __future__ import annotations

import asyncio
import gzip
import threading
import time
from itertools import pairwise
from typing import Any

import pytest

from tests.apps.scrape.fakes import Answer, FakeClient, LoopRuntime, blocking, moved
from toolkit.apps.scrape import robots
from toolkit.apps.scrape.robots import LIFE, LIMIT, WAITS, Robots, RobotsCache, agent_token, robots_url, shared
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Accept, Progress, Reply, Request
from toolkit.core.network import Network
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


def failure(cache: RobotsCache, client: FakeClient) -> TaskError:
    with pytest.raises(TaskError) as caught:
        ask(cache, client)
    return caught.value


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


@pytest.mark.parametrize(("asked", "wait"), [("7", 7.0), ("0", 1.0), ("soon", 1.0), ("999999999", LIFE)])
def test_read_when_asked_to_wait(asked: str, wait: float) -> None:
    """Retry-After on robots.txt is kept to, and all pages of the host wait for just that."""
    clock, client = Clock(), FakeClient({AT: Answer(status=429, headers={"Retry-After": asked})})
    cache = RobotsCache(clock)
    assert failure(cache, client).retry_after == wait
    clock.now = wait - 0.5
    error = failure(cache, client)
    assert (error.retry_after, error.cool_lane) == (0.5, True)
    assert client.urls == [AT]
    clock.now = wait
    failure(cache, client)
    assert client.urls == [AT, AT]


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


FILES = [  # the file, a path, and whether it is free; group lines that are left out are "User-agent: *"
    # RFC 9309, 2.2.2 and 2.2.3: the longest rule, Allow at a tie, special signs
    ("Disallow: /a\nAllow: /a/b", "/a/b/c", True),
    ("Disallow: /a\nAllow: /a/b", "/a/c", False),
    ("Allow: /a/b\nDisallow: /a/b/c", "/a/b/c", False),
    ("Disallow: /page\nAllow: /page", "/page", True),
    ("Allow: /p\nDisallow: /", "/page", True),
    ("Disallow: /folder\nAllow: /folder/", "/folder/page", True),
    ("Allow: /page\nDisallow: /*.htm", "/page.htm", False),
    ("Allow: /$\nDisallow: /", "/", True),
    ("Allow: /$\nDisallow: /", "/page.htm", False),
    ("Disallow: /fish", "/fishheads/yummy.html", False),
    ("Disallow: /fish", "/Fish.asp", True),
    ("Disallow: /fish", "/catfish", True),
    ("Disallow: /fish/", "/fish", True),
    ("Disallow: /fish*", "/fishheads", False),
    ("Disallow: fish", "/fish", True),
    ("Disallow: *.php", "/index.php", False),
    ("Disallow: /*.php", "/folder/any.php.file.html", False),
    ("Disallow: /*.php$", "/any.php?x", True),
    ("Disallow: /*.php$", "/folder/any.php", False),
    ("Disallow: /fish*.php", "/fishheads/catfish.php?parameters", False),
    ("Disallow: /a*b*c", "/a1b2c3", False),
    ("Disallow: /a*b*c", "/a1c2b3", True),
    ("Disallow: /a****b", "/a-b", False),
    ("Disallow: /path$file", "/path$file", False),
    ("Disallow: /*?", "/a?b", False),
    ("Disallow: /*?", "/a", True),
    ("Disallow: /a?b=1", "/a?b=1&c=2", False),
    ("Disallow: /", "/", False),
    ("Disallow: /", "/robots.txt", True),
    ("Disallow:", "/x", True),
    ("Disallow: /\nAllow: ", "/x", False),
    # 2.2.2: octets that are written in two ways are the same
    ("Disallow: /foo/bar/\u30c4", "/foo/bar/%E3%83%84", False),
    ("Disallow: /foo/bar/%E3%83%84", "/foo/bar/%e3%83%84", False),
    ("Disallow: /foo/bar/%62%61%7A", "/foo/bar/baz", False),
    ("Disallow: /foo/bar/baz", "/foo/bar/%62%61%7A", False),
    ("Disallow: /a%2Fb", "/a/b", True),
    ("Disallow: /a/b", "/a%2Fb", True),
    ("Disallow: /a%3Cd.html", "/a%3cd.html", False),
    ("Disallow: /%7ejoe/", "/~joe/index.html", False),
    ("Disallow: /a%", "/a%", False),
    # 2.2.1: groups are for whole tokens, in any case; those of one token are one group
    (
        "User-agent: toolkit\nDisallow: /a\n\nUser-agent: x\nDisallow: /\n\nUser-agent: toolkit\nDisallow: /b",
        "/a",
        False,
    ),
    (
        "User-agent: toolkit\nDisallow: /a\n\nUser-agent: x\nDisallow: /\n\nUser-agent: toolkit\nDisallow: /b",
        "/b",
        False,
    ),
    ("User-agent: toolkit\nDisallow: /a\n\nUser-agent: *\nDisallow: /b", "/b", True),
    ("User-agent: *\nDisallow: /a\nUser-agent: *\nDisallow: /b", "/a", False),
    ("User-agent: TOOLKIT\nDisallow: /", "/a", False),
    ("User-agent: tool\nDisallow: /", "/a", True),
    ("User-agent: t\nDisallow: /", "/a", True),
    ("User-agent: kit\nDisallow: /", "/a", True),
    ("User-agent: toolkit-news\nDisallow: /", "/a", True),
    ("User-agent: my-toolkit\nDisallow: /", "/a", True),
    ("User-agent: toolkit/1.0 (+x)\nDisallow: /", "/a", False),
    ("User-agent: toolkit bot\nDisallow: /", "/a", False),
    ("User-agent: tool*\nDisallow: /", "/a", False),
    ("User-agent:toolkit#ours\nDisallow: /", "/a", False),
    ("User-agent: * # all\nDisallow: /", "/a", False),
    ("User-agent: x\nUser-agent: toolkit\nUser-agent: y\nDisallow: /", "/a", False),
    ("User-agent: toolkit\n\n\nDisallow: /", "/a", False),
    ("User-agent: toolkit\n# words\nUnknown: 1\nDisallow: /", "/a", False),
    ("User-agent: toolkit\nSitemap: /s\nUser-agent: x\nDisallow: /", "/a", False),
    ("User-agent: x\nDisallow: /b\nUser-agent: toolkit\nCrawl-delay: 5", "/b", True),
    ("User-agent:\nDisallow: /", "/a", True),
    # what people write
    ("user-agent : *\ndisallow : /a", "/a", False),
    ("  User-agent: *\n\tDisallow:\t/a  ", "/a", False),
    ("Useragent: *\nDissallow: /a", "/a", False),
    ("User-agent *\nDisallow /a", "/a", False),
    ("Disallow: /a b", "/a%20b", False),
    ("Disallow: http://h.org/a", "/a", True),
    ("Disallow: /a\x0cAllow: /", "/a", True),
    ("Disallow: /a\u2028b", "/a%E2%80%A8b", False),
    ("Disallow: /a\u2028b", "/a", True),
    ("<!doctype html><title>x</title>\n<p>User-agent: *\n<p>Disallow: /", "/a", True),
    ('{"User-agent": "*",\n"Disallow": "/"}', "/a", True),
]


@pytest.mark.parametrize(("text", "path", "free"), FILES)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_allows_by_the_table(text: str, path: str, free: bool, end: str) -> None:
    """What the RFC says, what other readers of these files agree on, and what people write all the same."""
    text = text if "agent" in text else f"User-agent: *\n{text}"
    body = text.replace("\n", end).encode()
    assert allowed({AT: Answer(body)}, f"http://h.org/{path.removeprefix('/')}") is free


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32-le"])
def test_allows_when_the_file_is_no_plain_text(codec: str) -> None:
    """A mark says what it is; without one it is UTF-8, which survives the zeros of other codings."""
    assert not allowed({AT: Answer("User-agent: *\nDisallow: /no".encode(codec))})
    marked = b"\xff\xfe" * (codec == "utf-16-le") + b"\xfe\xff" * (codec == "utf-16-be")
    assert not allowed({AT: Answer(marked + "User-agent: *\nDisallow: /no".encode(codec))})


@pytest.mark.parametrize(
    "body", [b"\xff\xfe\x00", b"\xff\xfe\xd8\xd8\xd8", bytes(range(256)) * 50, b"\0" * 5000, b":\n" * 99]
)
def test_allows_when_the_file_is_junk(body: bytes) -> None:
    """Nothing is asked for by nothing."""
    assert allowed({AT: Answer(body)})


def test_allows_when_the_rules_are_hostile() -> None:
    """No pattern takes long, however many stars it has."""
    rule = b"Disallow: /" + b"*a" * 900 + b"b$\n"
    robots = ask(RobotsCache(), FakeClient({AT: Answer(b"User-agent: *\n" + rule * 100)}))
    started = time.perf_counter()
    assert robots.allows("http://h.org/" + "a" * 2000, "toolkit")
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_read_when_the_limit_cuts_a_line(end: bytes) -> None:
    """Half a rule would forbid more than its whole: it does not count, whatever lines end with."""
    start = RULES.replace(b"\n", end)
    filling = b"#" + b"x" * (LIMIT - len(start) - len(end) - 13) + end
    body = start + filling + b"Disallow: /yes-and-more-than-fits" + end + b"# more" + end
    assert len(start + filling + b"Disallow: /y") == LIMIT
    assert not allowed({AT: Answer(body)})
    assert allowed({AT: Answer(body)}, "http://h.org/yes")


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


def test_read_when_it_stays_unreadable() -> None:
    """It is asked for again after a while that grows; pages wait for that twice, then fail at once."""
    clock, client = Clock(), FakeClient({AT: Answer(status=503)})
    cache = RobotsCache(clock)
    told = []
    for asked, wait in enumerate((*WAITS, WAITS[-1]), 1):
        for _ in range(3):
            error = failure(cache, client)
        assert error.cool_lane is error.retryable
        told.append((error.retryable, error.retry_after))
        assert len(client.urls) == asked
        clock.now += wait
    assert told == [(True, 1.0), (True, 5.0), (False, None), (False, None), (False, None)]
    client.answers[AT] = Answer(RULES)
    assert not ask(cache, client).allows(PAGE, "toolkit")
    client.answers[AT] = Answer(status=503)
    clock.now += LIFE
    ask(cache, client)


def test_read_when_it_recovers() -> None:
    """After a good answer the next failure is a first one again."""
    clock, client = Clock(), FakeClient({AT: Answer(status=503)})
    cache = RobotsCache(clock)
    for wait in WAITS[:2]:
        failure(cache, client)
        clock.now += wait
    client.answers[AT] = Answer(status=404)
    assert ask(cache, client).allows(PAGE, "toolkit")
    cache._known.popitem()
    client.answers[AT] = Answer(status=503)
    assert failure(cache, client).retry_after == WAITS[0]


def test_read_when_it_cannot_be_renewed() -> None:
    """Rules that are known hold on while a newer file cannot be read, and that is asked for again as ever."""
    clock, client = Clock(), FakeClient({AT: Answer(RULES)})
    cache = RobotsCache(clock)
    ask(cache, client)
    client.answers[AT] = Answer(status=500)
    clock.now = LIFE
    for _ in range(3):
        assert not ask(cache, client).allows(PAGE, "toolkit")
    assert len(client.urls) == 2
    clock.now += WAITS[0]
    client.answers[AT] = Answer(b"")
    assert ask(cache, client).allows(PAGE, "toolkit")


def test_read_when_a_failure_is_for_good() -> None:
    """A page whose host has no name is not tried again."""
    gone = TaskError(FailureKind.DNS, "no such name")
    error = failure(RobotsCache(), FakeClient({AT: Answer(error=gone)}))
    assert (error.kind, error.retryable, error.retry_after) == (FailureKind.DNS, False, None)


def test_read_when_this_machine_is_at_its_limit() -> None:
    """Too many open files here say nothing about the host: nothing is remembered, and the kind stays."""
    cache = RobotsCache()
    full = TaskError(FailureKind.LIMIT, "too many open files", retryable=True)
    error = failure(cache, FakeClient({AT: Answer(error=full)}))
    assert (error.kind, error.message) == (FailureKind.LIMIT, "too many open files")
    assert not ask(cache, FakeClient({AT: Answer(RULES)})).allows(PAGE, "toolkit")


def test_read_when_a_redirect_may_not_go_there() -> None:
    """An address that is refused to a redirect is none of the business of pages that the user named."""
    cache, refused = RobotsCache(), TaskError(FailureKind.BLOCKED, "the address 10.0.0.1 is not public")
    client = FakeClient({AT: Answer(error=refused)})
    with pytest.raises(
        TaskError, match=r"robots.txt of h.org cannot be read \(the address 10\.0\.0\.1 is not public\)"
    ):
        drive(cache.read(blocking(client), Request(PAGE, addresses="public"), Network()))
    assert not ask(cache, FakeClient({AT: Answer(RULES)})).allows(PAGE, "toolkit")


def test_read_when_no_page_may_go_there() -> None:
    """Where the rule is everybody's, the refusal is remembered."""
    cache, refused = RobotsCache(), TaskError(FailureKind.BLOCKED, "the address 10.0.0.1 is not public")
    client = FakeClient({AT: Answer(error=refused)})
    for _ in range(2):
        with pytest.raises(TaskError, match="is not public"):
            drive(cache.read(blocking(client), Request(PAGE, addresses="public"), Network(private="block")))
    assert client.urls == [AT]


def test_read_when_the_page_is_private() -> None:
    """What a page brings, and who asks for it, is not for its robots.txt; how to ask is."""
    client = FakeClient({})
    fields = (("User-Agent", "toolkit/1"), ("Cookie", "a=b"), ("Authorization", "Basic x"))
    drive(RobotsCache().read(blocking(client), Request(PAGE, "POST", fields, body=b"secret", read_timeout=3.0)))
    (asked,) = client.asked
    assert asked == Request(AT, headers=fields[:1], read_timeout=3.0)


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
    """Among tasks of one loop one fetches, and the others wait for it without holding up the loop."""
    cache, client = RobotsCache(), FakeClient({AT: Answer(RULES)})

    async def crowd() -> list[Robots]:
        first = await asyncio.gather(*(cache.read(LoopRuntime(client), Request(PAGE)) for _ in range(50)))
        return [*first, await cache.read(LoopRuntime(client), Request(PAGE))]

    assert [one.allows(PAGE, "toolkit") for one in asyncio.run(crowd())] == [False] * 51
    assert client.urls == [AT]


def test_read_when_a_loop_cannot_read_it() -> None:
    """All get the failure of the one that asked, each its own."""
    cache, client = RobotsCache(), FakeClient({AT: Answer(status=503)})

    async def crowd() -> list[Any]:
        reads = (cache.read(LoopRuntime(client), Request(PAGE)) for _ in range(20))
        return await asyncio.gather(*reads, return_exceptions=True)

    errors = asyncio.run(crowd())
    assert {error.kind for error in errors} == {FailureKind.BLOCKED}
    assert len({id(error) for error in errors}) == 20
    assert client.urls == [AT]


def test_read_when_its_task_runs_out_of_time() -> None:
    """One that was given up after a while has failed, so that not each page of a silent host waits as long."""
    clock = Clock()

    class Silent(LoopRuntime):
        """A server that says nothing."""

        async def fetch(self, request: Request, accept: Accept) -> Reply:
            """Wait for ever, or until given up."""
            self.client.asked.append(request)
            clock.now += WAITS[0]
            await asyncio.Event().wait()
            raise AssertionError

    cache, client = RobotsCache(clock), FakeClient({})

    async def crowd() -> list[Any]:
        reads = [asyncio.ensure_future(cache.read(Silent(client), Request(PAGE))) for _ in range(5)]
        await asyncio.sleep(0)
        reads[0].cancel()
        return await asyncio.gather(*reads, return_exceptions=True)

    given_up, *errors = asyncio.run(crowd())
    assert isinstance(given_up, asyncio.CancelledError)
    assert {(error.kind, error.retryable) for error in errors} == {(FailureKind.OVERDUE, False)}
    assert client.urls == [AT]


def test_read_when_the_file_is_large() -> None:
    """Reading a long one takes a while: not on the loop."""
    runtime = LoopRuntime(FakeClient({AT: Answer(RULES + b"# filling\n" * 10_000)}))
    assert not asyncio.run(RobotsCache().read(runtime, Request(PAGE))).allows(PAGE, "toolkit")
    assert runtime.calls == 1


@pytest.mark.parametrize(
    ("text", "delay", "warned"),
    [
        ("2.5", 2.5, False),
        ("0", 0.0, False),
        ("60", 60.0, False),
        ("61", 60.0, True),
        ("1e9", 60.0, True),
        ("-1", None, False),
        ("nan", None, False),
        ("inf", None, False),
        ("1e999", None, False),
        ("2,5", None, False),
        ("ten", None, False),
        ("", None, False),
    ],
)
def test_crawl_delay_when_asked_for(text: str, delay: float | None, warned: bool) -> None:
    """The delay that the host asks of us is known; what is no number is none; what is too long is cut, and told."""
    found = ask(RobotsCache(), FakeClient({AT: Answer(f"User-agent: *\nCrawl-delay: {text}\n".encode())}))
    assert found.crawl_delay("toolkit") == delay
    assert bool(found.warning("toolkit")) is warned


def test_warning_when_the_delay_is_cut() -> None:
    """It says what was asked for, and what is done."""
    found = ask(RobotsCache(), FakeClient({AT: Answer(b"User-agent: *\nCrawl-delay: 86400\n")}))
    assert found.warning("toolkit") == "robots.txt asks for 86,400 s between requests: it is given 60"
    assert (Robots().crawl_delay("toolkit"), Robots().warning("toolkit")) == (None, "")


def test_crawl_delay_when_in_several_groups() -> None:
    """Ours counts, not the general one's."""
    body = b"User-agent: *\nCrawl-delay: 9\n\nUser-agent: toolkit\nCrawl-delay: 2\n"
    assert ask(RobotsCache(), FakeClient({AT: Answer(body)})).crawl_delay("toolkit") == 2.0


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
