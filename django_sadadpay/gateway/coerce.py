"""Wire values → ours. Nothing here raises: what cannot be read is "" or None, and stays in ``raw``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_sadadpay.gateway.fields import Field

# Kuwait has had no daylight saving time since records began, so a fixed offset is its time zone.
KUWAIT = timezone(timedelta(hours=3), "Asia/Kuwait")
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?")


def fold(name: str) -> str:
    """A wire name without case and underscores: Sadad's relative spells fields that way (contract 10)."""
    return name.replace("_", "").casefold()


class Row:
    """A reply object, by our names: the exact wire name first, else one that differs in case or underscores.

    :raises ValueError: ``raw`` is not an object.
    """

    def __init__(self, raw: object, fields: Iterable[Field]) -> None:
        if not isinstance(raw, Mapping):
            raise ValueError("not an object")
        self.raw: Mapping[str, Any] = raw
        self._wire = {field.name: field.wire for field in fields}
        self._folded = {fold(str(key)): key for key in raw}

    def get(self, name: str) -> Any:
        wire = self._wire[name]
        return self.raw.get(wire if wire in self.raw else self._folded.get(fold(wire), wire))

    def text(self, name: str) -> str:
        return text(self.get(name))

    def id(self, name: str) -> str:
        return id_text(self.get(name))

    def number(self, name: str) -> Decimal | None:
        return number(self.get(name))

    def moment(self, name: str) -> datetime | None:
        return moment(self.get(name))

    def rows(self, name: str) -> list[Mapping[str, Any]]:
        value = self.get(name)
        return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def text(value: object) -> str:
    """Text without blanks around it (contract 3.2: shortLink is padded to 50); a number as its digits."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else ""
    return str(value) if isinstance(value, (int, Decimal)) else ""


def id_text(value: object) -> str:
    """An id as text; ids come as numbers or text (contract, surprise 5); 0 stands for none (contract 3.2)."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    found = text(value)
    return "" if found.strip("0") == "" else found


def number(value: object) -> Decimal | None:
    """A number as it came, float noise and all (contract 12), from text too; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, Decimal)):
        value = str(value)
    if not isinstance(value, str) or not _PLAIN_NUMBER.fullmatch(value.strip()):
        return None
    return Decimal(value.strip())


def moment(value: object) -> datetime | None:
    """``MM/dd/yyyy HH:mm:ss`` in Kuwait (contract 3.2), or ISO, as an aware UTC time."""
    if not isinstance(value, str):
        return None
    try:
        return _parse(value.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _parse(value: str) -> datetime:
    if "/" in value:
        form = "%m/%d/%Y %H:%M:%S" if ":" in value else "%m/%d/%Y"
        return datetime.strptime(value, form).replace(tzinfo=KUWAIT)
    found = datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=KUWAIT)
