"""A comparison as one JSON document (schema toolkit.compare/1), from which every report of it is drawn."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib import resources
from typing import Any

from toolkit.compare.results import Comparison, Point, Standing
from toolkit.compare.statistics import LEVEL
from toolkit.reporting.words import redact, redacted

SCHEMA = "toolkit.compare/1"


def document(comparison: Comparison) -> dict[str, Any]:
    """Return JSON values in the shape of compare.schema.json. Seconds are floats, bytes integers."""
    valid = all(not standing.problem for standing in comparison.standings if standing.reference)
    return {
        "schema": SCHEMA,
        "app": comparison.app,
        "started": comparison.started,
        "command": redacted(comparison.command),
        "rounds": comparison.rounds,
        "warm_up_rounds": 1,
        "seed": comparison.seed,
        "reference": next(standing.variant.name for standing in comparison.standings if standing.reference),
        "environment": dict(comparison.environment),
        "warnings": list(comparison.warnings),
        "missing": [asdict(missing) for missing in comparison.missing],
        "order": [list(names) for names in comparison.order],
        "variants": [_variant(standing, comparison.points, reference_valid=valid) for standing in comparison.standings],
        "points": [_point(point) for point in comparison.points],
        "exit_code": comparison.exit_code,
    }


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    found: dict[str, Any] = json.loads(resources.files("toolkit.compare").joinpath("compare.schema.json").read_text())
    return found


def _variant(standing: Standing, points: tuple[Point, ...], *, reference_valid: bool) -> dict[str, Any]:
    variant, ratio = standing.variant, standing.speed_up
    told = next((point.told for point in points if point.variant == variant.name and point.told), None)
    return {
        "name": variant.name,
        "model": variant.model,
        "workers": told.workers if told else variant.workers,
        "client": told.client if told else None,
        "reference": standing.reference,
        "verdict": _verdict(standing, reference_valid=reference_valid),
        "problem": redact(standing.problem),
        "median": asdict(standing.medians),
        "speed_up": ratio and {"ratio": ratio.ratio, "low": ratio.low, "high": ratio.high, "level": LEVEL},
    }


def _verdict(standing: Standing, *, reference_valid: bool) -> str:
    if standing.problem:
        return "INVALID"
    if standing.reference:
        return "reference"
    if standing.speed_up:
        return standing.speed_up.verdict
    return "too few rounds" if reference_valid else "no reference"


def _point(point: Point) -> dict[str, Any]:
    return {
        "variant": point.variant,
        "round": point.round,
        "place": point.place,
        "dropped": point.dropped,
        "far_out": point.far_out,
        "problem": redact(point.problem),
        "digest": point.digest,
        "tasks_per_second": point.tasks_per_second,
        "measured": point.measured and asdict(point.measured),
        "told": point.told and asdict(point.told),
    }
