"""Both sides of the books: the emulator's by its control API, ours from the shop's database."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import timezone

from django_sadadpay.models import (
    Attention,
    Invoice,
    InvoiceEvent,
    Mark,
    Refund,
    Subscription,
    WebhookEvent,
)
from django_sadadpay.models.invoice import as_fact, replay
from example_project.demo import kept
from example_project.demo.control import Sadad
from example_project.shop.models import Note, Order

#: Sadad's status → our states; an orphan that was found and deleted ends as "lost".
_STATES = {"Paid": ("paid",), "Unpaid": ("open",), "Canceled": ("cancelled", "lost")}


def order_of(token: str) -> Order:
    return Order.objects.get(token=token)


def invoices_of(order: Order) -> list[Invoice]:
    """Newest first."""
    return list(Invoice.objects.for_object(order))


def source_of_payment(invoice: Invoice) -> str:
    """Who brought the news: ``webhook``, ``return``, ``reconcile`` …"""
    rows = InvoiceEvent.objects.filter(invoice=invoice, kind="paid")
    return str(rows.values_list("source", flat=True).first() or "")


def is_being_handled() -> bool:
    """A worker has claimed a webhook call and not finished it."""
    return WebhookEvent.objects.filter(state=WebhookEvent.State.WORKING).exists()


def last_reconcile() -> Any:
    """When the last run ended: it changes with every run."""
    return Mark.objects.filter(name="reconcile").values_list("at", flat=True).first()


def make_due() -> None:
    """As if the minutes of the schedules had passed: whatever is looked at later is due now."""
    now = timezone.now()
    Invoice.objects.filter(next_check_at__gt=now).update(next_check_at=now, busy_until=None)
    Refund.objects.filter(next_check_at__gt=now).update(next_check_at=now)
    WebhookEvent.objects.filter(next_try_at__gt=now).update(next_try_at=now)
    Subscription.objects.filter(next_check_at__gt=now).update(next_check_at=now)


# Field by field; what is kept at Sadad beside invoices: ``kept``


def differences(sadad: Sadad) -> list[str]:
    """Everything in which the two sides, or our own tables, disagree; empty when all is well."""
    theirs = {str(row["id"]): row for row in sadad.see("invoices")}
    ours = {row.sadad_id: row for row in Invoice.objects.exclude(sadad_id=None)}
    found = [f"invoice {one} is on one side only" for one in sorted(theirs.keys() ^ ours.keys(), key=str)]
    for one in sorted(theirs.keys() & ours.keys()):
        found += _of_invoice(ours[one], theirs[one])
    for order in Order.objects.all():
        found += _of_order(order)
    found += kept.differences(sadad)
    found += [f"waits for a person: {row.code}" for row in Attention.objects.filter(resolved_at=None)]
    done = (WebhookEvent.State.DONE, WebhookEvent.State.MERGED)
    found += [f"webhook call {row.pk} is {row.state}" for row in WebhookEvent.objects.exclude(state__in=done)]
    return found


def _of_invoice(ours: Invoice, theirs: dict[str, Any]) -> list[str]:
    states = _STATES[theirs["status"]]
    pairs: dict[str, tuple[Any, Any]] = {
        "key": (ours.sadad_key, theirs["key"]),
        "reference": (ours.ref_number if ours.made_from else ours.reference, theirs["ref_Number"]),
        "state": (ours.state in states, True),
        "deleted": (ours.state in _STATES["Canceled"], theirs["deleted"]),
        "status": (ours.status_text, theirs["status"]),
        "amount": (ours.amount, _kwd(theirs["amount"])),
        "paid": (ours.paid_amount, _kwd(theirs["amount"]) if "paid" in states else Decimal(0)),
        "refunded": (ours.refunded_amount, _kwd(theirs["refunded_Amount"])),
        "refunds": (_refund_sum(ours), _kwd(theirs["refunded_Amount"])),
        "name": (ours.customer["name"], theirs["customer_Name"]),
        "lines": (_our_lines(ours), [] if ours.made_from else _their_lines(theirs)),
        "transaction": (ours.transaction_id, theirs["transactionID"] or ""),
        "attempts": (_our_attempts(ours), _their_attempts(theirs)),
        "ledger": (
            replay(ours.events.all()),
            {name: as_fact(getattr(ours, name)) for name in Invoice.TRACKED},
        ),
    }
    return [f"{ours}: {name}: {a!r} here, {b!r} there" for name, (a, b) in pairs.items() if a != b]


def _of_order(order: Order) -> list[str]:
    """The shop's own books follow from the invoices': paid once, refunded as often as Sadad says."""
    rows = invoices_of(order)
    applied = [row for row in rows if row.is_applied]
    refunded = sum((row.refunded_amount for row in applied), Decimal(0))
    notes = {what: [n.amount for n in order.notes.filter(what=what)] for what in Note.What.values}
    pairs: dict[str, tuple[Any, Any]] = {
        "payments": (notes[Note.What.PAID], [row.paid_amount for row in applied]),
        "paid": (order.is_paid, bool(applied)),
        "amount": ([order.amount] * len(rows), [row.amount for row in rows]),
        "refunded": (order.refunded, refunded),
        "refund notes": (sum(notes[Note.What.REFUNDED], Decimal(0)), refunded),
    }
    return [f"{order}: {name}: {a!r}, but {b!r}" for name, (a, b) in pairs.items() if a != b]


def _kwd(value: float) -> Decimal:
    return round(Decimal(str(value)), 3)


def _refund_sum(invoice: Invoice) -> Decimal:
    done = invoice.refunds.filter(state=Refund.State.DONE)
    return sum((row.amount for row in done), Decimal(0))


def _our_lines(invoice: Invoice) -> list[tuple[str, int, Decimal]]:
    return [(line.name, line.quantity, line.amount) for line in invoice.lines.all()]


def _their_lines(theirs: dict[str, Any]) -> list[tuple[str, int, Decimal]]:
    return [(line["name"], line["quantity"], _kwd(line["amount"])) for line in theirs["items"]]


def _our_attempts(invoice: Invoice) -> list[tuple[str, str]]:
    return sorted((row.transaction_id, row.status) for row in invoice.attempts.all())


def _their_attempts(theirs: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((str(row["transactionId"] or ""), row["status"]) for row in theirs["transactions"])
