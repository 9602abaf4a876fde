"""What a value must be, by the kind of its field: refused before anything is sent.

Only what is documented or cannot be read at all is refused here. Words that are assumed are left to Sadad.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django_sadadpay.gateway.fields import Field

#: Contract 12: ``en``, ``ar``; ``En`` is also seen.
LANGUAGES = ("en", "ar")
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: KWD. What our own columns hold, and far above any invoice.
_MOST = Decimal(10) ** 12
#: Before and after the point. A short text such as 1E+99999999 would be a hundred megabytes on the wire.
_DIGITS = 15


class Wrong(ValueError):
    """The value cannot be sent; the text says why, and never shows the value."""


def check(field: Field, value: Any) -> Any:
    """The value as it goes out.

    :raises Wrong: it is not what the field takes.
    """
    rule = _RULES.get(field.kind)
    return value if rule is None else rule(field, value)


def _text(field: Field, value: Any) -> Any:
    if isinstance(value, str) and len(value) > field.longest:
        raise Wrong(f"is longer than {field.longest} characters")
    if isinstance(value, (str, int, Decimal)) and not isinstance(value, bool):
        return value
    raise Wrong("must be text")


def _word(field: Field, value: Any) -> Any:
    if not isinstance(value, str):
        raise Wrong("must be text")
    return _text(field, value)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        # Floats too: 1.1 + 2.2 is not 3.3, and money must add up to the fils.
        raise Wrong("must be a Decimal, a whole number or such a text")
    found = Decimal(value)
    if not found.is_finite():
        raise Wrong("is not a number")
    if found.adjusted() > _DIGITS or _places(found) > _DIGITS:
        raise Wrong("has too many digits")
    return found


def _places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _number(_: Field, value: Any) -> Any:
    _decimal(value)
    return value


def _integer(_: Field, value: Any) -> Any:
    found = _decimal(value)
    if found != found.to_integral_value():
        raise Wrong("must be a whole number")
    return value


def kwd(value: Any) -> str:
    """KWD as text with three places. A fourth is refused, not rounded.

    :raises Wrong: no amount, below zero, finer than a fils, or beyond any invoice.
    """
    found = _decimal(value)
    if found < 0:
        raise Wrong("must not be negative")
    if found >= _MOST:
        raise Wrong("is too large")
    text = f"{found:.3f}"
    if Decimal(text) != found:
        raise Wrong("has more than three decimal places")
    return text


def _kwd(field: Field, value: Any) -> str:
    text = kwd(value)
    if field.positive and Decimal(text) == 0:
        raise Wrong("must be above zero")
    return text


def _flag(_: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong("must be True or False")
    return value


def _date(_: Field, value: Any) -> str:
    """``yyyy-MM-dd`` (contract 12)."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            raise Wrong("is no date of the calendar") from None
    raise Wrong("must be a date, or yyyy-MM-dd")


def _language(_: Field, value: Any) -> str:
    if not isinstance(value, str) or value.lower() not in LANGUAGES:
        raise Wrong(f"must be one of {', '.join(LANGUAGES)}")
    return value


def _currency(_: Field, value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z]{3}", value):
        raise Wrong("must be a currency's three letters")
    return value


def _rows(_: Field, value: Any) -> Any:
    if not isinstance(value, (list, tuple)) or not all(isinstance(row, Mapping) for row in value):
        raise Wrong("must be a list of objects")
    return value


_RULES: Mapping[str, Callable[[Field, Any], Any]] = {
    "text": _text,
    "word": _word,
    "integer": _integer,
    "number": _number,
    "kwd": _kwd,
    "flag": _flag,
    "date": _date,
    "language": _language,
    "currency": _currency,
    "rows": _rows,
}
