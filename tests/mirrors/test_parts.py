"""Parts of plans and subscriptions: what a schedule may change of one, whatever was read when; who hears."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from django_sadadpay import AlreadyPaid, NeedsAttention, OutcomePending, TemplateDraft, signals
from django_sadadpay.models import Attention, Installment, InstallmentPlan, Invoice, Mark, Subscription
from django_sadadpay.services import (
    cases,
    clock,
    gateway,
    holding,
    mirroring,
    owners,
    plans,
    push,
    subscriptions,
    transactions,
)
from django_sadadpay.testing.gateway import Sadad
from tests.fire.racing import race, reruns, unexpected
from tests.mirrors.conftest import fresh, waiting
from tests.mirrors.recurring import Heard, World, hearing
from tests.shop.models import Client, Level, Membership, Order

pytestmark = pytest.mark.django_db(transaction=True)
CREATE = "Invoice/createinstallmentplanlinkinvoice"
READ = "InstallmentPlan/getbyid"
SCHEDULE = "Subscription/generatesubscriptionschedule"


@pytest.fixture
def world(sadad: Sadad, sadad_clock: Callable[[float], None], transactional_db: None) -> World:
    return World(sadad, sadad_clock)


@pytest.fixture
def paid() -> Iterator[Heard]:
    with hearing(signals.installment_paid, lambda **s: (s["installment"].number,)) as heard:
        yield heard


def part(plan: InstallmentPlan, number: int = 1) -> Installment:
    return plan.installments.get(number=number)


def read(world: World, **more: Any) -> InstallmentPlan:
    return plans.refresh(world.plan(**more))


def names_no_invoices(world: World) -> None:
    world.sadad.control.faults.add(READ, "reply_field", path="installments.*.invoiceId", remove=True)


def pays_on_sadads_page(world: World, plan: InstallmentPlan, number: int = 1) -> None:
    values = {"installment_plan_key": plan.sadad_key, "installment_id": part(plan, number).sadad_id}
    world.sadad.control.pay(gateway.client_of(plan).invoices.create_installment_plan_link_invoice(values))


# Which invoice is a part's


def test_schedule_that_names_no_invoice_takes_none_away(world: World, paid: Heard) -> None:
    plan = read(world)
    names_no_invoices(world)
    invoice = plans.pay(plan, part(plan))
    plans.refresh(plan)
    assert part(plan).invoice == invoice
    world.sadad.pay(invoice)
    world.sadad.deliver()
    world.days(1.1)
    world.run()

    assert (paid.said, waiting(), plans.left(plan).ours) == ([(1,)], [], Decimal("6.000"))
    with pytest.raises(AlreadyPaid):
        plans.pay(plan, part(plan))
    assert len(world.sadad.calls(CREATE)) == 1


def test_plan_that_was_read_before_the_invoice_was_made_takes_none_away(
    world: World, paid: Heard, monkeypatch: Any
) -> None:
    plan, store = read(world), plans._store
    early: list[Any] = []

    def late(*read: Any) -> InstallmentPlan:
        early.append(read)
        return plan

    with monkeypatch.context() as slow:
        slow.setattr(plans, "_store", late)
        plans.refresh(plan)
    invoice = plans.pay(plan, part(plan))
    transactions.run(partial(store, *early[0]))

    assert part(plan).invoice == invoice
    world.sadad.pay(invoice)
    world.sadad.deliver()
    assert paid.said == [(1,)]


def test_answer_is_kept_though_nothing_can_be_read_after_it_and_the_schedule_is_silent(world: World) -> None:
    plan = read(world)
    names_no_invoices(world)
    world.sadad.control.faults.add("Invoice/getbyid", "error_before", times=9)
    with pytest.raises(OutcomePending):
        plans.pay(plan, part(plan))
    world.sadad.control.faults.clear()
    names_no_invoices(world)

    assert [plans.pay(plan, part(plan)).sadad_id] == world.bills()
    assert (len(world.sadad.calls(CREATE)), waiting()) == (1, [])


def test_late_answer_about_a_part_that_is_known_or_paid_changes_nothing(world: World, paid: Heard) -> None:
    plan = read(world)
    invoice = plans.pay(plan, part(plan))
    learn = partial(plans._learn, part(plan).pk)
    transactions.run(partial(learn, invoice.sadad_id or ""))
    world.sadad.pay(invoice)
    world.sadad.deliver()
    transactions.run(partial(learn, "77"))

    assert (part(plan).invoice, part(plan).sadad_invoice_id) == (invoice, invoice.sadad_id)
    assert (paid.said, waiting()) == ([(1,)], [])


def test_another_invoice_for_a_part_that_can_be_paid_asks_a_person_until_both_agree(
    world: World, paid: Heard
) -> None:
    plan = read(world, is_flexible=True)
    invoice = plans.pay(plan, part(plan))
    with world.says(READ, "installments.0.invoiceId", 77):
        plans.refresh(plan)
        assert (part(plan).invoice, waiting()) == (invoice, ["bill_differs"])
        assert Attention.objects.get().params["theirs"] == "77"
    plans.refresh(plan)

    assert (part(plan).sadad_invoice_id, waiting()) == (invoice.sadad_id, [])


def test_schedule_that_lags_behind_does_not_bring_an_ended_invoice_back(world: World) -> None:
    plan = read(world)
    old = plans.pay(plan, part(plan))
    world.sadad.control.expire(old.sadad_id)
    with world.says(READ, "installments.0.invoiceId", int(old.sadad_id or 0)):
        new = plans.pay(plan, part(plan))
        plans.follow(plan)

    assert (part(plan).invoice, waiting()) == (new, [])
    assert new != old


def test_payment_of_an_invoice_that_had_ended_and_was_replaced_asks_a_person(
    world: World, paid: Heard
) -> None:
    """Nothing tells which part it was for; that money is heard of all the same."""
    plan = read(world)
    old = plans.pay(plan, part(plan))
    world.sadad.control.expire(old.sadad_id)
    new = plans.pay(plan, part(plan))
    world.sadad.control.pay(old.sadad_id, force=True)
    world.sadad.deliver()

    assert (fresh(old).is_paid, paid.said, part(plan).invoice) == (True, [], new)
    assert waiting() == ["bill_differs"]
    assert Attention.objects.get().invoice == old


def test_payment_of_an_ended_invoice_counts_though_sadad_names_a_newer_one(world: World, paid: Heard) -> None:
    plan = read(world)
    old = plans.pay(plan, part(plan))
    world.sadad.control.expire(old.sadad_id)
    world.sadad.deliver()
    plans.follow(plan)
    Invoice.objects.filter(pk=old.pk).update(state="expired")
    with world.says(READ, "installments.0.invoiceId", 77):
        plans.refresh(plan)
    assert part(plan).sadad_invoice_id == "77"
    world.sadad.control.pay(old.sadad_id, force=True)
    world.sadad.deliver()

    assert (paid.said, part(plan).invoice) == ([(1,)], old)


def test_period_takes_a_new_bill_once_the_old_one_was_cancelled(world: World) -> None:
    row = world.subscription()
    world.run()
    old = world.invoice(row)
    Invoice.objects.filter(pk=old.pk).update(state="cancelled", sadad_id="77", open_slot=None)
    subscriptions.follow(row)

    assert (world.invoice(row) != old, world.invoice(row).sadad_id, waiting()) == (True, world.bills()[0], [])


def test_part_that_is_no_more_counts_for_nothing(world: World) -> None:
    plan = read(world)
    plan.installments.create(number=9, amount="3.000", sadad_id="99")
    plans.refresh(plan)
    assert part(plan, 9).amount is None

    assert plans.pay(plan, part(plan)).amount == Decimal("3.000")


# When plans are looked at


def test_payment_is_found_though_the_plan_was_read_before_any_run(world: World, paid: Heard) -> None:
    """And no webhook ever comes."""
    plan = read(world)
    pays_on_sadads_page(world, plan)
    world.run()

    assert paid.said == [(1,)]


def test_plan_that_was_over_when_it_was_first_read_is_told_of(world: World, paid: Heard) -> None:
    plan = read(world, is_flexible=True)
    for number in (1, 2, 3):
        pays_on_sadads_page(world, plan, number)
    assert plans.refresh(plan).status == "Completed"
    world.run()
    world.run()

    assert paid.said == [(1,), (2,), (3,)]
    assert plans.arm() == 0


def test_plan_that_goes_on_after_it_was_over_is_looked_at_again(world: World) -> None:
    plan = read(world)
    with world.says(READ, "status", "Closed"):
        plans.follow(plan)
        assert plans.arm() == 0
    plans.refresh(plan)

    assert plans.arm() == 1
    assert fresh(plan).next_check_at <= clock.now()


# What a person has dealt with


def test_dismissal_licenses_one_more_call_and_not_every_later_one(world: World, admin_user: Any) -> None:
    plan = read(world)
    names_no_invoices(world)
    for fault in ("cut_before", "cut_after"):
        world.sadad.control.faults.add(CREATE, fault, times=1)
        with pytest.raises(OutcomePending):
            plans.pay(plan, part(plan))
        world.later(300)
        for _ in range(2):
            with pytest.raises(OutcomePending):
                plans.pay(plan, part(plan))
        assert waiting() == ["bill_unknown"]
        if fault == "cut_before":
            cases.act(Attention.objects.get(resolved_at=None), "dismiss", by=admin_user)

    assert len(world.sadad.calls(CREATE)) == 2


def test_lost_answer_is_no_case_any_more_once_its_invoice_is_known(world: World, paid: Heard) -> None:
    plan = read(world)
    names_no_invoices(world)
    world.sadad.control.faults.add(CREATE, "cut_after", times=1)
    with pytest.raises(OutcomePending):
        plans.pay(plan, part(plan))
    world.later(300)
    with pytest.raises(OutcomePending):
        plans.pay(plan, part(plan))
    world.sadad.control.faults.clear()
    world.sadad.control.pay(world.bills()[0])
    world.sadad.deliver()

    assert (paid.said, waiting()) == ([(1,)], [])


def test_one_lost_answer_does_not_hold_the_other_parts(world: World) -> None:
    plan = read(world, is_flexible=True)
    names_no_invoices(world)
    for number in (1, 2):
        world.sadad.control.faults.add(CREATE, "cut_before", times=1)
        with pytest.raises(OutcomePending):
            plans.pay(plan, part(plan, number))
    world.later(300)
    for number in (1, 2):
        with pytest.raises(OutcomePending):
            plans.pay(plan, part(plan, number))

    assert waiting() == ["bill_unknown", "bill_unknown"]
    assert plans.pay(plan, part(plan, 3)).amount == Decimal("3.000")


def test_plan_that_is_gone_a_second_time_is_a_second_case(world: World, admin_user: Any) -> None:
    plan = world.plan()
    known = plan.sadad_id

    def look(sadad_id: str | None) -> list[str]:
        InstallmentPlan.objects.filter(pk=plan.pk).update(sadad_id=sadad_id)
        world.days(1.1)
        world.run()
        return waiting()

    assert look("999") == ["mirror_gone"]
    assert look(known) == []
    assert look("999") == ["mirror_gone"]
    cases.act(Attention.objects.get(resolved_at=None), "dismiss", by=admin_user)
    assert look("999") == []
    assert look(known) == []
    assert look("999") == ["mirror_gone"]


def test_plan_that_push_found_gone_stays_a_case_though_it_can_be_read(world: World) -> None:
    plan = world.plan()
    InstallmentPlan.objects.filter(pk=plan.pk).update(state="failed", held="gone")
    transactions.run(partial(plans._gone, plan.pk))
    plans.refresh(fresh(plan))

    assert waiting() == ["mirror_gone"]


def test_dismissed_refusal_is_news_when_something_else_is_refused(world: World, admin_user: Any) -> None:
    client = Client.objects.create(number="K-7", name="Noor")
    world.sadad.control.faults.add("Customer/insert", "refuse", error_key="CustomerNameRequired")
    push.run()
    cases.act(Attention.objects.get(), "dismiss", by=admin_user)
    world.later(90000)
    push.run()
    assert waiting() == []
    client.name = "Nour"
    client.save()
    push.run()

    assert waiting() == ["mirror_refused"]


# One case for each part


def test_each_part_that_differs_is_a_case_of_its_own(world: World) -> None:
    row = world.subscription()
    faults = world.sadad.control.faults
    for place, theirs in ((0, 77), (1, 78)):
        faults.add(SCHEDULE, "reply_field", path=f"{place}.invoiceId", value=theirs)
    for _ in range(2):
        subscriptions.follow(row)
    told = [(case.params["number"], case.params["sadad_id"]) for case in Attention.objects.order_by("pk")]
    assert told == [(1, "77"), (2, "78")]
    faults.clear()
    subscriptions.follow(row)

    assert [case.params["number"] for case in Attention.objects.filter(resolved_at=None)] == [2]


def test_dismissal_about_one_part_stands_while_another_agrees(world: World, admin_user: Any) -> None:
    row = world.subscription()
    faults = world.sadad.control.faults
    faults.add(SCHEDULE, "reply_field", path="0.invoiceId", value=77, times=1)
    faults.add(SCHEDULE, "reply_field", path="1.invoiceId", value=78)
    subscriptions.follow(row)
    cases.act(Attention.objects.get(params__number=2), "dismiss", by=admin_user)
    for _ in range(2):
        subscriptions.follow(row)

    assert (world.invoice(row).sadad_id, waiting()) == (world.bills()[0], [])


# What a bill must ask for


def test_bill_in_another_currency_is_not_counted(world: World) -> None:
    world.subscription()
    with world.says("Invoice/getbyid", "currency_Code", "USD"):
        world.run()

    assert (waiting(), Invoice.objects.count()) == (["bill_differs"], 0)
    assert Attention.objects.get().params["what"] == "currency"


def test_schedule_that_is_not_the_plans_amount_bills_nothing(world: World, paid: Heard) -> None:
    """Its parts and their invoices agree with each other: it is another plan than the one that was wanted."""
    plan = read(world)
    with world.says(READ, "installments.0.amount", 4), pytest.raises(NeedsAttention):
        plans.pay(plan, part(plan))

    assert (part(plan).invoice, waiting()) == (None, ["bill_differs"])
    params = Attention.objects.get().params
    assert (params["what"], params["ours"], params["theirs"]) == ("amount", "9.000", "10.000")


def test_plan_whose_amount_is_not_known_here_is_billed_by_its_schedule(world: World) -> None:
    plan = read(world)
    InstallmentPlan.objects.filter(pk=plan.pk).update(amount=None)

    assert plans.pay(fresh(plan), part(plan)).amount == Decimal("3.000")


def test_instalment_without_an_amount_asks_a_person(world: World) -> None:
    plan = read(world)
    with world.says(READ, "installments.0.amount", None), pytest.raises(NeedsAttention):
        plans.pay(plan, part(plan))

    assert waiting() == ["bill_differs"]


def test_old_price_goes_on_counting_for_those_who_paid_it(world: World) -> None:
    """A new price here may not count at Sadad for those who subscribed before."""
    row = world.subscription()
    world.sadad.control.pay(world.bills()[0])
    world.run()
    template = row.template
    assert template is not None
    mirroring.change(template, TemplateDraft(name_en="Magazine", amount="6.000", bill_period="Weekly"))
    with (
        world.says(SCHEDULE, "1.amount", 5),
        hearing(signals.subscription_renewed, lambda **s: (s["period"].number,)) as renewed,
    ):
        world.days(7.1)
        world.sadad.control.pay(world.bills()[1])
        world.run()

    assert (renewed.said, world.invoice(row, 2).amount, waiting()) == ([(2,)], Decimal("5.000"), [])


def test_payment_whose_plan_is_not_here_any_more_wakes_nobody(transactional_db: None) -> None:
    owners.wake(Invoice(made_from="installmentplan:999"), clock.now())

    assert waiting() == []


# Locks


@pytest.mark.races
def test_name_is_held_by_one_at_a_time_and_leaves_nothing(transactional_db: None) -> None:
    order = Order.objects.create(number="A-1", amount=0)

    def add() -> None:
        with holding.held("telling:test:1"):
            amount = Order.objects.get(pk=order.pk).amount
            Order.objects.filter(pk=order.pk).update(amount=amount + 1)

    def adds() -> None:
        for _ in range(5):
            transactions.run(add)

    assert unexpected(race(*[adds] * 6)) == []
    assert fresh(order).amount == 30
    assert not Mark.objects.filter(name__startswith="telling").exists()


@pytest.mark.races
@pytest.mark.skipif(connection.vendor == "sqlite", reason="one lock for the whole database: no circle")
def test_shops_request_never_loses_its_locks_to_the_telling(world: World) -> None:
    """A request has saved its object and goes on to mark it; the receiver saves the same object; the schedule
    is read and stored meanwhile.
    """
    level = Level.objects.create(name="Gold", fee=Decimal("3.000"))
    member = Membership.objects.create(
        level=level, client=Client.objects.create(number="K", name="Noor", phone="+96550000001")
    )
    push.run()
    row = mirroring.row_of(member)
    assert isinstance(row, Subscription)
    world.run()
    world.sadad.control.pay(world.bills()[0])
    saved, told, before = threading.Event(), threading.Event(), reruns()

    def receives(**_: Any) -> None:
        told.set()
        assert saved.wait(30)
        Membership.objects.filter(pk=member.pk).update(level=level)
        fresh(member).save()

    def request() -> None:
        with transaction.atomic():
            Membership.objects.select_for_update().get(pk=member.pk)
            saved.set()
            assert told.wait(30)
            fresh(member).save()

    def reads() -> None:
        assert told.wait(30)
        with world.says(SCHEDULE, "0.status", "Paid"):
            subscriptions.refresh(row)

    signals.subscription_renewed.connect(receives)
    try:
        results = race(lambda: subscriptions.check(row.pk), request, reads)
    finally:
        signals.subscription_renewed.disconnect(receives)

    assert [unexpected(results), [r for r in results if isinstance(r, Exception)], reruns() - before] == [
        [],
        [],
        0,
    ]
    assert row.periods.get(number=1).told == "renewed"
