"""Reading a JSON body as Sadad does: names in any case, amounts as text or number (contract 1.2, 3.1)."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from django_sadadpay.emulator.protocol import Refusal, wrong_object

NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)

#: Far above any amount, far below what would make arithmetic slow.
LARGEST = Decimal(10) ** 12


def parse(data: bytes) -> Any:
    """JSON with Decimal numbers. Raises ``Refusal`` WrongObject for anything else."""
    try:
        return json.loads(data, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise wrong_object("$", "The JSON value could not be converted.") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _number(value: Any) -> Decimal | None:
    if isinstance(value, str):
        return Decimal(value.strip()) if NUMBER.fullmatch(value.strip()) else None
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return Decimal(value) if is_number else None


class Fields:
    """One JSON object. Every reader gives None or its default for a missing field or null.

    A value of an impossible type is WrongObject (HTTP 400); other fields are ignored (contract 1.2).
    """

    def __init__(self, value: Any, name: str = "$") -> None:
        if not isinstance(value, dict):
            raise wrong_object(name, "An object was expected.")
        self._values = {key.lower(): item for key, item in value.items()}

    def raw(self, name: str) -> Any:
        """The value as it stands, None when missing."""
        return self._values.get(name.lower())

    def text(self, name: str) -> str:
        """A text; a number is taken as its digits. "" when missing."""
        value = self.raw(name)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise wrong_object(name, "A text was expected.")
        return str(value)

    def decimal(self, name: str) -> Decimal | None:
        """A number, or a text that is one."""
        value = self.raw(name)
        if value is None or value == "":
            return None
        found = _number(value)
        if found is None or abs(found) > LARGEST:
            raise wrong_object(name, "A number was expected.")
        return found

    def integer(self, name: str) -> int:
        """A whole number; 0 when missing."""
        value = self.decimal(name) or Decimal(0)
        if value != value.to_integral_value():
            raise wrong_object(name, "A whole number was expected.")
        return int(value)

    def flag(self, name: str) -> bool:
        """True or false; false when missing."""
        value = self.raw(name)
        if value is not None and not isinstance(value, bool):
            raise wrong_object(name, "true or false was expected.")
        return bool(value)

    def rows(self, name: str) -> list[Any]:
        """A list; empty when missing."""
        value = self.raw(name)
        if value is not None and not isinstance(value, list):
            raise wrong_object(name, "A list was expected.")
        return value or []

    def fils(self, name: str, error_key: str) -> int:
        """An amount of KWD as fils. Missing, not above 0 or finer than a fils: refused with ``error_key``.

        What Sadad does with a fourth decimal is unknown: the stand-in takes the stricter reading.
        """
        value = (self.decimal(name) or Decimal(0)) * 1000
        if value <= 0 or value != value.to_integral_value():
            raise Refusal(error_key)
        return int(value)
