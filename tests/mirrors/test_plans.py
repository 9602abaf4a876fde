"""Instalment plans: parts paid through us or on Sadad's page, each settled and told once; lost answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from django_sadadpay import AlreadyPaid, NeedsAttention, OutcomePending, Refused, TryAgain, signals
from django_sadadpay.gateway.errors import NotFound
from django_sadadpay.models import Attention, Installment, InstallmentPlan, Invoice, Mark, WebhookEvent
from django_sadadpay.services import (
    bills,
    cases,
    clock,
    gateway,
    mirroring,
    plans,
    push,
    telling,
    transactions,
)
from django_sadadpay.testing.gateway import Sadad
from tests.fire.racing import race, unexpected
from tests.mirrors.conftest import fresh, waiting
from tests.mirrors.recurring import Heard, World, hearing

pytestmark = pytest.mark.django_db(transaction=True)
CREATE = "Invoice/createinstallmentplanlinkinvoice"
READ = "InstallmentPlan/getbyid"


@pytest.fixture
def world(sadad: Sadad, sadad_clock: Callable[[float], None], transactional_db: None) -> World:
    return World(sadad, sadad_clock)


@pytest.fixture
def paid() -> Iterator[Heard]:
    what = lambda **s: (s["installment"].number, s["invoice"].amount)  # noqa: E731 - what is kept
    with hearing(signals.installment_paid, what) as heard:
        yield heard


def part(plan: InstallmentPlan, number: int = 1) -> Installment:
    return plan.installments.get(number=number)


def read(world: World, **more: Any) -> InstallmentPlan:
    """A plan at Sadad, with its parts."""
    return plans.refresh(world.plan(**more))


def test_plan_is_read_with_its_parts_and_nothing_is_made(world: World) -> None:
    plan = read(world)
    parts = list(plan.installments.values_list("number", "amount", "status"))

    assert parts == [(number, Decimal("3.000"), "Unpaid") for number in (1, 2, 3)]
    assert (plan.status, plan.remaining_amount) == ("New", Decimal("9.000"))
    assert plans.left(plan) == plans.Left(Decimal("9.000"), Decimal("9.000"))
    assert world.bills() == []


def test_part_is_paid_and_told_once(world: World, paid: Heard) -> None:
    plan = read(world)
    invoice = plans.pay(plan, part(plan))
    assert (invoice.amount, invoice.made_from) == (Decimal("3.000"), f"installmentplan:{plan.pk}")
    assert invoice.pay_url.startswith("http")
    assert plans.pay(plan, part(plan)) == invoice
    assert len(world.sadad.calls(CREATE)) == 1

    world.sadad.pay(invoice)
    world.sadad.deliver(times=2)
    world.run()
    world.days(2)
    world.run()
    plan = fresh(plan)
    assert paid.said == [(1, Decimal("3.000"))]
    assert (plan.status, plans.left(plan)) == (
        "PartiallyCompleted",
        plans.Left(Decimal("6.000"), Decimal("6.000")),
    )
    with pytest.raises(AlreadyPaid):
        plans.pay(plan, part(plan))
    assert Mark.objects.filter(name__startswith="installment:").count() == 0


def test_payment_on_sadads_own_page_is_settled_by_the_webhook_alone(world: World, paid: Heard) -> None:
    plan = world.plan()
    client = gateway.client_of(plan)
    shown = client.installment_plans.getbyid(plan.sadad_id or 0).raw["installments"][0]
    bill = client.invoices.create_installment_plan_link_invoice(
        {"installment_plan_key": plan.sadad_key, "installment_id": shown["id"]}
    )
    world.sadad.control.pay(bill)
    assert world.sadad.deliver() == [200]

    assert paid.said == [(1, Decimal("3.000"))]
    assert WebhookEvent.objects.get().state == "done"


def test_payments_are_found_without_any_webhook(world: World, paid: Heard) -> None:
    """One that we asked for, and one that was made on Sadad's own page."""
    plan = read(world, is_flexible=True)
    world.sadad.pay(plans.pay(plan, part(plan)))
    values = {"installment_plan_key": plan.sadad_key, "installment_id": part(plan, 2).sadad_id}
    bill = gateway.client_of(plan).invoices.create_installment_plan_link_invoice(values)
    world.sadad.control.pay(bill)
    world.days(1.1)
    world.run()
    world.run()

    assert paid.said == [(1, Decimal("3.000")), (2, Decimal("3.000"))]


