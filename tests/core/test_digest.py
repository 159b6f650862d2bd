"""HTTP digest, by the examples of the RFCs."""

from __future__ import annotations

import pickle
import re
import threading
from dataclasses import replace

import pytest

from toolkit.core.digest import Challenge, Nonces, answer, challenge_in
from toolkit.core.http import Headers

# RFC 7616, 3.9.1
EXAMPLE = Challenge(
    "http-auth@example.org",
    "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    "MD5",
    qop=True,
    opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
    cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
)
LOGIN = ("Mufasa", "Circle of Life")
URL = "http://www.example.org/dir/index.html"
# RFC 2617, 3.5
OLD = Challenge("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093", qop=True, cnonce="0a4f113b")
OLD_LOGIN = ("Mufasa", "Circle Of Life")


def said(field: str, name: str) -> str:
    found = re.search(rf'\b{name}="?([^",]*)', field)
    return found[1] if found else ""


@pytest.mark.parametrize(
    ("challenge", "login", "response"),
    [
        (EXAMPLE, LOGIN, "8ca523f5e9506fed4657c9700eebdbec"),
        (
            replace(EXAMPLE, algorithm="SHA-256"),
            LOGIN,
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
        (OLD, OLD_LOGIN, "6629fae49393a05397450978507c4ef1"),
        # Without protection, as in RFC 2069: of the corrected example in its errata.
        (replace(OLD, qop=False), ("Mufasa", "CircleOfLife"), "1949323746fe6a43ef61f9606e7febea"),
    ],
)
def test_answers_are_those_of_the_rfcs(challenge: Challenge, login: tuple[str, str], response: str) -> None:
    """Digit for digit."""
    assert said(answer(challenge, 1, login, "GET", URL), "response") == response


def test_an_answer_says_what_a_server_needs_to_check_it() -> None:
    """In the forms of RFC 7616, 3.4: what is quoted, and what not."""
    assert answer(EXAMPLE, 1, LOGIN, "GET", URL) == (
        'Digest username="Mufasa", realm="http-auth@example.org", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",'
        ' uri="/dir/index.html", response="8ca523f5e9506fed4657c9700eebdbec", algorithm=MD5,'
        ' opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", qop=auth, nc=00000001,'
        ' cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"'
    )


def test_session_algorithms_and_hashed_names() -> None:
    """Computed by hand from the definitions (RFC 7616, 3.4.2 and 3.4.4)."""
    from hashlib import md5

    def h(text: str) -> str:
        return md5(text.encode()).hexdigest()  # the algorithm under test

    field = answer(replace(OLD, algorithm="MD5-sess", userhash=True), 10, OLD_LOGIN, "HEAD", "http://h?a=b")
    secret = h(f"{h('Mufasa:testrealm@host.com:Circle Of Life')}:{OLD.nonce}:{OLD.cnonce}")
    assert said(field, "response") == h(f"{secret}:{OLD.nonce}:0000000a:{OLD.cnonce}:auth:{h('HEAD:/?a=b')}")
    assert said(field, "username") == h("Mufasa:testrealm@host.com")
    assert field.endswith("userhash=true")


def test_names_with_signs_are_quoted_and_others_encoded() -> None:
    """Nothing breaks out of its quotes."""
    assert answer(OLD, 1, ('a"b\\c', "x"), "GET", URL).startswith('Digest username="a\\"b\\\\c", realm=')
    assert answer(OLD, 1, ("Jäsøn", "x"), "GET", URL).startswith("Digest username*=UTF-8''J%C3%A4s%C3%B8n, realm=")


def test_text_of_the_server_is_hashed_and_sent_as_the_bytes_that_it_is() -> None:
    """Fields are read as latin-1 and sent as UTF-8; what is no UTF-8 stays as it was read."""
    for realm, found in (("Café €".encode(), "Café €"), (b"Caf\xe9", "Café")):
        challenge = challenge_in(Headers([("WWW-Authenticate", f'Digest realm="{realm.decode("latin-1")}", nonce=n')]))
        assert challenge is not None
        assert challenge.realm == found


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        (['Digest realm="r", nonce="n", qop="auth"'], ("r", "n", "", True)),
        (['Basic realm="x"', 'Digest realm="r",nonce=n'], ("r", "n", "", False)),
        (['Basic realm="x, Digest nonce=z", Digest nonce="n", algorithm=SHA-256, qop="auth-int, auth"'],
         ("", "n", "SHA-256", True)),
        (['Digest nonce="a", algorithm=SHA-512-256, Digest nonce="b", algorithm=MD5'], ("", "b", "MD5", False)),
        (['Negotiate, DIGEST Realm="a\\"b" , NONCE = "n"'], ('a"b', "n", "", False)),
        (['Digest nonce="n", qop="auth-int"'], None),
        (['Digest realm="r"'], None),
        (['Basic realm="r"'], None),
        (["Negotiate YWJj=="], None),
        (['Digest nonce="unended'], ("", '"unended', "", False)),
        ([], None),
    ],
)  # fmt: skip
def test_challenges_are_found_among_others(fields: list[str], found: tuple[str, str, str, bool] | None) -> None:
    """The first that we can answer, in whatever company."""
    challenge = challenge_in(Headers(("WWW-Authenticate", field) for field in fields))
    if found is None or found[1].startswith('"'):
        assert challenge is None
    else:
        assert challenge is not None
        assert (challenge.realm, challenge.nonce, challenge.algorithm, challenge.qop) == found


def test_answers_to_one_challenge_are_counted_once_each() -> None:
    """Over threads; a new challenge begins anew, and another process with none."""
    nonces = Nonces()
    assert nonces.take("h") is None
    nonces.learn("h", OLD)
    counts: list[int] = []

    def work() -> None:
        for _ in range(100):
            taken = nonces.take("h")
            assert taken is not None
            counts.append(taken[1])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == list(range(1, 401))
    nonces.learn("h", EXAMPLE)
    assert nonces.take("h") == (EXAMPLE, 1)
    assert pickle.loads(pickle.dumps(nonces)).take("h") is None
