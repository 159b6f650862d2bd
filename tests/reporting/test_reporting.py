"""What is told: figures, endings, secrets, hostile text; on a terminal, in a log and for programs."""

from __future__ import annotations

import io
import json

import pytest
from jsonschema import validate
from rich.console import Console

from toolkit.core.errors import FailureKind
from toolkit.core.loops import Computed, Lateness
from toolkit.core.task import Failure, Skip, Success, Task
from toolkit.reporting import (
    FailureGroup,
    LimitChanged,
    Limits,
    RunFinished,
    RunStarted,
    SlowHost,
    Summary,
    Tally,
    TaskSettled,
    Tick,
)
from toolkit.reporting.console import ConsoleReporter
from toolkit.reporting.ending import ending
from toolkit.reporting.json import EventsReporter, document, schema
from toolkit.reporting.plain import PlainReporter
from toolkit.reporting.verbose import VerboseReporter
from toolkit.reporting.words import command_line, duration, redact, shown, size


def summary(**changes: object) -> Summary:
    """Return a summary of ten downloads, with changes."""
    facts: dict[str, object] = {
        "app": "download",
        "model": "threads",
        "workers": 4,
        "client": "requests",
        "status": "complete",
        "reason": "",
        "succeeded": 10,
        "skipped": {},
        "failed": {},
        "failures": (),
        "left": 0,
        "retried": 0,
        "bytes": 1_234_567,
        "received": 1_234_567,
        "seconds": 2.0,
        "started": "2026-01-02T03:04:05+00:00",
        "output": "files",
        "store": "files/.toolkit.sqlite",
        "command": ("toolkit", "download", "urls.txt", "-o", "my files"),
        **changes,
    }
    return Summary(**facts)  # type: ignore[arg-type]


GROUP = FailureGroup("http", "HTTP 404 Not Found", 5, (("http://h/a", "HTTP 404 Not Found"),))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, 0),
        ({"failed": {"http": 1}}, 1),
        ({"complaints": ("too few",)}, 1),
        ({"status": "stopped", "complaints": ("too few",)}, 3),
        ({"status": "stopped", "failed": {"disk": 1}}, 3),
        ({"status": "interrupted"}, 130),
    ],
)
def test_exit_code_follows_from_the_summary(changes: dict[str, object], code: int) -> None:
    """0 all well, 1 some failed, 3 stopped, 130 interrupted."""
    assert summary(**changes).exit_code == code


def test_ending_is_one_line_when_all_is_well() -> None:
    """A good run needs no more than its verdict."""
    assert list(ending(summary())) == ["10 files done in 2.0 s; 5.0/s; 1.2 MB [threads x4, requests]"]


def test_ending_names_complaints_first() -> None:
    """They are why the exit code is not 0; text of pages in them stays on its line, and many of them are counted."""
    text = list(ending(summary(complaints=("price\x1b[2J\nis missing", *"abcdefghijk"), warnings={"w": 1})))
    assert text[1:3] == ["  complaint: price\\x1b[2J is missing", "  complaint: a"]
    assert text[10:] == ["  complaint: i", "  … and 2 more complaints; --json has every one", "  warning: w"]
    report = document(summary(complaints=("too few",)))
    validate(report, schema())
    assert (report["complaints"], report["exit_code"]) == (["too few"], 1)


def test_ending_tells_remarks_below_the_verdict() -> None:
    """They change no exit code."""
    told = summary(remarks=("rows: 3 new", "a\x1b"), complaints=("too few",))
    assert list(ending(told))[1:4] == ["  rows: 3 new", "  a\\x1b", "  complaint: too few"]
    report = document(summary(remarks=("rows: 3 new",)))
    validate(report, schema())
    assert (report["remarks"], report["exit_code"]) == (["rows: 3 new"], 0)


LOOP = Lateness(p50=0.0021, p99=0.0094, max=0.014)
COMPUTING = (
    Computed("processes", 965, 29.915, "5 ms or more on average", 2),
    Computed("loop", 20, 0.5, "the first calls, to see how long they take"),
    Computed("threads", 10, 0.3, "until the processes were there"),
    Computed("threads", 5, 0.5, "too long for the loop, by their size"),
)
IN_WORDS = (
    "pages were read in 2 processes beside the loop: 31 ms each, 20 more in the loop, 15 more in threads; "
    "the loop was late by 2.1 ms at most times, 9.4 ms at one in a hundred, 14 ms at worst"
)


