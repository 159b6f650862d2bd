"""The sample server keeps HTTP's rules, and breaks them exactly as asked."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import requests
import trustme

from samples.bodies import BLOCK, generated
from samples.faults import Faults
from samples.serve import SampleServer

CAT = "/pictures/cat.jpg"
MADE = "/generated/1000.bin"
WHOLE = generated(1000).all()
SAMPLES = Path(__file__).resolve().parents[2] / "samples"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for one request."""

    status: int
    headers: Message
    body: bytes


@dataclass(frozen=True, slots=True)
class Asker:
    """Sends single requests, each on its own connection, with nothing added."""

    server: SampleServer

    def __call__(self, path: str, method: str = "GET", **headers: str) -> Reply:
        """Ask for a path; `If_Range="x"` sends `If-Range: x`."""
        connection = http.client.HTTPConnection(urlsplit(self.server.url).netloc, timeout=5)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): text for name, text in headers.items()})
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def running() -> Iterator[SampleServer]:
    with SampleServer() as server:
        yield server


@pytest.fixture
def ask(running: SampleServer) -> Asker:
    running.reset()
    return Asker(running)


# --- plain HTTP ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [CAT, MADE, "/", "/lists/files.txt", "/item/cat-postcard.html"])
def test_head_is_asked(ask: Asker, path: str) -> None:
    """HEAD answers with GET's headers and no body."""
    get, head = ask(path), ask(path, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert {**head.headers, "Date": ""} == {**get.headers, "Date": ""}
    assert int(head.headers["Content-Length"]) == len(get.body)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If_None_Match": "{etag}"}, 304),
        ({"If_None_Match": "W/{etag}"}, 304),
        ({"If_None_Match": '"other", {etag}'}, 304),
        ({"If_None_Match": "*"}, 304),
        ({"If_None_Match": '"other"'}, 200),
        ({"If_None_Match": '"other"', "If_Modified_Since": "{date}"}, 200),
        ({"If_Modified_Since": "{date}"}, 304),
        ({"If_Modified_Since": "Wed, 01 Jan 2020 00:00:00 GMT"}, 200),
        ({"If_Modified_Since": "the other day"}, 200),
        ({"If_Match": "{etag}"}, 200),
        ({"If_Match": '"other"'}, 412),
        ({"If_Unmodified_Since": "Wed, 01 Jan 2020 00:00:00 GMT"}, 412),
    ],
)
def test_condition_is_asked(ask: Asker, headers: dict[str, str], status: int) -> None:
    """Conditions are judged by validators, If-None-Match before the date (RFC 9110, 13.2.2)."""
    first = ask(CAT)
    known = {"etag": first.headers["ETag"], "date": first.headers["Last-Modified"]}
    reply = ask(CAT, **{name: text.format(**known) for name, text in headers.items()})
    assert reply.status == status
    assert reply.headers["ETag"] == first.headers["ETag"]
    assert bool(reply.body) == (status == 200)


@pytest.mark.parametrize(
    ("asked", "status", "said", "body"),
    [
        ("bytes=0-9", 206, "bytes 0-9/1000", WHOLE[:10]),
        ("bytes=990-", 206, "bytes 990-999/1000", WHOLE[990:]),
        ("bytes=990-5000", 206, "bytes 990-999/1000", WHOLE[990:]),
        ("bytes=-7", 206, "bytes 993-999/1000", WHOLE[-7:]),
        ("bytes=-5000", 206, "bytes 0-999/1000", WHOLE),
        ("bytes=1000-", 416, "bytes */1000", b""),
        ("bytes=-0", 416, "bytes */1000", b""),
        ("bytes=5-2", 200, None, WHOLE),
        ("bytes=0-1,5-6", 200, None, WHOLE),
        ("lines=1-2", 200, None, WHOLE),
        ("bytes=-", 200, None, WHOLE),
    ],
)
def test_range_is_asked(ask: Asker, asked: str, status: int, said: str | None, body: bytes) -> None:
    """One range is answered, an impossible one refused with the size, anything else ignored (RFC 9110, 14)."""
    reply = ask(MADE, Range=asked)
    assert (reply.status, reply.headers["Content-Range"], reply.body) == (status, said, body)


@pytest.mark.parametrize(
    ("condition", "query", "status"),
    [
        ("{etag}", "", 206),
        ('"other"', "", 200),
        ("{date}", "", 206),
        ("Wed, 01 Jan 2031 00:00:00 GMT", "", 200),
        ("{etag}", "?weak=1", 200),
    ],
)
def test_if_range_is_asked(ask: Asker, condition: str, query: str, status: int) -> None:
    """If-Range holds for the same strong ETag or the exact date only (RFC 9110, 13.1.5)."""
    known = ask(MADE + query).headers
    condition = condition.format(etag=known["ETag"], date=known["Last-Modified"])
    assert ask(MADE + query, Range="bytes=10-", If_Range=condition).status == status


def test_empty_file_is_asked_for_a_range(ask: Asker) -> None:
    """No byte of an empty file can be had."""
    assert ask("/files/empty.txt").body == b""
    assert ask("/files/empty.txt", Range="bytes=0-").headers["Content-Range"] == "bytes */0"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/russkij.html", "text/html"),
        ("/cesky.html", "text/html; charset=iso-8859-2"),
        (CAT, "image/jpeg"),
        ("/files/price-list.csv", "text/csv; charset=utf-8"),
        ("/files/Preisliste%20M%C3%A4rz.csv", "text/csv; charset=utf-8"),
        (MADE, "application/octet-stream"),
    ],
)
def test_kind_is_told(ask: Asker, path: str, kind: str) -> None:
    """Content-Type names the kind, and the charset except where the page has to."""
    assert ask(path).headers["Content-Type"] == kind


def test_address_has_no_answer(ask: Asker) -> None:
    """Unknown paths are 404, other methods 405, folders without a slash moved, bad values 400."""
    assert ask("/nothing").status == 404
    assert ask("/../serve.py").status == 404
    assert ask(CAT, "DELETE").status == 405
    assert ask("/category/sky").headers["Location"] == "/category/sky/"
    assert ask(CAT + "?delay=soon").status == 400
    assert ask("/generated/999999999.bin").status == 400


def test_generated_body_is_read_in_parts(ask: Asker) -> None:
    """Any range of a generated body equals that part of the whole, and no other part."""
    path = f"/generated/{3 * BLOCK}.bin?seed=7"
    whole = generated(3 * BLOCK, "7").all()
    for start in (0, BLOCK - 1, BLOCK, 2 * BLOCK + 5):
        assert ask(path, Range=f"bytes={start}-{start + 999}").body == whole[start : start + 1000]
    assert whole[65_536:65_636] != whole[:100]
    assert generated(3 * BLOCK, "8").all() != whole


# --- lists and the log --------------------------------------------------------------------------------------------


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


# --- faults: refusing ---------------------------------------------------------------------------------------------


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


# --- faults: another body -----------------------------------------------------------------------------------------


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


# --- faults: bad delivery -----------------------------------------------------------------------------------------


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


# --- starting and stopping ----------------------------------------------------------------------------------------


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
