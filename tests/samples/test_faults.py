"""With a fault the sample server breaks the rules exactly as asked."""

from __future__ import annotations

import gzip
import http.client
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from samples.faults import Faults
from tests.samples.asking import CAT, MADE, WHOLE, Asker


def test_every_fault_has_a_test() -> None:
    """No fault is added without a test that asks for it."""
    text = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in Faults.__slots__ if f"{name}=" not in text] == []


def test_delay_is_asked(ask: Asker) -> None:
    """The head waits that long."""
    started = time.monotonic()
    assert ask(CAT + "?delay=0.15").status == 200
    assert time.monotonic() - started >= 0.15


def test_status_is_asked(ask: Asker) -> None:
    """That status is the answer every time, with Retry-After if asked."""
    for _ in range(3):
        reply = ask(CAT + "?status=429&retry_after=2")
        assert (reply.status, reply.headers["Retry-After"]) == (429, "2")


def test_fail_is_asked(ask: Asker) -> None:
    """The first N requests with the same full URL fail, until a reset starts the count again."""
    assert [ask(CAT + "?fail=2").status for _ in range(4)] == [503, 503, 200, 200]
    assert ask(CAT + "?fail=2&other=1").status == 503
    assert [ask(CAT + "?fail=1&status=429").status for _ in range(2)] == [429, 200]
    ask.server.reset()
    assert ask(CAT + "?fail=2").status == 503


def test_drop_is_asked(ask: Asker) -> None:
    """The first N connections close without an answer."""
    for _ in range(2):
        with pytest.raises(ConnectionError):
            ask(CAT + "?drop=2")
    assert ask(CAT + "?drop=2").status == 200


def test_redirect_is_asked(ask: Asker) -> None:
    """N redirects lead to the same resource, other parameters kept."""
    reply = requests.get(f"{ask.server.url}{CAT[1:]}?redirect=3&weak=1", timeout=5)
    assert [each.status_code for each in reply.history] == [302] * 3
    assert reply.content == ask(CAT).body
    assert reply.headers["ETag"].startswith("W/")


def test_loop_is_asked(ask: Asker) -> None:
    """A loop never ends."""
    with pytest.raises(requests.TooManyRedirects):
        requests.get(f"{ask.server.url}{CAT[1:]}?loop=1", timeout=5)


@pytest.mark.parametrize("path", [CAT, "/", "/files/terms.txt", MADE])
def test_version_is_asked(ask: Asker, path: str) -> None:
    """Another version has other bytes, another ETag and a later date, and is itself stable."""
    replies = [ask(path + query) for query in ("", "?version=1", "?version=2", "?version=2")]
    assert len({reply.body for reply in replies}) == 3
    assert len({reply.headers["ETag"] for reply in replies}) == 3
    assert len({reply.headers["Last-Modified"] for reply in replies}) == 3


def test_version_of_a_generated_body_is_asked(ask: Asker) -> None:
    """A generated body changes everywhere at the same size, so that a mixed file can be told from both."""
    other = ask(MADE + "?version=2").body
    assert len(other) == len(WHOLE)
    assert all(other[at : at + 100] != WHOLE[at : at + 100] for at in range(0, 1000, 100))


def test_gzip_is_asked(ask: Asker) -> None:
    """The body comes gzipped, as a representation of its own: ranges and the ETag count packed bytes."""
    plain, packed = ask("/"), ask("/?gzip=1")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert ask("/?gzip=1", Range="bytes=0-9").body == packed.body[:10]


def test_validators_are_withheld(ask: Asker) -> None:
    """A weak ETag, none, and no date are what they say."""
    assert ask(CAT + "?weak=1").headers["ETag"] == "W/" + ask(CAT).headers["ETag"]
    assert "ETag" not in ask(CAT + "?noetag=1").headers
    assert "Last-Modified" not in ask(CAT + "?nodate=1").headers
    assert ask(CAT + "?noetag=1&nodate=1", If_None_Match='"x"').status == 200


