"""By way of a SOCKS 5 proxy: the same under every client, and nothing extra to install."""

from __future__ import annotations

import ssl

import pytest
import trustme

from tests.clients.driver import Driver
from tests.clients.raw import Do, RawServer, reply
from tests.clients.socks import SocksProxy
from toolkit.clients import ClientKind, ClientOptions
from toolkit.clients._socks import handshake, socks_of
from toolkit.core.errors import FailureKind, TaskError

HI = (reply(b"hi"), Do.NEXT, reply(b"hi"))


def through(kind: ClientKind, proxy: SocksProxy, scheme: str = "socks5h", user: str = "") -> Driver:
    """Return a client whose requests all go by way of this proxy."""
    return Driver(kind, ClientOptions(proxy=f"{scheme}://{user}127.0.0.1:{proxy.port}"))


@pytest.mark.parametrize(
    ("scheme", "host", "asked"),
    [
        ("socks5h", "localhost", "name localhost"),
        ("socks5h", "127.0.0.1", "address 127.0.0.1"),
        ("socks5", "127.0.0.1", "address 127.0.0.1"),
    ],
)
def test_requests_go_through(kind: ClientKind, scheme: str, host: str, asked: str) -> None:
    """The proxy connects us, by name or by address; the server sees plain requests, on one kept connection."""
    with RawServer(HI) as server, SocksProxy() as proxy, through(kind, proxy, scheme) as client:
        replies = [client.get(f"http://{host}:{server.port}/a") for _ in range(2)]
    assert [each.body for each in replies] == [b"hi", b"hi"]
    assert proxy.asked == [f"{asked}:{server.port}"]
    assert server.targets() == ["/a", "/a"]
    assert replies[0].reply.address == ""


def test_socks5_resolves_here(kind: ClientKind) -> None:
    """Without the h a name is looked up on this side, and the proxy never hears of one that is unknown."""
    with SocksProxy() as proxy, through(kind, proxy, "socks5") as client:
        failure = client.failure("http://nobody.invalid/")
    assert (failure.kind, proxy.asked) == (FailureKind.DNS, [])


def test_password_is_shown_to_the_proxy(kind: ClientKind) -> None:
    """User name and password stand in the URL, encoded as URLs want it."""
    user = "ann:p%40ss%C3%A9@"
    with RawServer(HI) as server, SocksProxy("ann:p@ssé".encode()) as proxy, through(kind, proxy, user=user) as client:
        assert client.get(server.url).body == b"hi"
    assert proxy.users == ["ann:p@ssé".encode()]


def test_environment_may_name_a_socks_proxy(kind: ClientKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """all_proxy counts for both schemes."""
    with RawServer(HI) as server, SocksProxy() as proxy:
        monkeypatch.setenv("all_proxy", f"socks5h://127.0.0.1:{proxy.port}")
        with Driver(kind) as client:
            assert client.get(server.url).body == b"hi"
        assert len(proxy.asked) == 1


def test_tls_goes_through(kind: ClientKind, tmp_path: object) -> None:
    """The proxy sees bytes only, and the certificate is the server's."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    bundle = f"{tmp_path}/ca.pem"
    authority.cert_pem.write_to_path(bundle)
    with RawServer(HI, tls=context) as server, SocksProxy() as proxy:
        url = f"socks5h://127.0.0.1:{proxy.port}"
        with Driver(kind, ClientOptions(ca_file=bundle, proxy=url)) as client:
            assert client.get(server.url).body == b"hi"
        with Driver(kind, ClientOptions(proxy=url)) as client:
            assert client.failure(server.url).kind is FailureKind.TLS
    assert len(proxy.asked) == 2


@pytest.mark.parametrize("user", ["", "ann:wrong%20secret@"])
def test_proxy_that_wants_another_password_is_named(kind: ClientKind, user: str) -> None:
    """No password, or a wrong one: told in words, without it."""
    with SocksProxy(b"ann:right") as proxy, through(kind, proxy, user=user) as client:
        failure = client.failure("http://127.0.0.1:1/")
    assert (failure.kind, failure.retryable) == (FailureKind.CONNECT, True)
    assert "the proxy does not connect us" in failure.message
    assert "secret" not in failure.message


@pytest.mark.parametrize("status", [1, 2, 4, 5, 99])
def test_refusal_of_the_proxy_is_told(kind: ClientKind, status: int) -> None:
    """Whatever its reason."""
    with SocksProxy(refuse=status) as proxy, through(kind, proxy) as client:
        failure = client.failure("http://127.0.0.1:1/")
    assert (failure.kind, failure.retryable) == (FailureKind.CONNECT, True)
    assert failure.message.startswith("the proxy does not connect us: ")


@pytest.mark.parametrize("script", [b"", b"\x05", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x05\x00\x05\x00"])
def test_proxy_that_is_none_is_told(kind: ClientKind, script: bytes) -> None:
    """One that speaks something else, or goes away."""
    with SocksProxy(script=script) as proxy, through(kind, proxy) as client:
        failure = client.failure("http://127.0.0.1:1/")
    assert (failure.kind, failure.retryable) == (FailureKind.CONNECT, True)
    assert failure.message.startswith("the proxy does not connect us: ")


def test_absent_socks_proxy_is_named(kind: ClientKind) -> None:
    """A proxy that is not there is told from a server that is not there."""
    with Driver(kind, ClientOptions(proxy="socks5://ann:secret@127.0.0.1:1")) as client:
        failure = client.failure("http://127.0.0.1:2/")
    assert (failure.kind, failure.message) == (
        FailureKind.CONNECT,
        "the proxy does not connect us: connection refused",
    )


def test_address_that_is_not_public_is_refused_before_any_proxy(kind: ClientKind) -> None:
    """A proxy resolves names in its own network; of a URL's numbers we know as much as it."""
    with SocksProxy() as proxy, through(kind, proxy) as client:
        for host in ("127.0.0.1", "0x7f.1", "10.1.2.3", "[::1]"):
            assert client.failure(f"http://{host}:9/", addresses="public").kind is FailureKind.BLOCKED
    assert proxy.asked == []


def test_names_longer_than_the_protocol_allows_are_refused() -> None:
    """A length is one byte; what is longer must not become something else."""
    socks = socks_of("socks5h://ann:secret@[::1]")
    assert socks is not None
    assert (socks.host, socks.port, socks.resolves) == ("::1", 1080, True)
    assert "secret" not in repr(socks)
    steps = handshake(socks, "a" * 256, 80)
    next(steps)
    with pytest.raises(TaskError, match="more than 255 bytes"):
        steps.send(b"\x05\x00")
