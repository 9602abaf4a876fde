"""Subscriptions: as the clock moves, what is due becomes an invoice (contract 10). Every body is assumed."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING

from django_sadadpay.emulator import billing, objects, wire
from django_sadadpay.emulator import subscription_templates as templates
from django_sadadpay.emulator.columns import Column
from django_sadadpay.emulator.protocol import Refusal, Route
from django_sadadpay.emulator.recurrence import kuwait_date, midnight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django_sadadpay.emulator.entities import Stored
    from django_sadadpay.emulator.objects import Values
    from django_sadadpay.emulator.protocol import ApiRequest
    from django_sadadpay.emulator.state import World
    from django_sadadpay.emulator.subscription_templates import Rhythm

KIND = "Subscription"

#: Bills to come that the schedule of a subscription without end shows.
AHEAD = 12

COLUMNS = (
    Column("templateId", "integer", required="TemplateIdRequired"),
    Column("customerId", "integer"),
    Column("customerName"),
    Column("customerMobile"),
    Column("customerEmail"),
    Column("ref_Number"),
    Column("lang", "language"),
    Column("startDate", "date"),
    Column("comment"),
    Column("status", "word", default="Active", later=True, words=("Active", "Suspended", "Closed")),
)

#: What cannot change once there is a bill.
FIXED = ("templateId", "startDate")

#: The template's values that a subscription keeps for itself: a later change there is not for it.
TERMS = (
    "nameEn",
    "amount",
    "durationPeriod",
    "durationNo",
    "billPeriod",
    "billNo",
    "autoRenew",
    "freeTrialPeriod",
    "freeTrialNo",
)


def _finish(world: World, values: Values, old: Stored | None) -> Values:
    """The values with the terms and the bills so far. Raises ``Refusal`` for what is over or would move."""
    if old is not None and not templates.is_running(old):
        raise Refusal("SubscriptionCannotBeUpdated")
    values = _with_customer(world, values)
    if values["startDate"] is None:
        values["startDate"] = old.values["startDate"] if old else midnight(kuwait_date(world.now()))
    if old is not None and old.values["bills"]:
        if any(values[name] != old.values[name] for name in FIXED):
            raise Refusal("SubscriptionCannotBeUpdated")
        return {**old.values, **values}
    template = objects.find(world, templates.KIND, values["templateId"])
    terms = {name: template.values[name] for name in TERMS}
    begun = {**values, "terms": terms, "bills": [], "next": 1}
    begun["next"] = _first_number(world, begun)
    return begun


def _with_customer(world: World, values: Values) -> Values:
    """The customer's own name and addresses stand for those that were not sent."""
    if values["customerId"]:
        known = objects.find(world, "Customer", values["customerId"]).values
        names = {"customerName": "name", "customerMobile": "mobile", "customerEmail": "email"}
        values = {**values, **{name: values[name] or known[own] for name, own in names.items()}}
    if not values["customerName"].strip():
        raise Refusal("CustomerNameRequired")
    return values


def _rhythm(values: Values) -> Rhythm:
    return templates.rhythm(values["terms"], kuwait_date(values["startDate"]))


def _first_number(world: World, values: Values) -> int:
    """The first bill from today on: what lies before the subscription was made is not billed."""
    rhythm, today, number = _rhythm(values), kuwait_date(world.now()), 1
    while rhythm.bill_date(number) < today:
        number += 1
    return number


# Billing


def bill_due(world: World) -> None:
    """Make the invoices of every bill whose day has come, and end what is over. Does nothing twice."""
    today = kuwait_date(world.now())
    for row in objects.rows(world, KIND):
        if templates.is_running(row):
            _bill(world, row, today)


def _bill(world: World, row: Stored, today: date) -> None:
    """Bills of a time in which it was suspended are passed over."""
    rhythm = _rhythm(row.values)
    while not rhythm.is_over(day := rhythm.bill_date(row.values["next"])) and day <= today:
        if row.values["status"] == "Active":
            row.values["bills"].append(_make(world, row, rhythm))
        row.values["next"] += 1
        world.touch()
    if rhythm.is_over(today):
        row.values["status"] = "Completed"
        world.touch()


