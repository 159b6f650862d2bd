"""Memory stays the same, however long a list is."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from toolkit.core.lists import read_urls


def urls(count: int) -> Iterator[str]:
    return (f"http://h{n % 50}.example.org/{n}" for n in range(count))


def texts(count: int) -> Iterator[str]:
    yield from (f"{url}\n" for url in urls(count))


def rows(count: int) -> Iterator[str]:
    yield "id,url,note\n"
    yield from (f'{n},{url},"a\nb"\n' for n, url in enumerate(urls(count)))


def array(count: int) -> Iterator[str]:
    yield '{"a": 1, "b": [""'
    yield from (", " + json.dumps({"url": url, "n": 1}) for url in urls(count))
    yield "]}"


def files(count: int) -> Iterator[str]:
    yield "<metalink>"
    yield from (f"<file name='x'><size>1</size><url>{url}</url></file>" for url in urls(count))
    yield "</metalink>"


def peak(path: Path) -> int:
    """Return the most bytes that Python held while it read a list."""
    tracemalloc.start()
    try:
        assert sum(line is not None for line in read_urls([str(path)])) >= 800
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("name", "write"), [("l.txt", texts), ("l.csv", rows), ("l.json", array), ("l.meta4", files), ("l.txt.gz", texts)]
)
def test_read_urls_takes_the_same_memory_when_a_list_is_long(
    tmp_path: Path, name: str, write: Callable[[int], Iterator[str]]
) -> None:
    """Ten times the entries cost no more than a buffer more, and neither costs megabytes."""
    path = tmp_path / name
    peaks = []
    for count in (800, 8_000):
        data = "".join(write(count)).encode()
        path.write_bytes(gzip.compress(data, 1) if name.endswith(".gz") else data)
        peaks.append(peak(path))
    assert peaks[1] - peaks[0] < 500_000  # the entries themselves would take some 3 MB
    assert max(peaks) < 2_500_000


def test_read_urls_takes_little_memory_when_a_line_unpacks_to_hundreds_of_times_its_size(tmp_path: Path) -> None:
    """A list of one line without end, compressed: the line is bad, and what is behind it is read."""
    path = tmp_path / "bomb.txt.gz"
    with gzip.open(path, "wb", 1) as file:
        for _ in range(20):
            file.write(b"x" * 1_000_000)
        file.write(b"\nhttp://h/" * 2_000)
    assert path.stat().st_size < 200_000
    assert peak(path) < 3_000_000
