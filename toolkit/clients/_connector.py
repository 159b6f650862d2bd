"""aiohttp's connector, made to look where it connects to, to time it, and to go by way of a SOCKS proxy."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.abc import ResolveResult
from aiohttp.client_proto import ResponseHandler

from toolkit.clients import _failures as failures
from toolkit.clients._socks import Handshake, Socks, handshake
from toolkit.core.addresses import check_literal, is_public, refused
from toolkit.core.http import Request, Timings


@dataclass(slots=True)
class Exchange:
    """One fetch, as the connector sees it: by which way it goes, and what became of connecting.

    direct: whether straight to its host; public: whether to public addresses only. fresh: whether a connection was made
    for it; address: to whom; the rest is in seconds.
    """

    direct: bool = True
    public: bool = False
    socks: Socks | None = None
    fresh: bool = False
    address: str = ""
    dns: float | None = None
    connect: float | None = None
    tls: float | None = None

    def timings(self, first_byte: float, total: float) -> Timings:
        """Return the parts of the exchange; of connecting only what was done for it."""
        return Timings(self.dns, self.connect, self.tls, first_byte, total)


exchange: ContextVar[Exchange] = ContextVar("exchange")
"""The fetch that this task of the loop is at: set before aiohttp is called."""


class Connector(aiohttp.TCPConnector):
    """A connector that keeps to the rule of its exchange: resolved once, judged, and connected to just that."""

    async def connect(self, req: aiohttp.ClientRequest, *args: Any, **kwargs: Any) -> Any:
        """Return a connection, kept or new; raises TaskError blocked if it leads where the request must not go."""
        connection = await super().connect(req, *args, **kwargs)
        seen = exchange.get()
        if seen.direct and connection.transport is not None:
            name = connection.transport.get_extra_info("peername")
            seen.address = str(name[0]) if name else ""
            if seen.public and not is_public(seen.address):
                connection.close()
                raise refused(seen.address)
        return connection

    def retire(self) -> None:
        """Keep no connection from now on, and close those that wait."""
        self._force_close = True
        for kept in self._conns.values():
            for protocol, _ in kept:
                protocol.close()
        self._conns.clear()

    async def _create_connection(self, req: aiohttp.ClientRequest, traces: Any, timeout: aiohttp.ClientTimeout) -> Any:  # noqa: ASYNC109 - the library's
        seen = exchange.get()
        seen.fresh = True
        if seen.socks is not None:
            return await self._create_by_socks(req, seen, seen.socks, timeout.sock_connect)
        return await super()._create_connection(req, traces, timeout)

    async def _resolve_host(self, host: str, port: int, traces: Any = None) -> list[ResolveResult]:
        seen = exchange.get()
        started = time.monotonic()
        found = await super()._resolve_host(host, port, traces)
        seen.dns = (seen.dns or 0.0) + time.monotonic() - started
        if not seen.public or not seen.direct:
            return found
        allowed = [each for each in found if is_public(each["host"])]
        if found and not allowed:
            raise refused(found[0]["host"])
        return allowed

    async def _wrap_create_connection(self, *args: Any, **kwargs: Any) -> Any:
        factory, *rest = args
        seen = exchange.get()
        started = connected = time.monotonic()

        def made() -> Any:  # called when the connection stands, before the handshake of TLS
            nonlocal connected
            connected = time.monotonic()
            return factory()

        result = await super()._wrap_create_connection(made, *rest, **kwargs)
        seen.connect = connected - started
        if kwargs.get("ssl"):
            seen.tls = time.monotonic() - connected
        return result

    async def _create_by_socks(
        self, req: aiohttp.ClientRequest, seen: Exchange, socks: Socks, patience: float | None
    ) -> ResponseHandler:
        host, port = req.url.raw_host or "", req.url.port or 0
        if seen.public:
            check_literal(host)
        target = host if socks.resolves else (await self._resolve_seen(seen, host, port))[0]["host"]
        async with asyncio.timeout(patience):
            reached = await self._reach(seen, socks)
            try:
                await _shake_hands(reached, handshake(socks, target, port))
                return await self._speak_over(reached, req, seen)
            except OSError as error:
                reached.close()
                if isinstance(error, TimeoutError):
                    raise
                raise failures.failure_of(error, Request("")) from error
            except BaseException:
                reached.close()
                raise

    async def _speak_over(self, reached: socket.socket, req: aiohttp.ClientRequest, seen: Exchange) -> ResponseHandler:
        context = self._get_ssl_context(req)
        started = time.monotonic()
        _, protocol = await asyncio.get_running_loop().create_connection(
            self._factory,
            sock=reached,
            ssl=context,
            server_hostname=(req.url.raw_host or "").rstrip(".") if context else None,
        )
        seen.tls = time.monotonic() - started if context else None
        return protocol

    async def _resolve_seen(self, seen: Exchange, host: str, port: int) -> list[ResolveResult]:
        """Resolve for the request's own host, which the rule holds for, though a proxy connects to it."""
        direct, seen.direct = seen.direct, True
        try:
            return await self._resolve_host(host, port)
        except OSError as error:
            raise failures.failure_of(error, Request("")) from error
        finally:
            seen.direct = direct

    async def _reach(self, seen: Exchange, socks: Socks) -> socket.socket:
        """Connect to the proxy, at the first of its addresses that answers."""
        failed: OSError | None = None
        loop = asyncio.get_running_loop()
        started = time.monotonic()
        try:
            for each in await self._resolve_host(socks.host, socks.port):
                made = socket.socket(socket.AF_INET6 if ":" in each["host"] else socket.AF_INET)
                made.setblocking(False)
                try:
                    await loop.sock_connect(made, (each["host"], socks.port))
                except BaseException as error:
                    made.close()
                    if not isinstance(error, OSError):
                        raise
                    failed = error
                else:
                    seen.connect = time.monotonic() - started
                    return made
        except OSError as error:
            failed = error
        words = failures.failure_of(failed or OSError(), Request("")).message
        raise failures.own_limit(failed) or failures.no_tunnel(words) from failed


async def _shake_hands(reached: socket.socket, steps: Handshake) -> None:
    loop = asyncio.get_running_loop()
    with suppress(StopIteration):
        send, wanted = next(steps)
        while True:
            await loop.sock_sendall(reached, send)
            came = b""
            while len(came) < wanted:
                block = await loop.sock_recv(reached, wanted - len(came))
                if not block:
                    raise failures.no_tunnel("it closed the connection")
                came += block
            send, wanted = steps.send(came)