def _make(world: World, row: Stored, rhythm: Rhythm) -> Values:
    """The invoice bears the bill's own day, however late it is made; it can be paid until the next."""
    number, terms = row.values["next"], row.values["terms"]
    day = midnight(rhythm.bill_date(number))
    name = f"{terms['nameEn']} {number}"
    invoice = billing.create(world, row, number, [(name, terms["amount"])])
    invoice.created_at = max(day, row.created_at)
    invoice.expires_at = midnight(rhythm.bill_date(number + 1) - timedelta(days=1))
    return {"number": number, "date": day, "invoice": invoice.id}


# What it shows


def _view(world: World, row: Stored, reply: Values) -> Values:
    rhythm = _rhythm(row.values)
    ahead = next(_upcoming(row, rhythm), None)
    dates = {
        "endDate": wire.date_text(midnight(rhythm.end) if rhythm.end else None),
        "nextBillDate": wire.date_text(midnight(ahead[1]) if ahead else None),
    }
    return {**reply, "amount": wire.number(row.values["terms"]["amount"]), **dates}


def _upcoming(row: Stored, rhythm: Rhythm) -> Iterator[tuple[int, date]]:
    """Number and day of the bills to come, without end where the subscription has none."""
    number = row.values["next"]
    while row.values["status"] == "Active" and not rhythm.is_over(day := rhythm.bill_date(number)):
        yield number, day
        number += 1


def schedule(world: World, row: Stored) -> list[Values]:
    """Every bill so far and those to come, ``AHEAD`` of them where there is no end."""
    rhythm = _rhythm(row.values)
    made = [
        (bill["number"], bill["date"], _bill_status(world, rhythm, bill), bill["invoice"])
        for bill in row.values["bills"]
    ]
    coming = _upcoming(row, rhythm)
    ahead = coming if rhythm.end else (pair for pair, _ in zip(coming, range(AHEAD), strict=False))
    rows = [*made, *((number, midnight(day), "Upcoming", 0) for number, day in ahead)]
    amount = wire.number(row.values["terms"]["amount"])
    return [
        {
            "number": number,
            "billDate": wire.date_text(seconds),
            "amount": amount,
            "status": status,
            "invoiceId": invoice,
        }
        for number, seconds, status, invoice in rows
    ]


def _bill_status(world: World, rhythm: Rhythm, bill: Values) -> str:
    """Missed: unpaid on the day of the next one, or on which the next one would be."""
    if billing.is_paid(world, bill["invoice"]):
        return "Paid"
    late = kuwait_date(world.now()) >= rhythm.bill_date(bill["number"] + 1)
    return "Missed" if late else "Unpaid"


# The endpoints


def generatesubscriptionschedule(world: World, request: ApiRequest) -> list[Values]:
    return schedule(world, objects.find(world, KIND, request.query_id()))


def delete(world: World, request: ApiRequest) -> bool | None:
    """Its bills that wait for money are cancelled."""
    row = objects.find(world, KIND, request.query_id())
    reply = objects.delete(SHAPE, world, request)
    billing.cancel_open(world, [bill["invoice"] for bill in row.values["bills"]])
    return reply


SHAPE = objects.Shape(
    KIND,
    "SUB",
    COLUMNS,
    keyed=True,
    finish=_finish,
    view=_view,
    filters={
        "customername": objects.contains("customerName"),
        "status": objects.equals("status"),
        "refnumber": objects.contains("ref_Number"),
        "templateid": objects.equals("templateId"),
    },
)

SHAPES = (SHAPE,)

ROUTES = (
    *objects.routes(SHAPE, "getall", "getbyid"),
    Route(f"{KIND}/generatesubscriptionschedule", "GET", handler=generatesubscriptionschedule),
    Route(f"{KIND}/getforpayment", "GET", "none", handler=partial(objects.getbykey, SHAPE)),
    *objects.routes(SHAPE, "insert", "update"),
    Route(f"{KIND}/delete", "DELETE", handler=delete),
)
