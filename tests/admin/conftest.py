"""Staff with chosen permissions, and payments taken against the emulator."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from django_sadadpay import checkout
from django_sadadpay.models import Invoice
from django_sadadpay.testing.gateway import Sadad
from tests.shop.models import Order

VIEWS = tuple(
    f"view_{name}"
    for name in (
        "invoice",
        "refund",
        "attention",
        "webhookevent",
        "gatewaytoken",
        "currencyrate",
        "mark",
    )
)
StaffMaker = Callable[..., Client]


@pytest.fixture
def staff(transactional_db: None) -> StaffMaker:
    """A logged-in member of staff who may view all of our tables, plus the permissions named."""

    def make(*permissions: str, views: tuple[str, ...] = VIEWS) -> Client:
        user = User.objects.create_user(f"staff{User.objects.count()}", is_staff=True)
        rows = Permission.objects.filter(
            content_type__app_label="sadadpay", codename__in=(*views, *permissions)
        )
        assert rows.count() == len({*views, *permissions})
        user.user_permissions.set(rows)
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def boss(transactional_db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def open_invoice(sadad: Sadad, transactional_db: None) -> Invoice:
    return checkout(make_order())


@pytest.fixture
def paid_invoice(sadad: Sadad, open_invoice: Invoice) -> Invoice:
    """12.345 KWD, paid, and its order told."""
    return pay(sadad, open_invoice)


def make_order(amount: str = "12.345", number: str = "A-1", **values: Any) -> Order:
    order = Order.objects.create(number=number, amount=Decimal(amount), **values)
    order.lines.create(name="Coffee", price=Decimal(amount))
    return order


def pay(sadad: Sadad, invoice: Invoice) -> Invoice:
    sadad.pay(invoice)
    assert sadad.deliver() == [200]
    invoice.refresh_from_db()
    return invoice


def url(model: str, page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:sadadpay_{model}_{page}", args=args)


def text(response: Any) -> str:
    """The page as a reader sees it: without tags, with single blanks."""
    assert response.status_code == 200
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", response.content.decode())).split())


def told(response: Any) -> list[tuple[str, str]]:
    """What this answer (not an earlier one) tells on the next page, with the level."""
    storage: Any = get_messages(response.wsgi_request)
    return [(message.level_tag, str(message)) for message in storage._queued_messages]


def hidden(response: Any) -> dict[str, str]:
    """The values that the page's form would send."""
    form = response.context["form"]
    return {name: str(form[name].value() or "") for name in form.fields}
