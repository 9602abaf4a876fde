"""Instalment plans: a schedule, and an invoice for each part of it (contract 3.9, 10; all bodies assumed)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from django_sadadpay.emulator import billing, ledger, objects, wire
from django_sadadpay.emulator.binding import Fields
from django_sadadpay.emulator.columns import Column
from django_sadadpay.emulator.protocol import Refusal, Route
from django_sadadpay.emulator.recurrence import WORDS, kuwait_date, midnight
from django_sadadpay.emulator.schedule import Lateness, Part, Terms, manual, regular

if TYPE_CHECKING:
    from django_sadadpay.emulator.entities import Invoice, Stored
    from django_sadadpay.emulator.protocol import ApiRequest
    from django_sadadpay.emulator.state import World

    Values = dict[str, Any]

KIND = "InstallmentPlan"

COLUMNS = (
    Column("customerName", required="CustomerNameRequired"),
    Column("customerMobile"),
    Column("customerEmail"),
    Column("ref_Number"),
    Column("lang", "language"),
    Column("comment"),
    Column("amount", "kwd", required="AmountRequired"),
    Column("downAmount", "kwd"),
    Column("balloonAmount", "kwd"),
    Column("installmentCount", "integer", required="InstallmentCountRequired"),
    Column("startDate", "date", required="StartDateRequired"),
    Column("payPer", "word", required="PayPerRequired", words=(*WORDS, "Manual")),
    Column("isFlexible", "flag"),
    Column(
        "lateFeesType",
        "word",
        default="NoLateFees",
        words=("NoLateFees", "FixedPerDay", "FixedPerMonth", "PercentagePerMonth"),
    ),
    Column("lateFeesValue", "number"),
    Column("gracePeriod", "integer"),
    Column(
        "installments",
        "rows",
        columns=(
            Column("amount", "kwd", required="AmountRequired"),
            Column("dueDate", "date", required="DueDateRequired"),
        ),
    ),
)


def _finish(world: World, values: Values, old: Stored | None) -> Values:
    """The values with their schedule; invoices of an older schedule that still wait are cancelled."""
    if old is not None and status(world, old) != "New":
        raise Refusal("InstallmentPlanCannotBeUpdated")
    if Decimal(values["lateFeesValue"]) < 0:
        raise Refusal("InvalidLateFeesValue")
    parts = _parts(values)
    if old is not None:
        billing.cancel_open(world, _invoice_numbers(old))
    return {**values, "status": "New", "installments": [_stored(world, part) for part in parts]}


def _parts(values: Values) -> list[Part]:
    """The schedule of a plan as it was sent; its own instalments count only where it is paid by hand."""
    start = kuwait_date(values["startDate"])
    terms = Terms(
        values["amount"], values["downAmount"], values["balloonAmount"], values["installmentCount"], start
    )
    if values["payPer"] != "Manual":
        return regular(terms, values["payPer"])
    own = [(row["amount"], kuwait_date(row["dueDate"])) for row in values["installments"]]
    return manual(terms, own)


def _stored(world: World, part: Part) -> Values:
    """An instalment as it is kept: fils, seconds, the invoices made for it, and the late fees in them."""
    return {
        "id": world.next_id("Installment"),
        "number": part.number,
        "amount": part.fils,
        "dueDate": midnight(part.due),
        "invoices": [],
        "lateFees": 0,
    }


# How far it is paid


def _invoice_numbers(plan: Stored) -> list[int]:
    return [number for part in plan.values["installments"] for number in part["invoices"]]


def is_paid(world: World, part: Values) -> bool:
    """Whether any of the invoices made for the instalment was paid."""
    return any(billing.is_paid(world, number) for number in part["invoices"])


def status(world: World, plan: Stored) -> str:
    """New, PartiallyCompleted or Completed; Closed is the panel's word for what is not known here."""
    paid = [is_paid(world, part) for part in plan.values["installments"]]
    if all(paid):
        return "Completed"
    return "PartiallyCompleted" if any(paid) else "New"


def next_part(world: World, plan: Stored) -> Values | None:
    """The first instalment that is not paid, None when all are."""
    return next((part for part in plan.values["installments"] if not is_paid(world, part)), None)


def _view(world: World, plan: Stored, reply: Values) -> Values:
    parts = plan.values["installments"]
    paid = sum(part["amount"] for part in parts if is_paid(world, part))
    return {
        **reply,
        "status": status(world, plan),
        "paidAmount": wire.number(paid),
        "remainingAmount": wire.number(plan.values["amount"] - paid),
        "installments": [_part_view(world, plan, part) for part in parts],
    }


