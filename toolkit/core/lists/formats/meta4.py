"""Metalink 4 (RFC 5854): one reader reads both versions."""

from toolkit.core.lists.formats.metalink import read

__all__ = ["read"]
