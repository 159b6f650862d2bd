"""How long the parts of an exchange took, and with whom it was, whatever the client."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme

from tests.clients.driver import Driver
from tests.clients.proxy import Proxy
from tests.clients.raw import Do, RawServer, reply
from toolkit.clients import ClientKind, ClientOptions
from toolkit.core.http import Timings

HI = (reply(b"hi"), Do.NEXT, reply(b"hi"))


def assert_in_order(timings: Timings) -> None:
    """Hold the parts to being parts of the whole."""
    assert timings.first_byte is not None
    assert timings.total is not None
    parts = (timings.dns or 0.0, timings.connect or 0.0, timings.tls or 0.0)
    assert all(part >= 0 for part in parts)
    assert sum(parts) <= timings.first_byte <= timings.total


def test_parts_of_a_plain_exchange(client: Driver) -> None:
    """A new connection has its times, but none of TLS; a kept one has none."""
    with RawServer(HI) as server:
        first, second = (client.get(f"http://localhost:{server.port}/").reply for _ in range(2))
    assert first.timings.dns is not None
    assert first.timings.connect is not None
    assert first.timings.tls is None
    kept = second.timings
    assert (kept.dns, kept.connect, kept.tls) == (None, None, None)
    for each in (first, second):
        assert_in_order(each.timings)
        assert each.address == "127.0.0.1"


def test_tls_has_a_time_of_its_own(kind: ClientKind, tmp_path: Path) -> None:
    """The handshake is told apart from the connection."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with (
        RawServer(HI, tls=context) as server,
        Driver(kind, ClientOptions(ca_file=str(tmp_path / "ca.pem"))) as client,
    ):
        first, second = (client.get(server.url).reply for _ in range(2))
    assert first.timings.tls is not None
    assert first.timings.tls > 0
    assert first.timings.connect is not None
    assert_in_order(first.timings)
    assert second.timings.tls is None


def test_address_is_unknown_by_way_of_a_proxy(kind: ClientKind) -> None:
    """The other side of the connection is the proxy, which is not asked for."""
    with (
        Proxy() as proxy,
        RawServer(HI) as server,
        Driver(kind, ClientOptions(proxy=f"http://127.0.0.1:{proxy.port}")) as client,
    ):
        got = client.get(server.url)
    assert got.reply.address == ""
    assert_in_order(got.reply.timings)
