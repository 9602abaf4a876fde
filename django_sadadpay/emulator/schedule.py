"""An instalment plan's schedule and late fees: pure arithmetic in fils and dates. All of it is assumed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from django_sadadpay.emulator.protocol import Refusal
from django_sadadpay.emulator.recurrence import date_after, shares

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

#: Sadad's own spelling (contract 10).
NOT_EQUAL = "ScheduleTotalNotEqualInstalllemntTotal"

#: More instalments than any plan has, fewer than would make a reply slow.
MOST = 1000

#: A month of late fees, in days.
MONTH = 30


@dataclass(frozen=True, slots=True)
class Part:
    """One payment: 0 is the down payment, the balloon has the last number."""

    number: int
    fils: int
    due: date


@dataclass(frozen=True, slots=True)
class Terms:
    """What is to be paid, in fils: ``count`` equal instalments beside the down payment and the balloon."""

    fils: int
    down: int
    balloon: int
    count: int
    start: date


def regular(terms: Terms, word: str) -> list[Part]:
    """One part a period from the start on, the down payment first and the balloon last.

    Raises ``Refusal`` where there is not a fils for each instalment, or more instalments than ``MOST``.
    """
    if not 1 <= terms.count <= MOST:
        raise Refusal("InvalidInstallmentCount")
    rest = terms.fils - terms.down - terms.balloon
    if rest < terms.count:
        raise Refusal(NOT_EQUAL)
    parts = [(number, fils) for number, fils in enumerate(shares(rest, terms.count), start=1)]
    before = [(0, terms.down)] if terms.down else []
    after = [(terms.count + 1, terms.balloon)] if terms.balloon else []
    return [
        Part(number, fils, date_after(terms.start, word, position))
        for position, (number, fils) in enumerate([*before, *parts, *after])
    ]


def manual(terms: Terms, own: Sequence[tuple[int, date]]) -> list[Part]:
    """The merchant's own parts (fils, date) after a down payment at the start; a balloon is one of them.

    Raises ``Refusal`` where they do not add up to the fils, or their dates do not rise.
    """
    if terms.balloon:
        raise Refusal("InvalidBalloonAmount")
    if terms.count != len(own) or terms.count > MOST:
        raise Refusal("InvalidInstallmentCount")
    if sum(fils for fils, _ in own) != terms.fils - terms.down:
        raise Refusal(NOT_EQUAL)
    before = [Part(0, terms.down, terms.start)] if terms.down else []
    parts = [*before, *(Part(number, fils, due) for number, (fils, due) in enumerate(own, start=1))]
    if any(here.due >= after.due for here, after in pairwise(parts)):
        raise Refusal("InvalidDueDate")
    return parts


@dataclass(frozen=True, slots=True)
class Lateness:
    """``value``: KWD a day or month, or per cent of the instalment a month, after ``grace`` days."""

    kind: str
    value: Decimal
    grace: int

    def fees(self, fils: int, due: date, today: date) -> int:
        """Fils due besides the instalment's own; a month that has begun counts, half a fils rounds up."""
        days = (today - due).days - self.grace
        if days <= 0:
            return 0
        months = -(-days // MONTH)
        fees = {
            "NoLateFees": Decimal(0),
            "FixedPerDay": self.value * 1000 * days,
            "FixedPerMonth": self.value * 1000 * months,
            "PercentagePerMonth": self.value * fils * months / 100,
        }
        return int(fees[self.kind].quantize(Decimal(1), rounding=ROUND_HALF_UP))
