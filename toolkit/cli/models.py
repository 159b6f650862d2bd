"""toolkit models: which concurrency models there are."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from toolkit import models
from toolkit.core.errors import MissingExtra
from toolkit.models import Traits

SCHEMA = "toolkit.models/1"
HEADINGS = ("model", "installed", "client", "what it is")


@click.command(epilog="Example: toolkit models --json")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")
def _models(*, as_json: bool) -> int:
    """List the concurrency models: what each is good for, and how to install those that are missing."""
    found = [_facts(name) for name in models.names()]
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, "models": found}, indent=2))
    else:
        _draw([_row(facts) for facts in found])
    return 0


def _facts(name: str) -> dict[str, Any]:
    try:
        traits = models.load(name).traits
    except MissingExtra as error:
        return {"name": name, "installed": False, "install": f"pip install 'toolkit[{error.extra}]'"}
    return {
        "name": name,
        "installed": True,
        "summary": traits.summary,
        "traits": _words(traits),
        "client_kind": traits.client,
        "default_client": models.usual_client(traits),
        "parallel_cpu": traits.parallel_cpu,
        "survives_killed_worker": traits.survives_killed_worker,
        "stops_overdue": traits.stops_overdue,
    }


def _words(traits: Traits) -> list[str]:
    said = (
        (traits.parallel_cpu, "runs Python code on several CPUs"),
        (traits.survives_killed_worker, "survives a killed worker"),
        (traits.stops_overdue, "stops overdue tasks"),
    )
    return [words for holds, words in said if holds]


def _row(facts: dict[str, Any]) -> tuple[str, str, str, str]:
    if not facts["installed"]:
        return facts["name"], "no", "–", facts["install"]
    return facts["name"], "yes", facts["default_client"], "; ".join([facts["summary"], *facts["traits"]])


def _draw(rows: list[tuple[str, str, str, str]]) -> None:
    if not sys.stdout.isatty():
        widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
        for row in (HEADINGS, *rows):
            click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*HEADINGS, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*map(Text, row), style="" if row[1] == "yes" else "dim")
    Console(highlight=False).print(table)


COMMAND = _models
COMMAND.name = "models"