def _part_view(world: World, plan: Stored, part: Values) -> Values:
    numbers = part["invoices"]
    shown = [number for number in numbers if billing.is_paid(world, number)] or numbers[-1:] or [0]
    return {
        "id": part["id"],
        "number": part["number"],
        "amount": wire.number(part["amount"]),
        "dueDate": wire.date_text(part["dueDate"]),
        "status": "Paid" if is_paid(world, part) else "Unpaid",
        "invoiceId": shown[0],
        "lateFees": wire.number(late_fees(world, plan, part)),
    }


def late_fees(world: World, plan: Stored, part: Values) -> int:
    """Fils: those in its invoice, if it has one that was paid or can be, else as they stand today."""
    if is_paid(world, part) or _open_invoice(world, part):
        return int(part["lateFees"])
    values = plan.values
    late = Lateness(values["lateFeesType"], Decimal(values["lateFeesValue"]), values["gracePeriod"])
    return late.fees(part["amount"], kuwait_date(part["dueDate"]), _today(world))


def _today(world: World) -> date:
    return kuwait_date(world.now())


# An instalment's invoice


def bill(world: World, plan: Stored, part: Values) -> Invoice:
    """The instalment's invoice: the one that waits for money, else a new one.

    Raises ``Refusal`` InvoiceAlreadyPaid, or DueDateNotComeYet unless the plan is flexible.
    """
    if is_paid(world, part):
        raise Refusal("InvoiceAlreadyPaid")
    waiting = _open_invoice(world, part)
    if waiting is not None:
        return waiting
    if not is_due(world, plan, part):
        raise Refusal("DueDateNotComeYet")
    part["lateFees"] = late_fees(world, plan, part)
    name = f"{plan.code} {part['number']}/{plan.values['installments'][-1]['number']}"
    lines = [(name, part["amount"]), ("Late fees", part["lateFees"])]
    invoice = billing.create(world, plan, part["id"], lines)
    part["invoices"].append(invoice.id)
    return invoice


def is_due(world: World, plan: Stored, part: Values) -> bool:
    """Whether its day has come in Kuwait; in a flexible plan it always has."""
    return bool(plan.values["isFlexible"]) or kuwait_date(part["dueDate"]) <= _today(world)


def _open_invoice(world: World, part: Values) -> Invoice | None:
    rows = (world.invoices[number] for number in part["invoices"])
    return next((row for row in rows if row.status == "Unpaid" and not ledger.is_past(world, row)), None)


# The endpoints


def createinstallmentplanlinkinvoice(world: World, request: ApiRequest) -> int:
    """The new invoice's id, a bare number; the payer then opens its pay page."""
    fields = Fields(request.body)
    key = fields.text("installmentPlanKey").strip()
    plan = objects.by_key(world, KIND, key, "InstallmentPlanKeyRequired")
    return bill(world, plan, find_part(plan, fields.integer("installmentId"))).id


def find_part(plan: Stored, number: int) -> Values:
    """The instalment with this id. Raises ``Refusal`` InstallmentIdRequired, or UnauthorizedAccess."""
    if number <= 0:
        raise Refusal("InstallmentIdRequired")
    for part in plan.values["installments"]:
        if part["id"] == number:
            found: Values = part
            return found
    raise Refusal("UnauthorizedAccess")


def getall(world: World, request: ApiRequest) -> list[Values]:
    for plan in objects.rows(world, KIND):
        plan.values["status"] = status(world, plan)  # for its filter; payments come from elsewhere
    return objects.getall(SHAPE, world, request)


def delete(world: World, request: ApiRequest) -> bool | None:
    """Only while New; its invoices that wait for money are cancelled."""
    plan = objects.find(world, KIND, request.query_id())
    reply = objects.delete(SHAPE, world, request)
    billing.cancel_open(world, _invoice_numbers(plan))
    return reply


def _is_begun(world: World, plan: Stored) -> bool:
    return status(world, plan) != "New"


SHAPE = objects.Shape(
    KIND,
    "INP",
    COLUMNS,
    keyed=True,
    finish=_finish,
    view=_view,
    in_use=_is_begun,
    filters={
        "customername": objects.contains("customerName"),
        "status": objects.equals("status"),
        "refnumber": objects.contains("ref_Number"),
    },
)

SHAPES = (SHAPE,)

ROUTES = (
    Route(f"{KIND}/getall", "GET", handler=getall),
    *objects.routes(SHAPE, "getbyid"),
    Route(f"{KIND}/getforpayment", "GET", "none", handler=partial(objects.getbykey, SHAPE)),
    *objects.routes(SHAPE, "insert", "update"),
    Route(f"{KIND}/delete", "DELETE", handler=delete),
    Route(
        "Invoice/createinstallmentplanlinkinvoice",
        "POST",
        handler=createinstallmentplanlinkinvoice,
        reads_body=True,
    ),
)
