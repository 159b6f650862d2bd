"""The client on aiohttp: one session for one event loop, bodies counted as they come over the wire.

Only the job's header fields go out, and Host. Replies are read as aiohttp reads them: bare line feeds and folded fields
pass; the same Content-Length twice, one beside chunks, or a NUL in a field do not, where the client on requests lets
them. Heads have 100 fields of 64 KiB at most, as there.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from io import BytesIO

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from toolkit.clients import (
    ClientKind,
    ClientOptions,
    has_body,
    may_ask_again,
    wire_headers,
    wire_target,
)
from toolkit.clients import _failures as failures
from toolkit.clients._async_body import AsyncBody, first_words
from toolkit.clients._connector import Connector, Exchange, exchange
from toolkit.clients._environment import Proxies, ca_bundle, check_named, read_named, tls_context
from toolkit.clients._socks import socks_of
from toolkit.core.addresses import check_literal
from toolkit.core.errors import TaskError
from toolkit.core.http import BLOCK, Accept, Head, Headers, Progress, Reply, Request

LINE_LIMIT = 64 * 1024
FIELDS_LIMIT = 100
DNS_SECONDS = 300
"""How long a host name's addresses are kept."""

IDLE_SECONDS = 5
"""How long an idle connection is kept: their number has no limit, and a list may name thousands of hosts."""


class AiohttpClient:
    """An aiohttp session that follows nothing, decodes nothing and asks the environment only once."""

    def __init__(self, options: ClientOptions) -> None:
        self._options = replace(options, ca_file=ca_bundle(options.ca_file))
        read_named(self._options)
        self._proxies = Proxies(options.proxy)
        self._connector = Connector(
            limit=0,
            keepalive_timeout=IDLE_SECONDS,
            ttl_dns_cache=DNS_SECONDS,
        )
        self._session = aiohttp.ClientSession(
            connector=self._connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            auto_decompress=False,
            trust_env=False,
            read_bufsize=BLOCK,
            max_line_size=LINE_LIMIT,
            max_field_size=LINE_LIMIT,
            max_headers=FIELDS_LIMIT,
            middlewares=(_once,),
        )

    async def fetch(self, request: Request, accept: Accept, progress: Progress) -> Reply:
        """Exchange one request for one reply, following no redirect; raises TaskError and what accept raises."""
        started = time.monotonic()
        response, seen = await self._send(request)
        try:
            first_byte = time.monotonic() - started
            head = _head(request, response)
            with AsyncBody(request, head, response) as body:
                received = await body.move(accept, progress)
        finally:
            # A body read to its end has given its connection back already; any other connection must not be used again.
            response.close()
        timings = seen.timings(first_byte, time.monotonic() - started)
        return Reply(head, received, timings, address=seen.address)

    def retire(self) -> None:
        """Keep no connection: close those that wait, now, and the others when what is under way has ended."""
        self._connector.retire()

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def _send(self, request: Request) -> tuple[aiohttp.ClientResponse, Exchange]:
        url, proxy, seen = self._way(request)
        while True:
            exchange.set(seen)
            try:
                return await self._try(request, url, proxy), seen
            except _Lost as lost:
                # A kept connection that the server had closed meanwhile: ask again on another (RFC 9112, 9.3.1).
                if seen.fresh or not may_ask_again(request):
                    raise lost.failure from lost

    def _way(self, request: Request) -> tuple[URL, str | None, Exchange]:
        """Return the URL to ask for, the HTTP proxy to ask, and what the connector must know."""
        with _mapped(request):
            url = _as_written(request.url)
            if "@" in request.url:
                url = url.with_user(None)
        proxy, public = self._proxies.for_url(request.url), request.addresses == "public"
        if public:
            check_literal(url.raw_host)
        if proxy is None:
            return url, None, Exchange(public=public)
        socks = socks_of(proxy)
        return url, None if socks else proxy, Exchange(direct=False, public=public, socks=socks)

    async def _try(self, request: Request, url: URL, proxy: str | None) -> aiohttp.ClientResponse:
        with _mapped(request):
            return await self._session.request(
                request.method,
                url,
                headers=CIMultiDict(wire_headers(request)),
                data=BytesIO(request.body) if has_body(request) else None,
                allow_redirects=False,
                timeout=_timeout(request.connect_timeout, request.read_timeout),
                proxy=proxy,
                ssl=tls_context(self._options) if "https" in (url.scheme, (proxy or "").partition(":")[0]) else True,
            )


def _as_written(url: str) -> URL:
    """Return a URL that goes on the wire as it stands; yarl takes an empty query for none, unless it is in the path."""
    parsed = URL(url, encoded=True)
    if parsed.raw_query_string or "?" not in url.partition("#")[0]:
        return parsed
    return URL.build(scheme=parsed.scheme, authority=parsed.raw_authority, path=wire_target(url), encoded=True)


class _Lost(Exception):  # noqa: N818 - on its way to a second try or to a TaskError
    """The connection broke before a reply."""

    def __init__(self, failure: TaskError) -> None:
        super().__init__(failure.message)
        self.failure = failure


def _head(request: Request, response: aiohttp.ClientResponse) -> Head:
    fields = [(str(name, "latin-1"), str(value, "latin-1")) for name, value in response.raw_headers]
    reason = response.reason or ""
    reason = reason if reason.isascii() else reason.encode("utf-8", "surrogateescape").decode("latin-1")
    return Head(request.url, response.status, Headers(fields), reason)


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from asking a second time by itself, which it would do on new connections, too."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientConnectionResetError) as error:
        raise _Lost(failures.closed()) from error
    except aiohttp.ClientOSError as error:
        # An alert of TLS after the handshake (a certificate is missing) comes as a number that means something else.
        alert = failures.first(failures.chain_of(error), ssl.SSLError)
        raise _Lost(failures.failure_of(alert or error, Request(""))) from error


@lru_cache(maxsize=64)
def _timeout(connect: float, read: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, sock_connect=connect, sock_read=read)


@contextmanager
def _mapped(request: Request) -> Iterator[None]:
    """Turn what aiohttp raises before a head into our failures."""
    try:
        yield
    except aiohttp.ClientHttpProxyError as error:
        raise failures.no_tunnel(f"{error.status} {error.message}") from error
    except aiohttp.ClientResponseError as error:
        raise failures.not_http(first_words(error.message)) from error
    except aiohttp.ClientProxyConnectionError as error:
        words = failures.failure_of(error.os_error, request).message
        raise failures.own_limit(error.os_error) or failures.no_tunnel(words) from error
    except aiohttp.ConnectionTimeoutError as error:
        raise failures.not_connected(request) from error
    except aiohttp.ClientConnectorError as error:
        raise failures.failure_of(error.os_error, request) from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise failures.failure_of(error, request) from error


CLIENT = ClientKind("aiohttp", "async", AiohttpClient, check_named)
