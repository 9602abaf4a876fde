from __future__ import annotations

import pytest

from django_sadadpay import checkout
from django_sadadpay.models import Invoice
from django_sadadpay.testing.gateway import Sadad
from tests.shop.models import Order
from tests.views.buying import make_order


@pytest.fixture
def order(transactional_db: None) -> Order:
    return make_order()


@pytest.fixture
def invoice(sadad: Sadad, order: Order) -> Invoice:
    """An open invoice that the buyer can pay at the emulator."""
    return checkout(order)