def test_ending_says_that_the_loop_was_late_when_it_was() -> None:
    """Where it is held up by more than a tenth of a second at one time in a hundred, a run is slow for that reason."""
    assert len(list(ending(summary(app="scrape", loop=LOOP, computing=COMPUTING)))) == 1
    _, text = ending(summary(app="scrape", loop=Lateness(0.05, 0.1501, 2.0), computing=COMPUTING[1:2]))
    late = "the loop was late by 50 ms at most times, 150 ms at one in a hundred, 2,000 ms at worst"
    assert text == f"  pages were read in the loop: 25 ms each; {late}"


def test_verbose_tells_of_the_loop_once() -> None:
    """It is told at the end in any case; not twice where the ending says it, nor under a model without a loop."""
    for loop, told in ((LOOP, IN_WORDS + "\n"), (Lateness(0.05, 0.15, 2.0), ""), (None, "")):
        stream = io.StringIO()
        computing = COMPUTING if loop else ()
        VerboseReporter(stream)(RunFinished(summary(app="scrape", loop=loop, computing=computing)))
        assert stream.getvalue() == told


def test_document_has_the_figures_of_the_loop() -> None:
    """Seconds for programs, by place and reason; null and nothing under a model without a loop."""
    report = document(summary(loop=LOOP, computing=COMPUTING))
    validate(report, schema())
    assert report["loop"] == {"p50": 0.0021, "p99": 0.0094, "max": 0.014}
    assert report["computing"][0] == {
        "where": "processes",
        "processes": 2,
        "calls": 965,
        "seconds": 29.915,
        "mean": pytest.approx(0.031),
        "why": "5 ms or more on average",
    }
    report = document(summary())
    validate(report, schema())
    assert (report["loop"], report["computing"]) == (None, [])


def test_ending_names_failures_and_the_command_when_some_failed() -> None:
    """Failures are grouped with examples, the rest counted, and the retry command is ready to paste."""
    text = list(ending(summary(failed={"http": 5}, failures=(GROUP,), skipped={"already downloaded": 3})))
    assert text[0].startswith("10 files done, 3 skipped, 5 failed in")
    assert text[1:] == [
        "  5 × http: HTTP 404 Not Found",
        "      http://h/a",
        "      … and 4 more",
        "  skipped: 3 already downloaded",
        "  to retry what failed: toolkit download urls.txt -o 'my files' --retry-failed",
    ]


def test_ending_asks_for_a_better_list_when_only_lines_failed() -> None:
    """To try such lines again would change nothing; where other tasks failed, too, those are worth it."""
    line = FailureGroup("input", "…: no URL", 1, (("urls.csv:3", "urls.csv:3: no URL"),))
    text = list(ending(summary(failed={"input": 1}, failures=(line,))))
    assert text[-1] == "  to go on, correct the list: toolkit download urls.txt -o 'my files'"
    text = list(ending(summary(failed={"input": 1, "http": 5}, failures=(line, GROUP))))
    assert text[-1].endswith("--retry-failed")


def test_ending_leaves_sources_out_of_a_long_retry_command() -> None:
    """What failed is remembered: a thousand sources need not be pasted again, and what is no source stays."""
    urls = tuple(f"http://h/{n}" for n in range(1000))
    command = ("toolkit", "download", *urls, "-o", "out", "--header", "A: b")
    text = list(ending(summary(failed={"http": 5}, failures=(GROUP,), command=command, sources=urls)))
    assert text[-1] == "  to retry what failed: toolkit download -o out --header 'A: ***' --retry-failed"


