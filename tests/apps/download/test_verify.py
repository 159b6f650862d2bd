"""What is done with bytes that came but are not the right ones: too many, of another sort, of another digest."""

from __future__ import annotations

import base64
import gzip
import hashlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import toolkit
from tests.apps.download.stage import Asked, Stage
from toolkit.apps.download.fetch import Fetched
from toolkit.core.task import Failure, Outcome, Success

SIZE = 1_500_000
GOOD = random.Random(7).randbytes(SIZE)
BAD = random.Random(8).randbytes(SIZE)
SMALL = GOOD[:5000]
LIMIT = 1_000_000
ONE: dict[str, Any] = {"model": "threads", "client": "requests", "retries": 2}

CLIENTS = [("sequential", "requests"), ("threads", "curl"), ("asyncio", "aiohttp")]


@pytest.fixture(params=CLIENTS, ids="-".join)
def how(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the options of each client."""
    model, client = request.param
    if client == "curl":
        pytest.importorskip("pycurl")
    return {"model": model, "client": client, "retries": 2}


def sha256(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def b64(algorithm: str, body: bytes) -> str:
    return base64.b64encode(hashlib.new(algorithm, body).digest()).decode()


def download(url: str, folder: Path, **options: Any) -> Outcome:
    """Return what became of one URL, or of one row of a list."""
    (found,) = list(toolkit.download.stream([url], folder / "out", **options))
    return found


def fetched(url: str, folder: Path, **options: Any) -> Fetched:
    """Download one file, which must succeed."""
    found = download(url, folder, **options)
    assert isinstance(found, Success), found
    assert isinstance(found.value, Fetched)
    return found.value


def failed(url: str, folder: Path, **options: Any) -> Failure:
    """Download one file, which must fail and leave nothing."""
    found = download(url, folder, **options)
    assert isinstance(found, Failure), found
    assert left(folder) == []
    return found


def left(folder: Path) -> list[str]:
    """Return the names of what is in the folder, less the store."""
    return sorted(path.name for path in (folder / "out").iterdir() if not path.name.startswith(".toolkit.sqlite"))


def row(folder: Path, url: str, **columns: str) -> str:
    """Return a list with one row."""
    lines = folder / "list.csv"
    quoted = ",".join(f'"{value}"' for value in (url, *columns.values()))
    lines.write_text(f"{','.join(('url', *columns))}\n{quoted}\n")
    return str(lines)


def sends(body: bytes, **fields: Any) -> Callable[[Asked], None]:
    """Return a scene in which a careful server sends a body."""
    return lambda asked: asked.serve(body, '"1"', **fields)


@pytest.mark.parametrize("body", [GOOD, SMALL], ids=["in a file", "in memory"])
def test_a_wrong_checksum_costs_one_more_request_and_leaves_nothing(
    tmp_path: Path, how: dict[str, Any], body: bytes
) -> None:
    """The part is thrown away, and all of it fetched once more; --retries has no say in it."""
    with Stage(sends(body)) as stage:
        found = failed(row(tmp_path, stage.url + "f", checksum=sha256(BAD)), tmp_path, **how)
        assert (found.kind, found.retryable) == ("checksum", False)
        assert sha256(BAD)[7:] in found.message
        assert sha256(body)[7:] in found.message
        assert [asked.range for asked in stage.asked] == [None, None]


def test_a_wrong_checksum_is_right_at_the_second_time(tmp_path: Path, how: dict[str, Any]) -> None:
    """A body that was damaged on its way is fetched again in the same attempt."""
    bodies = iter([BAD])
    with Stage(lambda asked: asked.serve(next(bodies, GOOD), '"1"')) as stage:
        value = fetched(row(tmp_path, stage.url + "f", checksum=sha256(GOOD)), tmp_path, **how)
        assert len(stage.asked) == 2
    assert (value.checksum, value.verified, value.resumed) == (sha256(GOOD), "checksum", 0)
    assert (tmp_path / "out" / "f").read_bytes() == GOOD


def test_a_checksum_takes_the_place_of_a_validator(tmp_path: Path, how: dict[str, Any]) -> None:
    """Nothing else proves that it is the same file: the rest is asked for all the same, and the digest judges."""
    answers = iter([lambda asked: asked.reply(200, GOOD, cut=1_200_000)])

    def scene(asked: Asked) -> None:
        if (first := next(answers, None)) is not None:
            first(asked)
        elif asked.range is not None:
            span = f"bytes {asked.first}-{SIZE - 1}/{SIZE}"
            asked.reply(206, stage_body[asked.first :], Content_Range=span)
        else:
            asked.reply(200, stage_body)

    stage_body = GOOD
    with Stage(scene) as stage:
        value = fetched(row(tmp_path, stage.url + "f", checksum=sha256(GOOD)), tmp_path, **how)
        assert [asked.range for asked in stage.asked] == [None, "bytes=1200000-"]
        assert stage.asked[1].if_range is None
    assert value.resumed == 1_200_000
    assert (tmp_path / "out" / "f").read_bytes() == GOOD


def test_bytes_of_two_versions_are_fetched_again_when_the_checksum_tells(tmp_path: Path) -> None:
    """The first part was of another version, which only the digest shows: then all of it comes again."""
    answers = iter([lambda asked: asked.reply(200, BAD, cut=1_200_000)])

    def scene(asked: Asked) -> None:
        if (first := next(answers, None)) is not None:
            first(asked)
        elif asked.range is not None:
            asked.reply(206, GOOD[asked.first :], Content_Range=f"bytes {asked.first}-{SIZE - 1}/{SIZE}")
        else:
            asked.reply(200, GOOD)

    with Stage(scene) as stage:
        value = fetched(row(tmp_path, stage.url + "f", checksum=sha256(GOOD)), tmp_path, **ONE)
        assert [asked.range for asked in stage.asked] == [None, "bytes=1200000-", None]
    assert value.resumed == 0
    assert (tmp_path / "out" / "f").read_bytes() == GOOD


ANNOUNCED: dict[str, Callable[[bytes], dict[str, str]]] = {
    "repr-digest": lambda body: {"Repr_Digest": f"sha-256=:{b64('sha256', body)}:"},
    "content-digest": lambda body: {"Content_Digest": f"sha-512=:{b64('sha512', body)}:"},
    "digest": lambda body: {"Digest": f"SHA-256={b64('sha256', body)}"},
    "content-md5": lambda body: {"Content_MD5": b64("md5", body)},
    "x-goog-hash": lambda body: {"x_goog_hash": f"crc32c=AAAAAA==,md5={b64('md5', body)}"},
}


@pytest.mark.parametrize("field", ANNOUNCED)
def test_what_a_server_says_of_its_bytes_is_checked(tmp_path: Path, field: str) -> None:
    """Each field, for a file in memory and one on disk: right, it proves the file; wrong, it fails it."""
    for body, name in ((SMALL, "small"), (GOOD, "large")):
        with Stage(sends(body, **ANNOUNCED[field](body))) as stage:
            value = fetched(stage.url + name, tmp_path / "right" / name, **ONE)
            assert (value.verified, value.bytes) == ("checksum", len(body))
        with Stage(sends(body, **ANNOUNCED[field](BAD))) as stage:
            assert failed(stage.url + name, tmp_path / "wrong" / name, **ONE).kind == "checksum"
            assert len(stage.asked) == 2


def test_a_digest_of_the_whole_file_is_checked_after_a_resume(tmp_path: Path, how: dict[str, Any]) -> None:
    """Over the bytes of both runs; that of a part that came says nothing of the file."""
    fields = {**ANNOUNCED["repr-digest"](GOOD), **ANNOUNCED["content-md5"](GOOD[1_200_000:])}
    answers = iter([lambda asked: asked.reply(200, GOOD, cut=1_200_000, ETag='"1"')])

    def scene(asked: Asked) -> None:
        next(answers, sends(GOOD, **fields))(asked)

    with Stage(scene) as stage:
        value = fetched(stage.url + "f", tmp_path, **how)
    assert (value.checksum, value.verified, value.resumed) == (sha256(GOOD), "checksum", 1_200_000)


def login(asked: Asked) -> None:
    """Serve a page that says it is one."""
    asked.reply(200, b"<!doctype html><title>Log in</title>", Content_Type="text/html", ETag='"1"')


def lie(asked: Asked) -> None:
    """Serve a page that says it is a document."""
    asked.reply(200, b"<!doctype html><title>Log in</title>" + GOOD, Content_Type="application/pdf", ETag='"1"')


def small_lie(asked: Asked) -> None:
    """Serve a short page that says it is a document."""
    asked.reply(200, b"<!doctype html><title>Log in</title>", Content_Type="application/pdf", ETag='"1"')


def coded_lie(asked: Asked) -> None:
    """Serve the page compressed."""
    asked.reply(200, gzip.compress(b"<!doctype html>" + GOOD), Content_Type="application/pdf", Content_Encoding="gzip")


@pytest.mark.parametrize("scene", [login, lie, small_lie, coded_lie])
def test_a_page_where_a_document_was_expected_leaves_nothing(
    tmp_path: Path, how: dict[str, Any], scene: Callable[[Asked], None]
) -> None:
    """By its header or its first bytes, at once: not tried again, no part kept that could only become more of it."""
    with Stage(scene) as stage:
        found = failed(stage.url + "f.pdf", tmp_path, expect_type=("pdf",), **how)
        assert (found.kind, found.retryable) == ("content_type", False)
        assert "expected pdf, got text/html" in found.message
        assert len(stage.asked) == 1


def test_a_document_where_one_was_expected_is_kept(tmp_path: Path, how: dict[str, Any]) -> None:
    """Also when it comes compressed."""
    body = b"%PDF-1.7\n" + GOOD
    options: tuple[dict[str, Any], ...] = ({}, {"Content_Encoding": "gzip"})
    for number, fields in enumerate(options):
        sent = gzip.compress(body) if fields else body
        with Stage(lambda asked, sent=sent, fields=fields: asked.reply(200, sent, **fields)) as stage:  # type: ignore[misc]
            assert fetched(stage.url + f"{number}.pdf", tmp_path, expect_type=("pdf",), **how).bytes == len(body)


def unsized(body: bytes) -> Callable[[Asked], None]:
    """Return a scene in which nobody is told the size of a body that could be resumed."""

    def scene(asked: Asked) -> None:
        handler = asked._handler
        handler.send_response_only(200)
        for name, value in {"ETag": '"1"', "Transfer-Encoding": "chunked"}.items():
            handler.send_header(name, value)
        handler.end_headers()
        for start in range(0, len(body), 100_000):
            block = body[start : start + 100_000]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(block), block))
        handler.wfile.write(b"0\r\n\r\n")

    return scene


def coded(body: bytes) -> Callable[[Asked], None]:
    """Return a scene in which a body comes compressed."""
    sent = gzip.compress(body)
    return lambda asked: asked.reply(200, sent, Content_Encoding="gzip")


@pytest.mark.parametrize(
    ("scene", "message"),
    [
        (sends(GOOD), "1,500,000 bytes, more than --max-size 1,000,000"),
        (unsized(GOOD), "larger than 1,000,000 bytes"),
        (coded(bytes(50_000_000)), "larger than 1,000,000 bytes, decoded"),
        (coded(GOOD), "1,000,000"),
    ],
    ids=["told", "not told", "bomb", "coded"],
)
def test_a_file_that_is_too_large_leaves_nothing(
    tmp_path: Path, how: dict[str, Any], scene: Callable[[Asked], None], message: str
) -> None:
    """Told by its head, or as soon as it is; not tried again, and no part is left to fill the disk."""
    with Stage(scene) as stage:
        found = failed(stage.url + "f", tmp_path, max_size=LIMIT, **how)
        assert (found.kind, found.retryable, len(stage.asked)) == ("too_large", False, 1)
        assert message in found.message


@pytest.mark.parametrize("scene", [sends(GOOD[:LIMIT]), unsized(GOOD[:LIMIT]), coded(SMALL)])
def test_a_file_of_just_the_limit_is_kept(tmp_path: Path, how: dict[str, Any], scene: Callable[[Asked], None]) -> None:
    """The limit is allowed."""
    with Stage(scene) as stage:
        assert fetched(stage.url + "f", tmp_path, max_size=LIMIT, **how).bytes in (LIMIT, len(SMALL))


def test_a_body_is_kept_as_it_came_when_told(tmp_path: Path, how: dict[str, Any]) -> None:
    """Not decoded: neither its size, its digest nor its end are those of what is in it."""
    sent = gzip.compress(bytes(5_000_000))[:-8]
    fields: dict[str, Any] = {"Content_Encoding": "gzip", "Repr_Digest": f"sha-256=:{b64('sha256', sent)}:"}
    with Stage(lambda asked: asked.reply(200, sent, **fields)) as stage:
        value = fetched(stage.url + "f", tmp_path, keep_encoded=True, max_size=LIMIT, **how)
    assert (value.bytes, value.verified) == (len(sent), "checksum")
    assert (tmp_path / "out" / "f").read_bytes() == sent


@pytest.mark.parametrize("body", [SMALL, GOOD], ids=["small", "large"])
def test_a_coded_body_without_its_end_is_no_file(tmp_path: Path, how: dict[str, Any], body: bytes) -> None:
    """All announced bytes came, but the last ones of the gzip stream, which prove it, are not among them."""
    sent = gzip.compress(body)[:-8]
    with Stage(lambda asked: asked.reply(200, sent, Content_Encoding="gzip", ETag='"1"')) as stage:
        found = failed(stage.url + "f", tmp_path, **{**how, "retries": 0})
        assert (found.kind, found.retryable) == ("truncated", True)
        assert len(stage.asked) == 1


def test_a_size_that_a_list_tells_shows_that_a_body_was_cut(tmp_path: Path, how: dict[str, Any]) -> None:
    """Where the server says no length and closes the connection, nobody else knows that there should be more."""

    def scene(asked: Asked) -> None:
        asked.unmeasured(SMALL[:3000])

    with Stage(scene) as stage:
        found = failed(row(tmp_path, stage.url + "f", size="5000"), tmp_path, **{**how, "retries": 0})
        assert (found.kind, found.retryable) == ("truncated", True)
        assert found.message == "3,000 bytes came, the list says 5,000"
        assert fetched(row(tmp_path, stage.url + "g", size="3000"), tmp_path, **how).bytes == 3000


def test_a_size_that_differs_is_told_and_fails_nothing(tmp_path: Path) -> None:
    """A list may be older than its files, or mean something else by that word."""
    with Stage(sends(SMALL)) as stage:
        done = toolkit.download([row(tmp_path, stage.url + "f", size="80")], tmp_path / "out", **ONE)
    assert (done.succeeded, done.warnings) == (1, {"a file has another size than the list says": 1})
