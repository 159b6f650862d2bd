"""Digests: which outputs are equal, and what is the first that is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.compare.digests import difference, digests, overall

HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


def test_digests_when_files_lie_in_folders(tmp_path: Path) -> None:
    """Files are told apart by their relative name; ours, which begin with a dot, are left out."""
    (tmp_path / "sub" / ".hidden").mkdir(parents=True)
    (tmp_path / "sub" / "a.txt").write_bytes(b"hello")
    (tmp_path / "sub" / ".hidden" / "b.txt").write_bytes(b"hello")
    (tmp_path / ".toolkit.sqlite").write_bytes(b"store")
    assert digests(tmp_path) == {"sub/a.txt": HELLO}


def test_digests_when_rows_come_in_another_order(tmp_path: Path) -> None:
    """Rows are told apart by URL, so that their order says nothing."""
    one, two = tmp_path / "one", tmp_path / "two"
    lines = ['{"url": "http://a/", "title": "A"}', '{"url": "http://b/", "title": "B"}']
    for folder, order in ((one, lines), (two, lines[::-1])):
        folder.mkdir()
        (folder / "rows.jsonl").write_text("\n".join(order) + "\n", encoding="utf-8")
    ours, theirs = digests(one, "rows.jsonl"), digests(two, "rows.jsonl")
    assert list(ours) == ["http://a/", "http://b/"]
    assert ours == theirs
    assert overall(ours) == overall(theirs)
    assert digests(one) != digests(two)  # a file that was downloaded is its bytes, in their order


def test_digests_when_a_row_is_written_twice(tmp_path: Path) -> None:
    """The same row twice is not the same as once."""
    (tmp_path / "rows.jsonl").write_text('{"url": "http://a/"}\n{"url": "http://a/"}\n', encoding="utf-8")
    assert list(digests(tmp_path, "rows.jsonl")) == ["http://a/", "http://a/ #2"]


def test_digests_when_a_row_is_no_row(tmp_path: Path) -> None:
    """A line that cannot be read stands for itself."""
    (tmp_path / "rows.jsonl").write_text('not json\n{"no": "url"}\n', encoding="utf-8")
    assert list(digests(tmp_path, "rows.jsonl")) == ["rows.jsonl, line 1", "rows.jsonl, line 2"]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"a": "1", "b": "2"}, ""),
        ({"b": "2", "a": "1"}, ""),
        ({"a": "1", "b": "x"}, "'b' differs"),
        ({"b": "2"}, "'a' is missing"),
        ({"a": "1", "b": "2", "c": "3"}, "'c' is extra"),
        ({"a": "x", "c": "3"}, "'a' differs (and 2 more)"),
    ],
)
def test_difference_when_compared(other: dict[str, str], expected: str) -> None:
    """The first task that differs is named, in the order of names."""
    reference = {"a": "1", "b": "2"}
    assert difference(reference, other) == expected
    assert (overall(reference) == overall(other)) is (expected == "")


def test_overall_when_names_and_bytes_swap() -> None:
    """Two files that swap their bytes are another output."""
    assert overall({"a": "1", "b": "2"}) != overall({"a": "2", "b": "1"})
