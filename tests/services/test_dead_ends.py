"""No dead ends: what a second review found to lock an order out, or to act on a reply not believed."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError

from django_sadadpay import (
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
from django_sadadpay.models import Attention, Invoice, Refund
from django_sadadpay.services import (
    cases,
    clock,
    hooks,
    opening,
    reconcile,
    refund_book,
    refunds,
    transactions,
    transitions,
)
from django_sadadpay.services import checkout as service
from django_sadadpay.services.verify import finish_after
from django_sadadpay.testing.gateway import Sadad
from tests.services.conftest import fresh, waiting
from tests.services.test_corners import DAY, ORIGIN, change_basket, hook, paid
from tests.shop.models import Order

State, Code = Invoice.State, Attention.Code
Shift = Callable[[float], None]
NOT_EXIST = {"error_key": "InvoiceNotExist"}
DENIED = {"error_key": "AccessPermissionDenied", "status": 401}


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_PATIENCE", 0.3)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


def locked(*args: Any) -> None:
    raise OperationalError("database is locked")


def dismiss_all(by: User) -> None:
    for case in Attention.objects.filter(resolved_at=None):
        cases.act(case, "dismiss", by=by)


# Refunds on replies that were not believed


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ({"path": "refunded_Amount", "value": 12.4}, Refund.State.REQUESTED),
        ({"path": "amount", "value": 1.0}, Refund.State.REQUESTED),
        ({"path": "ref_Number", "value": "POS-1"}, Refund.State.REQUESTED),
        ({"path": "status", "value": "Refunded"}, Refund.State.REQUESTED),
    ],
)
def test_a_reply_that_is_not_believed_is_no_ground_to_send_a_refund(
    sadad: Sadad, order: Order, fault: dict[str, Any], state: str
) -> None:
    invoice = paid(sadad, order)
    sadad.control.faults.add("Invoice/getbyid", "reply_field", **fault)
    row = refund(invoice, "12.345", reason="a")
    assert (row.state, sadad.calls("Refund/insert")) == (state, [])
    assert len(waiting()) == 1
    assert row.next_check_at is not None


def test_a_refund_held_back_is_sent_once_sadad_is_believed_again(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    invoice = paid(sadad, order)
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="amount", value=1.0)
    row = refund(invoice, "1.000", reason="a")
    sadad.control.faults.clear()
    sadad_clock(600)
    reconcile.run()
    assert (fresh(row).state, waiting()) == (Refund.State.DONE, [])


def test_sadads_word_refunded_ends_a_waiting_refund_if_the_difference_was_waived_for_another(
    sadad: Sadad, order: Order, admin_user: User
) -> None:
    invoice = paid(sadad, order)
    sadad.control.set_status(invoice.sadad_id, "Refunded")
    verify(invoice)
    with pytest.raises(Refused, match="nothing_left"):
        refund(invoice, "1.000", reason="a")
    dismiss_all(admin_user)
    assert refunds.left(fresh(invoice)) == Decimal("12.345")


def test_a_refund_asked_for_before_sadad_said_refunded_is_refused(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = paid(sadad, order)
    monkeypatch.setattr(refund_book, "is_held", lambda invoice: False)
    sadad.control.set_status(invoice.sadad_id, "Refunded")
    assert refund(invoice, "1.000", reason="a").error_code == "exceeds_left"


def test_a_word_and_an_impossible_figure_are_one_case(sadad: Sadad, order: Order, admin_user: User) -> None:
    invoice = paid(sadad, order)
    sadad.control.set_status(invoice.sadad_id, "Refunded")
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="refunded_Amount", value=99)
    for _ in range(3):
        verify(invoice)
    assert invoice.events.filter(kind="fact_refused").count() == 1
    dismiss_all(admin_user)
    verify(invoice)
    assert waiting() == []


@pytest.mark.parametrize(
    ("endpoint", "state"), [("Refund/insert", "refused"), ("Invoice/getbyid", "requested")]
)
def test_missing_rights_on_the_way_of_a_refund_ask_a_person(
    sadad: Sadad, order: Order, endpoint: str, state: str
) -> None:
    invoice = paid(sadad, order)
    sadad.control.faults.add(endpoint, "refuse", **DENIED)
    assert refund(invoice, "1.000", reason="a").state == state
    assert waiting() == [Code.ACCESS_DENIED]


# Hooks that always meet locks


def test_refunds_are_recorded_though_their_hook_always_meets_a_lock(
    sadad: Sadad, order: Order, sadad_clock: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = paid(sadad, order)
    hook(monkeypatch, refunded=locked)
    row = refund(invoice, "2.000", reason="a")
    sadad.control.refund(invoice.sadad_id, "5.000")
    sadad_clock(DAY)
    reconcile.run()
    assert (row.state, fresh(invoice).refunded_amount) == (Refund.State.DONE, Decimal("7.000"))
    assert waiting() == [Code.REFUND_HOOK_FAILED] * 2
    monkeypatch.undo()
    for _ in range(2):
        sadad_clock(DAY)
        reconcile.run()
    assert (fresh(order).refunded, waiting()) == (Decimal("7.000"), [])


def test_a_cancellation_is_recorded_though_its_hook_always_meets_a_lock(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = checkout(order)
    hook(monkeypatch, cancelled=locked)
    assert cancel(invoice).state == State.CANCELLED
    assert waiting() == [Code.END_HOOK_FAILED]


def test_after_a_deferred_run_hooks_are_called_again(order: Order, sadad: Sadad) -> None:
    runs: list[bool] = []

    def block() -> None:
        runs.append(hooks._deferred.get())
        if len(runs) <= transactions.TRIES:
            raise OperationalError("database is locked")

    hooks.run(block)
    assert (runs[-1], hooks._deferred.get()) == (True, False)


# Rows in the making that never become ours


def test_an_id_that_sadad_does_not_know_frees_the_order(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    sadad.control.faults.add("Invoice/getbyid", "refuse", **NOT_EXIST)
    with pytest.raises(OutcomePending):
        checkout(order)
    sadad_clock(600)
    reconcile.run()
    row = Invoice.objects.order_by("pk")[0]
    assert (row.state, row.open_slot) == (State.UNKNOWN, None)
    sadad.control.faults.clear()
    assert checkout(order).state == State.OPEN


@pytest.mark.parametrize(
    ("path", "value"), [("status", "Processing"), ("amount", 1.0), ("ref_Number", "POS-1")]
)
def test_a_new_row_that_a_person_has_dealt_with_frees_the_order(
    sadad: Sadad, order: Order, sadad_clock: Shift, admin_user: User, path: str, value: Any
) -> None:
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path=path, value=value, times=20)
    with pytest.raises(NeedsAttention):
        checkout(order)
    dismiss_all(admin_user)
    sadad_clock(DAY)
    reconcile.run()
    assert not Invoice.objects.filter(state=State.NEW).exists()
    sadad.control.faults.clear()
    assert checkout(order).state == State.OPEN


def test_a_stuck_row_met_at_checkout_is_given_up_there(sadad: Sadad, order: Order, admin_user: User) -> None:
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="status", value="Processing")
    with pytest.raises(NeedsAttention):
        checkout(order)
    dismiss_all(admin_user)
    Invoice.objects.update(busy_until=None)
    with pytest.raises((NeedsAttention, OutcomePending)):
        checkout(order)
    assert Invoice.objects.order_by("pk")[0].state == State.UNKNOWN


def test_a_strangers_invoice_that_insert_named_is_never_deleted(
    sadad: Sadad, order: Order, sadad_clock: Shift, admin_user: User
) -> None:
    stranger = sadad.control.create("1.000", ref_Number="POS-9")
    sadad.control.faults.add("Invoice/insert", "wrong_id", times=1)
    with pytest.raises(NeedsAttention):
        checkout(order)
    dismiss_all(admin_user)
    for _ in range(3):
        sadad_clock(DAY)
        reconcile.run()
    assert sadad.control.invoice(stranger["id"])["deleted"] is False
    assert waiting() == [Code.ID_CONFLICT]  # our own invoice was found beside it: a person is told


# Rights and keys


def test_an_account_that_may_not_delete_still_sells(sadad: Sadad, order: Order) -> None:
    old = checkout(order)
    sadad.control.faults.add("Invoice/delete", "refuse", **DENIED)
    new = checkout(change_basket(order))
    assert (fresh(old).state, new.state, waiting()) == (State.CANCELLED, State.OPEN, [Code.ACCESS_DENIED])
    with pytest.raises(Refused, match="cannot_cancel"):
        cancel(new)
    assert fresh(new).state == State.OPEN


def test_refused_keys_while_deleting_are_no_refusal(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django_sadadpay.gateway.resources import InvoiceCalls

    invoice = checkout(order)

    def refuse(*args: Any, **values: Any) -> None:
        raise AuthenticationError("User/GenerateAccessToken")

    monkeypatch.setattr(InvoiceCalls, "delete", refuse)
    with pytest.raises(TryAgain):
        cancel(invoice)
    assert fresh(invoice).state == State.SUPERSEDING


def test_refused_keys_cost_a_run_one_row_not_all(
    sadad: Sadad, order_of: Any, sadad_clock: Shift, settings: Any
) -> None:
    for _ in range(6):
        checkout(order_of("1.000"))
    bad = {**settings.SADADPAY["ACCOUNTS"]["default"], "CLIENT_SECRET": "cs_wrong"}
    settings.SADADPAY = {**settings.SADADPAY, "ACCOUNTS": {"default": bad}}
    sadad.control.revoke_tokens()
    sadad_clock(DAY + 3600)
    sadad.control.clear_log()
    report = reconcile.run()
    assert report.failed == {"invoice": 1}
    assert report.refused == {("default", "sandbox")}
    assert waiting() == [Code.KEYS_REFUSED]


# Called paid by a reply that was not believed


def test_an_invoice_that_may_be_paid_is_not_handed_out_again(
    sadad: Sadad, order: Order, admin_user: User
) -> None:
    invoice = checkout(order)
    sadad.pay(invoice)
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="amount", value=10.0)
    verify(invoice)
    with pytest.raises(NeedsAttention):
        checkout(order)
    dismiss_all(admin_user)
    sadad.control.faults.clear()
    again = checkout(order)
    assert (again.pk != invoice.pk, fresh(invoice).state) == (True, State.CANCELLED)
    assert fresh(order).status == "new"


def test_an_order_is_not_told_that_an_invoice_ran_out_which_may_be_paid(
    sadad: Sadad, order: Order, admin_user: User
) -> None:
    invoice = checkout(order)
    sadad.pay(invoice)
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="amount", value=10.0)
    verify(invoice)
    dismiss_all(admin_user)
    row = fresh(invoice)
    transactions.run(lambda: transitions.close(row, State.EXPIRED, ORIGIN, clock.now()))
    assert fresh(order).status == "new"


# Small ones


def test_a_doubt_whose_looks_fail_is_not_looked_at_every_minute(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    invoice = paid(sadad, order)
    sadad.control.set_status(invoice.sadad_id, "Unpaid")
    verify(invoice)
    sadad.control.faults.add("Invoice/getbyid", "refuse", **NOT_EXIST)
    sadad_clock(2 * DAY)
    reconcile.run()
    assert (fresh(invoice).next_check_at - clock.now()).total_seconds() > 3600


def test_the_others_of_a_paid_order_may_be_parked(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = paid(sadad, order)

    def parked(*args: Any) -> None:
        raise Refused("parked")

    monkeypatch.setattr("django_sadadpay.services.cancelling.finish_withdrawn", parked)
    finish_after(invoice, ORIGIN)


def test_a_due_that_is_a_float_says_so(sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    hook(monkeypatch, due=lambda obj: 12.345)
    paid(sadad, order)
    assert Attention.objects.get().params == {"error": "MoneyError"}


def test_a_row_that_was_read_and_is_ours_is_not_given_up(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    assert opening.give_up_if_stuck(invoice, ORIGIN).state == State.OPEN


def test_a_duplicate_may_be_counted_once_the_other_payment_was_released(
    sadad: Sadad, order: Order, admin_user: User
) -> None:
    Order.objects.update(behaviour="cannot")
    first = paid(sadad, order)
    Attention.objects.update(resolved_at=clock.now(), open_slot=None)
    twin = Invoice.objects.get(pk=first.pk)
    Order.objects.update(behaviour="")
    twin = _another_paid(sadad, order, first)
    assert waiting(twin) == [Code.PAID_TWICE]
    refund(first, reason="sold out")
    cases.act(Attention.objects.get(resolved_at=None, code=Code.PAID_TWICE), "apply", by=admin_user)
    assert (fresh(twin).is_applied, fresh(order).paid_calls) == (True, 1)


def _another_paid(sadad: Sadad, order: Order, first: Invoice) -> Invoice:
    """A second invoice of the order, made while the first did not count yet."""
    slot = first.paid_slot
    Invoice.objects.filter(pk=first.pk).update(paid_slot=None)
    second = checkout(order)
    Invoice.objects.filter(pk=first.pk).update(paid_slot=slot)
    sadad.pay(second)
    return verify(second)
