"""The client on requests: one session for one thread, bodies counted as they come over the wire."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.request import getproxies
from weakref import WeakSet

import requests
import requests.adapters
import urllib3
import urllib3.connection
import urllib3.connectionpool
import urllib3.exceptions as errors
from requests.structures import CaseInsensitiveDict
from requests.utils import should_bypass_proxies

from toolkit.clients import ClientKind, ClientOptions, check_received, expected_body
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import BLOCK, DRAIN_LIMIT, Accept, Head, Headers, Progress, Reply, Request

HOSTS_KEPT = 32
"""Hosts whose connections are kept open between tasks."""


class RequestsClient:
    """A requests session that follows nothing, decodes nothing and asks the environment only once."""

    def __init__(self, options: ClientOptions) -> None:
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(self._sockets))
        self._verify = options.ca_file or os.environ.get("REQUESTS_CA_BUNDLE") or True
        self._proxies = getproxies()

    def fetch(self, request: Request, accept: Accept, progress: Progress) -> Reply:
        """Exchange one request for one reply, following no redirect; raises TaskError and what accept raises."""
        started = time.monotonic()
        try:
            response = self._send(request)
            first_byte = time.monotonic() - started
            head = Head(request.url, response.status_code, Headers(response.raw.headers.items()), response.reason or "")
            try:
                received = _receive(request, head, response.raw, accept, progress)
            finally:
                # A body read to its end has gone back to the pool already; anything else must not.
                response.raw.close()
        except (requests.RequestException, errors.HTTPError, OSError, ValueError) as error:
            raise _named(error) from error
        return Reply(head, received, first_byte, time.monotonic() - started)

    def abort(self) -> None:
        """Break off what is under way, from another thread."""
        for open_socket in list(self._sockets):
            with suppress(OSError):
                # The plain method: an SSLSocket's own would pull the TLS state from under the reading thread.
                socket.socket.shutdown(open_socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def _send(self, request: Request) -> requests.Response:
        # Session.send would ask the environment, copy cookies and rewrite the URL; none of it is wanted here.
        prepared = requests.PreparedRequest()
        prepared.method = request.method
        prepared.url = request.url
        prepared.headers = CaseInsensitiveDict(request.headers)
        prepared.body = None
        proxies = self._proxies if self._proxies and not _bypasses(request.url) else {}
        return self._session.get_adapter(request.url).send(
            prepared,
            stream=True,
            timeout=(request.connect_timeout, request.read_timeout),
            verify=self._verify,
            proxies=proxies,
        )


class _Adapter(requests.adapters.HTTPAdapter):
    """An adapter whose sockets can be reached from another thread, to break them off."""

    def __init__(self, sockets: WeakSet[socket.socket]) -> None:
        self._sockets = sockets
        super().__init__(pool_connections=HOSTS_KEPT, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of connections that note their sockets."""
        super().init_poolmanager(*args, **kwargs)
        sockets = self._sockets

        class Plain(urllib3.connection.HTTPConnection):
            def connect(self) -> None:
                super().connect()
                sockets.add(self.sock)

        class Secure(urllib3.connection.HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                sockets.add(self.sock)

        class PlainPool(urllib3.connectionpool.HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(urllib3.connectionpool.HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


def _receive(request: Request, head: Head, raw: Any, accept: Accept, progress: Progress) -> int:
    expected = expected_body(request.method, head)
    try:
        sink = accept(head)
    except Exception:
        _drain(raw, expected)
        raise
    if sink is None:
        return _drain(raw, expected)
    received = 0
    for block in raw.stream(BLOCK, decode_content=False):
        received += len(block)
        sink.write(block)
        progress(len(block))
    check_received(expected, received)
    return received


def _drain(raw: Any, expected: int | None) -> int:
    """Read a short unwanted body, so that the connection can serve the next task; leave a long one."""
    if expected is None or expected > DRAIN_LIMIT:
        return 0
    with suppress(errors.HTTPError, OSError):
        return len(raw.read(decode_content=False))
    return 0


@lru_cache(maxsize=1024)
def _bypasses(url: str) -> bool:
    return should_bypass_proxies(url, no_proxy=None)


def _named(error: Exception) -> TaskError:
    """Return our failure for whatever requests, urllib3 or the socket raised."""
    chain = _chain(error)
    text = str(chain[-1]) or type(chain[-1]).__name__
    for kinds, kind, retryable in _NAMES:
        found = next((e for e in chain if isinstance(e, kinds)), None)
        if found is not None:
            return TaskError(kind, _MESSAGES.get(kind, "{}").format(text), retryable=retryable)
    return TaskError(FailureKind.CONNECT, f"the connection failed: {text}", retryable=True)


def _chain(error: BaseException) -> list[BaseException]:
    """Return an exception and what lies behind it, outermost first."""
    chain: list[BaseException] = []
    following: Any = error
    while isinstance(following, BaseException) and following not in chain:
        chain.append(following)
        reason = getattr(following, "reason", None)
        inner = next((arg for arg in following.args if isinstance(arg, BaseException)), None)
        following = reason if isinstance(reason, BaseException) else inner or following.__cause__
    return chain


_NAMES: tuple[tuple[tuple[type[BaseException], ...], FailureKind, bool], ...] = (
    ((errors.NameResolutionError, socket.gaierror), FailureKind.DNS, False),
    ((errors.IncompleteRead,), FailureKind.TRUNCATED, True),
    ((errors.SSLError, requests.exceptions.SSLError), FailureKind.TLS, False),
    ((errors.NewConnectionError,), FailureKind.CONNECT, True),
    ((errors.TimeoutError, requests.exceptions.Timeout, TimeoutError), FailureKind.TIMEOUT, True),
    ((errors.ProxyError, requests.exceptions.ProxyError), FailureKind.CONNECT, True),
    ((errors.InvalidHeader, errors.InvalidChunkLength), FailureKind.PROTOCOL, True),
    ((requests.exceptions.InvalidURL, errors.LocationParseError, UnicodeError), FailureKind.INPUT, False),
    ((ConnectionError,), FailureKind.CONNECT, True),
    ((errors.DecodeError,), FailureKind.CODING, True),
)
_MESSAGES = {
    FailureKind.DNS: "the host name does not resolve: {}",
    FailureKind.TRUNCATED: "the body ended early: {}",
    FailureKind.TLS: "no trusted connection: {}",
    FailureKind.TIMEOUT: "no answer in time: {}",
    FailureKind.PROTOCOL: "not valid HTTP: {}",
    FailureKind.INPUT: "not a usable URL: {}",
    FailureKind.CONNECT: "the connection failed: {}",
}

CLIENT = ClientKind("requests", "blocking", RequestsClient)
