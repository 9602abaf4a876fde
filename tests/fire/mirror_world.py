"""A shop with a catalogue, customers and subscriptions of its own, under the virtual clock of ``lab``; and
what others do to it: the shop's own code, staff, and the merchant in Sadad's panel.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import connections, models, transaction

from django_sadadpay import mirror
from django_sadadpay.emulator import Refusal, objects, routes
from django_sadadpay.models import (
    Attention,
    Customer,
    InstallmentPlan,
    PaymentLink,
    Product,
    ProductCategory,
    ProductLink,
    ProductLinkItem,
    Subscription,
    SubscriptionLink,
    SubscriptionPeriod,
    SubscriptionTemplate,
)
from django_sadadpay.services import pushing, storing, transactions
from django_sadadpay.services.points import armed
from tests.fire.lab import TABLES, Lab
from tests.shop import models as shop

if TYPE_CHECKING:
    import pytest

    from django_sadadpay.emulator.api import Call

#: What the shop keeps, children before their parents.
SHOP: tuple[type[models.Model], ...] = (
    shop.Membership,
    shop.Choice,
    shop.Product,
    shop.Category,
    shop.Level,
    shop.Client,
)
MIRRORS: tuple[type[models.Model], ...] = (
    SubscriptionPeriod,
    ProductLinkItem,
    ProductLink,
    SubscriptionLink,
    Subscription,
    InstallmentPlan,
    Product,
    PaymentLink,
    SubscriptionTemplate,
    ProductCategory,
    Customer,
)
#: Few, so that twins and names that come back are met.
NAMES = ("Coffee", "Tea", "شاي")
FOLDERS = {
    shop.Category: "ProductCategory",
    shop.Product: "Product",
    shop.Client: "Customer",
    shop.Choice: "ProductLink",
    shop.Level: "SubscriptionTemplate",
    shop.Membership: "Subscription",
}


class _Watched(deque[Any]):
    """The emulator's log, which says at once what was called: Sadad has acted, nobody has heard of it yet."""

    def __init__(self, told: Callable[[Call], None]) -> None:
        super().__init__(maxlen=10_000)
        self._told = told

    def append(self, call: Call, /) -> None:
        super().append(call)
        self._told(call)


