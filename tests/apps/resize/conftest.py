"""Both engines, for tests of what comes out: whoever makes it, it must be right."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["pillow", "vips"])
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine that is installed."""
    if request.param == "vips":
        pytest.importorskip("pyvips")
    return str(request.param)
