"""The parts of an instalment plan, as Sadad told them with the plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django_sadadpay.gateway import coerce
from django_sadadpay.models import Installment, InstallmentPlan, Mirror
from django_sadadpay.services import parts, plain
from django_sadadpay.services.parts import Schedule, Values
from django_sadadpay.services.told import Reader, Told

#: As ``pulling`` reads columns of a plan's and a subscription's own.
day, kwd = parts.day, parts.kwd


def store(reader: Reader, stored: Iterable[tuple[Mirror, Told]]) -> None:
    """Bring these plans' parts up to date, in the caller's transaction. What Sadad leaves out is kept."""
    plans = [
        (row, reader.items(told, "installments")) for row, told in stored if isinstance(row, InstallmentPlan)
    ]
    schedules = [Schedule(row, _parts(rows), whole=len(rows) <= parts.MOST) for row, rows in plans if rows]
    if schedules:
        parts.store(Installment, schedules)


def _parts(rows: Sequence[coerce.Row]) -> dict[int, Values]:
    """Each number once."""
    return {parts.number_of(row, place): _values(row) for place, row in enumerate(rows[: parts.MOST], 1)}


def _values(row: coerce.Row) -> Values:
    return {
        "sadad_id": plain.text(row.id("id"), 40),
        "amount": kwd(row.get("amount")),
        "late_fees": kwd(row.get("late_fees")),
        "due_on": day(row.get("due_date")),
        "status": plain.text(row.text("status"), 40),
        "sadad_invoice_id": plain.text(row.id("invoice_id"), 40),
    }
