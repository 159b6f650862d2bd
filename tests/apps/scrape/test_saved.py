"""Pages are saved as they came, and read back as they were."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from toolkit.apps.scrape.saved import NOWHERE, SavedPage, load, name_of, page_of, save
from toolkit.core.errors import UsageError
from toolkit.core.http import Head, Headers

URL = "http://me:pw@h.org/d/p.html?q=1"
BODY = b"\xff\xfe\x00<p>\r\n\xe4"
WHEN = datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone(timedelta(hours=2)))


def page() -> SavedPage:
    fields = [("Content-Type", "text/html; charset=Latin1"), ("Set-Cookie", "secret=1"), ("X-Robots-Tag", "noindex")]
    head = Head("http://me:pw@h.org/end", 404, Headers([*fields, ("X-Robots-Tag", "other: none")]))
    return page_of(URL, head, BODY, WHEN)


def test_save_when_loaded_again(tmp_path: Path) -> None:
    """Bytes and facts are the same; no password and no cookie is in any file."""
    path = save(tmp_path, page())
    (back,) = load(tmp_path)
    assert (back.body, back.url, back.final_url) == (BODY, "http://h.org/d/p.html?q=1", "http://h.org/end")
    assert (back.status, back.charset, back.fetched_at, back.path) == (404, "Latin1", WHEN, path)
    robots = [("x-robots-tag", "noindex"), ("x-robots-tag", "other: none")]
    assert list(back.headers) == [("content-type", "text/html; charset=Latin1"), *robots]
    files = sorted(tmp_path.iterdir())
    assert [file.suffix for file in files] == [".html", ".json"]
    assert not any(word in file.read_bytes() for file in files for word in (b"pw", b"secret"))


def test_save_when_saved_before(tmp_path: Path) -> None:
    """The same URL has the same name, and what is beside it stays."""
    path = save(tmp_path, page())
    beside = path.with_suffix(".expected.json")
    beside.write_text("{}")
    assert save(tmp_path, page()) == path
    assert beside.exists()
    assert len(list(load(tmp_path))) == 1


@pytest.mark.parametrize(
    ("url", "start"),
    [
        ("https://Example.org/Items/42?x=1", "example-org-items-42-"),
        ("http://h.org/../../etc/passwd", "h-org-etc-passwd-"),
        ("http://h.org/" + "long/" * 100, "h-org-long-"),
        ("http://[::1]:8000/%00/con.txt", "1-00-con-txt-"),
        ("http://xn--bcher-kva.org/\u00fc\u202e", "xn-bcher-kva-org-"),
        ("http:///", "page-"),
    ],
)
def test_name_of_when_made(url: str, start: str) -> None:
    """Readable, short, and of letters, digits and hyphens only."""
    name = name_of(url)
    assert name.startswith(start)
    assert len(name) <= 73
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert name == name_of(url) != name_of(url + "2")


def test_load_when_pages_have_no_facts(tmp_path: Path) -> None:
    """What a browser saved says where it is from; else the page stands nowhere. Folders go in order."""
    saved = b"<!DOCTYPE html>\n<!-- saved from url=(0021)https://h.org/a?b=1#c -->\n<p>"
    (tmp_path / "b.HTM").write_bytes(saved)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "sp ace.html").write_bytes(b"<p>")
    (tmp_path / ".hidden.html").write_bytes(b"<p>")
    (tmp_path / "a" / "b_files").mkdir()
    found = list(load(tmp_path))
    assert [(one.name, one.url) for one in found] == [
        ("b", "https://h.org/a?b=1#c"),
        ("sp ace", f"{NOWHERE}sp%20ace.html"),
    ]
    assert [one.url for one in load(tmp_path / "b.HTM")] == ["https://h.org/a?b=1#c"]


@pytest.mark.parametrize(
    "facts",
    ["", "[]", "{}", '{"url": 1}', '{"url": "file:///etc/passwd"}', '{"url": "http://h/", "headers": [1]}', "[" * 9999],
)
def test_load_when_the_facts_are_wrong(tmp_path: Path, facts: str) -> None:
    """The message names the file of facts."""
    (tmp_path / "p.html").write_bytes(b"<p>")
    (tmp_path / "p.json").write_text(facts)
    with pytest.raises(UsageError, match=r"p\.json: not the facts of a saved page"):
        list(load(tmp_path))


def test_load_when_there_is_nothing(tmp_path: Path) -> None:
    """A folder without pages and a file that is not there are mistakes to tell."""
    with pytest.raises(UsageError, match=r"no saved pages here: they end in \.htm"):
        list(load(tmp_path))
    with pytest.raises(UsageError, match="No such file"):
        list(load(tmp_path / "none.html"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs links")
def test_load_when_a_link_leads_in_circles(tmp_path: Path) -> None:
    """Linked folders are not entered."""
    (tmp_path / "p.html").write_bytes(b"<p>")
    (tmp_path / "self").symlink_to(tmp_path)
    assert len(list(load(tmp_path))) == 1


def test_save_when_facts_are_read_by_people(tmp_path: Path) -> None:
    """Times are in UTC, and letters are letters."""
    facts = json.loads(save(tmp_path, page()).with_suffix(".json").read_text())
    assert facts["fetched_at"] == WHEN.astimezone(UTC).isoformat() == "2024-05-06T05:08:09+00:00"
