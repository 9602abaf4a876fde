"""Checkout, step by step: what each decision stores, what its errors name, how often it looks again."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.test import RequestFactory

from django_sadadpay import (
    AlreadyPaid,
    DraftError,
    NeedsAttention,
    OutcomePending,
    Refused,
    TryAgain,
    cancel,
    checkout,
)
from django_sadadpay.models import Attention, Invoice
from django_sadadpay.registry import payables
from django_sadadpay.services import (
    attention,
    cancelling,
    clock,
    drafts,
    gateway,
    keys,
    opening,
    schedule,
    transactions,
    transitions,
)
from django_sadadpay.services import checkout as service
from django_sadadpay.services.checkout import Step
from django_sadadpay.services.drafts import Plan
from django_sadadpay.services.ledger import Origin
from django_sadadpay.testing.gateway import Sadad
from tests.services.conftest import fresh, waiting
from tests.services.steps import ledger, stop_clock, watch
from tests.shop.models import Order

State, Code = Invoice.State, Attention.Code
ORIGIN = Origin("checkout")
TICK = timedelta(milliseconds=1)


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting is counted, not sat out."""
    monkeypatch.setattr(service, "_PATIENCE", 0.3)


def plan_of(order: Order) -> Plan:
    return drafts.plan(service._payable(order, ""), order, clock.now())


def decide(order: Order, *, may_send: bool = True) -> Step:
    return service._decide(plan_of(order), None, ORIGIN, may_send=may_send)


def reserve(order: Order) -> Invoice:
    """A row that holds the order's open slot and was not sent yet: its maker is at it, or died."""
    step = decide(order)
    assert step.do == "send"
    assert step.invoice is not None
    return step.invoice


def changed(order: Order) -> Order:
    order.lines.update(name="Tea")
    return Order.objects.get(pk=order.pk)


# The normal path


