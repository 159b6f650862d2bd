"""The report's page: complete, self-contained, of bounded size, and closed to what names and messages may hold."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.reporting.test_reporting import COMPUTING, GROUP, IN_WORDS, LOOP, summary
from toolkit.core.errors import FailureKind, TaskError, UsageError
from toolkit.core.task import Failure, Outcome, Skip, Success, Task, Timing
from toolkit.reporting import RunFinished, Summary, TaskSettled, html
from toolkit.reporting._advice import ADVICE
from toolkit.reporting.html import HtmlReporter

HOSTILE = "</td></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'\x1b[31m\u202e\udcff"


class Page(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.inner: dict[str, str] = {}
        self._within = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.tags.append((tag, dict(attrs)))
        self._within = tag

    def handle_data(self, data: str) -> None:
        """Keep text: of scripts and styles by their tag, all other together."""
        if self._within in ("script", "style"):
            self.inner[self._within] = self.inner.get(self._within, "") + data
        elif data.strip():
            self.words.append(data.strip())

    def handle_endtag(self, tag: str) -> None:
        """Leave a tag."""
        self._within = ""

    def count(self, tag: str, **facts: str) -> int:
        """Count the tags with these attributes."""
        return sum(name == tag and facts.items() <= found.items() for name, found in self.tags)


def done(number: int, key: str = "", **facts: Any) -> Success[Any]:
    """Return a success with a value that has these facts."""
    value = type("Value", (), {"bytes": 1000, "warnings": (), **facts})()
    return Success(Task(key or f"{number}.jpg", None, index=number), value, Timing(0, 0.25, "w"))


def failed(number: int, key: str = "", message: str = "damaged") -> Failure:
    return Failure(Task(key or f"{number}.jpg", None, index=number, attempt=2), FailureKind.IMAGE, message)


def written(path: Path, outcomes: list[Outcome], told: Summary, reporter: HtmlReporter | None = None) -> Page:
    """Return the page of a run with these outcomes."""
    reporter = reporter or HtmlReporter(path)
    for outcome in outcomes:
        reporter(TaskSettled(outcome))
    reporter(RunFinished(told))
    return Page(path.read_text(encoding="utf-8"))


def test_page_tells_what_became_of_the_run(tmp_path: Path) -> None:
    """Verdict, figures, failures with advice, skips, warnings, what to do next, and every task."""
    told = summary(failed={"http": 5}, failures=(GROUP,), skipped={"up to date": 3}, warnings={"narrowed": 2})
    skip = Skip(Task("b.jpg", None, index=1), "up to date")
    page = written(tmp_path / "r.html", [done(0, warnings=("narrowed",)), skip, failed(2)], told)
    text = "\n".join(page.words)
    assert "10 files done, 3 skipped, 5 failed in 2.0 s; 5.0/s; 1.2 MB [threads x4, requests]" in text
    assert "5 × http\n" + ADVICE["http"] + "\nHTTP 404 Not Found (5 times)\nhttp://h/a\n… and 4 more" in text
    assert "to retry what failed:\ntoolkit download urls.txt -o 'my files' --retry-failed" in text
    assert "Skipped\n3\nup to date\nWarnings\n2\nnarrowed" in text
    rows = text.partition("note\n")[2].partition("\nCommand")[0].splitlines()
    assert rows == [
        *("2.jpg", "failed", "0.000", "2", "image: damaged"),
        *("0.jpg", "done", "1.0 kB", "0.250", "1", "narrowed"),
        *("b.jpg", "skipped", "0.000", "1", "up to date"),
    ]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "All well"),
        ({"failed": {"http": 1}}, "Some failed"),
        ({"complaints": ("too few",)}, "Not all that was asked for"),
        ({"complaints": ("too few",), "failed": {"http": 1}}, "Some failed"),
        ({"status": "stopped"}, "Stopped"),
        ({"status": "interrupted"}, "Interrupted"),
    ],
)
def test_page_says_first_how_the_run_went(tmp_path: Path, changes: dict[str, object], state: str) -> None:
    """It is what the exit code says, in words."""
    page = written(tmp_path / "r.html", [], summary(**changes))
    assert page.words[1] == state


def test_page_names_complaints_as_text(tmp_path: Path) -> None:
    """What the results as a whole are not, escaped as all else."""
    page = written(tmp_path / "r.html", [], summary(complaints=("too few", HOSTILE)))
    assert "Complaints\ntoo few\n" in "\n".join(page.words)
    assert (page.count("li"), page.count("img"), page.count("script")) == (2, 0, 1)


def test_page_tells_remarks(tmp_path: Path) -> None:
    """Below the verdict, escaped."""
    page = written(tmp_path / "r.html", [], summary(remarks=("rows: 3 new", HOSTILE)))
    assert "rows: 3 new" in page.words
    assert (page.count("img"), page.count("script")) == (0, 1)


def test_page_tells_how_late_the_loop_was(tmp_path: Path) -> None:
    """In words, and where functions were computed as a table; nothing of it under a model without a loop."""
    path = tmp_path / "r.html"
    page = written(path, [], summary(app="scrape", loop=LOOP, computing=COMPUTING))
    assert f"P{IN_WORDS[1:]}." in page.words
    for each in COMPUTING:
        assert each.why in page.words
    assert "Event loop" not in written(path, [], summary()).words


def test_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    """No link, no address to load from; one script and one style, both in the page, which alone may run."""
    page = written(tmp_path / "r.html", [done(0, "http://h/a.jpg")], summary(), illustrated(tmp_path / "r.html"))
    assert [facts for _, facts in page.tags if {"href", "srcset", "action"} & set(facts)] == []
    sources = [facts["src"] or "" for _, facts in page.tags if "src" in facts]
    assert len(sources) == 2
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    (policy,) = [facts["content"] or "" for tag, facts in page.tags if "http-equiv" in facts]
    assert policy.startswith("default-src 'none'; img-src data:; ")
    for tag in ("script", "style"):
        assert page.count(tag) == 1
        digest = b64encode(sha256(page.inner[tag].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not re.search(r"url\(|@import|fetch|https?:", page.inner["style"] + page.inner["script"])


def test_page_is_closed_to_hostile_text(tmp_path: Path) -> None:
    """Names, messages, reasons, warnings, facts and the command make no tag, and nothing that cannot be seen."""
    told = summary(
        reason=HOSTILE,
        status="stopped",
        skipped={HOSTILE: 1},
        warnings={HOSTILE: 1},
        output=HOSTILE,
        command=("toolkit", HOSTILE),
        failures=(html_group(),),
        failed={"image": 1},
    )
    reporter = illustrated(tmp_path / "r.html", name=HOSTILE, facts={"format": HOSTILE, "warnings": [HOSTILE]})
    outcomes: list[Outcome] = [
        done(0, HOSTILE, warnings=(HOSTILE,)),
        Skip(Task(HOSTILE, None), HOSTILE),
        failed(1, HOSTILE, HOSTILE),
    ]
    page = written(tmp_path / "r.html", outcomes, told, reporter)
    plain = written(tmp_path / "p.html", outcomes[:0], summary())
    assert page.count("script") == plain.count("script") == 1
    assert page.count("img") == 2  # the pair
    assert [facts for _, facts in page.tags if "onerror" in facts] == []
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert not set("\x1b\u202e") & set(text)


def test_page_has_no_secrets(tmp_path: Path) -> None:
    """Passwords of URLs, secret query values, and what flags carry."""
    key = "http://me:pa55w@h/a?token=pa55w"
    told = summary(
        failures=(html_group(key, f"no reply from {key}"),),
        failed={"image": 1},
        command=("toolkit", "download", key, "--header", "X: pa55w", "-o", "x"),
    )
    written(tmp_path / "r.html", [failed(0, key, f"no reply from {key}"), done(1, key)], told)
    assert "pa55w" not in (tmp_path / "r.html").read_text()


def test_page_names_a_bounded_number_of_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that failed come first, the rest is counted, and no more than that is held while the run goes on."""
    monkeypatch.setattr(html, "MOST_ROWS", 10)
    reporter = HtmlReporter(tmp_path / "r.html")
    outcomes: list[Outcome] = [*(done(n) for n in range(30)), *(failed(n) for n in range(30, 33))]
    page = written(tmp_path / "r.html", outcomes, summary(succeeded=30, failed={"image": 3}), reporter)
    assert [word for word in page.words if word in ("done", "failed")][-10:] == ["failed"] * 3 + ["done"] * 7
    assert any("10 of 33: 23 more are not shown" in word for word in page.words)
    assert len(reporter._failed) + len(reporter._others) == 13


