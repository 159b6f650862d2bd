"""The sample server starts, stops, lists what it has and remembers what it was asked."""

from __future__ import annotations

import hashlib
import http.client
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import requests
import trustme

from samples.serve import SampleServer
from tests.samples.asking import CAT, MADE, Asker

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


def test_lists_are_asked(ask: Asker) -> None:
    """The lists hold absolute addresses on the host that was asked, and each answers."""
    for name, count in (("files", 14), ("pages", 24), ("pictures", 17)):
        addresses = ask(f"/lists/{name}.txt").body.decode().split()
        assert len(addresses) == count
        for address in addresses:
            assert address.startswith(ask.server.url)
            assert ask(urlsplit(address).path, "HEAD").status == 200


def test_checksums_are_asked(ask: Asker) -> None:
    """SHA256SUMS tells what each downloadable file hashes to."""
    sums = dict(line.split("  ")[::-1] for line in ask("/lists/SHA256SUMS").body.decode().splitlines())
    for address in ask("/lists/files.txt").body.decode().split():
        path = urlsplit(address).path
        assert hashlib.sha256(ask(path).body).hexdigest() == sums[unquote(path.rpartition("/")[2])]


def test_log_is_read(ask: Asker) -> None:
    """The log counts requests by path and query, with the headers that matter, until it is reset."""
    ask(CAT + "?a=1", Range="bytes=0-1", If_Range='"x"')
    ask(CAT + "?a=1", "HEAD")
    ask(CAT, If_None_Match="*")
    seen = requests.get(ask.server.url + "log", timeout=5).json()["paths"]
    assert {path: entry["count"] for path, entry in seen.items()} == {CAT + "?a=1": 2, CAT: 1}
    first, second = seen[CAT + "?a=1"]["requests"]
    assert (first["method"], first["Range"], first["If-Range"]) == ("GET", "bytes=0-1", '"x"')
    assert (second["method"], second["at"] >= first["at"]) == ("HEAD", True)
    assert ask.server.log(CAT)[0]["If-None-Match"] == "*"
    assert ask("/reset", "POST").status == 204
    assert ask.server.log()["paths"] == {}


def test_peak_is_counted(ask: Asker) -> None:
    """The log tells how many requests were under way at one time."""
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(ask, [CAT + "?delay=0.2"] * 3))
    assert ask.server.log()["peak"] == 3


def test_server_stops_while_a_client_hangs() -> None:
    """Leaving the block ends the server, clients or no clients, and soon."""
    with SampleServer() as server:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=5)
        connection.request("GET", MADE + "?hang=1")
        connection.getresponse().close()
        started = time.monotonic()
    connection.close()
    assert time.monotonic() - started < 2
    with pytest.raises(requests.ConnectionError):
        requests.get(server.url, timeout=1)


def test_port_is_taken(running: SampleServer) -> None:
    """A port in use is an error at once, in the thread that asked."""
    port = urlsplit(running.url).port or 0
    with pytest.raises(OSError, match=str(port)), SampleServer(port=port):
        pass


def test_tls_is_asked(tmp_path: Path) -> None:
    """With a certificate the same server speaks HTTPS, and its lists say so."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with SampleServer(tls=context) as server:
        reply = requests.get(server.url + "lists/pages.txt", verify=str(tmp_path / "ca.pem"), timeout=5)
        assert reply.text.startswith(server.url)
        assert server.url.startswith("https://")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM ends a process unasked there")
def test_script_is_terminated(tmp_path: Path) -> None:
    """The script says where it listens, from any folder, and stops cleanly when told."""
    command = [sys.executable, str(SAMPLES / "serve.py"), "--port-file", "port"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        assert url == f"http://127.0.0.1:{(tmp_path / 'port').read_text()}/"
        assert requests.get(url, timeout=5).status_code == 200
        process.terminate()
        assert process.communicate(timeout=5) == ("", "")
    assert process.returncode == 0
