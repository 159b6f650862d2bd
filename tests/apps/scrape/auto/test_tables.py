"""Tables of data as records."""

from __future__ import annotations

import pytest

from tests.apps.scrape.auto.fixtures import URL, every_parser, part
from toolkit.apps.scrape.auto import read_auto, tables


@every_parser
def test_tables_when_read(parser: str) -> None:
    """Rows by the header's names, with the caption; layout and what holds it are left out."""
    html = (
        "<table><tr><td><table><caption> Prices </caption><tr><th>Name<th>Price<tr><td>A<td>1<tr><td>B</table></table>"
        "<table role=presentation><tr><td>x</table><table></table>"
        "<table><tr><td>1<td>2</table>"
    )
    assert part("tables", html, parser) == [
        {"caption": "Prices", "rows": [{"Name": "A", "Price": "1"}, {"Name": "B", "Price": ""}]},
        {"caption": None, "rows": [{"1": "1", "2": "2"}]},
    ]


def test_tables_when_together_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells are counted over the page: the tables before the limit stay."""
    monkeypatch.setattr(tables, "CELLS", 5)
    auto = read_auto("<table><tr><td>1<td>2<td>3</table>" * 3, URL, ["tables"])
    assert len(auto.values["tables"]) == 1
    reason = "the tables from number 2 on are left out: together they have more than 5 cells"
    assert auto.problems == (("tables", reason),)


def test_tables_when_one_claims_too_much() -> None:
    """A table that claims millions of cells is a problem, and the next one is read."""
    auto = read_auto("<table>" + "<tr><td colspan=1000>x" * 300 + "</table><table><tr><td>y</table>", URL, ["tables"])
    assert auto.values["tables"] == [{"caption": None, "rows": [{"1": "y"}]}]
    assert auto.problems == (("tables", "table 1 is not a table of at most 200,000 cells"),)
