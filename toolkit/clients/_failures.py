"""Failures that look alike under every client: the standard library's errors, put in words.

A message is one line for people. It names no URL (the task's key stands beside it) and so no password either.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Callable
from typing import Any

from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Request

REFUSED = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "the server reset the connection",
    errno.ECONNABORTED: "the connection was aborted",
    errno.EPIPE: "the server closed the connection",
    errno.ENETUNREACH: "the network cannot be reached",
    errno.EHOSTUNREACH: "the host cannot be reached",
}
"""What system calls on a connection may report of the other side, or of the way there."""
LIMITS = {
    errno.EMFILE: "too many open files: use fewer workers, or raise the limit (ulimit -n)",
    errno.ENFILE: "too many open files on this machine: use fewer workers",
    errno.EADDRNOTAVAIL: "no local port or address is free: use fewer workers",
    errno.ENOBUFS: "this machine has no buffers left: use fewer workers",
    errno.ENOMEM: "this machine has no memory left: use fewer workers",
    getattr(errno, "WSAEMFILE", errno.EMFILE): "too many open files: use fewer workers",
}
"""What they may report of this machine: no host is to blame for it."""


def failure_of(error: BaseException, request: Request) -> TaskError:
    """Return the failure that an error of socket, ssl or the operating system stands for, before a reply's head."""
    return next(name(error, request) for kinds, name in _NAMES if isinstance(error, kinds))


def own_limit(error: BaseException | None) -> TaskError | None:
    """Return the failure of a limit of this machine, if the error is one; it may come at any moment of a fetch."""
    words = LIMITS.get(error.errno or 0) if isinstance(error, OSError) else None
    return TaskError(FailureKind.LIMIT, words, retryable=True) if words else None


def not_connected(request: Request) -> TaskError:
    """Return the failure of a connection that did not come about in time."""
    return TaskError(FailureKind.TIMEOUT, f"no connection within {request.connect_timeout:g} s", retryable=True)


def no_bytes(request: Request) -> TaskError:
    """Return the failure of a server that went silent."""
    return TaskError(FailureKind.TIMEOUT, f"no byte came for {request.read_timeout:g} s", retryable=True)


def closed() -> TaskError:
    """Return the failure of a connection that was closed before a whole head came."""
    return _failed("the server closed the connection without an answer")


def ended_early(expected: int | None, received: int) -> TaskError:
    """Return the failure of a body that was cut off."""
    announced = f" of {expected:,}" if expected is not None else ""
    words = f"the connection was lost after {received:,}{announced} bytes of the body"
    return TaskError(FailureKind.TRUNCATED, words, retryable=True)


def not_http(what: str) -> TaskError:
    """Return the failure of a reply that breaks the rules of HTTP."""
    return TaskError(FailureKind.PROTOCOL, f"the reply is not valid HTTP: {what}", retryable=True)


def no_tunnel(what: str) -> TaskError:
    """Return the failure of a proxy that does not let us through."""
    return _failed(f"the proxy does not connect us: {what}")


def first(chain: list[BaseException], *kinds: type[BaseException]) -> BaseException | None:
    """Return the outermost exception of these kinds in a chain, or None."""
    return next((each for each in chain if isinstance(each, kinds)), None)


def chain_of(error: BaseException) -> list[BaseException]:
    """Return an exception and what lies behind it, outermost first."""
    chain: list[BaseException] = []
    following: Any = error
    while isinstance(following, BaseException) and following not in chain:
        chain.append(following)
        reason = getattr(following, "reason", None)
        inner = next((arg for arg in following.args if isinstance(arg, BaseException)), None)
        following = reason if isinstance(reason, BaseException) else inner or following.__cause__
    return chain


def _unresolved(error: BaseException, _: Request) -> TaskError:
    # "Try again" also comes when there is no network at all, which may pass; an unknown name stays unknown.
    again = isinstance(error, OSError) and error.errno == socket.EAI_AGAIN
    if limit := _reached_limit():
        return limit
    return TaskError(FailureKind.DNS, "the host name does not resolve" + " now" * again, retryable=again)


def _reached_limit() -> TaskError | None:
    """Return the limit that keeps this process from opening a socket: a resolver calls that an unknown name."""
    try:
        socket.socket().close()
    except OSError as error:
        return own_limit(error)
    return None


def _not_secure(error: BaseException, _: Request) -> TaskError:
    reason = getattr(error, "reason", None) or "the handshake failed"
    words = f"no TLS connection: {reason.replace('_', ' ').lower()}"
    if isinstance(error, ssl.SSLCertVerificationError):
        words = f"the certificate is not trusted: {' '.join(error.verify_message.split())}"
    elif reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"):
        words = "the server does not speak TLS on this port"
    return TaskError(FailureKind.TLS, words)


def _unsendable(_: BaseException, __: Request) -> TaskError:
    # Libraries put the URL or the field in question into their words, and with it what is secret in them.
    return TaskError(FailureKind.INPUT, "the URL or a header field cannot be sent as it is")


def _unconnected(error: BaseException, _: Request) -> TaskError:
    if limit := own_limit(error):
        return limit
    number = error.errno if isinstance(error, OSError) else None
    if number is None:
        return closed() if isinstance(error, ConnectionError) else _failed("the connection failed")
    return _failed(REFUSED.get(number) or f"the connection failed: {os.strerror(number).lower()}")


def _failed(words: str) -> TaskError:
    return TaskError(FailureKind.CONNECT, words, retryable=True)


_NAMES: tuple[tuple[tuple[type[BaseException], ...], Callable[[BaseException, Request], TaskError]], ...] = (
    ((socket.gaierror,), _unresolved),
    ((ssl.SSLEOFError, ssl.SSLZeroReturnError), lambda *_: closed()),
    ((ssl.SSLError,), _not_secure),
    ((TimeoutError,), lambda _, request: no_bytes(request)),
    ((ValueError,), _unsendable),
    ((BaseException,), _unconnected),
)
"""What the standard library raises, and our name for it; the first that fits counts."""
