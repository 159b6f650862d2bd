"""Who brings which bytes, and when another connection pays: pure decisions."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.apps.download.segments import LEAST, Pace, SegmentMap, Span

MIB = 1024 * 1024


def whole(total: int) -> tuple[SegmentMap, Span]:
    """Return the map of a file whose first stream is under way."""
    segments = SegmentMap([(0, 0, total)])
    return segments, segments.first()


def test_take_gives_half_of_the_most_work() -> None:
    """Each newcomer halves what is largest; below two requests' worth nobody is helped."""
    segments, first = whole(8 * MIB)
    segments.advance(first, 2 * MIB, 8 * MIB)
    second = segments.take()
    assert second is not None
    assert (second.start, second.end, first.end) == (5 * MIB, 8 * MIB, 5 * MIB)
    third = segments.take()
    assert third is not None
    middle = 7 * MIB // 2
    assert segments.snapshot() == ((0, 2 * MIB, middle), (middle, middle, 5 * MIB), (5 * MIB, 5 * MIB, 8 * MIB))
    assert whole(2 * LEAST - 1)[0].take() is None


def test_a_stream_goes_on_into_what_nobody_has_begun() -> None:
    """A server that never answers the second request costs nothing."""
    segments, first = whole(8 * MIB)
    second = segments.take()
    assert second is not None
    assert not segments.advance(first, 6 * MIB, 8 * MIB)
    assert segments.snapshot() == ((0, 6 * MIB, 8 * MIB),)
    assert not segments.confirm(second), "it comes too late"
    assert not segments.advance(first, 2 * MIB, 8 * MIB)
    assert segments.left == 0


def test_a_stream_stops_where_another_has_begun() -> None:
    """And what the kernel wrote beyond that is not counted twice."""
    segments, first = whole(8 * MIB)
    second = segments.take()
    assert second is not None
    assert segments.confirm(second)
    assert segments.advance(first, 5 * MIB, 8 * MIB)
    assert (segments.here, segments.received) == (4 * MIB, 5 * MIB)
    assert not segments.advance(second, 4 * MIB, 8 * MIB)
    assert segments.left == 0


def test_what_a_stream_leaves_is_taken_by_another() -> None:
    """A range that broke off in the middle waits, from where it stopped."""
    segments, first = whole(8 * MIB)
    second = segments.take()
    assert second is not None
    segments.confirm(second)
    segments.advance(second, MIB, 8 * MIB)
    segments.release(second)
    assert segments.advance(first, 4 * MIB, 8 * MIB), "it has been begun: the first stream does not go on into it"
    again = segments.take()
    assert again is second
    assert (again.done, again.end) == (5 * MIB, 8 * MIB)


def test_a_stream_whose_own_reply_ends_does_not_go_on() -> None:
    """Its connection has no more bytes, whoever should bring them."""
    segments = SegmentMap([(0, 0, 2 * MIB), (2 * MIB, 2 * MIB, 4 * MIB)])
    first = segments.take()
    assert first is not None
    assert not segments.advance(first, 2 * MIB, 2 * MIB)
    assert segments.snapshot()[0] == (0, 2 * MIB, 2 * MIB)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 1000), st.integers(0, 2**32))
def test_every_byte_is_brought_whatever_the_streams_do(total: int, seed: int) -> None:
    """Streams come, go, break off and are overtaken: at every moment there is no gap, at the end no byte is missing."""
    draw = random.Random(seed)
    segments, first = whole(total)
    file = bytearray(total)
    streams = {first: total}
    for _ in range(20_000):
        if not segments.left:
            break
        if (not streams or draw.random() < 0.3) and len(streams) < 5 and (span := segments.take(5)) is not None:
            streams[span] = span.end
        span = draw.choice(list(streams))
        if not span.sure and not segments.confirm(span):
            segments.release(span)
            del streams[span]
            continue
        at = span.done
        came = min(draw.randrange(1, 40), streams[span] - at)
        stop = segments.advance(span, came, streams[span])
        file[at : at + came] = b"x" * came
        if stop or not span.left or draw.random() < 0.05:
            segments.release(span)
            del streams[span]
        spans = segments.snapshot()
        assert (spans[0][0], spans[-1][2]) == (0, total)
        assert all(one[2] == two[0] for one, two in pairwise(spans))
        assert segments.here == sum(done - start for start, done, _ in spans)
        assert all(file.count(b"x", start, done) == done - start for start, done, _ in spans)
    assert segments.left == 0
    assert bytes(file) == b"x" * total


def play(most: int, *, auto: bool, speeds: dict[int, float], total: float, until: float = 60.0) -> int:
    """Run a transfer whose speed depends on the number of connections; return how many there are in the end."""
    pace = Pace(most, auto=auto, now=0.0, done=0)
    now, done, opened = 0.0, 0.0, 1
    while done < total and now < until:
        now += 0.05
        done += speeds.get(opened, speeds[max(speeds)]) * 0.05
        opened += pace.more(now, int(done), int(total - done))
    return opened


@pytest.mark.parametrize(
    ("speeds", "most", "opened"),
    [
        ({1: 20.0, 2: 40.0, 4: 80.0, 8: 160.0}, 8, 8),
        ({1: 20.0, 2: 40.0, 4: 41.0}, 8, 4),  # 4 pay no more than 2 did: no further ones
        ({1: 20.0, 2: 21.0}, 8, 2),
        ({1: 20.0, 2: 40.0, 3: 60.0}, 3, 3),
        ({1: 20.0}, 1, 1),
        ({1: 1000.0}, 8, 1),  # over before it could pay
    ],
)
def test_pace_opens_connections_only_while_they_pay(speeds: dict[int, float], most: int, opened: int) -> None:
    """Each step must raise the speed by a fifth; the end in sight, none is taken."""
    assert play(most, auto=True, speeds=speeds, total=1000.0) == opened


def test_pace_opens_all_when_the_user_says_how_many() -> None:
    """At once, and once."""
    pace = Pace(4, auto=False, now=0.0, done=0)
    assert (pace.more(0.0, 1, 100), pace.more(9.0, 2, 99)) == (3, 0)
