"""Without a fault the sample server keeps HTTP's rules."""

from __future__ import annotations

import pytest

from samples.bodies import BLOCK, generated
from tests.samples.asking import CAT, MADE, WHOLE, Asker


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
