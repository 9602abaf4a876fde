"""A claim is of a row as it was selected: whatever has happened to it since, old news are not sent."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from django_sadadpay import CategoryDraft, mirror, sync
from django_sadadpay.models import Customer, Mirror, ProductCategory
from django_sadadpay.services import clock, gateway, kinds, mirroring, pull, push, pushing, storing
from django_sadadpay.testing.gateway import Sadad
from tests.core.racing import race
from tests.mirrors.conftest import assert_same_on_both_sides, at_sadad, fresh, states, waiting
from tests.shop.models import Category, Client

pytestmark = [pytest.mark.django_db(transaction=True)]
#: Longer than an answer is waited for before it is looked into.
LATER = 61.0


@pytest.fixture
def noor(transactional_db: None) -> Client:
    return Client.objects.create(number="K-7", name="Noor")


def work(row: Mirror, holder: str) -> str:
    """What a worker does with one row that it has selected; empty if the claim was refused."""
    claimed = storing.claim([row], holder, push.LEASE)
    return send(claimed[0], holder) if claimed else ""


def send(row: Mirror, holder: str) -> str:
    kind = kinds.of(row)
    outcome = pushing.act(row, kind, gateway.client_of(row))
    storing.store(row, kind, holder, outcome)
    return outcome.what


def test_a_row_selected_before_its_insert_is_not_inserted_again(sadad: Sadad) -> None:
    """The insert left a field to send (only an update takes it): the row is due, and has an id."""
    mirroring.create(CategoryDraft(name_en="Coffee", inactive=False))
    stale = ProductCategory.objects.get()
    assert work(ProductCategory.objects.get(), "quick") == "inserted"
    assert work(stale, "slow") == ""
    assert push.run().done == {"updated": 1}
    assert len(at_sadad(sadad, "ProductCategory")) == 1
    assert (states(ProductCategory), waiting()) == (["synced"], [])


def test_a_row_that_pull_has_matched_since_is_not_inserted(sadad: Sadad, noor: Client) -> None:
    stale = Customer.objects.get()
    sadad.control.create_object("Customer", name="Noor Al-Sabah", ref_Number=stale.ref_number)
    pull.run(resources=["customers"])
    assert work(stale, "slow") == ""
    assert push.run().done == {"updated": 1}
    assert len(at_sadad(sadad, "Customer")) == 1


def test_a_row_whose_answer_was_lost_since_is_looked_for_also_beside_others_in_a_group(
    sadad: Sadad, sadad_clock: Callable[[float], None]
) -> None:
    Client.objects.bulk_create([Client(number="1", name="Noor"), Client(number="2", name="Huda")])
    mirror(Client.objects.all())
    one, other = Customer.objects.order_by("pk")
    sadad.control.faults.add("Customer/insert", "cut_after", times=2)
    assert work(other, "quick") == "unknown"
    group = list(Customer.objects.order_by("pk"))  # one to insert, one to look for
    assert work(one, "quick") == "unknown"
    sadad_clock(LATER * 6)
    claimed = storing.claim(group, "slow", push.LEASE, forced=True)
    assert [row.pk for row in claimed] == [other.pk]
    assert send(claimed[0], "slow") == "found"
    for _ in range(2):
        push.run()
    assert_same_on_both_sides(sadad)
    assert len(at_sadad(sadad, "Customer")) == 2


@pytest.mark.parametrize("state", ["synced", "deleted"])
def test_a_row_that_another_worker_has_done_is_refused_to_who_forces_it(
    sadad: Sadad, noor: Client, state: str
) -> None:
    if state == "deleted":
        push.run()
        noor.delete()
    stale = Customer.objects.get()
    push.run()
    assert storing.claim([stale], "slow", push.LEASE, forced=True) == []
    assert states(Customer) == [state]


@pytest.mark.races
def test_two_workers_who_have_selected_the_same_rows_send_each_once(sadad: Sadad) -> None:
    """With a field that follows each insert: a row is due twice, and may be claimed twice, but never late."""
    for number in range(12):
        mirroring.create(CategoryDraft(name_en=f"Category {number}", inactive=False))
    selected = [list(ProductCategory.objects.order_by("pk")) for _ in range(3)]
    groups = iter(selected)
    lock = threading.Lock()

    def stale_worker() -> None:
        with lock:
            rows = next(groups)
        for row in rows:
            work(row, f"{threading.get_ident()}")

    race(stale_worker, threads=3)
    push.run()
    assert len(sadad.calls("ProductCategory/insert")) == 12
    assert len(at_sadad(sadad, "ProductCategory")) == 12
    assert states(ProductCategory) == ["synced"] * 12
    assert waiting() == []


# An answer that was lost a moment ago


def ways(row: Mirror, noor: Client) -> dict[str, Callable[[], Any]]:
    def edit() -> None:
        noor.name += " Al-Sabah"
        noor.save()
        push.run()

    return {
        "push now": lambda: push.row(row),
        "sync": lambda: sync([noor]),
        "soon": lambda: push.run() if push.hurry([row]) else None,
        "save": noor.save,
        "edit": edit,
    }


@pytest.mark.parametrize("way", ["push now", "sync", "soon", "save", "edit"])
def test_nobody_can_send_again_before_the_first_call_can_be_over(
    sadad: Sadad, noor: Client, sadad_clock: Callable[[float], None], settings: Any, way: str
) -> None:
    settings.SADADPAY = {**settings.SADADPAY, "PUSH_ON_SAVE": way == "save"}
    sadad.control.faults.add("Customer/insert", "error_before", times=1)
    push.run()
    row = Customer.objects.get()
    act = ways(row, noor)[way]
    act()
    assert len(sadad.calls("Customer/insert")) == 1
    assert len(sadad.calls("Customer/getall")) == 0
    assert fresh(row).state == "unknown"
    sadad_clock(LATER)
    act()
    push.run()
    assert len(sadad.calls("Customer/insert")) == 2
    assert_same_on_both_sides(sadad)


def test_a_slow_call_is_waited_for_from_its_end(
    sadad: Sadad, noor: Client, sadad_clock: Callable[[float], None]
) -> None:
    """Claimed with others, it may have been sent a minute and a half after the claim."""
    (row,) = storing.claim([Customer.objects.get()], "slow", push.LEASE)
    sadad_clock(89)
    storing.store(row, kinds.of(row), "slow", pushing.Outcome("unknown", error="outcome_unknown"))
    row = fresh(row)
    assert clock.now() - row.sent_at < timedelta(seconds=1)
    assert push.row(row).state == "unknown"
    assert sadad.calls("Customer/getall") == []


def test_a_person_need_not_wait_for_a_later_try(sadad: Sadad, sadad_clock: Callable[[float], None]) -> None:
    Category.objects.create(name="Coffee")
    sadad.control.faults.add("ProductCategory/insert", "refuse", times=1, error_key="NameEnRequired")
    push.run()
    assert push.row(ProductCategory.objects.get()).state == "synced"
