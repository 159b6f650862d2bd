"""Finding files of a folder by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.core import plugins
from toolkit.core.errors import MissingExtra, UsageError


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make a package with some members, each broken in its own way or not."""
    folder = tmp_path / f"gadgets_{tmp_path.name}"
    (folder / "nested").mkdir(parents=True)
    for name, text in {
        "__init__": "raise_nothing = True",
        "good": "MODEL = 'the model'",
        "nested/__init__": "MODEL = 'nested'",
        "_private": "MODEL = 'no'",
        "needy": "import a_library_that_nobody_has",
        "fast_needy": "import pycurl_gone",
        "ours": "import toolkit.core.nothing_of_that_name",
        "broken": "1 / 0",
    }.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "notes.txt").write_text("no module")
    monkeypatch.syspath_prepend(tmp_path)
    return folder.name


def test_names_lists_public_members_without_importing_them(package: str) -> None:
    """Sorted, modules and packages; private ones and other files are left out."""
    assert plugins.names(package) == ["broken", "fast_needy", "good", "needy", "nested", "ours"]


def test_load_returns_the_attribute(package: str) -> None:
    """A file needs nothing but its name and the attribute."""
    assert plugins.load(package, "good", "MODEL") == "the model"
    assert plugins.load(package, "nested", "MODEL") == "nested"


@pytest.mark.parametrize("name", ["goood", "", "_private", "good.MODEL", "../good", "GOOD"])
def test_load_names_the_choices_when_the_name_is_unknown(package: str, name: str) -> None:
    """Nothing that is not listed is imported."""
    with pytest.raises(UsageError, match=r"unknown gadgets_.* choose from broken, fast_needy, good, needy"):
        plugins.load(package, name, "MODEL")


def test_load_gives_the_command_when_a_library_is_missing(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is called as the file, unless the library is known to come with another."""
    with pytest.raises(MissingExtra, match=r"'a_library_that_nobody_has'.* pip install 'toolkit\[needy\]'"):
        plugins.load(package, "needy", "MODEL")
    monkeypatch.setitem(plugins.EXTRAS, "pycurl_gone", "fast")
    with pytest.raises(MissingExtra, match=r"pip install 'toolkit\[fast\]'"):
        plugins.load(package, "fast_needy", "MODEL")


def test_load_hides_no_bug_of_ours(package: str) -> None:
    """A module of ours that is missing, or breaks, is no missing extra."""
    with pytest.raises(ModuleNotFoundError, match="nothing_of_that_name"):
        plugins.load(package, "ours", "MODEL")
    with pytest.raises(ZeroDivisionError):
        plugins.load(package, "broken", "MODEL")


def test_unknown_model_is_called_a_model() -> None:
    """The message speaks of one thing, though the folder's name is a plural."""
    with pytest.raises(UsageError, match=r"unknown model 'threds': choose from .*threads"):
        plugins.load("toolkit.models", "threds", "MODEL")
