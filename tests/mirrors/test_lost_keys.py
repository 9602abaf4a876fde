"""An insert whose answer was lost is looked for by what it said, whatever is wanted by then."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from django_sadadpay import PaymentLinkDraft
from django_sadadpay.models import PaymentLink, ProductCategory
from django_sadadpay.models import Product as ProductRow
from django_sadadpay.services import gateway, mirroring, pull, push
from django_sadadpay.testing.gateway import Sadad
from tests.mirrors.conftest import (
    assert_same_on_both_sides,
    at_sadad,
    during,
    fresh,
    product,
    states,
    waiting,
)
from tests.shop.models import Category, Product

pytestmark = [pytest.mark.django_db(transaction=True)]
Shift = Callable[[float], None]
#: Longer than an answer is waited for before it is looked into, with the back-off of a few tries.
LATER = 3600.0


def lose(sadad: Sadad, endpoint: str, *, arrived: bool = True) -> None:
    sadad.control.faults.add(endpoint, "cut_after" if arrived else "error_before", times=1)
    push.run()


def go_on(shift: Shift) -> None:
    for _ in range(4):
        shift(LATER)
        push.run()


def test_a_category_renamed_meanwhile_is_found_by_its_old_name(
    sadad: Sadad, coffee: Category, sadad_clock: Shift
) -> None:
    lose(sadad, "ProductCategory/insert")
    coffee.name = "Tea"
    coffee.save()
    coffee.name = "Tea and more"  # what was sent is the first name, not the last but one
    coffee.save()
    go_on(sadad_clock)
    assert len(sadad.calls("ProductCategory/insert")) == 1
    assert_same_on_both_sides(sadad)


def test_one_renamed_while_its_insert_is_under_way_too(
    sadad: Sadad, coffee: Category, sadad_clock: Shift
) -> None:
    def rename() -> None:
        coffee.name = "Tea"
        coffee.save()

    with during("ProductCategory/insert", rename):
        lose(sadad, "ProductCategory/insert")
    go_on(sadad_clock)
    assert len(at_sadad(sadad, "ProductCategory")) == 1
    assert_same_on_both_sides(sadad)


def test_one_that_was_never_there_is_sent_under_its_new_name(
    sadad: Sadad, coffee: Category, sadad_clock: Shift
) -> None:
    lose(sadad, "ProductCategory/insert", arrived=False)
    coffee.name = "Tea"
    coffee.save()
    go_on(sadad_clock)
    assert [row["nameEn"] for row in at_sadad(sadad, "ProductCategory").values()] == ["Tea"]
    assert_same_on_both_sides(sadad)


def test_the_next_insert_is_looked_for_by_its_own_name(
    sadad: Sadad, coffee: Category, sadad_clock: Shift
) -> None:
    """What is remembered of a lost insert ends with its answer."""
    lose(sadad, "ProductCategory/insert", arrived=False)
    coffee.name = "Tea"
    coffee.save()
    sadad.control.faults.add("ProductCategory/insert", "cut_after", times=1)
    go_on(sadad_clock)
    assert [row["nameEn"] for row in at_sadad(sadad, "ProductCategory").values()] == ["Tea"]
    assert_same_on_both_sides(sadad)


def test_one_deleted_after_a_rename_is_deleted_at_sadad(
    sadad: Sadad, coffee: Category, sadad_clock: Shift
) -> None:
    lose(sadad, "ProductCategory/insert")
    coffee.name = "Tea"
    coffee.save()
    coffee.delete()
    go_on(sadad_clock)
    assert at_sadad(sadad, "ProductCategory") == {}
    assert (states(ProductCategory), waiting()) == (["deleted"], [])


@pytest.mark.parametrize("pushed", [False, True], ids=["before", "after"])
def test_a_product_whose_category_is_renamed_is_found(
    sadad: Sadad, coffee: Category, sadad_clock: Shift, pushed: bool
) -> None:
    """Sadad's list names a product's category as it is called there: by the old name until that is pushed."""
    push.run()
    beans = product(coffee)
    lose(sadad, "Product/insert")
    coffee.name = "Tea"
    coffee.save()
    if pushed:
        beans.name = "Leaves"
        beans.save()
    go_on(sadad_clock)
    assert len(sadad.calls("Product/insert")) == 1
    assert_same_on_both_sides(sadad)


def test_a_product_moved_to_another_category_is_found_in_the_old_one(
    sadad: Sadad, coffee: Category, sadad_clock: Shift
) -> None:
    beans = product(coffee)
    lose(sadad, "Product/insert")
    beans.category = Category.objects.create(name="Tea")
    beans.save()
    go_on(sadad_clock)
    assert len(sadad.calls("Product/insert")) == 1
    assert_same_on_both_sides(sadad)


def test_a_moved_product_that_is_nowhere_is_sent_to_its_new_category(
    sadad: Sadad, coffee: Category, sadad_clock: Shift
) -> None:
    beans = product(coffee)
    lose(sadad, "Product/insert", arrived=False)
    beans.category = Category.objects.create(name="Tea")
    beans.save()
    go_on(sadad_clock)
    assert (len(at_sadad(sadad, "Product")), waiting()) == (1, [])
    assert_same_on_both_sides(sadad)


def test_a_product_of_a_category_that_the_panel_has_renamed_is_left_to_a_person(
    sadad: Sadad, coffee: Category, sadad_clock: Shift
) -> None:
    """Sadad's list tells a category by its name of today: not to be found under ours proves nothing."""
    push.run()
    product(coffee)
    lose(sadad, "Product/insert")
    row = ProductCategory.objects.get()
    gateway.client_of(row).product_categories.update({"id": row.sadad_id, "name_en": "Hot drinks"})
    go_on(sadad_clock)
    assert len(sadad.calls("Product/insert")) == 1
    assert waiting() == ["mirror_unknown"]
    assert fresh(ProductRow.objects.get()).state == "unknown"


