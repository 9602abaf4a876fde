"""Refunds: each row reaches Sadad at most once, and the sum never passes what was paid (money-flow 5)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from django_sadadpay import InsideTransaction, checkout, refund, verify
from django_sadadpay.gateway.errors import InvalidRequest
from django_sadadpay.models import Attention, Invoice, Refund
from django_sadadpay.services import clock, reconcile, refund_book, refunds, transactions
from django_sadadpay.services.errors import Refused
from django_sadadpay.services.ledger import Origin
from django_sadadpay.testing.gateway import Sadad
from tests.services.conftest import fresh, waiting
from tests.shop.models import Order

State, Code = Refund.State, Attention.Code
Shift = Callable[[float], None]
ORIGIN = Origin("reconcile")
HOUR = 3600


@pytest.fixture
def paid(sadad: Sadad, order: Order) -> Invoice:
    """A paid invoice of 12.345 KWD whose order was told."""
    invoice = checkout(order)
    sadad.pay(invoice)
    sadad.deliver()
    return Invoice.objects.get(pk=invoice.pk)


def sent(sadad: Sadad) -> list[str]:
    """Amounts of the authenticated Refund/insert calls."""
    log = [c for c in sadad.control.log if c.endpoint == "Refund/insert" and c.authenticated]
    return [str(call.body["amount"]) for call in log]


# The normal path


def test_a_partial_refund_is_sent_once_and_the_order_is_told(
    sadad: Sadad, paid: Invoice, admin_user: Any
) -> None:
    row = refund(paid, "2.345", reason="returned", by=admin_user, key="k1")
    assert (row.state, row.amount, row.by_name) == (State.DONE, Decimal("2.345"), "admin")
    assert sent(sadad) == ["2.345"]
    assert fresh(paid).refunded_amount == Decimal("2.345")
    order = Order.objects.get()
    assert (order.refunded, order.refund_calls) == (Decimal("2.345"), 1)
    assert refunds.left(fresh(paid)) == Decimal("10.000")


def test_without_an_amount_all_that_is_left_is_refunded(sadad: Sadad, paid: Invoice) -> None:
    refund(paid, Decimal("2.345"), reason="a")
    assert refund(paid, reason="b").amount == Decimal("10.000")
    assert verify(paid).status_text == "Refunded"
    with pytest.raises(Refused, match="nothing_left"):
        refund(paid, reason="c")


def test_the_same_key_gives_the_same_refund(sadad: Sadad, paid: Invoice) -> None:
    first = refund(paid, "1.000", reason="a", key="form-1")
    assert refund(paid, "1.000", reason="a", key="form-1").pk == first.pk
    assert refund(paid, reason="a", key="form-1").pk == first.pk
    assert sent(sadad) == ["1.000"]
    with pytest.raises(Refused, match="key_used"):
        refund(paid, "2.000", reason="a", key="form-1")


# Refused here


@pytest.mark.parametrize("amount", ["0", "-1", "1.2345", "NaN", "x"])
def test_an_amount_that_cannot_be_is_refused(sadad: Sadad, paid: Invoice, amount: str) -> None:
    with pytest.raises(Refused, match="bad_amount"):
        refund(paid, amount, reason="a")


def test_a_float_is_refused(sadad: Sadad, paid: Invoice) -> None:
    with pytest.raises(Refused, match="bad_amount"):
        refund(paid, 1.5, reason="a")  # type: ignore[arg-type]  # what a shop might do


def test_more_than_is_left_is_refused(sadad: Sadad, paid: Invoice) -> None:
    with pytest.raises(Refused, match="exceeds_left"):
        refund(paid, "12.346", reason="a")
    assert not Refund.objects.exists()


def test_an_unpaid_invoice_is_not_refunded(sadad: Sadad, order: Order) -> None:
    with pytest.raises(Refused, match="not_paid"):
        refund(checkout(order), "1.000", reason="a")


def test_a_parked_invoice_is_not_refunded(sadad: Sadad, paid: Invoice, settings: Any) -> None:
    settings.SADADPAY = {**settings.SADADPAY, "ACCOUNTS": {"x": settings.SADADPAY["ACCOUNTS"]["default"]}}
    with pytest.raises(Refused, match="parked"):
        refund(paid, "1.000", reason="a")


def test_inside_a_transaction_it_is_refused(sadad: Sadad, paid: Invoice) -> None:
    with transaction.atomic(), pytest.raises(InsideTransaction):
        refund(paid, "1.000", reason="a")


# Refused by Sadad, or surely not sent


def test_a_listed_refusal_ends_it_and_frees_the_amount(sadad: Sadad, paid: Invoice) -> None:
    sadad.control.balance = "0"
    row = refund(paid, "5.000", reason="a")
    assert (row.state, row.error_code) == (State.REFUSED, "VendorBalanceLessThanInvoiceAmount")
    assert refunds.left(fresh(paid)) == paid.amount


def test_a_connection_that_never_opened_ends_it_as_not_sent(
    sadad: Sadad, paid: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = refunds._claim

    def claim(*args: Any) -> Any:
        row = real(*args)
        sadad.emulator.stop()
        return row

    monkeypatch.setattr(refunds, "_claim", claim)
    row = refund(paid, "5.000", reason="a")
    assert (row.state, row.error_code) == (State.REFUSED, "not_sent")


def test_a_request_that_we_ourselves_refuse_is_not_sent(
    sadad: Sadad, paid: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(row: Refund) -> Any:
        raise InvalidRequest("Refund/insert", "invoice_Id")

    monkeypatch.setattr(refunds, "_insert", refuse)
    assert refund(paid, "5.000", reason="a").error_code == "not_sent"


def test_a_process_that_was_stopped_too_long_does_not_send(
    sadad: Sadad, paid: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refunds, "_SEND_WITHIN", -1.0)
    row = refund(paid, "5.000", reason="a")
    assert (row.state, row.error_code, sent(sadad)) == (State.REFUSED, "not_sent", [])


def test_a_token_refused_once_is_renewed_and_the_refund_reaches_sadad_once(
    sadad: Sadad, paid: Invoice
) -> None:
    sadad.control.revoke_tokens("access")
    assert refund(paid, "5.000", reason="a").state in (State.DONE, State.REQUESTED, State.REFUSED)
    assert len(sadad.control.refunds()) <= 1


def test_before_sending_nothing_is_lost_when_sadad_is_away(
    sadad: Sadad, paid: Invoice, sadad_clock: Shift
) -> None:
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    row = refund(paid, "5.000", reason="a")
    assert row.state == State.REQUESTED
    assert refunds.left(fresh(paid)) == Decimal("7.345")  # reserved
    sadad.control.faults.clear()
    sadad_clock(600)
    reconcile.run()
    assert (fresh(row).state, sent(sadad)) == (State.DONE, ["5.000"])


def test_a_refusal_found_in_the_background_is_told_to_a_person(
    sadad: Sadad, paid: Invoice, sadad_clock: Shift
) -> None:
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    row = refund(paid, "5.000", reason="a")
    sadad.control.faults.clear()
    sadad.control.balance = "0"
    sadad_clock(600)
    reconcile.run()
    assert (fresh(row).state, waiting()) == (State.REFUSED, [Code.REFUND_REFUSED])


def test_what_was_refunded_in_the_panel_meanwhile_is_not_sent_again(
    sadad: Sadad, paid: Invoice, sadad_clock: Shift
) -> None:
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    row = refund(paid, "5.000", reason="a")
    sadad.control.refund(paid.sadad_id, "10.000")
    sadad.control.faults.clear()
    sadad_clock(600)
    reconcile.run()
    assert (fresh(row).state, fresh(row).error_code, sent(sadad)) == (State.REFUSED, "exceeds_left", [])


# Lost answers


@pytest.mark.parametrize("fault", ["cut_after", "error_after", "unreadable"])
def test_a_lost_answer_is_found_by_looking_and_never_sent_again(
    sadad: Sadad, paid: Invoice, sadad_clock: Shift, fault: str
) -> None:
    sadad.control.faults.add("Refund/insert", fault)
    row = refund(paid, "3.000", reason="a")
    assert row.state == State.UNKNOWN
    for _ in range(3):
        sadad_clock(600)
        reconcile.run()
    assert (fresh(row).state, sent(sadad)) == (State.DONE, ["3.000"])
    assert Order.objects.get().refund_calls == 1
    assert fresh(paid).refunded_amount == Decimal("3.000")


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("cut_before", {}),
        ("error_before", {}),
        ("refuse", {"error_key": "Error "}),
        ("refuse", {"error_key": "SomethingNew"}),
        ("refuse", {"error_key": "UnauthorizedAccess"}),
        ("rate_limited", {}),
    ],
)
def test_what_is_no_clear_refusal_stays_unknown_until_a_person_decides(
    sadad: Sadad, paid: Invoice, sadad_clock: Shift, admin_user: Any, fault: str, options: dict[str, Any]
) -> None:
    sadad.control.faults.add("Refund/insert", fault, **options)
    row = refund(paid, "3.000", reason="a")
    assert row.state == State.UNKNOWN
    sadad_clock(HOUR)
    reconcile.run()
    assert (fresh(row).state, waiting()) == (State.UNKNOWN, [])
    sadad_clock(73 * HOUR)
    reconcile.run()
    assert waiting() == [Code.REFUND_UNKNOWN]
    assert refunds.left(fresh(paid)) == Decimal("9.345")
    refunds.decide(row.pk, happened=False, by=admin_user)
    assert (fresh(row).state, waiting()) == (State.DID_NOT_HAPPEN, [])
    assert refunds.left(fresh(paid)) == paid.amount
    assert len(sent(sadad)) <= 1
    with pytest.raises(Refused, match="no_longer_waiting"):
        refunds.decide(row.pk, happened=True, by=admin_user)


def test_a_person_who_says_that_it_happened_tells_the_order(
    sadad: Sadad, paid: Invoice, admin_user: Any
) -> None:
    sadad.control.faults.add("Refund/insert", "cut_before")
    row = refund(paid, "3.000", reason="a")
    refunds.decide(row.pk, happened=True, by=admin_user)
    assert (fresh(row).state, fresh(row).decided_by_name) == (State.DONE, "admin")
    assert Order.objects.get().refund_calls == 1


def test_a_figure_that_fits_nothing_asks_at_once(sadad: Sadad, paid: Invoice) -> None:
    sadad.control.faults.add("Refund/insert", "cut_before")
    refund(paid, "3.000", reason="a")
    sadad.control.refund(paid.sadad_id, "1.000")
    verify(paid)
    assert waiting() == [Code.REFUND_UNKNOWN]
    assert Refund.objects.filter(source="panel").count() == 0  # growth belongs to ours first


def test_one_that_did_not_happen_after_all_leaves_the_growth_to_the_panel(
    sadad: Sadad, paid: Invoice, admin_user: Any
) -> None:
    sadad.control.faults.add("Refund/insert", "cut_before")
    row = refund(paid, "3.000", reason="a")
    sadad.control.refund(paid.sadad_id, "1.000")
    verify(paid)
    refunds.decide(row.pk, happened=False, by=admin_user)
    panel = Refund.objects.get(source="panel")
    assert panel.amount == Decimal("1.000")
    assert refunds.left(fresh(paid)) == Decimal("11.345")


def test_an_empty_refund_id_is_not_taken_for_done(sadad: Sadad, paid: Invoice) -> None:
    sadad.control.settings(refund_id="empty")
    row = refund(paid, "3.000", reason="a")
    assert row.state == State.UNKNOWN
    verify(paid)
    assert fresh(row).state == State.DONE


def test_a_refund_that_shows_late_is_not_mistaken_for_the_next_one(
    sadad: Sadad, paid: Invoice, sadad_clock: Shift
) -> None:
    """A (3.000) is done but shows later; B (3.000) is lost before Sadad. When A shows, B is not done."""
    sadad.control.settings(refund_delay=600)
    first = refund(paid, "3.000", reason="a")
    assert first.state == State.DONE
    assert fresh(paid).refunded_amount == 0
    sadad.control.faults.add("Refund/insert", "cut_before")
    second = refund(paid, "3.000", reason="b")
    assert second.refunded_before == Decimal("3.000")
    sadad.control.advance(601)
    verify(paid)
    assert fresh(paid).refunded_amount == Decimal("3.000")
    assert fresh(second).state == State.UNKNOWN
    assert Refund.objects.filter(source="panel").count() == 0


# One in flight


def test_the_next_refund_waits_for_the_one_in_flight(
    sadad: Sadad, paid: Invoice, admin_user: Any, sadad_clock: Shift
) -> None:
    sadad.control.faults.add("Refund/insert", "cut_before", times=1)
    first = refund(paid, "3.000", reason="a")
    second = refund(paid, "4.000", reason="b")
    assert (first.state, second.state, sent(sadad)) == (State.UNKNOWN, State.REQUESTED, ["3.000"])
    assert refunds.left(fresh(paid)) == Decimal("5.345")
    refunds.decide(first.pk, happened=False, by=admin_user)
    sadad_clock(HOUR)
    reconcile.run()
    assert (fresh(second).state, sent(sadad)) == (State.DONE, ["3.000", "4.000"])


def test_a_claim_finds_somebody_else_in_flight(sadad: Sadad, paid: Invoice) -> None:
    sadad.control.faults.add("Refund/insert", "cut_before", times=1)
    refund(paid, "3.000", reason="a")
    assert transactions.run(lambda: refunds._claim(paid.pk, clock.now(), ORIGIN)) is None


def test_a_claim_finds_nothing_left_to_send(sadad: Sadad, paid: Invoice) -> None:
    assert transactions.run(lambda: refunds._claim(paid.pk, clock.now(), ORIGIN)) is None
    refunds.send_waiting(paid.pk, ORIGIN)


def test_a_claim_lost_to_another_process_ends_the_round(
    sadad: Sadad, paid: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refunds, "_claim", lambda *args: None)
    assert refund(paid, "3.000", reason="a").state == State.REQUESTED


def test_a_process_that_dies_while_sending_leaves_it_to_be_looked_at(
    sadad: Sadad, paid: Invoice, sadad_clock: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(row: Refund) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(refunds, "_insert", die)
    with pytest.raises(KeyboardInterrupt):
        refund(paid, "3.000", reason="a")
    monkeypatch.undo()
    row = Refund.objects.get()
    assert row.state == State.SENDING
    refunds.look_at(row.pk, ORIGIN)
    assert fresh(row).state == State.SENDING  # its maker may still be at it
    sadad_clock(HOUR)
    reconcile.run()
    assert (fresh(row).state, fresh(row).error_code, sent(sadad)) == (State.UNKNOWN, "abandoned", [])


def test_an_answer_that_comes_after_somebody_resolved_it_changes_nothing(sadad: Sadad, paid: Invoice) -> None:
    row = refund(paid, "3.000", reason="a")
    again = transactions.run(lambda: refunds._end(row.pk, paid.pk, State.UNKNOWN, {}, ORIGIN))
    assert again.state == State.DONE


# The panel


def test_a_refund_made_in_the_panel_gets_a_row_and_tells_the_order(
    sadad: Sadad, paid: Invoice, sadad_clock: Shift
) -> None:
    sadad.control.refund(paid.sadad_id, "1.500")
    sadad_clock(7 * HOUR)
    reconcile.run()
    row = Refund.objects.get()
    assert (row.source, row.amount, row.state) == ("panel", Decimal("1.500"), State.DONE)
    assert Order.objects.get().refunded == Decimal("1.500")
    verify(paid)
    assert Refund.objects.count() == 1


# Telling the order


def test_a_refund_hook_that_raises_is_called_again(sadad: Sadad, paid: Invoice, sadad_clock: Shift) -> None:
    Order.objects.update(behaviour="raise_refund")
    row = refund(paid, "1.000", reason="a")
    assert (row.state, row.handled_at, waiting()) == (State.DONE, None, [Code.REFUND_HOOK_FAILED])
    Order.objects.update(behaviour="")
    sadad_clock(HOUR)
    reconcile.run()
    assert (Order.objects.get().refund_calls, waiting()) == (1, [])
    refunds.retry_hook(row.pk)
    assert Order.objects.get().refund_calls == 1


def test_an_order_that_hears_of_the_payment_later_hears_of_the_refund_then(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    Order.objects.update(behaviour="raise")
    invoice = checkout(order)
    sadad.pay(invoice)
    sadad.deliver()
    row = refund(invoice, "1.000", reason="a")
    assert (row.state, row.handled_at, row.next_hook_at) == (State.DONE, None, None)
    Order.objects.update(behaviour="")
    for _ in range(2):
        sadad_clock(24 * HOUR)
        reconcile.run()
    assert (fresh(order).paid_calls, fresh(order).refund_calls) == (1, 1)


def test_sadads_figure_may_be_unreadable_after_the_refund(sadad: Sadad, paid: Invoice) -> None:
    sadad.control.faults.add("Invoice/getbyid", "error_before", skip=1)
    row = refund(paid, "1.000", reason="a")
    assert row.state == State.DONE
    assert fresh(paid).refunded_amount == 0
    assert refunds.left(fresh(paid)) == Decimal("11.345")
    sadad.control.faults.clear()
    verify(paid)
    assert fresh(paid).refunded_amount == Decimal("1.000")


def test_the_book_of_an_unpaid_invoice_is_left_alone(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    refund_book.attribute(invoice, ORIGIN, clock.now())
    assert not Refund.objects.exists()
