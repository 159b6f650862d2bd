"""Lists as people keep them: odd files, slow pipes."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from toolkit.core.errors import UsageError
from toolkit.core.lists import COUNTED, LINE_LIMIT, Line, check_sources, count_urls, is_url, read_urls

CHILD = """
import sys
from toolkit.core.lists import check_sources, read_urls
last = ""
try:
    check_sources(["-"])
    for line in read_urls(["-"]):
        text = "nothing yet" if line is None else f"{line.where} {line.text}"
        if text != last:
            print(text, flush=True)
        last = text
    print("end")
except Exception as error:
    print(f"{type(error).__name__}: {error}")
"""


def texts(sources: Sequence[str | Path]) -> list[str]:
    return [line.text for line in read_urls([str(source) for source in sources]) if line is not None]


def reader(stdin: int) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", CHILD], stdin=stdin, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"\n\n  \n\t\n", []),
        (b"a", [("a", 1)]),
        (b"a\nb\n", [("a", 1), ("b", 2)]),
        (b"a\r\nb\r\n", [("a", 1), ("b", 2)]),
        (b"a\rb\r", [("a", 1), ("b", 2)]),
        (b"\xef\xbb\xbfa\nb", [("a", 1), ("b", 2)]),
        (b"\xef\xbb\xbf# c\na\n\xef\xbb\xbfb", [("a", 2), ("b", 3)]),
        (b"# c\n\n a \n#b\n  # d\nb # no comment\n", [("a", 3), ("b # no comment", 6)]),
        (b"http://h/\xc3\xa4#top\n", [("http://h/ä#top", 1)]),
        (b"\xff\xfd\x00\n\xe9\n", [("\udcff\udcfd\0", 1), ("\udce9", 2)]),
        ("http://h/\xe9\r\nhttp://h/2".encode("utf-16"), [("http://h/\xe9", 1), ("http://h/2", 2)]),
        (b"a\x0cb\x85\x1cc\n", [("a\x0cb\udc85\x1cc", 1)]),
    ],
)
def test_read_urls_when_a_file_is_odd(tmp_path: Path, content: bytes, lines: list[tuple[str, int]]) -> None:
    """Byte order marks, any line ends, comments and blank lines; a line's number is that of the editor."""
    file = tmp_path / "urls.txt"
    file.write_bytes(content)
    assert list(read_urls([str(file)])) == [Line(text, f"urls.txt:{number}") for text, number in lines]


@pytest.mark.parametrize("length", [LINE_LIMIT - 1, LINE_LIMIT, LINE_LIMIT + 1, 2 * LINE_LIMIT, 5 * LINE_LIMIT + 7])
@pytest.mark.parametrize("end", ["\n", "\nafter\n"])
def test_read_urls_cuts_when_a_line_is_huge(tmp_path: Path, length: int, end: str) -> None:
    """A line of megabytes costs the memory of one limit, and the next one starts where it should."""
    file = tmp_path / "list"
    file.write_text("before\n" + "x" * length + end)
    found = texts([file])
    assert found == ["before", "x" * min(length, LINE_LIMIT), *end.split()]


def test_read_urls_when_a_file_is_binary(tmp_path: Path) -> None:
    """Junk becomes junk lines, none longer than the limit; nothing is raised."""
    file = tmp_path / "list"
    file.write_bytes(random.Random(1).randbytes(500_000) + b"\0" * 500_000)
    assert all(len(text) <= LINE_LIMIT for text in texts([file]))


def test_read_urls_takes_sources_in_order(tmp_path: Path) -> None:
    """Files and URLs may be mixed; each entry says where it came from."""
    (tmp_path / "one").write_text("a\n")
    (tmp_path / "two").write_text("b\n")
    sources = [str(tmp_path / "one"), " http://h/x ", str(tmp_path / "two")]
    wheres = [line.where for line in read_urls(sources) if line]
    assert wheres == ["one:1", "the command line", "two:1"]
    assert texts(sources) == ["a", "http://h/x", "b"]


