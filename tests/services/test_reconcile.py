"""Reconcile: everything due, the longest overdue first, within its budget; background work that mends what
died (money-flow 7).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from django_sadadpay import InsideTransaction, checkout, refund
from django_sadadpay.models import Attention, CurrencyRate, Invoice, Mark, Refund
from django_sadadpay.services import clock, reconcile, schedule, transactions, transitions
from django_sadadpay.testing.gateway import Sadad
from tests.services.conftest import fresh, waiting
from tests.shop.models import Order

State, Code = Invoice.State, Attention.Code
Shift = Callable[[float], None]
HOUR, DAY = 3600, 24 * 3600


def test_a_dropped_webhook_is_found(sadad: Sadad, order: Order, sadad_clock: Shift) -> None:
    invoice = checkout(order)
    sadad.control.faults.add("webhook", "drop")
    sadad.pay(invoice)
    assert sadad.deliver() == []
    sadad_clock(300)
    report = reconcile.run()
    assert (report.done, report.failed, report.calls) == ({"invoice": 1}, {}, 1)
    assert fresh(order).paid_calls == 1


def test_nothing_due_costs_no_call(sadad: Sadad, order: Order) -> None:
    checkout(order)
    report = reconcile.run()
    assert (report.calls, report.left, report.done) == (0, False, {})


def test_inside_a_transaction_it_is_refused(sadad: Sadad, order: Order) -> None:
    with transaction.atomic(), pytest.raises(InsideTransaction):
        reconcile.run()


def test_the_budget_of_calls_holds_and_the_longest_overdue_comes_first(
    sadad: Sadad, order_of: Any, sadad_clock: Shift
) -> None:
    invoices = [checkout(order_of("1.000")) for _ in range(4)]
    now = clock.now()
    for age, invoice in enumerate(invoices):
        Invoice.objects.filter(pk=invoice.pk).update(next_check_at=now - timedelta(minutes=age))
    sadad.control.clear_log()
    report = reconcile.run(max_calls=2)
    asked = [str(call.query["id"]) for call in sadad.control.log if call.endpoint == "Invoice/getbyid"]
    assert asked == [invoices[3].sadad_id, invoices[2].sadad_id]
    assert (report.calls, report.left) == (2, True)
    assert reconcile.run().calls == 2


def test_the_budget_of_time_holds(sadad: Sadad, order: Order, sadad_clock: Shift) -> None:
    checkout(order)
    sadad_clock(300)
    report = reconcile.run(max_seconds=-1)
    assert (report.calls, report.left) == (0, True)


def test_one_failure_does_not_stop_the_others(sadad: Sadad, order_of: Any, sadad_clock: Shift) -> None:
    invoices = [checkout(order_of("1.000")) for _ in range(2)]
    for invoice in invoices:
        sadad.pay(invoice)
    Invoice.objects.filter(pk=invoices[0].pk).update(account="gone")
    sadad.control.faults.add("Invoice/getbyid", "error_before", times=4)
    sadad_clock(300)
    reconcile.run()
    sadad_clock(600)
    reconcile.run()
    assert fresh(invoices[1]).is_applied
    assert not fresh(invoices[0]).is_paid  # parked: its account is gone


def test_a_row_claimed_by_another_run_is_left_to_it(
    sadad: Sadad, order: Order, sadad_clock: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout(order)
    sadad_clock(300)
    kind = next(k for k in reconcile._KINDS if k.name == "invoice")
    now = clock.now()
    (item,) = reconcile._batch(kind, now, reconcile.Report())
    assert reconcile._claim(item, now)
    assert not reconcile._claim(item, now)


def test_refused_keys_ask_a_person(sadad: Sadad, order: Order, sadad_clock: Shift) -> None:
    checkout(order)
    sadad.control.faults.add("Invoice/getbyid", "refuse", error_key="UnderReview")
    sadad_clock(300)
    assert reconcile.run().failed == {"invoice": 1}
    assert waiting() == [Code.ACCESS_DENIED]


def test_an_invoice_that_sadad_no_longer_knows_asks_and_is_looked_at_again(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    invoice = checkout(order)
    Invoice.objects.update(sadad_id="4711")
    sadad_clock(300)
    reconcile.run()
    assert waiting(invoice) == [Code.INVOICE_NOT_FOUND]
    Invoice.objects.update(sadad_id=invoice.sadad_id)
    sadad_clock(HOUR)
    reconcile.run()
    assert waiting(invoice) == []


# Expiry


def test_a_day_after_its_last_day_an_unpaid_invoice_is_deleted_and_expired(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    invoice = checkout(order)
    sadad_clock((invoice.expires_at - clock.now()).total_seconds() + DAY - 60)
    reconcile.run()
    assert fresh(invoice).state == State.OPEN
    sadad_clock(7 * HOUR)
    reconcile.run()
    row = fresh(invoice)
    assert (row.state, row.open_slot, fresh(order).status) == (State.EXPIRED, None, "expired")
    assert sadad.control.invoice(row.sadad_id)["deleted"] is True


def test_one_that_sadad_will_not_delete_expires_here_and_is_watched(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    invoice = checkout(order)
    sadad.control.faults.add("Invoice/delete", "refuse", error_key="InvoiceCannotBeDeleted")
    sadad_clock((invoice.expires_at - clock.now()).total_seconds() + DAY + 60)
    reconcile.run()
    row = fresh(invoice)
    assert row.state == State.EXPIRED
    assert row.next_check_at is not None
    sadad.pay(invoice)
    sadad_clock(7 * HOUR)
    reconcile.run()
    assert fresh(order).paid_calls == 1


def test_one_paid_at_the_last_moment_is_paid(sadad: Sadad, order: Order, sadad_clock: Shift) -> None:
    invoice = checkout(order)
    sadad.pay(invoice)
    sadad_clock((invoice.expires_at - clock.now()).total_seconds() + DAY + 60)
    reconcile.run()
    assert fresh(invoice).is_applied


def test_a_dead_invoice_is_looked_at_until_seven_days_after_its_expiry(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    from django_sadadpay import cancel

    invoice = cancel(checkout(order))
    assert invoice.next_check_at is not None
    sadad_clock((invoice.expires_at - clock.now()).total_seconds() + 7 * DAY + 60)
    reconcile.run()
    assert fresh(invoice).next_check_at is None


# What died


def test_a_maker_that_died_after_insert_is_read_back(sadad: Sadad, order: Order, sadad_clock: Shift) -> None:
    invoice = checkout(order)
    Invoice.objects.update(state=State.NEW, busy_until=clock.now() + timedelta(seconds=120))
    Invoice.objects.update(next_check_at=clock.now())
    sadad.control.clear_log()
    reconcile.run()
    assert sadad.calls() == []  # its maker may still be at it
    sadad_clock(600)
    reconcile.run()
    assert fresh(invoice).state == State.OPEN


def test_a_maker_that_died_before_insert_was_answered_is_looked_for(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    invoice = checkout(order)
    Invoice.objects.update(state=State.NEW, sadad_id=None, busy_until=None, next_check_at=clock.now())
    reconcile.run()
    row = fresh(invoice)
    assert (row.state, row.open_slot) == (State.LOST, None)
    assert sadad.control.invoice(invoice.sadad_id)["deleted"] is True


def test_an_open_invoice_of_an_order_paid_elsewhere_is_withdrawn(
    sadad: Sadad, order: Order, sadad_clock: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = checkout(order)
    Invoice.objects.update(state=State.CANCELLED, open_slot=None)
    new = checkout(order)
    sadad.pay(old)
    monkeypatch.setattr(transitions, "withdraw_others", lambda *args: None)  # the process died here
    sadad.deliver()
    monkeypatch.undo()
    sadad_clock(300)
    reconcile.run()
    assert fresh(new).state == State.CANCELLED
    assert fresh(order).status == "paid"


def test_marking_twice_what_is_expiring_or_expired_changes_nothing(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    for _ in range(2):
        transactions.run(lambda: reconcile._mark_expiring(invoice.pk))
    Invoice.objects.update(state=State.CANCELLED, open_slot=None)
    transactions.run(lambda: reconcile._mark_expiring(invoice.pk))
    transactions.run(lambda: reconcile._expire_anyway(invoice.pk))
    assert fresh(invoice).state == State.CANCELLED


# Rates, lateness, schedule


def test_rates_in_use_are_kept_fresh(sadad: Sadad, order: Order, sadad_clock: Shift) -> None:
    assert "rates" not in reconcile.run().done
    CurrencyRate.objects.create(environment="sandbox", code="USD", rate="0.3", fetched_at=clock.now())
    sadad_clock(7 * HOUR)
    assert reconcile.run().done["rates"] == 1
    sadad_clock(7 * HOUR)
    sadad.control.faults.add("Common/getcurrencies", "error_before")
    assert reconcile.run().failed["rates"] == 1


def test_it_is_late_when_something_is_due_and_no_run_has_finished(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    assert reconcile.is_late(clock.now()) is None
    checkout(order)
    reconcile.run()
    assert Mark.objects.get(name=reconcile.MARK).detail["calls"] == 0
    sadad_clock(20 * 60)
    late = reconcile.is_late(clock.now())
    assert late is not None
    assert late >= timedelta(minutes=20)
    assert reconcile.pending(clock.now())["invoice"] == 1
    reconcile.run()
    assert reconcile.is_late(clock.now()) is None


def test_it_is_late_even_if_it_never_ran(sadad: Sadad, order: Order, sadad_clock: Shift) -> None:
    checkout(order)
    sadad_clock(HOUR)
    assert reconcile.is_late(clock.now()) is not None


def test_a_run_that_leaves_work_behind_is_not_late(sadad: Sadad, order: Order, sadad_clock: Shift) -> None:
    checkout(order)
    sadad_clock(HOUR)
    reconcile.run(max_seconds=-1)
    assert reconcile.is_late(clock.now()) is None


def test_looks_thin_out_with_age(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    created = invoice.created_at
    pauses = [
        schedule.next_unpaid_check(created + age, created) - created - age
        for age in (
            timedelta(0),
            timedelta(minutes=30),
            timedelta(hours=3),
            timedelta(hours=12),
            timedelta(days=5),
        )
    ]
    assert pauses == sorted(pauses)
    assert schedule.next_paid_check(created + timedelta(days=91), created) is None


def test_three_runs_leave_both_sides_agreeing(sadad: Sadad, order_of: Any, sadad_clock: Shift) -> None:
    """Panel work of every kind, no webhook at all: three runs, each past every due time."""
    sadad.control.faults.add("webhook", "drop")
    invoices = [checkout(order_of(f"{n}.500")) for n in range(1, 6)]
    ids = [invoice.sadad_id for invoice in invoices]
    for sadad_id in ids[:3]:
        sadad.control.pay(sadad_id)
    sadad.control.refund(ids[0], "0.500")
    sadad.control.deposit(ids[1])
    sadad.control.cancel(ids[3])
    for _ in range(3):
        sadad_clock(DAY)
        reconcile.run()
    for invoice in Invoice.objects.all():
        there = sadad.control.invoice(invoice.sadad_id)
        assert invoice.status_text == there["status"]
        assert float(invoice.refunded_amount) == there["refunded_Amount"]
    assert [fresh(i).state for i in invoices] == ["paid", "paid", "paid", "cancelled", "open"]
    assert Refund.objects.get().amount == invoices[0].refunds.get().amount
    assert waiting() == [Code.REFUND_SEEN_FIRST]


def test_a_refund_left_waiting_is_sent(sadad: Sadad, order: Order, sadad_clock: Shift) -> None:
    invoice = checkout(order)
    sadad.pay(invoice)
    sadad.deliver()
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    row = refund(fresh(invoice), "1.000", reason="a")
    sadad.control.faults.clear()
    sadad_clock(600)
    assert reconcile.run().done == {"refund": 1}
    assert fresh(row).state == Refund.State.DONE
