"""Redirects over real connections: followed hop by hop, and only where we may go."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

import pytest

from samples.serve import SampleServer
from tests.clients.driver import Driver
from tests.clients.proxy import Proxy
from tests.clients.raw import Do, RawServer, reply
from toolkit.clients import ClientKind, ClientOptions
from toolkit.core import addresses
from toolkit.core.addresses import is_public
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.follow import MAX_REDIRECTS
from toolkit.core.http import Request
from toolkit.core.network import Network

PRIVATE = (("Authorization", "Basic eA=="), ("Cookie", "a=b"), ("Proxy-Authorization", "Basic eQ=="), ("X-Mine", "1"))


def to(location: str, status: int = 302) -> bytes:
    """Return a redirect with a short body."""
    return reply(b"moved", f"Location: {location}", status=f"{status} Moved")


def test_chain_is_followed_over_one_connection(client: Driver) -> None:
    """Every status that redirects does; the URLs left behind are told in order, and accept sees the last head only."""
    steps = [to("/a", 301), to("b", 302), to("?c", 303), to("/d/", 307), to("./e", 308), reply(b"hi")]
    with RawServer([step for each in steps for step in (each, Do.NEXT)]) as server:
        got = client.follow(Request(server.url))
    assert server.targets() == ["/", "/a", "/b", "/b?c", "/d/", "/d/e"]
    assert got.body == b"hi"
    assert got.reply.redirects == tuple(server.url + path for path in ("", "a", "b", "b?c", "d/"))
    assert (got.reply.head.url, server.connections) == (server.url + "d/e", 1)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/a b?c d", "/a%20b?c%20d"),
        ("/caf\xc3\xa9", "/caf%C3%A9"),
        ("  /padded\t", "/padded"),
        ("/a%2fb", "/a%2fb"),
        ("/f#fragment", "/f"),
        ("\\back\\slash", "/back/slash"),
    ],
)
def test_location_is_read_as_browsers_read_it(client: Driver, location: str, target: str) -> None:
    """Spaces, bytes of UTF-8, fragments and backslashes in a Location do no harm."""
    with RawServer((to(location), Do.NEXT, reply(b"hi"))) as server:
        assert client.follow(Request(server.url)).body == b"hi"
    assert server.targets() == ["/", target]


@pytest.mark.parametrize("form", ["http://{}/x", "//{}/x", "HTTP://{}/x"])
def test_credentials_stay_behind_when_the_origin_changes(client: Driver, form: str) -> None:
    """Another host or port sees neither password nor cookie; what is not private goes along."""
    with RawServer((reply(b"hi"),)) as other, RawServer((to(form.format(f"127.0.0.1:{other.port}")),)) as server:
        client.follow(Request(server.url, headers=PRIVATE))
        names = [name for name, _ in PRIVATE]
        assert [server.header(name) for name in names] == [[value] for _, value in PRIVATE]
        assert [other.header(name) for name in names] == [[], [], [], ["1"]]


def test_credentials_stay_when_the_origin_does(client: Driver) -> None:
    """The same host and port may see again what it has seen."""
    with RawServer((to("/x"), Do.NEXT, reply(b"hi"))) as server:
        client.follow(Request(server.url, headers=PRIVATE))
        assert server.header("authorization") == ["Basic eA=="]


def test_loops_and_long_chains_end(client: Driver, server: SampleServer) -> None:
    """A URL is not asked twice in a chain, and a chain has an end."""
    page = server.url + "item/cat-poster.html"
    assert client.follow(Request(f"{page}?redirect=3")).reply.head.status == 200
    for fault, words in (("loop=1", "loop"), (f"redirect={MAX_REDIRECTS + 2}", "more than 20")):
        with pytest.raises(TaskError, match=words) as caught:
            client.follow(Request(f"{page}?{fault}"))
        assert (caught.value.kind, caught.value.retryable) == (FailureKind.REDIRECT, False)


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("ftp://example.com/a", FailureKind.BLOCKED),
        ("file:///etc/passwd", FailureKind.BLOCKED),
        ("javascript:alert(1)", FailureKind.BLOCKED),
        ("http://[bad/", FailureKind.REDIRECT),
        ("http:///", FailureKind.REDIRECT),
        ("http://a:b:c/", FailureKind.REDIRECT),
    ],
)
def test_target_that_is_not_ours_is_refused(client: Driver, location: str, why: FailureKind) -> None:
    """Only http and https URLs with a host are followed."""
    with RawServer((to(location),)) as server, pytest.raises(TaskError) as caught:
        client.follow(Request(server.url))
    assert caught.value.kind is why
    assert len(server.requests) == 1


def test_redirect_without_location_is_a_reply(client: Driver) -> None:
    """A 302 that leads nowhere, and a 304, are handed to the job as they are."""
    with RawServer((reply(b"here", status="302 Found"),)) as server:
        got = client.follow(Request(server.url))
    assert (got.reply.head.status, got.body) == (302, b"here")


def test_hop_is_forbidden_by_may_go(client: Driver) -> None:
    """may_go is awaited before each hop, and its failure ends the chain before anything is asked there."""
    hops: list[tuple[str, str]] = []

    async def may_go(old: str, new: Request) -> None:
        hops.append((old, new.url))
        if new.url.endswith("/private"):
            raise TaskError(FailureKind.BLOCKED, "robots.txt says no")

    with RawServer((to("/a"), Do.NEXT, to("/private"), Do.NEXT, reply())) as server:
        with pytest.raises(TaskError, match=r"robots\.txt"):
            client.follow(Request(server.url), may_go)
        assert server.targets() == ["/", "/a"]
        assert hops == [(server.url, server.url + "a"), (server.url + "a", server.url + "private")]


@pytest.fixture
def one_private(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make 127.0.0.2 the only address that is not public; nothing listens there."""
    monkeypatch.setattr(addresses, "NOT_PUBLIC", (IPv4Network("127.0.0.2/32"),))
    is_public.cache_clear()
    yield
    is_public.cache_clear()


