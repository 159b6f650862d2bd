"""The client on libcurl: one handle for one thread, which does all but the deciding outside Python's lock.

The URL's path and query go out as they stand, and only the job's header fields, and Host. libcurl asks nothing of the
environment: proxies and certificates are those that all clients take.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from urllib.parse import urlsplit

import pycurl

from toolkit.clients import (
    ClientKind,
    ClientOptions,
    _curl_failures,
    _environment,
    check_received,
    has_body,
    wire_headers,
    wire_target,
)
from toolkit.clients import _failures as failures
from toolkit.clients._curl_exchange import Exchange
from toolkit.clients._curl_sockets import Sockets
from toolkit.clients._environment import BUNDLES, Proxies, ca_bundle
from toolkit.clients._watch import WATCH
from toolkit.core.addresses import check_literal, refused
from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.core.http import BLOCK, Accept, Progress, Reply, Request, Timings

CONNECTIONS_KEPT = 32
"""Connections that are kept open between tasks."""
_PLACE = re.compile(r"[^/?#]*")
_FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\x00]*", re.DOTALL)


class CurlClient:
    """One of libcurl's easy handles, that follows nothing and decodes nothing."""

    def __init__(self, options: ClientOptions) -> None:
        check(options)
        self._proxies = Proxies(options.proxy)
        self._sockets = Sockets()
        self._exchange = Exchange(self._sockets)
        self._handle = pycurl.Curl()
        self._told: object = None
        for option, value in (_SETTINGS | _trust(options)).items():
            self._handle.setopt(option, value)
        self._handle.setopt(pycurl.SOCKOPTFUNCTION, self._sockets.opened)
        self._handle.setopt(pycurl.CLOSESOCKETFUNCTION, self._exchange.closing)
        self._handle.setopt(pycurl.PREREQFUNCTION, self._exchange.asking)
        self._handle.setopt(pycurl.HEADERFUNCTION, self._exchange.line)
        self._handle.setopt(pycurl.WRITEFUNCTION, self._exchange.block)
        WATCH.add(self._exchange)

    def fetch(self, request: Request, accept: Accept, progress: Progress) -> Reply:
        """Exchange one request for one reply, following no redirect; raises TaskError and what accept raises."""
        if self._sockets.aborted:
            raise _broken_off()
        exchange = self._exchange
        proxy = self._prepare(request)
        exchange.begin(request, accept, progress, proxied=proxy is not None)
        failed: pycurl.error | None = None
        try:
            self._handle.perform()
        except pycurl.error as error:
            failed = error
        finally:
            self._end()
        return self._reply(request, failed)

    def abort(self) -> None:
        """Break off what is under way, from another thread, and all that would follow.

        A name that is just being looked up is waited for, up to connect_timeout.
        """
        self._sockets.cut()

    def close(self) -> None:
        """Close all connections."""
        WATCH.remove(self._exchange)
        self._handle.close()

    def _prepare(self, request: Request) -> str | None:
        """Tell libcurl what to ask; what it has been told already is left as it is."""
        url = request.url
        proxy = self._proxies.for_url(url)
        origin, plain = _origin(url)
        public = request.addresses == "public"
        if proxy is not None and public:
            check_literal(urlsplit(url).hostname)
        bare = "@" not in url and not has_body(request)  # as nearly always
        fields = request.headers if bare else tuple(wire_headers(request))
        self._handle.setopt(pycurl.REQUEST_TARGET, _bytes(wire_target(url, whole=plain and _is_http(proxy))))
        told = (fields, origin, proxy, request.connect_timeout, request.method, request.body, public)
        if told != self._told:
            self._told = None  # until all of it is told
            self._tell(request, _sendable(fields, request), origin, proxy)
            self._told = told
        return proxy

    def _tell(self, request: Request, fields: list[bytes], origin: str, proxy: str | None) -> None:
        tell = self._handle.setopt
        tell(pycurl.HTTPHEADER, fields)
        tell(pycurl.URL, _bytes(origin))
        tell(pycurl.PROXY, proxy or "")
        tell(pycurl.CONNECTTIMEOUT_MS, max(1, round(request.connect_timeout * 1000)))
        self._tell_method(request)
        public = request.addresses == "public" and proxy is None
        tell(pycurl.OPENSOCKETFUNCTION, self._sockets.public_only if public else None)

    def _tell_method(self, request: Request) -> None:
        tell, method = self._handle.setopt, request.method
        tell(pycurl.NOBODY, method == "HEAD")
        if has_body(request):
            tell(pycurl.POSTFIELDS, request.body)
        elif method != "HEAD":
            tell(pycurl.HTTPGET, 1)
        tell(pycurl.CUSTOMREQUEST, method)

    def _end(self) -> None:
        try:
            self._exchange.end()
        except BaseException as error:
            self._exchange.error = self._exchange.error or error

    def _reply(self, request: Request, failed: pycurl.error | None) -> Reply:
        """Return what came, or raise what went wrong: first what the job's side raised."""
        exchange, sockets = self._exchange, self._sockets
        if exchange.error is not None:
            raise exchange.error
        if exchange.verdict is not None:
            raise exchange.verdict
        head = exchange.head
        if sockets.aborted:
            raise _broken_off() if head is None else failures.ended_early(exchange.expected, exchange.received)
        if failed is not None and not (exchange.spliced or exchange.unwanted or exchange.complete):
            raise self._failure(request, failed)
        if head is None:
            raise failures.closed()
        if exchange.overrun:
            raise failures.not_http("more bytes came than were announced")
        if not exchange.unwanted:
            check_received(exchange.expected, exchange.received)
        return Reply(head, exchange.received, self._timings(), address=exchange.address)

    def _failure(self, request: Request, failed: pycurl.error) -> TaskError:
        exchange = self._exchange
        if self._sockets.refused and not exchange.asked:
            return refused(self._sockets.refused)
        broken = _curl_failures.Broken(
            code=failed.args[0],
            words=failed.args[1],
            number=self._handle.getinfo(pycurl.OS_ERRNO),
            request=request,
            host=urlsplit(request.url).hostname or "",
            proxied=exchange.proxied,
            asked=exchange.asked,
            head=exchange.head is not None,
            expected=exchange.expected,
            received=exchange.received,
            refusal=exchange.refusal,
        )
        return _curl_failures.failure_of(broken)

    def _timings(self) -> Timings:
        ask = self._handle.getinfo
        first_byte, total = ask(pycurl.STARTTRANSFER_TIME), ask(pycurl.TOTAL_TIME)
        if not self._sockets.fresh:
            return Timings(first_byte=first_byte, total=total)
        dns, connected, secured = ask(pycurl.NAMELOOKUP_TIME), ask(pycurl.CONNECT_TIME), ask(pycurl.APPCONNECT_TIME)
        tls = secured - connected if secured else None
        return Timings(dns, connected - dns, tls, first_byte, total)


