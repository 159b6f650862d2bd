"""One file over several connections, for real: whatever the server thinks of that, the bytes are right."""

from __future__ import annotations

import hashlib
import json
import random
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import toolkit
from tests.apps.download.stage import Asked, Stage
from toolkit.apps.download.fetch import Fetched
from toolkit.apps.download.segments import SegmentMap, Span
from toolkit.core.task import Failure, Outcome, Success

SIZE = 5_000_000
OLD = random.Random(3).randbytes(SIZE)
NEW = random.Random(4).randbytes(SIZE)
START = 300_000
"""Bytes that the first connection brings before the others come in."""
PATIENCE = 10.0
TAKEN = 1_000_000
"""Bytes of a range that find no room on the way: once they are sent, its client has accepted it, and read on."""

MODELS = [
    {"model": "threads", "client": "requests"},
    {"model": "threads", "client": "curl"},
    {"model": "processes", "client": "requests"},
    {"model": "asyncio", "client": "aiohttp"},
]


@pytest.fixture(params=MODELS, ids=lambda how: "-".join(how.values()))
def how(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the options of each model."""
    if request.param["client"] == "curl":
        pytest.importorskip("pycurl")
    return {**request.param, "workers": 8, "retries": 0}


ONE: dict[str, Any] = {"model": "threads", "client": "requests", "workers": 8, "retries": 0}
"""One model, for what does not depend on it."""


class Slow:
    """The whole file, halting after its beginning until so many ranges have been asked for; they are sent then.

    waits: whether it halts for ever, for clients that are to leave.
    """

    def __init__(self, ranges: int, answer: Callable[[Asked], None], *, waits: bool = False) -> None:
        self.answer, self._waits = answer, waits
        self._left = self._unanswered = ranges
        self._lock = threading.Lock()
        self._asked, self._answered = threading.Event(), threading.Event()

    def __call__(self, asked: Asked) -> None:
        """Answer one request."""
        if asked.range is None:
            self.lead(asked)
            return
        with self._lock:
            self._left -= 1
        if self._left <= 0:
            self._asked.set()
        self._asked.wait(PATIENCE)
        try:
            self.answer(asked)
        finally:
            with self._lock:
                self._unanswered -= 1
            if self._unanswered <= 0:
                self._answered.set()

    def lead(self, asked: Asked) -> None:
        """Send all of it, in two parts."""
        handler = asked._handler
        handler.send_response_only(200)
        for name, value in {"Content-Length": str(SIZE), "ETag": '"old"', "Accept-Ranges": "bytes"}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(OLD[:START])
        handler.wfile.flush()
        self.halt()
        handler.wfile.write(OLD[START:])

    def halt(self) -> None:
        """Wait for the others."""
        self._answered.wait(PATIENCE)
        if self._waits:
            threading.Event().wait(PATIENCE)


def good(asked: Asked) -> None:
    """Send ranges of the same file."""
    asked.serve(OLD, '"old"')


class Together:
    """Sends ranges of the same file, none of them to its end before the clients of all have accepted theirs."""

    def __init__(self, ranges: int) -> None:
        self._all = threading.Barrier(ranges)

    def __call__(self, asked: Asked) -> None:
        """Answer one request."""
        handler, first, end = asked._handler, asked.first, (asked.last or 0) + 1
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
        handler.send_response_only(206)
        span = f"bytes {first}-{end - 1}/{SIZE}"
        for name, value in {"Content-Length": str(end - first), "Content-Range": span, "ETag": '"old"'}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(OLD[first : first + TAKEN])
        self._all.wait(PATIENCE)
        handler.wfile.write(OLD[first + TAKEN : end])


def outcome(urls: list[str], folder: Path, **options: Any) -> Outcome:
    """Return what became of one file."""
    run = toolkit.download.stream(urls, folder, segments=4, **options)
    (found,) = list(run)
    return found


def fetched(url: str, folder: Path, **options: Any) -> Fetched:
    """Download one file, which must succeed."""
    found = outcome([url], folder, **options)
    assert isinstance(found, Success), found
    assert isinstance(found.value, Fetched)
    return found.value


def test_segments_bring_the_file_in_place(tmp_path: Path, how: dict[str, Any]) -> None:
    """Each request names its range and the version; the file is made of them, and nothing is left beside it."""
    with Stage(Slow(3, Together(3))) as stage:
        value = fetched(stage.url + "f", tmp_path, **how)
        ranges = [asked for asked in stage.asked if asked.range]
        assert len(ranges) == 3
        assert {asked.if_range for asked in ranges} == {'"old"'}
        assert all(asked.last is not None for asked in ranges)
    assert (tmp_path / "f").read_bytes() == OLD
    assert (value.bytes, value.resumed, value.segments, value.etag) == (SIZE, 0, 4, '"old"')
    assert value.received >= SIZE
    assert not list(tmp_path.glob(".*.part*"))


def ignore(asked: Asked) -> None:
    """Send all of it, whatever was asked for."""
    asked.reply(200, OLD, ETag='"old"')


def refuse(asked: Asked) -> None:
    """Ask for fewer connections."""
    asked.reply(503, b"busy", Retry_After="9")


def forbid(asked: Asked) -> None:
    """Serve a link that works once."""
    asked.reply(403, b"used")


def wrap(asked: Asked) -> None:
    """Send a range in an envelope."""
    asked.reply(206, b"--x", ETag='"old"', Content_Type="multipart/byteranges; boundary=x")


def break_off(asked: Asked) -> None:
    """Send a part of the range."""
    end = (asked.last or 0) + 1
    span = f"bytes {asked.first}-{end - 1}/{SIZE}"
    asked.reply(206, OLD[asked.first : end], cut=1000, ETag='"old"', Content_Range=span)


def wrong_place(asked: Asked) -> None:
    """Send a range, but not the one asked for."""
    first, end = asked.first - 10, (asked.last or 0) + 1
    asked.reply(206, OLD[first:end], ETag='"old"', Content_Range=f"bytes {first}-{end - 1}/{SIZE}")


@pytest.mark.parametrize("answer", [ignore, refuse, forbid, wrap, wrong_place])
def test_one_connection_goes_on_alone_when_others_get_nothing(tmp_path: Path, answer: Callable[[Asked], None]) -> None:
    """A server that knows no ranges, or has enough of us, costs the requests and no more: nothing starts again."""
    with Stage(Slow(1, answer)) as stage:
        value = fetched(stage.url + "f", tmp_path, **ONE)
        assert sum(asked.range is None for asked in stage.asked) == 1
    assert (tmp_path / "f").read_bytes() == OLD
    assert (value.segments, value.received) == (1, SIZE)


def test_the_rest_is_brought_when_a_segment_breaks_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one connection leaves, one of the others brings, in the same attempt."""
    release, given_up = SegmentMap.release, threading.Event()

    def release_and_say_so(self: SegmentMap, span: Span) -> None:
        release(self, span)
        given_up.set()

    def continue_then(asked: Asked) -> None:
        given_up.wait(PATIENCE)  # would the others end before it is known, nobody were left to bring the rest
        good(asked)

    def one_breaks_off(asked: Asked) -> None:
        next(answers, continue_then)(asked)

    answers = iter([break_off])
    monkeypatch.setattr(SegmentMap, "release", release_and_say_so)
    with Stage(Slow(3, one_breaks_off)) as stage:
        assert fetched(stage.url + "f", tmp_path, **ONE).bytes == SIZE
        assert [asked.range is None for asked in stage.asked] == [True, *[False] * 4]
    assert (tmp_path / "f").read_bytes() == OLD


@pytest.mark.parametrize("heeds", [True, False])
def test_all_is_fetched_again_when_the_file_changes_meanwhile(tmp_path: Path, how: dict[str, Any], heeds: bool) -> None:
    """Old and new bytes are never put together, whether or not the server heeds If-Range; one connection, then."""

    def changed(asked: Asked) -> None:
        stage.scene = renewed
        renewed(asked)

    def renewed(asked: Asked) -> None:
        asked.if_range = asked.if_range if heeds else None
        asked.serve(NEW, '"new"')

    with Stage(Slow(1, changed, waits=True)) as stage:
        value = fetched(stage.url + "f", tmp_path, **how)
    assert (tmp_path / "f").read_bytes() == NEW
    assert (value.etag, value.segments) == ('"new"', 1)
    assert not list(tmp_path.glob(".*.part*"))


def other_total(asked: Asked) -> None:
    """Send the range of a longer file."""
    first, end = asked.first, (asked.last or 0) + 1
    asked.reply(206, OLD[first:end], ETag='"old"', Content_Range=f"bytes {first}-{end - 1}/{SIZE + 1}")


def test_all_is_fetched_again_when_a_range_is_of_a_longer_file(tmp_path: Path) -> None:
    """A server that contradicts itself is asked for everything, once, in one piece."""

    def contradict(asked: Asked) -> None:
        stage.scene = ignore
        other_total(asked)

    with Stage(Slow(1, contradict, waits=True)) as stage:
        assert fetched(stage.url + "f", tmp_path, **ONE).segments == 1
        assert len([asked for asked in stage.asked if asked.range is None]) == 2
    assert (tmp_path / "f").read_bytes() == OLD


def test_segments_are_resumed_where_each_was(tmp_path: Path, how: dict[str, Any]) -> None:
    """All connections break off; the next run asks for what is missing, and for nothing else."""

    def cut(asked: Asked) -> None:
        end = (asked.last or 0) + 1
        span = f"bytes {asked.first}-{end - 1}/{SIZE}"
        asked.reply(206, OLD[asked.first : end], cut=100_000, ETag='"old"', Content_Range=span)

    class First(Slow):
        def lead(self, asked: Asked) -> None:
            asked.reply(200, OLD, cut=START, ETag='"old"')
            self.halt()

    with Stage(First(3, cut)) as stage:
        assert isinstance(outcome([stage.url + "f"], tmp_path, **how), Failure)
        (note,) = tmp_path.glob(".*.json")
        spans = json.loads(note.read_text())["spans"]
        here = sum(done - start for start, done, _ in spans)
        assert len(spans) > 1
        assert here >= START + 3 * 100_000
        stage.asked.clear()
        stage.scene = good
        value = fetched(stage.url + "f", tmp_path, **how)
        assert all(asked.range and asked.if_range == '"old"' for asked in stage.asked)
    assert (tmp_path / "f").read_bytes() == OLD
    assert (value.resumed, value.bytes) == (here, SIZE)
    assert value.received < SIZE
    assert not list(tmp_path.glob(".*.part*"))


def test_holes_are_filled_by_one_connection_when_only_one_is_allowed(tmp_path: Path) -> None:
    """A part with holes is never taken for one that is whole up to its size."""
    with Stage(good) as stage:
        url = stage.url + "f"
        lay(tmp_path, url, [(0, 1_000_000, 2_000_000), (2_000_000, 2_500_000, SIZE)])
        (found,) = toolkit.download.stream([url], tmp_path, segments=1, **ONE)
        assert isinstance(found, Success), found
        assert [asked.range for asked in stage.asked] == ["bytes=1000000-1999999", f"bytes=2500000-{SIZE - 1}"]
    assert (tmp_path / "f").read_bytes() == OLD


@pytest.mark.parametrize("answer", ["changed", "ignored", "gone"])
def test_holes_are_not_filled_from_another_file(tmp_path: Path, answer: str) -> None:
    """The part is given up where the server has no more of it."""
    body, etag = (NEW, '"new"') if answer == "changed" else (OLD, '"old"')

    def scene(asked: Asked) -> None:
        if answer == "gone" and asked.range:
            asked.reply(416, Content_Range="bytes */10")
        elif answer == "ignored":
            asked.reply(200, body, ETag=etag)
        else:
            asked.serve(body, etag)

    with Stage(scene) as stage:
        url = stage.url + "f"
        lay(tmp_path, url, [(0, 1_000_000, 2_000_000), (2_000_000, 2_500_000, SIZE)])
        assert fetched(url, tmp_path, **ONE).resumed == 0
    assert (tmp_path / "f").read_bytes() == body


def lay(folder: Path, url: str, spans: list[tuple[int, int, int]]) -> None:
    """Leave a part with holes, as a run that was killed would; what is not there is rubbish."""
    from toolkit.apps.download.part import Part
    from toolkit.apps.download.resume import Partial

    part = Part(folder, url)
    file = bytearray(b"?" * SIZE)
    for start, done, _ in spans:
        file[start:done] = OLD[start:done]
    part.path.write_bytes(file)
    part.remember(Partial(url, '"old"', SIZE, spans=tuple(spans)))


def test_a_checksum_is_verified_over_all_segments(tmp_path: Path) -> None:
    """The file is read again once it is there."""
    good_sum = f"sha256:{hashlib.sha256(OLD).hexdigest()}"
    bad_sum = f"sha256:{hashlib.sha256(NEW).hexdigest()}"
    for name, digest in (("good", good_sum), ("bad", bad_sum)):
        with Stage(Slow(3, good)) as stage:
            lines = tmp_path / f"{name}.csv"
            lines.write_text(f"url,checksum\n{stage.url}{name},{digest}\n")
            found = outcome([str(lines)], tmp_path / "out", **ONE)
        if name == "good":
            assert isinstance(found, Success), found
            assert (found.value.checksum, found.value.verified) == (good_sum, "checksum")
        else:
            assert isinstance(found, Failure)
            assert (found.kind, found.retryable) == ("checksum", False)
            assert not (tmp_path / "out" / "bad").exists()
            assert not list((tmp_path / "out").glob(".*.part*"))
