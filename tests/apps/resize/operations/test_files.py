"""Files of operations are known by what they hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from toolkit.apps.resize.operations.files import parse_file
from toolkit.core.errors import FailureKind, TaskError


def test_file_when_it_is_elsewhere_or_holds_something_else(tmp_path: Path) -> None:
    """What is said of a file for the settings changes with its content alone."""
    one, same, other = (tmp_path / name for name in "abc")
    one.write_bytes(b"1")
    same.write_bytes(b"1")
    other.write_bytes(b"2")
    assert repr(parse_file(str(one))) == repr(parse_file(str(same))) != repr(parse_file(str(other)))


def test_file_when_it_changes_after_the_options_were_read(tmp_path: Path) -> None:
    """No picture is made with another file than was asked for, and none with none."""
    path = tmp_path / "a"
    path.write_bytes(b"1")
    file = parse_file(str(path))
    assert file.content() == b"1"
    path.write_bytes(b"2")
    with pytest.raises(TaskError, match="has changed since the run began") as caught:
        file.content()
    assert caught.value.kind is FailureKind.INPUT
    path.unlink()
    with pytest.raises(TaskError, match="cannot be read: No such file"):
        file.content()


def test_file_by_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found from any folder later on; `~` is the home folder, for shells leave it in the middle of a word."""
    (tmp_path / "a").write_bytes(b"1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert Path(parse_file("a").path) == Path(parse_file("~/a").path) == tmp_path / "a"


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A folder, a missing file, a name that cannot be, and a pipe that nobody writes to are told, not waited for."""
    for text, words in [(str(tmp_path), "is not a file"), (str(tmp_path / "no"), "No such file"), ("a\0b", "null")]:
        with pytest.raises(ValueError, match=words):
            parse_file(text)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(ValueError, match="is not a file"):
            parse_file(str(tmp_path / "pipe"))


def test_file_that_is_huge(tmp_path: Path) -> None:
    """It is refused before it fills the memory."""
    with open(tmp_path / "a", "wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)
    with pytest.raises(ValueError, match="larger than 64 MB"):
        parse_file(str(tmp_path / "a"))
