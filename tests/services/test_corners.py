"""Corners that a careful review found: each was wrong once."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError

from django_sadadpay import (
    CannotFulfil,
    NeedsAttention,
    OutcomePending,
    Refused,
    TryAgain,
    cancel,
    checkout,
    refund,
    verify,
)
from django_sadadpay.gateway.errors import AuthenticationError
from django_sadadpay.models import Attention, Invoice, Mark, Refund, WebhookEvent
from django_sadadpay.registry import payables
from django_sadadpay.services import (
    attention,
    cancelling,
    cases,
    clock,
    inbox,
    keys,
    maintenance,
    opening,
    orphans,
    reconcile,
    refund_book,
    refunds,
    schedule,
    transactions,
)
from django_sadadpay.services import checkout as service
from django_sadadpay.services.ledger import Origin
from django_sadadpay.testing.gateway import Sadad
from tests.services.conftest import fresh, waiting
from tests.services.test_inbox import store
from tests.shop.models import Order

State, Code = Invoice.State, Attention.Code
Shift = Callable[[float], None]
DAY = 24 * 3600
ORIGIN = Origin("reconcile")
EDIT = {"amount": Decimal("5.000")}


def hook(monkeypatch: pytest.MonkeyPatch, **hooks: Callable[..., Any]) -> None:
    for name, function in hooks.items():
        monkeypatch.setattr(payables.get("order"), name, function)


def paid(sadad: Sadad, order: Order) -> Invoice:
    invoice = checkout(order)
    sadad.pay(invoice)
    sadad.deliver()
    return Invoice.objects.get(pk=invoice.pk)


def change_basket(order: Order) -> Order:
    order.lines.update(price=Decimal("5.000"))
    Order.objects.filter(pk=order.pk).update(**EDIT)
    return Order.objects.get(pk=order.pk)


# Hooks


@pytest.mark.parametrize("name", ["paid", "refunded"])
def test_a_hook_that_swallows_a_database_error_did_not_take_effect(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    Mark.objects.create(name="taken")

    def swallow(obj: Order, subject: Any) -> None:
        Order.objects.filter(pk=obj.pk).update(status="told")
        try:
            Mark.objects.create(name="taken")
        except IntegrityError:
            pass  # the idiom: Django has marked our savepoint for rollback

    hook(monkeypatch, **{name: swallow})
    invoice = paid(sadad, order)
    if name == "refunded":
        row = refund(invoice, "1.000", reason="a")
        assert row.handled_at is None
        assert waiting() == [Code.REFUND_HOOK_FAILED]
    else:
        assert invoice.handled_at is None
        assert waiting() == [Code.HOOK_FAILED]
    assert Attention.objects.get().params == {"error": "SwallowedDatabaseError"}
    assert fresh(order).status != "told"


@pytest.mark.parametrize("reason", [ValueError("sold out"), "sold\x00out", 7])
def test_whatever_reason_a_shop_gives_the_payment_is_recorded(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch, reason: Any
) -> None:
    def cannot(obj: Order, invoice: Invoice) -> None:
        raise CannotFulfil(reason)

    hook(monkeypatch, paid=cannot)
    assert paid(sadad, order).is_paid
    assert waiting() == [Code.CANNOT_FULFIL]


def test_the_same_figure_in_another_currency_is_another_amount(sadad: Sadad, order_of: Any) -> None:
    sadad.control.set_rate("USD", 0.3)
    order = order_of("10.000", currency="USD")
    invoice = checkout(order)
    Order.objects.update(currency="KWD")
    sadad.pay(invoice)
    sadad.deliver()
    assert (fresh(order).paid_calls, waiting()) == (0, [Code.AMOUNT_CHANGED])


# Identity


@pytest.mark.parametrize("amount", ["12.345", "9.000"])
def test_money_paid_on_a_second_invoice_of_our_reference_is_never_forgotten(
    sadad: Sadad, order: Order, sadad_clock: Shift, amount: str
) -> None:
    invoice = checkout(order)
    twin = sadad.control.create(amount, ref_Number=invoice.reference)
    sadad.control.pay(twin["id"])
    sadad.deliver()
    sadad_clock(600)
    reconcile.run()
    assert waiting() == [Code.ID_CONFLICT]


def test_a_mismatch_seen_on_another_id_stays_open(sadad: Sadad, order: Order) -> None:
    """The row knows no id yet; another amount under our reference is paid; then the real one is learned."""
    invoice = checkout(order)
    real = invoice.sadad_id
    Invoice.objects.update(sadad_id=None)
    twin = sadad.control.create("9.000", ref_Number=invoice.reference)
    inbox.process(store(invoiceId=twin["id"]).pk)
    assert waiting() == [Code.MISMATCH]
    inbox.process(store(invoiceId=real).pk)
    assert (fresh(invoice).sadad_id, waiting()) == (real, [Code.MISMATCH])


def test_an_id_that_insert_gave_and_another_row_holds_asks(sadad: Sadad, order: Order, order_of: Any) -> None:
    first = checkout(order)
    second = checkout(order_of("2.000"))
    Invoice.objects.filter(pk=second.pk).update(sadad_id=None)
    row = opening.learn(second.pk, first.sadad_id or "", ORIGIN)
    assert (row.sadad_id, waiting(row)) == (None, [Code.ID_CONFLICT])
    opening.learn(first.pk, "777", ORIGIN)
    verify(first)
    assert waiting(first) == [Code.ID_CONFLICT]
    opening.learn(first.pk, first.sadad_id or "", ORIGIN)


def test_an_insert_answered_with_anothers_id_is_a_lost_answer(
    sadad: Sadad, order: Order, order_of: Any
) -> None:
    checkout(order_of("1.000"))
    sadad.control.faults.add("Invoice/insert", "wrong_id", times=1)
    try:
        invoice = checkout(order)
    except NeedsAttention as error:
        invoice = error.invoice  # type: ignore[assignment]  # it carries one here
    assert waiting() == [Code.ID_CONFLICT]
    assert invoice.sadad_id not in (None, "777")


# Reconcile


@pytest.mark.parametrize(
    ("kind", "options"),
    [("reply_field", {"path": "amount", "value": 1}), ("refuse", {"error_key": "InvoiceNotExist"})],
)
def test_a_new_row_that_stays_as_it_is_does_not_keep_the_others_waiting(
    sadad: Sadad, order: Order, sadad_clock: Shift, kind: str, options: dict[str, Any]
) -> None:
    sadad.control.faults.add("Invoice/getbyid", kind, **options)
    with pytest.raises((OutcomePending, NeedsAttention)):
        checkout(order)
    sadad_clock(300)
    assert reconcile.run().calls <= 5


def test_a_poisoned_row_does_not_end_the_run(
    sadad: Sadad, order: Order, order_of: Any, sadad_clock: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = checkout(order), checkout(order_of("2.000"))
    sadad.pay(good)
    real = reconcile._check_invoice

    def check(pk: int) -> None:
        if pk == bad.pk:
            raise ValueError("poison")
        real(pk)

    kinds = tuple(dataclasses.replace(k, work=check) if k.name == "invoice" else k for k in reconcile._KINDS)
    monkeypatch.setattr(reconcile, "_KINDS", kinds)
    sadad_clock(300)
    report = reconcile.run()
    assert (report.done, report.failed) == ({"invoice": 1}, {"invoice": 1})
    assert fresh(good).is_applied


def test_a_poisoned_event_does_not_end_the_inbox_run(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(invoiceId=checkout(order).sadad_id)

    def poison(pk: int) -> bool:
        raise ValueError("poison")

    monkeypatch.setattr(inbox, "process", poison)
    assert maintenance.process_inbox() == maintenance.Handled(waiting=1)


def test_an_orphan_that_cannot_be_looked_for_is_given_up_in_the_end(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    sadad.control.faults.add("Invoice/insert", "cut_after")
    sadad.control.faults.add("Invoice/getall", "unreadable")
    with pytest.raises(OutcomePending):
        checkout(order)
    for _ in range(3):
        sadad_clock(10 * DAY)
        reconcile.run()
    assert set(Invoice.objects.values_list("state", "next_check_at")) == {(State.LOST, None)}


def test_an_invoice_gone_at_sadad_after_its_basket_changed_frees_the_slot(sadad: Sadad, order: Order) -> None:
    old = checkout(order)
    sadad.control.faults.add("Invoice/getbyid", "refuse", error_key="InvoiceNotExist", times=1)
    new = checkout(change_basket(order))
    assert (fresh(old).state, new.state) == (State.CANCELLED, State.OPEN)
    assert waiting(old) == [Code.INVOICE_NOT_FOUND]


def test_an_open_invoice_gone_at_sadad_expires_after_its_time(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    invoice = checkout(order)
    sadad.control.faults.add("Invoice/getbyid", "refuse", error_key="InvoiceNotExist")
    for _ in range(6):
        sadad_clock(DAY)
        reconcile.run()
    assert (fresh(invoice).state, fresh(invoice).open_slot) == (State.EXPIRED, None)


def test_an_unknown_word_gives_no_slot_away(sadad: Sadad, order: Order, sadad_clock: Shift) -> None:
    invoice = checkout(order)
    sadad.control.set_status(invoice.sadad_id, "Processing")
    with pytest.raises(NeedsAttention):
        checkout(change_basket(order))
    assert (fresh(invoice).state, waiting()) == (State.SUPERSEDING, [Code.UNKNOWN_STATUS])
    assert cancelling.finish(invoice.pk, ORIGIN).state == State.SUPERSEDING
    sadad_clock(10 * DAY)
    Invoice.objects.update(state=State.OPEN)
    reconcile.run()
    assert fresh(invoice).state == State.OPEN


def test_a_doubt_that_a_person_was_asked_about_is_not_looked_at_every_minute(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    invoice = paid(sadad, order)
    sadad.control.set_status(invoice.sadad_id, "Unpaid")
    for _ in range(4):
        sadad_clock(3 * DAY)
        reconcile.run()
    assert waiting() == [Code.FACTS_FELL]
    assert fresh(invoice).next_check_at - clock.now() > timedelta(hours=1)


def test_an_invoice_paid_long_after_it_was_made_is_still_watched(
    sadad: Sadad, order: Order, sadad_clock: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = payables.get("order").draft  # type: ignore[union-attr]  # it is registered
    far = schedule.kuwait_day(clock.now()) + timedelta(days=120)
    hook(monkeypatch, draft=lambda obj: dataclasses.replace(real(obj), expires_on=far))
    invoice = checkout(order)
    sadad_clock(91 * DAY)
    sadad.pay(invoice)
    sadad.deliver()
    assert fresh(invoice).next_check_at is not None


def test_a_background_cancellation_that_sadad_refuses_is_told_to_a_person(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    invoice = checkout(order)
    sadad.control.faults.add("Invoice/delete", "refuse", error_key="InvoiceCannotBeDeleted")
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    with pytest.raises(TryAgain):
        cancel(invoice)
    faults = sadad.control.faults
    faults.clear()
    faults.add("Invoice/delete", "refuse", error_key="InvoiceCannotBeDeleted")
    sadad_clock(600)
    reconcile.run()
    assert (fresh(invoice).state, waiting()) == (State.OPEN, [Code.CANCEL_REFUSED])


def test_a_person_who_cancels_what_a_basket_superseded_learns_whether_it_worked(
    sadad: Sadad, order: Order
) -> None:
    invoice = checkout(order)
    Invoice.objects.update(state=State.SUPERSEDING, closing=Invoice.Closing.BASKET)
    sadad.control.faults.add("Invoice/delete", "refuse", error_key="InvoiceCannotBeDeleted")
    with pytest.raises(Refused, match="cannot_cancel"):
        cancel(invoice)


def test_giving_up_what_moved_on_meanwhile_changes_nothing(sadad: Sadad, order: Order) -> None:
    invoice = paid(sadad, order)
    assert transactions.run(lambda: cancelling._give_up(invoice.pk, ORIGIN)).is_paid
    assert cancelling.finish(invoice.pk, ORIGIN).is_paid


# Checkout


def test_an_invoice_that_is_born_dead_is_not_made_again_and_again(sadad: Sadad, order: Order) -> None:
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="status", value="Expired")
    with pytest.raises(OutcomePending):
        checkout(order)
    assert len(sadad.calls("Invoice/insert")) == 2


def test_a_last_day_that_is_nearly_over_is_refused(
    sadad: Sadad, order: Order, sadad_clock: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = payables.get("order").draft  # type: ignore[union-attr]  # it is registered
    today = schedule.kuwait_day(clock.now())
    hook(monkeypatch, draft=lambda obj: dataclasses.replace(real(obj), expires_on=today))
    sadad_clock((schedule.end_of(today) - clock.now()).total_seconds() - 3600)
    with pytest.raises(Refused, match="expires_on"):
        checkout(order)
    assert sadad.calls("Invoice/insert") == []


def test_a_reply_without_a_key_still_gives_the_link(sadad: Sadad, order: Order) -> None:
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="key", remove=True)
    assert checkout(order).pay_url.startswith(sadad.emulator.pay_url)
    assert waiting() == []


def test_a_reply_without_key_and_link_asks(sadad: Sadad, order: Order) -> None:
    for path in ("key", "url"):
        sadad.control.faults.add("Invoice/getbyid", "reply_field", path=path, remove=True)
    assert checkout(order).pay_url == ""
    assert waiting() == [Code.PAY_URL_HOST]


def test_a_row_found_by_somebody_else_after_a_lost_answer_is_theirs(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interleaving: we looked and did not find it; before we give the row up, reconcile adopts it."""
    real = orphans.find_and_adopt

    def find(invoice: Invoice, origin: Origin) -> None:
        real(invoice, origin)

    monkeypatch.setattr(orphans, "find_and_adopt", find)
    sadad.control.faults.add("Invoice/insert", "cut_after", times=1)
    assert checkout(order).state == State.OPEN
    assert len(sadad.calls("Invoice/insert")) == 1


