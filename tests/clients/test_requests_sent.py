"""What goes out is what the job asked for, to the byte."""

from __future__ import annotations

import base64

import pytest

from tests.clients.driver import Driver
from tests.clients.raw import RawServer, reply


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/a%2fb%2Fc",
        "/a/../b/./c//d",
        "/a|b[1]^`{}'\"",
        "/%zz%",
        "/?q=%c3%a9&q=a+b&c=%20",
        "/p?a=1?b=2/3",
        "/p;v=1,2:3@4",
        "//double",
        "/a?",
        "/a?b?",
        "/?",
        "/a%3F?",
    ],
)
def test_target_goes_out_as_it_stands(client: Driver, target: str) -> None:
    """Path and query are sent unchanged: signed URLs must not be written anew."""
    with RawServer((reply(),)) as server:
        client.get(server.url.rstrip("/") + target)
        assert server.targets() == [target]


def test_target_has_a_slash_when_the_url_has_no_path(client: Driver) -> None:
    """Without a path the root is asked for; the fragment stays here."""
    with RawServer((reply(),)) as server:
        client.get(f"HTTP://127.0.0.1:{server.port}?q#f")
        assert server.targets() == ["/?q"]


@pytest.mark.parametrize("url", ["http://ann:pw@127.0.0.1:{}?", "HTTP://127.0.0.1:{}/?#f?"])
def test_empty_query_is_no_missing_one(client: Driver, url: str) -> None:
    """`/?` is another place than `/`, whatever stands around it."""
    with RawServer((reply(),)) as server:
        client.get(url.format(server.port))
        assert (server.targets(), server.header("host")) == (["/?"], [f"127.0.0.1:{server.port}"])


def test_only_the_jobs_fields_go_out(client: Driver) -> None:
    """Host, then the job's own fields in order, repeated ones, too; no library adds its own."""
    fields = (("Range", "bytes=0-"), ("X-Twice", "1"), ("X-Twice", "2"), ("User-Agent", "caf\xe9/1"))
    with RawServer((reply(),)) as server:
        client.get(server.url, headers=fields)
        client.get(server.url)
        first, second = server.requests
    host = f"Host: 127.0.0.1:{server.port}\r\n"
    sent = "".join(f"{name}: {value}\r\n" for name, value in fields)
    assert first == f"GET / HTTP/1.1\r\n{host}{sent}\r\n".encode()
    assert second == f"GET / HTTP/1.1\r\n{host}\r\n".encode()


def test_host_is_the_jobs_when_it_gives_one(client: Driver) -> None:
    """A Host field of the job's replaces the one made from the URL."""
    with RawServer((reply(),)) as server:
        client.get(server.url, headers=(("Host", "elsewhere"),))
        assert server.header("host") == ["elsewhere"]


def test_no_cookie_is_kept(client: Driver) -> None:
    """Every request stands alone, whatever a reply set (by name: for addresses, libraries keep none anyway)."""
    with RawServer((reply(b"", "Set-Cookie: a=b; Path=/"),)) as server:
        for _ in range(2):
            client.get(f"http://localhost:{server.port}/")
        assert server.header("cookie") == []


def test_user_name_in_the_url_becomes_authorization(client: Driver) -> None:
    """A name and password before the host are sent as Basic, decoded, and not in the target or Host."""
    with RawServer((reply(),)) as server:
        url = f"http://ann:p%40ss@127.0.0.1:{server.port}/x"
        client.get(url)
        assert server.header("authorization") == [f"Basic {base64.b64encode(b'ann:p@ss').decode()}"]
        assert (server.targets(), server.header("host")) == (["/x"], [f"127.0.0.1:{server.port}"])
        client.get(url, headers=(("authorization", "Bearer t"),))
        assert server.header("authorization") == ["Bearer t"]


@pytest.mark.parametrize("fields", [(("X", "a\r\nY: b"),), (("X\r\nY", "b"),)])
def test_no_field_can_be_smuggled_in(client: Driver, fields: tuple[tuple[str, str], ...]) -> None:
    """A line break in a field's name or value is the input's fault, and nothing is sent."""
    with RawServer((reply(),)) as server:
        failure = client.failure(server.url, headers=fields)
        assert (failure.kind, failure.retryable, server.requests) == ("input", False, [])
