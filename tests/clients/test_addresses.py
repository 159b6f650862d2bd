"""Where a request may lead: by the table, and at the address really connected to, whatever the client."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

import pytest

from tests.clients.driver import Driver
from tests.clients.proxy import Proxy
from tests.clients.raw import Do, RawServer, reply
from toolkit.clients import ClientKind, ClientOptions
from toolkit.core import addresses
from toolkit.core.addresses import check_literal, is_public, literal, refused
from toolkit.core.errors import FailureKind, TaskError

HI = (reply(b"hi"), Do.NEXT, reply(b"hi"))

PUBLIC = """
8.8.8.8 1.1.1.1 93.184.216.34 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0 192.167.0.1 192.0.1.1 223.255.255.255
169.253.255.255 198.17.0.1 198.20.0.1 11.0.0.0 126.255.255.255 128.0.0.0 2606:4700::1111 2a00:1450:4001::200e
2001:4860:4860::8888 ::ffff:8.8.8.8 ::8.8.8.8 2002:808:808::1 64:ff9b::808:808 2001:200::1
""".split()  # noqa: SIM905 - a table reads better so

NOT_PUBLIC = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1
172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.7
203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 168.63.129.16 100.100.100.200
:: ::1 ::2 fe80::1 fe80::1%eth0 fec0::1 fc00::1 fd00:ec2::254 ff02::1 100::1 2001:db8::1 3fff::1 2001:10::1 4000::1
5f00::1 64:ff9b:1::a00:1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:169.254.169.254 ::10.0.0.1 2002:a00:1::1 2002:7f00:1::
64:ff9b::10.0.0.1 64:ff9b::a9fe:a9fe 2001:0:808:808::f5ff:fffe 2001:0:a00:1::f7f7:f7f7 localhost 2130706433
""".split()  # noqa: SIM905 - a table reads better so


@pytest.mark.parametrize("ip", PUBLIC)
def test_public_addresses(ip: str) -> None:
    """The Internet's own, and gateways that lead there."""
    assert is_public(ip)


@pytest.mark.parametrize("ip", [*NOT_PUBLIC, "", "1.2.3", "8.8.8.8.8"])
def test_addresses_that_are_not_public(ip: str) -> None:
    """Private, local, shared, reserved, for documents or many at once; gateways to such; and what is no address."""
    assert not is_public(ip)


def test_tunnel_between_public_addresses_is_public() -> None:
    """Teredo holds a server's address and a client's, inverted: both count."""
    assert is_public("2001:0:808:808::f7f7:f7f7")


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0x7f.1", "127.0.0.1", "127.0.0.1."]
)
def test_every_way_to_write_an_address_is_known(host: str) -> None:
    """Resolvers take IPv4 in many forms; all mean loopback here."""
    assert literal(host) == "127.0.0.1"
    with pytest.raises(TaskError, match=r"^the address 127\.0\.0\.1 is not public$"):
        check_literal(host)


@pytest.mark.parametrize("host", ["example.com", "", None, "1.2.3.4.5", "a.1", "8.8.8.8", "[2606:4700::1111]"])
def test_names_and_public_addresses_pass(host: str | None) -> None:
    """A name says nothing before it is resolved."""
    check_literal(host)


def test_refusal_is_for_good() -> None:
    """Another attempt would lead to the same place."""
    failure = refused("10.0.0.1")
    assert (failure.kind, failure.retryable) == (FailureKind.BLOCKED, False)
    assert failure.message == "the address 10.0.0.1 is not public"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1"])
def test_private_host_is_refused_before_anything_is_sent(client: Driver, host: str) -> None:
    """Whatever name it goes by, the server sees no request; asked for without the rule, it answers."""
    with RawServer(HI) as server:
        failure = client.failure(f"http://{host}:{server.port}/", addresses="public")
        assert (failure.kind, failure.retryable) == (FailureKind.BLOCKED, False)
        assert failure.message in ("the address 127.0.0.1 is not public", "the address ::1 is not public")
        assert server.requests == []
        assert client.get(f"http://127.0.0.1:{server.port}/").body == b"hi"


