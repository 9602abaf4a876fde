"""Checkout: one open invoice for an object, whatever happens on the way (money-flow 3)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from django_sadadpay import (
    AlreadyPaid,
    InsideTransaction,
    NeedsAttention,
    NothingToPay,
    OutcomePending,
    Refused,
    TryAgain,
    cancel,
    checkout,
)
from django_sadadpay.gateway.errors import InvalidRequest, NotFound
from django_sadadpay.gateway.resources import InvoiceCalls
from django_sadadpay.models import Attention, Invoice
from django_sadadpay.services import checkout as service
from django_sadadpay.services import clock, opening, orphans, reconcile, transactions, transitions
from django_sadadpay.services.ledger import Origin
from django_sadadpay.testing.gateway import Sadad
from tests.services.conftest import fresh, waiting
from tests.shop.models import Order
from tests.shop.sadadpay import DonationPayable

State = Invoice.State
Shift = Callable[[float], None]
ORIGIN = Origin("reconcile")


def calls(sadad: Sadad) -> list[str]:
    return [name for name in sadad.calls() if not name.startswith("User/")]


# The normal path


def test_a_new_checkout_makes_two_calls_and_gives_the_pay_link(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    assert calls(sadad) == ["Invoice/insert", "Invoice/getbyid"]
    assert invoice.state == State.OPEN
    assert invoice.pay_url == sadad.control.invoice(invoice.sadad_id)["url"]


def test_with_a_warm_token_nothing_else_is_called(sadad: Sadad, order: Order, order_of: Any) -> None:
    checkout(order)
    sadad.control.clear_log()
    checkout(order_of("3.000"))
    assert sadad.calls() == ["Invoice/insert", "Invoice/getbyid"]


def test_what_is_sent_is_what_the_order_says(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    there = sadad.control.invoice(invoice.sadad_id)
    assert (there["ref_Number"], Decimal(str(there["amount"]))) == (invoice.reference, Decimal("12.345"))
    assert there["success_ReturnURL"] == there["fail_ReturnURL"]
    assert there["success_ReturnURL"] == f"https://shop.example/payments/return/{invoice.reference}/"
    assert there["customer_Name"] == "Noor Al-Sabah"
    assert [(i["name"], i["quantity"]) for i in there["items"]] == [("Coffee", 1)]


def test_the_same_order_gets_the_same_invoice_without_a_call(sadad: Sadad, order: Order) -> None:
    first = checkout(order)
    sadad.control.clear_log()
    assert checkout(fresh(order)).pk == first.pk
    assert sadad.calls() == []


def test_a_new_customer_name_does_not_make_a_new_invoice(sadad: Sadad, order: Order) -> None:
    first = checkout(order)
    Order.objects.update(customer_name="Somebody Else")
    assert checkout(fresh(order)).pk == first.pk


def test_the_reference_is_new_for_every_row_and_carries_the_order_number(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    assert invoice.reference.startswith("A-1-")
    assert len(invoice.reference) == 14


def test_a_payable_without_a_model_is_paid_by_its_key(sadad: Sadad, transactional_db: None) -> None:
    DonationPayable.given.clear()
    invoice = checkout("gift-7", name="donation")
    sadad.pay(invoice)
    assert sadad.deliver() == [200]
    assert DonationPayable.given == ["gift-7"]
    assert list(Invoice.objects.for_object("gift-7", name="donation")) == [invoice]


def test_the_invoices_of_an_object_are_found(sadad: Sadad, order: Order, order_of: Any) -> None:
    invoice = checkout(order)
    checkout(order_of("1.000"))
    assert list(Invoice.objects.for_object(order)) == [invoice]
    assert invoice.object == order


# Refused before anything is stored


def test_inside_a_transaction_it_is_refused(sadad: Sadad, order: Order) -> None:
    with transaction.atomic(), pytest.raises(InsideTransaction):
        checkout(order)
    assert sadad.calls() == []
    assert not Invoice.objects.exists()


def test_a_free_order_has_nothing_to_pay(sadad: Sadad, order_of: Any) -> None:
    with pytest.raises(NothingToPay):
        checkout(order_of("0.000"))


def test_an_order_that_may_not_be_paid_is_refused(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.shop.sadadpay.OrderPayable.can_pay", lambda self, obj, request: False)
    with pytest.raises(Refused, match="not_payable"):
        checkout(order)


def test_an_unregistered_name_is_refused(sadad: Sadad, order: Order) -> None:
    with pytest.raises(Refused, match="not_payable"):
        checkout(order, name="nobody")


def test_a_draft_that_cannot_be_sent_names_its_field(sadad: Sadad, order: Order) -> None:
    Order.objects.update(customer_name=" ")
    with pytest.raises(Refused) as caught:
        checkout(fresh(order))
    assert caught.value.field == "customer.name"
    assert "customer.name" in caught.value.sentence
    assert not Invoice.objects.exists()


def test_a_gateway_that_is_down_leaves_nothing_behind(sadad: Sadad, order: Order) -> None:
    sadad.emulator.stop()
    with pytest.raises(TryAgain):
        checkout(order)
    assert not Invoice.objects.exists()


def test_wrong_keys_ask_a_person_and_tell_the_buyer_to_try_again(
    sadad: Sadad, order: Order, settings: Any
) -> None:
    account = {**settings.SADADPAY["ACCOUNTS"]["default"], "CLIENT_SECRET": "cs_wrong"}
    settings.SADADPAY = {**settings.SADADPAY, "ACCOUNTS": {"default": account}}
    with pytest.raises(TryAgain):
        checkout(order)
    assert waiting() == [Attention.Code.KEYS_REFUSED]
    assert not Invoice.objects.exists()


# Refused by Sadad, or surely not sent


def test_a_refusal_of_sadad_frees_the_slot_and_says_why(sadad: Sadad, order: Order) -> None:
    sadad.control.faults.add("Invoice/insert", "refuse", times=1, error_key="CustomerNameRequired")
    with pytest.raises(Refused) as caught:
        checkout(order)
    assert caught.value.code == "CustomerNameRequired"
    assert Invoice.objects.get().state == State.REFUSED
    assert checkout(order).state == State.OPEN
    assert Invoice.objects.count() == 2


@pytest.mark.parametrize("fault", ["rate_limited", "unauthorized_401"])
def test_what_was_surely_not_done_may_be_tried_again(sadad: Sadad, order: Order, fault: str) -> None:
    checkout(order)
    Invoice.objects.update(state=State.CANCELLED, open_slot=None)
    sadad.control.faults.add("Invoice/insert", fault)
    with pytest.raises((TryAgain, Refused)):
        checkout(order)
    sadad.control.faults.clear()
    assert checkout(order).state == State.OPEN


def test_keys_refused_at_the_insert_ask_a_person(sadad: Sadad, order: Order) -> None:
    checkout(order)
    Invoice.objects.update(state=State.CANCELLED, open_slot=None)
    sadad.control.faults.add("Invoice/insert", "refuse", error_key="AccessPermissionDenied")
    with pytest.raises(TryAgain):
        checkout(order)
    assert waiting() == [Attention.Code.ACCESS_DENIED]
    assert Invoice.objects.order_by("pk").last().error_code == "not_sent"  # type: ignore[union-attr]  # two rows


def test_a_process_that_was_stopped_too_long_does_not_send(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_sadadpay.services.opening._SEND_WITHIN", -1.0)
    with pytest.raises(TryAgain):
        checkout(order)
    assert calls(sadad) == []
    assert Invoice.objects.get().state == State.REFUSED


@pytest.mark.parametrize("is_valid", [True, False])
def test_an_error_key_that_is_no_listed_refusal_is_looked_into(
    sadad: Sadad, order: Order, is_valid: bool
) -> None:
    sadad.control.faults.add("Invoice/insert", "refuse", error_key="SomethingNew", is_valid=is_valid)
    with pytest.raises(Refused, match="SomethingNew"):
        checkout(order)
    assert Invoice.objects.get().state == State.UNKNOWN  # reconcile goes on looking
    assert sadad.calls("Invoice/getall") == ["Invoice/getall"]


def test_a_foreign_answer_to_an_insert_is_a_refusal(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error in (NotFound("Invoice/insert"), InvalidRequest("Invoice/insert", "amount")):
        monkeypatch.setattr(InvoiceCalls, "insert", _raiser(error))
        with pytest.raises(Refused):
            checkout(order)
    assert set(Invoice.objects.values_list("state", flat=True)) == {State.REFUSED}


def _raiser(error: Exception) -> Any:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise error

    return fail


# Lost answers


def test_a_lost_answer_is_found_by_the_reference_and_adopted(sadad: Sadad, order: Order) -> None:
    sadad.control.faults.add("Invoice/insert", "cut_after", times=1)
    invoice = checkout(order)
    assert invoice.state == State.OPEN
    assert sadad.calls("Invoice/insert") == ["Invoice/insert"]
    assert Invoice.objects.count() == len(sadad.control.invoices()) == 1


@pytest.mark.parametrize("fault", ["error_before", "cut_before"])
def test_an_insert_that_never_happened_is_given_up_and_made_anew(
    sadad: Sadad, order: Order, fault: str
) -> None:
    sadad.control.faults.add("Invoice/insert", fault, times=1)
    invoice = checkout(order)
    assert invoice.state == State.OPEN
    unknown = Invoice.objects.get(state=State.UNKNOWN)
    assert unknown.open_slot is None
    assert unknown.reference != invoice.reference
    assert len(sadad.control.invoices()) == 1


def test_a_list_that_ignores_its_filter_still_finds_it(sadad: Sadad, order: Order, order_of: Any) -> None:
    checkout(order_of("1.000"))
    sadad.control.faults.add("Invoice/getall", "ignore_filter")
    sadad.control.faults.add("Invoice/insert", "error_after", times=1)
    invoice = checkout(order)
    assert invoice.state == State.OPEN
    assert len(sadad.control.invoices()) == 2


def test_two_lost_answers_are_left_to_background_work(sadad: Sadad, order: Order) -> None:
    sadad.control.faults.add("Invoice/insert", "cut_after")
    sadad.control.faults.add("Invoice/getall", "error_before")
    with pytest.raises(OutcomePending):
        checkout(order)
    assert sadad.calls("Invoice/insert") == ["Invoice/insert"] * 2
    assert set(Invoice.objects.values_list("state", flat=True)) == {State.UNKNOWN}


def test_an_orphan_is_deleted_by_reconcile(sadad: Sadad, order: Order, sadad_clock: Shift) -> None:
    sadad.control.faults.add("Invoice/insert", "cut_after", times=1)
    sadad.control.faults.add("Invoice/getall", "error_before", times=3)
    invoice = checkout(order)
    orphan = Invoice.objects.get(state=State.UNKNOWN)
    sadad_clock(600)
    reconcile.run()
    orphan = fresh(orphan)
    assert orphan.state == State.LOST
    assert sadad.control.invoice(orphan.sadad_id)["deleted"] is True
    assert fresh(invoice).state == State.OPEN


def test_a_paid_orphan_is_recorded_by_its_reference(sadad: Sadad, order: Order, sadad_clock: Shift) -> None:
    sadad.control.faults.add("Invoice/insert", "cut_after", times=1)
    sadad.control.faults.add("Invoice/getall", "error_before", times=3)
    invoice = checkout(order)
    (orphan_id,) = {str(row["id"]) for row in sadad.control.invoices()} - {invoice.sadad_id}
    sadad.control.pay(orphan_id)
    sadad_clock(600)
    reconcile.run()
    assert Invoice.objects.get(sadad_id=orphan_id).is_applied
    assert fresh(order).paid_calls == 1
    reconcile.run()
    assert fresh(invoice).state == State.CANCELLED


def test_an_orphan_that_is_never_found_is_given_up_in_the_end(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    sadad.control.faults.add("Invoice/insert", "cut_before", times=1)
    checkout(order)
    orphan = Invoice.objects.get(state=State.UNKNOWN)
    orphans.resolve(orphan, ORIGIN)
    assert fresh(orphan).state == State.UNKNOWN
    sadad_clock(12 * 24 * 3600)
    orphans.resolve(orphan, ORIGIN)
    assert fresh(orphan).state == State.LOST
    assert fresh(orphan).next_check_at is None


def test_an_unreadable_read_back_goes_on_from_there_next_time(sadad: Sadad, order: Order) -> None:
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    with pytest.raises(OutcomePending):
        checkout(order)
    assert Invoice.objects.get().state == State.NEW
    sadad.control.faults.clear()
    invoice = checkout(order)
    assert invoice.state == State.OPEN
    assert sadad.calls("Invoice/insert") == ["Invoice/insert"]


def test_a_webhook_between_insert_and_answer_settles_the_row(sadad: Sadad, order: Order) -> None:
    """The answer is lost, the buyer of another tab pays, the webhook comes first: it matches by reference."""
    sadad.control.faults.add("Invoice/insert", "cut_after")
    sadad.control.faults.add("Invoice/getall", "error_before")
    with pytest.raises(OutcomePending):
        checkout(order)
    sadad.control.faults.clear()
    there = sadad.control.invoices()[0]
    sadad.control.pay(there["id"])
    assert sadad.deliver() == [200]
    assert Invoice.objects.get(sadad_id=str(there["id"])).is_applied
    with pytest.raises(AlreadyPaid):
        checkout(order)


def test_a_row_paid_before_it_is_read_back_is_returned_paid(sadad: Sadad, order: Order) -> None:
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    with pytest.raises(OutcomePending):
        checkout(order)
    sadad.control.faults.clear()
    sadad.control.pay(sadad.control.invoices()[0]["id"])
    invoice = checkout(order)
    assert invoice.is_paid
    assert fresh(order).paid_calls == 1


def test_a_maker_that_died_before_its_call_loses_the_slot(
    sadad: Sadad, order: Order, sadad_clock: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "send", _die)
    with pytest.raises(KeyboardInterrupt):
        checkout(order)
    monkeypatch.undo()
    sadad_clock(130)
    invoice = checkout(order)
    assert invoice.state == State.OPEN
    assert Invoice.objects.filter(state=State.UNKNOWN).count() == 1


def _die(*args: Any, **kwargs: Any) -> Any:
    raise KeyboardInterrupt


def test_while_another_request_is_at_it_the_buyer_is_asked_to_wait(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "send", _die)
    with pytest.raises(KeyboardInterrupt):
        checkout(order)
    monkeypatch.undo()
    monkeypatch.setattr(service, "_PATIENCE", 0.3)
    with pytest.raises(OutcomePending):
        checkout(order)


def test_a_decision_that_never_settles_ends(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_decide", lambda *args, **values: service.Step("again"))
    with pytest.raises(OutcomePending):
        checkout(order)


# Superseding


def test_a_changed_basket_deletes_the_old_invoice_and_makes_a_new_one(sadad: Sadad, order: Order) -> None:
    old = checkout(order)
    order.lines.update(price=Decimal("20.000"))
    Order.objects.update(amount=Decimal("20.000"))
    new = checkout(fresh(order))
    assert new.amount == Decimal("20.000")
    assert fresh(old).state == State.CANCELLED
    assert sadad.control.invoice(old.sadad_id)["deleted"] is True
    assert fresh(order).status == "new"  # the shop is not told of a cancellation that is none


def test_other_lines_of_the_same_amount_are_another_basket(sadad: Sadad, order: Order) -> None:
    old = checkout(order)
    order.lines.update(name="Tea")
    assert checkout(order).pk != old.pk


def test_superseding_a_paid_invoice_says_already_paid(sadad: Sadad, order: Order) -> None:
    old = checkout(order)
    sadad.pay(old)
    order.lines.update(name="Tea")
    with pytest.raises(AlreadyPaid):
        checkout(order)
    assert fresh(order).paid_calls == 1


def test_superseding_an_invoice_paid_with_another_amount_asks_a_person(sadad: Sadad, order: Order) -> None:
    old = checkout(order)
    sadad.pay(old)
    order.lines.update(price=Decimal("20.000"))
    Order.objects.update(amount=Decimal("20.000"))
    with pytest.raises(NeedsAttention):
        checkout(fresh(order))
    assert waiting(old) == [Attention.Code.AMOUNT_CHANGED]
    assert fresh(order).paid_calls == 0
    with pytest.raises(NeedsAttention):
        checkout(fresh(order))


def test_an_invoice_that_sadad_will_not_delete_is_watched_and_replaced(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    old = checkout(order)
    sadad.control.faults.add("Invoice/delete", "refuse", error_key="InvoiceCannotBeDeleted")
    order.lines.update(name="Tea")
    new = checkout(order)
    assert (fresh(old).state, new.state) == (State.CANCELLED, State.OPEN)
    sadad.pay(old)
    sadad_clock(24 * 3600)
    reconcile.run()
    assert fresh(old).is_applied
    assert fresh(order).paid_calls == 1
    sadad.control.faults.clear()
    sadad_clock(3600)
    reconcile.run()
    assert fresh(new).state == State.CANCELLED


def test_a_gateway_that_is_down_while_superseding_is_tried_again(sadad: Sadad, order: Order) -> None:
    old = checkout(order)
    order.lines.update(name="Tea")
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    with pytest.raises(TryAgain):
        checkout(order)
    assert fresh(old).state == State.SUPERSEDING
    sadad.control.faults.clear()
    assert checkout(order).state == State.OPEN
    assert fresh(old).state == State.CANCELLED


def test_an_invoice_in_its_last_hour_is_not_handed_out(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    old = checkout(order)
    left = (old.expires_at - clock.now()).total_seconds()
    sadad_clock(left - 1800)
    assert checkout(order).pk != old.pk


# Already paid, waiting, parked


def test_a_paid_order_is_not_paid_again(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    sadad.pay(invoice)
    sadad.deliver()
    with pytest.raises(AlreadyPaid) as caught:
        checkout(order)
    assert caught.value.invoice == invoice


def test_a_payment_whose_hook_failed_waits_for_a_person(sadad: Sadad, order: Order) -> None:
    Order.objects.update(behaviour="raise")
    invoice = checkout(order)
    sadad.pay(invoice)
    sadad.deliver()
    with pytest.raises(NeedsAttention):
        checkout(order)


def test_a_payment_that_counts_but_is_not_yet_told_is_already_paid(sadad: Sadad, order: Order) -> None:
    Order.objects.update(behaviour="raise")
    invoice = checkout(order)
    sadad.pay(invoice)
    sadad.deliver()
    Attention.objects.update(resolved_at=clock.now(), open_slot=None)
    with pytest.raises(AlreadyPaid):
        checkout(order)


def test_an_account_that_went_live_gets_a_new_invoice(sadad: Sadad, order: Order, settings: Any) -> None:
    old = checkout(order)
    account = {**settings.SADADPAY["ACCOUNTS"]["default"], "ENVIRONMENT": "live"}
    settings.SADADPAY = {**settings.SADADPAY, "ACCOUNTS": {"default": account}}
    new = checkout(order)
    assert new.environment == "live"
    assert (fresh(old).state, fresh(old).error_code) == (State.CANCELLED, "parked")
    sadad.control.clear_log()
    Invoice.objects.update(next_check_at=clock.now())
    reconcile.run()
    assert sadad.calls("Invoice/getbyid") == ["Invoice/getbyid"]  # the live one alone


def test_a_payment_applied_between_decision_and_commit_stops_the_send(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interleaving: an old invoice is settled after we looked for applied payments and before our row is
    committed.
    """
    old = checkout(order)
    Invoice.objects.update(state=State.CANCELLED, open_slot=None)
    sadad.pay(old)
    monkeypatch.setattr(service, "_refuse_if_settled", lambda plan: sadad.deliver() and None)
    original = service._start

    def start(*args: Any) -> Any:
        step = original(*args)
        monkeypatch.undo()
        sadad.deliver()
        return step

    monkeypatch.setattr(service, "_refuse_if_settled", lambda plan: None)
    monkeypatch.setattr(service, "_start", start)
    with pytest.raises(AlreadyPaid):
        checkout(order)
    assert sadad.calls("Invoice/insert") == ["Invoice/insert"]
    assert Invoice.objects.order_by("-pk")[0].state == State.REFUSED


