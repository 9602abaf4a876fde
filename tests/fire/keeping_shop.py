"""A shop at work: creates, edits, deletes, bulk changes, failed transactions, in an order drawn by a seed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from random import Random
from typing import Any

from django.db import connection, transaction

from django_sadadpay import mirror
from tests.shop.models import Category, Choice, Client, Level, Membership, Product

ACTS = 30


class _Fails(Exception):
    """The shop's own transaction fails."""


def trade(seed: int, acts: int = ACTS) -> None:
    """So many transactions. A sixth of them is rolled back."""
    luck = Random(seed)
    for number in range(acts):
        act = luck.choice(_ACTS)
        with suppress(_Fails), transaction.atomic():
            if (
                connection.vendor == "sqlite"
            ):  # a transaction that begins with a read cannot wait for its turn
                Category.objects.filter(pk=0).update(name="")
            act(luck, f"{seed}-{number}")
            if luck.random() < 1 / 6:
                raise _Fails


def _one(model: type[Any], luck: Random) -> Any:
    rows = list(model._base_manager.select_for_update().order_by("pk"))
    return luck.choice(rows) if rows else None


def _makes(luck: Random, name: str) -> None:
    """With all that it needs, in one transaction."""
    category = _one(Category, luck) if luck.random() < 0.6 else None
    category = category or Category.objects.create(name=f"Category {name}")
    price = Decimal(luck.randint(1, 9999)) / 1000
    Product.objects.create(category=category, name=f"Product {name}", price=price)


def _gets_a_customer(luck: Random, name: str) -> None:
    client = Client.objects.create(number=name, name=f"Client {name}", phone="+96550000001")
    level = _one(Level, luck) if luck.random() < 0.7 else None
    Membership.objects.create(client=client, level=level or Level.objects.create(name=f"Level {name}", fee=3))


def _edits(luck: Random, name: str) -> None:
    for model in (Category, Product, Client, Level):
        if luck.random() < 0.4 and (obj := _one(model, luck)) is not None:
            obj.name = f"{model.__name__} {name}"
            obj.save()


def _moves(luck: Random, name: str) -> None:
    product, category = _one(Product, luck), _one(Category, luck)
    if product is not None and category is not None:
        product.category, product.stock = category, luck.randint(0, 9)
        product.save()


def _deletes(luck: Random, name: str) -> None:
    model = luck.choice((Product, Product, Category, Client, Membership, Choice))
    if model._base_manager.count() > 2 and (obj := _one(model, luck)) is not None:
        obj.delete()


def _lists(luck: Random, name: str) -> None:
    choice = Choice.objects.create(title=f"Page {name}") if luck.random() < 0.5 else _one(Choice, luck)
    if choice is not None:
        choice.products.set(Product.objects.order_by("pk")[: luck.randint(1, 4)])
        mirror([choice])


def _changes_in_bulk(luck: Random, name: str) -> None:
    rows = Product.objects.filter(
        pk__in=list(Product.objects.order_by("pk").values_list("pk", flat=True)[:3])
    )
    rows.update(name_ar=f"منتج {name}")
    mirror(rows)


_ACTS: tuple[Callable[[Random, str], None], ...] = (
    _makes,
    _makes,
    _gets_a_customer,
    _edits,
    _edits,
    _moves,
    _deletes,
    _lists,
    _changes_in_bulk,
)
