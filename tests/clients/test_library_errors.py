"""Errors that no server can be made to cause: each library is made to raise them, and ours come out."""

from __future__ import annotations

import errno

import aiohttp
import pytest
import requests
import responses
import urllib3
from aioresponses import aioresponses

from tests.clients.driver import Driver
from toolkit import clients
from toolkit.core.errors import FailureKind

URL = "http://ann:secret@example.com/a"
TOO_MANY = OSError(errno.EMFILE, "Too many open files")


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (TOO_MANY, FailureKind.CONNECT, "too many open files"),
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
        (TOO_MANY, FailureKind.CONNECT, "too many open files"),
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
