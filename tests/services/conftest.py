from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from django_sadadpay.models import Attention, Invoice
from tests.shop.models import Order


@pytest.fixture
def order(transactional_db: None) -> Order:
    """12.345 KWD on two lines."""
    return make_order()


@pytest.fixture
def order_of(transactional_db: None) -> Callable[..., Order]:
    return make_order


def make_order(amount: str = "12.345", **values: Any) -> Order:
    made = Order.objects.create(number=values.pop("number", "A-1"), amount=Decimal(amount), **values)
    made.lines.create(name="Coffee", price=Decimal(amount))
    return made


def fresh(row: Any) -> Any:
    return type(row)._base_manager.get(pk=row.pk)


def waiting(invoice: Invoice | None = None) -> list[str]:
    """The codes that wait for a person."""
    rows = Attention.objects.filter(resolved_at=None).order_by("pk")
    return [row.code for row in (rows.filter(invoice=invoice) if invoice else rows)]
