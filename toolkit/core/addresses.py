"""Which addresses are public: the rule for where a request may lead, applied to what is really connected to.

Networks are those of IANA's special-purpose registries (RFC 6890), by a table of our own: what `ipaddress` calls
private or global has changed between patch releases of Python.
"""

from __future__ import annotations

import socket
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from toolkit.core.errors import FailureKind, TaskError

NOT_PUBLIC = tuple(
    IPv4Network(each)
    for each in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by a provider's customers
        "127.0.0.0/8",
        "168.63.129.16/32",  # where Azure's machines find their host's services: public by number only
        "169.254.0.0/16",  # link-local, and the metadata services of clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",  # measuring networks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
GLOBAL = IPv6Network("2000::/3")
"""All that is given out for the public Internet so far (RFC 4291, 2.4); loopback, ULA, multicast … are outside."""
NOT_PUBLIC_IN_GLOBAL = tuple(IPv6Network(each) for each in ("2001::/23", "2001:db8::/32", "3fff::/20"))
"""Protocol assignments and documentation."""
_V4_AT_THE_END = tuple(IPv6Network(each) for each in ("::/96", "::ffff:0:0/96", "64:ff9b::/96"))
"""Compatible, mapped, and NAT64 (RFC 6052): the last 32 bits are an IPv4 address."""


@lru_cache(maxsize=4096)
def is_public(ip: str) -> bool:
    """Tell whether an address in numbers is one of the public Internet; what is no address is not public."""
    try:
        address = ip_address(ip.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC)
    inner = _inside(address)
    if inner:
        return all(is_public(str(each)) for each in inner)
    return address in GLOBAL and not any(address in network for network in NOT_PUBLIC_IN_GLOBAL)


def refused(ip: str) -> TaskError:
    """Return the failure of a request that leads to an address that is not public."""
    return TaskError(FailureKind.BLOCKED, f"the address {ip} is not public")


def literal(host: str | None) -> str | None:
    """Return the address that a URL's host is, in usual form, or None if it is a name.

    Knows the forms of IPv4 that resolvers take, too: 2130706433, 0x7f.1, 0177.0.0.1.
    """
    name = (host or "").strip("[]").rstrip(".")
    try:
        return str(ip_address(name))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(name))
    except (OSError, ValueError):
        return None


def check_literal(host: str | None) -> None:
    """Raise TaskError blocked if a URL's host is an address that is not public: all one can see before a proxy."""
    address = literal(host)
    if address is not None and not is_public(address):
        raise refused(address)


def _inside(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that an IPv6 address leads to by way of a gateway, or nothing."""
    if address.teredo:
        return address.teredo
    if address.sixtofour:
        return (address.sixtofour,)
    if any(address in network for network in _V4_AT_THE_END):
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return ()


def came_from_public(url: str, address: str) -> bool:
    """Tell whether what stands at a URL came from the public Internet.

    address: where it came from, or "" if nobody knows: who goes by a proxy sees none, but those in the URL.
    """
    host = urlsplit(url).hostname
    known = address or literal(host)
    return host != "localhost" if known is None else is_public(known)