def test_attempts_that_are_repeated_are_no_tasks_of_their_own(tmp_path: Path) -> None:
    """Only what a task ended with is told."""
    reporter = HtmlReporter(tmp_path / "r.html")
    reporter(TaskSettled(failed(0), retry_in=1.0))
    page = written(tmp_path / "r.html", [done(0)], summary(succeeded=1), reporter)
    assert "damaged" not in " ".join(page.words)


def test_pairs_are_an_even_sample_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many results there are: from the first to nearly the last, and never more than twice as many held."""
    monkeypatch.setattr(html, "MOST_PAIRS", 5)
    held: list[int] = []
    reporter = illustrated(tmp_path / "r.html")
    for number in range(1000):
        reporter(TaskSettled(done(number)))
        held.append(len(reporter._sample._pairs))
    reporter(RunFinished(summary(succeeded=1000)))
    page = Page((tmp_path / "r.html").read_text())
    assert page.count("figure") == 5
    assert "5 of 1,000 results, spread over the run." in page.words
    numbers = [int(pair["name"].split(".")[0]) for pair in reporter._sample.pairs()]
    assert (numbers[0], numbers[-1] > 700, max(held) < 10) == (0, True, True)


def test_pair_tells_its_facts(tmp_path: Path) -> None:
    """Sizes, bytes saved, format, quality, likeness and seconds; and a warning where there is one."""
    facts = {
        "before_width": 6000,
        "before_height": 4000,
        "before_bytes": 5_000_000,
        "before_format": "jpeg",
        "width": 800,
        "height": 533,
        "bytes": 100_000,
        "format": "webp",
        "quality": 80,
        "ssim": 0.98765,
        "decode": 0.1,
        "process": 0.02,
        "encode": 0.003,
        "files": 6,
        "warnings": ["narrowed"],
    }
    page = written(tmp_path / "r.html", [done(0)], summary(), illustrated(tmp_path / "r.html", facts=facts))
    assert "6000 × 4000, 5.0 MB, jpeg → 800 × 533, 100.0 kB, webp (98% saved)" in page.words
    assert "quality 80 · SSIM 0.9877 · decode 100 ms · process 20 ms · encode 3 ms · one of 6 files" in page.words
    assert "narrowed" in page.words


def test_pair_says_why_when_a_picture_cannot_be_shown(tmp_path: Path) -> None:
    """The other side is still there, and so is the page."""

    def small(path: str, side: int) -> bytes:
        if path == "before":
            raise TaskError(FailureKind.IMAGE, "it is damaged")
        raise MemoryError

    reporter = HtmlReporter(tmp_path / "r.html")
    reporter.illustrate(lambda outcome: {"name": "a", "before": "before", "after": "after", "facts": {}}, small)
    page = written(tmp_path / "r.html", [done(0)], summary(), reporter)
    assert {"before: it is damaged", "after: out of memory"} <= set(page.words)


def test_page_has_no_gallery_when_the_app_makes_no_pictures(tmp_path: Path) -> None:
    """A download's page is without it."""
    reporter = HtmlReporter(tmp_path / "r.html")
    reporter.illustrate(None, None)
    assert written(tmp_path / "r.html", [done(0)], summary(), reporter).count("figure") == 0


