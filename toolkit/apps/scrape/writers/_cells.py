"""Values as texts that any reader takes: JSON by the standard, no halves of characters."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=str).encode


def json_text(value: Any) -> str:
    """Return a value as JSON, readable letters kept; what is no number there (NaN, infinity) is null."""
    try:
        text = _encode(value)
    except ValueError:
        text = _encode(_finite(value))
    return whole(text)


def whole(text: str) -> str:
    """Return text that UTF-8 has a form for: halves of characters become question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, list | tuple) else value
