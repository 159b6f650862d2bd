"""A program that renders the page at a URL under a model, and waits for what the third word says."""

from __future__ import annotations

import sys
from typing import Any

from tests.apps.scrape.rendering.pages import Rendering
from tests.models.fakes import FakeApp
from toolkit.options import RunOptions
from toolkit.run import Run


def main() -> None:
    model, url, wait = sys.argv[1:]
    payloads: list[Any] = [(wait, url)]

    run = Run(FakeApp(payloads, job=Rendering()), RunOptions(model=model, workers=2), output="")
    for outcome in run.outcomes():
        print(type(outcome).__name__, flush=True)  # noqa: T201 - what the tests read


if __name__ == "__main__":
    main()
