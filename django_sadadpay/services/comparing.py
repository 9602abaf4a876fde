"""Where what we want and what Sadad shows differ, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django_sadadpay import money
from django_sadadpay.gateway import coerce
from django_sadadpay.gateway.fields import Field

#: Kuwait's day of a moment, since dates come back as moments (contract 12).
_DAY = "%Y-%m-%d"


def difference(
    wanted: Mapping[str, Any], told: Mapping[str, Any], fields: Mapping[str, Field]
) -> dict[str, tuple[Any, Any]]:
    """Field → (ours, theirs), of the fields that both name; what Sadad does not show is not compared.

    :param told: a record by our names (``Kind.told``).
    :param fields: the endpoint table's fields, by our names.
    """
    both = ((name, wanted[name], told[name]) for name in wanted if name in told)
    return {name: (ours, theirs) for name, ours, theirs in both if not same(ours, theirs, fields.get(name))}


def same(ours: Any, theirs: Any, field: Field | None) -> bool:
    """Equal once the spelling is set aside: numbers as text, float noise, moments for dates, null."""
    kind = field.kind if field else "any"
    if _blank(ours) or _blank(theirs):
        zero = kind in _NUMBERS and _number(ours) == _number(theirs) == 0
        return zero or (_blank(ours) and _blank(theirs))
    if kind in _NUMBERS:
        return _number(ours) == _number(theirs)
    if kind in ("date", "moment"):
        return _day(ours) == _day(theirs)
    if kind == "rows" or isinstance(ours, (list, dict)):
        return _rows_same(ours, theirs, field)
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return bool(ours) == bool(theirs)
    if kind == "language":
        return coerce.text(ours).lower() == coerce.text(theirs).lower()
    return coerce.text(ours) == coerce.text(theirs)


_NUMBERS = ("kwd", "number", "integer")


def _blank(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {})


def _number(value: Any) -> Decimal | None:
    found = Decimal(0) if _blank(value) else coerce.number(value)
    rounded = money.from_reply(found)
    return found if rounded is None else rounded


def _day(value: Any) -> str:
    if isinstance(value, str) and "/" not in value and len(value) == 10:
        return value
    found = coerce.moment(value)
    return found.astimezone(coerce.KUWAIT).strftime(_DAY) if isinstance(found, datetime) else str(value)


def _rows_same(ours: Any, theirs: Any, field: Field | None) -> bool:
    """Lists of objects: those fields that ours name; Sadad adds ids and states of its own."""
    if not isinstance(ours, list) or not isinstance(theirs, list) or len(ours) != len(theirs):
        return False
    items = {item.name: item for item in field.items} if field else {}
    return all(
        not difference(mine, {i.name: row.get(i.wire) for i in items.values() if i.wire in row}, items)
        if isinstance(mine, Mapping) and isinstance(row, Mapping)
        else mine == row
        for mine, row in zip(ours, theirs, strict=True)
    )
