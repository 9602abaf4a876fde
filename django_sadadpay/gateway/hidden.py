"""What does not show itself: a debug page, and whoever reports errors, lists all variables by their repr."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Hidden(str):
    """A key or token. Its repr, and so a debug page's list of variables, shows stars."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class HiddenDict(dict[str, Any]):
    """What is sent: it names people. Its repr, and so a traceback with variables, shows stars."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "{***}"


def hide(value: T) -> T:
    """A copy that does not show itself, of a mapping; anything else as it is."""
    return cast("T", HiddenDict(value)) if isinstance(value, Mapping) else value
