"""Saving and deleting the shop's objects marks their mirrors in the same transaction. Nobody is called."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import OperationalError, models, transaction

from django_sadadpay import (
    CategoryDraft,
    DraftError,
    Mirrored,
    ProductDraft,
    ProductLinkDraft,
    mirror,
    register,
)
from django_sadadpay.models import Customer, Mirror, ProductCategory, ProductLink, Subscription
from django_sadadpay.models import Product as ProductRow
from django_sadadpay.registry import PlanDraft, mirrors
from django_sadadpay.registry.mirrored import Mirrors
from django_sadadpay.services import mirroring, sweeping, transactions, waking
from django_sadadpay.services.errors import Refused, TryAgain
from tests.mirrors.conftest import fresh, product, waiting
from tests.shop.models import Category, CheapProduct, Choice, Client, Gadget, Level, Membership, Product

pytestmark = pytest.mark.django_db(transaction=True)


def row_of(obj: models.Model) -> Any:
    return mirroring.row_of(obj)


@pytest.fixture
def woken() -> Iterator[list[list[Mirror]]]:
    """What each wake-up was told of, instead of a push."""
    seen: list[list[Mirror]] = []
    before = waking._runner
    waking.connect(lambda rows: seen.append(list(rows)))
    yield seen
    waking.connect(before)


@pytest.fixture
def forgotten() -> Iterator[list[str]]:
    names: list[str] = []
    yield names
    for name in names:
        mirrors.remove(name)


# Marks


def test_a_new_object_is_due_with_its_parent(coffee: Category) -> None:
    row = row_of(product(coffee))
    assert (row.state, row.wanted, row.payload["price"]) == ("pending", "present", "1.250")
    assert row.category == row_of(coffee)
    assert row.next_try_at is not None
    assert (row.source, row.object_id) == ("product", str(Product.objects.get().pk))


def test_an_object_that_says_the_same_is_left_alone(coffee: Category) -> None:
    beans = product(coffee)
    ProductRow.objects.update(state="synced", sadad_id="5", next_try_at=None)
    beans.note = "not for Sadad"
    beans.save()
    assert row_of(beans).state == "synced"


def test_an_edit_makes_it_due(coffee: Category) -> None:
    beans = product(coffee)
    ProductRow.objects.update(
        state="synced", sadad_id="5", next_try_at=None, pushed_digest=row_of(beans).digest
    )
    beans.price = Decimal("2.000")
    beans.save()
    assert (row_of(beans).state, str(row_of(beans).price)) == ("pending", "2.000")
    beans.price = Decimal("1.250")
    beans.save()
    assert (row_of(beans).state, row_of(beans).next_try_at) == ("synced", None)


def test_a_partial_save_does_not_carry_old_values_along(coffee: Category) -> None:
    beans = product(coffee)
    stale = Product.objects.get()
    beans.name = "New name"
    beans.save()
    stale.stock = 9
    stale.save(update_fields=["stock"])
    assert (row_of(beans).name_en, row_of(beans).payload["quantity"]) == ("New name", 9)


def test_a_rolled_back_save_leaves_nothing(coffee: Category, woken: list[list[Mirror]]) -> None:
    with transaction.atomic():
        product(coffee)
        transaction.set_rollback(True)
    assert ProductRow.objects.count() == 0
    assert woken == []


def test_a_rolled_back_savepoint_takes_its_own_marks_only(
    coffee: Category, woken: list[list[Mirror]]
) -> None:
    with transaction.atomic():
        with transaction.atomic():
            product(coffee, "Gone")
            transaction.set_rollback(True)
        product(coffee, "Kept")
    assert [row.name_en for row in ProductRow.objects.all()] == ["Kept"]
    assert [[str(row) for row in rows] for rows in woken] == [["Kept"]]


def test_a_transaction_wakes_the_pusher_once(coffee: Category, woken: list[list[Mirror]]) -> None:
    with transaction.atomic():
        for number in range(5):
            product(coffee, f"Bean {number}")
        assert woken == []
    assert [len(rows) for rows in woken] == [5]


def test_a_pusher_that_cannot_be_woken_is_no_error_to_who_saves(
    coffee: Category, woken: list[list[Mirror]], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_rows: Any) -> None:
        raise ConnectionError("amqp://user:secret@broker")

    waking.connect(fail)
    assert row_of(product(coffee)).state == "pending"
    assert "ConnectionError" in caplog.text
    assert "secret" not in caplog.text


def test_without_a_pusher_the_row_waits(coffee: Category, woken: list[list[Mirror]]) -> None:
    waking.connect(None)
    assert row_of(product(coffee)).state == "pending"


def test_a_deleted_object_that_was_never_sent_needs_no_call(coffee: Category) -> None:
    product(coffee).delete()
    row = ProductRow.objects.get()
    assert (row.state, row.wanted, row.next_try_at) == ("deleted", "absent", None)


def test_a_deleted_object_is_to_be_deleted_at_sadad(coffee: Category) -> None:
    beans = product(coffee)
    ProductRow.objects.update(state="synced", sadad_id="5", next_try_at=None)
    beans.delete()
    row = ProductRow.objects.get()
    assert (row.state, row.wanted) == ("pending", "absent")
    assert row.next_try_at is not None


def test_a_deleted_category_takes_its_products_along(coffee: Category) -> None:
    product(coffee)
    coffee.delete()
    assert [row.wanted for row in (ProductRow.objects.get(), ProductCategory.objects.get())] == ["absent"] * 2


def test_an_object_that_comes_back_is_wanted_again_with_a_new_reference(transactional_db: None) -> None:
    noor = Client.objects.create(number="K-7", name="Noor")
    before = Customer.objects.get().ref_number
    pk = noor.pk
    noor.delete()
    Client.objects.create(pk=pk, number="K-7", name="Noor")
    row = Customer.objects.get()
    assert (row.state, row.wanted) == ("pending", "present")
    assert row.ref_number.startswith("K-7-")
    assert row.ref_number != before


def test_an_object_that_is_not_to_be_mirrored_any_more_goes(coffee: Category) -> None:
    beans = product(coffee)
    beans.hidden = True
    beans.save()
    assert row_of(beans).state == "deleted"
    product(coffee, hidden=True)
    assert ProductRow.objects.count() == 1


def test_signals_of_proxies_and_child_models_count(coffee: Category) -> None:
    gadget = Gadget.objects.create(category=coffee, name="Mill", price=Decimal(9), watts=60)
    assert row_of(gadget).name_en == "Mill"
    cheap = CheapProduct.objects.get()
    cheap.name = "Grinder"
    cheap.save()
    assert row_of(gadget).name_en == "Grinder"
    gadget.delete()
    assert ProductRow.objects.get().wanted == "absent"


def test_what_sends_no_signal_is_told_by_hand(coffee: Category) -> None:
    Product.objects.bulk_create([Product(category=coffee, name=f"B{n}", price=Decimal(1)) for n in range(3)])
    assert ProductRow.objects.count() == 0
    assert mirror(Product.objects.all()) == 3
    Product.objects.update(price=Decimal(2))
    assert mirror(Product.objects.all()) == 3
    assert mirror(Product.objects.all(), name="product") == 0
    assert {str(row.price) for row in ProductRow.objects.all()} == {"2.000"}


def test_a_sweep_finds_what_nobody_told(coffee: Category) -> None:
    gone, kept = product(coffee, "Gone"), product(coffee, "Kept")
    Product.objects.filter(pk=gone.pk)._raw_delete("default")  # no signal
    Product.objects.filter(pk=kept.pk).update(name="Renamed")
    found = mirrors.get("product")
    assert found is not None
    assert sweeping.mirror_all(found) == 2
    assert sweeping.mirror_all(found) == 0
    assert [(row.name_en, row.wanted) for row in ProductRow.objects.order_by("pk")] == [
        ("Gone", "absent"),
        ("Renamed", "present"),
    ]


def test_fixtures_are_left_to_the_sweep(transactional_db: None, tmp_path: Path) -> None:
    path = tmp_path / "shop.json"
    path.write_text(json.dumps([{"model": "shop.category", "pk": 7, "fields": {"name": "Tea"}}]))
    call_command("loaddata", str(path), verbosity=0)
    assert ProductCategory.objects.count() == 0
    call_command("sadadpay_push", "--all", "--limit", "1", "--resource", "product")
    assert ProductCategory.objects.get().name_en == "Tea"


def test_an_unsaved_object_is_nobody(transactional_db: None) -> None:
    assert mirror([Category(pk=99, name="Tea")]) == 0


# Parents and lists


def test_a_parent_that_was_saved_before_it_was_registered_is_marked_with_its_child(
    transactional_db: None,
) -> None:
    Category.objects.bulk_create([Category(name="Tea")])
    beans = product(Category.objects.get())
    assert row_of(beans).category.name_en == "Tea"


def test_a_link_lists_its_products_in_their_order(coffee: Category) -> None:
    two, one = product(coffee, "Two"), product(coffee, "One")
    choice = Choice.objects.create(title="Pick")
    assert ProductLink.objects.get().items.count() == 0
    choice.products.set([one, two])
    assert mirror([choice]) == 1
    assert [item.product.name_en for item in ProductLink.objects.get().items.all()] == ["Two", "One"]
    assert mirror([choice]) == 0


def test_a_deleted_product_leaves_the_links_that_listed_it(coffee: Category) -> None:
    choice = Choice.objects.create(title="Pick")
    choice.products.set([product(coffee, "One"), product(coffee, "Two")])
    mirror([choice])
    Product.objects.get(name="One").delete()
    assert [item.product.name_en for item in ProductLink.objects.get().items.all()] == ["Two"]


def test_a_subscription_has_a_mirrored_customer_or_a_named_one(transactional_db: None) -> None:
    level = Level.objects.create(name="Gold", fee=Decimal(3))
    noor = Client.objects.create(number="K-7", name="Noor")
    Membership.objects.create(level=level, client=noor)
    Membership.objects.create(level=level)
    one, other = Subscription.objects.order_by("pk")
    assert (one.customer, one.template) == (row_of(noor), row_of(level))
    assert (other.customer, other.customer_name) == (None, "A guest")


# Bad drafts


def test_a_bad_draft_is_kept_on_the_row_with_its_field(coffee: Category) -> None:
    beans = product(coffee, price="1.2505")
    row = row_of(beans)
    assert (row.state, row.error, row.error_params["field"]) == ("failed", "bad_mirror", "price")
    assert row.next_try_at is None
    assert waiting() == ["mirror_bad"]
    beans.save()
    assert waiting() == ["mirror_bad"]
    beans.price = Decimal("1.250")
    beans.save()
    assert (row_of(beans).state, row_of(beans).error, waiting()) == ("pending", "", [])


def test_a_bad_edit_leaves_what_is_at_sadad_as_it_was(coffee: Category) -> None:
    beans = product(coffee)
    ProductRow.objects.update(
        state="synced", sadad_id="5", next_try_at=None, pushed_digest=row_of(beans).digest
    )
    beans.name = "x" * 300
    beans.save()
    row = row_of(beans)
    assert (row.state, row.name_en, row.error_params["field"]) == ("failed", "Beans", "name_en")
    beans.name = "Beans"
    beans.save()
    assert (row_of(beans).state, waiting()) == ("synced", [])


def test_a_fault_in_the_shops_own_method_does_not_stop_the_save(coffee: Category) -> None:
    row = row_of(product(coffee, note="raise"))
    assert (row.error, row.error_params) == ("bad_mirror", {"field": "mirror", "problem": "RuntimeError"})


def test_a_lock_error_in_the_shops_own_method_is_the_transactions(
    coffee: Category, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(_self: object, _obj: Product) -> ProductDraft:
        raise OperationalError("database is locked")

    monkeypatch.setattr(type(mirrors.get("product")), "mirror", locked)
    with pytest.raises(OperationalError), transaction.atomic():
        product(coffee)
    monkeypatch.setattr(transactions, "TRIES", 1)
    with pytest.raises(TryAgain):  # in autocommit it is tried again before
        product(coffee)


def test_a_parent_that_is_not_mirrored_names_the_field(coffee: Category) -> None:
    hidden = product(coffee, hidden=True)
    choice = Choice.objects.create(title="Pick")
    choice.products.set([hidden])
    mirror([choice])
    assert ProductLink.objects.get().error_params == {"field": "products", "problem": "is not mirrored"}


def test_a_parent_that_staff_removed_is_wanted_again_with_its_child(coffee: Category) -> None:
    ProductCategory.objects.update(state="synced", sadad_id="5", next_try_at=None)
    mirroring.remove(ProductCategory.objects.get())
    assert row_of(product(coffee)).category.wanted == "present"


def test_a_parent_that_went_is_no_parent(coffee: Category) -> None:
    beans = product(coffee)
    ProductRow.objects.update(state="synced", sadad_id="5", next_try_at=None)
    beans.hidden = True
    beans.save()
    choice = Choice.objects.create(title="Pick")
    choice.products.set([beans])
    mirror([choice])
    assert ProductLink.objects.get().error_params == {"field": "products", "problem": "is not mirrored"}
    row = ProductCategory.objects.get()
    row.wanted = "absent"
    with pytest.raises(DraftError, match="category: is not mirrored"):
        mirroring.create(ProductDraft(category=row, name_en="Beans"))


def test_a_link_that_staff_made_keeps_a_product_that_goes(coffee: Category) -> None:
    beans = product(coffee)
    ProductRow.objects.update(state="synced", sadad_id="5", next_try_at=None)
    link = mirroring.create(ProductLinkDraft(name_en="Pick", name_ar="Pick", products=[row_of(beans)]))
    beans.delete()
    assert fresh(link).items.get().product.wanted == "absent"
    assert mirroring.needed_by(ProductRow.objects.get()) == {"product link": 1}


def test_the_shop_can_refuse_an_object_by_its_field(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: object, _obj: Client) -> None:
        raise DraftError("mobile", "is a landline")

    monkeypatch.setattr(type(mirrors.get("client")), "mirror", refuse)
    Client.objects.create(number="K-7", name="Noor")
    assert Customer.objects.get().error_params == {"field": "mobile", "problem": "is a landline"}


def test_a_parent_without_a_registered_mirror_names_the_field(transactional_db: None) -> None:
    with pytest.raises(DraftError, match="category: is not mirrored"):
        mirroring.create(ProductDraft(category=object(), name_en="Beans"))


# Accounts


@pytest.fixture
def two_accounts(settings: Any) -> Callable[..., None]:
    first = settings.SADADPAY["ACCOUNTS"]["default"]

    def use(**changes: Any) -> None:
        second = {**first, "CLIENT_KEY": "ck_second"}
        settings.SADADPAY = {
            **settings.SADADPAY,
            "ACCOUNTS": {"default": {**first, **changes}, "second": second},
        }

    use()
    return use


def test_an_object_that_moves_to_another_account_leaves_the_first(
    transactional_db: None, two_accounts: Callable[..., None]
) -> None:
    noor = Client.objects.create(number="K-7", name="Noor")
    Customer.objects.update(state="synced", sadad_id="5", next_try_at=None)
    noor.account = "second"
    noor.save()
    rows = Customer.objects.order_by("pk").values_list("account", "wanted", "state")
    assert list(rows) == [("default", "absent", "pending"), ("second", "present", "pending")]


def test_going_live_leaves_the_sandboxs_row_alone(
    transactional_db: None, two_accounts: Callable[..., None]
) -> None:
    noor = Client.objects.create(number="K-7", name="Noor")
    Customer.objects.update(state="synced", sadad_id="5", next_try_at=None)
    two_accounts(ENVIRONMENT="live", API_URL=None, PAY_URL=None)
    noor.save()
    noor.delete()
    rows = Customer.objects.order_by("pk").values_list("environment", "wanted", "state")
    assert list(rows) == [("sandbox", "present", "synced"), ("live", "absent", "deleted")]


def test_a_parent_of_another_account_is_refused(
    transactional_db: None, two_accounts: Callable[..., None]
) -> None:
    category = mirroring.create(CategoryDraft(name_en="Tea"), account="second")
    with pytest.raises(DraftError, match="category: is kept by another account"):
        mirroring.create(ProductDraft(category=category, name_en="Green"))


# Staff


def test_staff_make_change_and_remove_what_has_no_source(transactional_db: None) -> None:
    category = mirroring.create(CategoryDraft(name_en="Tea"))
    green = mirroring.create(ProductDraft(category=category, name_en="Green"))
    assert (green.state, green.source, green.source_key) == ("pending", "", None)
    green = mirroring.change(green, ProductDraft(category=category, name_en="Sencha"))
    assert str(fresh(green)) == "Sencha"
    with pytest.raises(Refused, match="needed") as refused:
        mirroring.remove(category)
    assert "1 product" in refused.value.sentence
    mirroring.create(ProductDraft(category=category, name_en="Mint"))
    assert mirroring.needed_by(category) == {"products": 2}
    for row in ProductRow.objects.all():
        mirroring.remove(row)
    mirroring.remove(category)
    mirroring.remove(fresh(category))
    assert fresh(category).state == "deleted"


def test_a_draft_of_staff_that_cannot_be_sent_stores_nothing(transactional_db: None) -> None:
    with pytest.raises(DraftError):
        mirroring.create(CategoryDraft(name_en=""))
    assert ProductCategory.objects.count() == 0


# Registration


class Plain(Mirrored[Any]):
    def mirror(self, obj: Any) -> CategoryDraft:
        return CategoryDraft(name_en="x")


def test_a_mirror_is_found_by_name_by_object_and_by_what_it_makes() -> None:
    registry = Mirrors()
    registry.add(Plain, Category, "plain")
    found = registry.get("plain")
    assert found is not None
    assert (found.name, found.model, found.draft) == ("plain", Category, CategoryDraft)
    assert registry.for_object(Category()) is found
    assert registry.for_object(Category(), CategoryDraft) is found
    assert list(registry) == [found]
    with pytest.raises(ImproperlyConfigured, match="exactly one mirror, found: none"):
        registry.for_object(Category(), ProductDraft)
    registry.remove("plain")
    registry.remove("plain")
    assert registry.get("plain") is None


def test_a_mirror_of_exactly_the_objects_model_comes_first() -> None:
    registry = Mirrors()
    registry.add(Plain, Product, "product")
    registry.add(Plain, Gadget, "gadget")
    assert registry.for_object(Gadget()).name == "gadget"
    assert registry.for_object(Product()).name == "product"


class Silent(Mirrored[Any]):
    def mirror(self, obj):  # type: ignore[no-untyped-def]  # what it makes is not said
        return None


class Said(Silent):
    draft = PlanDraft


class Written(Mirrored[Any]):
    def mirror(self, obj: Any) -> ProductDraft | None:
        return None


@pytest.mark.parametrize(
    ("cls", "model", "name", "message"),
    [
        (Silent, Category, "x", "must say what it makes"),
        (Mirrored, Category, "x", "must say what it makes"),
        (Plain, None, "x", "register it with the shop's model"),
        (Plain, Category, "", "1 to 100 characters"),
        (Plain, Category, "x" * 101, "1 to 100 characters"),
        (Plain, Category, "taken", "two mirrors are registered as 'taken'"),
    ],
)
def test_a_mirror_that_cannot_work_is_refused_at_once(cls: Any, model: Any, name: str, message: str) -> None:
    registry = Mirrors()
    registry.add(Written, Product, "taken")
    with pytest.raises(ImproperlyConfigured, match=message):
        registry.add(cls, model, name)


def test_what_a_mirror_makes_is_said_by_annotation_or_attribute() -> None:
    registry = Mirrors()
    registry.add(Said, Category, "said")
    registry.add(Written, Product, "written")
    assert [m.draft for m in registry] == [PlanDraft, ProductDraft]


def test_a_mirror_without_its_method_says_what_to_write() -> None:
    with pytest.raises(ImproperlyConfigured, match="must define mirror"):
        Mirrored[Any]().mirror(object())


def test_a_mirror_registered_late_is_followed_until_it_goes(
    transactional_db: None, forgotten: list[str]
) -> None:
    forgotten.append("shop.level")
    mirrors.remove("level")
    try:

        @register(Level)
        class LevelMirror(Mirrored[Level]):
            def mirror(self, obj: Level) -> CategoryDraft:
                return CategoryDraft(name_en=obj.name)

        Level.objects.create(name="Gold", fee=Decimal(3))
        assert [row.name_en for row in ProductCategory.objects.all()] == ["Gold"]
        mirrors.remove("shop.level")
        Level.objects.create(name="Silver", fee=Decimal(2))
        assert ProductCategory.objects.count() == 1
    finally:
        from tests.shop.sadadpay import LevelMirror as Usual

        mirrors.add(Usual, Level, "level")


def test_an_unknown_name_is_an_error(transactional_db: None) -> None:
    with pytest.raises(LookupError, match="no mirror is registered as 'nobody'"):
        mirror([Category(name="x")], name="nobody")