def test_read_urls_yields_none_when_standard_input_is_slow() -> None:
    """A writer that pauses does not hold up what runs: there is nothing yet, and then there is more."""
    with reader(subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write("\ufeffhttp://h/1\n# a comment\n")
        child.stdin.flush()
        seen = [child.stdout.readline()]
        while seen[-1] != "standard input:1 http://h/1\n":
            seen.append(child.stdout.readline())
        assert child.stdout.readline() == "nothing yet\n"
        child.stdin.write("half a li")
        child.stdin.flush()
        child.stdin.write("ne\nlast")
        child.stdin.close()
        rest = [line for line in child.stdout.read().split("\n") if line and line != "nothing yet"]
        assert rest == ["standard input:3 half a line", "standard input:4 last", "end"]
        assert set(seen[:-1]) <= {"nothing yet\n"}


def test_read_urls_takes_every_line_when_standard_input_is_fast() -> None:
    """More lines than fit into the queue between reader and taker."""
    with reader(subprocess.PIPE) as child:
        out = child.communicate("".join(f"http://h/{n}\n" for n in range(5000)), timeout=30)[0]
    lines = [line for line in out.split("\n") if line and line != "nothing yet"]
    assert lines == [*(f"standard input:{n + 1} http://h/{n}" for n in range(5000)), "end"]


def test_read_urls_raises_when_standard_input_breaks_off() -> None:
    """An error while reading is raised, never taken for an end or for "nothing yet" for ever."""
    master, slave = os.openpty()
    with reader(slave) as child:
        os.close(slave)
        assert child.stdout is not None
        assert child.stdout.readline() == "nothing yet\n"
        os.close(master)  # the terminal is gone
        rest = child.communicate(timeout=20)[0].split("\n")
    assert rest[-2] in ("OSError: [Errno 5] Input/output error", "end")  # some systems call it an end


def test_read_urls_raises_when_standard_input_cannot_be_read(tmp_path: Path) -> None:
    """A descriptor that is open for writing only."""
    file = os.open(tmp_path / "x", os.O_WRONLY | os.O_CREAT)
    with reader(file) as child:
        out = child.communicate(timeout=20)[0]
    os.close(file)
    assert "Error: " in out
    assert "end" not in out


def test_check_sources_refuses_when_standard_input_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a job started without one."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageError, match="standard input is closed"):
        check_sources(["-"])


def test_check_sources_lets_the_writer_of_a_pipe_meet_one_reader(tmp_path: Path) -> None:
    """A named pipe, or <(command), is opened once: opening it to look would cost its content."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    check_sources([str(pipe)])
    assert count_urls([str(pipe)]) is None
    writer = threading.Thread(target=pipe.write_text, args=("http://h/1\nhttp://h/2\n",))
    writer.start()
    assert texts([pipe]) == ["http://h/1", "http://h/2"]
    writer.join()


def test_check_sources_refuses_what_cannot_be_read(tmp_path: Path) -> None:
    """Before anything is made, and with the reason."""
    for source, what in (
        ("missing.txt", "No such file"),
        (str(tmp_path), "Is a directory"),
        ("nul\0", "null"),
        ("x" * 5000, "too long"),
    ):
        with pytest.raises(UsageError, match=f"is neither a URL nor a readable file: .*{what}"):
            check_sources([source])
    with pytest.raises(UsageError, match="nothing to do"):
        check_sources([])
    (tmp_path / "list").touch()
    check_sources([str(tmp_path / "list"), "http://h/", "-"])


@pytest.mark.parametrize(
    ("text", "url"),
    [("http://h", True), ("ftp://h", True), ("h.txt", False), ("urls?a=b://c", False), ("C:/x", False), ("-", False)],
)
def test_is_url(text: str, url: bool) -> None:
    """What has a scheme is meant as a URL; a file name is not."""
    assert is_url(text) == url


def test_count_urls_counts_what_will_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same entries as read_urls yields; unknown for standard input, for large files and for none."""
    (tmp_path / "list").write_text("# c\na\n\nb\n")
    (tmp_path / "empty").touch()
    path = str(tmp_path / "list")
    assert count_urls([path, "http://h/"]) == 3
    assert count_urls([path, "-"]) is None
    assert count_urls([str(tmp_path / "missing")]) is None
    monkeypatch.setattr("toolkit.core.lists.sources.COUNTED", 5)
    assert count_urls([path]) is None
    assert COUNTED > 5
