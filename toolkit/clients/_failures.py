"""Failures that look alike under every client: the standard library's errors, put in words.

A message is one line for people. It names no URL (the task's key stands beside it) and so no password either.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
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
    errno.EMFILE: "too many open files: use fewer workers, or raise the limit (ulimit -n)",
    errno.EADDRNOTAVAIL: "no local port is free: use fewer workers",
}
"""What system calls on a connection may report."""


def failure_of(error: BaseException, request: Request) -> TaskError:
    """Return the failure that an error of socket, ssl or the operating system stands for, before a reply's head."""
    if isinstance(error, socket.gaierror):
        # "Try again" also comes when there is no network at all, which may pass; an unknown name stays unknown.
        again = error.errno == socket.EAI_AGAIN
        return TaskError(FailureKind.DNS, "the host name does not resolve" + " now" * again, retryable=again)
    if isinstance(error, ssl.SSLError):
        return TaskError(FailureKind.TLS, _tls_words(error))
    if isinstance(error, TimeoutError):
        return no_bytes(request)
    if isinstance(error, UnicodeError | ValueError):
        # Libraries put the URL or the field in question into their words, and with it what is secret in them.
        return TaskError(FailureKind.INPUT, "the URL or a header field cannot be sent as it is")
    if isinstance(error, OSError) and error.errno:
        words = REFUSED.get(error.errno) or f"the connection failed: {os.strerror(error.errno).lower()}"
        return TaskError(FailureKind.CONNECT, words, retryable=True)
    return TaskError(FailureKind.CONNECT, f"the connection failed: {type(error).__name__}", retryable=True)


def not_connected(request: Request) -> TaskError:
    """Return the failure of a connection that did not come about in time."""
    return TaskError(FailureKind.TIMEOUT, f"no connection within {request.connect_timeout:g} s", retryable=True)


def no_bytes(request: Request) -> TaskError:
    """Return the failure of a server that went silent."""
    return TaskError(FailureKind.TIMEOUT, f"no byte came for {request.read_timeout:g} s", retryable=True)


def closed() -> TaskError:
    """Return the failure of a connection that was closed before a whole head came."""
    return TaskError(FailureKind.CONNECT, "the server closed the connection without an answer", retryable=True)


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
    return TaskError(FailureKind.CONNECT, f"the proxy does not connect us: {what}", retryable=True)


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


def _tls_words(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {_one_line(error.verify_message)}"
    if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"):
        return "the server does not speak TLS on this port"
    return f"no TLS connection: {(error.reason or 'the handshake failed').replace('_', ' ').lower()}"


def _one_line(what: object) -> str:
    return " ".join(str(what).split())