@pytest.mark.parametrize(
    ("limits", "line"),
    [
        (Limits(adaptive=True, highest=32, last=12, changes=5), "  limit settled at 12 at once (auto)"),
        (
            Limits(adaptive=True, highest=4, last=4, changes=0, reason="more bring nothing"),
            "  limit settled at 4 at once (auto): more brought nothing",
        ),
        (
            Limits(adaptive=True, highest=64, last=64, changes=4, reason="throughput rises"),
            "  limit settled at 64 at once (auto): the most it tries; --workers N allows more",
        ),
        (
            Limits(adaptive=True, highest=32, last=32, changes=3, reason="throughput rises"),
            "  limit settled at 32 at once (auto): it was still rising at the end",
        ),
        (
            Limits(adaptive=True, highest=8, last=8, changes=1, reason="not used", per_host=8),
            "  limit settled at 8 at once (auto): more were not used, with at most 8 for one host (--per-host)",
        ),
        (
            Limits(adaptive=False, highest=64, last=48, changes=1, reason="this machine's limit"),
            "  limit settled at 48 at once (of 64): this machine had no more to give",
        ),
        (Limits(adaptive=True, highest=4, last=4, changes=0), None),
        (None, None),
    ],
)
def test_ending_says_where_the_limit_settled_and_why(limits: Limits | None, line: str | None) -> None:
    """One line, and none where there is nothing to tell."""
    text = list(ending(summary(limits=limits, workers=64)))
    assert text[1:] == ([line] if line else [])
    assert ("threads x auto" if limits and limits.adaptive else "threads x64") in text[0]


def test_ending_names_hosts_that_were_slowed_down() -> None:
    """A few of them; those that could not be reached are told by their failures."""
    hosts = (SlowHost("down:80", 1, 99, "connect"), *(SlowHost(f"h{n}:80", 2, 5, "throttled") for n in range(7)))
    text = list(ending(summary(limits=Limits(adaptive=True, highest=4, last=4, changes=0, hosts=hosts))))
    assert text[1] == "  h0:80 was slowed down to 2 at once (5 failures, the last: throttled)"
    assert [line.split()[0] for line in text[1:]] == ["h0:80", "h1:80", "h2:80", "h3:80", "h4:80", "…"]


def test_ending_does_not_repeat_a_long_command_when_the_run_was_stopped() -> None:
    """A hundred URLs are not pasted back: the shell remembers them."""
    command = ("toolkit", "download", *(f"http://h/{n}" for n in range(100)), "-o", "f")
    assert list(ending(summary(left=5, command=command)))[-1] == "  to go on: give the same command again"
    fresh = list(ending(summary(left=5, command=(*command, "--fresh"))))
    assert fresh[-1] == "  to go on: give the same command again, without --fresh"


def test_ending_says_how_to_go_on_when_interrupted() -> None:
    """A stopped run is resumed by the same command, less --fresh."""
    stopped = summary(status="interrupted", left=7, command=("toolkit", "download", "u", "-o", "f", "--fresh"))
    text = list(ending(stopped))
    assert text[0].startswith("INTERRUPTED: 10 files done, 7 left")
    assert text[-1] == "  to go on: toolkit download u -o f"


def test_tally_keeps_few_examples_and_few_groups_when_all_fail_differently() -> None:
    """A million different failures must not fill the memory."""
    tally = Tally()
    for number in range(1000):
        task = Task(f"key-{number}", None)
        tally.add(Failure(task, FailureKind.NAME, f"cannot write file {number}"), 0)
        tally.add(Failure(task, FailureKind.HTTP, f"HTTP 404 for key-{number}"), 0)
    groups = tally.groups()
    assert len(groups) <= 203
    assert sum(group.count for group in groups) == 2000
    same = next(group for group in groups if group.kind == "http")
    assert (same.message, same.count, len(same.examples)) == ("HTTP 404 for …", 1000, 3)


def test_tally_groups_bad_lines_when_only_their_places_differ() -> None:
    """A thousand bad lines of a list are one sort of failure."""
    tally = Tally()
    for number in range(1000):
        task = Task(f"urls.txt:{number}", None)
        tally.add(Failure(task, FailureKind.INPUT, f"urls.txt:{number}: no URL"), 0)
    assert [(group.message, group.count) for group in tally.groups()] == [("…: no URL", 1000)]


def test_tally_keeps_few_warnings_when_all_differ() -> None:
    """Their words may come from outside."""
    tally = Tally()
    for number in range(1000):
        tally.add(Success(Task("a", None), None), 0, (f"odd tag {number}",))
    assert len(tally.warnings) <= 201
    assert sum(tally.warnings.values()) == 1000


def test_tally_groups_failures_to_write_whatever_the_file() -> None:
    """A thousand files that cannot be opened are one sort of failure."""
    tally = Tally()
    for number in range(1000):
        what = f"cannot write files/{number}: odd.bin: Too many open files"
        tally.add(Failure(Task(f"u{number}", None), FailureKind.LIMIT, what), 0)
    (group,) = tally.groups()
    assert (group.message, group.count) == ("cannot write …: Too many open files", 1000)


