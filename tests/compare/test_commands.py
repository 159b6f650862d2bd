"""Command lines of runs: the options that were given, and the models that are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compare.fakes import variants
from toolkit import models
from toolkit.cli.models import COMMAND
from toolkit.compare.commands import choose, work
from toolkit.compare.results import Missing, Variant
from toolkit.core.errors import MissingExtra, UsageError
from toolkit.models import Model


def test_command_when_options_are_given() -> None:
    """Options differing from their defaults are spelled as flags; sources cannot pass for options."""
    options = {"header": ("A: 1", "B: 2"), "max_size": 5, "connect_timeout": 10.0, "retries": 0, "max_errors": None}
    found = work("download", ["http://x/"], variants("threads"), options)
    command = found.command(Variant("threads#2", "threads", 4), Path("folder"))
    assert command[command.index("-m") + 1 :] == [
        *("toolkit", "download", "--model", "threads", "--workers", "4", "--quiet", "--json", "-o", "folder"),
        *("--max-size=5", "--header=A: 1", "--header=B: 2", "--retries=0", "--", "http://x/"),
    ]


def test_command_when_the_app_writes_a_file() -> None:
    """The scraper writes one file; yes-or-no options are flags without a value."""
    found = work("scrape", ["http://x/"], variants("threads"), {"ignore_robots": True, "contact": "me@x"})
    command = found.command(Variant("threads", "threads"), Path("folder"))
    assert "--workers" not in command
    assert command[command.index("-o") + 1 :] == [
        str(Path("folder/rows.jsonl")),
        *("--ignore-robots", "--contact=me@x", "--", "http://x/"),
    ]


@pytest.mark.parametrize("options", [{"fresh": True}, {"client": "requests"}, {"no_such": 1}])
def test_work_when_an_option_is_not_for_it(options: dict[str, object]) -> None:
    """What a comparison decides itself, and what nobody knows, is refused."""
    with pytest.raises(UsageError, match=f"no option '{next(iter(options))}'"):
        work("download", ["http://x/"], variants("threads"), options)


def test_choose_when_a_model_is_listed_twice() -> None:
    """The second bears a number, so that a model can be compared with itself."""
    chosen, missing = choose(["threads", "sequential", "threads"], 3)
    assert [variant.name for variant in chosen] == ["threads", "sequential", "threads#2"]
    assert {variant.workers for variant in chosen} == {3}
    assert missing == []


def test_choose_when_an_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With all, the model is left out and named with the pip command; by name, it is refused with it."""
    load = models.load

    def lacking(name: str) -> Model:
        if name == "threads":
            raise MissingExtra("threads", "yarn")
        return load(name)

    monkeypatch.setattr(models, "load", lacking)
    chosen, missing = choose(["all"], None)
    assert chosen[0].name == "sequential"
    assert missing == [Missing("threads", "threads is not installed: pip install 'toolkit[yarn]'")]
    with pytest.raises(MissingExtra, match="yarn"):
        choose(["threads"], None)


def test_models_when_an_extra_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The list shows how to install it."""

    def lacking(name: str) -> Model:
        raise MissingExtra(name, "yarn")

    monkeypatch.setattr(models, "load", lacking)
    assert COMMAND.main([], standalone_mode=False) == 0
    assert "pip install 'toolkit[yarn]'" in capsys.readouterr().out
