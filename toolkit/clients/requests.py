"""The client on requests: one session for one thread, bodies counted as they come over the wire.

The URL's path and query go out as they stand (requests and urllib3 would write %2f as %2F and encode brackets), and
only the job's header fields, and Host. Heads are limited to 100 fields of 64 KiB, by http.client.
"""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
import urllib3.exceptions as errors

from toolkit.clients import ClientKind, ClientOptions, has_body, may_ask_again, wire_headers, wire_target
from toolkit.clients import _failures as failures
from toolkit.clients._adapter import Adapter
from toolkit.clients._body import Body
from toolkit.clients._environment import Proxies, check_http1, tls_context
from toolkit.clients._failures import chain_of, first
from toolkit.clients._line import Line
from toolkit.clients._socks import socks_of
from toolkit.clients._strict import CutOff
from toolkit.core.addresses import check_literal
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import BLOCK, Accept, Head, Headers, Progress, Reply, Request


class RequestsClient:
    """A requests session that follows nothing, decodes nothing and asks the environment only once."""

    def __init__(self, options: ClientOptions) -> None:
        self._line = Line()
        self._space = memoryview(bytearray(BLOCK))
        self._proxies = Proxies(options.proxy)
        self._session = requests.Session()
        adapter = Adapter(self._line, tls_context(options))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter)

    def fetch(self, request: Request, accept: Accept, progress: Progress) -> Reply:
        """Exchange one request for one reply, following no redirect; raises TaskError and what accept raises."""
        started = time.monotonic()
        raw = self._send(request)
        try:
            first_byte = time.monotonic() - started
            # What http.client read: urllib3's own copy groups fields of the same name.
            fields = raw._original_response.msg.items()  # noqa: SLF001
            head = Head(request.url, raw.status, Headers(fields), raw.reason or "")
            received = Body(request, head, raw, self._line, self._space).move(accept, progress)
        finally:
            # A body read to its end has gone back to the pool already; anything else must not.
            raw.close()
        timings = self._line.timings(first_byte, time.monotonic() - started)
        return Reply(head, received, timings, address=self._line.address)

    def abort(self) -> None:
        """Break off what is under way, from another thread, and all that would follow.

        A connection that is just being made is given up when it stands, or after connect_timeout.
        """
        self._line.cut()

    def close(self) -> None:
        """Close all connections."""
        self._session.close()
        self._line.close()

    def _send(self, request: Request) -> Any:
        while True:
            try:
                with _mapped(request):
                    return self._try(request)
            except _Lost as lost:
                # A kept connection that the server had closed meanwhile: ask again on another (RFC 9112, 9.3.1).
                if self._line.fresh or self._line.aborted or not may_ask_again(request):
                    raise lost.failure from lost.__cause__

    def _try(self, request: Request) -> Any:
        # Session.send would ask the environment, copy cookies and rewrite the URL; none of it is wanted here.
        self._line.check()
        proxy = self._proxies.for_url(request.url)
        socks = socks_of(proxy)
        parts = urlsplit(request.url)
        scheme, public = parts.scheme.lower(), request.addresses == "public"
        if public and proxy:
            check_literal(parts.hostname)
        target = wire_target(request.url, whole=proxy is not None and socks is None and scheme == "http")
        self._line.begin(target, direct=proxy is None, public=public, socks=socks)
        prepared = requests.PreparedRequest()
        prepared.method = request.method
        prepared.url = request.url
        prepared.headers = _fields(request)
        prepared.body = request.body if has_body(request) else None
        return (
            self._session.get_adapter(request.url)
            .send(
                prepared,
                stream=True,
                timeout=(request.connect_timeout, request.read_timeout),
                proxies={scheme: proxy} if proxy and not socks else {},
            )
            .raw
        )


class _Lost(Exception):  # noqa: N818 - on its way to a second try or to a TaskError
    """The connection broke before a reply."""

    def __init__(self, failure: TaskError) -> None:
        super().__init__(failure.message)
        self.failure = failure


def _fields(request: Request) -> Any:
    """Return the fields to send, in urllib3's own dict: that of requests keeps only one of a name."""
    fields = urllib3.HTTPHeaderDict()
    for name, value in wire_headers(request):
        fields.add(name, value.encode().decode("latin-1"))  # http.client turns it into bytes as latin-1; UTF-8 is meant
    for name in ("Accept-Encoding", "User-Agent"):
        if name not in fields:
            fields[name] = urllib3.util.SKIP_HEADER
    return fields


@contextmanager
def _mapped(request: Request) -> Iterator[None]:
    """Turn what requests, urllib3 and http.client raise before a head into our failures."""
    try:
        yield
    except (requests.RequestException, errors.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
        raise _named(error, request) from error


def _named(error: Exception, request: Request) -> Exception:
    chain = chain_of(error)
    name = next((name for kinds, name in _NAMES if first(chain, *kinds)), failures.failure_of)
    named = name(chain[-1], request)
    if not first(chain, errors.ProxyError) or not isinstance(named, TaskError) or named.kind is not FailureKind.CONNECT:
        return named
    refused = str(chain[-1]).partition("Tunnel connection failed: ")[2]
    return failures.no_tunnel(refused or named.message)


_NAMES: tuple[tuple[tuple[type[BaseException], ...], Callable[[BaseException, Request], Exception]], ...] = (
    ((errors.NameResolutionError, socket.gaierror), failures.failure_of),
    ((errors.NewConnectionError,), failures.failure_of),
    ((errors.ConnectTimeoutError,), lambda _, request: failures.not_connected(request)),
    ((errors.ReadTimeoutError,), lambda _, request: failures.no_bytes(request)),
    ((http.client.RemoteDisconnected, CutOff), lambda *_: _Lost(failures.closed())),
    (
        (ConnectionResetError, BrokenPipeError, ConnectionAbortedError),
        lambda inmost, request: _Lost(failures.failure_of(inmost, request)),
    ),
    ((http.client.BadStatusLine,), lambda *_: failures.not_http("Bad status line")),
    ((errors.InvalidHeader,), lambda *_: failures.not_http("Content-Length fields that differ")),
    ((http.client.HTTPException,), lambda inmost, _: failures.not_http(str(inmost))),
    (
        (requests.exceptions.InvalidURL, errors.LocationParseError),
        lambda _, request: failures.failure_of(ValueError("the URL"), request),
    ),
)
"""What stands anywhere in a chain of exceptions, most telling first, and our name for it."""

CLIENT = ClientKind("requests", "blocking", RequestsClient, check_http1)