def test_tally_counts_skips_by_reason_and_sums_bytes() -> None:
    """Skips are told apart, bytes are those of successes."""
    tally = Tally()
    tally.add(Success(Task("a", None), None), 10, ("narrowed",))
    tally.add(Skip(Task("b", None), "up to date"), 0)
    assert (tally.bytes, tally.skipped, tally.warnings) == (10, {"up to date": 1}, {"narrowed": 1})


def test_document_fits_its_schema_when_everything_happened() -> None:
    """The shipped schema describes what is printed."""
    everything: dict[str, object] = {"failed": {"http": 5}, "failures": (GROUP,), "left": 2, "status": "stopped"}
    slow = SlowHost("h:80", 2, 3, "throttled")
    limits = Limits(True, 32, 12, 5, "not used", 8, (slow,))
    report = document(summary(**everything, reason="x", limits=limits, sources=("urls.txt",)))
    validate(report, schema())
    assert report["limits"] == {
        "adaptive": True,
        "highest": 32,
        "last": 12,
        "changes": 5,
        "reason": "not used",
        "per_host": 8,
        "hosts": [{"host": "h:80", "least": 2, "failures": 3, "kind": "throttled"}],
    }
    assert report.keys() <= schema()["properties"].keys()


def test_document_is_unicode_when_a_name_is_not() -> None:
    """Half a surrogate pair, as Python reads odd file names, is refused by other programs' readers."""
    odd = FailureGroup("name", "no \udcff", 1, (("f\udcff", "no \udcff"),))
    text = json.dumps(document(summary(failed={"name": 1}, failures=(odd,), output="o\udcff")), ensure_ascii=False)
    assert "no \\\\udcff" in text
    assert json.loads(text.encode())["output"] == "o\\udcff"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("http://me:pw@h/x", "http://***@h/x"),
        ("https://h/x?a=1&token=abc&b=2", "https://h/x?a=1&token=***&b=2"),
        ("https://h/x?X-Amz-Signature=abc", "https://h/x?X-Amz-Signature=***"),
        ("Authorization: Bearer abc", "Authorization: ***"),
        ("Cookie: a=b", "Cookie: ***"),
        ("X-Auth-Key: a", "X-Auth-Key: ***"),
        ("http://me:p@ss@h/x", "http://***@h/x"),
        ("ftp://u:p@h/ and //u:p@h", "ftp://***@h/ and //***@h"),
        ("http://h/a@b", "http://h/a@b"),
        ("https://h/x?page=2", "https://h/x?page=2"),
    ],
)
def test_redact_hides_secrets_only(text: str, clean: str) -> None:
    """Passwords, tokens and signatures go; the rest stays readable."""
    assert redact(text) == clean


def test_shown_makes_control_characters_harmless() -> None:
    """A hostile name cannot move the cursor, recolour the terminal or turn the text around."""
    assert shown("a\x1b[31mb\u202ec\x07\udcff") == "a\\x1b[31mb\ufffdc\\x07\ufffd"


def test_numbers_read_well() -> None:
    """Sizes in decimal units, times as people say them, commands as they are typed."""
    assert [size(999), size(1_500), size(2e9), size(5e12)] == ["999 B", "1.5 kB", "2.0 GB", "5.0 TB"]
    assert [duration(0.44), duration(200), duration(3725)] == ["0.4 s", "3:20", "1:02:05"]
    assert command_line(["a b", "--x"]) == "'a b' --x"
    assert command_line(["t", "--header", "X: y", "--header=Z: y"]) == "t --header 'X: ***' '--header=Z: ***'"
    assert "\x1b" not in command_line(["evil\x1b]0;x\x07.jpg"])


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--user", "me:hush"], "--user 'me:***'"),
        (["--user=me:hush:er"], "'--user=me:***'"),
        (["--bearer", "hush"], "--bearer '***'"),
        (["--bearer=hush"], "'--bearer=***'"),
        (["--proxy", "socks5h://me:hu/sh@h:1080"], "--proxy 'socks5h://***@h:1080'"),
        (["--proxy=http://me:hu@sh@h"], "'--proxy=http://***@h'"),
        (["--proxy", "me:hush@h:3128"], "--proxy '***@h:3128'"),
        (["--proxy", "http://h:3128"], "--proxy http://h:3128"),
        (["-H", "X-Any: hush"], "-H 'X-Any: ***'"),
        (["-HX-Any: hush"], "'-HX-Any: ***'"),
    ],
)
def test_command_line_shows_no_login(words: list[str], shown: str) -> None:
    """Whatever way the flag is written."""
    assert command_line(words) == shown


