"""Pages on this disk: which files are some, where they stood, and that nothing else is touched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from toolkit.apps.scrape.localfiles import (
    LocalPage,
    Passed,
    Unreadable,
    check_base_url,
    find_pages,
    is_local,
    read_body,
    stood_at,
)
from toolkit.core.errors import FailureKind, TaskError, UsageError

PAGE = b"<!DOCTYPE html><title>T</title>"


def write(folder: Path, **files: bytes) -> None:
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def origins(*sources: Path, base_url: str | None = None) -> list[str]:
    return [found.origin for found in find_pages([*map(str, sources)], base_url) if isinstance(found, LocalPage)]


def reasons(source: Path) -> dict[str, str]:
    return {found.origin: found.reason for found in find_pages([str(source)]) if isinstance(found, Passed)}


def test_find_pages_in_a_folder(tmp_path: Path) -> None:
    """Pages in the order of names, each folder's own first; hidden files are left out, others are passed."""
    write(tmp_path, b_html=PAGE, a_htm=PAGE, sub__c_xhtml=PAGE, sub__deep__d_html=PAGE, style_css=b"p {}", sub2__e=PAGE)
    write(tmp_path, hidden=b"")
    (tmp_path / ".hidden.html").write_bytes(PAGE)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.html").write_bytes(PAGE)
    assert origins(tmp_path) == ["a.htm", "b.html", "sub/c.xhtml", "sub/deep/d.html", "sub2/e"]
    assert reasons(tmp_path) == {"hidden": "not HTML", "style.css": "not HTML"}


@pytest.mark.parametrize(
    ("name", "content", "is_page"),
    [
        ("a.html", b"just words, and <b>some</b> tags", True),
        ("a.html", b"", True),
        ("a.HTML", b"\xff\xfe<\0p\0>\0", True),
        ("a.html", b"%PDF-1.7 in truth", False),
        ("a.html", b"\x1f\x8b\x08", False),
        ("a.html", b"words\0words", False),
        ("index.php?id=1", PAGE, True),
        ("a", b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- x --><html>", True),
        ("a.txt", PAGE, True),
        ("a.txt", b"http://h/", False),
        ("a.xml", b"<?xml version='1.0'?><rss></rss>", False),
        ("a.svg", b"<svg></svg>", False),
        ("a.js", b"// <html>", False),
    ],
)
def test_find_pages_when_content_and_name_differ(name: str, content: bytes, is_page: bool, tmp_path: Path) -> None:
    """Content decides; where it says nothing, the suffix does."""
    (tmp_path / name).write_bytes(content)
    assert origins(tmp_path) == ([name] if is_page else [])
    assert origins(tmp_path / name) == ([name] if is_page else [])


def test_find_pages_when_links_lead_out(tmp_path: Path) -> None:
    """A link to a file in the folder is that file; one that leads out, or to a folder, is passed."""
    inside, outside = tmp_path / "in", tmp_path / "in-too"
    write(inside, a_html=PAGE, sub__b_html=PAGE)
    write(outside, secret_html=PAGE)
    (inside / "link.html").symlink_to(inside / "sub" / "b.html")
    (inside / "out.html").symlink_to(outside / "secret.html")
    (inside / "up").symlink_to(tmp_path)
    (inside / "gone.html").symlink_to(inside / "nowhere.html")
    assert origins(inside) == ["a.html", "link.html", "sub/b.html"]
    assert reasons(inside) == {"out.html": "link out of the folder", "up": "link to a folder"}
    unreadable = [found for found in find_pages([str(inside)]) if isinstance(found, Unreadable)]
    assert [(found.origin, found.message) for found in unreadable] == [
        ("gone.html", "cannot be read: No such file or directory")
    ]


def test_find_pages_when_a_file_is_a_pipe(tmp_path: Path) -> None:
    """What is no regular file is not opened, which could wait for ever."""
    os.mkfifo(tmp_path / "a.html")
    assert origins(tmp_path) == []
    assert reasons(tmp_path) == {"a.html": "not HTML"}


def test_find_pages_when_they_stood_somewhere(tmp_path: Path) -> None:
    """--base-url is the folder's URL where it ends in a slash; names are quoted as URLs need it."""
    write(tmp_path, a_html=PAGE, sub__b_html=PAGE)
    (tmp_path / "sub" / "x y#1?é:.html").write_bytes(PAGE)
    found = [page for page in find_pages([str(tmp_path)], "https://h/docs/") if isinstance(page, LocalPage)]
    assert [page.base for page in found] == [
        "https://h/docs/a.html",
        "https://h/docs/sub/b.html",
        "https://h/docs/sub/x%20y%231%3F%C3%A9%3A.html",
    ]
    assert found[0].url == (tmp_path / "a.html").as_uri()
    (one,) = find_pages([str(tmp_path / "a.html")], "https://h")
    assert isinstance(one, LocalPage)
    assert one.base == "https://h/a.html"


def test_stood_at_when_a_browser_saved_the_page(tmp_path: Path) -> None:
    """Browsers write where a page is from; what is given goes before it, and what is no web address does not count."""
    remark = b"<!DOCTYPE html>\n<!-- saved from url=(0019)http://h/x/y.html?a -->\n<html>"
    write(tmp_path, a_html=remark)
    (page,) = find_pages([str(tmp_path / "a.html")])
    (based,) = find_pages([str(tmp_path / "a.html")], "https://base/")
    assert isinstance(page, LocalPage)
    assert isinstance(based, LocalPage)
    assert stood_at(page, remark) == "http://h/x/y.html?a"
    assert stood_at(based, remark) == "https://base/a.html"
    assert stood_at(page, remark.replace(b"http:", b"file:")) == ""
    assert stood_at(page, PAGE) == ""


def test_read_body_when_a_page_has_changed(tmp_path: Path) -> None:
    """A page that is too large, gone, or no file any more is a failure that says so."""
    path = tmp_path / "a.html"
    path.write_bytes(PAGE)
    (page,) = find_pages([str(path)])
    assert isinstance(page, LocalPage)
    assert read_body(page, len(PAGE)) == PAGE
    with pytest.raises(TaskError, match="larger than 5 bytes") as raised:
        read_body(page, 5)
    assert raised.value.kind is FailureKind.TOO_LARGE
    path.unlink()
    with pytest.raises(TaskError, match="No such file"):
        read_body(page, 100)
    os.mkfifo(path)
    with pytest.raises(TaskError, match="no regular file"):
        read_body(page, 100)


def test_is_local_when_sources_differ(tmp_path: Path) -> None:
    """Folders and pages are local; URLs, lists and standard input are not."""
    write(tmp_path, a_html=b"words", b_txt=b"http://h/", c_txt=PAGE, d_csv=PAGE, e_html_gz=b"", f=PAGE)
    wanted = {"": True, "a.html": True, "b.txt": False, "c.txt": True, "d.csv": False, "e.html.gz": False, "f": True}
    assert {name: is_local(str(tmp_path / name)) for name in wanted} == wanted
    assert is_local(str(tmp_path / "none.html"))
    assert not is_local("https://h/a.html")
    assert not is_local("-")


def test_find_pages_when_a_source_is_wrong(tmp_path: Path) -> None:
    """What is not there, and what is no URL, is told before anything is read."""
    with pytest.raises(UsageError, match="there is no file or folder"):
        list(find_pages([str(tmp_path / "none")]))
    with pytest.raises(UsageError, match="--base-url 'ftp://h/'"):
        list(find_pages([str(tmp_path)], "ftp://h/"))
    assert check_base_url("HTTP://H/x") == "http://h/x"
