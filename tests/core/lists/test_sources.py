"""Lists as people keep them: odd files, slow pipes."""

from __future__ import annotations

import gzip
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from toolkit.core.errors import MissingExtra, RunStopped, UsageError
from toolkit.core.lists import COUNTED, LINE_LIMIT, Line, check_sources, count_urls, is_url, read_urls
from toolkit.core.lists.opening import format_of

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
    bad = [line.bad for line in read_urls([str(file)]) if line and line.bad]
    assert bad == (["the line is longer than 65,536 characters"] if length > LINE_LIMIT else [])


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


@pytest.mark.parametrize("name", ["terminal", "terminal.csv"])
def test_check_sources_reads_nothing_of_a_terminal(tmp_path: Path, name: str) -> None:
    """What somebody types is there once only, and has not been typed yet."""
    master, slave = os.openpty()
    (tmp_path / name).symlink_to(os.ttyname(slave))
    check_sources([str(tmp_path / name)])
    assert count_urls([str(tmp_path / name)]) is None
    os.write(master, b"url\nhttp://h/\n\x04")
    assert texts([tmp_path / name])[-1] == "http://h/"
    os.close(master)
    os.close(slave)


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


@pytest.mark.parametrize("name", ["x", "x.txt", "x.csv", "x.tsv", "x.json", "x.jsonl", "x.meta4", "x.csv.gz"])
def test_check_sources_refuses_what_is_no_text(name: str, tmp_path: Path) -> None:
    """A program or a picture, whatever it is called; a cell of a table may hold anything all the same."""
    pack = gzip.compress if name.endswith(".gz") else bytes
    (tmp_path / name).write_bytes(pack(b"\x7fELF\x02\x01\x01\0\0\0" * 100))
    with pytest.raises(UsageError, match="is not a text file"):
        check_sources([str(tmp_path / name)])
    (tmp_path / "later").write_bytes(b"GIF89a\n\0")
    with pytest.raises(UsageError, match="is not a text file"):
        check_sources([str(tmp_path / "later")])
    (tmp_path / "table.csv").write_bytes(b"url,a\nhttp://h/,\0\n")
    check_sources([str(tmp_path / "table.csv")])


def test_check_sources_refuses_a_column_where_there_are_none(tmp_path: Path) -> None:
    """A table on standard input, or one that is called .txt, is read as text; one table among the sources will do."""
    (tmp_path / "list.txt").write_text("http://h/\n")
    (tmp_path / "list.csv").write_text("a,link\n1,http://h/\n")
    sources = ["-", "http://h/", str(tmp_path / "list.txt")]
    with pytest.raises(UsageError, match="--url-column: what is given has no columns"):
        check_sources(sources, "link")
    check_sources([*sources, str(tmp_path / "list.csv")], "link")


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


def packed(path: Path, data: bytes) -> Path:
    """Write a file as gzip does."""
    path.write_bytes(gzip.compress(data, 1))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_read_urls_unpacks_when_a_list_is_compressed(tmp_path: Path, encoding: str) -> None:
    """Text of any encoding in .gz, whatever the case of the suffix."""
    mark = "\ufeff" if encoding == "utf-16-le" else ""
    file = packed(tmp_path / "urls.TXT.GZ", f"{mark}# c\r\nhttp://h/é\r\n".encode(encoding))
    check_sources([str(file)])
    assert count_urls([str(file)]) == 1
    assert list(read_urls([str(file)])) == [Line("http://h/é", "urls.TXT.GZ:2")]


@pytest.mark.parametrize("name", ["urls.gz", "urls.csv.gz", "urls.jsonl.gz"])
@pytest.mark.parametrize(
    "harm", [lambda data: data[:-9], lambda data: data[:-6] + b"!" + data[-5:], lambda data: data + b"!"]
)
def test_read_urls_raises_when_a_compressed_list_is_damaged(
    tmp_path: Path, name: str, harm: Callable[[bytes], bytes]
) -> None:
    """A list cut short, with a wrong checksum, or with rubbish behind it never ends quietly."""
    file = tmp_path / name
    file.write_bytes(harm(gzip.compress(b"".join(b'"http://h/%d"\n' % n for n in range(9_999)))))
    with pytest.raises(RunStopped, match=f"^{name}: cut short or damaged: "):
        texts([file])
    assert count_urls([str(file)]) is None


def test_check_sources_refuses_when_a_compressed_list_is_none(tmp_path: Path) -> None:
    """What is called .gz and is not."""
    (tmp_path / "urls.gz").write_bytes(b"http://h/\n")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"http://h/")[:-12])
    packed(tmp_path / "zeros.gz", bytes(100))
    for name, what in (("urls.gz", "Not a gzipped"), ("cut.gz", "cut short"), ("zeros.gz", "is not a text file")):
        with pytest.raises(UsageError, match=what):
            check_sources([str(tmp_path / name)])


def test_read_urls_when_a_pipe_has_utf_16(tmp_path: Path) -> None:
    """The byte order mark is seen in what can be read only once, too."""
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    check_sources([str(pipe)])
    writer = threading.Thread(target=pipe.write_bytes, args=("id,url\n1,http://h/é\n".encode("utf-16"),))
    writer.start()
    assert list(read_urls([str(pipe)])) == [Line("http://h/é", "pipe.csv:2", (("id", "1"),))]
    writer.join()


def test_read_urls_tells_lists_apart_when_their_names_are_the_same(tmp_path: Path) -> None:
    """Where a line stands is told so that one can find it."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "list").write_text(f"http://h/{folder}\n")
    lines = read_urls([str(tmp_path / "a" / "list"), str(tmp_path / "b" / "list")])
    assert [line.where for line in lines if line] == [f"{tmp_path}/a/list:1", f"{tmp_path}/b/list:1"]


def test_read_urls_raises_when_a_list_cannot_be_opened(tmp_path: Path) -> None:
    """Deleted between the check and the run."""
    with pytest.raises(OSError, match="No such file"):
        texts([tmp_path / "urls.csv"])


def test_check_sources_looks_for_a_column_in_many_entries(tmp_path: Path) -> None:
    """One object without a URL is a bad entry; a hundred are a wrong file."""
    file = tmp_path / "urls.jsonl"
    file.write_text('{"id": 1}\n' * 99 + '{"url": "http://h/"}\n')
    check_sources([str(file)])
    file.write_text('{"id": 1, "where": ""}\n' * 100)
    what = r"^urls.jsonl: no URL column: name one by --url-column \(there is 'id', 'where'\)$"
    with pytest.raises(UsageError, match=what):
        check_sources([str(file)])
    with pytest.raises(UsageError, match="none is called 'place'"):
        check_sources([str(file)], "place")


def test_check_sources_asks_for_the_extra_when_pyarrow_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pip command, before anything is made; also for a pipe."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "toolkit.core.lists.formats.parquet", raising=False)
    (tmp_path / "urls.parquet").touch()
    os.mkfifo(tmp_path / "pipe.parquet.gz")
    for name in ("urls.parquet", "pipe.parquet.gz"):
        with pytest.raises(MissingExtra, match=r"pip install 'toolkit\[parquet\]'"):
            check_sources([str(tmp_path / name)])


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/urls.CSV.gz", "csv"),
        ("urls", ""),
        ("urls.gz", ""),
        ("x.tar.JSONL", "jsonl"),
        ("/dev/fd/63", ""),
        (".csv", ""),
    ],
)
def test_format_of(path: str, name: str) -> None:
    """The suffix says, less .gz, in any case."""
    assert format_of(path) == name
