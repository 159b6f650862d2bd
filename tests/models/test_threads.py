"""Threads: what only they can suffer."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.models.conftest import start
from tests.models.fakes import FakeApp
from toolkit.core.errors import UsageError


def test_threads_that_did_start_end_with_nothing_done_when_others_cannot(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No task outlives the model, and the user is told what to change."""
    usual = threading.Thread.start

    def limited(self: threading.Thread) -> None:
        if self.name == "toolkit-2":
            raise RuntimeError("can't start new thread")
        usual(self)

    monkeypatch.setattr(threading.Thread, "start", limited)
    app = FakeApp([("touch", str(tmp_path / f"started-{n}")) for n in range(8)])
    with pytest.raises(UsageError, match="only 2 of 4 threads could be started: use fewer workers"):
        start("threads", app, workers=4).finish()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("toolkit-") and thread.daemon]
    assert not list(tmp_path.iterdir())
