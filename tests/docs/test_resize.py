"""docs/resize.md says what the code says: options, operations, formats, fields, pictures."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from toolkit.apps.resize.engines import ALIKE
from toolkit.apps.resize.formats import EXTRA_DECODERS, FORMATS, LOSSLESS, TAGGED
from toolkit.apps.resize.operations.catalogue import table
from toolkit.apps.resize.options import ResizeOptions
from toolkit.apps.resize.recipe import QUALITY
from toolkit.apps.resize.rows import FIELDS
from toolkit.apps.resize.template import FIELDS as NAMES

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = (DOCS / "resize.md").read_text()


def test_operations_are_the_catalogue() -> None:
    """The table is the catalogue's own; to renew it, put in what catalogue.table() returns."""
    written = re.search(r"<!-- operations -->\n(.*?)\n<!-- end -->", PAGE, re.DOTALL)
    assert written is not None
    assert written[1] == table()


@pytest.mark.parametrize("name", [field.name for field in fields(ResizeOptions)])
def test_option_is_told_of(name: str) -> None:
    """Each option of the command is named."""
    assert re.search(rf"--{name.replace('_', '-')}\b(?!-)", PAGE), name


@pytest.mark.parametrize("name", [*FIELDS, "model", "client"])
def test_manifest_field_is_told_of(name: str) -> None:
    """Each field of the manifest is named."""
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("name", NAMES)
def test_template_field_is_told_of(name: str) -> None:
    """Each field of a name template is named."""
    assert f"`{{{name}}}`" in PAGE


@pytest.mark.parametrize("form", FORMATS)
def test_format_is_as_the_table_says(form: str) -> None:
    """Quality, losslessness and profiles of the table are those of the code, and the help's qualities, too."""
    row = re.search(rf"^\| `{form}`.*$", PAGE, re.MULTILINE)
    assert row is not None
    cells = [cell.strip() for cell in row[0].strip("|").split("|")]
    usual = QUALITY.get(form)  # type: ignore[call-overload]
    assert cells[1] == (f"1–100 ({usual})" if usual else {"gif": "256 colours"}.get(form, ""))
    assert bool(cells[2]) == (form in LOSSLESS)
    assert (cells[5] == "yes") == (form in TAGGED)
    told = next(field for field in fields(ResizeOptions) if field.name == "quality").metadata["option"].help
    assert usual is None or f"{form} ({usual})" in told


def test_decoders_are_those_that_can_be_asked_for() -> None:
    """Every decoder that --also-read takes is named."""
    assert all(re.search(rf"\b{name}\b", PAGE) for name in EXTRA_DECODERS)


def test_engines_are_as_alike_as_the_tests_demand() -> None:
    """The figure is the one that engines are held to."""
    assert f"{ALIKE:g} dB" in PAGE


def test_every_picture_is_shown() -> None:
    """No picture lies in docs/pictures/ that no page shows."""
    pages = [*DOCS.glob("*.md"), DOCS.parent / "README.md"]
    shown = {Path(found).name for page in pages for found in re.findall(r"pictures/[\w.-]+", page.read_text())}
    assert {path.name for path in (DOCS / "pictures").iterdir()} <= shown
