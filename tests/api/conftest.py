"""Callers with chosen permissions, and payments taken against the emulator."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from django_sadadpay import checkout
from django_sadadpay.models import Attention, Invoice
from django_sadadpay.services import clock
from django_sadadpay.testing.gateway import Sadad
from tests.shop.models import Order

VIEWS = ("view_invoice", "view_refund", "view_attention")
CallerMaker = Callable[..., Client]


@pytest.fixture
def caller(transactional_db: None) -> CallerMaker:
    """A logged-in user, not staff, with these of our permissions and no other."""

    def make(*permissions: str, **options: Any) -> Client:
        user = User.objects.create_user(f"user{User.objects.count()}")
        rows = Permission.objects.filter(content_type__app_label="sadadpay", codename__in=permissions)
        assert rows.count() == len(permissions)
        user.user_permissions.set(rows)
        client = Client(**options)
        client.force_login(user)
        return client

    return make


@pytest.fixture
def office(caller: CallerMaker) -> Client:
    """May do everything but see phones, e-mails and raw replies."""
    return caller(*VIEWS, "verify_invoice", "refund_invoice")


@pytest.fixture
def open_invoice(sadad: Sadad, transactional_db: None) -> Invoice:
    order = Order.objects.create(number="A-1", amount=Decimal("12.345"))
    order.lines.create(name="Coffee", price=Decimal("12.345"))
    invoice: Invoice = checkout(order)
    return invoice


@pytest.fixture
def paid_invoice(sadad: Sadad, open_invoice: Invoice) -> Invoice:
    """12.345 KWD, paid, and its order told."""
    sadad.pay(open_invoice)
    assert sadad.deliver() == [200]
    invoice: Invoice = Invoice.objects.get(pk=open_invoice.pk)
    return invoice


def url(name: str, invoice: Invoice | str | None = None) -> str:
    reference = invoice.reference if isinstance(invoice, Invoice) else invoice
    return reverse(f"sadadpay-api:{name}", args=[] if reference is None else [reference])


def give_back(client: Client, invoice: Invoice, key: str = "k-1", **body: Any) -> Any:
    """POST a refund; ``key=""`` sends no key."""
    headers = {"Idempotency-Key": key} if key else {}
    body = {"reason": "broken", **body}
    return client.post(
        url("invoice-refunds", invoice), body, content_type="application/json", headers=headers
    )


def ask(invoice: Invoice | None, code: str = "mismatch", **values: Any) -> Attention:
    """A case that waits for a person."""
    case: Attention = Attention.objects.create(
        account="default",
        environment="sandbox",
        code=code,
        open_slot=str(Attention.objects.count()),
        invoice=invoice,
        created_at=clock.now(),
        **values,
    )
    return case


def problem(answer: Any, status: int) -> tuple[str, str, str]:
    """Code, field and detail of an answer that must be problem JSON."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    first = {name: body[name] for name in ("code", "field", "detail")}
    assert body["errors"][0] == first
    assert first["detail"]
    return first["code"], first["field"], first["detail"]
