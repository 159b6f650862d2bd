"""libcurl's numbers in our words, for what no server here can be made to do."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from toolkit.clients._curl_failures import Broken, failure_of
from toolkit.core.errors import FailureKind
from toolkit.core.http import Request


def broken(code: int, words: str = "", number: int = 0, **facts: Any) -> Broken:
    """Return a failed transfer."""
    usual: dict[str, Any] = {
        "request": Request("https://ann:secret@example.com/a", read_timeout=3, connect_timeout=2),
        "host": "example.com",
        "proxied": False,
        "asked": False,
        "head": False,
        "expected": None,
        "received": 0,
        "refusal": "",
    }
    return Broken(code, words, number, **(usual | facts))


CONNECT, TLS, DNS, LIMIT = FailureKind.CONNECT, FailureKind.TLS, FailureKind.DNS, FailureKind.LIMIT
ASKED: dict[str, Any] = {"asked": True}
BODY: dict[str, Any] = {"asked": True, "head": True, "expected": 9, "received": 4}


@pytest.mark.parametrize(
    ("what", "kind", "retryable", "words"),
    [
        (broken(6, "Could not resolve host: example.com"), DNS, False, "the host name does not resolve"),
        (broken(6, "Could not resolve: x (Temporary failure)"), DNS, True, "the host name does not resolve now"),
        (broken(5, proxied=True), CONNECT, True, "the proxy does not connect us: the host name does not resolve"),
        (broken(7, "", errno.ECONNREFUSED), CONNECT, True, "connection refused"),
        (broken(7, "", errno.EHOSTUNREACH), CONNECT, True, "the host cannot be reached"),
        (broken(7, "", errno.ETIMEDOUT), FailureKind.TIMEOUT, True, "no connection within 2 s"),
        (broken(7, "", errno.EMFILE), LIMIT, True, "too many open files"),
        (broken(7, "", errno.EADDRNOTAVAIL, proxied=True), LIMIT, True, "no local port"),
        (broken(28), FailureKind.TIMEOUT, True, "no connection within 2 s"),
        (broken(28, **ASKED), FailureKind.TIMEOUT, True, "no byte came for 3 s"),
        (broken(27), LIMIT, True, "this machine has no memory left"),
        (broken(3, "URL rejected: secret"), FailureKind.INPUT, False, "cannot be sent"),
        (broken(35, "TLS connect error: error:0A000438:SSL routines::tlsv1 alert (80)"), TLS, False, "tlsv1 alert 80"),
        (broken(56, "error:0A00045C:SSL routines::tlsv13 alert certificate required", **ASKED), TLS, False, "required"),
        (broken(35, "x::unexpected eof while reading"), CONNECT, True, "closed the connection"),
        (broken(35, "Recv failure: Connection was reset", errno.ECONNRESET), CONNECT, True, "reset the connection"),
        (broken(60, "SSL certificate problem: certificate has expired"), TLS, False, "certificate has expired"),
        (broken(60, "SSL: no alternative certificate subject name"), TLS, False, "not valid for 'example.com'"),
        (broken(58, "could not load PEM client certificate"), TLS, False, "could not load pem client certificate"),
        (broken(77), TLS, False, "no TLS connection: the handshake failed"),
        (broken(97, "SOCKS5: connection to proxy closed"), CONNECT, True, "the proxy does not connect us: connection"),
        (broken(52, **ASKED), CONNECT, True, "without an answer"),
        (broken(52, "Empty reply", errno.ECONNREFUSED, **ASKED), CONNECT, True, "without an answer"),  # ::1 refused
        (broken(55, "Send failure: Broken pipe", errno.EPIPE, **ASKED), CONNECT, True, "the server closed"),
        (broken(56, "Recv failure: Connection reset by peer", **ASKED), CONNECT, True, "reset the connection"),
        (broken(56, "Recv failure", errno.ECONNRESET, **BODY), FailureKind.TRUNCATED, True, "after 4 of 9 bytes"),
        (broken(18, **BODY), FailureKind.TRUNCATED, True, "after 4 of 9 bytes"),
        (broken(92, "HTTP/2 stream 1 was not closed cleanly", **BODY), FailureKind.TRUNCATED, True, "after 4 of 9"),
        (broken(8, "something new", **ASKED), FailureKind.PROTOCOL, True, "the reply is not valid HTTP"),
        (broken(61, "Unsolicited Transfer-Encoding (x) found", **ASKED), FailureKind.PROTOCOL, True, "nobody asked"),
        (broken(56, refusal="HTTP/1.1 407 Who are you?\r\n", proxied=True), CONNECT, True, "us: 407 Who are you?"),
        (broken(56, proxied=True), CONNECT, True, "the proxy does not connect us: the server closed"),
    ],
    ids=lambda value: f"{value.code} {value.words[:20]}" if isinstance(value, Broken) else "",
)
def test_error_becomes_ours(what: Broken, kind: FailureKind, words: str, *, retryable: bool) -> None:
    """With the kind that the other clients give it, in one line without URL and password."""
    failure = failure_of(what)
    assert (failure.kind, failure.retryable) == (kind, retryable)
    assert words in failure.message
    assert "secret" not in failure.message
    assert failure.message == " ".join(failure.message.split())