def test_plain_reporter_writes_a_line_every_ten_seconds() -> None:
    """A log gets few lines, whatever the number of ticks."""
    stream = io.StringIO()
    reporter = PlainReporter(stream)
    for tenth in range(0, 250, 2):
        reporter(Tick(5, 0, 1, 0, 2, 3_000_000, tenth / 10, total=20))
    reporter(RunFinished(summary()))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0] == "10.0 s: 5 of 20 done, 0 skipped, 1 failed, 2 running, 0 retries, 0.6/s, 3.0 MB received"


def test_plain_reporter_says_at_once_that_it_stops() -> None:
    """Whoever pressed Ctrl-C must not wait ten seconds for a word."""
    stream = io.StringIO()
    reporter = PlainReporter(stream)
    reporter(Tick(5, 0, 0, 0, 2, 0, 1.0))
    reporter(Tick(5, 0, 0, 0, 2, 0, 1.2, stopping="interrupted"))
    reporter(Tick(5, 0, 0, 0, 2, 0, 1.4, stopping="interrupted"))
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().endswith("interrupted: waiting for what runs\n")


def test_console_reporter_shows_figures_failures_and_the_ending() -> None:
    """The live view has counts, speed and the last failures; hostile text is not taken as markup."""
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=160, color_system=None)
    reporter = ConsoleReporter(console)
    task = Task("http://h/[red]x", None)
    reporter(RunStarted("download", "threads", 4))
    reporter(Tick(0, 0, 0, 0, 4, 0, 0.2, total=20))
    reporter(TaskSettled(Failure(task, FailureKind.HTTP, "HTTP 503"), 1.5))
    reporter(Tick(10, 0, 0, 1, 4, 5_000_000, 5.2, total=20, limit=6))
    reporter(RunFinished(summary()))
    text = stream.getvalue()
    for words in (
        "download · threads x4",
        "10 files",
        "4 of 6 running",
        "5.0 MB at 1.0 MB/s",
        "1 retries",
        "2.0/s",
        "50%",
        "http://h/[red]x",
    ):
        assert words in text, words
    assert text.rstrip().endswith("10 files done in 2.0 s; 5.0/s; 1.2 MB [threads x4, requests]")


def test_verbose_reporter_names_every_attempt() -> None:
    """One line an attempt; a traceback only when asked for."""
    stream = io.StringIO()
    reporter = VerboseReporter(stream, tracebacks=True)
    reporter(TaskSettled(Success(Task("a", None), None)))
    reporter(TaskSettled(Skip(Task("b", None), "up to date")))
    reporter(TaskSettled(Failure(Task("c", None), FailureKind.BUG, "KeyError: 1", debug="Traceback …"), 2.0))
    reporter(LimitChanged(8, "throughput rises", 0.5))
    assert stream.getvalue().splitlines() == [
        "done  a (0.000 s)",
        "skip  b: up to date",
        "fail  c: bug: KeyError: 1; again in 2.0 s",
        "Traceback …",
        "limit 8 at once: throughput rises",
    ]


def test_events_are_one_json_object_a_line() -> None:
    """Each line stands by itself, with secrets removed."""
    stream = io.StringIO()
    reporter = EventsReporter(stream)
    reporter(RunStarted("download", "threads", 64, adaptive=True))
    reporter(TaskSettled(Failure(Task("http://u:p@h/", None), FailureKind.HTTP, "HTTP 503"), 1.5))
    reporter(LimitChanged(8, "throughput rises", 0.5))
    reporter(RunFinished(summary()))
    started, settled, changed, finished = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (started["model"], started["workers"], started["adaptive"]) == ("threads", 64, True)
    assert (changed["event"], changed["limit"], changed["reason"]) == ("limit_changed", 8, "throughput rises")
    assert (settled["key"], settled["kind"], settled["retry_in"]) == ("http://***@h/", "http", 1.5)
    assert finished["run"]["exit_code"] == 0
