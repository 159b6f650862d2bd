"""What clients take from the environment, asked once when a client opens: certificates to trust, and proxies."""

from __future__ import annotations

import ipaddress
import os
import ssl
from functools import lru_cache
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi

from toolkit.clients import ClientOptions
from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.core.urls import lane_of

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""Variables that name a file (or folder) of certificates; the first that is set counts."""


def ca_bundle(ca_file: str | None) -> str:
    """Return the file or folder of trusted certificates: the one given, the environment's, or certifi's."""
    named = (os.environ.get(name) for name in BUNDLES)
    return ca_file or next(filter(None, named), None) or certifi.where()


def check(options: ClientOptions) -> None:
    """Raise UsageError if the certificates to trust cannot be read."""
    tls_context(options.ca_file)


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """Return the context for TLS connections, shared by all clients; raises UsageError if the bundle cannot be read."""
    return _context(ca_bundle(ca_file))


class Proxies:
    """The proxies of the environment or the system, decided once per host and port."""

    def __init__(self) -> None:
        self._known = {scheme: proxy for scheme, proxy in getproxies().items() if proxy and scheme != "no"}
        self._decide = lru_cache(maxsize=4096)(self._choose)

    def for_url(self, url: str) -> str | None:
        """Return the proxy's URL, or None to go there directly; raises TaskError for a proxy that is not HTTP."""
        if not self._known:
            return None
        return self._decide(urlsplit(url).scheme.lower(), lane_of(url))

    def _choose(self, scheme: str, lane: str) -> str | None:
        proxy = self._known.get(scheme) or self._known.get("all")
        if not proxy or proxy_bypass(lane) or _in_bypassed_network(lane.rpartition(":")[0]):
            return None
        if "://" not in proxy:
            proxy = f"http://{proxy}"
        if (kind := urlsplit(proxy).scheme.lower()) not in ("http", "https"):
            raise TaskError(FailureKind.UNSUPPORTED, f"the environment names a {kind} proxy: only http ones are used")
        return proxy


@lru_cache(maxsize=8)
def _context(bundle: str) -> ssl.SSLContext:
    # Reading a bundle takes some 20 ms: too long for every connection, and for every worker's client.
    folder = os.path.isdir(bundle)
    try:
        return ssl.create_default_context(cafile=None if folder else bundle, capath=bundle if folder else None)
    except (OSError, ValueError) as error:
        why = "it is no file of PEM certificates" if isinstance(error, ssl.SSLError | ValueError) else error.strerror
        raise UsageError(f"no certificates can be read from {bundle}: {why}") from error


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
