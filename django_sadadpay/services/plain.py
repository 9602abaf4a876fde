"""Sadad's text and data made fit for any database: PostgreSQL stores no NUL, no encoding lone surrogates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def text(value: str, limit: int) -> str:
    """Trimmed, at most ``limit`` characters, storable."""
    return _storable(value).strip()[:limit]


def data(value: Any) -> Any:
    """JSON data with every text in it storable; Decimals are left to the column's encoder."""
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, Mapping):
        return {_storable(str(key)): data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [data(item) for item in value]
    return value


def _storable(value: str) -> str:
    return value.replace("\x00", "").encode("utf-8", "replace").decode()
