"""Whom a client trusts, and by which way it goes."""

from __future__ import annotations

import base64
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import certifi
import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from samples.serve import SampleServer
from tests.clients.driver import Driver
from tests.clients.proxy import Proxy
from tests.clients.raw import Do, RawServer, Script, reply
from toolkit import clients
from toolkit.clients import ClientKind, ClientOptions, _environment
from toolkit.clients._environment import BUNDLES, Proxies, check_proxy
from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.core.http import MemorySink, Request
from toolkit.models import check_client

HI = (reply(b"hi"),)


@pytest.fixture(autouse=True)
def _no_bundles(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in BUNDLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return an authority that nobody knows."""
    return trustme.CA()


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the authority's certificate as a file."""
    file: Path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return str(file)


@pytest.fixture(scope="module")
def certified(authority: trustme.CA) -> Callable[[str], ssl.SSLContext]:
    """Return a function that makes a server's context for a name."""

    def make(name: str) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(name).configure_cert(context)
        return context

    return make


Certified = Callable[[str], ssl.SSLContext]


def test_unknown_authority_is_not_trusted(client: Driver, certified: Certified) -> None:
    """A certificate that nobody vouches for fails as tls, for good."""
    with RawServer(HI, tls=certified("127.0.0.1")) as server:
        failure = client.failure(server.url)
    assert (failure.kind, failure.retryable) == (FailureKind.TLS, False)
    assert failure.message == "the certificate is not trusted: unable to get local issuer certificate"


def test_authority_is_trusted_when_it_is_named(kind: ClientKind, certified: Certified, bundle: str) -> None:
    """ca_file replaces the usual authorities; the connection is kept and used again as any other."""
    with RawServer((*HI, Do.NEXT, *HI), tls=certified("127.0.0.1")) as server:
        with Driver(kind, ClientOptions(ca_file=bundle)) as client:
            assert [client.get(server.url).body for _ in range(2)] == [b"hi", b"hi"]
        assert server.connections == 1


@pytest.mark.parametrize("name", BUNDLES)
def test_authority_is_trusted_when_the_environment_names_it(
    kind: ClientKind, certified: Certified, bundle: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The variables that other tools read for the same purpose count here, too."""
    monkeypatch.setenv(name, bundle)
    with RawServer(HI, tls=certified("127.0.0.1")) as server, Driver(kind) as client:
        assert client.get(server.url).body == b"hi"


def test_certificate_of_another_host_is_not_trusted(kind: ClientKind, certified: Certified, bundle: str) -> None:
    """The name in the certificate must be the host's."""
    with (
        RawServer(HI, tls=certified("elsewhere.example")) as server,
        Driver(kind, ClientOptions(ca_file=bundle)) as client,
    ):
        failure = client.failure(server.url)
    assert (failure.kind, failure.retryable) == (FailureKind.TLS, False)
    assert "127.0.0.1" in failure.message
    assert "not valid for" in failure.message


def test_abort_wakes_a_reader_of_tls(kind: ClientKind, certified: Certified, bundle: str) -> None:
    """A reader that waits inside a TLS connection can be woken, too."""
    if kind.works == "async":
        pytest.skip("an async client is cancelled instead")
    with (
        RawServer((HI[0][:-1], Do.HANG), tls=certified("127.0.0.1")) as server,
        Driver(kind, ClientOptions(ca_file=bundle)) as client,
    ):
        sink = MemorySink(9)

        def abort_elsewhere(_: int) -> float:
            threading.Thread(target=client.client.abort).start()
            return 0.0

        with pytest.raises(TaskError) as caught:
            client.fetch(Request(server.url), lambda _: sink, abort_elsewhere)
    assert (caught.value.kind, sink.body()) == (FailureKind.TRUNCATED, b"h")


@pytest.mark.parametrize("end", [(), (Do.RESET,)], ids=["closed", "reset"])
def test_handshake_that_breaks_off_may_be_tried_again(client: Driver, end: Script) -> None:
    """A connection lost in the handshake says nothing about the certificate."""
    with RawServer(end, head=b"\x16") as server:
        failure = client.failure(server.url.replace("http:", "https:"))
    assert (failure.kind, failure.retryable) == (FailureKind.CONNECT, True)


def test_plain_http_on_an_https_port_is_named(client: Driver, server: SampleServer) -> None:
    """A server that answers a handshake in plain text fails as tls, with the reason in words."""
    failure = client.failure(server.url.replace("http:", "https:"))
    assert (failure.kind, failure.retryable) == (FailureKind.TLS, False)
    assert failure.message == "the server does not speak TLS on this port"


def test_silent_handshake_is_a_timeout(client: Driver) -> None:
    """A server that never answers the handshake is given up after connect_timeout."""
    with RawServer(()) as server:
        failure = client.failure(server.url.replace("http:", "https:"), connect_timeout=0.2)
    assert (failure.kind, failure.retryable) == (FailureKind.TIMEOUT, True)


def test_certificates_that_cannot_be_read_are_a_usage_error(kind: ClientKind, tmp_path: Path) -> None:
    """A wrong --ca-file is told once, at the start, in a line with its name; so is one that is no certificate."""
    empty, other = tmp_path / "empty.pem", tmp_path / "other.pem"
    empty.touch()
    other.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for path in (tmp_path / "none.pem", empty, other):
        options = ClientOptions(ca_file=str(path))
        with pytest.raises(UsageError, match=f"^no certificates can be read from {path}: [^\n]+$"):
            check_client(kind, options)
        with pytest.raises(UsageError, match=path.name), Driver(kind, options):
            pass


def test_certificates_that_can_be_read_pass_the_check(kind: ClientKind, bundle: str) -> None:
    """And so do the usual ones."""
    check_client(kind, ClientOptions(ca_file=bundle))
    check_client(kind, ClientOptions())


def test_usual_certificates_are_read_when_they_are_needed(
    certified: Certified, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plain page needs none; what was found when the client opened is what is read then."""
    kind, made = clients.load("aiohttp", "async"), _environment._context
    monkeypatch.setattr(certifi, "where", lambda: bundle)
    made.cache_clear()
    check_client(kind, ClientOptions())
    with RawServer(HI) as plain, RawServer(HI, tls=certified("127.0.0.1")) as server, Driver(kind) as client:
        monkeypatch.setenv(BUNDLES[0], "none.pem")
        client.get(plain.url)
        assert made.cache_info().misses == 0
        assert client.get(server.url).body == b"hi"
        assert made.cache_info().misses == 1


@pytest.fixture(scope="module")
def papers(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a client certificate and key: in one file, in two, with a foreign key, and a locked one."""
    folder = tmp_path_factory.mktemp("papers")
    mine = authority.issue_cert("ann@example.com")
    chain = b"".join(each.bytes() for each in mine.cert_chain_pems)
    (folder / "both.pem").write_bytes(mine.private_key_pem.bytes() + chain)
    (folder / "cert.pem").write_bytes(chain)
    (folder / "key.pem").write_bytes(mine.private_key_pem.bytes())
    (folder / "other.pem").write_bytes(authority.issue_cert("bob@example.com").private_key_pem.bytes())
    key = serialization.load_pem_private_key(mine.private_key_pem.bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    (folder / "locked.pem").write_bytes(locked)
    return folder


@pytest.mark.parametrize("key", [None, "key.pem"])
def test_client_certificate_is_shown(
    kind: ClientKind, certified: Certified, authority: trustme.CA, bundle: str, papers: Path, key: str | None
) -> None:
    """A server that demands one gets it, with its key in the same file or in another."""
    context = certified("127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    options = ClientOptions(
        ca_file=bundle,
        cert=str(papers / ("cert.pem" if key else "both.pem")),
        key=str(papers / key) if key else None,
    )
    with RawServer(HI, tls=context) as server, Driver(kind, options) as client:
        assert client.get(server.url).body == b"hi"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_server_that_demands_a_certificate_is_named(
    kind: ClientKind, certified: Certified, authority: trustme.CA, bundle: str, version: ssl.TLSVersion
) -> None:
    """Without one the fetch fails: as tls, or as a lost connection where that comes first."""
    context = certified("127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = version
    authority.configure_trust(context)
    with RawServer(HI, tls=context) as server, Driver(kind, ClientOptions(ca_file=bundle)) as client:
        failure = client.failure(server.url)
    assert failure.kind in (FailureKind.TLS, FailureKind.CONNECT)


def test_oldest_version_of_tls_is_kept_to(kind: ClientKind, certified: Certified, bundle: str) -> None:
    """A server that speaks 1.2 only serves who takes 1.2, and nobody who wants 1.3."""
    context = certified("127.0.0.1")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with RawServer(HI, tls=context) as server:
        with Driver(kind, ClientOptions(ca_file=bundle)) as client:
            assert client.get(server.url).body == b"hi"
        with Driver(kind, ClientOptions(ca_file=bundle, min_tls="1.3")) as client:
            failure = client.failure(server.url)
    assert (failure.kind, failure.retryable) == (FailureKind.TLS, False)


@pytest.mark.parametrize(
    ("cert", "key", "words"),
    [
        ("none.pem", None, "no client certificate and key can be read from"),
        ("cert.pem", None, "no client certificate and key can be read from"),
        ("cert.pem", "none.pem", "no client certificate and key can be read from"),
        ("cert.pem", "cert.pem", "no client certificate and key can be read from"),
        ("cert.pem", "other.pem", "is not that of the certificate"),
        ("cert.pem", "locked.pem", "is locked by a password"),
    ],
)
def test_papers_that_cannot_be_used_are_a_usage_error(
    kind: ClientKind, papers: Path, cert: str, key: str | None, words: str
) -> None:
    """Told once, before the run begins, in one line; nobody is asked for a password at the terminal."""
    options = ClientOptions(cert=str(papers / cert), key=str(papers / key) if key else None)
    with pytest.raises(UsageError, match=f"^[^\n]*{words}[^\n]*$"):
        check_client(kind, options)


def test_http2_needs_a_client_that_speaks_it(kind: ClientKind) -> None:
    """What cannot be done is said, not left out."""
    if kind.name == "curl":
        pytest.skip("it does, or says so itself")
    with pytest.raises(UsageError, match="--http2 needs the client curl"):
        check_client(kind, ClientOptions(http2=True))


def test_plain_request_goes_by_way_of_the_proxy(kind: ClientKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """http_proxy gets the whole URL, unchanged, and its password as a field of its own."""
    with Proxy() as proxy, RawServer(HI) as server:
        monkeypatch.setenv("http_proxy", f"ann:secret@127.0.0.1:{proxy.port}")
        with Driver(kind) as client:
            assert client.get(f"{server.url}a%2fb?c=%c3").body == b"hi"
    assert proxy.asked() == [f"GET {server.url}a%2fb?c=%c3 HTTP/1.1"]
    word = base64.b64encode(b"ann:secret").decode()
    assert f"Proxy-Authorization: Basic {word}\r\n".encode() in proxy.heads[0]


def test_tls_goes_through_a_tunnel(
    kind: ClientKind, certified: Certified, bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https_proxy is asked to connect, and sees nothing else."""
    with Proxy() as proxy, RawServer(HI, tls=certified("127.0.0.1")) as server:
        monkeypatch.setenv("https_proxy", f"http://ann:secret@127.0.0.1:{proxy.port}")
        with Driver(kind, ClientOptions(ca_file=bundle)) as client:
            assert client.get(server.url + "x").body == b"hi"
    assert proxy.asked()[0].startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.")
    assert b"proxy-authorization: basic " in proxy.heads[0].lower()
    assert (server.targets(), server.header("proxy-authorization")) == (["/x"], [])


@pytest.mark.parametrize("spared", ["127.0.0.1", "127.0.0.0/8", "example.com, 127.0.0.1", "*"])
def test_no_proxy_spares_a_host(kind: ClientKind, monkeypatch: pytest.MonkeyPatch, spared: str) -> None:
    """A host, a network or all of them can be reached directly."""
    with Proxy() as proxy, RawServer(HI) as server:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", spared)
        with Driver(kind) as client:
            assert client.get(server.url).body == b"hi"
    assert proxy.heads == []


def test_environment_is_not_asked_again(kind: ClientKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a client found when it opened holds until it closes."""
    with RawServer((*HI, Do.NEXT, *HI)) as server, Driver(kind) as client:
        client.get(server.url)
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        assert client.get(server.url).body == b"hi"


def test_proxy_option_replaces_the_environments(kind: ClientKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """--proxy holds for everything, no_proxy or not; empty, it means none at all."""
    with Proxy() as proxy, RawServer((*HI, Do.NEXT, *HI)) as server:
        url = f"127.0.0.1:{proxy.port}"
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with Driver(kind, ClientOptions(proxy=f"http://ann:s%40crt@{url}")) as client:
            assert client.get(server.url).body == b"hi"
        monkeypatch.delenv("no_proxy")
        with Driver(kind, ClientOptions(proxy="")) as client:
            assert client.get(server.url).body == b"hi"
    assert len(proxy.heads) == 1
    assert f"Proxy-Authorization: Basic {base64.b64encode(b'ann:s@crt').decode()}\r\n".encode() in proxy.heads[0]


def test_proxy_may_be_reached_by_tls(kind: ClientKind, certified: Certified, bundle: str) -> None:
    """An https proxy is asked over TLS, and its certificate looked at."""
    said = reply(b"hi")
    with RawServer((said,), tls=certified("127.0.0.1")) as proxy:
        url = f"https://127.0.0.1:{proxy.port}"
        with Driver(kind, ClientOptions(ca_file=bundle, proxy=url)) as client:
            assert client.get("http://example.invalid/x").body == b"hi"
        assert proxy.targets() == ["http://example.invalid/x"]
        with Driver(kind, ClientOptions(proxy=url)) as client:
            assert client.failure("http://example.invalid/x").kind in (FailureKind.TLS, FailureKind.CONNECT)
        assert len(proxy.requests) == 1


@pytest.mark.parametrize(
    "proxy",
    [
        "ftp://ann:secret@127.0.0.1:1",
        "socks4://ann:secret@127.0.0.1",
        "http://ann:secret@",
        "http://ann:secret@host:port",
        "http://ann:secret@host:99999",
        "http://ann:secret@host/path",
        "http://ann:secret@ho st",
        "http://ann:secret@host\r\nX: y",
        "http://[ann:secret",
    ],
)
def test_bad_proxy_is_a_usage_error(kind: ClientKind, proxy: str) -> None:
    """It is told before the run begins, in one line that does not hold its password."""
    with pytest.raises(UsageError, match=r"^--proxy: [^\n]+$") as caught:
        check_client(kind, ClientOptions(proxy=proxy))
    assert "secret" not in str(caught.value)
    with pytest.raises(UsageError, match=r"^--proxy: [^\n]+$"), Driver(kind, ClientOptions(proxy=proxy)):
        pass


@pytest.mark.parametrize("proxy", ["host", "host:3128", "http://a:b@host", "https://host/", "SOCKS5H://[::1]:9"])
def test_good_proxy_passes(proxy: str) -> None:
    """With and without scheme, port and password."""
    check_proxy(proxy)


def test_refusing_proxy_is_named(kind: ClientKind, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that lets nobody through is told from a server that does not answer, without its password."""
    with Proxy(refuse=b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n") as proxy:
        monkeypatch.setenv("https_proxy", f"http://ann:secret@127.0.0.1:{proxy.port}")
        with Driver(kind) as client:
            failure = client.failure("https://127.0.0.1:1/")
    assert (failure.kind, failure.retryable) == (FailureKind.CONNECT, True)
    assert failure.message == "the proxy does not connect us: 407 Proxy Authentication Required"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_absent_proxy_is_named(kind: ClientKind, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    """A proxy that is not there is told from a server that is not there."""
    monkeypatch.setenv(f"{scheme}_proxy", "http://ann:secret@127.0.0.1:1")
    with Driver(kind) as client:
        failure = client.failure(f"{scheme}://127.0.0.1:2/")
    assert (failure.kind, failure.message) == (
        FailureKind.CONNECT,
        "the proxy does not connect us: connection refused",
    )


def test_proxy_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that cannot be used is not passed by in silence: its user may rely on it."""
    monkeypatch.setenv("all_proxy", "socks4://ann:secret@127.0.0.1:1080")
    with pytest.raises(TaskError, match="socks4") as caught:
        Proxies().for_url("http://example.com/")
    assert caught.value.kind is FailureKind.UNSUPPORTED
    assert "secret" not in caught.value.message


def test_body_goes_by_proxy_and_tunnel(kind: ClientKind, certified: Certified, bundle: str) -> None:
    """A POST passes a proxy as it is, and a tunnel through it unseen."""
    end = b"~END"
    settings: dict[str, Any] = {"method": "POST", "body": b"a=b" + end}
    with (
        Proxy() as proxy,
        RawServer(HI, tls=certified("127.0.0.1"), head=end) as secure,
        RawServer(HI, head=end) as open_,
    ):
        options = ClientOptions(ca_file=bundle, proxy=f"http://127.0.0.1:{proxy.port}")
        with Driver(kind, options) as client:
            assert client.get(secure.url, **settings).body == b"hi"
            assert client.get(open_.url, **settings).body == b"hi"
        assert [server.requests[0].partition(b"\r\n\r\n")[2] for server in (secure, open_)] == [b"a=b~END"] * 2
        asked = [line.rpartition(" ")[0] for line in proxy.asked()]
        assert asked == [f"CONNECT 127.0.0.1:{secure.port}", f"POST {open_.url}"]
