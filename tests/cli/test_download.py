"""`toolkit download` as a user meets it: real processes, a real server."""

from __future__ import annotations

import csv
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from jsonschema import validate

from samples.serve import SampleServer
from tests.conftest import Toolkit
from toolkit.cli import main
from toolkit.reporting.json import schema


@pytest.fixture
def urls(server: SampleServer, tmp_path: Path, toolkit: Toolkit) -> Path:
    """Return a file with the addresses of the sample site's files."""
    toolkit("download", f"{server.url}lists/files.txt", "-o", tmp_path / "lists", "--quiet")
    return tmp_path / "lists" / "files.txt"


def visible(folder: Path) -> dict[str, bytes]:
    """Return the files in a folder that a user sees."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name[0] != "."}


def test_download_fetches_every_file_and_the_second_run_asks_nothing(
    server: SampleServer, urls: Path, tmp_path: Path, toolkit: Toolkit
) -> None:
    """Running it again does only what is missing: here, not one request."""
    out = tmp_path / "files"
    first = toolkit("download", urls, "-o", out)
    assert (first.returncode, first.stdout) == (0, "")
    assert "14 files done" in first.stderr
    assert len(visible(out)) == 14
    server.reset()
    second = toolkit("download", urls, "-o", out)
    assert second.returncode == 0
    assert "14 already downloaded" in second.stderr
    assert server.log()["paths"] == {}


def test_download_gives_the_same_files_when_the_model_differs(urls: Path, tmp_path: Path, toolkit: Toolkit) -> None:
    """All models agree: same names, same bytes."""
    found = {}
    for model in ("sequential", "threads", "processes", "asyncio"):
        assert toolkit("download", urls, "-o", tmp_path / model, "--model", model).returncode == 0
        found[model] = visible(tmp_path / model)
    assert len(found["sequential"]) == 14
    assert all(files == found["sequential"] for files in found.values())


def test_download_reads_standard_input_when_given_a_dash(
    server: SampleServer, tmp_path: Path, toolkit: Toolkit
) -> None:
    """A pipe is a list."""
    done = toolkit("download", "-", "-o", tmp_path, stdin=f"# mine\n\n{server.url}files/terms.txt\r\n")
    assert done.returncode == 0
    assert list(visible(tmp_path)) == ["terms.txt"]


def test_download_says_what_failed_and_how_to_retry_when_some_do(
    server: SampleServer, tmp_path: Path, toolkit: Toolkit
) -> None:
    """Failures are grouped and named; exit code 1; and the command that is shown retries just them."""
    bad = f"{server.url}files/hours.json?fail=1"
    (tmp_path / "list").write_text(f"{server.url}files/terms.txt\n{bad}\nno url\nftp://x/y\n{server.url}nowhere\n")
    out = tmp_path / "out"
    done = toolkit("download", tmp_path / "list", "-o", out, "--retries", "0")
    assert done.returncode == 1
    assert "1 file done, 4 failed" in done.stderr
    for words in ("HTTP 503", "HTTP 404", "list:3", "list:4", "only http and https", bad, "--retry-failed"):
        assert words in done.stderr, words
    server.reset()
    # The fault counts requests since the reset: let the retry be the second.
    again = toolkit("download", "-o", out, "--retry-failed", "--json")
    report = json.loads(again.stdout)
    assert (report["succeeded"], report["retried"]) == (1, 1)
    assert report["failed"] == {"blocked": 1, "http": 1, "input": 1}
    assert "/files/terms.txt" not in server.log()["paths"]


def test_json_is_one_document_that_fits_its_schema(urls: Path, tmp_path: Path, toolkit: Toolkit) -> None:
    """Standard output holds the report and nothing else; its totals add up."""
    done = toolkit("download", urls, "http://127.0.0.1:1/x", "-o", tmp_path / "o", "--json", "--retries", "0")
    report = json.loads(done.stdout)
    validate(report, schema())
    assert report["exit_code"] == done.returncode == 1
    assert report["total"] == 15 == report["succeeded"] + sum(report["failed"].values())


def test_events_are_json_lines_when_asked_for(urls: Path, tmp_path: Path, toolkit: Toolkit) -> None:
    """Each attempt is one line, between run_started and run_finished."""
    toolkit("download", urls, "-o", tmp_path / "o", "--events", tmp_path / "events")
    events = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    assert [events[0]["event"], events[-1]["event"]] == ["run_started", "run_finished"]
    assert sum(event.get("outcome") == "success" for event in events) == 14


def test_dry_run_shows_the_plan_and_makes_nothing(urls: Path, tmp_path: Path, toolkit: Toolkit) -> None:
    """A dry run names every task and leaves no folder behind."""
    done = toolkit("download", urls, "-o", tmp_path / "o", "--dry-run")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 14
    assert "terms.txt -> terms.txt" in done.stdout
    assert not (tmp_path / "o").exists()


def test_secrets_are_not_shown_when_a_url_has_them(server: SampleServer, tmp_path: Path, toolkit: Toolkit) -> None:
    """Passwords and tokens do not reach the report, the terminal or the shown command."""
    url = f"{server.url}nowhere?token=hunter2".replace("http://", "http://me:hunter2@")
    done = toolkit("download", url, "-o", tmp_path, "--json", "--events", tmp_path / "e", "--header", "X-Mine: hunter2")
    assert done.returncode == 1
    assert "hunter2" not in done.stdout + done.stderr + (tmp_path / "e").read_text()
    with closing(sqlite3.connect(tmp_path / ".toolkit.sqlite")) as store:
        assert "hunter2" not in store.execute("SELECT command FROM runs").fetchone()[0]


def test_header_is_sent_when_given(server: SampleServer, tmp_path: Path, toolkit: Toolkit) -> None:
    """A header that is no header is refused before anything is asked."""
    done = toolkit("download", f"{server.url}files/terms.txt", "-o", tmp_path, "--header", "nonsense")
    assert done.returncode == 2
    assert server.log()["paths"] == {}


@pytest.mark.parametrize("model", ["sequential", "threads", "processes", "asyncio"])
def test_cut_transfer_is_resumed_when_retried(
    server: SampleServer, tmp_path: Path, toolkit: Toolkit, model: str
) -> None:
    """A body cut short is asked for again from where it ended, guarded by If-Range, and comes out whole."""
    url = f"{server.url}files/print-archive-2m.bin?cut_once=0.6&for={model}"
    done = toolkit("download", url, "-o", tmp_path, "--model", model, "--json")
    assert done.returncode == 0, done.stderr
    whole = toolkit("download", f"{server.url}files/print-archive-2m.bin", "-o", tmp_path / "whole")
    assert whole.returncode == 0
    assert visible(tmp_path / "whole") == {n: b for n, b in visible(tmp_path).items() if n == "print-archive-2m.bin"}
    asked = server.log(url.removeprefix(server.url.rstrip("/")))
    assert len(asked) == 2
    assert asked[1]["Range"].startswith("bytes=")
    assert asked[1]["If-Range"].startswith('"')


def test_dry_run_of_a_fresh_run_shows_all_as_to_do(urls: Path, tmp_path: Path, toolkit: Toolkit) -> None:
    """What would be forgotten counts as forgotten; and nothing is."""
    assert toolkit("download", urls, "-o", tmp_path / "o", "-q").returncode == 0
    assert toolkit("download", urls, "-o", tmp_path / "o", "--dry-run").stdout.count("skip ") == 14
    assert toolkit("download", urls, "-o", tmp_path / "o", "--dry-run", "--fresh").stdout.count("do ") == 14
    assert toolkit("download", urls, "-o", tmp_path / "o", "--dry-run").stdout.count("skip ") == 14


def test_full_disk_under_the_events_costs_the_events_only(urls: Path, tmp_path: Path, toolkit: Toolkit) -> None:
    """A report that cannot be written is a warning; the work is done and remembered."""
    done = toolkit("download", urls, "-o", tmp_path / "o", "--events", "/dev/full")
    assert done.returncode == 0
    assert "14 files done" in done.stderr
    assert "a report could not be written: No space left on device" in done.stderr
    assert "14 already downloaded" in toolkit("download", urls, "-o", tmp_path / "o").stderr


def test_retry_of_what_was_never_run_is_refused_and_makes_nothing(tmp_path: Path, toolkit: Toolkit) -> None:
    """A mistyped folder is wrong usage, not a success."""
    done = toolkit("download", "-o", tmp_path / "typo", "--retry-failed")
    assert (done.returncode, "nothing is remembered" in done.stderr) == (2, True)
    assert not (tmp_path / "typo").exists()


def test_closed_standard_error_does_not_stop_the_work(server: SampleServer, tmp_path: Path) -> None:
    """A scheduler may give us nobody to talk to."""
    command = f"'{sys.executable}' -m toolkit download {server.url}files/terms.txt -o '{tmp_path}' 2>&-"
    assert subprocess.run(["sh", "-c", command], check=False, timeout=50).returncode == 0
    assert list(visible(tmp_path)) == ["terms.txt"]


def test_lists_say_names_checksums_and_headers(server: SampleServer, tmp_path: Path, toolkit: Toolkit) -> None:
    """A table's columns are followed; a wrong checksum keeps nothing; the manifest says all of it."""
    base, good = f"{server.url}generated", sha256(b"").hexdigest()
    rows = [
        "id,link,output,checksum",
        f"1,{server.url}files/empty.txt,docs/empty.txt,{good}",
        f"2,{base}/9.bin,,{good}",
    ]
    (tmp_path / "list.tsv").write_text("\n".join(rows).replace(",", "\t"))
    options = ("--url-column", "link", "--manifest", tmp_path / "rows.csv", "--retries", "0")
    done = toolkit("download", tmp_path / "list.tsv", "-o", tmp_path / "out", *options)
    assert done.returncode == 1, done.stderr
    assert "checksum" in done.stderr
    assert [path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("[!.]*.*")] == [
        "docs/empty.txt"
    ]
    with (tmp_path / "rows.csv").open(newline="") as file:
        found = {row["id"]: row for row in csv.DictReader(file)}
    assert (found["1"]["verified"], found["1"]["path"]) == ("checksum", "docs/empty.txt")
    assert (found["2"]["status"], found["2"]["kind"]) == ("failed", "checksum")


