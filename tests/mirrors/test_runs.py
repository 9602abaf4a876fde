"""A run beside other runs, long lists, rows that nobody can look at, and what others still need."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Q

from django_sadadpay import CategoryDraft, ProductDraft, conf, mirror, texts
from django_sadadpay.models import Attention, Customer, Mark, Mirror, ProductCategory, SubscriptionTemplate
from django_sadadpay.models import Product as ProductRow
from django_sadadpay.services import (
    clock,
    deciding,
    due,
    finding,
    gateway,
    kinds,
    mirroring,
    needing,
    push,
    pushing,
    slots,
    transactions,
)
from django_sadadpay.services.errors import TryAgain
from django_sadadpay.testing.gateway import Sadad
from tests.core.racing import race
from tests.mirrors.conftest import at_sadad, fresh, product, states, waiting
from tests.shop.models import Category, Client, Product

pytestmark = [pytest.mark.django_db(transaction=True)]
LATER, DAY = 61.0, 86_400.0


def many(number: int) -> None:
    Client.objects.bulk_create([Client(number=str(one), name="Noor") for one in range(number)])
    mirror(Client.objects.all())


def account() -> conf.Account:
    return conf.current().account("default")


def concurrency(settings: Any, number: int) -> None:
    settings.SADADPAY = {**settings.SADADPAY, "PUSH_CONCURRENCY": number}


# Slots


@pytest.mark.races
def test_calls_under_way_are_bounded_over_all_runs_and_processes(
    sadad: Sadad, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    concurrency(settings, 2)
    many(24)
    together, most, lock = [0], [0], threading.Lock()
    usual = pushing.act

    def watched(*args: Any) -> Any:
        with lock:
            together[0] += 1
            most[0] = max(most[0], together[0])
        try:
            return usual(*args)
        finally:
            with lock:
                together[0] -= 1

    monkeypatch.setattr(pushing, "act", watched)
    race(push.run, threads=4)
    push.run()
    assert most[0] <= 2
    assert states(Customer) == ["synced"] * 24
    assert len(sadad.calls("Customer/insert")) == 24


def test_a_run_without_a_slot_leaves_and_calls_nobody(sadad: Sadad, settings: Any) -> None:
    concurrency(settings, 2)
    many(3)
    held = slots.take(account(), 9)
    assert len(held) == 2
    for report in (push.run(), push.rows(list(Customer.objects.all()))):
        assert (report.done, report.left) == ({}, True)
    assert sadad.calls() == []
    for slot in held:
        slot.free()
    assert push.run().done == {"inserted": 3}


def test_a_run_looks_again_for_those_who_found_no_slot(
    sadad: Sadad, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saved after the phase of its kind: the worker that the save woke has left."""
    concurrency(settings, 1)
    many(1)
    usual, turns = pushing.act, list[int]()

    def saves_meanwhile(*args: Any) -> Any:
        if not turns:
            turns.append(1)
            Category.objects.create(name="Coffee")
            Client.objects.create(number="late", name="Huda")
            reports.append(push.run())
        return usual(*args)

    reports: list[push.Report] = []
    monkeypatch.setattr(pushing, "act", saves_meanwhile)
    assert push.run().done == {"inserted": 3}
    assert (reports[0].done, reports[0].left) == ({}, True)


def test_a_slot_of_a_dead_process_runs_out(
    sadad: Sadad, settings: Any, sadad_clock: Callable[[float], None]
) -> None:
    concurrency(settings, 1)
    (dead,) = slots.take(account(), 1)
    many(1)
    assert push.run().left
    sadad_clock(181)
    assert push.run().done == {"inserted": 1}
    dead.free()  # it was not dead but slow: what is another's by now is left alone
    assert Mark.objects.filter(name="push_slot:default:sandbox:0").count() == 1


def test_a_slot_is_kept_as_long_as_its_holder_works(
    sadad: Sadad, settings: Any, monkeypatch: pytest.MonkeyPatch, sadad_clock: Callable[[float], None]
) -> None:
    concurrency(settings, 1)
    (slot,) = slots.take(account(), 1)
    before = Mark.objects.get().at or clock.now()
    assert slot.keep()
    assert Mark.objects.get().at == before
    slot._kept -= 200
    assert slot.keep()
    assert (Mark.objects.get().at or before) > before
    sadad_clock(181)
    assert len(slots.take(account(), 1)) == 1
    slot._kept -= 200
    assert not slot.keep()


