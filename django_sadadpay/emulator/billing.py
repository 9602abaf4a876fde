"""An invoice that a plan or a subscription makes of itself: an ordinary one that knows its origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django_sadadpay.emulator import drafts, invoices, ledger, wire

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django_sadadpay.emulator.entities import Invoice, Stored
    from django_sadadpay.emulator.state import World

#: What an invoice takes over from the object, by its name there.
TAKEN = {
    "customer_Name": "customerName",
    "customer_Mobile": "customerMobile",
    "customer_Email": "customerEmail",
    "ref_Number": "ref_Number",
    "lang": "lang",
    "comment": "comment",
}


def create(world: World, row: Stored, part: int, lines: Iterable[tuple[str, int]]) -> Invoice:
    """An invoice of the object's own type over ``lines`` (name, fils); ``part`` is the instalment or bill."""
    wanted = [(name, fils) for name, fils in lines if fils]
    items = [{"name": name, "quantity": 1, "amount": wire.decimal_text(fils)} for name, fils in wanted]
    body = {
        **{name: row.values[own] for name, own in TAKEN.items()},
        "amount": wire.decimal_text(sum(fils for _, fils in wanted)),
        "items": items,
    }
    origin = {"type": row.kind, "origin": row.kind, "origin_id": row.id, "part": part}
    return invoices.create(world, drafts.read(world, body), **origin)


def is_paid(world: World, number: int) -> bool:
    """Whether the invoice was paid; what was refunded later has still been paid (assumed)."""
    return number in world.invoices and world.invoices[number].status in ledger.PAID_STATUSES


def cancel_open(world: World, numbers: Iterable[int]) -> None:
    """Cancel those that wait for money, because what they belong to is gone."""
    for number in numbers:
        if world.invoices[number].status == "Unpaid":
            ledger.cancel(world, world.invoices[number])