def test_a_payment_applied_while_the_new_row_is_being_made_withdraws_it(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch, sadad_clock: Shift
) -> None:
    """Interleaving: the old invoice is settled after our last look, before insert is answered."""
    old = checkout(order)
    Invoice.objects.update(state=State.CANCELLED, open_slot=None)
    sadad.pay(old)
    original = opening.send

    def send(*args: Any) -> Any:
        sadad.deliver()
        return original(*args)

    monkeypatch.setattr(opening, "send", send)
    with pytest.raises(AlreadyPaid):
        checkout(order)
    sadad_clock(300)
    reconcile.run()
    newer = Invoice.objects.order_by("-pk")[0]
    assert newer.state == State.CANCELLED
    assert sadad.control.invoice(newer.sadad_id)["deleted"] is True
    assert fresh(order).paid_calls == 1


# Cancel


def test_cancel_deletes_at_sadad_and_tells_the_shop(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    assert cancel(invoice).state == State.CANCELLED
    assert sadad.control.invoice(invoice.sadad_id)["deleted"] is True
    assert fresh(order).status == "cancelled"


def test_cancel_of_a_paid_invoice_says_already_paid(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    sadad.pay(invoice)
    with pytest.raises(AlreadyPaid):
        cancel(invoice)
    assert fresh(order).paid_calls == 1
    with pytest.raises(AlreadyPaid):
        cancel(invoice)


def test_cancel_that_sadad_refuses_leaves_it_open(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    sadad.control.faults.add("Invoice/delete", "refuse", error_key="InvoiceCannotBeDeleted")
    with pytest.raises(Refused, match="cannot_cancel"):
        cancel(invoice)
    assert fresh(invoice).state == State.OPEN
    assert fresh(order).status == "new"


def test_cancel_of_an_ended_invoice_is_refused(sadad: Sadad, order: Order) -> None:
    invoice = cancel(checkout(order))
    with pytest.raises(Refused, match="not_open"):
        cancel(invoice)


def test_cancel_while_sadad_is_away_is_finished_in_the_background(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    invoice = checkout(order)
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    with pytest.raises(TryAgain):
        cancel(invoice)
    sadad.control.faults.clear()
    sadad_clock(300)
    reconcile.run()
    assert fresh(invoice).state == State.CANCELLED
    assert fresh(order).status == "cancelled"


def test_a_withdrawal_of_a_row_in_the_making_waits_until_it_is_made(order: Order, sadad: Sadad) -> None:
    invoice = checkout(order)
    Invoice.objects.update(state=State.NEW)
    for _ in range(2):
        transactions.run(lambda: transitions.withdraw(invoice.pk, ORIGIN, Invoice.Closing.PAID))
    assert (fresh(invoice).state, fresh(invoice).closing) == (State.NEW, "paid")
    assert fresh(invoice).events.filter(kind="withdrawn").count() == 1
