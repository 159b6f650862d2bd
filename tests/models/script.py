"""A program that runs one fake task after another under a model: `python -m tests.models.script MODEL FOLDER WHAT`.

It holds at the first task until FOLDER/go is there, and writes FOLDER/stopping when it was interrupted.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.models.conftest import start, when_stopping
from tests.models.fakes import FakeApp, Payload

if __name__ == "__main__":
    model, folder, what = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    first: dict[str, Payload] = {
        "hold": ("hold", (str(folder / "shown"), str(folder / "go"))),
        "await": ("await", (str(folder / "shown"), 60)),
        "backtrack": ("backtrack", str(folder / "shown")),
    }
    payloads: list[Payload] = [first[what], *(("touch", str(folder / f"started-{n}")) for n in range(8))]
    stopping = when_stopping((folder / "stopping").touch)
    run = start(model, FakeApp(payloads), workers=1, reporters=[stopping])
    summary = run.finish()
    print(summary.status, summary.succeeded, summary.left, flush=True)  # noqa: T201
    sys.exit(summary.exit_code)
