"""Results are called as documented, and nothing that a picture is called leads out of the output folder."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from toolkit.apps.resize.template import Named, Naming, parse_template

JANUARY = 1_704_164_645 * 10**9
"""2024-01-02 03:04:05 in UTC."""


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def _named(origin: str = "2024/May/cat.JPG", kind: str = "jpeg", index: int = 7) -> Named:
    return Named(f"/photos/{origin}", origin, kind, index, JANUARY)


def _names(template: str | None, picture: Named, **naming: object) -> list[str]:
    return [target.name for target in Naming(template, **naming).targets(picture)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("naming", "names"),
    [
        ({}, ["x/cat.JPG"]),
        ({"labels": ("320",)}, ["x/cat.JPG"]),
        ({"labels": ("320", "640")}, ["x/cat-320.JPG", "x/cat-640.JPG"]),
        ({"labels": ("", "640")}, ["x/cat.JPG", "x/cat-640.JPG"]),
        ({"formats": ("avif", "webp", "jpeg")}, ["x/cat.avif", "x/cat.webp", "x/cat.JPG"]),
        ({"formats": (None, "webp")}, ["x/cat.JPG", "x/cat.webp"]),
        ({"formats": (None, "jpeg", "jpeg")}, ["x/cat.JPG"]),
        (
            {"labels": ("1", "2"), "formats": ("webp", "png")},
            ["x/cat-1.webp", "x/cat-1.png", "x/cat-2.webp", "x/cat-2.png"],
        ),
    ],
)
def test_names_without_a_template(naming: dict[str, object], names: list[str]) -> None:
    """The tree and the name stay, and say which of several results one is; a format is made once."""
    assert _names(None, _named("x/cat.JPG"), **naming) == names


def test_targets_tell_size_and_format() -> None:
    """The formats of the first size come first."""
    targets = Naming(labels=("1", "2"), formats=("webp", None)).targets(_named())
    assert [(target.size, target.format) for target in targets] == [(0, "webp"), (0, "jpeg"), (1, "webp"), (1, "jpeg")]


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{dir}/{stem}-{size}.{ext}", "2024/May/cat-320.JPG"),
        ("{stem}", "cat.jpg"),
        ("{name}", "cat.JPG"),
        ("{name}.png", "cat.JPG.jpg"),
        ("{stem}.{format}", "cat.jpeg"),
        ("{size}/{parent}-{index}.{ext}", "320/May-7.JPG"),
        ("{index:05}", "00007.jpg"),
        ("{date}/{date:%H%M%S}", "2024-01-02/030405.jpg"),
        ("{date:%Y/%m}/{stem}", "2024/01/cat.jpg"),
        ("{{{stem}}}", "{cat}.jpg"),
        ("a: {stem}?", "a_ cat_.jpg"),
        (".{stem}", "_.cat.jpg"),
    ],
)
def test_names_by_template(template: str, name: str) -> None:
    """Every field, literal braces, and a suffix that is always true."""
    assert _names(template, _named(), labels=("320",)) == [name]


@pytest.mark.parametrize(
    ("origin", "template", "name"),
    [
        ("cat.jpg", "{dir}/{stem}", "cat.jpg"),
        ("cat.jpg", "new/{dir}/{stem}", "new/cat.jpg"),
        ("photo.2024", "{stem}.{ext}", "photo.2024.jpg"),
        ("a.jpg.png", "{stem}.{ext}", "a.jpg.jpg"),
        ("aux.jpg", "{stem}", "_aux.jpg"),
        ("con/a.jpg", "{dir}/{stem}", "_con/a.jpg"),
        ("x. /a.jpg", "{dir}/{stem}", "x/a.jpg"),
        ("a\n\x1b[31mb.jpg", "{stem}", "a__[31mb.jpg"),
        ("caf\udce9.jpg", "{stem}-{index}", "caf\udce9-7.jpg"),
        ("a.jpg", "{date:%%..}/{stem}", "%/a.jpg"),
    ],
)
def test_names_that_would_be_unsafe(origin: str, template: str, name: str) -> None:
    """Each part is made fit for every system; bytes that are not UTF-8 stay."""
    assert _names(template, _named(origin)) == [name]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{nmae}", r"there is no \{nmae\}: choose from \{dir\}, \{stem\}"),
        ("{}", "there is no {}"),
        ("{stem.__class__}", "there is no"),
        ("{stem[0]}", "there is no"),
        ("{stem!r}", "only {index:05}"),
        ("{stem:>9999999999}", "only {index:05}"),
        ("{index:x}", "only {index:05}"),
        ("{index:999999999}", "only {index:05}"),
        ("{date:{stem}}", "only {index:05}"),
        ("{stem", "expected '}'"),
        ("stem}", "Single '}'"),
        ("", "is not the name of a file"),
        ("/{stem}", "is not the name of a file"),
        ("{dir}/", "is not the name of a file"),
        ("a//{stem}", "is not the name of a file"),
        ("../{stem}", "is not the name of a file"),
        ("{dir}/ .. /{stem}", "is not the name of a file"),
    ],
)
def test_template_that_is_wrong(template: str, message: str) -> None:
    """It is refused before anything is done, with what is wrong."""
    with pytest.raises(ValueError, match=message.replace("{}", r"\{\}").replace("{index:05}", r"\{index:05\}")):
        parse_template(template)


@pytest.mark.parametrize("template", [None, "{stem}-small"])
def test_name_that_is_too_long(template: str | None) -> None:
    """It is refused for this picture, counted in bytes."""
    picture = _named("ü" * 124 + ".jpg")  # 252 bytes
    assert _names("{stem}", picture)
    with pytest.raises(ValueError, match=r"would be 25[68] bytes long, and 255 are the most"):
        _names(template, picture, labels=("320", "640"))


def test_date_that_no_calendar_has() -> None:
    """A file from beyond the year 9999 is refused only where its date is asked for."""
    picture = Named("a.jpg", "a.jpg", "jpeg", 1, 10**21)
    assert _names("{stem}", picture) == ["a.jpg"]
    with pytest.raises(ValueError, match="date is out of range"):
        _names("{date}", picture)


@example(origin="\ud800\udd00.jpg", template="{stem}", label="")
@example(origin="\udc80\udcff.jpg", template="{dir}/{name}", label="")
@given(
    origin=st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=20).filter(
        lambda text: not any(part in {"", ".", ".."} for part in text.split("/"))
    ),
    template=st.sampled_from(
        ["{stem}", "{dir}/{name}", "{parent}/{stem}.{ext}", "{date:%Y/..}/{stem}", "{size}/{size}"]
    ),
    label=st.text(max_size=5),
)
def test_names_stay_below_the_output_folder(origin: str, template: str, label: str) -> None:
    """Whatever the picture is called, each part of a result's name is one that leads down."""
    for name in _names(template, _named(origin), labels=(label,)):
        parts = name.split(os.sep)
        assert not os.path.isabs(name)
        assert not any(part in {"", ".", ".."} or "\0" in part or part.startswith(".") for part in parts)
