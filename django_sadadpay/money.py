"""KWD and fils: parse, refuse, convert, split over lines, show. Pure: no Django, no network, no settings.

All amounts are :class:`decimal.Decimal`. KWD has three places (1 KWD = 1000 fils); decisions compare fils.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DecimalException,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)

KWD = "KWD"
#: What ``DecimalField(max_digits=15, decimal_places=3)`` holds, and SQLite keeps exactly.
LARGEST = Decimal("999999999999.999")

_FILS = Decimal("0.001")
#: Replies are JSON numbers with binary-float noise (contract 12): this near to a whole fils is that fils.
_NOISE = Decimal("0.0001")
#: Our own: a shop may have given its threads a smaller precision, which rounds even ``+x`` and ``abs(x)``.
_EXACT = Context(prec=60, traps=[InvalidOperation, DivisionByZero, Overflow])
_WIDEST = Decimal(10) ** 50

#: Minor digits of the currencies that do not have two (ISO 4217).
_PLACES = {"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3}
_PLACES |= dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "VND", "XAF", "XOF"), 0)

_ARABIC_SIGN = {KWD: "د.ك"}


class MoneyError(ValueError):
    """An amount that cannot be used. The message says what to do; it holds the amount, never a person."""


def parse(value: Decimal | int | str, *, what: str = "amount") -> Decimal:
    """A shop's amount as a Decimal of three places.

    :param value: Decimal, int or text such as ``"1.250"``; never a float, which has already lost fils.
    :param what: the field's name, for the error.
    :raises MoneyError: a float or another type, no number, a fourth place, over 15 digits. Never rounds.
    """
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str)):
        raise MoneyError(f"{what}: give a Decimal, int or text, not {type(value).__name__}")
    try:
        number = Decimal(value)
    except DecimalException:
        raise MoneyError(f"{what}: this text is not a number") from None
    if not number.is_finite() or number.copy_abs() > LARGEST:
        raise MoneyError(f"{what}: not an amount of at most 15 digits")
    exact = number.quantize(_FILS, context=_EXACT)
    if exact != number:
        raise MoneyError(f"{what}: {str(number)[:40]} has more than three places; round it yourself first")
    return _EXACT.plus(exact)  # turns -0 into 0


def fils(amount: Decimal) -> int:
    """Whole fils of an amount that has at most three places.

    :raises MoneyError: when the amount is not a whole number of fils.
    """
    if amount.is_finite() and amount.copy_abs() < _WIDEST:
        whole = amount.quantize(_FILS, context=_EXACT)
        if whole == amount:
            return int(whole.scaleb(3, context=_EXACT))
    raise MoneyError(f"{str(amount)[:40]} is not a whole number of fils")


def from_fils(count: int) -> Decimal:
    """``1250`` → ``Decimal("1.250")``."""
    return Decimal(count).scaleb(-3, context=_EXACT)


def from_reply(value: Decimal | None) -> Decimal | None:
    """Sadad's number as KWD, free of float noise; None when it cannot be an amount (never a guess).

    A value within 0.0001 of a whole fils is that fils (money-flow 4); negative or too large is no amount.
    """
    if value is None or not value.is_finite() or value.copy_abs() >= _WIDEST:
        return None
    rounded = _EXACT.plus(value.quantize(_FILS, rounding=ROUND_HALF_UP, context=_EXACT))
    noise = _EXACT.subtract(rounded, value).copy_abs()
    return rounded if noise <= _NOISE and 0 <= rounded <= LARGEST else None


def convert(amount: Decimal, rate: Decimal) -> Decimal:
    """KWD for a foreign amount: ``amount × rate``, half up to the fils (contract 9, money-flow 10).

    :param rate: KWD for one unit of the foreign currency (``conversionRate``).
    :raises MoneyError: an amount that is no number, a rate that is not a positive one, too large a result.
    """
    if not amount.is_finite():
        raise MoneyError(f"amount: {amount} is not a number")
    if not rate.is_finite() or rate <= 0:
        raise MoneyError(f"rate: {rate} is not a positive number")
    product = _EXACT.multiply(amount, rate)
    if product.copy_abs() > LARGEST:
        raise MoneyError(f"amount: {amount} at the rate {rate} is too large")
    return product.quantize(_FILS, rounding=ROUND_HALF_UP, context=_EXACT)


def split(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """``total`` spread over ``weights`` in whole fils by largest remainder; the parts add up to it exactly.

    No part differs from its exact share by a fils or more; of equal remainders the earlier comes first.

    :raises MoneyError: a negative total or weight, or a total with nothing to spread it over.
    """
    units = [_weight(weight) for weight in weights]
    count, mass = fils(total), sum(units)
    if count < 0:
        raise MoneyError(f"{total} is negative and cannot be split")
    if mass == 0:
        if count:
            raise MoneyError(f"{total} cannot be split over nothing")
        return [from_fils(0) for _ in units]
    shares = [divmod(count * unit, mass) for unit in units]
    left = count - sum(whole for whole, _ in shares)
    first = set(sorted(range(len(shares)), key=lambda i: -shares[i][1])[:left])
    return [from_fils(whole + (i in first)) for i, (whole, _) in enumerate(shares)]


def _weight(weight: Decimal) -> int:
    unit = fils(weight)
    if unit < 0:
        raise MoneyError(f"{weight} is negative and cannot bear a share")
    return unit


def places(currency: str) -> int:
    """Minor digits of a currency (ISO 4217); two where we know of nothing else."""
    return _PLACES.get(currency.upper(), 2)


def show(amount: Decimal, currency: str = KWD, language: str = "en") -> str:
    """``1,234.500 KWD``, in Arabic ``1,234.500 د.ك``: one spelling everywhere, with Latin digits.

    Never Django's localisation: its Arabic writes 1.250 as "1,250", which reads as a thousand times as much.
    Digits beyond the currency's own are shown when they are not zero, never rounded away.
    """
    currency = currency.upper()
    digits = max(places(currency), _used_places(amount))
    number = amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_DOWN, context=_EXACT)
    number = number or number.copy_abs()  # never "-0.000"
    sign = _ARABIC_SIGN.get(currency, currency) if language.lower().startswith("ar") else currency
    return f"{number:,.{digits}f} {sign}"


def _used_places(amount: Decimal) -> int:
    exponent = amount.normalize(_EXACT).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
