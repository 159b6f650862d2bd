"""docs/scrape.md says what the code says: options, keys of rules, filters, changes, where trees differ."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from samples.members import NAME, PASSWORD
from samples.serve import SampleServer
from tests.apps.scrape.differences import table
from tests.conftest import Toolkit
from toolkit.apps.scrape import changes, robots
from toolkit.apps.scrape.auto import PARTS
from toolkit.apps.scrape.options import ScrapeOptions
from toolkit.apps.scrape.pagecache import LIMIT
from toolkit.apps.scrape.rendering import chromium
from toolkit.apps.scrape.rendering.subresources import MOST
from toolkit.apps.scrape.rules import login, steps, toml
from toolkit.apps.scrape.rules.filters import OTHERS
from toolkit.apps.scrape.writers import PACKAGE
from toolkit.core import plugins
from toolkit.core.lane import MOST_ASKED
from toolkit.models import _computing

PAGE = (Path(__file__).parent.parent.parent / "docs" / "scrape.md").read_text()
MISSING = PAGE.partition("## Not there yet")[2]


@pytest.mark.parametrize("name", [field.name for field in fields(ScrapeOptions)])
def test_option_is_told_of(name: str) -> None:
    """Each option of the command is named, and none of them as what is not there yet alone."""
    assert re.search(rf"--{name.replace('_', '-')}\b(?!-)", PAGE.removesuffix(MISSING)), name


@pytest.mark.parametrize("key", sorted({*toml.TOP, *toml.PAGE, *toml.FIELD, *toml.FOLLOW, *login.KEYS} - {"page"}))
def test_key_of_rules_is_told_of(key: str) -> None:
    """Each key of a rules file is in a table or a sentence on rules."""
    assert re.search(rf"`(\[+(page\.)?(login\.)?)?{key}(\]+| = )?[^`]*`", PAGE), key


@pytest.mark.parametrize("name", [*steps.CASTS, *steps.TEXTS, *steps.CHOICES, *OTHERS])
def test_filter_is_told_of(name: str) -> None:
    """Each filter is in the table."""
    assert re.search(rf"^\| .*`{name}\b.*\|$", PAGE, re.MULTILINE), name


@pytest.mark.parametrize("part", PARTS)
def test_part_is_told_of(part: str) -> None:
    """Each part of --auto is named."""
    assert f"`{part}`" in PAGE


@pytest.mark.parametrize("form", plugins.names(PACKAGE))
def test_suffix_is_told_of(form: str) -> None:
    """Each form of output is in the table."""
    assert re.search(rf"^\| .*`\.{form}`", PAGE, re.MULTILINE), form


def test_changes_are_those_of_the_code() -> None:
    """The table has each word that the column may hold, and no other."""
    rows = PAGE.partition("| `change` | the row |")[2].partition("\n\n")[0]
    words = {changes.NEW, changes.CHANGED, changes.UNCHANGED, changes.GONE, changes.UNCHECKED}
    assert set(re.findall(r"^\| `(\w+)`", rows, re.MULTILINE)) == words


def test_trees_differ_as_the_table_says() -> None:
    """The table is the one that the tests of the parsers hold them to; to renew it, put in what table() returns."""
    assert table() in PAGE


def test_figures_are_those_of_the_code() -> None:
    """Waits, limits and thresholds that the page tells."""
    assert robots.WAITS == (1, 5, 30, 300)
    assert robots.PATIENCE == 2
    assert MOST_ASKED == 60
    assert LIMIT == 10**9
    assert f"after {MOST} requests" in PAGE
    assert f"more than {chromium.MEGABYTES} MB" in PAGE
    assert chromium.PROGRAM in PAGE
    assert chromium.SANDBOX in PAGE
    assert f"less than {_computing.WORTH * 1000:.0f} ms" in PAGE
    assert f"once {_computing.PAYS:.0f} s were spent" in PAGE


def test_members_are_those_of_the_sample_site() -> None:
    """Who logs in there, in the page, is one whom the site knows."""
    assert f'user = "{NAME}"' in PAGE
    assert f"SHOP_PASSWORD='{PASSWORD}'" in PAGE


def test_login_brings_the_rows(server: SampleServer, tmp_path: Path, toolkit: Toolkit) -> None:
    """The rules as the page has them give a price for each thing of the shop."""
    rules = PAGE.partition("cat > members.toml <<'END'\n")[2].partition("END\n")[0]
    (tmp_path / "members.toml").write_text(rules.replace("http://localhost:8000/", server.url))
    command = ("scrape", f"{server.url}members/", "-o", "-", "--rules", tmp_path / "members.toml", "--quiet")
    rows = [json.loads(line) for line in toolkit(*command, SHOP_PASSWORD=PASSWORD).stdout.splitlines()]
    assert len(rows) == 24
    assert rows[0]["trade"] == {"amount": 0.9, "currency": "GBP"}
