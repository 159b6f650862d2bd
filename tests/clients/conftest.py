"""Every client found in the folder, each test once with each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest

from tests.clients.driver import Driver
from toolkit import clients
from toolkit.clients import ClientKind
from toolkit.core import plugins
from toolkit.core.errors import MissingExtra

NO_PROXY_HERE = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NO_PROXY_HERE:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(params=plugins.names(clients.__name__))
def kind(request: pytest.FixtureRequest) -> ClientKind:
    """Return each client in turn; one whose library is not installed is skipped by name."""
    try:
        return cast("ClientKind", plugins.load(clients.__name__, request.param, "CLIENT"))
    except MissingExtra as missing:
        pytest.skip(str(missing))


@pytest.fixture
def client(kind: ClientKind) -> Iterator[Driver]:
    """Return each client in turn, open."""
    with Driver(kind) as driver:
        yield driver
