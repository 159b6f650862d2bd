"""Several addresses of one file: the next one helps where the first does not, and bytes are never mixed unproven."""

from __future__ import annotations

import hashlib
import random
import threading
from pathlib import Path
from typing import Any

import pytest

import toolkit
from tests.apps.download.stage import Asked, Stage
from toolkit.apps.download.fetch import Fetched
from toolkit.core.task import Failure, Outcome, Success

SIZE = 5_000_000
GOOD = random.Random(11).randbytes(SIZE)
BAD = random.Random(12).randbytes(SIZE)
DIGEST = f"sha256:{hashlib.sha256(GOOD).hexdigest()}"
PIECE = 1_000_000
PIECES = [hashlib.sha1(GOOD[at : at + PIECE]).hexdigest() for at in range(0, SIZE, PIECE)]
START = 300_000
PATIENCE = 10.0

CLIENTS = [("threads", "requests"), ("threads", "curl"), ("asyncio", "aiohttp")]


@pytest.fixture(params=CLIENTS, ids="-".join)
def how(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the options of each client."""
    model, client = request.param
    if client == "curl":
        pytest.importorskip("pycurl")
    return {"model": model, "client": client, "workers": 8, "retries": 0}


ONE: dict[str, Any] = {"model": "threads", "client": "requests", "workers": 8, "retries": 0}


def scene(asked: Asked) -> None:
    """Serve the right file, another one, or none, as the path says."""
    match asked.path.split("/")[1]:
        case "good" | "same":
            asked.serve(GOOD, '"good"')
        case "dated":
            asked.serve(GOOD, "", Last_Modified="Sat, 01 Mar 2025 10:00:00 GMT")
        case "bad":
            asked.serve(BAD, '"bad"')
        case "down":
            asked.hang_up()
        case "short":
            asked.reply(200, GOOD, cut=2_000_000, ETag='"good"')
        case status:
            asked.reply(int(status), b"no")


def download(stage: Stage, folder: Path, *paths: str, options: dict[str, Any], **columns: str) -> Outcome:
    """Return what became of a row with these addresses."""
    addresses = [path if "://" in path else stage.url + path + "/f" for path in paths]
    columns = {"url": addresses[0], "mirrors": " ".join(addresses[1:]), **columns}
    values = ",".join(f'"{value}"' for value in columns.values())
    (folder / "list.csv").write_text(f"{','.join(columns)}\n{values}\n")
    (found,) = list(toolkit.download.stream([str(folder / "list.csv")], folder / "out", **options))
    return found


def fetched(stage: Stage, folder: Path, *paths: str, options: dict[str, Any], **columns: str) -> Fetched:
    """Download a row, which must succeed and leave nothing beside the file."""
    found = download(stage, folder, *paths, options=options, **columns)
    assert isinstance(found, Success), found
    assert isinstance(found.value, Fetched)
    assert not list((folder / "out").glob(".*.part*"))
    return found.value


def asked_for(stage: Stage) -> list[tuple[str, str | None]]:
    """Return the mirrors that were asked, and the ranges."""
    return [(asked.path.split("/")[1], asked.range) for asked in stage.asked]


@pytest.mark.parametrize("first", ["down", "404", "410", "503"])
def test_the_next_mirror_is_asked_when_one_has_no_file(tmp_path: Path, how: dict[str, Any], first: str) -> None:
    """In the same attempt, whatever it says."""
    with Stage(scene) as stage:
        assert fetched(stage, tmp_path, first, "500", "good", options=how).bytes == SIZE
        assert [path for path, _ in asked_for(stage)] == [first, "500", "good"]
    assert (tmp_path / "out" / "f").read_bytes() == GOOD


def test_the_next_mirror_is_asked_when_nobody_is_there(tmp_path: Path, how: dict[str, Any]) -> None:
    """At a port at which nobody listens."""
    with Stage(scene) as stage, Stage(scene) as gone:
        gone.die()
        assert fetched(stage, tmp_path, f"{gone.url}f", "good", options=how).bytes == SIZE


def test_the_next_mirror_is_asked_when_one_has_another_file(tmp_path: Path, how: dict[str, Any]) -> None:
    """The checksum tells; a second look at the first one is all that it gets."""
    with Stage(scene) as stage:
        assert fetched(stage, tmp_path, "bad", "good", options=how, checksum=DIGEST).verified == "checksum"
        assert [path for path, _ in asked_for(stage)] == ["bad", "bad", "good"]
    assert (tmp_path / "out" / "f").read_bytes() == GOOD


def test_a_mirror_brings_the_rest_when_it_has_the_same_version(tmp_path: Path, how: dict[str, Any]) -> None:
    """What the first one sent is not thrown away."""
    with Stage(scene) as stage:
        assert fetched(stage, tmp_path, "short", "same", options=how).resumed == 2_000_000
        assert asked_for(stage) == [("short", None), ("same", "bytes=2000000-")]
        assert stage.asked[1].if_range == '"good"'
    assert (tmp_path / "out" / "f").read_bytes() == GOOD


def test_a_mirror_with_another_version_is_passed_over_while_a_good_part_is_here(tmp_path: Path) -> None:
    """And never mixed with it; a third that agrees brings the rest."""
    with Stage(scene) as stage:
        assert fetched(stage, tmp_path, "short", "bad", "good", options=ONE).resumed == 2_000_000
        assert [path for path, _ in asked_for(stage)] == ["short", "bad", "good"]
    assert (tmp_path / "out" / "f").read_bytes() == GOOD


def test_a_date_alone_says_nothing_of_another_server(tmp_path: Path) -> None:
    """Two servers may have written different files in the same second: all of it is fetched from the second one."""

    def cut_first(asked: Asked) -> None:
        if asked.path.startswith("/first"):
            asked.reply(200, BAD, cut=2_000_000, Last_Modified="Sat, 01 Mar 2025 10:00:00 GMT")
        else:
            asked.serve(GOOD, "Sat, 01 Mar 2025 10:00:00 GMT", Last_Modified="Sat, 01 Mar 2025 10:00:00 GMT")

    with Stage(cut_first) as stage:
        assert fetched(stage, tmp_path, "first", "second", options=ONE).resumed == 0
        assert asked_for(stage) == [("first", None), ("second", None)]
    assert (tmp_path / "out" / "f").read_bytes() == GOOD


def test_the_failure_is_that_of_all_mirrors(tmp_path: Path) -> None:
    """One that may pass is told, and tried again; else the first."""
    with Stage(scene) as stage:
        found = download(stage, tmp_path, "404", "410", options=ONE)
        assert isinstance(found, Failure)
        assert (found.retryable, "404" in found.message) == (False, True)
        found = download(stage, tmp_path, "404", "503", options={**ONE, "fresh": True})
        assert isinstance(found, Failure)
        assert (found.retryable, found.message.startswith("a mirror: HTTP 503")) == (True, True)


class Halting:
    """The whole file at "lead", which halts after its beginning until so many ranges have been answered elsewhere."""

    def __init__(self, ranges: int) -> None:
        self._all_asked = threading.Barrier(ranges)
        self._to_ask = self._left = ranges
        self._lock = threading.Lock()
        self._answered = threading.Event()

    def __call__(self, asked: Asked) -> None:
        """Answer one request."""
        if asked.path.startswith("/lead") and asked.range is None and not self._answered.is_set():
            handler = asked._handler
            handler.send_response_only(200)
            for name, value in {"Content-Length": str(SIZE), "ETag": '"good"'}.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(GOOD[:START])
            handler.wfile.flush()
            self._answered.wait(PATIENCE)
            handler.wfile.write(GOOD[START:])
            return
        with self._lock:
            self._to_ask -= 1
            waits = self._to_ask >= 0
        if waits:
            self._all_asked.wait(PATIENCE)
        try:
            if asked.path.startswith("/lead"):
                asked.serve(GOOD, '"good"')
            else:
                scene(asked)
        finally:
            with self._lock:
                self._left -= 1
            if not self._left:
                self._answered.set()


def segmented(stage: Stage, folder: Path, *paths: str, **columns: str) -> Fetched:
    """Download a row over four connections."""
    return fetched(stage, folder, *paths, options={**ONE, "segments": 4}, **columns)


def test_segments_come_from_mirrors_that_have_the_same_version(tmp_path: Path) -> None:
    """Each request names it."""
    with Stage(Halting(3)) as stage:
        assert segmented(stage, tmp_path, "lead", "same").segments > 1
        others = [asked for asked in stage.asked if asked.path.startswith("/same")]
        assert others
        assert all(asked.range and asked.if_range == '"good"' for asked in others)
    assert (tmp_path / "out" / "f").read_bytes() == GOOD


@pytest.mark.parametrize("other", ["bad", "dated"])
def test_segments_never_come_from_a_mirror_that_may_have_another_file(tmp_path: Path, other: str) -> None:
    """All streams find out at the same time: none of its bytes is kept, and the first server brings the file."""
    with Stage(Halting(3)) as stage:
        assert segmented(stage, tmp_path, "lead", other).bytes == SIZE
        assert sum(path == "lead" and span is None for path, span in asked_for(stage)) == 1
    assert (tmp_path / "out" / "f").read_bytes() == GOOD


def test_segments_that_are_here_outlive_a_mirror_with_another_version(tmp_path: Path) -> None:
    """It is passed over, as where there are none; what is missing comes when there is somebody to bring it."""
    mended, ranges = threading.Event(), threading.Event()

    def break_off(asked: Asked) -> None:
        if mended.is_set() or not asked.path.startswith("/good"):
            scene(asked)
        elif asked.range is None:
            asked.reply(200, GOOD, cut=START, ETag='"good"', then=ranges)
        else:
            span = f"bytes {asked.first}-{asked.last}/{SIZE}"
            asked.reply(
                206, GOOD[asked.first : (asked.last or SIZE) + 1], cut=50_000, ETag='"good"', Content_Range=span
            )
            ranges.set()

    with Stage(break_off) as stage:
        how = {**ONE, "segments": 4}
        found = download(stage, tmp_path, "good", "bad", options=how)
        assert isinstance(found, Failure), found
        assert not (tmp_path / "out" / "f").exists()
        mended.set()
        assert fetched(stage, tmp_path, "good", "bad", options={**how, "fresh": True}).resumed > START
    assert (tmp_path / "out" / "f").read_bytes() == GOOD


def test_a_checksum_judges_segments_of_mirrors_without_a_validator(tmp_path: Path) -> None:
    """Where there is one, the mirrors need no ETag; if it does not agree, one server brings all of it."""
    for number, other in enumerate(("dated", "bad")):
        (folder := tmp_path / str(number)).mkdir()
        with Stage(Halting(3)) as stage:
            assert segmented(stage, folder, "lead", other, checksum=DIGEST).verified == "checksum"
            assert sum(path == "lead" and span is None for path, span in asked_for(stage)) == 1 + number
        assert (folder / "out" / "f").read_bytes() == GOOD


def damaged(asked: Asked) -> None:
    """Serve the file with a bad byte in the third piece, and one in the last; ranges are right."""
    body = bytearray(GOOD)
    if asked.range is None:
        body[2 * PIECE + 7] ^= 1
        body[-1] ^= 1
    asked.serve(bytes(body), '"1"')


def test_bad_pieces_are_fetched_again_alone(tmp_path: Path, how: dict[str, Any]) -> None:
    """Those ranges, and no other byte."""
    for number, columns in enumerate(({}, {"checksum": DIGEST})):
        (folder := tmp_path / str(number)).mkdir()
        with Stage(damaged) as stage:
            pieces = f"sha1:{PIECE}:{','.join(PIECES)}"
            value = fetched(stage, folder, "x", options={**how, "segments": 1}, pieces=pieces, **columns)
            assert [span for _, span in asked_for(stage)] == [
                None,
                "bytes=2000000-2999999",
                f"bytes=4000000-{SIZE - 1}",
            ]
        assert (value.verified, value.received) == ("checksum", SIZE + 2 * PIECE)
        assert (folder / "out" / "f").read_bytes() == GOOD


def test_pieces_that_stay_bad_are_no_file(tmp_path: Path) -> None:
    """They are fetched again once, then everything once; then it is a failure, and nothing is left."""
    wrong = [*PIECES[:2], "0" * 40, *PIECES[3:]]
    with Stage(damaged) as stage:
        pieces = f"sha1:{PIECE}:{','.join(wrong)}"
        found = download(stage, tmp_path, "x", options={**ONE, "segments": 1}, pieces=pieces)
        assert isinstance(found, Failure)
        assert (found.kind, found.message) == ("checksum", "1 of 5 pieces are not the right ones")
        assert sum(span is None for _, span in asked_for(stage)) == 2
    assert not list((tmp_path / "out").glob(".*.part*"))
    assert not (tmp_path / "out" / "f").exists()
