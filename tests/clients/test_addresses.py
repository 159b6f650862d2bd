"""Where a request may lead: by the table, and at the address really connected to, whatever the client."""

from __future__ import annotations

import pytest

from toolkit.clients._addresses import check_literal, is_public, literal, refused
from toolkit.core.errors import FailureKind, TaskError

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
