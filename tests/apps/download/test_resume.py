"""What each reply means for the bytes that are here, and which notes beside a part are believed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from toolkit.apps.download.resume import (
    Body,
    Partial,
    Restart,
    agrees,
    conditions,
    decide,
    forget,
    noted,
    recall,
    remember,
)
from toolkit.core.errors import FailureKind, TaskError, TaskSkipped
from toolkit.core.http import RETRY_STATUSES, Head, Headers

URL = "http://h/f"
HALF = Partial(URL, '"v1"', 100)
DATED = Partial(URL, "Sat, 01 Mar 2025 10:00:00 GMT", 100)
ENDLESS = Partial(URL, '"v1"', None)
DATE = "Sat, 01 Mar 2025 12:00:00 GMT"


def head(status: int, **fields: str) -> Head:
    return Head(URL, status, Headers((name.replace("_", "-"), value) for name, value in fields.items()))


@pytest.mark.parametrize(
    ("reply", "partial", "body"),
    [
        # S1, S2: the server knows no ranges, or the file changed: all of it comes, from the start
        (head(200, content_length="100"), HALF, Body(0, 100)),
        (head(200, content_length="7", etag='"v2"'), HALF, Body(0, 7)),
        (head(200), HALF, Body(0, None)),
        # the rest comes
        (head(206, content_range="bytes 50-99/100"), HALF, Body(50, 100)),
        (head(206, content_range="bytes 50-99/100", etag='"v1"'), HALF, Body(50, 100)),
        (head(206, content_range="bytes 50-99/100", etag='"new"'), DATED, Body(50, 100)),
        (head(206, content_range="bytes 50-99/*"), HALF, Body(50, 100)),
        (head(206, content_range="bytes 50-99/*"), ENDLESS, Body(50, None)),
        (head(206, content_range="bytes 50-79/80"), ENDLESS, Body(50, 80)),
        (head(206, content_range="bytes 50-99/100", content_encoding="identity"), HALF, Body(50, 100)),
        # S5: it begins earlier than asked: written again from there
        (head(206, content_range="bytes 0-99/100"), HALF, Body(0, 100)),
        (head(206, content_range="bytes 40-99/100"), HALF, Body(40, 100)),
        # S3: all is here already
        (head(416, content_range="bytes */50"), Partial(URL, '"v1"', 50), Body(50, 50, complete=True)),
        (head(416, content_range="bytes */50", etag='"v1"'), ENDLESS, Body(50, 50, complete=True)),
    ],
)
def test_decide_where_the_body_goes(reply: Head, partial: Partial, body: Body) -> None:
    """With 50 bytes here: what is trusted, and from where on the rest is written."""
    assert decide(reply, 50, partial) == body


@pytest.mark.parametrize(
    "reply",
    [
        head(206),
        head(206, content_type="multipart/byteranges; boundary=x"),
        head(206, content_range="bytes 51-99/100"),
        head(206, content_range="bytes 50-99/101"),
        head(206, content_range="bytes 50-98/100"),
        head(206, content_range="bytes 50-100/100"),
        head(206, content_range="bytes 60-50/100"),
        head(206, content_range="bytes=50-99/100"),
        head(206, content_range="50-99/100"),
        head(206, content_range="bytes 50-99/100, bytes 0-1/100"),
        head(206, content_range="bytes -50-99/100"),
        head(206, content_range="bytes 50-99/100", etag='"v2"'),
        head(206, content_range="bytes 50-99/100", etag='W/"v1"'),
        head(206, content_range="bytes 50-99/100", content_encoding="gzip"),
        head(416),
        head(416, content_range="bytes */40"),  # S4: more is here than there
        head(416, content_range="bytes */100"),
        head(416, content_range="bytes */50"),  # it had 100 bytes when it began
        head(416, content_range="bytes 50-99/100"),
        head(201),
        head(204),
        head(226),
        head(304),
        head(412),
    ],
    ids=repr,
)
def test_decide_restarts_when_the_reply_does_not_fit(reply: Head) -> None:
    """Bytes are never put together unless everything agrees."""
    with pytest.raises(Restart):
        decide(reply, 50, HALF)


def test_decide_restarts_when_a_416_has_another_etag() -> None:
    """The right size is not enough."""
    with pytest.raises(Restart):
        decide(head(416, content_range="bytes */50", etag='"v2"'), 50, Partial(URL, '"v1"', 50))


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize(("offset", "partial"), [(0, None), (0, HALF), (50, None)])
def test_decide_when_no_range_was_asked_for(offset: int, partial: Partial | None, conditional: bool) -> None:
    """A 200 is the file; a 206 that nobody asked for is not."""
    assert decide(head(200, content_length="5"), offset, partial, conditional=conditional) == Body(0, 5)
    for status in (201, 202, 203, 204, 206, 300, 301, 305):
        with pytest.raises(TaskError, match="no file in this reply") as caught:
            decide(head(status, content_range="bytes 0-4/5"), offset, partial, conditional=conditional)
        assert (caught.value.kind, caught.value.retryable) == (FailureKind.HTTP, False)


def test_decide_skips_when_the_file_has_not_changed() -> None:
    """A 304 is an answer to a condition only; where none was sent it is no file, and no success."""
    with pytest.raises(TaskSkipped, match="not modified"):
        decide(head(304), 0, None, conditional=True)
    with pytest.raises(TaskError, match="HTTP 304: no file"):
        decide(head(304), 0, None)
    with pytest.raises(Restart):
        decide(head(304), 50, HALF, conditional=True)


@pytest.mark.parametrize("offset", [0, 50])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 410, 425, 429, 451, 500, 501, 502, 503, 504, 522, 599])
def test_decide_fails_and_keeps_the_part_when_the_status_is_an_error(status: int, offset: int) -> None:
    """An error says nothing about the bytes that are here: no Restart; temporary ones are tried again."""
    with pytest.raises(TaskError, match=f"HTTP {status}") as caught:
        decide(head(status, retry_after="7"), offset, HALF if offset else None)
    error = caught.value
    assert error.retryable == (status in RETRY_STATUSES)
    assert error.retry_after == 7.0
    assert error.cool_lane == (status in (429, 503))


@pytest.mark.parametrize("status", [412, 416])
def test_decide_fails_when_a_refusal_of_ranges_was_not_provoked(status: int) -> None:
    """Without a range in the request there is nothing to restart without."""
    with pytest.raises(TaskError, match=f"HTTP {status}"):
        decide(head(status, content_range="bytes */50"), 0, None)


@pytest.mark.parametrize(
    ("fields", "validator"),
    [
        ({"etag": '"v1"'}, '"v1"'),
        ({"etag": '"v1"', "last_modified": DATED.validator, "date": DATE}, '"v1"'),
        ({"last_modified": DATED.validator, "date": DATE}, DATED.validator),
        ({"etag": '"v1"', "content_encoding": "identity"}, '"v1"'),
        ({}, None),
        ({"etag": 'W/"v1"'}, None),
        ({"etag": "v1"}, None),
        ({"etag": 'W/"v1"', "last_modified": DATED.validator, "date": DATE}, None),
        ({"last_modified": DATED.validator}, None),
        ({"last_modified": "Sat, 01 Mar 2025 11:59:30 GMT", "date": DATE}, None),
        ({"etag": '"v1"', "content_encoding": "gzip"}, None),
    ],
)
def test_noted_when_there_is_a_strong_validator(fields: dict[str, str], validator: str | None) -> None:
    """Only what If-Range may carry makes a part worth keeping."""
    partial = noted(head(200, **fields), URL, 100)
    assert partial == (None if validator is None else Partial(URL, validator, 100, final_url=URL))


def test_noted_when_a_checksum_will_judge() -> None:
    """Then a part may go on without a validator; but never one of a coded body."""
    sums = ("sha256:00",)
    assert noted(head(200), URL, 9, checksums=sums) == Partial(URL, "", 9, final_url=URL, checksums=sums)
    assert noted(head(200, content_encoding="gzip"), URL, 9, checksums=sums) is None
    assert noted(head(200, etag='"v"'), URL, 9, source=URL + "2") == Partial(URL, '"v"', 9, URL + "2", URL)


def test_conditions_name_the_range_and_the_version() -> None:
    """If-Range goes with the range, where there is something to put into it."""
    assert conditions('"v"', 5) == (("Range", "bytes=5-"), ("If-Range", '"v"'))
    assert conditions("", 5, 10) == (("Range", "bytes=5-9"),)


@pytest.mark.parametrize(
    ("validator", "fields", "same"),
    [
        ('"v1"', {}, True),
        ('"v1"', {"etag": '"v1"'}, True),
        ('"v1"', {"etag": '"v2"'}, False),
        ('"v1"', {"last_modified": "x"}, True),
        (DATED.validator, {"etag": '"v2"'}, True),
        (DATED.validator, {"last_modified": DATED.validator}, True),
        (DATED.validator, {"last_modified": DATE}, False),
        ("", {"etag": '"v2"', "last_modified": DATE}, True),
    ],
)
def test_agrees_by_what_was_noted(validator: str, fields: dict[str, str], same: bool) -> None:
    """A server that ignores If-Range is found out by its own fields."""
    assert agrees(head(206, **fields), validator) is same


@pytest.mark.parametrize("total", [None, 0, 10**15])
def test_recall_round_trip(tmp_path: Path, total: int | None) -> None:
    """What was noted comes back; for another URL, nothing does."""
    note = tmp_path / "note"
    partial = Partial(URL, '"\xe9"', total, checksums=("md5:00",), finished={"etag": "x"} if total else None)
    remember(note, partial)
    assert recall(note, URL) == partial
    assert [path.name for path in tmp_path.iterdir()] == ["note"]
    assert recall(note, URL + "?") is None
    forget(note)
    forget(note)
    assert recall(note, URL) is None


WHOLE: dict[str, Any] = {"url": URL, "validator": '"v1"', "total": 5}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        json.dumps(WHOLE)[:-3],
        "[]",
        "null",
        "5",
        '"text"',
        "{}",
        json.dumps(WHOLE | {"more": 1}),
        json.dumps({key: WHOLE[key] for key in ("url", "total")}),
        json.dumps(WHOLE | {"validator": ""}),
        json.dumps(WHOLE | {"validator": 5}),
        json.dumps(WHOLE | {"validator": None}),
        json.dumps(WHOLE | {"total": "5"}),
        json.dumps(WHOLE | {"total": True}),
        json.dumps(WHOLE | {"url": "http://h/other"}),
        json.dumps(WHOLE | {"spans": 5}),
        json.dumps(WHOLE | {"spans": [[0, 5]]}),
        json.dumps(WHOLE | {"spans": [[0, 2, 4]]}),
        json.dumps(WHOLE | {"spans": [[1, 2, 5]]}),
        json.dumps(WHOLE | {"spans": [[0, 2, 3], [4, 4, 5]]}),
        json.dumps(WHOLE | {"spans": [[0, 4, 3], [3, 3, 5]]}),
        json.dumps(WHOLE | {"spans": [[0, 2, 5]], "total": None}),
    ],
)
def test_recall_is_none_when_the_note_is_torn_or_foreign(tmp_path: Path, content: str) -> None:
    """What cannot be believed in full is not believed at all."""
    note = tmp_path / "note"
    note.write_text(json.dumps(WHOLE | {"spans": [[0, 2, 3], [3, 3, 5]]}))
    assert recall(note, URL) is not None
    note.write_text(content)
    assert recall(note, URL) is None
    note.write_bytes(b"\xff\xfe\0")
    assert recall(note, URL) is None