def test_whole_plan_is_paid_and_not_looked_at_any_more(world: World, paid: Heard) -> None:
    plan = read(world, is_flexible=True)
    for number in (1, 2, 3):
        world.sadad.pay(plans.pay(plan, part(plan, number)))
    world.sadad.deliver()
    world.run()

    plan = fresh(plan)
    assert (plan.status, plan.next_check_at, len(paid.said)) == ("Completed", plans._NEVER, 3)
    assert plans.left(plan) == plans.Left(Decimal("0.000"), Decimal("0.000"))
    calls = len(world.sadad.calls(READ))
    world.days(3)
    world.run()
    assert len(world.sadad.calls(READ)) == calls


@pytest.mark.parametrize("fault", ["cut_after", "error_after", "unreadable"])
def test_lost_answer_is_found_in_the_schedule(world: World, paid: Heard, fault: str) -> None:
    plan = read(world)
    world.sadad.control.faults.add(CREATE, fault, times=1)
    invoice = plans.pay(plan, part(plan))

    assert [invoice.sadad_id] == world.bills()
    assert len(world.sadad.calls(CREATE)) == 1


def test_call_that_did_nothing_is_not_sent_again_at_once(world: World) -> None:
    plan = read(world)
    world.sadad.control.faults.add(CREATE, "refuse", error_key="Error ", times=1)
    with pytest.raises(OutcomePending):
        plans.pay(plan, part(plan))
    with pytest.raises(OutcomePending):
        plans.pay(plan, part(plan))
    assert len(world.sadad.calls(CREATE)) == 1

    world.later(300)
    invoice = plans.pay(plan, part(plan))
    assert [invoice.sadad_id] == world.bills()


def test_person_is_asked_where_the_schedule_tells_no_invoices(world: World, admin_user: Any) -> None:
    plan = read(world)
    world.sadad.control.faults.add(READ, "reply_field", path="installments.*.invoiceId", remove=True)
    world.sadad.control.faults.add(CREATE, "cut_before", times=1)
    with pytest.raises(OutcomePending):
        plans.pay(plan, part(plan))
    world.later(300)
    for _ in range(2):
        with pytest.raises(OutcomePending):
            plans.pay(plan, part(plan))
    assert (waiting(), len(world.sadad.calls(CREATE))) == (["bill_unknown"], 1)
    case = Attention.objects.get()
    cases.act(case, "retry", by=admin_user)
    cases.act(case, "dismiss", by=admin_user)
    invoice = plans.pay(plan, part(plan))

    assert [invoice.sadad_id] == world.bills()


def test_answer_counts_though_the_plan_cannot_be_read_after_it(world: World) -> None:
    plan = read(world)
    world.sadad.control.faults.add(READ, "error_before", times=9, skip=2)
    with pytest.raises(OutcomePending):
        plans.pay(plan, part(plan))
    world.sadad.control.faults.clear()
    invoice = plans.pay(plan, part(plan))

    assert ([invoice.sadad_id], len(world.sadad.calls(CREATE))) == (world.bills(), 1)


def test_answer_counts_though_the_schedule_does_not_name_it_yet(world: World) -> None:
    plan = read(world)
    with world.says(READ, "installments.*.invoiceId", 0):
        invoice = plans.pay(plan, part(plan))

    assert [invoice.sadad_id] == world.bills()


@pytest.mark.races
def test_many_who_ask_for_one_part_get_one_invoice(world: World) -> None:
    plan = read(world)
    results = race(*[lambda: plans.pay(plan, part(plan))] * 4)

    assert unexpected(results) == []
    assert len(world.sadad.calls(CREATE)) == 1
    assert {row.pk for row in results if isinstance(row, Invoice)} <= set(
        Invoice.objects.values_list("pk", flat=True)
    )
    assert Invoice.objects.count() == len(world.bills()) == 1


def test_part_that_is_not_due_is_refused_with_sadads_reason(world: World) -> None:
    plan = read(world)
    with pytest.raises(Refused, match="DueDateNotComeYet"):
        plans.pay(plan, part(plan, 2))
    world.days(31)

    assert plans.pay(plan, part(plan, 2)).amount == Decimal("3.000")


