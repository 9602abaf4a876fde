from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from django_sadadpay.models import Attention, Mirror
from django_sadadpay.services import clock, gateway
from django_sadadpay.testing.gateway import Sadad
from tests.mirrors.sides import differences
from tests.shop.models import Category, Product


@pytest.fixture
def coffee(transactional_db: None) -> Category:
    return Category.objects.create(name="Coffee")


def product(category: Category, name: str = "Beans", price: str = "1.250", **values: Any) -> Product:
    return Product.objects.create(category=category, name=name, price=Decimal(price), **values)


def fresh(row: Any) -> Any:
    return type(row)._base_manager.get(pk=row.pk)


def waiting() -> list[str]:
    """The codes that wait for a person."""
    return list(Attention.objects.filter(resolved_at=None).order_by("pk").values_list("code", flat=True))


def pause(row: Mirror) -> timedelta:
    """How long until the row's next try."""
    if row.next_try_at is None:
        raise AssertionError("no next try")
    return row.next_try_at - clock.now()


def during(endpoint: str, change: Callable[[], Any], times: int = 1) -> Any:
    """Do ``change`` after the claim and right before the call of ``endpoint`` leaves."""
    left = [times]

    def watcher(called: str) -> None:
        if called == endpoint and left[0]:
            left[0] -= 1
            change()

    return gateway.watch(watcher)


def at_sadad(sadad: Sadad, folder: str) -> dict[str, dict[str, Any]]:
    """Sadad's objects of a kind by id."""
    return {str(row["id"]): row for row in sadad.control.objects(folder)}


def assert_same_on_both_sides(sadad: Sadad) -> None:
    """Each object of the shop stands at Sadad once, under its mirror's id, with the shop's values; nothing
    else stands there, and nothing is under way.
    """
    assert differences(sadad.emulator) == []


def states(model: type[Mirror]) -> list[str]:
    return list(model._base_manager.order_by("pk").values_list("state", flat=True))
