"""What tests of views, commands and tasks share: an order, its invoice, and webhook calls of any form."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from django_sadadpay.models import Invoice
from tests.shop.models import Order

SECRET = "unguessable-webhook-secret-of-the-tests"


def make_order(amount: str = "12.345", **values: Any) -> Order:
    order = Order.objects.create(number="A-1", amount=Decimal(amount), **values)
    order.lines.create(name="Coffee", price=Decimal(amount))
    return order


def fresh(row: Any) -> Any:
    return type(row)._base_manager.get(pk=row.pk)


def webhook_url(secret: str = SECRET, account: str = "default") -> str:
    return reverse("sadadpay:webhook", args=[account, secret])


def call(body: Any, *, secret: str = SECRET, client: Client | None = None, **options: Any) -> HttpResponse:
    """One webhook call; ``body`` is JSON data, or bytes as they are."""
    client = client or Client()
    kind = options.pop("content_type", "application/json")
    answer: HttpResponse = client.post(webhook_url(secret), data=body, content_type=kind, **options)  # type: ignore[assignment]
    return answer


def named(invoice: Invoice) -> dict[str, Any]:
    """A true call for an invoice, in the spelling that Sadad really sends (contract 5)."""
    return {"invoiceId": int(invoice.sadad_id or 0), "status": "Paid"}


def back(invoice: Invoice, query: str = "", **options: Any) -> Any:
    """The buyer's browser comes back."""
    return Client().get(reverse("sadadpay:return", args=[invoice.reference]) + query, **options)


@contextmanager
def no_sql() -> Iterator[None]:
    with CaptureQueriesContext(connection) as queries:
        yield
    assert [query["sql"] for query in queries] == []


def changed(**values: Any) -> dict[str, Any]:
    """``SADADPAY`` with some of its top-level entries changed."""
    return {**settings.SADADPAY, **values}


def with_account(name: str = "default", **values: Any) -> dict[str, Any]:
    """``SADADPAY`` with an account changed."""
    accounts = settings.SADADPAY["ACCOUNTS"]
    return changed(ACCOUNTS={**accounts, name: {**accounts["default"], **values}})
