"""Invoices whose insert was never answered: find them at Sadad by our reference (money-flow 3.3)."""

from __future__ import annotations

from functools import partial

from django_sadadpay.gateway.errors import SadadError
from django_sadadpay.gateway.records import InvoiceRecord
from django_sadadpay.models import Invoice
from django_sadadpay.services import (
    cancelling,
    clock,
    gateway,
    settlement,
    snapshots,
    transactions,
    transitions,
)
from django_sadadpay.services.ledger import Origin, change

State, Closing = Invoice.State, Invoice.Closing
_PAGES, _BYTES = 5, 2 * 1024 * 1024


def find(invoice: Invoice) -> InvoiceRecord | None:
    """Look once in Sadad's list; rows are compared by us, since a filter may be ignored (contract 3.4).

    :raises SadadError: the list could not be read.
    """
    rows = gateway.client_of(invoice).invoices.getall(
        max_pages=_PAGES, max_bytes=_BYTES, ref_number=invoice.reference
    )
    return next((row for row in rows if row.ref_number.strip() == invoice.reference and row.id), None)


def adopt(invoice: Invoice, sadad_id: str, origin: Origin) -> Invoice:
    """Read the invoice by the id that was found and settle it; reference and amount must agree as always."""
    snapshot = snapshots.fetch(invoice, sadad_id)
    return settlement.settle(invoice.pk, snapshot, origin).invoice


def resolve(invoice: Invoice, origin: Origin) -> Invoice:
    """Reconcile's look for an orphan: unpaid → deleted, paid → recorded, never found → given up in the end.

    :raises SadadError: Sadad could not be asked; it is tried again.
    """
    try:
        return _resolve(invoice, origin)
    finally:
        transactions.run(partial(_rest, invoice.pk, origin))


def _resolve(invoice: Invoice, origin: Origin) -> Invoice:
    if not _is_ours(invoice):
        found = find(invoice)
        if found is not None:
            invoice = adopt(invoice, found.id, origin)
    if invoice.state == State.UNKNOWN and _is_ours(invoice):
        invoice = cancelling.delete(invoice, origin)
    return invoice


def _is_ours(invoice: Invoice) -> bool:
    """The stored id was read back and carried our reference. One that only insert named may be a stranger's:
    it is never deleted.
    """
    return invoice.sadad_id is not None and invoice.ref_number.strip() == invoice.reference


def find_and_adopt(invoice: Invoice, origin: Origin) -> Invoice | None:
    """The look right after a lost answer: None when it is not found or cannot be looked for."""
    try:
        found = find(invoice)
        return None if found is None else adopt(invoice, found.id, origin)
    except SadadError:
        return None


def mark_unknown(pk: int, origin: Origin) -> Invoice:
    """The row gives its slot to a new one; its link was shown to nobody."""

    def block() -> Invoice:
        invoice, now = transactions.lock(Invoice, pk), clock.now()
        if invoice.state == State.NEW:
            transitions.lose(invoice, origin, now)
        return invoice

    return transactions.run(block)


def _rest(pk: int, origin: Origin) -> None:
    """Look again later, or give it up once it can be paid no longer, whether the look worked or not."""
    row, now = transactions.lock(Invoice, pk), clock.now()
    if row.state == State.UNKNOWN and not transitions.is_watched(row, now):
        change(row, "given_up", origin, now, state=State.LOST)
    transitions.reschedule(row, now)
    row.save(update_fields=["next_check_at"])
