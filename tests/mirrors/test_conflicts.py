"""Changed here and in the panel, and ``PULL_CONFLICT`` is "ask": whatever the shop does, a person decides."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError

from django_sadadpay.models import Attention, ProductCategory
from django_sadadpay.models import Product as ProductRow
from django_sadadpay.registry import CategoryDraft, Mirrored, mirrors
from django_sadadpay.services import cases, clock, deciding, gateway, mirroring, pull, push, storing, sweeping
from django_sadadpay.services.errors import Refused
from django_sadadpay.testing.gateway import Sadad
from tests.mirrors.conftest import at_sadad, during, fresh, product, waiting
from tests.shop.models import Category, Product

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _asking(sadad: Sadad, settings: Any) -> None:
    settings.SADADPAY = {**settings.SADADPAY, "PULL_CONFLICT": "ask"}


@pytest.fixture
def beans(sadad: Sadad, coffee: Category) -> Product:
    """Here it costs 9, in the panel 2."""
    return conflict(sadad, product(coffee))


def conflict(sadad: Sadad, beans: Product) -> Product:
    push.run()
    pull.run()
    set_price(beans, "9")
    panel(sadad, price="2.000")
    pull.run(resources=["products"])
    assert waiting() == ["mirror_conflict"]
    return beans


def set_price(beans: Product, price: str) -> None:
    beans.price = Decimal(price)
    beans.save()


def panel(sadad: Sadad, **values: Any) -> None:
    """Somebody edits the product in Sadad's panel."""
    row = ProductRow.objects.get()
    (there,) = at_sadad(sadad, "Product").values()
    sent = {name: there[name] for name in ("id", "categoryId", "nameEn", "quantity", "stockable")}
    gateway.client_of(row).call("Product/update", body={**sent, **values})


def price_there(sadad: Sadad) -> Decimal:
    (there,) = at_sadad(sadad, "Product").values()
    return Decimal(str(there["price"]))


def row() -> ProductRow:
    return ProductRow.objects.get()


def mirrored() -> Mirrored[Any]:
    found = mirrors.get("product")
    assert found is not None
    return found


WAYS: dict[str, Callable[[Product], Any]] = {
    "the same save": lambda beans: beans.save(),
    "an edit": lambda beans: set_price(beans, "7"),
    "an edit back": lambda beans: set_price(beans, "1.250"),
    "push now": lambda _beans: push.row(row()),
    "push soon": lambda _beans: push.hurry([row()]),
    "sync": lambda beans: push.sync([beans]),
    "a sweep": lambda beans: sweeping.mirror_all(mirrored()),
    "a deletion": lambda beans: beans.delete(),
    "an edit that cannot be sent": lambda beans: set_price(beans, "7.1234"),
}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_but_a_decision_sends_or_takes_anything(sadad: Sadad, beans: Product, way: str) -> None:
    WAYS[way](beans)
    for _ in range(2):
        push.run()
        pull.run(resources=["products"])
    assert price_there(sadad) == 2
    assert "mirror_conflict" in waiting()
    assert (row().state, row().held, row().next_try_at, row().sadad_id) == ("failed", "conflict", None, "1")


def test_what_staff_want_waits_too(sadad: Sadad) -> None:
    category = mirroring.create(CategoryDraft(name_en="Tea", sort=1))
    push.run()
    pull.run()
    mirroring.change(category, CategoryDraft(name_en="Tea", sort=2))
    gateway.client_of(category).product_categories.update(
        {"id": fresh(category).sadad_id, "name_en": "Green tea", "sort": 1}
    )
    pull.run()
    mirroring.change(category, CategoryDraft(name_en="Black tea", sort=2))
    push.run()
    mirroring.remove(category)
    push.run()
    (there,) = at_sadad(sadad, "ProductCategory").values()
    assert there["nameEn"] == "Green tea"
    assert waiting() == ["mirror_conflict"]
    deciding.keep_ours(fresh(category))
    push.run()
    assert at_sadad(sadad, "ProductCategory") == {}
    assert waiting() == []


def test_an_edit_after_the_question_is_named_by_the_case_and_sent_once_ours_counts(
    sadad: Sadad, beans: Product
) -> None:
    beans.name = "Fine beans"
    set_price(beans, "7")
    assert Attention.objects.get(resolved_at=None).params["fields"] == "price, name_en"
    deciding.keep_ours(row())
    assert row().state == "pending"
    push.run()
    (there,) = at_sadad(sadad, "Product").values()
    assert (there["nameEn"], price_there(sadad)) == ("Fine beans", Decimal(7))
    assert waiting() == []


def test_sadads_counts_also_after_another_edit_here(sadad: Sadad, beans: Product) -> None:
    set_price(beans, "7")
    deciding.take_theirs(row())
    assert (row().price, row().state, row().held) == (2, "synced", "")
    push.run()
    assert price_there(sadad) == 2
    assert waiting() == []