@pytest.mark.parametrize(
    ("name", "why"), [("r.txt", r"end it in \.html"), ("dir.html", "folder"), ("f/r.html", "no folder")]
)
def test_page_is_refused_before_the_run_when_it_cannot_be_written(tmp_path: Path, name: str, why: str) -> None:
    """Hours of work come before it."""
    (tmp_path / "dir.html").mkdir()
    (tmp_path / "f").touch()
    with pytest.raises(UsageError, match=why):
        HtmlReporter(tmp_path / name)


def test_old_page_stays_when_the_new_one_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written whole or not at all; the failure is the reporter's, as an OSError."""
    (tmp_path / "r.html").write_text("old")
    reporter = HtmlReporter(tmp_path / "r.html")

    def full(*_: object) -> Any:
        yield "half"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(html, "page", full)
    with pytest.raises(OSError, match="No space"):
        reporter(RunFinished(summary()))
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]
    assert (tmp_path / "r.html").read_text() == "old"


def test_there_is_advice_for_every_kind_of_failure() -> None:
    """A new kind needs one, too."""
    assert set(ADVICE) == {kind.value for kind in FailureKind}


def html_group(key: str = HOSTILE, message: str = HOSTILE) -> Any:
    return GROUP.__class__("image", message, 1, ((key, message),))


def illustrated(path: Path, name: str = "", facts: dict[str, Any] | None = None) -> HtmlReporter:
    """Return a reporter whose every result is a pair of pictures."""
    reporter = HtmlReporter(path)

    def gallery(outcome: Outcome) -> dict[str, Any]:
        return {"name": name or outcome.task.key, "before": "a", "after": "b", "facts": facts or {}}

    reporter.illustrate(gallery, lambda path, side: f"JPEG {path} {side}".encode())
    return reporter