@pytest.mark.usefixtures("one_private")
@pytest.mark.parametrize(
    ("private", "why"),
    [("guard", FailureKind.BLOCKED), ("block", FailureKind.BLOCKED), ("allow", FailureKind.CONNECT)],
)
def test_public_host_leads_to_no_private_address(client: Driver, private: Any, why: FailureKind) -> None:
    """Unless that is allowed: then it is tried, and here nobody answers."""
    with RawServer((to("/on"), Do.NEXT, to("http://127.0.0.2:1/"))) as server:
        network = Network(private=private)
        with pytest.raises(TaskError) as caught:
            client.follow(network.request(server.url), network=network)
    assert caught.value.kind is why
    assert len(server.requests) == 2
    if why is FailureKind.BLOCKED:
        assert caught.value.message == "the address 127.0.0.2 is not public"


@pytest.mark.usefixtures("one_private")
def test_guard_stays_once_a_hop_was_public(client: Driver) -> None:
    """Robots that ask before a hop see where it may lead, too."""
    seen: list[str] = []

    async def may_go(_: str, new: Request) -> None:
        seen.append(new.addresses)

    with RawServer((reply(b"hi"),)) as end, RawServer((to("/a"), Do.NEXT, to(end.url))) as server:
        network = Network()
        assert client.follow(network.request(server.url), may_go, network=network).body == b"hi"
    assert seen == ["public", "public"]


def test_private_host_may_lead_to_its_like(client: Driver) -> None:
    """The user has named it: an intranet's redirects are its own."""
    with (
        RawServer((reply(b"hi"),), (reply(b"hi"),)) as end,
        RawServer((to(f"http://localhost:{end.port}/"),)) as server,
    ):
        network = Network()
        assert client.follow(network.request(server.url), network=network).body == b"hi"
        blocking = Network(private="block")
        with pytest.raises(TaskError) as caught:
            client.follow(blocking.request(server.url), network=blocking)
    assert caught.value.kind is FailureKind.BLOCKED


def test_behind_a_proxy_only_names_are_seen(kind: ClientKind) -> None:
    """A name counts as public, so that a redirect from it to an address in numbers is judged; localhost does not."""
    with Proxy() as proxy, Driver(kind, ClientOptions(proxy=f"http://127.0.0.1:{proxy.port}")) as client:
        network = Network()
        with RawServer((reply(b"hi"),)) as end, RawServer((to(end.url),)) as server:
            assert client.follow(network.request(server.url), network=network).body == b"hi"
        assert len(proxy.heads) == 2
    with (
        Proxy(refuse=to("http://127.0.0.1:1/")) as proxy,
        Driver(kind, ClientOptions(proxy=f"http://127.0.0.1:{proxy.port}")) as client,
    ):
        with pytest.raises(TaskError) as caught:
            client.follow(network.request("http://example.com/"), network=network)
        assert (caught.value.kind, len(proxy.heads)) == (FailureKind.BLOCKED, 1)
