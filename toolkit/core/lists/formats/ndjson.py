"""Newline-delimited JSON: another name for JSON Lines."""

from toolkit.core.lists.formats.jsonl import read

__all__ = ["read"]
