"""What a line asks for: its columns, its name, and the checksums that other files have for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from toolkit.apps.download.fetch import Wanted
from toolkit.apps.download.lines import Expected, Lines
from toolkit.apps.download.options import DownloadOptions
from toolkit.core.errors import TaskError, UsageError
from toolkit.core.lists import Line

URL = "http://h/dist/v1/a%20b.tar.gz?x=1"
SHA, MD5 = "a" * 64, "b" * 32


def wanted(columns: dict[str, str] | None = None, **options: Any) -> Wanted:
    """Return what a line with these columns asks for."""
    line = Line(URL, "list.csv:2", tuple((columns or {}).items()))
    return Lines(DownloadOptions(**options)).wanted(line, URL, URL, 0)


def test_columns_say_what_a_file_is() -> None:
    """The ones with a meaning are used; the others are the user's."""
    found = wanted(
        {
            "id": "7",
            "Name": "x/y.bin",
            "checksum": f"sha256:{SHA} {MD5}",
            "size": "12",
            "headers": '{"X-Key": "1"}',
            "mirrors": f"http://m/a {URL}",
            "pieces": f"md5:6:{MD5},{MD5}",
        }
    )
    assert found == Wanted(
        URL,
        "x/y.bin",
        fixed=True,
        mirrors=("http://m/a",),
        checksums=(f"sha256:{SHA}", f"md5:{MD5}"),
        pieces=("md5", 6, (MD5, MD5)),
        size=12,
        headers=(("X-Key", "1"),),
        columns=(("id", "7"),),
    )


def test_name_is_the_columns_then_the_templates_then_the_urls() -> None:
    """Only a URL's name may give way to one that the server suggests."""
    assert (wanted().name, wanted().fixed) == ("a b.tar.gz", False)
    for options, name in (
        ({"name_template": "{id}/{stem}.{ext}"}, "7/a b.tar.gz"),
        ({"tree": True}, "h/dist/v1/a b.tar.gz@x=1"),
    ):
        found = wanted({"id": "7"}, **options)
        assert (found.name, found.fixed) == (name, True)
        assert wanted({"id": "7", "output": "mine"}, **options).name == "mine"
    with pytest.raises(UsageError, match=r"there is no \{idd\}; known are .*, id, output"):  # a mistake all the same
        wanted({"id": "7", "output": "mine"}, name_template="{idd}")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"name": "../x"}, "not that of a file below"),
        ({"checksum": "sha256:12"}, "sha256 has 64 digits"),
        ({"size": "many"}, "no number of bytes"),
        ({"mirrors": "ftp://h/x"}, "only http and https"),
    ],
)
def test_line_fails_when_a_column_cannot_be_meant(columns: dict[str, str], words: str) -> None:
    """The line, and not the run."""
    with pytest.raises(TaskError, match=words):
        wanted(columns)


def test_options_are_refused_when_they_contradict_each_other(tmp_path: Path) -> None:
    """Before anything is fetched."""
    for options, words in (
        ({"tree": True, "name_template": "x"}, "leave out one"),
        ({"checksums": (str(tmp_path / "none"),)}, "--checksums: .* cannot be read"),
        ({"name_template": "{id}"}, "there is no"),
    ):
        with pytest.raises(UsageError, match=words):
            wanted(**options)
    for numbers in ("0", "-1", "65", "many", "1.5", 0):
        with pytest.raises(UsageError, match="--segments"):
            _ = DownloadOptions(segments=numbers).most_segments
    assert [DownloadOptions(segments=number).most_segments for number in ("auto", "4", 4)] == [0, 4, 4]
    with pytest.raises(UsageError, match="--hash: the algorithm 'crc' is not known"):
        _ = DownloadOptions(hash="crc").algorithm
    assert DownloadOptions(hash="SHA-256").algorithm == "sha256"


def test_checksums_are_found_by_name_or_end_of_the_path(tmp_path: Path) -> None:
    """The longest match counts; a name in another folder is another file."""
    sums = tmp_path / "SHA256SUMS"
    digits = {name: format(number, "064x") for number, name in enumerate(("a b.tar.gz", "v1/a b.tar.gz", "v2/x", "y"))}
    sums.write_text("".join(f"{value}  {name}\n" for name, value in digits.items()))
    expected = Expected([str(sums)])
    assert expected.of(URL, "saved.bin") == (f"sha256:{digits['v1/a b.tar.gz']}",)
    assert expected.of("http://h/other/a%20b.tar.gz", "z") == (f"sha256:{digits['a b.tar.gz']}",)
    assert expected.of("http://h/v3/x", "x") == ()
    assert expected.of("http://h/get?id=1", "out/y") == (f"sha256:{digits['y']}",)
    assert expected.unmet == ["v2/x"]


def test_checksums_of_a_file_and_of_a_line_both_count(tmp_path: Path) -> None:
    """Each is checked."""
    (tmp_path / "MD5SUMS").write_text(f"{MD5} *a b.tar.gz\n")
    found = wanted({"checksum": SHA}, checksums=(str(tmp_path / "MD5SUMS"),))
    assert found.checksums == (f"sha256:{SHA}", f"md5:{MD5}")
