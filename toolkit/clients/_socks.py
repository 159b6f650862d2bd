"""The handshake with a SOCKS 5 proxy (RFC 1928, with a password by RFC 1929), without a socket: bytes in, bytes out.

One generator holds the thinking; each client sends what it yields and answers with the bytes asked for.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Generator
from dataclasses import dataclass, field
from urllib.parse import unquote

from toolkit.clients import _failures as failures
from toolkit.clients._environment import PROXY_PORTS, proxy_parts

VERSION = 5
LONGEST = 255
"""Bytes of a name or password: its length is one byte."""
NO_AUTHENTICATION, PASSWORD = 0, 2
CONNECT = 1
IPV4, NAME, IPV6 = 1, 3, 4
REFUSALS = {
    1: "it failed",
    2: "its rules forbid this host",
    3: "the network cannot be reached",
    4: "the host cannot be reached",
    5: "connection refused",
    6: "it took too long",
    7: "it cannot connect",
    8: "it does not know this sort of address",
}
"""What a proxy may answer (RFC 1928, 6)."""

Handshake = Generator[tuple[bytes, int], bytes, None]
"""Yields (bytes to send, bytes to read then), and is sent what was read."""


@dataclass(frozen=True, slots=True)
class Socks:
    """A SOCKS 5 proxy. resolves: whether it looks host names up itself (socks5h), not we."""

    host: str
    port: int
    resolves: bool
    user: bytes = b""
    password: bytes = field(default=b"", repr=False)


def socks_of(proxy: str | None) -> Socks | None:
    """Return the SOCKS proxy that a URL names, or None if it names another sort, or there is none."""
    if proxy is None or not proxy.lower().startswith("socks"):
        return None
    parts = proxy_parts(proxy)
    return Socks(
        parts.hostname or "",
        parts.port or PROXY_PORTS[parts.scheme],
        parts.scheme == "socks5h",
        unquote(parts.username or "").encode(),
        unquote(parts.password or "").encode(),
    )


def handshake(socks: Socks, host: str, port: int) -> Handshake:
    """Ask for a connection to a host; raises TaskError connect if the proxy does not make one."""
    methods = bytes([NO_AUTHENTICATION, PASSWORD] if socks.user else [NO_AUTHENTICATION])
    version, method = yield bytes([VERSION, len(methods)]) + methods, 2
    if version != VERSION:
        raise failures.no_tunnel("it does not speak SOCKS 5")
    if method not in methods:
        raise failures.no_tunnel("it wants another way of authentication")
    if method == PASSWORD:
        _, status = yield b"\x01" + _counted(socks.user) + _counted(socks.password), 2
        if status:
            raise failures.no_tunnel("it does not accept the user name and password")
    version, status, _, kind = yield bytes([VERSION, CONNECT, 0]) + _address(host) + port.to_bytes(2, "big"), 4
    if version != VERSION or status:
        raise failures.no_tunnel(REFUSALS.get(status, "it refuses, without a reason"))
    # Where it connects from is of no use here, but must be read.
    if kind == NAME:
        (length,) = yield b"", 1
        yield b"", length + 2
    else:
        yield b"", (16 if kind == IPV6 else 4) + 2


def _address(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return bytes([NAME]) + _counted(host.encode("ascii"))
    return bytes([IPV4 if address.version == 4 else IPV6]) + address.packed  # noqa: PLR2004


def _counted(text: bytes) -> bytes:
    if len(text) > LONGEST:
        raise failures.no_tunnel(f"a name or password has more than {LONGEST} bytes")
    return bytes([len(text)]) + text
