"""What --max-errors may say."""

from __future__ import annotations

import pytest

from toolkit.core.errors import UsageError
from toolkit.core.policy import parse_max_errors


@pytest.mark.parametrize(
    ("text", "limit"), [("0", 0), ("20", 20), ("5%", 0.05), ("0%", 0.0), ("0.5%", 0.005), ("100%", 1.0)]
)
def test_parse_max_errors_when_valid(text: str, limit: float) -> None:
    """A bare number is a count, one with a percent sign a share; the type tells them apart."""
    found = parse_max_errors(text)
    assert found == pytest.approx(limit)
    assert type(found) is type(limit)


@pytest.mark.parametrize("text", ["", "%", "-1", "-1%", "101%", "many", "2.5", "5 percent", "nan%", "inf%", "1e9%"])
def test_parse_max_errors_when_invalid(text: str) -> None:
    """The message names the option, what was given and what would do."""
    with pytest.raises(UsageError, match=r"--max-errors .*: give a count"):
        parse_max_errors(text)
