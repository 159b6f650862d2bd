"""A part of an earlier run, and a server that has its own ideas: the six scenarios, under every model and client."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

import toolkit
from tests.apps.download.stage import Asked, Stage
from toolkit import clients
from toolkit.core import plugins
from toolkit.core.errors import MissingExtra

SIZE = 1_200_000
CUT = 700_000
OLD = random.Random(1).randbytes(SIZE)
NEW = random.Random(2).randbytes(SIZE + 5)
SHORT = OLD[: SIZE // 2]
COMBINATIONS = [
    (model, client)
    for model in ("sequential", "threads", "processes")
    for client in ("requests", "curl")
] + [("asyncio", "aiohttp")]  # fmt: skip


def first_act(asked: Asked) -> None:
    """Every body breaks off."""
    asked.reply(200, OLD, cut=CUT, ETag='"old"')


def ignores_ranges(asked: Asked) -> None:
    """S1: the answer to a range is all of it."""
    asked.reply(200, OLD, ETag='"old"')


def has_changed(asked: Asked) -> None:
    """S2: the object is another now, and the server knows If-Range."""
    asked.serve(NEW, '"new"')


def has_changed_unasked(asked: Asked) -> None:
    """S2: the same, but the server heeds no If-Range."""
    asked.if_range = None
    asked.serve(NEW, '"new"')


def is_complete(asked: Asked) -> None:
    """S3: nothing is left to send."""
    asked.serve(OLD, '"old"')


def has_shrunk(asked: Asked) -> None:
    """S4: more is here than there."""
    asked.if_range = None
    if asked.range is not None:
        asked.reply(416, Content_Range=f"bytes */{len(SHORT)}")
    else:
        asked.serve(SHORT, '"short"')


def begins_elsewhere(asked: Asked) -> None:
    """S5: a range, but another than was asked for."""
    if asked.range is None:
        asked.reply(200, OLD, ETag='"old"')
    else:
        first = asked.first + 1000
        asked.reply(206, OLD[first:], ETag='"old"', Content_Range=f"bytes {first}-{SIZE - 1}/{SIZE}")


def begins_at_the_start(asked: Asked) -> None:
    """S5: the range from byte 0."""
    asked.reply(206 if asked.range else 200, OLD, ETag='"old"', Content_Range=f"bytes 0-{SIZE - 1}/{SIZE}")


def sends_parts(asked: Asked) -> None:
    """S5: the range as one of several, in an envelope."""
    if asked.range is None:
        asked.reply(200, OLD, ETag='"old"')
    else:
        asked.reply(206, b"--x\r\n" + OLD[CUT:], Content_Type="multipart/byteranges; boundary=x", ETag='"old"')


class BreaksAgain:
    """S6: the rest breaks off once more, and comes at the third time."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, asked: Asked) -> None:
        """Answer one request."""
        self.times += 1
        if self.times == 1:
            span = f"bytes {asked.first}-{SIZE - 1}/{SIZE}"
            asked.reply(206, OLD[asked.first :], cut=200_000, ETag='"old"', Content_Range=span)
        else:
            asked.serve(OLD, '"old"')


class IsDown:
    """The server has an error first: what is here is kept."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, asked: Asked) -> None:
        """Answer one request."""
        self.times += 1
        if self.times == 1:
            asked.reply(503, b"not now")
        else:
            asked.serve(OLD, '"old"')


def scenes() -> dict[str, tuple[Any, bytes, int]]:
    """Return by path: how the second act goes, what must come, and how many requests it takes."""
    return {
        "/s1": (ignores_ranges, OLD, 1),
        "/s2": (has_changed, NEW, 1),
        "/s2-unasked": (has_changed_unasked, NEW, 2),
        "/s3": (is_complete, OLD, 1),
        "/s4": (has_shrunk, SHORT, 2),
        "/s5": (begins_elsewhere, OLD, 2),
        "/s5-start": (begins_at_the_start, OLD, 1),
        "/s5-parts": (sends_parts, OLD, 2),
        "/s6": (BreaksAgain(), OLD, 2),
        "/s7": (IsDown(), OLD, 2),
    }


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=COMBINATIONS, ids="-".join)
def how(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the options of each model with each of its clients."""
    model, client = request.param
    try:
        plugins.load(clients.__name__, client, "CLIENT")
    except MissingExtra as missing:
        pytest.skip(str(missing))
    return {"model": model, "client": client, "workers": 1 if model == "sequential" else 4}


def parts(folder: Path) -> list[Path]:
    return sorted(folder.glob(".*.part"))


def test_every_scenario_ends_with_the_right_bytes(tmp_path: Path, how: dict[str, Any]) -> None:
    """Whatever a server answers to the request for the rest: the file is whole and of one version, or not there."""
    acts = scenes()
    with Stage(first_act) as stage:
        urls = [stage.url + path[1:] for path in acts]
        done = toolkit.download(urls, tmp_path, retries=0, **how)
        assert done.failed == {"truncated": len(acts)}
        assert len(parts(tmp_path)) == len(acts)
        assert not [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
        of_s3 = next(note for note in tmp_path.glob(".*.json") if "/s3" in note.read_text())
        with open(str(of_s3).removesuffix(".json"), "ab") as part:  # killed after the last byte, before the name
            part.write(OLD[CUT:])
        stage.asked.clear()
        stage.scene = lambda asked: acts[asked.path][0](asked)
        done = toolkit.download(urls, tmp_path, retries=1, **how)
        assert (done.failed, done.succeeded) == ({}, len(acts))
        for path, (_, body, requests) in acts.items():
            assert (tmp_path / path[1:]).read_bytes() == body, path
            asked = stage.of(path)
            assert len(asked) == requests, path
            assert (asked[0].first, asked[0].fields["if-range"]) == (SIZE if path == "/s3" else CUT, '"old"'), path
        assert [asked.first for asked in stage.of("/s6")] == [CUT, CUT + 200_000]
        assert [asked.first for asked in stage.of("/s7")] == [CUT, CUT]
        assert not list(tmp_path.glob(".*.part*"))


@pytest.mark.parametrize("how", [pair for pair in COMBINATIONS if pair[0] != "processes"], ids="-".join, indirect=True)
def test_a_server_that_dies_in_the_middle_costs_no_bytes(tmp_path: Path, how: dict[str, Any]) -> None:
    """It breaks off and is gone, and then is back: the rest comes, and only the rest."""

    def die(asked: Asked) -> None:
        asked.reply(200, OLD, cut=CUT, ETag='"old"')
        stage.scene = lambda asked: asked.hang_up()

    with Stage(die) as stage:
        assert toolkit.download([stage.url + "f"], tmp_path, retries=0, **how).failed == {"truncated": 1}
        stage.die()
        assert toolkit.download([stage.url + "f"], tmp_path, retries=0, **how).failed == {"connect": 1}
        stage.start()
        stage.scene = lambda asked: asked.serve(OLD, '"old"')
        assert toolkit.download([stage.url + "f"], tmp_path, retries=0, **how).succeeded == 1
        assert (tmp_path / "f").read_bytes() == OLD
        assert stage.asked[-1].range == f"bytes={CUT}-"
        assert not list(tmp_path.glob(".*.part*"))
