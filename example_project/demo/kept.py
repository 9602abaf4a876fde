"""Both sides of what is kept at Sadad beside invoices, field by field: the shop and the emulator."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from django.db import models

from django_sadadpay.models import Customer as CustomerRow
from django_sadadpay.models import (
    Invoice,
    Mirror,
    PaymentLink,
    ProductCategory,
    Subscription,
    SubscriptionTemplate,
)
from django_sadadpay.models import Product as ProductRow
from django_sadadpay.services.mirroring import row_of
from example_project.shop.models import Box, Category, Customer, Product, Subscriber

if TYPE_CHECKING:
    from example_project.demo.control import Sadad

#: Sadad's kind → our table of it.
TABLES: dict[str, type[Mirror]] = {
    "Customer": CustomerRow,
    "ProductCategory": ProductCategory,
    "Product": ProductRow,
    "PaymentLink": PaymentLink,
    "SubscriptionTemplate": SubscriptionTemplate,
    "Subscription": Subscription,
}
#: The shop's model → Sadad's kind, and the shop's field → Sadad's.
FIELDS: dict[type[models.Model], tuple[str, dict[str, str]]] = {
    Category: ("ProductCategory", {"name_en": "nameEn", "name_ar": "nameAr", "position": "sort"}),
    Product: (
        "Product",
        {
            "name_en": "nameEn",
            "name_ar": "nameAr",
            "text_en": "descEn",
            "text_ar": "descAr",
            "price": "price",
        },
    ),
    Customer: ("Customer", {"name": "name", "phone": "mobile", "email": "email"}),
    Box: (
        "SubscriptionTemplate",
        {"name_en": "nameEn", "name_ar": "nameAr", "price": "amount", "months": "durationNo"},
    ),
    Subscriber: (
        "Subscription",
        {"customer.name": "customerName", "customer.phone": "customerMobile", "language": "lang"},
    ),
}


def is_in_step() -> bool:
    """Nothing is left to be sent."""
    done = (Mirror.State.SYNCED, Mirror.State.DELETED)
    return not any(table._default_manager.exclude(state__in=done).exists() for table in TABLES.values())


def differences(sadad: Sadad) -> list[str]:
    there = {kind: {str(row["id"]): row for row in sadad.objects(kind)} for kind in TABLES}
    found = [line for kind, table in TABLES.items() for line in _one_side_only(kind, table, there[kind])]
    for model, (kind, fields) in FIELDS.items():
        for obj in model._default_manager.all():
            found += _of_object(obj, there[kind], fields)
    return [*found, *_of_boxes()]


def _one_side_only(kind: str, table: type[Mirror], there: dict[str, Any]) -> Iterator[str]:
    live = table._default_manager.exclude(state=Mirror.State.DELETED)
    here = {str(row.sadad_id) for row in live}
    yield from (f"{kind} {one} is on one side only" for one in sorted(here ^ there.keys()))
    yield from (f"{kind} {row.pk} is {row.state}" for row in live if row.state != Mirror.State.SYNCED)


def _of_object(obj: models.Model, there: dict[str, Any], fields: dict[str, str]) -> Iterator[str]:
    row = row_of(obj)
    theirs = there.get(str(row.sadad_id)) if row else None
    if theirs is None:
        yield f"{obj!r} is not at Sadad"
        return
    for ours, name in fields.items():
        a, b = attrgetter(ours)(obj), theirs[name]
        if a != (round(Decimal(str(b)), 3) if isinstance(a, Decimal) else b):
            yield f"{obj!r}: {ours}: {a!r} here, {b!r} there"
    if isinstance(obj, Product):
        category = row_of(obj.category)
        if category is None or str(theirs["categoryId"]) != category.sadad_id:
            yield f"{obj!r} stands in another category there"


def _of_boxes() -> Iterator[str]:
    """A box is sent for each bill that was paid."""
    for subscriber in Subscriber.objects.all():
        bills = Invoice.objects.filter(
            periods__subscription__object_id=subscriber.pk, paid_slot__isnull=False
        )
        paid = sorted(bills.values_list("periods__number", flat=True))
        sent = sorted(subscriber.deliveries.values_list("month", flat=True))
        if paid != sent:
            yield f"{subscriber}: paid for {paid}, sent {sent}"
