"""libcurl's errors, by number, in our kinds and words; its own words name hosts, and change from version to version.

The numbers are libcurl's for good (curl/curl.h, CURLcode).
"""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass

from toolkit.clients import _failures as failures
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Request

BROKEN_OFF = failures.REFUSED.keys() - {errno.ECONNREFUSED}
"""What may end a connection that was there: libcurl's number may be that of an address that it tried before."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A transfer that failed.

    code: libcurl's. words: also libcurl's. number: the operating system's error, or 0. asked: whether the request went
    out. head: whether a whole head came. refusal: the status line of a proxy that does not let us through.
    """

    code: int
    words: str
    number: int
    request: Request
    host: str
    proxied: bool
    asked: bool
    head: bool
    expected: int | None
    received: int
    refusal: str


def failure_of(broken: Broken) -> TaskError:
    """Return the failure that libcurl's error stands for."""
    if broken.number and (limit := failures.own_limit(OSError(broken.number, ""))):
        return limit
    if broken.refusal and not broken.asked:
        return failures.no_tunnel(broken.refusal.partition(" ")[2].strip() or broken.refusal)
    return _NAMES.get(broken.code, _lost)(broken)


def _unresolved(broken: Broken) -> TaskError:
    found = failures.failure_of(socket.gaierror(socket.EAI_NONAME, ""), broken.request)
    if found.kind is FailureKind.DNS and "emporary" in broken.words:
        return failures.failure_of(socket.gaierror(socket.EAI_AGAIN, ""), broken.request)
    return found


def _unresolved_proxy(broken: Broken) -> TaskError:
    found = _unresolved(broken)
    return found if found.kind is FailureKind.LIMIT else failures.no_tunnel(found.message)


def _unconnected(broken: Broken) -> TaskError:
    if not broken.number and (limit := _limit(broken.request)):
        return limit
    if broken.number == errno.ETIMEDOUT:
        return failures.not_connected(broken.request)
    number = broken.number or errno.ECONNREFUSED
    found = failures.failure_of(OSError(number, os.strerror(number)), broken.request)
    return failures.no_tunnel(found.message) if broken.proxied else found


def _limit(request: Request) -> TaskError | None:
    """Return the limit that keeps this process from opening a socket, which libcurl tells like any other reason."""
    found = failures.failure_of(socket.gaierror(socket.EAI_NONAME, ""), request)
    return found if found.kind is FailureKind.LIMIT else None


def _late(broken: Broken) -> TaskError:
    return failures.no_bytes(broken.request) if broken.asked else failures.not_connected(broken.request)


def _handshake(broken: Broken) -> TaskError:
    if broken.number in BROKEN_OFF:
        return failures.failure_of(OSError(broken.number, ""), broken.request)
    reason = broken.words.rpartition("::")[2].strip().lower()
    if not reason or any(each in reason for each in ("unexpected eof", "ssl_error_syscall", "connection was")):
        return failures.closed()
    if any(each in reason for each in ("wrong version number", "http request", "packet length", "record layer")):
        return TaskError(FailureKind.TLS, "the server does not speak TLS on this port")
    return TaskError(FailureKind.TLS, f"no TLS connection: {_plain(reason)}")


def _untrusted(broken: Broken) -> TaskError:
    why = _plain(re.sub(r" \([0-9]+\)$", "", broken.words.rpartition(":")[2]))
    if any(each in broken.words for each in ("subject name", "does not match", "altname")):
        why = f"it is not valid for {broken.host!r}"
    return TaskError(FailureKind.TLS, f"the certificate is not trusted: {why}")


def _no_files(broken: Broken) -> TaskError:
    return TaskError(FailureKind.TLS, f"no TLS connection: {_plain(broken.words)}")


def _not_http(broken: Broken) -> TaskError:
    found = next((ours for theirs, ours in _RULES if theirs in broken.words.lower()), None)
    return failures.not_http(found or f"curl's error {broken.code}")


def _lost(broken: Broken) -> TaskError:
    if any(theirs in broken.words.lower() for theirs, _ in _RULES):
        return _not_http(broken)
    if broken.head:
        return failures.ended_early(broken.expected, broken.received)
    if "SSL routines::" in broken.words and " alert " in broken.words:  # as TLS 1.3 says that a certificate is missing
        return _handshake(broken)
    found = failures.closed()
    if broken.number in BROKEN_OFF:
        found = failures.failure_of(OSError(broken.number, ""), broken.request)
    elif "reset by peer" in broken.words.lower():
        found = failures.failure_of(OSError(errno.ECONNRESET, ""), broken.request)
    return failures.no_tunnel(found.message) if broken.proxied and not broken.asked else found


def _unsendable(broken: Broken) -> TaskError:
    return failures.failure_of(ValueError("the URL"), broken.request)


def _no_memory(broken: Broken) -> TaskError:
    return _limit(broken.request) or failures.own_limit(OSError(errno.ENOMEM, "")) or failures.closed()


def _no_proxy(broken: Broken) -> TaskError:
    return failures.no_tunnel(_plain(broken.words.rpartition(":")[2] or broken.words))


def _plain(words: str) -> str:
    """Return libcurl's words as a part of one short line, without what could be somebody else's."""
    return " ".join(re.sub(r"[^\w .,'/-]+", " ", words).split())[:80].lower() or "the handshake failed"


_RULES = (
    ("http/0.9", "bad status line"),
    ("status line", "bad status line"),
    ("unsupported http", "bad status line"),
    ("without colon", "a header line has no name or no colon"),
    ("nul byte", "a header line has a NUL"),
    ("content-length", "Content-Length is no number, or two"),
    ("too large response header", "the head is too long"),
    ("too many response header", "the head is too long"),
    ("header line", "a header line has no name or no colon"),
    ("chunk hex", "a chunk has no size"),
    ("illegal or missing hexadecimal", "a chunk has no size"),
    ("malformed encoding", "a chunk is longer than it says"),
    ("chunk", "a chunk is longer than it says"),
    ("transfer-encoding", "a Transfer-Encoding that nobody asked for"),
)
"""What stands in libcurl's words, and the rule of HTTP in ours; the first that fits counts."""

_NAMES: dict[int, Callable[[Broken], TaskError]] = {
    1: _not_http,
    3: _unsendable,
    5: _unresolved_proxy,
    6: _unresolved,
    7: _unconnected,
    8: _not_http,
    16: _not_http,
    27: _no_memory,
    28: _late,
    35: _handshake,
    43: _unsendable,
    51: _untrusted,
    53: _no_files,
    54: _no_files,
    58: _no_files,
    59: _no_files,
    60: _untrusted,
    61: _not_http,
    66: _no_files,
    77: _no_files,
    82: _no_files,
    83: _untrusted,
    91: _untrusted,
    97: _no_proxy,
    100: _not_http,
}
"""Anything else is a connection that was lost."""
