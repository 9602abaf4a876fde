from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from django_sadadpay.models import Attention, Mirror
from django_sadadpay.services import clock, gateway
from django_sadadpay.testing.gateway import Sadad
from tests.shop.models import Category, Choice, Client, Level, Membership, Product


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
    """Each object of the shop stands at Sadad once, with the shop's values, and nothing else stands there."""
    shop = {
        "ProductCategory": [{"nameEn": obj.name} for obj in Category.objects.all()],
        "Product": [_product(obj) for obj in Product.objects.filter(hidden=False)],
        "Customer": [_customer(obj) for obj in Client.objects.all()],
        "ProductLink": [_choice(obj) for obj in Choice.objects.all()],
        "SubscriptionTemplate": [
            {"nameEn": obj.name, "amount": obj.fee, "billPeriod": "Monthly"} for obj in Level.objects.all()
        ],
        "Subscription": [
            {"ref_Number": f"member-{obj.pk}", "template": obj.level.name}
            for obj in Membership.objects.select_related("level")
        ],
    }
    for folder, ours in shop.items():
        theirs = [_theirs(sadad, folder, row) for row in at_sadad(sadad, folder).values()]
        shown = [{name: row.get(name) for name in (ours[0] if ours else row)} for row in theirs]
        assert sorted(map(_comparable, shown)) == sorted(map(_comparable, ours)), folder


def _product(obj: Product) -> dict[str, Any]:
    names = {"nameEn": obj.name, "nameAr": obj.name_ar, "price": obj.price, "quantity": obj.stock}
    return {**names, "category": obj.category.name}


def _customer(obj: Client) -> dict[str, Any]:
    return {"name": obj.name, "mobile": obj.phone, "email": obj.email, "ref_Number": obj.number}


def _choice(obj: Choice) -> dict[str, Any]:
    return {"nameEn": obj.title, "products": sorted(one.name for one in obj.products.filter(hidden=False))}


def _theirs(sadad: Sadad, folder: str, row: dict[str, Any]) -> dict[str, Any]:
    """Sadad's values, its ids replaced by names, our references without their random ending."""
    row = dict(row)
    if folder == "Product":
        row["category"] = at_sadad(sadad, "ProductCategory")[str(row["categoryId"])]["nameEn"]
    if folder == "ProductLink":
        row["products"] = sorted(one["nameEn"] for group in row["categories"] for one in group["products"])
    if folder == "Subscription":
        row["template"] = at_sadad(sadad, "SubscriptionTemplate")[str(row["templateId"])]["nameEn"]
    if row.get("ref_Number"):
        row["ref_Number"] = row["ref_Number"].rpartition("-")[0]
    return row


def _comparable(row: dict[str, Any]) -> str:
    def plain(value: Any) -> str:
        if isinstance(value, (Decimal, float, int)) and not isinstance(value, bool):
            return f"{Decimal(str(value)):.3f}"
        return "" if value is None else str(value)

    return repr({name: plain(value) for name, value in sorted(row.items())})


def states(model: type[Mirror]) -> list[str]:
    return list(model._base_manager.order_by("pk").values_list("state", flat=True))