def test_a_new_invoice_passes_its_points_in_order(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = watch(monkeypatch, "insert.")
    checkout(order)
    assert passed == ["insert.reserved", "insert.answered", "insert.learned"]


def test_the_ledger_says_that_checkout_made_it(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    assert {source for _, source, _, _ in ledger(invoice)} == {"checkout"}
    assert {kind for kind, _, _, _ in ledger(invoice)} >= {"created", "identified", "opened"}


def test_the_buyer_returns_to_the_address_of_the_request_where_no_site_is_set(
    sadad: Sadad, order: Order, settings: Any
) -> None:
    settings.SADADPAY = {name: value for name, value in settings.SADADPAY.items() if name != "SITE_URL"}
    invoice = checkout(order, request=RequestFactory().get("/", SERVER_NAME="shop.example"))
    assert invoice.request["return_url"].startswith("http://shop.example/")


def test_the_payable_decides_with_the_request_whether_it_may_be_paid(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Any, Any]] = []
    payable = payables.get("order")

    def can_pay(obj: Any, request: Any) -> bool:
        seen.append((obj, request))
        return True

    monkeypatch.setattr(payable, "can_pay", can_pay)
    request = RequestFactory().get("/")
    checkout(order, request=request)
    assert seen == [(order, request)]


def test_what_may_not_be_paid_is_refused_as_such(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payables.get("order"), "can_pay", lambda obj, request: False)
    with pytest.raises(Refused) as found:
        checkout(order)
    assert (found.value.code, Invoice.objects.count()) == ("not_payable", 0)
    with pytest.raises(Refused) as found:
        checkout(order, name="nobody")
    assert found.value.code == "not_payable"


def test_a_bad_draft_names_its_field(sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    def bad(*args: Any) -> Any:
        raise DraftError("amount", "no")

    monkeypatch.setattr(drafts, "plan", bad)
    with pytest.raises(Refused) as found:
        checkout(order)
    assert (found.value.code, found.value.field) == ("bad_draft", "amount")


def test_a_plan_is_reckoned_from_the_databases_time(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = stop_clock(monkeypatch)
    row = reserve(order)
    assert (row.created_at, row.busy_until) == (now, now + schedule.BUSY)


def test_one_object_may_be_paid_under_two_names(sadad: Sadad, order: Order) -> None:
    assert service._payable(order, "order") is payables.get("order")
    assert service._payable("gift-1", "donation") is payables.get("donation")


def test_what_has_no_model_is_paid_under_its_name(sadad: Sadad, transactional_db: None) -> None:
    invoice = checkout("gift-1", name="donation")
    assert (invoice.payable, invoice.object_id) == ("donation", "gift-1")


# Sadad cannot be reached


def test_without_a_token_nothing_is_stored_and_the_account_hears_of_it(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[tuple[str, str, str]] = []

    def note(row: Invoice, error: Exception) -> None:
        noted.append((row.account, row.environment, type(error).__name__))

    monkeypatch.setattr(keys, "note", note)
    sadad.emulator.stop()
    with pytest.raises(TryAgain):
        checkout(order)
    assert noted == [("default", "sandbox", "Unavailable")]
    assert Invoice.objects.count() == 0


def test_the_token_is_asked_for_at_the_plans_own_account(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    real = gateway.client_for

    def client_for(account: Any) -> Any:
        asked.append(account)
        return real(account)

    monkeypatch.setattr(gateway, "client_for", client_for)
    checkout(order)
    assert plan_of(order).account in asked


# What is sent at most twice, and how long another is waited for


def test_after_two_lost_answers_it_is_left_to_background_work(sadad: Sadad, order: Order) -> None:
    sadad.control.faults.add("Invoice/insert", "cut_before")
    with pytest.raises(OutcomePending) as found:
        checkout(order)
    assert found.value.invoice == Invoice.objects.order_by("pk").last()
    assert len(sadad.calls("Invoice/insert")) == service._INSERTS == 2


def test_what_is_dead_as_soon_as_it_is_made_is_made_twice_at_most(sadad: Sadad, order: Order) -> None:
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="status", value="Canceled")
    with pytest.raises(OutcomePending):
        checkout(order)
    assert len(sadad.calls("Invoice/insert")) == 2


def test_after_one_lost_answer_the_second_makes_it(sadad: Sadad, order: Order) -> None:
    sadad.control.faults.add("Invoice/insert", "cut_before", times=1)
    assert checkout(order).state == State.OPEN
    assert len(sadad.calls("Invoice/insert")) == 2


def test_once_it_may_not_send_again_it_leaves_the_rest_to_background_work(sadad: Sadad, order: Order) -> None:
    with pytest.raises(OutcomePending):
        decide(order, may_send=False)
    assert Invoice.objects.count() == 0


def test_one_that_is_open_is_handed_out_even_if_nothing_may_be_sent(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    assert decide(order, may_send=False) == Step("hand_out", invoice)


def test_a_read_back_that_fails_ends_it_at_once(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a lost insert gives way to another try."""
    row = reserve(order)
    Invoice.objects.update(busy_until=None, sadad_id="4711")
    tried: list[Invoice] = []

    def fail(invoice: Invoice, origin: Origin) -> Invoice:
        tried.append(invoice)
        opening.release(invoice.pk)
        raise OutcomePending(invoice=invoice)

    monkeypatch.setattr(opening, "read_back", fail)
    with pytest.raises(OutcomePending):
        checkout(order)
    assert (tried, sadad.calls("Invoice/insert")) == ([row], [])


def test_the_makers_time_is_taken_before_its_row_is_made(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    elapsed: list[float] = []
    real = opening.send

    def send(invoice: Invoice, seconds: float, origin: Origin) -> Invoice:
        elapsed.append(seconds)
        return real(invoice, seconds, origin)

    def slow(*args: Any, **options: Any) -> Any:
        ticks.append(5.0)
        return decided(*args, **options)

    ticks: list[float] = []
    decided, monotonic = service._decide, time.monotonic
    monkeypatch.setattr(service, "_decide", slow)
    monkeypatch.setattr(opening, "send", send)
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + sum(ticks))
    checkout(order)
    assert [5 <= seconds < 5 + 60 for seconds in elapsed] == [True]


def test_while_another_is_at_it_the_buyer_waits_in_small_steps(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve(order)
    slept: list[float] = []
    monotonic = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + sum(slept))
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(service, "_PATIENCE", 1.0)
    with pytest.raises(OutcomePending):
        checkout(order)
    assert set(slept) == {service._PAUSE}
    assert 1 <= len(slept) <= 6  # a slow machine waits fewer steps, never more


def test_when_the_other_is_done_its_invoice_is_handed_out(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = reserve(order)
    monkeypatch.setattr(service, "_PATIENCE", 60.0)
    monkeypatch.setattr(time, "sleep", lambda seconds: opening.send(row, 0.0, ORIGIN))
    assert checkout(order) == row
    assert len(sadad.calls("Invoice/insert")) == 1


def test_patience_ends_after_its_moment_not_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    monkeypatch.setattr(time, "sleep", slept.append)
    service._wait(100.0)
    with pytest.raises(OutcomePending):
        service._wait(99.9)
    assert slept == [service._PAUSE]


def test_a_decision_that_never_settles_is_taken_a_bounded_number_of_times(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[bool] = []

    def again(plan: Plan, request: Any, origin: Origin, *, may_send: bool) -> Step:
        taken.append(may_send)
        return Step("again")

    monkeypatch.setattr(service, "_decide", again)
    monkeypatch.setattr(service, "_PATIENCE", 8.0)
    with pytest.raises(OutcomePending):
        checkout(order)
    assert taken == [True] * (service._ROUNDS + 40)


def test_a_row_that_is_found_unpaid_is_decided_about_once_more(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = reserve(order)
    steps = iter([Step("read_back", row), Step("hand_out", row)])
    monkeypatch.setattr(service, "_decide", lambda *args, **options: next(steps))
    monkeypatch.setattr(opening, "read_back", lambda invoice, origin: invoice)
    assert checkout(order) == row


def test_a_slot_that_another_took_or_freed_meanwhile_is_looked_at_again(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*args: Any) -> Any:
        raise IntegrityError("taken")

    plan, row = plan_of(order), checkout(order)
    Invoice.objects.update(open_slot=None)
    assert transactions.run(lambda: service._decide_held(row.pk, plan, ORIGIN)) == Step("again")
    monkeypatch.setattr(opening, "create", taken)
    assert decide(order) == Step("again")


# The row that holds the slot


def test_a_row_whose_maker_is_at_it_is_waited_for_to_the_moment(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = reserve(order)
    now = stop_clock(monkeypatch)
    Invoice.objects.update(busy_until=now + TICK)
    assert decide(order) == Step("wait")
    Invoice.objects.update(busy_until=now)
    assert decide(order) == Step("lost", row)


def test_a_row_whose_maker_died_after_the_insert_is_read_back_by_one(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = reserve(order)
    Invoice.objects.update(busy_until=None, sadad_id="4711")
    now = stop_clock(monkeypatch)
    assert decide(order) == Step("read_back", row)
    assert fresh(row).busy_until == now + schedule.BUSY
    assert decide(order) == Step("wait")


def test_the_ledger_says_that_checkout_read_it_back(sadad: Sadad, order: Order) -> None:
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    with pytest.raises(OutcomePending):
        checkout(order)
    sadad.control.faults.clear()
    assert [entry[1] for entry in ledger(checkout(order), "opened")] == ["checkout"]


def test_a_replacement_whose_maker_died_is_gone_on_with(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = checkout(order)
    Invoice.objects.update(state=State.SUPERSEDING, busy_until=None)
    now = stop_clock(monkeypatch)
    assert decide(order) == Step("replace", row)
    assert fresh(row).busy_until == now + schedule.BUSY


def test_a_replacement_that_never_learned_its_id_is_replaced_too(sadad: Sadad, order: Order) -> None:
    row = reserve(order)
    Invoice.objects.update(state=State.SUPERSEDING, busy_until=None)
    assert decide(order) == Step("replace", row)


def test_a_row_that_was_lost_gives_up_its_slot_under_checkouts_name(sadad: Sadad, order: Order) -> None:
    row = reserve(order)
    assert service._act(Step("lost", row), 0.0, ORIGIN) is None
    assert (fresh(row).state, ledger(row, "unknown")[0][1]) == (State.UNKNOWN, "checkout")


def test_another_basket_withdraws_the_open_invoice_and_says_why(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = checkout(order)
    now = stop_clock(monkeypatch)
    assert decide(changed(order)) == Step("replace", old)
    row = fresh(old)
    assert (row.state, row.closing) == (State.SUPERSEDING, "basket")
    assert (row.busy_until, row.next_check_at) == (now + schedule.BUSY, now + schedule.BUSY)
    assert ledger(row, "withdrawn") == [("withdrawn", "checkout", "", {"why": "basket"})]


def test_an_invoice_is_handed_out_until_its_last_hour_begins(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = checkout(order)
    now = stop_clock(monkeypatch)
    Invoice.objects.update(expires_at=now + schedule.LAST_HOUR + TICK)
    assert decide(order) == Step("hand_out", invoice)
    Invoice.objects.update(expires_at=now + schedule.LAST_HOUR)
    assert decide(order) == Step("replace", invoice)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("account", "elsewhere"),
        ("shop_currency", "USD"),
        ("shop_amount", Decimal("1.000")),
        ("lines_digest", "another"),
    ],
)
def test_what_makes_it_another_invoice(sadad: Sadad, order: Order, column: str, value: Any) -> None:
    invoice = checkout(order)
    assert service._is_same(invoice, plan_of(order))
    setattr(invoice, column, value)
    assert not service._is_same(invoice, plan_of(order))


@pytest.mark.parametrize(("column", "value"), [("rate", Decimal(2)), ("customer", {}), ("language", "ar")])
def test_what_does_not(sadad: Sadad, order: Order, column: str, value: Any) -> None:
    invoice = checkout(order)
    setattr(invoice, column, value)
    assert service._is_same(invoice, plan_of(order))


def test_one_that_sadad_called_paid_in_a_reply_not_believed_is_set_aside_and_watched(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = checkout(order)
    monkeypatch.setattr(service, "_refuse_if_settled", lambda plan: None)
    monkeypatch.setattr(transitions, "may_be_paid", lambda invoice: True)
    Invoice.objects.update(next_check_at=None)
    now = stop_clock(monkeypatch)
    assert decide(order) == Step("again")
    row = fresh(old)
    assert (row.state, row.open_slot, row.closing) == (State.CANCELLED, None, "paid")
    assert row.next_check_at == now + 2 * schedule.MINUTE
    assert [entry[:2] for entry in ledger(row, "set_aside")] == [("set_aside", "checkout")]


def test_one_of_the_other_environment_is_parked_and_looked_at_tomorrow(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = checkout(order)
    Invoice.objects.update(busy_until=clock.now())
    monkeypatch.setattr(gateway, "is_parked", lambda invoice: invoice.pk == old.pk)
    now = stop_clock(monkeypatch)
    assert decide(order) == Step("again")
    row = fresh(old)
    assert (row.state, row.open_slot, row.busy_until) == (State.CANCELLED, None, None)
    assert (row.error_code, row.next_check_at) == ("parked", now + timedelta(days=1))
    assert [entry[:2] for entry in ledger(row, "parked")] == [("parked", "checkout")]


# Paid, or a person's


def pay(sadad: Sadad, invoice: Invoice) -> Invoice:
    sadad.pay(invoice)
    sadad.deliver()
    return fresh(invoice)  # type: ignore[no-any-return]  # any row


def test_a_paid_order_names_the_invoice_that_paid_it(sadad: Sadad, order: Order) -> None:
    invoice = pay(sadad, checkout(order))
    with pytest.raises(AlreadyPaid) as found:
        checkout(order)
    assert found.value.invoice == invoice


def test_a_payment_that_counts_but_was_not_told_names_its_invoice(sadad: Sadad, order: Order) -> None:
    Order.objects.update(behaviour="raise")
    invoice = pay(sadad, checkout(order))
    with pytest.raises(NeedsAttention) as waits:
        checkout(order)
    assert waits.value.invoice == invoice
    Attention.objects.update(resolved_at=clock.now(), open_slot=None)
    with pytest.raises(AlreadyPaid) as found:
        checkout(order)
    assert found.value.invoice == invoice


def test_a_told_payment_is_already_paid_whatever_waits_for_a_person(sadad: Sadad, order: Order) -> None:
    invoice = pay(sadad, checkout(order))
    attention.ask(Code.PAID_TWICE, clock.now(), invoice, invoice=invoice)
    with pytest.raises(AlreadyPaid):
        checkout(order)


def test_what_waits_for_another_object_or_purpose_is_not_in_the_way(
    sadad: Sadad, order: Order, order_of: Callable[..., Order]
) -> None:
    Order.objects.update(behaviour="raise")
    other = pay(sadad, checkout(order))
    assert checkout(order_of("1.000", number="A-2")).state == State.OPEN
    Invoice.objects.filter(pk=other.pk).update(purpose="deposit", paid_slot=None)
    assert checkout(order).state == State.OPEN


def test_a_payment_of_another_order_is_not_in_the_way(
    sadad: Sadad, order: Order, order_of: Callable[..., Order]
) -> None:
    pay(sadad, checkout(order))
    assert checkout(order_of("1.000", number="A-2")).state == State.OPEN


def test_a_payment_seen_at_the_last_moment_names_its_invoice_and_ends_the_row(
    sadad: Sadad, order: Order
) -> None:
    row = reserve(order)
    there = sadad.calls("Invoice/insert")
    Invoice.objects.filter(pk=row.pk).update(open_slot=None)
    paid = pay(sadad, checkout(order))
    row.refresh_from_db()
    sadad.control.clear_log()
    with pytest.raises(AlreadyPaid) as found:
        service._send(row, time.monotonic(), ORIGIN)
    assert found.value.invoice == paid
    assert (fresh(row).state, fresh(row).error_code) == (State.REFUSED, "not_sent")
    assert [entry[1] for entry in ledger(row, "refused")] == ["checkout"]
    assert (sadad.calls("Invoice/insert"), there) == ([], [])


# Superseding


def test_a_paid_invoice_that_was_to_be_replaced_is_named(sadad: Sadad, order: Order) -> None:
    old = checkout(order)
    sadad.pay(old)
    with pytest.raises(AlreadyPaid) as found:
        checkout(changed(order))
    assert found.value.invoice == old


def test_one_paid_with_another_amount_is_named_as_a_persons(sadad: Sadad, order: Order) -> None:
    old = checkout(order)
    sadad.pay(old)
    Order.objects.update(amount=Decimal("20.000"))
    order.lines.update(price=Decimal("20.000"))
    with pytest.raises(NeedsAttention) as found:
        checkout(fresh(order))
    assert (found.value.invoice, waiting(old)) == (old, [Code.AMOUNT_CHANGED])


def test_while_sadad_cannot_be_asked_the_next_goes_on_at_once(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = checkout(order)
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    with pytest.raises(TryAgain) as found:
        checkout(changed(order))
    assert found.value.invoice == old
    assert (fresh(old).state, fresh(old).busy_until) == (State.SUPERSEDING, None)


def test_one_of_which_nobody_knows_whether_it_was_paid_is_a_persons(sadad: Sadad, order: Order) -> None:
    old = checkout(order)
    sadad.control.faults.add("Invoice/delete", "refuse", error_key="InvoiceCannotBeDeleted")
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="status", value="Frozen")
    with pytest.raises(NeedsAttention) as found:
        checkout(changed(order))
    assert (found.value.invoice, fresh(old).busy_until) == (old, None)
    assert fresh(old).state == State.SUPERSEDING


def test_the_ledger_says_that_checkout_replaced_it(sadad: Sadad, order: Order) -> None:
    old = checkout(order)
    checkout(changed(order))
    assert [entry[1] for entry in ledger(old, "cancelled")] == ["checkout"]


# Cancelling


def test_the_ledger_says_who_cancelled_it(
    sadad: Sadad, order: Order, order_of: Callable[..., Order], admin_user: User
) -> None:
    by_staff, by_shop = checkout(order), checkout(order_of("1.000", number="A-2"))
    cancel(by_staff, by=admin_user)
    cancel(by_shop)
    assert ledger(by_staff, "withdrawn") == [("withdrawn", "staff", "admin", {"why": "cancel"})]
    assert ledger(by_shop, "withdrawn") == [("withdrawn", "shop", "", {"why": "cancel"})]
    assert [entry[1:3] for entry in ledger(by_staff, "cancelled")] == [("staff", "admin")]


def test_what_cannot_be_cancelled_names_its_invoice(
    sadad: Sadad, order: Order, order_of: Callable[..., Order]
) -> None:
    def refused(invoice: Invoice, kind: type[Exception]) -> tuple[str, Invoice | None]:
        with pytest.raises(kind) as found:
            cancel(invoice)
        error: Any = found.value
        return error.code, error.invoice

    invoice = checkout(order)
    sadad.control.faults.add("Invoice/delete", "refuse", error_key="InvoiceCannotBeDeleted")
    assert refused(invoice, Refused) == ("cannot_cancel", invoice)
    sadad.control.faults.clear()
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    assert refused(invoice, TryAgain) == ("try_again", invoice)
    sadad.control.faults.clear()
    cancel(invoice)
    assert refused(invoice, Refused) == ("not_open", invoice)
    other = checkout(order_of("1.000", number="A-2"))
    sadad.pay(other)
    assert refused(other, AlreadyPaid) == ("already_paid", other)
    assert refused(other, AlreadyPaid) == ("already_paid", other)


def test_a_payment_is_seen_before_anything_is_withdrawn(sadad: Sadad, order: Order) -> None:
    invoice = pay(sadad, checkout(order))
    sadad.control.clear_log()
    with pytest.raises(AlreadyPaid):
        transactions.run(lambda: service._withdraw_open(invoice.pk, ORIGIN))
    assert sadad.calls() == []


def test_a_cancellation_that_left_it_being_made_did_not_work(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = checkout(order)
    monkeypatch.setattr(cancelling, "finish", lambda pk, origin: fresh(invoice))
    with pytest.raises(Refused) as found:
        cancel(invoice)
    assert (found.value.code, found.value.invoice) == ("cannot_cancel", invoice)


def test_a_cancellation_is_finished_for_the_same_row_and_by_the_same_person(
    sadad: Sadad, order: Order, admin_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = checkout(order)
    asked: list[tuple[int, Origin]] = []
    real = cancelling.finish

    def finish(pk: int, origin: Origin) -> Invoice:
        asked.append((pk, origin))
        return real(pk, origin)

    monkeypatch.setattr(cancelling, "finish", finish)
    assert cancel(invoice, by=admin_user).state == State.CANCELLED
    assert asked == [(invoice.pk, Origin("staff", admin_user))]
