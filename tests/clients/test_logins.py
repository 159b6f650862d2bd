"""Who we are, hop by hop, over real connections: a login goes where it belongs, whatever the client."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.clients.driver import Driver, Got
from tests.clients.logins import BODY, LoginServer
from toolkit.clients import ClientKind
from toolkit.core.credentials import Credentials, load_credentials
from toolkit.core.errors import FailureKind, TaskError
from toolkit.core.http import Head, MemorySink, http_error
from toolkit.core.network import Network

JOE = "joe:pass:word"


def get(client: Driver, url: str, credentials: Credentials | None = None, **options: Any) -> Got:
    """Fetch as who the options say, following redirects; raise for what is no 2xx, as jobs do."""
    network = Network(credentials=credentials or load_credentials(**options))
    sink = MemorySink(1000)

    def accept(head: Head) -> MemorySink:
        if head.status >= 300:
            raise http_error(head)
        return sink

    reply = client.follow(network.request(url), accept=accept, network=network).reply
    return Got(reply, sink.body())


def refusal(client: Driver, url: str, **options: Any) -> str:
    """Return why a server does not let us in."""
    with pytest.raises(TaskError) as caught:
        get(client, url, **options)
    assert (caught.value.kind, caught.value.retryable) == (FailureKind.HTTP, False)
    return caught.value.message


@pytest.mark.parametrize(
    ("algorithm", "qop"),
    [("MD5", True), ("SHA-256", True), ("MD5-sess", True), ("SHA-256-sess", True), ("", True), ("", False)],
)
def test_digest_lets_us_in(client: Driver, algorithm: str, qop: bool) -> None:
    """The first request is asked twice; those that follow answer at once, and count on."""
    joe = load_credentials(user=JOE, digest=True)
    with LoginServer("digest", algorithm=algorithm, qop=qop) as server:
        for path in ("a?b=c&d", "a?b=c&d", "other/%7e|x"):
            assert get(client, server.url + path, joe).body == BODY
    assert server.statuses() == [401, 200, 200, 200]
    assert [each.answer.get("nc") for each in server.asked[1:]] == [f"0000000{n}" if qop else None for n in (1, 2, 3)]
    assert server.wrong == []


def test_stale_challenge_is_answered_anew(client: Driver) -> None:
    """A server that is tired of its nonce gives another; nobody is told that the password is wrong."""
    joe = load_credentials(user=JOE, digest=True)
    with LoginServer("digest", uses=2) as server:
        for _ in range(5):
            assert get(client, server.url, joe).body == BODY
    assert server.statuses() == [401, 200, 200, 401, 200, 200, 401, 200]
    assert server.wrong == []


def test_challenge_that_is_stale_at_once_is_answered_twice_at_most(client: Driver) -> None:
    """Others may have used it up, so it is tried again; a server that always says so is not asked for ever."""
    with LoginServer("digest", uses=0) as server:
        refusal(client, server.url, user=JOE, digest=True)
    assert server.statuses() == [401, 401, 401]


def test_forgotten_challenge_is_answered_anew(client: Driver) -> None:
    """A server that was started again knows none of its old nonces, and does not call them stale."""
    joe = load_credentials(user=JOE, digest=True)
    with LoginServer("digest") as server:
        get(client, server.url, joe)
        server.realm = "another"  # so that the old answer is wrong, not stale
        assert get(client, server.url, joe).body == BODY
    assert server.statuses() == [401, 200, 401, 200]


def test_names_that_are_not_ascii_log_in(client: Driver) -> None:
    """Name, password and realm are UTF-8 on the wire."""
    with LoginServer("digest", {"Jürgen": "pässword €"}, realm="Café €") as server:
        assert get(client, server.url, user="Jürgen:pässword €", digest=True).body == BODY
    assert server.wrong == []
    with LoginServer("basic", {"Jürgen": "pässword €"}) as server:
        assert get(client, server.url, user="Jürgen:pässword €").body == BODY


def test_wrong_password_is_not_tried_again_and_again(client: Driver) -> None:
    """Asked, answered, refused: two requests, one clear failure, and no lock-out."""
    with LoginServer("digest") as server:
        told = refusal(client, server.url, user="joe:wrong", digest=True)
        assert told == "HTTP 401 Unauthorized: name or password is not accepted"
    assert server.statuses() == [401, 401]


@pytest.mark.parametrize(
    ("way", "options", "advice"),
    [
        ("basic", {}, "a login is wanted (--user or --netrc)"),
        ("digest", {}, "a login is wanted (--user and --digest)"),
        ("bearer", {}, "a login is wanted (--bearer)"),
        ("basic", {"user": "joe:wrong"}, "name or password is not accepted"),
        ("bearer", {"bearer": "wrong"}, "the token is not accepted"),
        ("digest", {"user": JOE}, "it takes a login by digest only (--digest)"),
        ("basic", {"user": JOE, "digest": True}, "it takes no login by digest (leave out --digest)"),
    ],
)
def test_refusal_says_what_to_do(client: Driver, way: str, options: dict[str, Any], advice: str) -> None:
    """A login that is missing, wrong, or of another kind: each has its own remedy."""
    with LoginServer(way, {"": "t", "joe": "pass:word"}) as server:
        assert refusal(client, server.url, **options) == f"HTTP 401 Unauthorized: {advice}"


def test_digest_of_an_unknown_kind_is_told_apart(client: Driver) -> None:
    """What we cannot compute is not the user's mistake."""
    with LoginServer("digest", algorithm="SHA-512-256") as server:
        assert refusal(client, server.url, user=JOE, digest=True).endswith(": its kind of digest is not known")


