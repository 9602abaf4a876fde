"""Fetches both sides for the audit: the shop's tables, and what the emulator knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.apps import apps

from benchmarks.soak.audit import Ours, Row, Theirs
from django_sadadpay.models import Attention, Invoice, InvoiceEvent, Refund, WebhookEvent
from django_sadadpay.models.invoice import as_fact, replay
from example_project.demo.control import Sadad


def theirs(sadad: Sadad) -> Theirs:
    """Sadad's side."""
    return Theirs(
        invoices=sadad.see("invoices"),
        refunds=sadad.see("refunds"),
        inserts=sadad.see("inserts"),
        webhooks=sadad.see("webhooks"),
    )


def ours() -> Ours:
    """The shop's side."""
    columns = ("id", "reference", "amount", "object_id", *Invoice.TRACKED)
    invoices = _rows(Invoice.objects.values(*columns))
    refunds = Refund.objects.values("id", "invoice_id", "amount", "state", "source", "handled_at")
    waiting = Attention.objects.filter(resolved_at=None)
    return Ours(
        orders=_rows(_of_shop("Order", "id", "amount", "status", "refunded")),
        notes=_rows(_of_shop("Note", "order_id", "what", "amount")),
        invoices=invoices,
        refunds=_rows(refunds),
        events=_rows(WebhookEvent.objects.values("id", "sadad_id", "count", "state", "error_code")),
        cases=_rows(waiting.values("code", "invoice_id", "refund_id", "event_id")),
        replayed=_replayed(),
        stored={row["id"]: {name: as_fact(row[name]) for name in Invoice.TRACKED} for row in invoices},
    )


def _rows(found: Iterable[Any]) -> list[Row]:
    return list(found)


def _of_shop(model: str, *columns: str) -> Iterable[Any]:
    rows: Iterable[Any] = apps.get_model("shop", model)._base_manager.values(*columns)
    return rows


def _replayed() -> dict[int, Row]:
    found: dict[int, list[InvoiceEvent]] = defaultdict(list)
    for event in InvoiceEvent.objects.order_by("pk").only("invoice_id", "changes").iterator():
        found[event.invoice_id].append(event)
    return {pk: replay(events) for pk, events in found.items()}
