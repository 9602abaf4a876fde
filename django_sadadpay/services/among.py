"""A column among a thousand values: one parameter on PostgreSQL, which plans a thousand slowly."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django.db.models import F
from django.db.models.lookups import In

if TYPE_CHECKING:
    _In = In[str]
else:
    _In = In


class _Among(_In):
    """``In``, which PostgreSQL is asked as ``= ANY(array)``: the same rows by the same index."""

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", [*params, list(self.rhs)]


def among(column: str, values: Collection[str]) -> _Among:
    """A condition for ``filter``: the text column holds one of the values."""
    return _Among(F(column), list(values))
