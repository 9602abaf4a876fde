"""Text that does not show itself."""

from __future__ import annotations


class Hidden(str):
    """A key or token. Its repr, and so a debug page's list of variables, shows stars."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"