def check(options: ClientOptions) -> None:
    """Raise UsageError if the options cannot be used, by this libcurl."""
    named = options.ca_file or options.cert or options.proxy or any(map(os.environ.get, BUNDLES))
    if named:  # the usual certificates can be read, in more time than hundreds of requests take
        _environment.check(options)
    if options.http2 and not pycurl.version_info()[4] & pycurl.VERSION_HTTP2:
        raise UsageError("this machine's libcurl cannot speak HTTP/2: leave out --http2, or install another pycurl")


_SETTINGS: dict[int, object] = {
    pycurl.NOSIGNAL: 1,
    pycurl.BUFFERSIZE: BLOCK,
    pycurl.TCP_NODELAY: 1,
    pycurl.TCP_KEEPALIVE: 1,
    pycurl.FOLLOWLOCATION: 0,
    pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
    pycurl.PATH_AS_IS: 1,
    pycurl.MAXCONNECTS: CONNECTIONS_KEPT,
    pycurl.NETRC: pycurl.NETRC_IGNORED,
    pycurl.NOPROXY: "",
    pycurl.PROXY: "",
    pycurl.HEADEROPT: pycurl.HEADER_SEPARATE,
    pycurl.PROXYHEADER: ["User-Agent:"],
    pycurl.SSL_VERIFYPEER: 1,
    pycurl.SSL_VERIFYHOST: 2,
}
"""What holds for every request."""


def _trust(options: ClientOptions) -> dict[int, object]:
    """Return the settings for TLS, and the version of HTTP."""
    bundle = ca_bundle(options.ca_file)
    place, proxys = (
        (pycurl.CAPATH, pycurl.PROXY_CAPATH) if os.path.isdir(bundle) else (pycurl.CAINFO, pycurl.PROXY_CAINFO)
    )
    version = {"1.2": pycurl.SSLVERSION_TLSv1_2, "1.3": pycurl.SSLVERSION_TLSv1_3}[options.min_tls]
    settings: dict[int, object] = {
        place: os.fsencode(bundle),
        proxys: os.fsencode(bundle),
        pycurl.SSLVERSION: version,
        pycurl.PROXY_SSLVERSION: version,
        pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_2TLS if options.http2 else pycurl.CURL_HTTP_VERSION_1_1,
    }
    if options.cert:
        settings |= {pycurl.SSLCERT: os.fsencode(options.cert), pycurl.SSLKEY: os.fsencode(options.key or options.cert)}
    return settings


@lru_cache(maxsize=256)
def _lines(fields: tuple[tuple[str, str], ...]) -> list[bytes]:
    """Return header fields as libcurl takes them, and without its own; raises ValueError for what cannot be sent."""
    if not all(_FIELD.fullmatch(f"{name}:{value}") for name, value in fields):
        raise ValueError("a header field cannot be sent as it is")
    names = {name.lower() for name, _ in fields}
    lines = [f"{name}: {value}" if value.strip() else f"{name};" for name, value in fields]
    lines += [f"{name}:" for name in ("User-Agent", "Accept") if name.lower() not in names]
    if "content-length" in names:  # a body's type, and whether it is welcome, libcurl would say unasked, too
        lines += [f"{name}:" for name in ("Content-Type", "Expect") if name.lower() not in names]
    return [_bytes(line) for line in lines]


def _sendable(fields: tuple[tuple[str, str], ...], request: Request) -> list[bytes]:
    try:
        return _lines(fields)
    except ValueError as error:
        raise failures.failure_of(error, request) from error


def _origin(url: str) -> tuple[str, bool]:
    """Return scheme, host and port, which is all that libcurl needs to know of a URL, and whether it is http."""
    scheme, _, rest = url.partition("://")
    found = _PLACE.match(rest)
    place = found[0].rpartition("@")[2] if found else ""
    return f"{scheme.lower()}://{place}/", scheme.lower() == "http"


def _is_http(proxy: str | None) -> bool:
    return proxy is not None and not proxy.lower().startswith("socks")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _broken_off() -> TaskError:
    return TaskError(FailureKind.CONNECT, "broken off", retryable=True)


CLIENT = ClientKind("curl", "blocking", CurlClient, check)
