"""What is in the basket, and what it costs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.utils import translation

from example_project.shop.basket import MOST, Basket
from example_project.shop.models import Product, place_order

pytestmark = pytest.mark.usefixtures("products")


def product(slug: str) -> Product:
    return Product.objects.get(slug=slug)


@pytest.fixture
def basket() -> Basket:
    return Basket(SessionStore())


def test_an_empty_basket_costs_nothing_and_is_not_delivered(basket: Basket) -> None:
    assert (basket.total, basket.lines, len(basket)) == (Decimal("0.000"), [], 0)


def test_products_add_up_to_the_fils_and_small_baskets_pay_for_delivery(basket: Basket) -> None:
    basket.add(product("coffee"))
    basket.add(product("coffee"))
    basket.add(product("karak"))
    assert basket.subtotal == Decimal("13.125")
    assert basket.total == Decimal("14.125")
    assert [line.total for line in basket.lines] == [Decimal("9.500"), Decimal("3.625"), Decimal("1.000")]


@pytest.mark.parametrize(("coffees", "delivery"), [(4, "1.000"), (5, "0.000")])
def test_delivery_is_free_from_twenty_dinars(basket: Basket, coffees: int, delivery: str) -> None:
    basket.set(product("coffee"), coffees)
    assert basket.delivery == Decimal(delivery)
    assert len(basket.lines) == (2 if Decimal(delivery) else 1)


def test_exactly_twenty_dinars_are_delivered_for_free(basket: Basket) -> None:
    Product.objects.filter(slug="coffee").update(price=Decimal("20.000"))
    basket.add(product("coffee"))
    assert basket.delivery == 0
    Product.objects.filter(slug="coffee").update(price=Decimal("19.999"))
    assert Basket(basket.session).delivery == Decimal("1.000")


def test_a_new_price_counts_at_once(basket: Basket) -> None:
    basket.add(product("dates"))
    Product.objects.filter(slug="dates").update(price=Decimal("2.999"))
    assert Basket(basket.session).subtotal == Decimal("2.999")


def test_quantity_nought_takes_a_product_out_and_too_many_are_capped(basket: Basket) -> None:
    basket.set(product("dates"), MOST + 5)
    assert len(basket) == MOST
    basket.set(product("dates"), 0)
    assert len(basket) == 0


def test_a_product_that_is_no_longer_sold_leaves_the_basket(basket: Basket) -> None:
    basket.add(product("dates"))
    basket.add(product("coffee"))
    product("dates").delete()
    assert [line.name for line in Basket(basket.session).products] == ["Arabic coffee"]


def test_an_order_keeps_names_prices_and_total_as_they_were(basket: Basket) -> None:
    basket.set(product("coffee"), 2)
    with translation.override("ar"):
        order = place_order(basket, name="نور", phone="51234567", email="", language="ar")
    Product.objects.all().delete()
    order.refresh_from_db()
    assert order.amount == Decimal("10.500") == sum(line.total for line in order.lines.all())
    assert [line.name for line in order.lines.all()] == ["قهوة عربية", "التوصيل"]
    assert order.amount.as_tuple().exponent == -3
