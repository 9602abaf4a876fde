"""Fetches both sides for the audit: the shop's tables, and what the emulator knows."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from benchmarks.soak.audit import Ours, Theirs
from django_sadadpay.models import Attention, Invoice, InvoiceEvent, Refund, WebhookEvent
from django_sadadpay.models.invoice import as_fact, replay
from example_project.demo.books import Sadad
from example_project.shop.models import Note, Order


def theirs(sadad: Sadad) -> Theirs:
    return Theirs(
        invoices=sadad.see("invoices"),
        refunds=sadad.see("refunds"),
        inserts=sadad.see("inserts"),
        webhooks=sadad.see("webhooks"),
    )


def ours() -> Ours:
    columns = ("id", "reference", "amount", "object_id", *Invoice.TRACKED)
    names = tuple(dict.fromkeys((*columns, "handled_at", "open_slot", "paid_slot")))
    invoices: list[dict[str, Any]] = list(Invoice.objects.values(*names))
    return Ours(
        orders=list(Order.objects.values("id", "amount", "status", "refunded")),
        notes=list(Note.objects.values("order_id", "what", "amount")),
        invoices=invoices,
        refunds=list(Refund.objects.values("id", "invoice_id", "amount", "state", "source", "handled_at")),
        events=list(WebhookEvent.objects.values("id", "sadad_id", "count", "state", "error_code")),
        cases=list(
            Attention.objects.filter(resolved_at=None).values("code", "invoice_id", "refund_id", "event_id")
        ),
        replayed=_replayed(),
        stored={row["id"]: {name: as_fact(row[name]) for name in Invoice.TRACKED} for row in invoices},
    )


def _replayed() -> dict[int, dict[str, Any]]:
    found: dict[int, list[InvoiceEvent]] = defaultdict(list)
    for event in InvoiceEvent.objects.order_by("pk").only("invoice_id", "changes").iterator():
        found[event.invoice_id].append(event)
    return {pk: replay(events) for pk, events in found.items()}
