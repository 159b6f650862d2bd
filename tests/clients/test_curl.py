"""What only the client on libcurl does: large blocks from small ones, a move past libcurl, an environment unread."""

from __future__ import annotations

import random
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from tests.clients.driver import Driver, ignore
from tests.clients.proxy import Proxy
from tests.clients.raw import PATIENCE, Do, RawServer, reply
from tests.clients.socks import SocksProxy
from tests.clients.test_files import FileSink
from toolkit import clients
from toolkit.clients import ClientKind, ClientOptions
from toolkit.core.http import BLOCK, MemorySink, Request

pytest.importorskip("pycurl")
exchange = pytest.importorskip("toolkit.clients._curl_exchange")

OK = b"HTTP/1.1 200 OK\r\n"
BODY = random.Random(5).randbytes(exchange.SPLICED + 12345)
LARGEST_OF_CURL = 16 * 1024
"""Bytes that libcurl hands on at a time at most (CURL_MAX_WRITE_SIZE): larger blocks have gone past it."""


@pytest.fixture
def kind() -> ClientKind:
    """Return this one client."""
    return clients.load("curl", "blocking")


class Blocks:
    """A sink that notes how large its blocks are."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def write(self, block: bytes | bytearray | memoryview) -> None:
        """Note the size."""
        self.sizes.append(len(block))


def into_file(client: Driver, url: str, path: Path) -> list[int]:
    """Fetch into a file that the kernel may fill; return the sizes of the blocks that were counted."""
    blocks: list[int] = []

    def progress(size: int) -> float:
        blocks.append(size)
        return 0.0

    with FileSink(path) as sink:
        client.fetch(Request(url, read_timeout=PATIENCE), lambda _: sink, progress)
    return blocks


def test_small_blocks_are_put_together(client: Driver) -> None:
    """The sink gets few large blocks, whatever libcurl gives; a body of one block goes on as it is."""
    with RawServer((reply(BODY[: 4 * BLOCK]), Do.NEXT, reply(BODY[:9000]))) as server:
        large, small = Blocks(), Blocks()
        client.fetch(Request(server.url), lambda _: large)
        client.fetch(Request(server.url), lambda _: small)
    assert (sum(large.sizes), len(large.sizes)) == (4 * BLOCK, 5)
    assert small.sizes == [9000]


def test_large_plain_body_goes_past_libcurl(client: Driver, tmp_path: Path) -> None:
    """On a new connection, on a kept one, and on the one that takes the place of a kept one that was closed."""
    gate = threading.Event()
    big = reply(BODY)
    with RawServer((big,), (reply(b"x" * 9999), Do.NEXT, big), (reply(b"x"), gate), (big,)) as server:
        for before in (False, True, True):
            if before:
                client.get(server.url)
            if server.connections == 3:
                gate.set()
            blocks = into_file(client, server.url, tmp_path / "file")
            assert (tmp_path / "file").read_bytes() == BODY
            assert sum(blocks) == len(BODY)
            assert max(blocks) > LARGEST_OF_CURL


def test_body_whose_head_was_rewritten_goes_the_usual_way(client: Driver, tmp_path: Path) -> None:
    """Folded lines are joined by libcurl: then nobody knows what it still holds, and the body is read by it."""
    head = OK + b"X: a\r\n  b\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    with RawServer((head + BODY,)) as server:
        assert max(into_file(client, server.url, tmp_path / "file")) <= LARGEST_OF_CURL
    assert (tmp_path / "file").read_bytes() == BODY


@pytest.mark.parametrize("way", ["chunks", "proxy", "socks"])
def test_body_that_does_not_come_plain_goes_the_usual_way(kind: ClientKind, tmp_path: Path, way: str) -> None:
    """With chunks between its bytes, or by way of a proxy."""
    sent = OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    with Proxy() as proxy, SocksProxy() as socks, RawServer((sent if way == "chunks" else reply(BODY),)) as server:
        address = {"proxy": f"http://127.0.0.1:{proxy.port}", "socks": f"socks5://127.0.0.1:{socks.port}"}.get(way, "")
        with Driver(kind, ClientOptions(proxy=address)) as client:
            assert max(into_file(client, server.url, tmp_path / "file")) <= LARGEST_OF_CURL
    assert (tmp_path / "file").read_bytes() == BODY


def test_bytes_of_a_proxy_are_none_of_the_replys(kind: ClientKind) -> None:
    """What a SOCKS proxy said on the connection is not taken for more than was announced."""
    with (
        SocksProxy() as socks,
        RawServer((reply(b"hi", "Connection: close"),)) as server,
        Driver(kind, ClientOptions(proxy=f"socks5://127.0.0.1:{socks.port}")) as client,
    ):
        assert client.get(server.url).body == b"hi"


def test_request_is_sent_again_when_a_kept_connection_was_reset(client: Driver) -> None:
    """As when it was closed in good order."""
    gate = threading.Event()
    with RawServer((reply(b"one"), Do.NEXT, gate, Do.RESET), (reply(b"two"),)) as server:
        client.get(server.url)
        gate.set()
        assert client.get(server.url).body == b"two"
        assert len(server.requests) == 3


def test_nothing_is_printed_when_the_job_raises(client: Driver, capfd: pytest.CaptureFixture[str]) -> None:
    """What a callback raises would be printed by pycurl: none may."""

    def accept(_: object) -> MemorySink:
        raise KeyError("mine")

    def progress(_: int) -> float:
        raise KeyError("mine")

    with RawServer((reply(b"hi" * 9999), Do.NEXT, reply(b"hi"))) as server:
        with pytest.raises(KeyError):
            client.fetch(Request(server.url), accept)
        with pytest.raises(KeyError):
            client.fetch(Request(server.url), lambda _: MemorySink(99), progress)
    assert capfd.readouterr() == ("", "")


def test_files_of_the_users_are_not_read(kind: ClientKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither .netrc nor .curlrc, which are for others to use."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ann password secret\ndefault login a password b\n")
    (tmp_path / ".curlrc").write_text('user-agent = "rc"\nproxy = "127.0.0.1:1"\n')
    for name in ("HOME", "CURL_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with RawServer((reply(b"hi"),)) as server, Driver(kind) as client:
        client.get(server.url)
        assert (server.header("authorization"), server.header("user-agent")) == ([], [])


def test_field_without_a_value_goes_out(client: Driver) -> None:
    """It would be taken by libcurl for one to leave out."""
    with RawServer((reply(b"hi"),)) as server:
        client.get(server.url, headers=(("X-Empty", ""), ("Accept", "*/*")))
        assert b"\r\nX-Empty:\r\nAccept: */*\r\n\r\n" in server.requests[0]


def test_method_is_that_of_each_request(client: Driver) -> None:
    """A HEAD in between changes nothing for the next GET."""
    with RawServer((reply(b"hi"), Do.NEXT, OK + b"Content-Length: 9\r\n\r\n", Do.NEXT, reply(b"hi"))) as server:
        bodies = [client.get(server.url, method=method).body for method in ("GET", "HEAD", "GET")]
    assert bodies == [b"hi", b"", b"hi"]
    assert [head.split()[0] for head in server.requests] == [b"GET", b"HEAD", b"GET"]


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Serve one file with HTTP/2; return its URL and the file of certificates."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    folder = tmp_path_factory.mktemp("nginx")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(folder / "own.pem"))
    (folder / "body").write_bytes(BODY)
    folder.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    paths = "".join(f"{name}_temp_path {folder}/t;" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/log; events {{}}"
        f"http {{ access_log off; {paths} server {{ listen 127.0.0.1:{port} ssl http2; root {folder};"
        f"ssl_certificate {folder}/own.pem; ssl_certificate_key {folder}/own.pem; }} }}"
    )
    with running([program, "-c", str(folder / "nginx.conf"), "-p", str(folder), "-e", str(folder / "log")]) as process:
        wait_for(port, process)
        yield f"https://127.0.0.1:{port}/body", str(folder / "ca.pem")


@contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program for as long as the block lasts."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a program listens; skip if it ends instead."""
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), PATIENCE).close()
        except ConnectionRefusedError:
            continue
        return
    pytest.skip("this nginx does not start with such a configuration")


@pytest.mark.parametrize("http2", [True, False])
def test_http2_is_spoken_when_it_is_wanted(
    kind: ClientKind, nginx: tuple[str, str], tmp_path: Path, *, http2: bool
) -> None:
    """The same head and bytes come by it, whole or in part; its replies have no reason phrase."""
    url, bundle = nginx
    with Driver(kind, ClientOptions(ca_file=bundle, http2=http2)) as client:
        got = client.get(url + "?a|b", headers=(("Range", "bytes=7-99"),))
        assert (got.reply.head.status, got.body) == (206, BODY[7:100])
        assert got.reply.head.headers.get("content-range") == f"bytes 7-99/{len(BODY)}"
        assert (got.reply.head.reason == "") == http2
        into_file(client, url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == BODY


def test_unwanted_body_of_http2_is_left(kind: ClientKind, nginx: tuple[str, str]) -> None:
    """A long one ends its stream, and the client serves on."""
    url, bundle = nginx
    with Driver(kind, ClientOptions(ca_file=bundle, http2=True)) as client:
        assert client.fetch(Request(url), lambda _: None, ignore).received < len(BODY)
        assert client.get(url).body == BODY