def test_a_namesake_that_another_row_holds_is_not_taken_for_it(
    sadad: Sadad, coffee: Category, sadad_clock: Shift
) -> None:
    product(Category.objects.create(name="Tea"))
    push.run()
    product(coffee)
    lose(sadad, "Product/insert", arrived=False)
    go_on(sadad_clock)
    assert (len(at_sadad(sadad, "Product")), waiting()) == (2, [])
    assert_same_on_both_sides(sadad)


def test_a_link_with_another_title_is_found(sadad: Sadad, sadad_clock: Shift) -> None:
    row = mirroring.create(PaymentLinkDraft(title="Gift", amount=5))
    lose(sadad, "PaymentLink/insert")
    mirroring.change(row, PaymentLinkDraft(title="Present", amount=5))
    go_on(sadad_clock)
    assert [one["title"] for one in at_sadad(sadad, "PaymentLink").values()] == ["Present"]
    assert states(PaymentLink) == ["synced"]


def test_a_pull_that_comes_first_takes_no_second_row_for_it(
    sadad: Sadad, coffee: Category, sadad_clock: Shift
) -> None:
    lose(sadad, "ProductCategory/insert")
    coffee.name = "Tea"
    coffee.save()
    sadad_clock(LATER)
    pull.run(resources=["product_categories"])
    go_on(sadad_clock)
    assert ProductCategory.objects.count() == 1
    assert len(sadad.calls("ProductCategory/insert")) == 1
    assert_same_on_both_sides(sadad)


def test_what_has_no_doubt_is_not_remembered(sadad: Sadad, coffee: Category) -> None:
    beans = product(coffee)
    push.run()
    Product.objects.filter(pk=beans.pk).update(note="x")
    coffee.name = "Tea"
    coffee.save()
    push.run()
    assert {row.sent_key for row in (*ProductCategory.objects.all(), *ProductRow.objects.all())} == {""}