def test_late_fees_are_part_of_the_bill_and_not_of_what_is_left(world: World, paid: Heard) -> None:
    plan = read(world, late_fees_type="FixedPerDay", late_fees_value="0.100")
    world.days(3)
    world.sadad.pay(plans.pay(plan, part(plan)))
    world.sadad.deliver()

    assert paid.said == [(1, Decimal("3.300"))]
    assert plans.left(plans.refresh(plan)).ours == Decimal("6.000")


def test_bill_that_asks_for_another_amount_is_not_counted_and_asks_a_person(
    world: World, paid: Heard
) -> None:
    plan = read(world)
    with world.says("Invoice/getbyid", "amount", 4):
        with pytest.raises(NeedsAttention):
            plans.pay(plan, part(plan))
        world.sadad.control.pay(world.bills()[0])
        world.sadad.deliver()
        world.run()

    assert (paid.said, waiting()) == ([], ["mismatch"])
    assert plans.left(plan).ours == Decimal("9.000")


def test_invoice_that_cannot_be_this_parts_bill_needs_attention(world: World) -> None:
    plan = read(world, is_flexible=True)
    first = plans.pay(plan, part(plan))
    with (
        world.says(READ, "installments.1.invoiceId", int(first.sadad_id or 0)),
        pytest.raises(NeedsAttention),
    ):
        plans.pay(plan, part(plan, 2))

    assert waiting() == ["bill_differs"]


def test_paid_part_keeps_its_invoice(world: World, paid: Heard) -> None:
    plan = read(world, is_flexible=True)
    world.sadad.pay(plans.pay(plan, part(plan)))
    world.sadad.deliver()
    other = plans.pay(plan, part(plan, 2))
    with world.says(READ, "installments.0.invoiceId", int(other.sadad_id or 0)):
        plans.follow(plan)
    with world.says(READ, "installments.0.invoiceId", 0):
        plans.follow(plan)

    assert (paid.said, plans.left(plan).ours) == ([(1, Decimal("3.000"))], Decimal("6.000"))


def test_new_invoice_is_asked_for_when_the_old_one_has_run_out(world: World) -> None:
    plan = read(world)
    old = plans.pay(plan, part(plan))
    world.sadad.control.expire(old.sadad_id)
    new = plans.pay(plan, part(plan))

    assert (new != old, new.state, fresh(old).state) == (True, "open", "expired")


def test_bill_found_paid_when_it_is_asked_for_is_not_asked_for_again(world: World) -> None:
    plan = read(world)
    invoice = plans.pay(plan, part(plan))
    world.sadad.pay(invoice)
    with pytest.raises(AlreadyPaid):
        plans.pay(plan, part(plan))


def test_receiver_that_raises_is_told_again(world: World, admin_user: Any) -> None:
    plan = read(world)
    world.sadad.pay(plans.pay(plan, part(plan)))
    with hearing(signals.installment_paid, lambda **s: (s["installment"].number,), raises=1) as heard:
        world.sadad.deliver()
        assert (heard.said, waiting()) == ([], ["signal_failed"])
        cases.act(Attention.objects.get(), "retry", by=admin_user)

    assert (heard.said, waiting()) == ([(1,)], [])


def test_gateway_that_fails_is_asked_again(world: World, paid: Heard) -> None:
    plan = read(world)
    world.sadad.pay(plans.pay(plan, part(plan)))
    world.sadad.control.faults.add("Invoice/getbyid", "error_before")
    with pytest.raises(TryAgain):
        plans.follow(plan)
    world.sadad.control.faults.clear()
    world.later(600)
    world.run()

    assert paid.said == [(1, Decimal("3.000"))]


@pytest.mark.parametrize("fault", ["error_before", "rate_limited", "cut_before"])
def test_call_that_surely_did_nothing_may_be_made_again(world: World, fault: str) -> None:
    plan = read(world)
    world.sadad.control.faults.add(CREATE, fault, times=9)
    with pytest.raises((TryAgain, OutcomePending)):
        plans.pay(plan, part(plan))
    world.sadad.control.faults.clear()
    world.later(300)

    assert [plans.pay(plan, part(plan)).sadad_id] == world.bills()