def test_what_moved_on_meanwhile_is_neither_refused_nor_given_up(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    opening.refuse(invoice.pk, "not_sent", ORIGIN)
    orphans.mark_unknown(invoice.pk, ORIGIN)
    assert fresh(invoice).state == State.OPEN


def test_an_orphan_that_was_found_but_not_deleted_is_deleted_next_time(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    sadad.control.faults.add("Invoice/insert", "cut_after", times=1)
    sadad.control.faults.add("Invoice/getall", "error_before", times=3)
    checkout(order)
    orphan = Invoice.objects.get(state=State.UNKNOWN)
    sadad.control.faults.add("Invoice/delete", "refuse", error_key="InvoiceCannotBeDeleted", times=1)
    orphans.resolve(orphan, ORIGIN)
    orphan = fresh(orphan)
    assert (orphan.state, orphan.sadad_id is not None) == (State.UNKNOWN, True)
    orphans.resolve(orphan, ORIGIN)
    assert fresh(orphan).state == State.LOST


def test_a_slot_taken_at_the_moment_of_the_insert_is_looked_at_again(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = opening.create, []

    def create(*args: Any) -> Invoice:
        tries.append(1)
        if len(tries) == 1:
            raise IntegrityError("taken")
        return real(*args)

    monkeypatch.setattr(opening, "create", create)
    assert checkout(order).state == State.OPEN


def test_a_slot_that_was_freed_before_its_row_was_locked_is_looked_at_again(
    sadad: Sadad, order: Order
) -> None:
    invoice = checkout(order)
    plan = service._plan(service._payable(order, ""), order, None)
    Invoice.objects.update(open_slot=None, state=State.CANCELLED)
    step = transactions.run(lambda: service._decide_held(invoice.pk, plan, ORIGIN))
    assert step.do == "again"


def test_two_who_ask_about_the_same_thing_at_once_make_one_case(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice, now = checkout(order), clock.now()
    real = attention._dealt_with

    def meanwhile(*args: Any) -> bool:
        monkeypatch.undo()
        attention.ask(Code.MISMATCH, now, invoice, invoice=invoice)
        return real(*args)

    monkeypatch.setattr(attention, "_dealt_with", meanwhile)
    assert transactions.run(lambda: attention.ask(Code.MISMATCH, now, invoice, invoice=invoice)) is False
    assert waiting() == [Code.MISMATCH]


# Facts


def test_a_reply_that_says_nothing_of_refunds_takes_none_back(sadad: Sadad, order: Order) -> None:
    invoice = paid(sadad, order)
    refund(invoice, "2.000", reason="a")
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="refunded_Amount", remove=True)
    for _ in range(2):
        verify(invoice)
    assert waiting() == []
    assert fresh(invoice).refunded_amount == Decimal("2.000")


def test_a_word_and_a_figure_that_differ_stop_refunds_and_ask(sadad: Sadad, order: Order) -> None:
    invoice = paid(sadad, order)
    sadad.control.set_status(invoice.sadad_id, "Refunded")
    verify(invoice)
    assert (refunds.left(fresh(invoice)), waiting()) == (Decimal("0.000"), [Code.FACT_REFUSED])
    sadad.control.set_status(invoice.sadad_id, "Paid")
    verify(invoice)
    assert (refunds.left(fresh(invoice)), waiting()) == (Decimal("12.345"), [])


def test_attempts_whose_ids_differ_only_in_case_are_two(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    sadad.fail(invoice)
    sadad.fail(invoice)
    for index, value in enumerate(("abc", "ABC")):
        sadad.control.faults.add(
            "Invoice/getbyid", "reply_field", path=f"transactions.{index}.id", value=value
        )
    verify(invoice)
    assert invoice.attempts.count() == 2


# Refunds


def test_a_database_that_is_busy_after_the_send_is_never_try_again(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = paid(sadad, order)

    def busy(*args: Any, **values: Any) -> Any:
        raise TryAgain("database_busy")

    monkeypatch.setattr(refunds, "_end", busy)
    row = refund(invoice, "2.000", reason="a")
    assert row.state == Refund.State.SENDING
    assert len(sadad.control.refunds()) == 1


def test_the_refusal_of_an_older_refund_is_told_to_a_person(sadad: Sadad, order: Order) -> None:
    invoice = paid(sadad, order)
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    older = refund(invoice, "4.000", reason="A")
    sadad.control.faults.clear()
    sadad.control.faults.add("Refund/insert", "refuse", error_key="RefundAmountExceedBalance", times=1)
    newer = refund(invoice, "3.000", reason="B")
    assert (fresh(older).state, newer.state) == (Refund.State.REFUSED, Refund.State.DONE)
    assert Attention.objects.get().refund == older


@pytest.mark.parametrize("key", ["k" * 101, "a\x00", "line\nbreak"])
def test_a_key_that_no_database_can_hold_is_refused(sadad: Sadad, order: Order, key: str) -> None:
    with pytest.raises(Refused, match="bad_key"):
        refund(paid(sadad, order), "1.000", reason="a", key=key)


def test_keys_that_differ_only_in_case_are_two(sadad: Sadad, order: Order) -> None:
    invoice = paid(sadad, order)
    first, second = (refund(invoice, "1.000", reason="a\x00b", key=key) for key in ("Key1", "key1"))
    assert first.pk != second.pk
    assert first.reason == "ab"


@pytest.mark.parametrize("parked", [True, False])
def test_an_unknown_refund_that_cannot_be_looked_at_asks_after_its_time(
    sadad: Sadad, order: Order, sadad_clock: Shift, settings: Any, parked: bool
) -> None:
    invoice = paid(sadad, order)
    sadad.control.faults.add("Refund/insert", "cut_before", times=1)
    row = refund(invoice, "4.000", reason="a")
    if parked:
        account = {**settings.SADADPAY["ACCOUNTS"]["default"], "ENVIRONMENT": "live"}
        settings.SADADPAY = {**settings.SADADPAY, "ACCOUNTS": {"default": account}}
    sadad.control.faults.add("Invoice/getbyid", "refuse", error_key="InvoiceNotExist")
    for _ in range(4):
        sadad_clock(DAY)
        reconcile.run()
    assert Code.REFUND_UNKNOWN in waiting()
    assert fresh(row).next_check_at - clock.now() > timedelta(minutes=6)


# Cases


def test_a_stale_page_cannot_count_a_payment_that_was_given_back(
    sadad: Sadad, order: Order, admin_user: User
) -> None:
    invoice = checkout(order)
    Order.objects.update(**EDIT)
    sadad.pay(invoice)
    sadad.deliver()
    stale = Attention.objects.get(resolved_at=None)
    refund(invoice, reason="all", by=admin_user)
    with pytest.raises(Refused, match="nothing_left"):
        cases.act(stale, "apply", by=admin_user)
    assert fresh(order).paid_calls == 0


def test_a_persons_decision_outlives_a_hook_that_fails_once(
    sadad: Sadad, order: Order, sadad_clock: Shift, admin_user: User
) -> None:
    invoice = checkout(order)
    Order.objects.update(behaviour="raise", **EDIT)
    sadad.pay(invoice)
    sadad.deliver()
    cases.act(Attention.objects.get(), "apply", by=admin_user)
    Order.objects.update(behaviour="")
    sadad_clock(3600)
    reconcile.run()
    assert (fresh(order).paid_calls, waiting()) == (1, [])


def test_missing_rights_and_refused_keys_are_two_cases_that_do_not_flap(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    invoice = checkout(order)
    denied = AuthenticationError("Invoice/getall", error_key="AccessPermissionDenied")
    refused = AuthenticationError("User/GenerateAccessToken")
    for _ in range(3):
        keys.note(invoice, denied)
        keys.note(invoice, ValueError("no such error"))
        maintenance.refresh_tokens()
    assert waiting() == [Code.ACCESS_DENIED]
    keys.note(invoice, refused)
    assert waiting() == [Code.ACCESS_DENIED, Code.KEYS_REFUSED]
    maintenance.refresh_tokens()
    assert waiting() == [Code.ACCESS_DENIED]


# Inbox


def test_a_retry_that_dies_half_way_is_not_lost(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = store(invoiceId=4711)
    WebhookEvent.objects.update(state=WebhookEvent.State.DEAD, next_try_at=None, waiting_slot=None)

    def die(pk: int) -> bool:
        raise SystemExit

    monkeypatch.setattr(inbox, "process", die)
    with pytest.raises(SystemExit):
        inbox.retry(event.pk)
    assert fresh(event).next_try_at is not None


def test_a_slot_that_is_always_taken_and_always_free_ends_as_busy(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*args: Any, **values: Any) -> WebhookEvent:
        raise IntegrityError("taken")

    monkeypatch.setattr(inbox, "_new", taken)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with pytest.raises(TryAgain):
        store(invoiceId=4711)


# What can be read


def test_an_object_id_that_no_key_can_have_is_no_object(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    Invoice.objects.update(object_id="no number")
    assert fresh(invoice).object is None


def test_the_reason_of_a_refund_stands_in_its_row_alone(sadad: Sadad, order: Order) -> None:
    invoice = paid(sadad, order)
    refund(invoice, "1.000", reason="Mrs Noor called")
    assert "Noor" not in str(list(invoice.events.values_list("params", "changes")))
    assert refund_book.left(fresh(invoice)) == Decimal("11.345")
