"""The parts of an instalment plan, as Sadad told them with the plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django_sadadpay import money
from django_sadadpay.gateway import coerce
from django_sadadpay.models import Installment, InstallmentPlan, Mirror
from django_sadadpay.services import plain, transactions
from django_sadadpay.services.told import Reader, Told

_COLUMNS = ("sadad_id", "amount", "late_fees", "due_on", "status", "sadad_invoice_id", "invoice")


@dataclass(frozen=True)
class _Part:
    plan: InstallmentPlan
    number: int
    values: dict[str, Any]


def store(reader: Reader, stored: Iterable[tuple[Mirror, Told]]) -> None:
    """Bring these plans' parts up to date, in the caller's transaction. What Sadad leaves out is kept."""
    plans = [(row, told) for row, told in stored if isinstance(row, InstallmentPlan)]
    parts = [part for row, told in plans for part in _parts(row, reader.items(told, "installments"))]
    if not parts:
        return
    rows = Installment._base_manager.using(transactions.alias())
    found = rows.filter(plan__in=[row.pk for row, _told in plans]).select_related("invoice")
    have = {(row.plan_id, row.number): row for row in found}
    new, changed = [], []
    for part in parts:
        row = have.get((part.plan.pk, part.number))
        if row is None:
            new.append(Installment(plan=part.plan, number=part.number, **part.values))
        elif _take(row, part.values):
            changed.append(row)
    rows.bulk_create(new)
    rows.bulk_update(changed, _COLUMNS)


def _take(row: Installment, values: dict[str, Any]) -> bool:
    """Whether the part changed. Its invoice is linked by ``bills`` alone, and kept once it is paid."""
    moved = values["sadad_invoice_id"] != row.sadad_invoice_id
    if moved and (row.told or (row.invoice is not None and row.invoice.is_paid)):
        values = {name: value for name, value in values.items() if name != "sadad_invoice_id"}
    elif moved:
        row.invoice = None
    if all(getattr(row, name) == value for name, value in values.items()):
        return False
    for name, value in values.items():
        setattr(row, name, value)
    return True


def _parts(plan: InstallmentPlan, rows: Sequence[coerce.Row]) -> list[_Part]:
    """Each number once; a part without a number has its place in the list."""
    found = {_number(row, place): row for place, row in enumerate(rows, 1)}
    return [_Part(plan, number, _values(row)) for number, row in found.items()]


def _number(row: coerce.Row, place: int) -> int:
    said = row.number("number")
    whole = said is not None and said == said.to_integral_value() and 0 <= said < 2**31
    return int(said) if whole and said is not None else place


def _values(row: coerce.Row) -> dict[str, Any]:
    return {
        "sadad_id": row.id("id")[:40],
        "amount": kwd(row.get("amount")),
        "late_fees": kwd(row.get("late_fees")),
        "due_on": day(row.get("due_date")),
        "status": plain.text(row.text("status"), 40),
        "sadad_invoice_id": row.id("invoice_id")[:40],
    }


def day(value: Any) -> date | None:
    """Kuwait's day of a moment."""
    found = coerce.moment(value)
    return None if found is None else found.astimezone(coerce.KUWAIT).date()


def kwd(value: Any) -> Decimal | None:
    return money.from_reply(coerce.number(value))