class MirrorLab(Lab):
    """``acting``: the rows that push is at, the innermost last. ``heard`` is told of each call."""

    tables = (Attention, *MIRRORS, *TABLES, shop.Choice.products.through, *SHOP)

    def __init__(self, settings: Any) -> None:
        self.acting: list[tuple[str, int]] = []
        self.heard: Callable[[Call], None] = lambda _call: None
        self._other: Callable[[], object] | None = None
        self._statements = 0
        self._is_looked_at = False
        super().__init__(settings)
        self.emulator.api.log = _Watched(self._hear)

    def reset(self) -> None:
        self.acting.clear()
        self._other, self._is_looked_at = None, False
        super().reset()
        self.control.settings(insert_reply="object")

    def _hear(self, call: Call) -> None:
        self.heard(call)

    @contextmanager
    def looked_at(self) -> Iterator[None]:
        """The test's own statements: nobody dies of them."""
        before, self._is_looked_at = self._is_looked_at, True
        try:
            yield
        finally:
            self._is_looked_at = before

    def interrupted(self, statements: int, other: Callable[[], object]) -> None:
        """After so many statements of a process, at the next one outside a transaction, another acts."""
        self._statements, self._other = statements, other

    def _statement(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if self._is_looked_at:
            return execute(sql, params, many, context)
        if self._other is not None and not connections[transactions.alias()].in_atomic_block:
            self._statements -= 1
            if self._statements < 0:
                other, self._other = self._other, None
                other()
        return super()._statement(execute, sql, params, many, context)

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """While another one acts, the faults wait for whoever was there before."""
        faults = self.control.faults.list()
        self.control.faults.clear()
        try:
            yield
        finally:
            for one in faults:
                self.control.faults.add(one.endpoint, one.kind, times=one.times, skip=one.skip, **one.options)

    @contextmanager
    def process(self, kill_after: int | None = None) -> Iterator[None]:
        with super().process(kill_after):
            try:
                yield
            finally:
                self._other = None
                self.acting.clear()


def follow_push(patch: pytest.MonkeyPatch, lab: MirrorLab) -> None:
    """Note whose turn it is, and make a point of the moment between select and claim."""
    act, claim = pushing.act, storing.claim

    def acts(row: Any, *args: Any, **kwargs: Any) -> Any:
        lab.acting.append((row.kind, row.pk))
        try:
            return act(row, *args, **kwargs)
        finally:
            if lab.acting:
                lab.acting.pop()

    def claims(*args: Any, **kwargs: Any) -> Any:
        if "push.selected" in armed:
            armed["push.selected"]()
        return claim(*args, **kwargs)

    patch.setattr(pushing, "act", acts)
    patch.setattr(storing, "claim", claims)


# The shop's own code


def pick(model: type[Any], which: int, **filters: Any) -> Any:
    """One of them, or None."""
    rows = list(model._base_manager.filter(**filters).order_by("pk"))
    return rows[which % len(rows)] if rows else None


def create(model: type[Any], which: int, name: str, number: int) -> Any:
    """An object with what it needs; None where a parent is missing."""
    if model is shop.Category:
        return shop.Category.objects.create(name=name)
    if model is shop.Client:
        return shop.Client.objects.create(number=f"K-{number}", name=name, phone="+96550000001")
    if model is shop.Level:
        return shop.Level.objects.create(name=name, fee=Decimal(number % 4 + 1))
    if model is shop.Product:
        parent = pick(shop.Category, which)
        values = {"name": name, "price": Decimal(number % 5), "stock": number % 3}
        return parent and shop.Product.objects.create(category=parent, **values)
    if model is shop.Choice:
        made = shop.Choice.objects.create(title=name)
        _list(made, which)
        return made
    level = pick(shop.Level, which)
    return level and shop.Membership.objects.create(level=level, client=pick(shop.Client, which))


def _list(choice: shop.Choice, which: int) -> None:
    """Another choice of products; Django sends no signal that the mirrors follow."""
    shown = list(shop.Product.objects.filter(hidden=False).order_by("pk"))
    choice.products.set([one for place, one in enumerate(shown) if place != which % 3])
    mirror([choice])


def edit(model: type[Any], which: int, name: str, number: int) -> None:
    obj = pick(model, which)
    if obj is None:
        return
    if model is shop.Membership:
        obj.client = pick(shop.Client, number) if number % 3 else None
    elif model is shop.Choice:
        obj.title = name
        _list(obj, number)
    else:
        obj.name = name
    if model is shop.Product:
        obj.price, obj.stock = Decimal(number % 5), number % 3
        obj.category = pick(shop.Category, number)
    if model is shop.Level:
        obj.fee = Decimal(number % 4 + 1)
    obj.save()


def edit_a_value(model: type[Any], which: int, name: str, number: int) -> None:
    """Of those by which an object is told from others none changes."""
    obj = pick(model, which)
    if obj is None:
        return
    if model is shop.Product:
        obj.stock = number % 4
    elif model is shop.Client:
        obj.email = f"{number}@example.com"
    elif model is shop.Level:
        obj.fee = Decimal(number % 4 + 1)
    obj.save()


def delete(model: type[Any], which: int, name: str, number: int) -> None:
    obj = pick(model, which)
    if obj is not None:
        obj.delete()


def comes_back(model: type[Any], which: int, name: str, number: int) -> None:
    """Deleted and made anew under the same primary key, in one go."""
    obj = pick(model, which)
    if obj is not None and model in (shop.Category, shop.Client, shop.Level):
        pk = obj.pk
        obj.delete()
        obj.pk = pk
        obj.save(force_insert=True)


def hide(model: type[Any], which: int, name: str, number: int) -> None:
    obj = pick(shop.Product, which)
    if obj is not None:
        obj.hidden = not obj.hidden
        obj.save()
        for choice in obj.choice_set.all():
            choice.products.remove(obj)
            mirror([choice])


def spoil(model: type[Any], which: int, name: str, number: int) -> None:
    """A name that Sadad would refuse."""
    obj = pick(shop.Category if number % 2 else shop.Product, which)
    if obj is not None:
        obj.name = ""
        obj.save()


def change_in_bulk(model: type[Any], which: int, name: str, number: int) -> None:
    """Without a signal; the shop says so."""
    rows = shop.Product.objects.all()
    if number % 3 == 0:
        rows.update(name=name)
    else:
        rows.update(price=Decimal(number % 7))
    mirror(rows)


def let_go(model: type[Any], which: int, name: str, number: int) -> None:
    """A parent goes and its children stay, as SET_NULL does it: Django sends no signal for them."""
    if number % 2:
        client = pick(shop.Client, which)
        shop.Membership.objects.filter(client=client).update(client=None)
        if client is not None:
            client.delete()
    elif shop.Category.objects.count() > 1:
        category = pick(shop.Category, which)
        other = shop.Category.objects.exclude(pk=category.pk).earliest("pk")
        shop.Product.objects.filter(category=category).update(category=other)
        shop.Category.objects.get(pk=category.pk).delete()


class _Back(Exception):
    """The shop's own transaction fails."""


def in_transaction(what: Callable[[], object], end: str, other: Callable[[], object]) -> None:
    """``what`` in a transaction that commits, or is rolled back, or of which one savepoint is."""
    with suppress(_Back), transaction.atomic():
        if end == "savepoint":
            with suppress(_Back), transaction.atomic():
                what()
                raise _Back
            other()
        else:
            what()
        if end == "rollback":
            raise _Back


# The merchant, in Sadad's panel


def panel_creates(lab: MirrorLab, folder: str, name: str, number: int) -> None:
    values: dict[str, Any] = {"nameEn": name, "nameAr": name}
    if folder == "Customer":
        values = {"name": name, "ref_Number": f"P-{number}"}
    elif folder == "SubscriptionTemplate":
        values |= {"amount": number % 4 + 1, "billPeriod": "Monthly"}
    elif folder == "Product":
        found = objects.rows(lab.world, "ProductCategory")
        if not found:
            return
        values |= {"categoryId": found[number % len(found)].id, "price": number % 5}
    # A link of the panel's keeps the products that it lists: that is the merchant's own to settle.
    if folder not in ("Subscription", "ProductLink"):
        with suppress(Refusal):
            lab.control.create_object(folder, **values)


def panel_edits(lab: MirrorLab, folder: str, number: int, name: str, value: int) -> None:
    """One field, the others as they are."""
    shape, world = routes.SHAPES[folder], lab.world
    row = objects.find(world, folder, number)
    field = {"Customer": "name", "Subscription": "comment"}.get(folder, "nameEn")
    changed = {"price": value % 6} if folder == "Product" and value % 2 else {field: name}
    with suppress(Refusal), world.transaction():
        objects.change(world, shape, {**objects.written(shape, row), "id": number, **changed})


def panel_deletes(lab: MirrorLab, folder: str, number: int) -> None:
    with suppress(Refusal), lab.world.transaction():
        objects.remove(lab.world, routes.SHAPES[folder], number)


SHOP_ACTS: dict[str, Callable[[type[Any], int, str, int], object]] = {
    act.__name__: act
    for act in (create, edit, edit_a_value, delete, comes_back, hide, spoil, change_in_bulk, let_go)
}


def acts(what: str, model: type[Any], which: int, name: str, number: int) -> Callable[[], object]:
    return partial(SHOP_ACTS[what], model, which, name, number)
