"""The comparison that other tests rely on sees what a comparison of bags of values does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_sadadpay import mirror
from django_sadadpay.models import Product as ProductRow
from django_sadadpay.models import ProductLink
from django_sadadpay.services import clock, push
from django_sadadpay.testing.gateway import Sadad
from tests.mirrors.conftest import product
from tests.mirrors.sides import differences
from tests.shop.models import Category, Choice, Product

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture
def shop(sadad: Sadad, coffee: Category) -> Sadad:
    """Two products on a link, in step."""
    product(coffee, "Beans"), product(coffee, "Cups", price="2.000")
    choice = Choice.objects.create(title="Pick")
    choice.products.set(Product.objects.all())
    mirror([choice])
    push.run()
    assert differences(sadad.emulator) == []
    return sadad


def swap_ids(_sadad: Sadad) -> None:
    one, other = ProductRow.objects.order_by("pk")
    ProductRow.objects.filter(pk=one.pk).update(sadad_id="0")
    ProductRow.objects.filter(pk=other.pk).update(sadad_id=one.sadad_id)
    ProductRow.objects.filter(pk=one.pk).update(sadad_id=other.sadad_id)


def change_at_sadad(sadad: Sadad) -> None:
    sadad.emulator.world.objects["Product"][1].values["price"] = 7


def reorder_at_sadad(sadad: Sadad) -> None:
    sadad.emulator.world.objects["ProductLink"][1].values["products"].reverse()


def make_another_at_sadad(sadad: Sadad) -> None:
    sadad.control.create_object("ProductCategory", nameEn="Coffee")


def change_in_the_shop(_sadad: Sadad) -> None:
    Product.objects.filter(name="Beans").update(stock=3)


def list_less_in_the_shop(_sadad: Sadad) -> None:
    Choice.objects.get().products.remove(Product.objects.get(name="Beans"))


def forget_a_row(_sadad: Sadad) -> None:
    ProductLink.objects.update(source="", object_id="", source_key=None)


def leave_a_lease(_sadad: Sadad) -> None:
    ProductRow.objects.update(lease_holder="dead", lease_until=clock.now())


def leave_a_call_unanswered(_sadad: Sadad) -> None:
    ProductRow.objects.update(state="pending", sending="update", sent_at=clock.now())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (swap_ids, "name_en: 'Beans' here, 'Cups' at Sadad"),
        (change_at_sadad, "price: '1.250' here, 0.007 at Sadad"),
        (reorder_at_sadad, "products: ['1', '2'] here, ['2', '1'] at Sadad"),
        (make_another_at_sadad, "at Sadad, and nobody's: 2"),
        (change_in_the_shop, "quantity: 3 in the shop, 0 on the row"),
        (list_less_in_the_shop, "by the shop"),
        (forget_a_row, "the shop wants it, and it has no row"),
        (leave_a_lease, "lease_holder is 'dead', not ''"),
        (leave_a_call_unanswered, "sending is 'update', not ''"),
    ],
)
def test_each_disagreement_is_seen(shop: Sadad, change: Callable[[Sadad], Any], words: str) -> None:
    change(shop)
    assert any(words in found for found in differences(shop.emulator)), differences(shop.emulator)
