"""Push brings Sadad in step: inserts, updates and deletes what is due, parents first, each row on its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from django_sadadpay import CategoryDraft, InsideTransaction, PlanDraft, ProductDraft, mirror, sync
from django_sadadpay.models import (
    Attention,
    Customer,
    InstallmentPlan,
    Mark,
    PaymentLink,
    ProductCategory,
    ProductLink,
    Subscription,
    SubscriptionLink,
)
from django_sadadpay.models import Product as ProductRow
from django_sadadpay.registry import Customer as Payer
from django_sadadpay.registry import PaymentLinkDraft, SubscriptionLinkDraft, TemplateDraft
from django_sadadpay.services import clock, mirroring, push, pushing
from django_sadadpay.testing.gateway import Sadad
from tests.mirrors.conftest import assert_same_on_both_sides, at_sadad, fresh, pause, product, states, waiting
from tests.shop.models import Category, Choice, Client, Level, Membership, Product

pytestmark = pytest.mark.django_db(transaction=True)


def calls(sadad: Sadad) -> list[str]:
    """Calls that change something, in order."""
    return [name for name in sadad.calls() if name.rpartition("/")[2] in ("insert", "update", "delete")]


def furnish() -> Category:
    """One of everything."""
    category = Category.objects.create(name="Coffee")
    beans = [product(category, f"Bean {number}", price=f"{number}.250", stock=number) for number in range(3)]
    Choice.objects.create(title="Pick").products.set(beans[:2])
    mirror(Choice.objects.all())
    noor = Client.objects.create(number="K-7", name="Noor", phone="+96550000001", email="noor@example.com")
    level = Level.objects.create(name="Gold", fee=Decimal(3))
    Membership.objects.create(level=level, client=noor)
    Membership.objects.create(level=level)
    return category


def test_everything_reaches_sadad_parents_before_children(sadad: Sadad) -> None:
    furnish()
    report = push.run()
    # A new link is active in any case: whether it is to be so is said by an update.
    assert report.done == {"inserted": 9, "updated": 1}
    assert (report.failed, report.left, report.resting) == ({}, False, set())
    assert report.calls == len(sadad.calls())
    order = calls(sadad)
    assert order.index("ProductCategory/insert") < order.index("Product/insert")
    assert order.index("Product/insert") < order.index("ProductLink/insert")
    assert order.index("SubscriptionTemplate/insert") < order.index("Subscription/insert")
    assert order.index("Customer/insert") < order.index("Subscription/insert")
    assert_same_on_both_sides(sadad)
    row = ProductRow.objects.first()
    assert row is not None
    assert (row.state, row.error, row.tries, row.sending, row.next_try_at) == ("synced", "", 0, "", None)
    assert (row.pushed_digest, row.lease_holder) == (row.digest, "")
    assert row.synced_at is not None


def test_a_second_run_calls_nobody(sadad: Sadad) -> None:
    furnish()
    push.run()
    sadad.control.clear_log()
    assert push.run().done == {}
    assert sadad.calls() == []


def test_edits_and_deletes_follow(sadad: Sadad) -> None:
    category = furnish()
    push.run()
    Product.objects.get(name="Bean 0").delete()
    beans = Product.objects.get(name="Bean 1")
    beans.price, beans.name_ar = Decimal("7.500"), "بن"
    beans.save()
    category.name = "Fine coffee"
    category.save()
    Membership.objects.filter(client=None).get().delete()
    product(category, "New bean")
    report = push.run()
    assert report.done == {"inserted": 1, "updated": 3, "deleted": 2}
    assert_same_on_both_sides(sadad)
    assert states(ProductRow) == ["deleted", "synced", "synced", "synced"]
    assert ProductRow.objects.filter(sadad_id=None).count() == 1


def test_children_go_before_their_parents(sadad: Sadad) -> None:
    category = furnish()
    push.run()
    sadad.control.clear_log()
    Choice.objects.all().delete()
    category.delete()
    assert push.run().failed == {}
    assert calls(sadad) == ["ProductLink/delete", *["Product/delete"] * 3, "ProductCategory/delete"]
    assert_same_on_both_sides(sadad)


def test_a_parent_that_is_still_needed_waits_without_a_call(sadad: Sadad) -> None:
    category = mirroring.create(CategoryDraft(name_en="Tea"))
    mirroring.create(ProductDraft(category=category, name_en="Green"))
    push.run()
    sadad.control.clear_log()
    mirroring._want_absent(fresh(category))
    assert push.run().done == {}
    assert sadad.calls() == []
    mirroring.remove(ProductRow.objects.get())
    assert push.run().done == {"deleted": 2}


def test_a_field_that_is_emptied_is_emptied_at_sadad(sadad: Sadad, coffee: Category) -> None:
    beans = product(coffee, name_ar="بن")
    push.run()
    beans.name_ar = ""
    beans.save()
    push.run()
    assert [row["nameAr"] for row in at_sadad(sadad, "Product").values()] == [""]


def test_what_only_an_update_takes_follows_the_insert(sadad: Sadad) -> None:
    row = mirroring.create(CategoryDraft(name_en="Tea", inactive=True))
    assert push.run().done == {"inserted": 1, "updated": 1}
    assert at_sadad(sadad, "ProductCategory")[fresh(row).sadad_id]["inActive"] is True
    assert fresh(row).state == "synced"


def test_what_was_changed_and_changed_back_is_not_sent(sadad: Sadad, coffee: Category) -> None:
    push.run()
    ProductCategory.objects.update(state="pending", next_try_at=clock.now())
    sadad.control.clear_log()
    assert push.run().done == {"unchanged": 1}
    assert sadad.calls() == []


@pytest.mark.parametrize(("form", "keyed"), [("object", True), ("id", False), ("text", False)])
def test_the_key_of_a_page_is_known_whatever_an_insert_answers(sadad: Sadad, form: str, keyed: bool) -> None:
    sadad.control.settings(insert_reply=form)
    template = mirroring.create(TemplateDraft(name_en="Gold", amount=3, bill_period="Monthly"))
    link = mirroring.create(PaymentLinkDraft(title="Gift", amount=5))
    join = mirroring.create(SubscriptionLinkDraft(template=template, name_en="Join"))
    plan = mirroring.create(
        PlanDraft(
            customer=Payer("Noor"),
            amount=30,
            installment_count=3,
            start_date="2030-01-01",
            pay_per="Monthly",
            reference="P-1",
        )
    )
    assert push.run().done == {"inserted": 4}
    for row, folder in ((link, "PaymentLink"), (join, "SubscriptionLink"), (plan, "InstallmentPlan")):
        theirs = at_sadad(sadad, folder)[fresh(row).sadad_id]
        assert fresh(row).sadad_key == str(theirs["key"])
        assert bool(fresh(row).reply) is not keyed


def test_a_page_whose_key_cannot_be_read_is_in_step_all_the_same(sadad: Sadad) -> None:
    sadad.control.settings(insert_reply="id")
    sadad.control.faults.add("PaymentLink/getall", "error_before", status=500)
    link = mirroring.create(PaymentLinkDraft(title="Gift", amount=5))
    push.run()
    assert (fresh(link).state, fresh(link).sadad_key) == ("synced", "")


# Failures


def test_a_refusal_is_kept_with_sadads_word_and_never_blocks_others(sadad: Sadad, coffee: Category) -> None:
    sadad.control.faults.add("Product/insert", "refuse", times=1, error_key="NameEnRequired")
    for number in range(3):
        product(coffee, f"Bean {number}")
    report = push.run()
    assert (report.done, report.failed) == ({"inserted": 3}, {"failed": 1})
    assert sorted(states(ProductRow)) == ["failed", "synced", "synced"]
    row = ProductRow.objects.get(state="failed")
    assert (row.error, row.tries, row.sending) == ("NameEnRequired", 1, "")
    assert timedelta(seconds=50) < pause(row) < timedelta(seconds=70)
    assert waiting() == ["mirror_refused"]


def test_a_failed_row_is_tried_again_later_and_later(
    sadad: Sadad, coffee: Category, sadad_clock: Callable[[float], None]
) -> None:
    sadad.control.faults.add("ProductCategory/insert", "refuse", error_key="NameEnRequired")
    pauses = []
    for _ in range(4):
        push.run()
        row = ProductCategory.objects.get()
        pauses.append(round(pause(row).total_seconds() / 60))
        assert push.run().failed == {}
        sadad_clock(pauses[-1] * 60 + 1)
    assert pauses == [1, 5, 15, 60]
    sadad.control.faults.clear()
    push.run()
    assert (ProductCategory.objects.get().state, waiting()) == ("synced", [])
    assert Attention.objects.get().resolution == "inserted"


def test_an_edit_is_tried_at_once_whatever_failed_before(sadad: Sadad, coffee: Category) -> None:
    sadad.control.faults.add("ProductCategory/insert", "refuse", times=1, error_key="NameEnRequired")
    push.run()
    coffee.name = "Tea"
    coffee.save()
    push.run()
    assert states(ProductCategory) == ["synced"]
    assert waiting() == []


def test_children_of_a_parent_that_failed_wait(sadad: Sadad, coffee: Category) -> None:
    product(coffee)
    sadad.control.faults.add("ProductCategory/insert", "refuse", times=1, error_key="NameEnRequired")
    push.run()
    assert (states(ProductRow), ProductRow.objects.get().tries) == (["pending"], 0)
    push.row(ProductCategory.objects.get())
    assert push.run().done == {"inserted": 1}


@pytest.mark.parametrize("kind", ["cut_before", "error_before"])
def test_a_read_that_fails_stops_nothing(sadad: Sadad, kind: str) -> None:
    sadad.control.faults.add("Product/getall", kind)
    assert push.run().failed == {}


def test_a_deletion_that_is_refused_says_why(sadad: Sadad, coffee: Category) -> None:
    push.run()
    sadad.control.create_object("Product", categoryId=1, nameEn="Made in the panel")
    coffee.delete()
    assert push.run().failed == {"failed": 1}
    row = ProductCategory.objects.get()
    assert (row.state, row.error, row.wanted) == ("failed", "ProductCategoryCannotBeDeleted", "absent")


def test_what_is_gone_at_sadad_already_is_deleted(sadad: Sadad, coffee: Category) -> None:
    push.run()
    with sadad.emulator.control._world.transaction():
        sadad.emulator.control._world.objects["ProductCategory"].clear()
    coffee.delete()
    assert push.run().done == {"deleted": 1}


def test_what_was_deleted_in_the_panel_asks_a_person_before_it_is_made_anew(
    sadad: Sadad, coffee: Category
) -> None:
    push.run()
    with sadad.emulator.control._world.transaction():
        sadad.emulator.control._world.objects["ProductCategory"].clear()
    coffee.name = "Tea"
    coffee.save()
    assert push.run().failed == {"gone": 1}
    row = ProductCategory.objects.get()
    assert (row.state, row.error, row.next_try_at) == ("failed", "mirror_gone", None)
    assert waiting() == ["mirror_gone"]


def test_a_value_that_cannot_be_sent_names_its_field(sadad: Sadad, coffee: Category) -> None:
    row = ProductCategory.objects.get()
    row.payload["sort"] = "first"
    row.save()
    assert push.run().failed == {"failed": 1}
    row = fresh(row)
    assert (row.error, row.error_params["field"], row.state) == ("bad_mirror", "sort", "failed")
    assert push.run().failed == {}
    assert push.row(row).error == "bad_mirror"
    assert sadad.calls("ProductCategory/insert") == []


def test_a_fault_in_our_program_is_kept_on_the_row(
    sadad: Sadad, coffee: Category, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("Noor")

    monkeypatch.setattr(pushing, "values_of", broken)
    assert push.run().failed == {"failed": 1}
    assert ProductCategory.objects.get().error == "program"
    monkeypatch.setattr(pushing, "act", broken)
    with caplog.at_level(logging.WARNING):
        push.row(ProductCategory.objects.get())
    row = ProductCategory.objects.get()
    assert (row.state, row.sending, row.error_params) == ("unknown", "insert", {"error": "ZeroDivisionError"})
    assert "Noor" not in caplog.text


# The account as a whole


def test_429_rests_the_account_for_as_long_as_sadad_asks(
    sadad: Sadad, coffee: Category, sadad_clock: Callable[[float], None], settings: Any
) -> None:
    settings.SADADPAY = {**settings.SADADPAY, "PUSH_CONCURRENCY": 1}
    for number in range(6):
        product(coffee, f"Bean {number}")
    sadad.control.faults.add("Product/insert", "rate_limited", times=1, retry_after=120)
    report = push.run()
    assert (report.resting, report.left) == ({"default"}, True)
    assert len(sadad.calls("Product/insert")) == 1
    assert ProductRow.objects.exclude(sending="").count() == 0
    assert ProductRow.objects.filter(tries=0, state="pending").count() == 6
    assert push.run().resting == {"default"}
    product(coffee, "Another worker's")
    assert push.run().done == {}
    sadad_clock(121)
    assert push.run().done == {"inserted": 7}
    assert Mark.objects.filter(name="push_hold:default:sandbox").exists()


def test_refused_keys_are_told_once_and_no_row_is_blamed(
    sadad: Sadad, coffee: Category, settings: Any
) -> None:
    product(coffee)
    account = {**settings.SADADPAY["ACCOUNTS"]["default"], "CLIENT_SECRET": "cs_wrong"}
    settings.SADADPAY = {**settings.SADADPAY, "ACCOUNTS": {"default": account}}
    assert push.run().failed == {"stop": 1}
    row = ProductCategory.objects.get()
    assert (row.state, row.tries, row.error, row.sending) == ("pending", 0, "", "")
    assert waiting() == ["keys_refused"]


def test_a_missing_right_is_told_and_kept(sadad: Sadad, coffee: Category) -> None:
    sadad.control.faults.add("ProductCategory/insert", "refuse", error_key="AccessPermissionDenied")
    push.run()
    assert ProductCategory.objects.get().error == "AccessPermissionDenied"
    assert waiting() == ["access_denied", "mirror_refused"]


def test_when_sadad_does_not_answer_at_all_the_run_ends_soon(sadad: Sadad, settings: Any) -> None:
    settings.SADADPAY = {**settings.SADADPAY, "PUSH_CONCURRENCY": 1}
    Client.objects.bulk_create([Client(number=str(number), name="Noor") for number in range(20)])
    mirror(Client.objects.all())
    sadad.control.faults.add("Customer/insert", "cut_after")
    report = push.run()
    assert report.resting == {"default"}
    assert len(sadad.calls("Customer/insert")) == 5
    assert Customer.objects.exclude(sending="").count() == 5


def test_a_network_that_is_away_blames_no_row_for_long(coffee: Category) -> None:
    """Port 9 answers nobody: surely nothing was sent."""
    report = push.run()
    assert report.failed == {"later": 1}
    row = ProductCategory.objects.get()
    assert (row.state, row.error, row.tries, row.sending) == ("pending", "unavailable", 1, "")


def test_a_parked_row_is_left_alone(sadad: Sadad, coffee: Category) -> None:
    ProductCategory.objects.update(environment="live")
    assert push.run().done == {}
    assert push.rows([ProductCategory.objects.get()]).done == {}
    assert sadad.calls() == []


# Entry points


def test_push_is_refused_inside_a_transaction(coffee: Category) -> None:
    ways: list[Callable[[], Any]] = [push.run, lambda: push.rows([]), lambda: sync([coffee])]
    for push_it in ways:
        with pytest.raises(InsideTransaction), transaction.atomic():
            push_it()


def test_a_limit_is_over_all_kinds_and_says_that_more_is_left(sadad: Sadad) -> None:
    furnish()
    report = push.run(limit=2)
    assert sum(report.done.values()) == 2
    assert report.left
    assert push.run(max_seconds=0).done == {}
    report = push.run(kinds=["productcategory"])
    assert {name.partition("/")[0] for name in calls(sadad)} <= {"Customer", "ProductCategory"}
    push.run(account="default")
    assert_same_on_both_sides(sadad)
    with pytest.raises(ImproperlyConfigured):
        push.run(account="nobody")


def test_a_row_is_pushed_now_when_a_person_asks(sadad: Sadad, coffee: Category) -> None:
    sadad.control.faults.add("ProductCategory/insert", "refuse", times=1, error_key="NameEnRequired")
    push.run()
    row = push.row(ProductCategory.objects.get())
    assert (row.state, row.sadad_id) == ("synced", "1")
    assert push.row(row).state == "synced"
    coffee.delete()
    assert push.row(row).state == "deleted"
    assert push.row(row).state == "deleted"
    assert len(sadad.calls("ProductCategory/delete")) == 1


def test_the_shops_objects_can_be_brought_in_step_now(sadad: Sadad, coffee: Category) -> None:
    Product.objects.bulk_create([Product(category=coffee, name=f"B{n}", price=Decimal(1)) for n in range(3)])
    report = sync([coffee, *Product.objects.all()])
    assert report.done == {"inserted": 4}
    assert sync(Product.objects.filter(hidden=True)).done == {}
    assert_same_on_both_sides(sadad)


def test_what_is_due_can_be_counted(coffee: Category) -> None:
    product(coffee)
    due = push.pending(clock.now())
    assert (due["product"], due["productcategory"], due["customer"]) == (1, 1, 0)


def test_two_accounts_each_get_their_own(sadad: Sadad, settings: Any) -> None:
    first = settings.SADADPAY["ACCOUNTS"]["default"]
    settings.SADADPAY = {**settings.SADADPAY, "ACCOUNTS": {"default": first, "second": {**first}}}
    Client.objects.create(number="1", name="Noor")
    Client.objects.create(number="2", name="Huda", account="second")
    assert push.run(account="second").done == {"inserted": 1}
    assert list(Customer.objects.order_by("account").values_list("account", "state")) == [
        ("default", "pending"),
        ("second", "synced"),
    ]
    assert push.run().done == {"inserted": 1}


def test_with_a_setting_the_saver_pushes_and_otherwise_not(sadad: Sadad, settings: Any) -> None:
    Category.objects.create(name="Tea")
    assert sadad.calls() == []
    settings.SADADPAY = {**settings.SADADPAY, "PUSH_ON_SAVE": True}
    with transaction.atomic():
        Category.objects.create(name="Coffee")
        assert sadad.calls() == []
    assert states(ProductCategory) == ["pending", "synced"]


def test_a_push_that_fails_is_no_error_to_who_saves(settings: Any, transactional_db: None) -> None:
    settings.SADADPAY = {**settings.SADADPAY, "PUSH_ON_SAVE": True}
    Category.objects.create(name="Coffee")
    assert ProductCategory.objects.get().error == "unavailable"


def test_the_command_says_what_it_did(sadad: Sadad, coffee: Category) -> None:
    out = StringIO()
    call_command("sadadpay_push", stdout=out)
    assert "push: inserted 1 done; nothing failed; 3 calls of Sadad" in out.getvalue()
    Product.objects.bulk_create([Product(category=coffee, name="Beans", price=Decimal(1))])
    sadad.control.faults.add("Product/insert", "refuse", error_key="NameEnRequired")
    with pytest.raises(CommandError, match="tried again later: failed 1"):
        call_command("sadadpay_push", "--all", "--resource", "product", stdout=out)
    assert "push: product: 1 changed" in out.getvalue()
    with pytest.raises(CommandError, match="nobody"):
        call_command("sadadpay_push", "--account", "nobody", stdout=out)


def test_the_task_and_reconciles_loop_push_too(sadad: Sadad, coffee: Category) -> None:
    from django_sadadpay import tasks

    assert tasks.run_push()["done"] == {"inserted": 1}
    assert "sadadpay-push" in tasks.beat_schedule()
    from django_sadadpay.management.commands.sadadpay_reconcile import Command

    product(coffee)
    out = StringIO()
    Command(stdout=out)._run({"max_calls": None, "max_seconds": None}, 1)
    assert "push: inserted 1 done" in out.getvalue()


# Costs


def test_a_row_costs_less_than_two_statements(sadad: Sadad, settings: Any) -> None:
    settings.SADADPAY = {**settings.SADADPAY, "PUSH_CONCURRENCY": 1}
    Client.objects.bulk_create([Client(number=str(number), name="Noor") for number in range(120)])
    mirror(Client.objects.all())
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert push.run().done == {"inserted": 120}
    assert len(seen) / 120 < 2


def test_the_calls_of_an_account_run_side_by_side_and_not_more_than_allowed(
    sadad: Sadad, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SADADPAY = {**settings.SADADPAY, "PUSH_CONCURRENCY": 3}
    Client.objects.bulk_create([Client(number=str(number), name="Noor") for number in range(24)])
    mirror(Client.objects.all())
    together, most, lock = [0], [0], threading.Lock()
    usual, gate, met = pushing.act, threading.Barrier(3, timeout=30), threading.local()

    def watched(*args: Any) -> Any:
        with lock:
            together[0] += 1
            most[0] = max(most[0], together[0])
        if not hasattr(met, "gate"):  # each thread's first row waits for the other threads'
            met.gate = gate.wait()
        try:
            return usual(*args)
        finally:
            with lock:
                together[0] -= 1

    monkeypatch.setattr(pushing, "act", watched)
    assert push.run().done == {"inserted": 24}
    assert most[0] == 3
    assert len(at_sadad(sadad, "Customer")) == 24


def test_nothing_of_a_customer_is_logged(sadad: Sadad, caplog: pytest.LogCaptureFixture) -> None:
    Client.objects.create(number="K-7", name="Noor", phone="+96550000001", email="noor@example.com")
    sadad.control.faults.add("Customer/insert", "refuse", error_key="CustomerNameRequired")
    with caplog.at_level(logging.DEBUG, logger="django_sadadpay"):
        push.run()
    assert "Noor" not in caplog.text
    assert "9655" not in caplog.text


def test_rows_of_kinds_without_a_source_are_pushed_too(sadad: Sadad) -> None:
    level = mirroring.create(TemplateDraft(name_en="Gold", amount=3, bill_period="Monthly"))
    mirroring.create(PaymentLinkDraft(title="Gift", is_open_amount=True, min_amount=1, max_amount=9))
    mirroring.create(SubscriptionLinkDraft(template=level, name_en="Join"))
    push.run()
    for model in (PaymentLink, SubscriptionLink):
        assert states(model) == ["synced"]
    assert {InstallmentPlan.objects.count(), ProductLink.objects.count(), Subscription.objects.count()} == {0}


def test_a_link_that_lists_nothing_any_more_is_sent(sadad: Sadad, coffee: Category) -> None:
    product(coffee)
    choice = Choice.objects.create(title="Pick")
    choice.products.set(Product.objects.all())
    mirror([choice])
    push.run()
    choice.products.clear()
    mirror([choice])
    push.run()
    assert_same_on_both_sides(sadad)
    Product.objects.get().delete()
    push.run()
    assert_same_on_both_sides(sadad)
