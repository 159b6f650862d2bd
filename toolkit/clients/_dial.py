"""How a blocking client connects: a name is resolved once, and what it resolves to is judged and connected to."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from toolkit.clients import _failures as failures
from toolkit.clients._line import Line
from toolkit.clients._socks import Handshake, Socks, handshake
from toolkit.core.addresses import check_literal, is_public, refused
from toolkit.core.http import Request

AddressInfo = tuple[int, int, int, str, Any]
"""What getaddrinfo answers: family, type, protocol, name, address."""


def dial(line: Line, host: str, port: int, timeout: float) -> socket.socket:
    """Connect for the line's exchange, through its SOCKS proxy if it has one, within timeout seconds beside the lookup.

    Raises TaskError blocked for an address that is not public if only such are allowed, and connect for what a SOCKS
    proxy refuses; OSError of its kinds for the rest.
    """
    host = host.strip("[]")
    if line.socks is not None:
        return _dial_through(line, line.socks, host, port, timeout)
    connected = _reach(line, _resolve(line, host, port, public=line.public and line.direct), timeout)
    if line.direct:
        line.address = peer_of(connected)
    return connected


def check_peer(line: Line, connected: socket.socket) -> None:
    """Look at whom a kept connection leads to: note it, and raise TaskError blocked if that is not allowed."""
    if not line.direct:
        return
    line.address = peer_of(connected)
    if line.public and not is_public(line.address):
        raise refused(line.address)


def peer_of(connected: socket.socket) -> str:
    """Return the IP address of a connection's other side, or "" if that cannot be told."""
    try:
        name = connected.getpeername()
    except OSError:
        return ""
    return str(name[0]) if isinstance(name, tuple) else ""


def permitted(found: list[AddressInfo], *, public: bool) -> list[AddressInfo]:
    """Return the addresses that may be connected to; raises TaskError blocked if none of them may."""
    allowed = [each for each in found if not public or is_public(str(each[4][0]))]
    if found and not allowed:
        raise refused(str(found[0][4][0]))
    return allowed


def _resolve(line: Line, host: str, port: int, *, public: bool) -> list[AddressInfo]:
    started = time.monotonic()
    found: list[AddressInfo] = list(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
    line.dns = (line.dns or 0.0) + time.monotonic() - started
    return permitted(found, public=public)


def _reach(line: Line, found: list[AddressInfo], timeout: float) -> socket.socket:
    """Connect to the first address that answers; each may take its share of the time that is left."""
    started = time.monotonic()
    failed: OSError = OSError("the name has no address")
    for turn, (family, kind, protocol, _, address) in enumerate(found):
        left = started + timeout - time.monotonic()
        made = socket.socket(family, kind, protocol)
        try:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.settimeout(max(0.001, left / (len(found) - turn)))
            line.take(made)
            made.connect(address)
        except OSError as error:
            made.close()
            failed = error
        except BaseException:
            made.close()
            raise
        else:
            made.settimeout(timeout)
            line.connect = time.monotonic() - started
            return made
    line.check()
    raise failed


def _dial_through(line: Line, socks: Socks, host: str, port: int, timeout: float) -> socket.socket:
    if line.public:
        check_literal(host)
    if not socks.resolves:
        host = str(_resolve(line, host, port, public=line.public)[0][4][0])
    with _proxys_fault():
        reached = _reach(line, _resolve(line, socks.host, socks.port, public=False), timeout)
        try:
            _shake_hands(reached, handshake(socks, host, port))
        except BaseException:
            reached.close()
            raise
    return reached


@contextmanager
def _proxys_fault() -> Iterator[None]:
    """Tell a proxy that cannot be reached, or breaks off, from a host of which that is true."""
    try:
        yield
    except TimeoutError:
        raise
    except OSError as error:
        words = failures.failure_of(error, Request("")).message
        raise failures.own_limit(error) or failures.no_tunnel(words) from error


def _shake_hands(reached: socket.socket, steps: Handshake) -> None:
    with suppress(StopIteration):
        send, wanted = next(steps)
        while True:
            reached.sendall(send)
            came = b""
            while len(came) < wanted:
                block = reached.recv(wanted - len(came))
                if not block:
                    raise failures.no_tunnel("it closed the connection")
                came += block
            send, wanted = steps.send(came)