def test_ours_is_sent_also_where_it_was_changed_back_to_what_was_sent_last(
    sadad: Sadad, beans: Product
) -> None:
    set_price(beans, "1.250")
    deciding.keep_ours(row())
    push.run()
    assert price_there(sadad) == Decimal("1.250")


def test_what_was_deleted_here_goes_when_ours_counts(sadad: Sadad, beans: Product) -> None:
    beans.delete()
    deciding.keep_ours(row())
    push.run()
    assert at_sadad(sadad, "Product") == {}
    assert waiting() == []


def test_what_was_deleted_here_stays_there_when_sadads_counts(sadad: Sadad, beans: Product) -> None:
    beans.delete()
    deciding.take_theirs(row())
    assert (row().state, row().wanted, row().source, row().source_key) == ("synced", "present", "", None)
    sweeping.mirror_all(mirrored())
    push.run()
    assert price_there(sadad) == 2


def test_ours_is_the_object_as_it_is_at_the_decision(sadad: Sadad, beans: Product) -> None:
    Product.objects.update(price=5)  # tells nobody
    deciding.keep_ours(row())
    push.run()
    assert price_there(sadad) == 5


def test_ours_that_cannot_be_sent_stays_with_who_can_mend_it(sadad: Sadad, beans: Product) -> None:
    set_price(beans, "7.1234")
    assert waiting() == ["mirror_conflict", "mirror_bad"]
    deciding.keep_ours(row())
    assert (row().state, row().held, waiting()) == ("failed", "bad", ["mirror_bad"])
    set_price(beans, "7")
    push.run()
    assert price_there(sadad) == 7
    assert waiting() == []


def test_a_good_edit_under_the_question_closes_what_was_asked_about_a_bad_one(beans: Product) -> None:
    set_price(beans, "7.1234")
    set_price(beans, "7")
    assert waiting() == ["mirror_conflict"]


def test_both_sides_that_agree_again_need_nobody(sadad: Sadad, beans: Product) -> None:
    panel(sadad, price="9.000")
    pull.run(resources=["products"])
    assert waiting() == []
    push.run()
    assert (row().state, row().held, price_there(sadad)) == ("synced", "", Decimal(9))


def test_a_decision_upon_what_moved_on_is_refused(beans: Product) -> None:
    seen = row()
    set_price(beans, "7")
    for decide in (deciding.keep_ours, deciding.take_theirs):
        with pytest.raises(Refused, match="no_longer_waiting"):
            decide(seen)
    assert waiting() == ["mirror_conflict"]
    deciding.keep_ours(row())
    with pytest.raises(Refused, match="no_longer_waiting"):
        deciding.take_theirs(row())


def test_a_case_whose_question_has_settled_itself_is_closed_by_who_answers_it(
    beans: Product, admin_user: Any
) -> None:
    case = Attention.objects.get(resolved_at=None)
    ProductRow.objects.update(state="synced", held="")
    with pytest.raises(Refused, match="no_longer_waiting"):
        cases.act(case, "take_theirs", by=admin_user)
    assert fresh(case).resolution == "settled by itself"


def test_a_decision_while_the_row_is_being_sent_is_refused_and_no_error(beans: Product) -> None:
    deciding.keep_ours(row())
    ProductRow.objects.update(state="failed", held="conflict")
    seen = row()
    ProductRow.objects.update(lease_holder="push", lease_until=clock.now() + push.LEASE)
    with pytest.raises(Refused, match="no_longer_waiting"):
        deciding.take_theirs(seen)


def test_what_cannot_be_sent_cannot_be_insisted_upon(coffee: Category) -> None:
    coffee.name = "x" * 300
    coffee.save()
    with pytest.raises(Refused, match="name_en: bad_mirror"):
        deciding.insist(ProductCategory.objects.get())


