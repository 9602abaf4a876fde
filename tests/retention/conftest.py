"""A shop's whole life in rows: paid, refunded, cancelled, with the calls that Sadad made."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from django_sadadpay import refund
from django_sadadpay.models import Invoice, InvoiceEvent, PaymentAttempt, WebhookEvent
from django_sadadpay.services import clock
from django_sadadpay.testing.gateway import Sadad
from tests.shop.models import Order
from tests.views.buying import make_order
from tests.views.conftest import invoice, order

__all__ = ["invoice", "order"]

NAME, PHONE, EMAIL = "Noor Al-Sabah", "+96550000001", "noor@example.com"
#: Whatever of these stands in a database holds the person.
TRACES = ("Noor", "50000001", "noor@")


@pytest.fixture
def paid(sadad: Sadad, invoice: Invoice) -> Invoice:
    """Paid, half of it refunded, told of by a webhook that names the buyer."""
    sadad.pay(invoice)
    body = {"invoiceId": invoice.sadad_id, "customerEmail": EMAIL, "customer_Mobile": PHONE}
    assert sadad.post(json.dumps(body)) == 200
    refund(Invoice.objects.get(pk=invoice.pk), "6", reason="returned")
    PaymentAttempt.objects.update(raw={"cardholder": NAME})
    return Invoice.objects.get(pk=invoice.pk)


@pytest.fixture
def aged(sadad_clock: Callable[[float], None]) -> Callable[[float], None]:
    """So many days go by."""
    return lambda days: sadad_clock(timedelta(days=days).total_seconds())


def everything(model: Any, leave: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """All rows with all columns, apart from those named."""
    return [
        {name: value for name, value in row.items() if name not in leave}
        for row in model.objects.order_by("pk").values()
    ]


def dump() -> str:
    """All that our tables hold, as text; the shop's own are the shop's."""
    from django.apps import apps

    models = apps.get_app_config("sadadpay").get_models()
    return repr([list(model._base_manager.values()) for model in models])


def old(row: Any, days: int) -> None:
    name = "received_at" if isinstance(row, WebhookEvent) else "created_at"
    type(row).objects.filter(pk=row.pk).update(**{name: clock.now() - timedelta(days=days)})


def ledger(row: Invoice) -> list[str]:
    return list(InvoiceEvent.objects.filter(invoice=row).order_by("pk").values_list("kind", flat=True))


def another(number: str) -> Order:
    """A second order of the same buyer."""
    made = make_order()
    Order.objects.filter(pk=made.pk).update(number=number)
    return Order.objects.get(pk=made.pk)
