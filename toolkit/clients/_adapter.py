"""requests' adapter and urllib3's pools and connections beneath it, made to share a line with their client."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests.adapters
import urllib3.connection
import urllib3.connectionpool
import urllib3.exceptions as errors

from toolkit.clients._dial import check_peer, dial
from toolkit.clients._line import Line
from toolkit.clients._strict import StrictResponse

HOSTS_KEPT = 32
"""Hosts whose connections are kept open between tasks."""


class Adapter(requests.adapters.HTTPAdapter):
    """An adapter whose connections send the target as it is, read strictly and can be broken off."""

    def __init__(self, line: Line, context: ssl.SSLContext) -> None:
        self._context = context
        self._pools = _pools(line)
        super().__init__(pool_connections=HOSTS_KEPT, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools for direct connections."""
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Make the pools for connections by way of a proxy."""
        manager = super().proxy_manager_for(proxy, **kwargs, ssl_context=self._context, proxy_ssl_context=self._context)
        manager.pool_classes_by_scheme = self._pools
        return manager

    def cert_verify(self, *_: Any, **__: Any) -> None:
        """Do nothing: the context knows the certificates, and reading them again takes longer than a request."""


def _pools(line: Line) -> dict[str, Any]:
    class Noted(StrictResponse):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            line.reply = self

    class Watched:
        response_class: type[http.client.HTTPResponse] = Noted

        def connect(self) -> None:
            line.fresh = True
            started = time.monotonic()
            super().connect()  # type: ignore[misc]
            if isinstance(self, Secure) and not self._tunnel_host:
                line.tls = time.monotonic() - started - (line.dns or 0.0) - (line.connect or 0.0)
            line.take(self.sock)  # type: ignore[attr-defined]

        def _new_conn(self) -> socket.socket:
            with _as_urllib3_says(self):
                return dial(line, self._dns_host, self.port, self.timeout)  # type: ignore[attr-defined]

        def putrequest(self, method: str, url: str, *args: Any, **kwargs: Any) -> None:
            if self.sock is not None:  # type: ignore[attr-defined]
                line.take(self.sock)  # type: ignore[attr-defined]
                check_peer(line, self.sock)  # type: ignore[attr-defined]
            super().putrequest(method, line.target or url, *args, **kwargs)  # type: ignore[misc]

        def getresponse(self) -> Any:
            try:
                return super().getresponse()  # type: ignore[misc]
            except BaseException:
                if line.reply is not None:  # urllib3 forgets a reply whose fields it does not like, with its socket
                    line.reply.close()
                raise

    class Plain(Watched, urllib3.connection.HTTPConnection):
        pass

    class Secure(Watched, urllib3.connection.HTTPSConnection):
        pass

    class PlainPool(urllib3.connectionpool.HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(urllib3.connectionpool.HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


@contextmanager
def _as_urllib3_says(connection: Any) -> Iterator[None]:
    """Put what goes wrong in connecting as urllib3's own connections do, so that it is told from later trouble."""
    try:
        yield
    except socket.gaierror as error:
        raise errors.NameResolutionError(connection.host, connection, error) from error
    except TimeoutError as error:
        raise errors.ConnectTimeoutError(connection, "no connection in time") from error
    except OSError as error:
        raise errors.NewConnectionError(connection, "no connection") from error
