"""Redirects over real connections: followed hop by hop, and only where we may go."""

from __future__ import annotations

import pytest

from samples.serve import SampleServer
from tests.clients.driver import Driver
from tests.clients.raw import Do, RawServer, reply
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.follow import MAX_REDIRECTS
from toolkit.core.http import Request

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
