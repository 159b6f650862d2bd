"""Errors that no server can be made to cause: each library is made to raise them, and ours come out."""

from __future__ import annotations

import errno
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import pytest
import requests
import responses
import urllib3
from aioresponses import aioresponses

from tests.clients.driver import Driver
from tests.clients.raw import RawServer, reply
from toolkit import clients
from toolkit.clients import ClientKind
from toolkit.clients._failures import LIMITS, failure_of
from toolkit.core.errors import FailureKind
from toolkit.core.http import Request

URL = "http://ann:secret@example.com/a"
TOO_MANY = OSError(errno.EMFILE, "Too many open files")


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (TOO_MANY, FailureKind.LIMIT, "too many open files"),
        (requests.exceptions.ConnectionError("Max retries exceeded with url: /a"), FailureKind.CONNECT, "failed"),
        (urllib3.exceptions.LocationParseError("example"), FailureKind.INPUT, "cannot be sent"),
        (urllib3.exceptions.ClosedPoolError(None, "Pool is closed."), FailureKind.CONNECT, "failed"),  # type: ignore[arg-type]
    ],
)
def test_requests_own_error_becomes_ours(error: Exception, kind: FailureKind, words: str) -> None:
    """Whatever the library raises comes out as a TaskError, in short words, without URL and password."""
    with responses.RequestsMock() as mock, Driver(clients.load("requests", "blocking")) as client:
        mock.add(responses.GET, "http://example.com/a", body=error)
        mock.add(responses.GET, URL, body=error)
        mock.assert_all_requests_are_fired = False
        failure = client.failure(URL)
    assert failure.kind is kind
    assert words in failure.message
    assert "secret" not in failure.message


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (TOO_MANY, FailureKind.LIMIT, "too many open files"),
        (aiohttp.ClientError("at http://ann:secret@example.com"), FailureKind.CONNECT, "failed"),
        (aiohttp.InvalidURL("http://ann:secret@example.com"), FailureKind.INPUT, "cannot be sent"),
        (TimeoutError(), FailureKind.TIMEOUT, "no byte came"),
    ],
)
def test_aiohttps_own_error_becomes_ours(error: Exception, kind: FailureKind, words: str) -> None:
    """Whatever the library raises comes out as a TaskError, in short words, without URL and password."""
    with aioresponses() as mock, Driver(clients.load("aiohttp", "async")) as client:
        mock.get("http://example.com/a", exception=error)
        failure = client.failure(URL)
    assert failure.kind is kind
    assert words in failure.message
    assert "secret" not in failure.message


@contextmanager
def no_more_files() -> Iterator[None]:
    """Let this process open nothing more, not even in the place of what another thread closes meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))  # the standard streams keep the three numbers below it
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-name.invalid"])
def test_too_many_open_files_are_this_machines_fault(kind: ClientKind, host: str) -> None:
    """No host is blamed for it, not even for a name that could not be looked up; another try may help."""
    with RawServer((reply(b"hi"),)) as server, Driver(kind) as client:
        client.get(server.url)  # what is loaded at the first use is loaded
        with no_more_files():
            failure = client.failure(f"http://{host}:{server.port + 1}/")
    assert (failure.kind, failure.retryable) == (FailureKind.LIMIT, True)
    assert "too many open files" in failure.message


@pytest.mark.parametrize("number", LIMITS, ids=errno.errorcode.get)
def test_limits_of_this_machine_have_their_own_kind(number: int) -> None:
    """Ports, buffers and memory, too."""
    failure = failure_of(OSError(number, "whatever"), Request("http://example.com/"))
    assert (failure.kind, failure.retryable) == (FailureKind.LIMIT, True)


def test_a_name_that_cannot_be_looked_up_now_is_no_limit() -> None:
    """The resolver says the same when there is no network."""
    failure = failure_of(socket.gaierror(socket.EAI_AGAIN, "again"), Request("http://example.com/"))
    assert failure.kind is FailureKind.DNS
