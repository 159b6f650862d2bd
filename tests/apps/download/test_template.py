"""Names by a template: fields, folders, and nothing that leads out of the output folder."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.apps.download.test_names import assert_safe, texts
from toolkit.apps.download.names import from_user
from toolkit.apps.download.template import Template, tree
from toolkit.core.errors import TaskError, UsageError

URL = "http://Host.example:8080/a%20b/%2E%2E/x.tar.gz?q=1/2"
COLUMNS = {"Title": "On / Off", "no": "7"}


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("{name}", "x.tar.gz"),
        ("{stem}-{hash}.{ext}", "x-c33ee179c4a43432.tar.gz"),
        ("{host}/{path}", "host.example_8080/a b/x.tar.gz"),
        ("{dir}/{index}", "a b/000003"),
        ("{index:2}_{index:03}.bin", "3_003.bin"),
        ("{query}", "q=1_2"),
        ("{Title}/{no}.pdf", "On _ Off/7.pdf"),
        ("{{{no}}}", "{7}"),
        (".hidden/{name}", "_.hidden/x.tar.gz"),
        ("con/{name}", "_con/x.tar.gz"),
    ],
)
def test_path_by_the_table(template: str, path: str) -> None:
    """Each field, with what it gives; slashes in values make no folders but for {path} and {dir}."""
    assert Template(template).path(URL, 2, COLUMNS) == path


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://h/", "h/index.html"),
        ("http://h", "h/index.html"),
        ("https://H:443/a/b/", "h/a/b/index.html"),
        ("http://h:81/a//b.html?page=2&x=/y", "h_81/a/b.html@page=2&x=_y"),
        ("http://[::1]/../x", "__1/x"),
        ("http://h/a%2Fb/%2e%2e", "h/a_b/index.html"),
        ("http://h/a\\..\\b", "h/a_.._b"),
    ],
)
def test_tree_mirrors_host_and_path(url: str, path: str) -> None:
    """As wget -x names them, made safe."""
    assert tree(url) == path


@pytest.mark.parametrize(
    "template",
    ["", "/", "/{name}", "{name}/", "../{name}", "a/../{name}", "./x", "a//b", "{", "}", "{}", "{name", "{name!r}",
     "{name:>9}", "{index:x}", "{index:999}", "{index:.3}"],
)  # fmt: skip
def test_template_is_refused_when_it_cannot_be_a_path(template: str) -> None:
    """Before anything is fetched."""
    with pytest.raises(UsageError, match="--name-template"):
        Template(template)


def test_columns_are_checked_against_the_first_line_and_each_other() -> None:
    """A mistyped field is a mistake of the command; a line that lacks a column is its own failure."""
    template = Template("{title}/{name}")
    assert template.columns == ("title",)
    with pytest.raises(UsageError, match=r"no \{title\}; known are host, .*, Title, no"):
        template.check_columns(COLUMNS)
    with pytest.raises(TaskError, match="needs the column 'title'"):
        template.path(URL, 0, COLUMNS)


@settings(max_examples=100, deadline=None)
@given(texts, st.sampled_from(["{t}", "{t}{t}/{t}", "{t}/{name}", "x{t}.{ext}"]))
def test_path_is_safe_when_a_column_is_anything(text: str, template: str) -> None:
    """Every part of a path is one safe component, and as many parts as the template has."""
    path = Template(template).path("http://h/x.txt", 0, {"t": text})
    assert path.count("/") <= template.count("/")
    for part in path.split("/"):
        assert_safe(part)


@settings(max_examples=100, deadline=None)
@given(texts)
def test_user_names_are_safe_or_refused(text: str) -> None:
    """A name from a list stays below the folder."""
    try:
        path = from_user(text)
    except TaskError:
        return
    for part in path.split("/"):
        assert_safe(part)


def test_user_names_by_the_table() -> None:
    """Folders are made; what leads out is refused, not bent."""
    assert [from_user(text) for text in ("a.txt", "a/./b//c.txt", "a\\b", " x ", "a:b/con")] == [
        "a.txt",
        "a/b/c.txt",
        "a_b",
        "x",
        "a_b/_con",
    ]
    for text in ("", ".", "..", "/etc/passwd", "../x", "a/../b", "a/ .. /b", "a/", "a/."):
        with pytest.raises(TaskError, match="not that of a file below the output folder"):
            from_user(text)