def test_kept_connection_is_looked_at_again(client: Driver) -> None:
    """A connection made for a request that might go anywhere serves none that must not come here."""
    with RawServer(HI, HI) as server:
        url = f"http://localhost:{server.port}/"  # by name: of numbers nobody needs a connection to judge
        client.get(url)
        assert client.failure(url, addresses="public").kind is FailureKind.BLOCKED
        if client.name != "curl":  # which tells where a kept connection leads when the reply comes
            assert len(server.requests) == 1
        assert client.get(url).body == b"hi"


@pytest.fixture
def one_public(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make 127.0.0.2 the only address that is not public."""
    monkeypatch.setattr(addresses, "NOT_PUBLIC", (IPv4Network("127.0.0.2/32"),))
    is_public.cache_clear()
    yield
    is_public.cache_clear()


class Resolver:
    """Answers for the name example.com, whose addresses may change from one look-up to the next."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self._real = socket.getaddrinfo
        self._lock = threading.Lock()
        self.asked = 0

    def __call__(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """Answer as socket.getaddrinfo does."""
        if host != "example.com":
            return self._real(host, port, *args, **kwargs)
        with self._lock:
            self.asked += 1
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in answer]


def resolving(monkeypatch: pytest.MonkeyPatch, kind: ClientKind, *answers: list[str]) -> Resolver:
    """Put such a resolver in place; curl has one of its own."""
    if kind.name == "curl":
        pytest.skip("libcurl resolves by itself")
    resolver = Resolver(*answers)
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    return resolver


@pytest.mark.usefixtures("one_public")
def test_what_was_judged_is_what_is_connected_to(kind: ClientKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is looked up once: one whose address changes between judgement and connection gains nothing."""
    resolver = resolving(monkeypatch, kind, ["127.0.0.1"], ["127.0.0.2"])
    with RawServer(HI) as server, Driver(kind) as client:
        got = client.get(f"http://example.com:{server.port}/", addresses="public")
    assert (got.body, got.reply.address, resolver.asked) == (b"hi", "127.0.0.1", 1)


@pytest.mark.usefixtures("one_public")
def test_private_addresses_of_a_name_are_passed_over(kind: ClientKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name may have both: the public one serves; if there is none, the refusal names an address."""
    resolving(monkeypatch, kind, ["127.0.0.2", "127.0.0.1"])
    with RawServer(HI) as server, Driver(kind) as client:
        assert client.get(f"http://example.com:{server.port}/", addresses="public").reply.address == "127.0.0.1"
    resolving(monkeypatch, kind, ["127.0.0.2"])
    with Driver(kind) as client:
        failure = client.failure("http://example.com:9/", addresses="public")
    assert (failure.kind, failure.message) == (FailureKind.BLOCKED, "the address 127.0.0.2 is not public")


def test_every_address_of_a_name_is_tried(kind: ClientKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that refuses does not end it."""
    resolving(monkeypatch, kind, ["127.0.0.9", "127.0.0.8", "127.0.0.1"])
    with RawServer(HI) as server, Driver(kind) as client:
        assert client.get(f"http://example.com:{server.port}/").reply.address == "127.0.0.1"


def test_addresses_behind_a_proxy_are_its_own_business(kind: ClientKind) -> None:
    """It connects, in its own network; only a URL's own numbers are judged here, and nobody is asked for those."""
    with (
        Proxy() as proxy,
        RawServer(HI) as server,
        Driver(kind, ClientOptions(proxy=f"http://127.0.0.1:{proxy.port}")) as client,
    ):
        got = client.get(f"http://localhost:{server.port}/", addresses="public")
        for host in ("127.0.0.1", "2130706433", "169.254.169.254"):
            assert client.failure(f"http://{host}:9/", addresses="public").kind is FailureKind.BLOCKED
    assert (got.body, got.reply.address, len(proxy.heads)) == (b"hi", "", 1)
