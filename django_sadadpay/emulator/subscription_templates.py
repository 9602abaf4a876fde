"""Subscription templates: what is billed, how often, how long (contract 10). Every body is assumed.

The words are the panel's. Those about suspending, closing and renewing by the payer are kept and shown; only
``autoRenew`` has an effect here: with it a subscription has no end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django_sadadpay.emulator import objects
from django_sadadpay.emulator.columns import Column
from django_sadadpay.emulator.objects import Shape
from django_sadadpay.emulator.protocol import Refusal
from django_sadadpay.emulator.recurrence import WORDS, date_after

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from typing import Any

    from django_sadadpay.emulator.entities import Stored
    from django_sadadpay.emulator.objects import Values
    from django_sadadpay.emulator.state import World

KIND = "SubscriptionTemplate"

#: The highest number of periods, so that no date leaves the calendar.
MOST = 120


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a subscription that starts on a day is billed; dates are Kuwait's, bills count from 1."""

    first: date
    word: str
    every: int
    end: date | None

    def bill_date(self, number: int) -> date:
        """The day of a bill, also past the end."""
        return date_after(self.first, self.word, (number - 1) * self.every)

    def is_over(self, day: date) -> bool:
        """Whether a bill of this day would be past the end."""
        return self.end is not None and day >= self.end


def rhythm(template: Mapping[str, Any], start: date) -> Rhythm:
    """The free trial comes before the first bill, whatever its position says; the duration counts from it."""
    trial = template["freeTrialNo"]
    first = date_after(start, template["freeTrialPeriod"], trial) if trial else start
    length = 0 if template["autoRenew"] else template["durationNo"]
    end = date_after(first, template["durationPeriod"], length) if length else None
    return Rhythm(first, template["billPeriod"], template["billNo"], end)


def _finish(world: World, values: Values, old: Stored | None) -> Values:
    """A number of periods needs to say which, and ends within ``MOST``."""
    for name, period in (("durationNo", "durationPeriod"), ("freeTrialNo", "freeTrialPeriod")):
        if values[name] and not values[period]:
            raise Refusal(f"{period[0].upper()}{period[1:]}Required")
    for name in ("durationNo", "billNo", "freeTrialNo"):
        if values[name] > MOST:
            raise Refusal(f"Invalid{name[0].upper()}{name[1:]}")
    return values


def _is_used(world: World, template: Stored) -> bool:
    """By a link, or by a subscription that is not over."""
    links = objects.rows(world, "SubscriptionLink")
    running = [row for row in objects.rows(world, "Subscription") if is_running(row)]
    return any(row.values["templateId"] == template.id for row in (*links, *running))


def is_running(subscription: Stored) -> bool:
    """Whether it may still be billed, now or when it is taken up again."""
    return subscription.values["status"] in ("Active", "Suspended")


SHAPE = Shape(
    KIND,
    "SBT",
    columns=(
        Column("nameEn", required="NameEnRequired"),
        Column("nameAr"),
        Column("amount", "kwd", required="AmountRequired"),
        Column("durationPeriod", "word", words=WORDS),
        Column("durationNo", "integer"),
        Column("billPeriod", "word", required="BillPeriodRequired", words=WORDS),
        Column("billNo", "integer", default=1),
        Column("autoRenew", "flag"),
        Column("canBeSuspended", "flag"),
        Column("closedByCustomer", "flag"),
        Column("maxSuspendCycle", "integer"),
        Column("autoCloseAfter", "integer"),
        Column("cancelFees", "kwd"),
        Column("suspendFees", "kwd"),
        Column("freeTrialPeriod", "word", words=WORDS),
        Column("freeTrialNo", "integer"),
        Column("freeTrialPosition"),
        Column("isInternal", "flag"),
        Column("inActive", "flag"),
    ),
    finish=_finish,
    in_use=_is_used,
    filters={"nameen": objects.contains("nameEn"), "namear": objects.contains("nameAr")},
)

SHAPES = (SHAPE,)

ROUTES = objects.routes(SHAPE, "getall", "getbyid", "insert", "update", "delete")