def test_names_follow_a_template_or_the_servers_tree(server: SampleServer, tmp_path: Path, toolkit: Toolkit) -> None:
    """Folders are made below the output folder, whatever the URLs say."""
    urls = [
        f"{server.url}files/terms.txt?a=1",
        f"{server.url}generated/..%2F..%2F5.bin",
        f"{server.url}generated/6.bin",
    ]
    toolkit("download", *urls, "-o", tmp_path / "a", "--name-template", "{ext}/{index:02}-{stem}", "--quiet")
    toolkit("download", *urls, "-o", tmp_path / "b", "--tree", "--quiet")
    host = server.url.removeprefix("http://").strip("/").replace(":", "_")
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("[!.]*") if path.is_file()}
    assert {"a/txt/01-terms", f"b/{host}/files/terms.txt@a=1", "a/bin/03-6", f"b/{host}/generated/6.bin"} <= found
    assert all(name.startswith(("a/", "b/")) for name in found)


def test_checksum_files_are_followed_and_strangers_told(server: SampleServer, tmp_path: Path, toolkit: Toolkit) -> None:
    """SHA256SUMS: what matches is verified, what no file is called is a warning."""
    (tmp_path / "SHA256SUMS").write_text(f"{sha256(b'').hexdigest()}  empty.txt\n{'0' * 64}  other.txt\n")
    options = ("--checksums", tmp_path / "SHA256SUMS", "--json", "--retries", "0")
    done = toolkit("download", f"{server.url}files/empty.txt", "-o", tmp_path / "o", *options)
    report = json.loads(done.stdout)
    assert (report["succeeded"], report["warnings"]) == (1, {"--checksums: no file is called other.txt": 1})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--name-template", "{nme}"), "there is no {nme}"),
        (("--name-template", "../{name}"), "below the output folder"),
        (("--tree", "--name-template", "x"), "leave out one"),
        (("--segments", "many"), "give auto, or a number"),
        (("--hash", "crc"), "is not known"),
        (("--max-size", "huge"), "is not a size"),
        (("--manifest", "rows.txt"), "end it in .jsonl, .csv or .parquet"),
        (("--checksums", "nowhere"), "cannot be read"),
    ],
)
def test_options_that_cannot_be_are_refused(
    options: tuple[str, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, one clear line, and no request."""
    with pytest.raises(SystemExit) as end:
        main(["download", "http://127.0.0.1:1/x", "-o", str(tmp_path / "out"), *options])
    assert end.value.code == 2
    assert words in capsys.readouterr().err


def test_dry_run_ends_quietly_when_its_reader_goes_away(tmp_path: Path) -> None:
    """`| head -1` is no failure: what shells expect of a program whose reader has gone, and not a word."""
    (tmp_path / "list").write_text("".join(f"http://127.0.0.1:9/{number}\n" for number in range(5000)))
    run = (
        f"'{sys.executable}' -m toolkit download list -o out --dry-run --no-probe | head -n 1; echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", run], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=50)
    assert done.stdout.splitlines() == ["do    http://127.0.0.1:9/0 -> 0", "141"]
    assert done.stderr == ""


def test_retry_completes_the_manifest_and_keeps_to_the_list(
    server: SampleServer, tmp_path: Path, toolkit: Toolkit
) -> None:
    """The command that is shown at the end: what came stays told, what failed is told anew, a bad line stays bad."""
    url = f"{server.url}files/terms.txt"
    (tmp_path / "list.csv").write_text(f"id,url,size\n1,{url},\n2,{url}?fail=1,\n3,{url}?x=1,lots\n4,,\n")
    manifest = tmp_path / "new" / "rows.csv"
    command = ("download", tmp_path / "list.csv", "-o", tmp_path / "new", "--manifest", manifest, "--retries", "0")
    assert toolkit(*command).returncode == 1
    with manifest.open(encoding="utf-8", newline="") as file:
        first = {row["id"]: row for row in csv.DictReader(file)}
    assert [first[number]["status"] for number in "1234"] == ["done", "failed", "failed", "failed"]
    done = toolkit(*command, "--retry-failed", "--model", "asyncio")
    assert "1 file done, 2 failed" in done.stderr
    assert "correct the list" in done.stderr
    with manifest.open(encoding="utf-8", newline="") as file:
        second = {row["id"]: row for row in csv.DictReader(file)}
    assert second["1"] == first["1"]
    assert (second["2"]["status"], second["2"]["model"]) == ("done", "asyncio")
    for number in "34":
        assert second[number]["message"] == first[number]["message"]
        assert second[number]["message"].startswith(f"list.csv:{int(number) + 1}: ")
