"""What came of a call, and the case that asks a person about it, are stored together or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError

from django_sadadpay.models import (
    Attention,
    Customer,
    ProductCategory,
    ProductLink,
    ProductLinkItem,
    Subscription,
    SubscriptionPeriod,
    SubscriptionTemplate,
)
from django_sadadpay.models import Product as ProductRow
from django_sadadpay.services import attention, clock, kinds, mirroring, push, storing
from django_sadadpay.services.errors import TryAgain
from django_sadadpay.services.pushing import Outcome
from django_sadadpay.testing.gateway import Sadad
from tests.mirrors.conftest import during, fresh, pause, product, states, waiting
from tests.shop.models import Category, Client, Level

pytestmark = [pytest.mark.django_db(transaction=True)]
LATER, DEAD = 61.0, 181.0


class Killed(BaseException):
    """SIGKILL: nothing of ours runs after it."""


def killed(*_: object, **__: object) -> None:
    raise Killed


@pytest.mark.parametrize("why", ["person", "gone", "failed"])
def test_a_worker_killed_before_it_asks_has_stored_nothing_and_the_next_one_asks(
    sadad: Sadad,
    sadad_clock: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
    why: str,
) -> None:
    before = {"person": nobody_can_look, "gone": deleted_in_the_panel, "failed": refused}[why](sadad)
    sadad_clock(LATER)
    with monkeypatch.context() as patch:
        patch.setattr(attention, "ask", killed)
        with pytest.raises(Killed):
            push.run()
    assert (fresh(before).state, waiting()) == (before.state, [])
    for _ in range(2):
        sadad_clock(DEAD)
        push.run()
    assert waiting() == [{"person": "mirror_unknown", "gone": "mirror_gone", "failed": "mirror_refused"}[why]]


def nobody_can_look(sadad: Sadad) -> SubscriptionTemplate:
    sadad.control.faults.add("SubscriptionTemplate/insert", "cut_after", times=1)
    Level.objects.create(name="Gold", fee=Decimal(3))
    push.run()
    return SubscriptionTemplate.objects.get()


def deleted_in_the_panel(sadad: Sadad) -> ProductCategory:
    category = Category.objects.create(name="Coffee")
    push.run()
    sadad.control._world.objects["ProductCategory"].clear()
    category.name = "Tea"
    category.save()
    return ProductCategory.objects.get()


def refused(sadad: Sadad) -> ProductCategory:
    sadad.control.faults.add("ProductCategory/insert", "refuse", error_key="NameEnRequired")
    Category.objects.create(name="Coffee")
    return ProductCategory.objects.get()


@pytest.mark.parametrize("name", ["claim", "store"])
def test_a_database_that_stays_locked_ends_no_run(
    sadad: Sadad,
    coffee: Category,
    sadad_clock: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """A run has several threads and accounts: the others go on."""

    def busy(*_: object, **__: object) -> None:
        raise TryAgain("database_busy")

    with monkeypatch.context() as patch:
        patch.setattr(storing, name, busy)
        report = push.run()
    assert (report.done, report.left or report.failed) == ({}, True if name == "claim" else {"unknown": 1})
    sadad_clock(DEAD)
    push.run()
    assert states(ProductCategory) == ["synced"]
    assert len(sadad.calls("ProductCategory/insert")) == 1


def test_a_lock_error_while_storing_is_met_again_until_it_is_gone(
    sadad: Sadad, coffee: Category, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, locked = storing._tell, [OperationalError("database is locked")] * 3

    def tell(*args: Any) -> None:
        if locked:
            raise locked.pop()
        usual(*args)

    monkeypatch.setattr(storing, "_tell", tell)
    sadad.control.faults.add("ProductCategory/insert", "refuse", times=1, error_key="NameEnRequired")
    assert push.run().failed == {"failed": 1}
    row = ProductCategory.objects.get()
    assert (row.state, row.tries, waiting()) == ("failed", 1, ["mirror_refused"])


# When it is tried next


def test_what_cannot_be_sent_is_not_due_any_more(coffee: Category, sadad: Sadad) -> None:
    row = ProductCategory.objects.get()
    row.payload["sort"] = "first"
    row.save()
    push.run()
    row = fresh(row)
    assert (row.state, row.held, row.next_try_at, waiting()) == ("failed", "bad", None, ["mirror_bad"])
    assert push.pending(clock.now())["productcategory"] == 0


def edit(obj: Any, name: str) -> Callable[[], None]:
    def change() -> None:
        again = type(obj)._base_manager.get(pk=obj.pk)
        again.name = name
        again.save()

    return change


def test_an_edit_during_a_call_that_failed_is_not_put_off(sadad: Sadad, coffee: Category) -> None:
    """Surely nothing was done, for the sixth time: what was edited meanwhile does not wait for a day."""
    sadad.control.faults.add("ProductCategory/insert", "error_before", status=503)
    (row,) = storing.claim([ProductCategory.objects.get()], "me", push.LEASE)
    row.tries = 5
    edit(coffee, "Tea")()
    storing.store(row, kinds.of(row), "me", Outcome("later", error="unavailable"))
    assert pause(fresh(row)) <= timedelta(0)


def test_an_edit_during_a_call_whose_answer_is_lost_waits_only_for_the_look(
    sadad: Sadad, coffee: Category
) -> None:
    ProductCategory.objects.update(tries=5)
    sadad.control.faults.add("ProductCategory/insert", "cut_after", times=1)
    with during("ProductCategory/insert", edit(coffee, "Tea")):
        push.run()
    assert timedelta(0) < pause(ProductCategory.objects.get()) <= timedelta(seconds=60)


def test_a_bad_edit_during_a_call_that_was_refused_keeps_its_own_words(
    sadad: Sadad, coffee: Category
) -> None:
    sadad.control.faults.add("ProductCategory/insert", "refuse", times=1, error_key="NameEnRequired")
    with during("ProductCategory/insert", edit(coffee, "x" * 300)):
        push.run()
    row = ProductCategory.objects.get()
    assert (row.state, row.held, row.error, row.next_try_at) == ("failed", "bad", "bad_mirror", None)
    assert row.error_params["field"] == "name_en"


def test_a_case_about_what_never_was_there_is_closed_when_it_is_deleted(
    sadad: Sadad, coffee: Category
) -> None:
    sadad.control.faults.add("ProductCategory/insert", "refuse", error_key="NameEnRequired")
    push.run()
    coffee.delete()
    assert (states(ProductCategory), waiting()) == (["deleted"], [])


# Another row has the id


def claimed(row: Any) -> Any:
    (row,) = storing.claim([row], "me", push.LEASE)
    return row


def inserted(row: Any, sadad_id: str) -> None:
    storing.store(row, kinds.of(row), "me", Outcome("inserted", {"sadad_id": sadad_id}))


def pulled(model: Any, **values: Any) -> Any:
    return model.objects.create(account="default", environment="sandbox", sadad_id="7", **values)


TOUCHED: dict[str, dict[str, Any]] = {
    "edited": {"digest": "another", "state": "pending"},
    "being sent": {"sending": "update", "sent_at": datetime(2026, 1, 1, tzinfo=UTC), "state": "pending"},
    "to be deleted": {"wanted": "absent", "state": "pending"},
    "held": {"held": "gone", "state": "failed"},
    "the shop's": {"source_key": "another"},
}


@pytest.mark.parametrize("what", [*TOUCHED, "asked about"])
def test_a_row_that_somebody_has_touched_is_not_merged_away_and_a_person_decides(
    coffee: Category, what: str
) -> None:
    row = claimed(mirroring.row_of(product(coffee)))
    other = pulled(ProductRow, **{"state": "synced", **TOUCHED.get(what, {})})
    if what == "asked about":
        attention.ask(Attention.Code.MIRROR_TWICE, clock.now(), other, mirror=other, kind="product")
    before = fresh(other).__dict__
    inserted(row, "7")
    assert {**fresh(other).__dict__, "_state": 0} == {**before, "_state": 0}
    row = fresh(row)
    assert (row.state, row.sadad_id, row.next_try_at) == ("unknown", None, None)
    case = Attention.objects.get(code="mirror_unknown")
    assert (case.params["why"], case.params["theirs"]) == ("held", "7")


def test_the_schedule_that_pull_has_read_goes_over_with_its_subscription(sadad: Sadad) -> None:
    row = Subscription.objects.create(
        account="default", environment="sandbox", digest="x", next_try_at=clock.now()
    )
    other = pulled(Subscription, state="synced")
    SubscriptionPeriod.objects.create(subscription=other, number=1)
    inserted(claimed(row), "7")
    assert SubscriptionPeriod.objects.get().subscription_id == row.pk
    assert (fresh(other).state, fresh(other).error) == ("deleted", "merged")


def test_a_pulled_link_leaves_its_list_behind(sadad: Sadad) -> None:
    """Ours lists what it is to list."""
    where = {"account": "default", "environment": "sandbox"}
    row = ProductLink.objects.create(**where, digest="x", next_try_at=clock.now())
    other = pulled(ProductLink, state="synced")
    beans = ProductRow.objects.create(**where)
    for link in (row, other):
        ProductLinkItem.objects.create(link=link, product=beans)
    inserted(claimed(row), "7")
    assert [item.link_id for item in ProductLinkItem.objects.all()] == [row.pk]
    assert fresh(other).error == "merged"


def test_a_late_answer_to_what_was_held_meanwhile_keeps_the_hold(
    sadad_clock: Callable[[float], None], transactional_db: None
) -> None:
    noor = Client.objects.create(number="K-7", name="Noor")
    row = claimed(Customer.objects.get())
    sadad_clock(DEAD)
    storing.claim([fresh(row)], "another", push.LEASE)
    noor.name = ""
    noor.save()
    inserted(row, "7")
    assert (fresh(row).sadad_id, fresh(row).held) == ("7", "bad")
