"""The main text of a page, where the extra is installed."""

from __future__ import annotations

import logging

import pytest

from tests.apps.scrape.auto.fixtures import URL, part
from toolkit.apps.scrape.auto import maintext, read_auto

pytest.importorskip("trafilatura")
WORDS = "A paragraph of the story that goes on for long enough to count as one, with a few words more. "
PAGE = f"""<!doctype html><html><head><title>T</title></head><body><nav><a href=/>Home</a> <a href=/a>All</a></nav>
<article><h1>The story</h1><p>{WORDS * 3}</p><p>{WORDS * 2}</p></article>
<footer>Imprint and cookies</footer></body></html>"""


def test_main_text_when_there_is_one() -> None:
    """The story without what stands around it, a paragraph a line."""
    assert part("text", PAGE).splitlines() == ["The story", (WORDS * 3).strip(), (WORDS * 2).strip()]


@pytest.mark.parametrize("html", ["", " ", "<p>", "<?xml version='1.0' encoding='utf-8'?><html></html>", "no markup"])
def test_main_text_when_there_is_none(
    html: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing is None, and nothing is said on the terminal."""
    caplog.set_level(logging.CRITICAL, "trafilatura")
    assert part("text", html) is None
    assert capfd.readouterr() == ("", "")


def test_main_text_when_the_page_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not looked for, and the problem says why; other parts are there all the same."""
    monkeypatch.setattr(maintext, "LARGEST", 10)
    auto = read_auto(PAGE, URL, ["title", "text"])
    assert auto.values == {"title": "T", "text": None}
    assert auto.problems == (("text", "the page has more than 10 characters: its main text was not looked for"),)


@pytest.mark.parametrize(
    ("html", "what"), [("<Table><tr><td>words" * 1001, "1,000 tables"), ("<p>words" * 60_001, "60,000 tags")]
)
def test_main_text_when_the_page_has_too_many_tags(html: str, what: str) -> None:
    """Tens of thousands of them would take minutes."""
    auto = read_auto(html, URL, ["text"])
    assert auto.values == {"text": None}
    assert auto.problems == (("text", f"the page has more than {what}: its main text was not looked for"),)
