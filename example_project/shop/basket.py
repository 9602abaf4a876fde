"""The basket: product ids and quantities in the session, prices always from the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from django.utils.translation import gettext

from example_project.shop.models import Product

if TYPE_CHECKING:
    from django.contrib.sessions.backends.base import SessionBase

KEY = "basket"
MOST = 20  # of one product
DELIVERY = Decimal("1.000")
FREE_DELIVERY_FROM = Decimal("20.000")


@dataclass(frozen=True)
class BasketLine:
    """``product`` is None for the delivery."""

    name: str
    price: Decimal
    quantity: int
    product: Product | None = None

    @property
    def total(self) -> Decimal:
        return self.price * self.quantity


class Basket:
    def __init__(self, session: SessionBase) -> None:
        self.session = session
        stored = session.get(KEY, {})
        self.quantities: dict[str, int] = stored if isinstance(stored, dict) else {}

    def set(self, product: Product, quantity: int) -> None:
        """0 takes the product out; more than ``MOST`` becomes ``MOST``."""
        key = str(product.pk)
        if quantity > 0:
            self.quantities[key] = min(quantity, MOST)
        else:
            self.quantities.pop(key, None)
        self._keep()

    def add(self, product: Product) -> None:
        self.set(product, self.quantities.get(str(product.pk), 0) + 1)

    def clear(self) -> None:
        self.quantities = {}
        self._keep()

    @cached_property
    def products(self) -> list[BasketLine]:
        """What was chosen; a product that is no longer sold is left out."""
        rows = Product.objects.filter(pk__in=self.quantities)
        return [BasketLine(p.name, p.price, self.quantities[str(p.pk)], p) for p in rows]

    @property
    def lines(self) -> list[BasketLine]:
        """The products and, unless it is free, the delivery."""
        if not self.products or self.delivery == 0:
            return self.products
        return [*self.products, BasketLine(gettext("Delivery"), self.delivery, 1)]

    @property
    def subtotal(self) -> Decimal:
        return sum((line.total for line in self.products), Decimal("0.000"))

    @property
    def delivery(self) -> Decimal:
        return DELIVERY if 0 < self.subtotal < FREE_DELIVERY_FROM else Decimal("0.000")

    @property
    def total(self) -> Decimal:
        return self.subtotal + self.delivery

    def __len__(self) -> int:
        return sum(line.quantity for line in self.products)

    def _keep(self) -> None:
        self.session[KEY] = self.quantities
        self.__dict__.pop("products", None)
