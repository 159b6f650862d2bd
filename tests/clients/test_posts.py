"""Requests with a body: it goes out once, as it is, and only to where it was meant to go."""

from __future__ import annotations

import pytest

from tests.clients.driver import Driver
from tests.clients.raw import Do, RawServer, reply
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Request

END = b"~END"
FORM = ("Content-Type", "application/x-www-form-urlencoded")
BODY = b"user=ann&word=p%40ss\x00\xff" + END


def listening(*scripts: tuple[bytes | Do, ...]) -> RawServer:
    """Return a server whose requests end with END, in the body."""
    return RawServer(*scripts, head=END)


def to(location: str, status: int) -> bytes:
    """Return a redirect."""
    return reply(b"moved", f"Location: {location}", status=f"{status} Moved")


def post(url: str, *more: tuple[str, str]) -> Request:
    """Return a form on its way."""
    return Request(url, "POST", (FORM, *more), body=BODY)


def parts(request: bytes) -> tuple[str, bytes]:
    """Return the request line's beginning and the body."""
    head, _, body = request.partition(b"\r\n\r\n")
    return head.decode().partition(" HTTP/")[0], body


def test_post_sends_fields_and_body(client: Driver) -> None:
    """The job's own fields and the length go out, and nothing else; the body is not touched."""
    with listening((reply(b"hi"),)) as server:
        got = client.get(server.url + "in?x", method="POST", body=BODY, headers=(FORM, ("X-Mine", "1")))
        assert got.body == b"hi"
        host = f"Host: 127.0.0.1:{server.port}\r\n"
        fields = f"{host}Content-Type: {FORM[1]}\r\nX-Mine: 1\r\nContent-Length: {len(BODY)}\r\n\r\n"
        assert server.requests == [f"POST /in?x HTTP/1.1\r\n{fields}".encode() + BODY]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_length_is_not_the_jobs_to_say(client: Driver, method: str) -> None:
    """What says how the body comes is the client's own: two lengths could be read as two requests."""
    wrong = (("Content-Length", "3"), ("Transfer-Encoding", "chunked"), ("Expect", "100-continue"))
    with listening((reply(),)) as server:
        client.get(server.url, method=method, body=BODY, headers=wrong)
        assert server.header("content-length") == [str(len(BODY))]
        assert server.header("transfer-encoding") == server.header("expect") == server.header("content-type") == []


def test_post_without_a_body_says_so(client: Driver) -> None:
    """Its length is 0."""
    with RawServer((reply(),)) as server:
        client.get(server.url, method="POST")
        assert server.requests[0].startswith(b"POST / ")
        assert server.header("content-length") == ["0"]


def test_get_after_a_post_is_a_get(client: Driver) -> None:
    """Nothing of a body stays behind; the connection serves on."""
    with listening((reply(), Do.NEXT, reply())) as server:
        client.get(server.url, method="POST", body=BODY)
        client.get(server.url, headers=(("X-End", END.decode()),))
        assert parts(server.requests[1])[0] == "GET /"
        assert server.header("content-length") == server.header("content-type") == []
        assert server.connections == 1
    with RawServer((reply(), Do.NEXT, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")) as server:
        client.get(server.url, method="POST")
        client.get(server.url, method="HEAD")
        assert server.requests[1].startswith(b"HEAD / ")


def test_long_body_goes_out_whole(client: Driver) -> None:
    """Longer than any buffer on the way."""
    body = bytes(range(256)) * 12_000 + END
    with listening((reply(b"hi"),)) as server:
        assert client.get(server.url, method="POST", body=body).body == b"hi"
        assert parts(server.requests[0])[1] == body


@pytest.mark.parametrize("ending", [(), (Do.RESET,)], ids=["closed", "reset"])
def test_post_is_never_sent_twice(client: Driver, ending: tuple[Do, ...]) -> None:
    """Where a kept connection is lost after the request, nobody knows what became of it: the job decides."""
    with listening((reply(b"hi"), Do.NEXT, *ending), (reply(b"again"),)) as server:
        client.get(server.url, method="POST", body=BODY)
        failure = client.failure(server.url, method="POST", body=BODY)
        assert (failure.kind, failure.retryable, len(server.requests)) == (FailureKind.CONNECT, True, 2)
        assert client.get(server.url, method="POST", body=BODY).body == b"again"


@pytest.mark.parametrize("status", [301, 302, 303])
def test_post_becomes_a_get(client: Driver, status: int) -> None:
    """As browsers have it; the body is gone, and what was said of it; the rest stays."""
    with listening((to("/done?~END", status), Do.NEXT, reply(b"hi"))) as server:
        assert client.follow(post(server.url, ("X-Mine", "1"))).body == b"hi"
        assert [parts(each) for each in server.requests] == [("POST /", BODY), ("GET /done?~END", b"")]
        assert server.header("content-type") == server.header("content-length") == []
        assert server.header("x-mine") == ["1"]


@pytest.mark.parametrize("status", [307, 308])
def test_post_stays_a_post(client: Driver, status: int) -> None:
    """With its body, within its origin."""
    with listening((to("/on", status), Do.NEXT, reply(b"hi"))) as server:
        assert client.follow(post(server.url)).body == b"hi"
        assert [parts(each) for each in server.requests] == [("POST /", BODY), ("POST /on", BODY)]
        assert server.header("content-length") == [str(len(BODY))]


@pytest.mark.parametrize("status", [307, 308])
def test_body_goes_to_no_other_origin(client: Driver, status: int) -> None:
    """What was sent to one server is not handed to another, nor to another port."""
    with listening((reply(b"hi"),)) as other, listening((to(other.url, status),)) as server:
        with pytest.raises(TaskError, match="to another host") as caught:
            client.follow(post(server.url))
        assert (caught.value.kind, caught.value.retryable) == (FailureKind.REDIRECT, False)
        assert other.requests == []


def test_other_methods_keep_their_body_at_302(client: Driver) -> None:
    """Only 303 says that the answer is to be had by GET."""
    with listening((to("/a", 302), Do.NEXT, to("/b?~END", 303), Do.NEXT, reply(b"hi"))) as server:
        assert client.follow(Request(server.url, "PUT", (FORM,), body=BODY)).body == b"hi"
        assert [parts(each)[0] for each in server.requests] == ["PUT /", "PUT /a", "GET /b?~END"]


@pytest.mark.parametrize("path", ["", "back"])
def test_post_that_leads_back_to_its_page_is_no_loop(client: Driver, path: str) -> None:
    """POST, redirect, GET: the same URL, asked for otherwise."""
    with RawServer((to(f"/{path}", 303), Do.NEXT, reply(b"hi"))) as server:
        assert client.follow(Request(server.url + path, "POST", (FORM,))).body == b"hi"


def _set(location: str) -> bytes:
    return reply(b"", f"Location: {location}", "Set-Cookie: a=b", status="302 Found")


def test_page_that_sets_a_cookie_may_lead_to_itself(client: Driver) -> None:
    """It looks whether cookies are kept; who keeps none is told the same again, and that is a loop."""
    with RawServer((_set("/"), Do.NEXT, reply(b"hi"))) as server:
        assert client.follow(Request(server.url)).body == b"hi"
    with RawServer((_set("/"), Do.NEXT, _set("/"), Do.NEXT, reply(b"hi"))) as server:
        with pytest.raises(TaskError, match="loop"):
            client.follow(Request(server.url))
        assert len(server.requests) == 2
