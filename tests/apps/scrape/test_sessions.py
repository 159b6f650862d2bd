"""A jar for each host: what goes back, to whom, for how long, and what is forgotten."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from tests.apps.scrape.fakes import HTML, Answer, FakeClient, LoopRuntime, blocking
from toolkit.apps.scrape.sessions import MOST_COOKIES, MOST_HOSTS, CookieRuntime, HostJar, dressed, shared
from toolkit.core.follow import follow
from toolkit.core.http import Head, Headers, MemorySink, Request
from toolkit.core.job import Runtime
from toolkit.core.runtime import drive

SHOP = "https://shop.test/a/page"


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def headers(*cookies: str) -> Headers:
    return Headers(("Set-Cookie", cookie) for cookie in cookies)


def told(jar: HostJar, url: str) -> str:
    return "; ".join(f"{name}={value}" for name, value in jar.pairs(url))


def jar_of(*cookies: str, url: str = SHOP) -> HostJar:
    jar = HostJar(Clock())
    jar.learn(url, headers(*cookies))
    return jar


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://shop.test/a/page", "deep=3; here=2; root=1"),
        ("https://shop.test:8443/a/page/x?y#z", "deep=3; here=2; root=1"),
        ("HTTPS://SHOP.test/a/", "here=2; root=1"),
        ("https://shop.test/ab", "root=1"),
        ("https://shop.test", "root=1"),
        ("http://shop.test/a/page", "here=2; root=1"),
        ("https://www.shop.test/a/page", ""),
        ("https://test/a/page", ""),
        ("https://shop.test.evil.test/a/page", ""),
        ("https://user:pw@shop.test/", "root=1"),
    ],
)
def test_cookies_go_to_their_host_and_path_alone(url: str, sent: str) -> None:
    """Whatever Domain says; longer paths first; what is for https goes by https."""
    jar = jar_of("root=1; Path=/; Domain=shop.test", "here=2", "deep=3; Path=/a/page; Secure")
    assert told(jar, url) == sent


def test_cookies_of_one_path_come_by_age() -> None:
    """A new value does not make a cookie younger (RFC 6265, 5.3, step 11)."""
    jar = jar_of("a=1", "b=2", "c=3", "a=4")
    assert told(jar, SHOP) == "a=4; b=2; c=3"
    jar.learn(SHOP, headers("a=gone; Max-Age=0", "a=5"))
    assert told(jar, SHOP) == "b=2; c=3; a=5"


def test_cookies_of_two_paths_are_two() -> None:
    """The same name goes twice; deleting is by name and path."""
    jar = jar_of("a=1; Path=/", "a=2; Path=/a")
    assert told(jar, SHOP) == "a=2; a=1"
    jar.learn(SHOP, headers("a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "b=; Max-Age=0"))
    assert told(jar, SHOP) == "a=2"


def test_cookies_end_when_their_time_is_over() -> None:
    """To the second, on the jar's own clock; a host without cookies is forgotten."""
    clock = Clock()
    jar = HostJar(clock)
    jar.learn(SHOP, headers("a=1; Max-Age=10", "b=2"))
    clock.now += 9.9
    assert told(jar, SHOP) == "a=1; b=2"
    clock.now += 0.1
    assert told(jar, SHOP) == "b=2"
    jar.learn(SHOP, headers("b=; Max-Age=0"))
    assert repr(jar) == "HostJar(0 hosts)"


def test_what_is_for_https_is_not_replaced_in_the_open() -> None:
    """Whoever sits on an open line could else choose somebody's session."""
    jar = jar_of("id=safe; Secure; Path=/", "open=1; Path=/")
    jar.learn("http://shop.test/", headers("id=theirs; Path=/a", "id=; Max-Age=0; Path=/", "open=2; Path=/"))
    assert told(jar, SHOP) == "id=safe; open=2"
    assert told(jar, "http://shop.test/a/") == "open=2"


def test_the_cookie_unused_for_longest_goes() -> None:
    """A host has fifty at most; one that is over goes before all others."""
    clock = Clock()
    jar = HostJar(clock)
    jar.learn(SHOP, headers("first=1; Path=/often", "over=1; Max-Age=5", "rare=1; Path=/never"))
    jar.learn(SHOP, headers(*(f"n{number}=1" for number in range(MOST_COOKIES - 3))))
    assert len(jar.pairs("https://shop.test/often")) == 1
    clock.now += 5
    jar.learn(SHOP, headers("more=1"))
    assert [name for name, _ in jar.pairs("https://shop.test/never")] == ["rare"]
    jar.pairs("https://shop.test/often")
    jar.learn(SHOP, headers("most=1"))
    names = [name for name, _ in jar.pairs(SHOP)]
    assert (len(names), "n0" in names, names[-1]) == (MOST_COOKIES - 2, False, "most")
    assert jar.pairs("https://shop.test/often")


def test_the_host_unused_for_longest_goes() -> None:
    """A process keeps two thousand."""
    jar = HostJar(Clock())
    for number in range(MOST_HOSTS):
        jar.learn(f"http://h{number}.test/", headers("a=1"))
    assert told(jar, "http://h0.test/") == "a=1"
    jar.learn("http://more.test/", headers("a=1"))
    assert (told(jar, "http://h0.test/"), told(jar, "http://h1.test/")) == ("a=1", "")


