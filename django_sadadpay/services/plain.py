"""Text and data from outside made fit for any database and any reader.

PostgreSQL stores no NUL, and no encoding lone surrogates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: Characters that turn the text after them around: with one in a name, staff would read another amount.
_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")


def text(value: str, limit: int) -> str:
    """Trimmed, at most ``limit`` characters, storable, and read in the order in which it is written."""
    return upright(_storable(value)).strip()[:limit]


def upright(value: str) -> str:
    """Without the marks that override a text's direction; Arabic and English need none of them."""
    return _OVERRIDES.sub("", value)


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
