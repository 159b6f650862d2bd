"""What clients take from the environment or the options, asked once when a client opens: certificates and proxies."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi

from toolkit.clients import ClientOptions
from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.core.urls import lane_of

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""Variables that name a file (or folder) of certificates; the first that is set counts."""
PROXY_PORTS: Mapping[str, int] = MappingProxyType({"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080})
"""The proxies that are used, and their usual ports."""
TLS_VERSIONS: Mapping[str, ssl.TLSVersion] = MappingProxyType(
    {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
)


def ca_bundle(ca_file: str | None) -> str:
    """Return the file or folder of trusted certificates: the one given, the environment's, or certifi's."""
    named = (os.environ.get(name) for name in BUNDLES)
    return ca_file or next(filter(None, named), None) or certifi.where()


def check(options: ClientOptions) -> None:
    """Raise UsageError if certificates or keys cannot be read, or the proxy's URL is none."""
    tls_context(options)
    if options.proxy:
        check_proxy(options.proxy)


def check_http1(options: ClientOptions) -> None:
    """As check, for clients that cannot speak HTTP/2."""
    check(options)
    _check_version(options)


def check_named(options: ClientOptions) -> None:
    """As check_http1, for clients that have a context made when it is first needed."""
    read_named(options)
    if options.proxy:
        check_proxy(options.proxy)
    _check_version(options)


def _check_version(options: ClientOptions) -> None:
    if options.http2:
        raise UsageError("--http2 needs the client curl: pip install 'toolkit[fast]' and --client curl")


def check_proxy(proxy: str) -> None:
    """Raise UsageError unless this is the URL of a proxy that can be used; without it, as it may hold a password."""
    try:
        proxy_parts(proxy)
    except ValueError as error:
        raise UsageError(f"--proxy: {error}: write it as http://host:port or socks5h://host:port") from None


def proxy_parts(proxy: str) -> SplitResult:
    """Return a proxy's URL in its parts, of which scheme and hostname are given; raises ValueError that says why not.

    What has no scheme is an HTTP proxy.
    """
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if parts.scheme not in PROXY_PORTS:
        raise ValueError(f"a proxy of the kind {parts.scheme!r} is not known")
    try:
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.path.strip("/") or parts.query or parts.fragment or re.search(r"[\x00-\x20\x7f]", proxy):
        raise ValueError("this is no URL of a proxy")
    return parts


def tls_context(options: ClientOptions) -> ssl.SSLContext:
    """Return the context for TLS connections, shared by all clients; raises UsageError if a file cannot be read."""
    return _context(ca_bundle(options.ca_file), options.cert or "", options.key or "", options.min_tls)


def read_named(options: ClientOptions) -> None:
    """Read what somebody has named, now; raises UsageError if a file cannot be read.

    The usual certificates are in order, and it takes 20 ms to read them, which a plain page can do without.
    """
    if options.cert or ca_bundle(options.ca_file) != certifi.where():
        tls_context(options)


class Proxies:
    """The proxy to use, decided once per host and port.

    proxy: one for everything, "" for none, or None for those of the environment or the system. Raises UsageError
    for one that cannot be used.
    """

    def __init__(self, proxy: str | None = None) -> None:
        if proxy:
            check_proxy(proxy)
        found = getproxies() if proxy is None else {}
        self._always = proxy_parts(proxy).geturl() if proxy else None
        self._known = {scheme: each for scheme, each in found.items() if each and scheme != "no"}
        self._decide = lru_cache(maxsize=4096)(self._choose)

    def for_url(self, url: str) -> str | None:
        """Return the proxy's URL, or None to go there directly; raises TaskError for a proxy that cannot be used."""
        if self._always or not self._known:
            return self._always
        return self._decide(urlsplit(url).scheme.lower(), lane_of(url))

    def _choose(self, scheme: str, lane: str) -> str | None:
        proxy = self._known.get(scheme) or self._known.get("all")
        if not proxy or proxy_bypass(lane) or _in_bypassed_network(lane.rpartition(":")[0]):
            return None
        try:
            return proxy_parts(proxy).geturl()
        except ValueError as error:
            raise TaskError(
                FailureKind.UNSUPPORTED, f"the environment's {scheme} proxy cannot be used: {error}"
            ) from None


@lru_cache(maxsize=8)
def _context(bundle: str, cert: str, key: str, min_tls: str) -> ssl.SSLContext:
    # Reading a bundle takes some 20 ms: too long for every connection, and for every worker's client.
    folder = os.path.isdir(bundle)
    try:
        context = ssl.create_default_context(cafile=None if folder else bundle, capath=bundle if folder else None)
    except (OSError, ValueError) as error:
        raise UsageError(f"no certificates can be read from {bundle}: {_why(error)}") from error
    context.minimum_version = TLS_VERSIONS[min_tls]
    if cert:
        _load(context, cert, key or cert)
    return context


def _load(context: ssl.SSLContext, cert: str, key: str) -> None:
    try:
        context.load_cert_chain(cert, key, password=_ask_nobody)
    except (OSError, ValueError) as error:
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            raise UsageError(f"the key in {key} is not that of the certificate in {cert}") from error
        files = cert if key == cert else f"{cert} and {key}"
        raise UsageError(f"no client certificate and key can be read from {files}: {_why(error)}") from error
    except _Locked as error:
        raise UsageError(f"the key in {key} is locked by a password: write it to a file without one") from error


class _Locked(Exception):  # noqa: N818 - on its way to a UsageError
    """The key asks for a password."""


def _ask_nobody() -> str:
    raise _Locked  # OpenSSL's own way would be to ask at the terminal, in the middle of a run


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError | ValueError):
        return "this is not what a PEM file holds"
    return (error.strerror if isinstance(error, OSError) else None) or "the file cannot be read"


def _in_bypassed_network(host: str) -> bool:
    """Tell whether no_proxy names a network (192.168.0.0/16) that this address is in; the library knows only names."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    entries = (os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or "").split(",")
    for entry in entries:
        try:
            if address in ipaddress.ip_network(entry.strip(), strict=False):
                return True
        except ValueError:
            continue
    return False