def test_a_locked_database_gives_no_slot_and_no_error(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (slot,) = slots.take(account(), 1)

    def busy(_call: object) -> None:
        raise TryAgain("database_busy")

    monkeypatch.setattr(transactions, "statement", busy)
    assert slots.take(account(), 1) == []
    slot._kept -= 200
    assert not slot.keep()
    slots.note("push", clock.now())
    assert not Mark.objects.filter(name="push").exists()


def test_of_two_who_make_the_first_slot_one_has_it(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    concurrency(settings, 1)
    taken = slots.take(account(), 1)
    with monkeypatch.context() as patch:
        patch.setattr(transactions, "statement", lambda _call: 0)  # as if it were not there yet
        assert slots._take("push_slot:default:sandbox:0") is None
    assert len(taken) == 1


# Long queues and lists


def test_rows_that_a_person_asks_for_do_not_keep_those_behind_them_waiting(
    sadad: Sadad, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due, "_BATCH", 5)
    many(14)
    sadad.control.faults.add("Customer/insert", "refuse", times=6, error_key="CustomerNameRequired")
    report = push.rows(list(Customer.objects.order_by("pk")))
    assert report.failed == {"failed": 6}
    assert report.done == {"inserted": 8}


def test_what_stays_as_it_is_does_not_keep_those_behind_it_waiting(
    sadad: Sadad, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others have the first ones: they are claimed between select and claim."""
    monkeypatch.setattr(due, "_BATCH", 5)
    many(14)
    first = list(Customer.objects.order_by("next_try_at", "pk")[:6].values_list("pk", flat=True))
    monkeypatch.setattr(due, "_free", lambda _now: Q())
    Customer.objects.filter(pk__in=first).update(
        lease_holder="another", lease_until=clock.now() + push.LEASE, next_try_at=clock.now() - push.LEASE
    )
    assert push.run().done == {"inserted": 8}


def test_lost_inserts_are_looked_for_in_one_list(
    sadad: Sadad, settings: Any, sadad_clock: Callable[[float], None]
) -> None:
    concurrency(settings, 1)
    many(10)
    sadad.control.faults.add("Customer/insert", "cut_after", times=10)
    for _ in range(3):
        push.run()
    assert states(Customer) == ["unknown"] * 10
    sadad_clock(LATER)
    assert push.run().done == {"found": 10, "updated": 10}
    assert len(sadad.calls("Customer/getall")) == 1


def test_a_list_is_read_anew_for_a_call_that_was_not_over_when_it_was_read(sadad: Sadad) -> None:
    many(1)
    push.run()
    row = Customer.objects.get()
    kind, client = kinds.of(row), gateway.client_of(row)
    lists, now = finding.Lists(), clock.now()
    early = lists.listing(kind, client, now)
    assert lists.listing(kind, client, now) is early
    assert lists.listing(kind, client, clock.now() + timedelta(milliseconds=1)) is not early


# Nobody can look


@pytest.mark.parametrize(("kind", "lost"), [("Customer", "insert"), ("ProductCategory", "update")])
def test_a_look_that_never_works_asks_a_person_after_a_day_and_goes_on(
    sadad: Sadad, sadad_clock: Callable[[float], None], kind: str, lost: str
) -> None:
    row = _lost(sadad, kind, lost)
    look = "getall" if lost == "insert" else "getbyid"
    sadad.control.faults.add(f"{kind}/{look}", "error_before", status=500)
    for _ in range(5):
        sadad_clock(3600 * 5)
        push.run()
    assert waiting() == []
    sadad_clock(DAY)
    push.run()
    assert (waiting(), Attention.objects.get().params["why"]) == (["mirror_unknown"], "cannot_look")
    sadad.control.faults.clear()
    sadad_clock(DAY)
    push.run()
    assert (fresh(row).state, waiting()) == ("synced", [])


def test_a_person_can_have_a_lost_update_sent_that_nobody_can_look_at(
    sadad: Sadad, sadad_clock: Callable[[float], None]
) -> None:
    row = _lost(sadad, "ProductCategory", "update")
    sadad.control.faults.add("ProductCategory/getbyid", "error_before", status=500)
    for _ in range(2):
        sadad_clock(DAY)
        push.run()
    deciding.send_again(fresh(row))
    assert push.run().done == {"updated": 1}
    (there,) = at_sadad(sadad, "ProductCategory").values()
    assert (there["nameEn"], waiting()) == ("Tea", [])


def _lost(sadad: Sadad, kind: str, lost: str) -> Mirror:
    if kind == "Customer":
        many(1)
        sadad.control.faults.add("Customer/insert", lost and "cut_after", times=1)
        push.run()
        return Customer.objects.get()
    category = Category.objects.create(name="Coffee")
    push.run()
    category.name = "Tea"
    category.save()
    sadad.control.faults.add(f"{kind}/update", "error_before", times=1)
    push.run()
    return ProductCategory.objects.get()


# Nobody sends


def test_nobody_who_sends_is_noticed(
    sadad: Sadad, coffee: Category, sadad_clock: Callable[[float], None], client: Any, admin_user: Any
) -> None:
    assert push.is_late(clock.now()) is None
    sadad_clock(2 * 3600)
    late = push.is_late(clock.now())
    assert late is not None
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("sadadpay_doctor", stdout=out)
    assert "productcategory 1; " in out.getvalue()
    assert "minutes late" in out.getvalue()
    client.force_login(admin_user)
    assert "Nothing was sent to Sadad" in client.get("/admin/sadadpay/attention/").content.decode()
    push.run()
    assert push.is_late(clock.now()) is None
    Category.objects.create(name="Tea")
    sadad_clock(2 * 3600)
    assert push.is_late(clock.now()) == pytest.approx(timedelta(hours=2), abs=timedelta(minutes=5))


def test_with_nothing_due_nobody_is_late(sadad: Sadad, sadad_clock: Callable[[float], None]) -> None:
    sadad_clock(DAY)
    assert push.is_late(clock.now()) is None


# Needed by others


def test_what_was_moved_by_the_database_is_drafted_anew_when_its_parent_is_to_go(
    sadad: Sadad, coffee: Category
) -> None:
    """As SET_NULL, SET and ``update()`` do: no signal tells of it."""
    beans, tea = product(coffee), Category.objects.create(name="Tea")
    push.run()
    Product.objects.filter(pk=beans.pk).update(category=tea)
    coffee.delete()
    push.run()
    assert [there["nameEn"] for there in at_sadad(sadad, "ProductCategory").values()] == ["Tea"]
    (there,) = at_sadad(sadad, "Product").values()
    assert str(there["categoryId"]) == ProductCategory.objects.get(name_en="Tea").sadad_id
    assert waiting() == []


def test_what_others_really_need_asks_a_person_once_and_goes_when_they_do(sadad: Sadad) -> None:
    category = Category.objects.create(name="Coffee")
    row = mirroring.row_of(category)
    assert row is not None
    mirroring.create(ProductDraft(category=row, name_en="Beans", price=Decimal(1)))
    push.run()
    category.delete()
    for _ in range(3):
        push.run()
    assert waiting() == ["mirror_needed"]
    case = Attention.objects.get()
    assert case.params["others"] == {"product": 1}
    assert "1 × product" in texts.attention_sentence(case.code, case.params)
    mirroring.remove(ProductRow.objects.get())
    assert push.run().done == {"deleted": 2}
    assert waiting() == []


def test_what_is_wanted_again_or_needed_no_more_asks_nobody(sadad: Sadad, coffee: Category) -> None:
    row = ProductCategory.objects.get()
    transactions.run(lambda: needing._ask(ProductCategory, row.pk))
    needing._again(SubscriptionTemplate, 0)  # gone meanwhile
    assert waiting() == []


def test_what_is_needed_and_wanted_again_is_in_step_without_a_person(sadad: Sadad) -> None:
    category = mirroring.create(CategoryDraft(name_en="Tea"))
    mirroring.create(ProductDraft(category=category, name_en="Green", price=Decimal(1)))
    push.run()
    mirroring._want_absent(fresh(category))
    push.run()
    assert waiting() == ["mirror_needed"]
    mirroring.change(fresh(category), CategoryDraft(name_en="Tea"))
    push.run()
    assert (fresh(category).state, waiting()) == ("synced", [])
