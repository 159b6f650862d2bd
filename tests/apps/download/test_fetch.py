"""The job from end to end, as a blocking model runs it: whole files only, and bytes that belong together."""

from __future__ import annotations

import errno
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.apps.download.fakes import Answer, ScriptedClient, Thing, perform
from toolkit.apps.download import resume
from toolkit.apps.download.fetch import DownloadJob, Fetched, Settings, Wanted
from toolkit.core.errors import FailureKind
from toolkit.core.http import Request
from toolkit.core.task import Failure, Outcome, Skip, Success, Task
from toolkit.storage import PartFile

URL = "http://host/big.bin"
SIZE = 2_000_000
OLD = bytes(range(256)) * (SIZE // 256)
NEW = OLD[::-1] + b"and more"
MODIFIED = "Sat, 01 Mar 2025 10:00:00 GMT"


class Box:
    """A folder and a client to fill it with."""

    def __init__(self, folder: Path, thing: Any, **options: Any) -> None:
        self.folder = folder
        self.client = ScriptedClient(thing)
        self.job = DownloadJob(folder, (("User-Agent", "test"),), settings=Settings(**options))

    def fetch(self, url: str = URL, name: str = "big.bin", **facts: Any) -> Outcome:
        """Run the job once."""
        return perform(self.client, self.job, Task(url, Wanted(url, name, **facts)))

    def fetched(self, *args: Any, **facts: Any) -> Fetched:
        """Run the job once, which must succeed."""
        outcome = self.fetch(*args, **facts)
        assert isinstance(outcome, Success), outcome
        assert isinstance(outcome.value, Fetched)
        return outcome.value

    def failed(self, *args: Any, **facts: Any) -> Failure:
        """Run the job once, which must fail."""
        outcome = self.fetch(*args, **facts)
        assert isinstance(outcome, Failure), outcome
        return outcome

    @property
    def files(self) -> list[str]:
        """The names in the folder."""
        return sorted(path.name for path in self.folder.iterdir())

    @property
    def bytes(self) -> bytes:
        """The file's content."""
        return (self.folder / "big.bin").read_bytes()


def cut_once(folder: Path, thing: Thing, at: int = 1_200_000, **options: Any) -> Box:
    """Return a box in which a first attempt broke off."""
    thing.cuts.append(at)
    box = Box(folder, thing, **options)
    assert box.failed().kind is FailureKind.TRUNCATED
    assert "big.bin" not in box.files
    return box


def test_fetch_writes_the_whole_file_when_all_is_well(tmp_path: Path) -> None:
    """The file, its time, what is known of it; nothing else is left in the folder."""
    box = Box(tmp_path, Thing(OLD, modified=MODIFIED))
    assert box.fetched() == Fetched(
        "big.bin", SIZE - SIZE % 256, SIZE - SIZE % 256, 0, URL, '"v1"', MODIFIED, "application/octet-stream"
    )
    assert box.bytes == OLD
    assert (tmp_path / "big.bin").stat().st_mtime == 1740823200.0
    assert box.files == ["big.bin"]
    assert box.client.sent("range") == box.client.sent("if-none-match") == [None]


@pytest.mark.parametrize("body", [b"", b"x", OLD])
def test_fetch_when_the_size_is_not_announced(tmp_path: Path, body: bytes) -> None:
    """Empty files and bodies without a length are files, too."""
    box = Box(tmp_path, lambda _: Answer(200, body))
    assert box.fetched().bytes == len(body)
    assert box.bytes == body
    assert box.files == ["big.bin"]


def test_fetch_resumes_when_the_connection_broke(tmp_path: Path) -> None:
    """The second attempt asks for the rest only, on condition that it is the same file, and appends it."""
    box = cut_once(tmp_path, Thing(OLD))
    found = box.fetched()
    assert (found.bytes, found.resumed, found.received) == (len(OLD), 1_200_000, len(OLD) - 1_200_000)
    assert box.bytes == OLD
    assert box.client.sent("range") == [None, "bytes=1200000-"]
    assert box.client.sent("if-range") == [None, '"v1"']
    assert box.files == ["big.bin"]


@pytest.mark.parametrize("etag", ['"v1"', None])
def test_fetch_resumes_again_when_the_connection_breaks_again(tmp_path: Path, etag: str | None) -> None:
    """A 206 need not repeat the validator (RFC 9110, 15.3.7): what was noted of the first reply still holds."""
    thing = Thing(OLD, etag=etag, modified=MODIFIED, cuts=[1_000_000, 500_000, 300_000])

    def terse(request: Request) -> Answer:
        answer = thing(request)
        kept = {name: value for name, value in answer.headers.items() if name.startswith("Content")}
        return Answer(206, answer.body, kept, answer.cut) if answer.status == 206 else answer

    box = Box(tmp_path, terse)
    for _ in range(3):
        assert box.failed().kind is FailureKind.TRUNCATED
    assert box.fetched().resumed == 1_800_000
    assert box.bytes == OLD
    assert box.client.sent("range") == [None, "bytes=1000000-", "bytes=1500000-", "bytes=1800000-"]
    assert set(box.client.sent("if-range")[1:]) == {etag or MODIFIED}


def test_fetch_takes_the_new_file_when_it_has_changed(tmp_path: Path) -> None:
    """S2: old and new bytes are never put together."""
    thing = Thing(OLD)
    box = cut_once(tmp_path, thing)
    thing.body, thing.etag = NEW, '"v2"'
    found = box.fetched()
    assert (found.resumed, found.etag) == (0, '"v2"')
    assert box.bytes == NEW
    assert len(box.client.asked) == 2


def test_fetch_resumes_the_new_file_when_that_broke_off_too(tmp_path: Path) -> None:
    """The note beside the part is of the bytes that are in it."""
    thing = Thing(OLD)
    box = cut_once(tmp_path, thing)
    thing.body, thing.etag, thing.cuts = NEW, '"v2"', [700_000]
    assert box.failed().retryable
    assert box.fetched().resumed == 700_000
    assert box.bytes == NEW
    assert box.client.sent("if-range") == [None, '"v1"', '"v2"']


@pytest.mark.parametrize(
    "answer",
    [
        Answer(206, NEW, {}),
        Answer(206, NEW, {"Content-Range": f"bytes 0-{len(OLD) - 1}/{len(OLD) + 1}"}),
        Answer(206, NEW, {"Content-Range": f"bytes 1200001-{len(OLD) - 1}/{len(OLD)}"}),
        Answer(206, NEW, {"Content-Range": f"bytes 1200000-{len(OLD) - 1}/{len(OLD)}", "ETag": '"v2"'}),
        Answer(206, NEW, {"Content-Range": f"bytes 1200000-{len(OLD) - 1}/{len(OLD)}", "Content-Encoding": "gzip"}),
        Answer(416, b"", {"Content-Range": "bytes */900000"}),
        Answer(416, b"", {}),
        Answer(204, b"", {}),
        Answer(412, b"", {}),
    ],
    ids=repr,
)
def test_fetch_starts_again_when_the_answer_to_a_range_does_not_fit(tmp_path: Path, answer: Answer) -> None:
    """S4, S5: a reply that contradicts what is here costs one more request in the same attempt, without a range."""
    box = cut_once(tmp_path, Thing(OLD))
    whole = Thing(OLD)
    box.client.script = lambda request: answer if dict(request.headers).get("Range") else whole(request)
    found = box.fetched()
    assert (found.resumed, found.received) == (0, len(OLD))
    assert box.bytes == OLD
    assert box.client.sent("range") == [None, "bytes=1200000-", None]
    assert box.files == ["big.bin"]


def test_fetch_writes_over_when_the_rest_begins_earlier_than_asked(tmp_path: Path) -> None:
    """S5: bytes that come again are written again, at their own place."""
    box = cut_once(tmp_path, Thing(OLD))
    span = f"bytes 1000000-{len(OLD) - 1}/{len(OLD)}"
    box.client.script = lambda _: Answer(206, OLD[1_000_000:], {"Content-Range": span})
    assert box.fetched().resumed == 1_000_000
    assert box.bytes == OLD


def test_fetch_is_done_when_all_bytes_are_here(tmp_path: Path) -> None:
    """S3: a part that is complete gets its name after a 416 that agrees; no byte is sent again."""
    box = cut_once(tmp_path, Thing(OLD), at=len(OLD))
    found = box.fetched()
    assert (found.bytes, found.received, found.resumed) == (len(OLD), 0, len(OLD))
    assert box.bytes == OLD
    assert box.files == ["big.bin"]


def test_fetch_keeps_the_part_when_the_server_has_an_error(tmp_path: Path) -> None:
    """A 503 between two halves does not cost the first."""
    thing = Thing(OLD)
    box = cut_once(tmp_path, thing)
    box.client.script = lambda _: Answer(503, b"", {"Retry-After": "3"})
    failure = box.failed()
    assert (failure.kind, failure.retryable, failure.retry_after) == (FailureKind.THROTTLED, True, 3.0)
    box.client.script = thing
    assert box.fetched().resumed == 1_200_000
    assert box.bytes == OLD


@pytest.mark.parametrize(
    "thing", [Thing(OLD, etag='W/"v1"'), Thing(OLD, etag=None), Thing(OLD, etag='W/"v1"', modified=MODIFIED)], ids=repr
)
def test_fetch_starts_again_when_nothing_proves_that_it_is_the_same_file(tmp_path: Path, thing: Thing) -> None:
    """No strong validator, no resume; and no part is left that could not be resumed."""
    box = cut_once(tmp_path, thing)
    assert box.files == []
    assert box.fetched().resumed == 0
    assert box.client.sent("range") == [None, None]
    assert box.bytes == OLD


def test_fetch_keeps_no_part_when_a_small_file_breaks_off(tmp_path: Path) -> None:
    """Small files are fetched again: nothing is noted, and nothing is left."""
    box = cut_once(tmp_path, Thing(OLD[:5000]), at=3000)
    assert box.files == []
    assert box.fetched().resumed == 0
    assert box.bytes == OLD[:5000]


@pytest.mark.parametrize("torn", ["", "{", json.dumps({"url": URL, "validator": 7, "total": "many"})])
def test_fetch_starts_again_when_the_note_is_torn(tmp_path: Path, torn: str) -> None:
    """A part without a believable note is worth nothing."""
    box = cut_once(tmp_path, Thing(OLD))
    note = next(tmp_path.glob("*.part.json"))
    note.write_text(torn)
    assert box.fetched().resumed == 0
    assert box.bytes == OLD
    assert box.files == ["big.bin"]


def test_fetch_never_shares_a_part_when_two_urls_want_one_name(tmp_path: Path) -> None:
    """A part belongs to its URL, not to its name."""
    box = cut_once(tmp_path, Thing(OLD))
    other = "http://other/big.bin"
    box.client.script = Thing(NEW)
    assert box.fetched(other).resumed == 0
    assert box.client.sent("range") == [None, None]
    assert box.bytes == NEW


def test_fetch_decodes_when_gzip_was_sent_unasked(tmp_path: Path) -> None:
    """The file is what the URL stands for, not how it travelled; its end is verified."""
    coded = gzip.compress(OLD)
    headers = {"Content-Encoding": "gzip", "Content-Length": str(len(coded)), "ETag": '"v1"'}
    box = Box(tmp_path, lambda _: Answer(200, coded, headers))
    found = box.fetched()
    assert (found.bytes, found.received) == (len(OLD), len(coded))
    assert box.bytes == OLD


@pytest.mark.parametrize("missing", [1, 8, 9, 100])
def test_fetch_fails_and_never_resumes_when_gzip_is_cut_short(tmp_path: Path, missing: int) -> None:
    """A coded body that ends early is no file, though the transfer looks complete; decoded bytes are not resumed."""
    coded = gzip.compress(os.urandom(2_000_000))
    headers = {"Content-Encoding": "gzip", "ETag": '"v1"'}
    box = Box(tmp_path, lambda _: Answer(200, coded[:-missing], headers))
    failure = box.failed()
    assert (failure.kind, failure.retryable) == (FailureKind.TRUNCATED, True)
    assert box.files == []
    box.failed()
    assert box.client.sent("range") == [None, None]


def test_fetch_fails_when_a_coding_was_sent_that_nobody_knows(tmp_path: Path) -> None:
    """Bytes that cannot be understood get no name."""
    box = Box(tmp_path, lambda _: Answer(200, b"xxx", {"Content-Encoding": "br"}))
    assert box.failed().kind is FailureKind.UNSUPPORTED
    assert box.files == []


@pytest.mark.parametrize("announced", [True, False])
def test_fetch_fails_when_the_file_is_too_large(tmp_path: Path, announced: bool) -> None:
    """Before the first byte where the size is told, else as soon as the limit is passed; nothing is left."""
    headers = {"Content-Length": str(len(OLD))} if announced else {}
    box = Box(tmp_path, lambda _: Answer(200, OLD, headers), max_size=500_000)
    failure = box.failed()
    assert (failure.kind, failure.retryable) == (FailureKind.TOO_LARGE, False)
    assert box.files == []


def test_fetch_fails_when_a_small_body_decodes_to_a_large_file(tmp_path: Path) -> None:
    """The limit is for the file, not for what travels."""
    box = Box(tmp_path, lambda _: Answer(200, gzip.compress(OLD), {"Content-Encoding": "gzip"}), max_size=500_000)
    assert box.failed().kind is FailureKind.TOO_LARGE
    assert box.files == []


@pytest.mark.parametrize("body", [OLD[:-1], OLD + b"x"])
def test_fetch_fails_when_the_rest_is_not_of_the_announced_size(tmp_path: Path, body: bytes) -> None:
    """The whole must have the size that Content-Range names."""
    box = cut_once(tmp_path, Thing(OLD))
    span = f"bytes 1200000-{len(OLD) - 1}/{len(OLD)}"
    box.client.script = lambda _: Answer(206, body[1_200_000:], {"Content-Range": span})
    assert box.failed().kind is FailureKind.TRUNCATED
    assert "big.bin" not in box.files


def test_fetch_follows_redirects(tmp_path: Path) -> None:
    """The name is that of the URL asked for; the part is resumed from there, too, since targets may be short-lived."""
    thing, serial = Thing(OLD, cuts=[1_200_000]), iter(range(10))

    def script(request: Request) -> Answer:
        moved = Answer(302, b"", {"Location": f"http://cdn/signed?{next(serial)}"}) if request.url == URL else None
        return moved or thing(request)

    box = Box(tmp_path, script)
    assert box.failed().retryable
    found = box.fetched()
    assert (found.final_url, found.resumed) == ("http://cdn/signed?1", 1_200_000)
    assert [request.url for request in box.client.asked] == [URL, "http://cdn/signed?0", URL, "http://cdn/signed?1"]
    assert box.bytes == OLD


def test_fetch_skips_when_the_file_has_not_changed(tmp_path: Path) -> None:
    """A 304 leaves the file as it is, and asks with what was known: the ETag, else the date."""
    (tmp_path / "big.bin").write_bytes(b"here")
    box = Box(tmp_path, Thing(OLD))
    outcome = box.fetch(etag='"v1"', modified=MODIFIED)
    assert isinstance(outcome, Skip)
    assert outcome.reason == "not modified"
    box.client.script = lambda _: Answer(304)
    assert isinstance(box.fetch(modified=MODIFIED), Skip)
    assert box.client.sent("if-none-match") == ['"v1"', None]
    assert box.client.sent("if-modified-since") == [None, MODIFIED]
    assert box.bytes == b"here"
    assert box.files == ["big.bin"]


def test_fetch_fails_when_a_304_answers_no_condition(tmp_path: Path) -> None:
    """A file that never came is never taken for one that has not changed."""
    box = Box(tmp_path, lambda _: Answer(304))
    assert "no file in this reply" in box.failed().message
    assert box.files == []


@pytest.mark.parametrize("status", [404, 500, 204, 206])
def test_fetch_writes_nothing_when_the_reply_is_no_file(tmp_path: Path, status: int) -> None:
    """An error page never lands under the file's name, nor beside it; what was there stays."""
    (tmp_path / "big.bin").write_bytes(b"old")
    box = Box(tmp_path, lambda _: Answer(status, b"<h1>sorry</h1>"))
    assert box.failed().kind is FailureKind.HTTP
    assert (box.files, box.bytes) == (["big.bin"], b"old")


def test_fetch_fails_when_the_name_leads_out(tmp_path: Path) -> None:
    """The last line of defence stands before the first request."""
    box = Box(tmp_path, Thing(OLD))
    assert box.failed(name="../x").kind is FailureKind.BLOCKED
    assert box.client.asked == []


def test_fetch_leaves_the_part_alone_when_another_run_writes_it(tmp_path: Path) -> None:
    """Two runs in one folder never mix their bytes, and neither removes the other's."""
    box = cut_once(tmp_path, Thing(OLD))
    part = next(tmp_path.glob("*.part"))
    other = PartFile(part, 1_200_000)
    next(tmp_path.glob("*.json")).unlink()
    failure = box.failed()
    assert (failure.kind, failure.retryable) == (FailureKind.NAME, True)
    assert part.read_bytes() == OLD[:1_200_000]
    other.close()


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a disk on which the note finds no place."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(resume, "remember", refuse)


@pytest.mark.usefixtures("full")
def test_fetch_stops_the_run_when_the_note_finds_no_place(tmp_path: Path) -> None:
    """A full disk is a full disk, not a lost connection that could be tried again."""
    failure = Box(tmp_path, Thing(OLD)).failed()
    assert (failure.kind, failure.fatal, failure.retryable) == (FailureKind.DISK, True, False)


def test_fetch_fails_when_a_folder_has_the_name(tmp_path: Path) -> None:
    """What is in the way stays, and the failure says so."""
    (tmp_path / "big.bin").mkdir()
    box = Box(tmp_path, Thing(OLD[:100]))
    assert box.failed().kind is FailureKind.NAME
    assert box.files == ["big.bin"]