def test_plan_without_a_key_and_part_that_sadad_does_not_know_are_refused(world: World) -> None:
    plan = read(world)
    with world.says(READ, "installments.0.id", 999), pytest.raises(TryAgain):
        plans.pay(plan, part(plan))
    assert not Mark.objects.filter(name__startswith="installment:").exists()
    InstallmentPlan.objects.filter(pk=plan.pk).update(sadad_key="")
    with pytest.raises(Refused, match="no_sadad_id"):
        plans.pay(plan, part(plan))
    with pytest.raises(Refused, match="no_such_part"):
        plans.pay(plan, Installment(plan=plan, number=9))
    with pytest.raises(Refused, match="no_sadad_id"):
        plans.refresh(InstallmentPlan(account="default", environment="sandbox"))


def test_plan_that_sadad_has_no_more_asks_a_person(world: World) -> None:
    plan = world.plan()
    InstallmentPlan.objects.filter(pk=plan.pk).update(sadad_id="999")
    world.run()

    assert waiting() == ["mirror_gone"]
    with pytest.raises(NotFound):
        plans.refresh(fresh(plan))


def test_answer_about_another_plan_is_no_answer(world: World) -> None:
    plan = world.plan()
    with world.says(READ, "id", 999), pytest.raises(TryAgain):
        plans.refresh(plan)

    assert plan.installments.count() == 0


def test_row_of_another_environment_is_left_alone(world: World) -> None:
    plan = world.plan()
    InstallmentPlan.objects.filter(pk=plan.pk).update(environment="live")
    calls = len(world.sadad.calls(READ))
    world.run()

    assert len(world.sadad.calls(READ)) == calls
    assert fresh(plan).next_check_at > clock.now()


def test_deleted_plan_is_not_read_any_more(world: World) -> None:
    plan = world.plan()
    world.run()
    mirroring.remove(plan)
    push.run()
    calls = len(world.sadad.calls(READ))
    world.days(2)
    world.run()

    assert len(world.sadad.calls(READ)) == calls
    assert fresh(plan).next_check_at == plans._NEVER


def test_what_is_left_is_known_without_the_plans_own_amount(world: World) -> None:
    plan = read(world)
    plan.amount = None

    assert plans.left(plan).ours == Decimal("9.000")


def test_part_that_is_paid_never_takes_another_invoice(world: World) -> None:
    plan = read(world, is_flexible=True)
    world.sadad.pay(plans.pay(plan, part(plan)))
    world.sadad.deliver()
    other = plans.pay(plan, part(plan, 2))
    Installment.objects.filter(plan=plan, number=2).update(invoice=None, sadad_invoice_id="")
    first = Installment.objects.select_related("invoice", "plan").get(plan=plan, number=1)
    first.sadad_invoice_id = other.sadad_id or ""

    assert bills.look(first, bills.ORIGIN) is None
    assert (part(plan).invoice != other, waiting()) == (True, ["bill_differs"])


def test_invoice_that_was_made_since_we_looked_is_taken(world: World, monkeypatch: Any) -> None:
    """Who held the claim before has asked for it; the claim is given back."""
    plan = read(world)
    made = plans.pay(plan, part(plan))
    looks = iter([None, made])
    monkeypatch.setattr(plans, "_payable", lambda *_: next(looks))

    assert plans.pay(plan, part(plan)) == made
    assert len(world.sadad.calls(CREATE)) == 1
    assert not Mark.objects.filter(name__startswith="installment:").exists()


def test_claim_is_given_back_when_the_second_look_fails(world: World) -> None:
    plan = read(world)
    world.sadad.control.faults.add(READ, "error_before", times=9, skip=1)
    with pytest.raises(TryAgain):
        plans.pay(plan, part(plan))

    assert (world.sadad.calls(CREATE), Mark.objects.filter(name__startswith="installment:").exists()) == (
        [],
        False,
    )


def test_part_told_meanwhile_is_not_told_again(world: World, paid: Heard) -> None:
    plan = read(world)
    world.sadad.pay(plans.pay(plan, part(plan)))
    world.sadad.deliver()

    assert transactions.run(partial(telling._part, plan.pk, part(plan).pk))
    assert len(paid.said) == 1


def test_bill_that_the_schedule_calls_paid_is_looked_at(world: World, paid: Heard) -> None:
    plan = read(world)
    invoice = plans.pay(plan, part(plan))
    with world.says(READ, "installments.0.status", "Paid"):
        plans.follow(plan)
    assert paid.said == []
    world.sadad.pay(invoice)
    plans.follow(plan)

    assert paid.said == [(1, Decimal("3.000"))]