def test_who_decides_for_ours_wakes_a_worker(beans: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[Any] = []
    monkeypatch.setattr("django_sadadpay.services.waking._runner", woken.append)
    deciding.keep_ours(row())
    assert len(woken) == 1


def test_a_claim_leaves_what_a_pull_has_asked_about_since(sadad: Sadad, coffee: Category) -> None:
    beans = product(coffee)
    push.run()
    pull.run()
    set_price(beans, "9")
    stale = row()
    panel(sadad, price="2.000")
    pull.run(resources=["products"])
    assert storing.claim([stale], "slow", push.LEASE, forced=True) == []
    assert price_there(sadad) == 2


# Push before pull


def test_an_edit_in_the_panel_is_not_undone_by_a_push_that_comes_before_the_pull(
    sadad: Sadad, coffee: Category
) -> None:
    beans = product(coffee)
    push.run()
    pull.run()
    panel(sadad, price="2.000")
    set_price(beans, "9")
    assert push.run().failed == {"conflict": 1}
    assert price_there(sadad) == 2
    assert (waiting(), row().held) == (["mirror_conflict"], "conflict")
    assert Attention.objects.get().params["fields"] == "price"
    deciding.take_theirs(row())
    assert (row().price, row().state, waiting()) == (2, "synced", [])


def test_ours_can_count_there_too(sadad: Sadad, coffee: Category) -> None:
    beans = product(coffee)
    push.run()
    pull.run()
    panel(sadad, price="2.000")
    set_price(beans, "9")
    with during("Product/getbyid", lambda: set_price(beans, "8")):
        push.run()
    assert (row().held, price_there(sadad)) == ("conflict", Decimal(2))
    deciding.keep_ours(row())
    push.run()
    assert price_there(sadad) == 8
    assert waiting() == []


def test_an_edit_that_only_we_made_is_sent(sadad: Sadad, coffee: Category) -> None:
    beans = product(coffee)
    push.run()
    pull.run()
    set_price(beans, "9")
    assert push.run().done == {"updated": 1}
    assert price_there(sadad) == 9
    assert waiting() == []


def test_what_went_in_the_panel_before_the_push_reads_it_asks_a_person(
    sadad: Sadad, coffee: Category, monkeypatch: pytest.MonkeyPatch
) -> None:
    push.run()
    pull.run()
    sadad.control._world.objects["ProductCategory"].clear()
    coffee.name = "Tea"
    coffee.save()
    monkeypatch.setattr("django_sadadpay.services.finding.by_id", lambda *_: None)
    assert push.run().failed == {"gone": 1}
    assert waiting() == ["mirror_gone"]


# What Sadad has no more


def gone(sadad: Sadad, coffee: Category) -> ProductCategory:
    push.run()
    sadad.control._world.objects["ProductCategory"].clear()
    coffee.name = "Tea"
    coffee.save()
    assert push.run().failed == {"gone": 1}
    return ProductCategory.objects.get()


def test_what_is_gone_is_not_asked_for_again_by_saves(sadad: Sadad, coffee: Category) -> None:
    gone(sadad, coffee)
    before = len(sadad.calls())
    for name in ("Tea", "Cocoa"):
        coffee.name = name
        coffee.save()
        push.run()
    push.row(ProductCategory.objects.get())
    assert len(sadad.calls()) == before
    deciding.send_again(ProductCategory.objects.get())
    push.run()
    (there,) = at_sadad(sadad, "ProductCategory").values()
    assert (there["nameEn"], waiting()) == ("Cocoa", [])


def test_a_new_wish_for_what_is_gone_asks_again_after_the_first_was_dismissed(
    sadad: Sadad, coffee: Category, admin_user: Any
) -> None:
    gone(sadad, coffee)
    cases.act(Attention.objects.get(resolved_at=None), "dismiss", by=admin_user)
    coffee.save()
    assert waiting() == []
    coffee.name = "Cocoa"
    coffee.save()
    assert waiting() == ["mirror_gone"]


def test_what_is_gone_and_deleted_here_is_done(sadad: Sadad, coffee: Category) -> None:
    row = gone(sadad, coffee)
    coffee.delete()
    push.run()
    assert (fresh(row).state, waiting()) == ("deleted", [])


def test_a_lost_update_is_never_sent_as_new(
    sadad: Sadad, coffee: Category, sadad_clock: Callable[[float], None]
) -> None:
    """An old case about what was gone is still open."""
    row = gone(sadad, coffee)
    deciding.send_again(row)
    push.run()
    coffee.name = "Cocoa"
    coffee.save()
    sadad.control.faults.add("ProductCategory/update", "cut_after", times=1)
    push.run()
    assert fresh(row).state == "unknown"
    Attention.objects.update(resolved_at=None, open_slot="again", resolution="")
    for decide in (deciding.send_again, lambda row: deciding.adopt(row, str(row.sadad_id))):
        with pytest.raises(Refused, match="no_longer_waiting"):
            decide(fresh(row))
    sadad_clock(61)
    push.run()
    assert len(at_sadad(sadad, "ProductCategory")) == 1
    assert fresh(row).state == "synced"


# Errors


def test_an_error_of_the_database_names_nobody(
    sadad: Sadad, coffee: Category, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> dict[str, Any]:
        return {"state": "synced", "sadad_id": None, "held": "bad"}  # what a constraint refuses

    stale = ProductCategory.objects.get()
    monkeypatch.setattr(storing, "_claimed", fails)
    with pytest.raises(DatabaseError) as caught:
        storing.claim([stale], "me", push.LEASE)
    assert "DETAIL" not in str(caught.value)
    assert (caught.value.__cause__, caught.value.__suppress_context__) == (None, True)