def test_threads_share_a_jar() -> None:
    """None of them sees half a change."""
    jar, errors = HostJar(), list[BaseException]()

    def work(number: int) -> None:
        try:
            for turn in range(300):
                jar.learn(SHOP, headers(f"c{number}-{turn % 20}={turn}", f"c{number}-{turn % 7}=; Max-Age=0"))
                assert len(jar.pairs(SHOP)) <= MOST_COOKIES
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert errors == []


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ([], ["a=1; b=2"]),
        (["mine=x"], ["mine=x; a=1; b=2"]),
        (["mine=x; a=old ;;b", "other=y"], ["mine=x; other=y; a=1; b=2"]),
    ],
)
def test_cookies_of_the_user_stay_unless_the_host_has_a_newer(given: list[str], sent: list[str]) -> None:
    """There is one Cookie field (RFC 6265, 5.4)."""
    request = Request(SHOP, headers=(("X", "1"), *(("cookie", value) for value in given)))
    done = dressed(request, [("a", "1"), ("b", "2")])
    assert [value for name, value in done.headers if name.lower() == "cookie"] == sent
    assert done.headers[0] == ("X", "1")
    assert dressed(request, []) is request


def on_thread(client: FakeClient) -> Runtime:
    return blocking(client)


def on_loop(client: FakeClient) -> Runtime:
    return LoopRuntime(client)


Sites = Callable[[FakeClient], Runtime]


def setting(cookie: str, **more: str) -> Answer:
    return Answer(b"<p>hi", headers={**HTML, "Set-Cookie": cookie, **more})


@pytest.mark.parametrize("runtime", [on_thread, on_loop])
def test_runtime_learns_at_every_hop(runtime: Sites) -> None:
    """A cookie set by a redirect goes with the next request to its host, and not to another host on the way."""
    client = FakeClient(
        {
            "http://a.test/": Answer(status=302, headers={"Location": "http://b.test/", "Set-Cookie": "one=1"}),
            "http://b.test/": Answer(status=302, headers={"Location": "http://a.test/x", "Set-Cookie": "two=2"}),
            "http://a.test/x": setting("three=3"),
        }
    )
    jar = HostJar()
    cookies = CookieRuntime(runtime(client), jar)

    async def go() -> None:
        sink = MemorySink(99)
        for _ in range(2):
            await follow(cookies, Request("http://a.test/"), lambda _: sink)
        assert sink.body() == b"<p>hi<p>hi"

    drive(go()) if runtime is on_thread else asyncio.run(go())
    sent = [[value for name, value in request.headers if name == "Cookie"] for request in client.asked]
    assert sent == [[], [], ["one=1"], ["one=1; three=3"], ["two=2"], ["one=1; three=3"]]


def test_runtime_learns_when_the_job_refuses() -> None:
    """A 403 may set a cookie, too."""
    client = FakeClient({"http://a.test/": Answer(status=403, headers={"Set-Cookie": "a=1"})})
    jar = HostJar()

    def refuse(_: Head) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError):
        drive(CookieRuntime(blocking(client), jar).fetch(Request("http://a.test/"), refuse))
    assert told(jar, "http://a.test/") == "a=1"


def test_runtime_hands_on_all_else() -> None:
    """Calls, computing, single flights; and members of a group have the cookies, too."""
    client = FakeClient({"http://a.test/": setting("a=1")})
    cookies = CookieRuntime(blocking(client), HostJar())

    async def member(runtime: Runtime) -> None:
        assert isinstance(runtime, CookieRuntime)
        await runtime.fetch(Request("http://a.test/"), lambda _: None)

    async def make() -> int:
        return 7

    async def go() -> list[int]:
        async with cookies.group() as group:
            group.start(member)
        async with cookies.group() as group:
            group.start(member)
        return [await cookies.call(abs, -1), await cookies.compute(abs, -2), await cookies.once("key", make)]

    assert drive(go()) == [1, 2, 7]
    assert [dict(request.headers).get("Cookie") for request in client.asked] == [None, "a=1"]


def test_error_in_a_group_comes_through() -> None:
    """As from the runtime itself."""
    cookies = CookieRuntime(blocking(FakeClient({})), HostJar())

    async def go() -> None:
        async with cookies.group():
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        drive(go())


def test_jars_are_one_for_each_run() -> None:
    """Those of the last runs are kept."""
    mine = shared("mine")
    assert shared("mine") is mine
    for number in range(4):
        shared(f"other {number}")
    assert shared("mine") is not mine


def test_nothing_of_a_session_shows() -> None:
    """Values are for the wire."""
    jar = jar_of("id=s3cret")
    assert "s3cret" not in repr(jar) + repr(vars(jar))


def test_page_that_looks_for_cookies_is_reached() -> None:
    """It sets one and sends its visitors to itself."""

    class Looking(FakeClient):
        """Answers those who bring the cookie."""

        def fetch(self, request: Request, *arguments: object) -> object:  # type: ignore[override]
            """Answer."""
            known = "seen=1" in dict(request.headers).get("Cookie", "")
            first = Answer(status=302, headers={"Location": "/", "Set-Cookie": "seen=1"})
            self.answers["http://a.test/"] = Answer(b"in") if known else first
            return super().fetch(request, *arguments)  # type: ignore[arg-type]

    client = Looking({})
    sink = MemorySink(9)
    drive(follow(CookieRuntime(blocking(client), HostJar()), Request("http://a.test/"), lambda _: sink))
    assert (sink.body(), len(client.asked)) == (b"in", 2)