def test_digest_takes_the_login_in_a_url_and_never_sends_it_in_the_clear(client: Driver) -> None:
    """Clients would send it as it is; --digest says not to."""
    with LoginServer("digest") as server:
        assert get(client, server.named("127.0.0.1", "joe:pass%3Aword@"), digest=True).body == BODY
        assert [each.authorization[:6] for each in server.asked] == ["", "Digest"]


@pytest.mark.parametrize(
    ("way", "options"),
    [("basic", {"user": JOE}), ("digest", {"user": JOE, "digest": True}), ("bearer", {"bearer": "t0ken"})],
)
def test_login_goes_to_the_users_own_origin_only(client: Driver, way: str, options: dict[str, Any]) -> None:
    """A redirect to another port gets nothing, nor does the way back from there."""
    users = {"": "t0ken", "joe": "pass:word"}
    with LoginServer("") as stranger, LoginServer(way, users) as server:
        assert get(client, f"{server.url}to/{server.url}in", **options).body == BODY
        get(client, f"{server.url}to/{stranger.url}", **options)
        assert [each.authorization for each in stranger.asked] == [""]
        told = refusal(client, f"{server.url}to/{stranger.url}to/{server.url}back", **options)
        assert told.endswith(": a redirect leads to another host, which is not sent the login")
        assert (server.asked[-1].path, server.asked[-1].authorization) == ("/back", "")


def test_netrc_is_for_exact_hosts(client: Driver, tmp_path: Path) -> None:
    """Each hop has the login of its own host, or none; `default` is for the user's own URLs."""
    path = tmp_path / "netrc"
    with LoginServer("", {}) as server:
        url = f"{server.url}to/{server.named('localhost')}"
        for text, fields in {
            "machine localhost login n password p": ["", "Basic bjpw"],
            "machine 127.0.0.1 login n password p": ["Basic bjpw", ""],
            "machine 127.0.0.1 login n password p\nmachine localhost login m password q": ["Basic bjpw", "Basic bTpx"],
            "machine 127.0.0.1.example login n password p\nmachine 127 login n password p": ["", ""],
            "default login n password p": ["Basic bjpw", ""],
        }.items():
            path.write_text(text)
            server.asked.clear()
            get(client, url, netrc_file=path)
            assert [each.authorization for each in server.asked] == fields, text


def test_cookies_are_chosen_for_each_hop(client: Driver, tmp_path: Path) -> None:
    """Not carried along: each URL has its own, and a port is none of their business."""
    path = tmp_path / "cookies.txt"
    lines = ["127.0.0.1\tFALSE\t/to\tFALSE\t0\tdeep\té", "127.0.0.1\tFALSE\t/\tFALSE\t0\tip\t1"]
    lines += ["#HttpOnly_localhost\tFALSE\t/\tFALSE\t0\tname\t2", "localhost\tFALSE\t/\tTRUE\t0\tsafe\t3"]
    path.write_text("\n".join(lines), "utf-8")
    with LoginServer("") as other, LoginServer("") as server:
        get(client, f"{server.url}to/{other.named('localhost')}to/{other.url}end", cookies=path)
        cookies = [each.cookie for each in server.asked + other.asked]
    assert cookies == ["deep=Ã©; ip=1", "name=2", "ip=1"]


@pytest.mark.parametrize("digest", [False, True])
def test_explicit_field_and_login_in_the_url_go_first(client: Driver, digest: bool) -> None:
    """What is said for one URL is meant for it."""
    with LoginServer("") as server:
        network = Network(credentials=load_credentials(user=JOE, digest=digest))
        client.follow(network.request(server.url, (("authorization", "Mine"),)), network=network)
        client.follow(network.request(server.named("127.0.0.1", "me:pw@")), network=network)
        assert [each.authorization for each in server.asked] == ["Mine", "" if digest else "Basic bWU6cHc="]


@pytest.mark.parametrize("uses", [15, 1])
def test_threads_share_a_challenge(kind: ClientKind, uses: int) -> None:
    """No number is used twice, whoever asks; and where a nonce is good for one answer, that is the asker's."""
    if kind.works == "async":
        pytest.skip("its tasks share one thread")
    joe = load_credentials(user=JOE, digest=True)
    bodies: list[bytes] = []

    def work() -> None:
        with Driver(kind) as client:
            bodies.extend([get(client, server.url, joe).body for _ in range(10)])

    with LoginServer("digest", uses=uses) as server:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert bodies == [BODY] * 40
    assert server.wrong == []