def test_norange_is_asked(ask: Asker) -> None:
    """A server without ranges answers whole, and says so."""
    reply = ask(MADE + "?norange=1", Range="bytes=10-")
    assert (reply.status, reply.body, reply.headers["Accept-Ranges"]) == (200, WHOLE, "none")


def test_wrongrange_is_asked(ask: Asker) -> None:
    """A confused server answers 206 from byte 0 whatever was asked."""
    reply = ask(MADE + "?wrongrange=1", Range="bytes=10-19")
    assert (reply.status, reply.headers["Content-Range"], reply.body) == (206, "bytes 0-999/1000", WHOLE)


def test_filename_is_asked(ask: Asker) -> None:
    """The name goes out in both forms of Content-Disposition (RFC 6266)."""
    said = ask(CAT + "?filename=M%C3%A4rz.jpg").headers["Content-Disposition"]
    assert said == "attachment; filename=\"M?rz.jpg\"; filename*=UTF-8''M%C3%A4rz.jpg"


def test_chunked_is_asked(ask: Asker) -> None:
    """The length is not told, and the body is whole."""
    reply = ask(MADE + "?chunked=1")
    assert (reply.headers["Transfer-Encoding"], reply.headers["Content-Length"]) == ("chunked", None)
    assert reply.body == WHOLE


@pytest.mark.parametrize(("share", "size"), [("0.6", 600), ("0", 0)])
def test_cut_is_asked(ask: Asker, share: str, size: int) -> None:
    """The full length is told, and the connection closes early, every time."""
    for _ in range(2):
        with pytest.raises(http.client.IncompleteRead) as caught:
            ask(f"{MADE}?cut={share}")
        assert caught.value.partial == WHOLE[:size]
        assert caught.value.expected == 1000 - size


def test_cut_is_asked_of_a_chunked_body(ask: Asker) -> None:
    """A chunked body that is cut never ends properly."""
    with pytest.raises(http.client.IncompleteRead):
        ask(MADE + "?cut=0.5&chunked=1")


def test_cut_once_is_asked(ask: Asker) -> None:
    """Only the first body is cut, so that the rest can be had by a range."""
    with pytest.raises(http.client.IncompleteRead) as caught:
        ask(MADE + "?cut_once=0.25")
    rest = ask(MADE + "?cut_once=0.25", Range=f"bytes={len(caught.value.partial)}-")
    assert caught.value.partial + rest.body == WHOLE


def test_rate_is_asked(ask: Asker) -> None:
    """The body comes no faster than the rate."""
    started = time.monotonic()
    assert ask(MADE + "?rate=5000").body == WHOLE
    assert 0.2 <= time.monotonic() - started < 2


def test_drip_is_asked(ask: Asker) -> None:
    """The bytes come one by one, half a second apart."""
    started = time.monotonic()
    assert ask(MADE + "?drip=1", Range="bytes=0-1").body == WHOLE[:2]
    assert time.monotonic() - started >= 0.5


def test_hang_is_asked(ask: Asker) -> None:
    """The head comes, the body never does, and other requests are answered meanwhile."""
    connection = http.client.HTTPConnection(urlsplit(ask.server.url).netloc, timeout=0.2)
    connection.request("GET", MADE + "?hang=1")
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Content-Length"]) == (200, "1000")
    assert ask(CAT).status == 200
    with pytest.raises(TimeoutError):
        answer.read(1)
    answer.close()
    connection.close()


def test_corrupt_picture_is_asked(ask: Asker) -> None:
    """The truncated photograph is well delivered: only its content is broken."""
    reply = ask("/corrupt/photo.jpg")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "image/jpeg")
    assert ask("/pictures/coffee.jpg").body.startswith(reply.body)
    assert ask("/corrupt/text.jpg").body.startswith(b"This is a line of text")
