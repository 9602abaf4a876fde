"""Races with real threads and connections: started together behind a barrier, on whatever database the
settings name.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections

from django_sadadpay import PaymentError, checkout, refund, verify
from django_sadadpay.models import Invoice, Refund
from django_sadadpay.services import clock, reconcile
from django_sadadpay.testing.gateway import Sadad
from tests.services.conftest import fresh, waiting
from tests.services.test_refunds import sent
from tests.shop.models import Order

pytestmark = [pytest.mark.races, pytest.mark.django_db(transaction=True)]
Job = Callable[[], Any]


def race(*jobs: Job) -> list[Any]:
    """Run all jobs at the same moment, each in a thread and connection of its own; results or errors, in
    order.
    """
    barrier, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def work(index: int, job: Job) -> None:
        try:
            barrier.wait(timeout=30)
            results[index] = job()
        except Exception as error:  # noqa: BLE001 - the race's result, judged by the test
            results[index] = error  # type: ignore[call-overload]  # a result or what was raised
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(i, job)) for i, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads)
    return results


def unexpected(results: list[Any]) -> list[Any]:
    return [r for r in results if isinstance(r, BaseException) and not isinstance(r, PaymentError)]


def test_many_tabs_get_one_invoice(sadad: Sadad, order: Order) -> None:
    results = race(*[lambda: checkout(Order.objects.get(pk=order.pk))] * 12)
    assert unexpected(results) == []
    assert {row.pk for row in results if isinstance(row, Invoice)} == {Invoice.objects.get().pk}
    assert len(sadad.calls("Invoice/insert")) == 1


def test_webhook_return_reconcile_and_staff_settle_a_payment_once(
    sadad: Sadad, order: Order, admin_user: Any
) -> None:
    invoice = checkout(order)
    sadad.pay(invoice)
    Invoice.objects.update(next_check_at=clock.now())
    body = {"invoiceId": int(invoice.sadad_id or 0)}
    results = race(
        *[lambda: sadad.post(body)] * 4, *[lambda: verify(invoice, by=admin_user)] * 2, *[reconcile.run] * 2
    )
    assert unexpected(results) == []
    row = fresh(invoice)
    assert (row.is_applied, fresh(order).paid_calls, waiting()) == (True, 1, [])
    assert row.events.filter(kind="paid").count() == row.events.filter(kind="handled").count() == 1


def test_two_invoices_of_one_order_paid_at_once_count_once(sadad: Sadad, order: Order) -> None:
    first = checkout(order)
    Invoice.objects.update(state="cancelled", open_slot=None)
    second = checkout(order)
    for invoice in (first, second):
        sadad.pay(invoice)
    results = race(lambda: verify(first), lambda: verify(second))
    assert unexpected(results) == []
    assert fresh(order).paid_calls == 1
    assert sorted((fresh(first).is_applied, fresh(second).is_applied)) == [False, True]
    assert waiting() == ["paid_twice"]


def test_racing_refunds_never_pass_what_was_paid(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    sadad.pay(invoice)
    verify(invoice)
    amounts = [Decimal("2.001") + Decimal(n) / 1000 for n in range(8)]  # odd, so that each can be told apart
    results = race(*[lambda a=a: refund(invoice, a, reason="race") for a in amounts])
    assert unexpected(results) == []
    row = fresh(invoice)
    done = sum(r.amount for r in Refund.objects.filter(state=Refund.State.DONE))
    assert len(sent(sadad)) == len(set(sent(sadad)))
    assert done <= row.paid_amount
    assert row.refunded_amount <= row.paid_amount
    Refund.objects.filter(state=Refund.State.REQUESTED).update(next_check_at=clock.now())
    reconcile.run()
    there = sadad.control.invoice(row.sadad_id)
    assert Decimal(str(there["refunded_Amount"])).quantize(Decimal("0.001")) == fresh(invoice).refunded_amount


def test_the_same_key_from_many_clicks_refunds_once(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    sadad.pay(invoice)
    verify(invoice)
    results = race(*[lambda: refund(invoice, "1.111", reason="click", key="form")] * 6)
    assert unexpected(results) == []
    assert len({row.pk for row in results if isinstance(row, Refund)}) == 1
    assert sent(sadad) == ["1.111"]


def test_superseding_against_paying_never_loses_the_payment(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    order.lines.update(name="Tea")
    results = race(lambda: checkout(Order.objects.get(pk=order.pk)), lambda: _pay(sadad, invoice))
    assert unexpected(results) in ([], [results[1]])  # the buyer may have been too late at Sadad
    for row in Invoice.objects.exclude(sadad_id=None):
        verify(row)
    there = {row["id"]: row["status"] for row in sadad.control.invoices()}
    paid_there = [i for i, status in there.items() if status == "Paid"]
    assert fresh(order).paid_calls == len(paid_there) <= 1
    assert Invoice.objects.filter(open_slot__isnull=False).count() <= 1


def _pay(sadad: Sadad, invoice: Invoice) -> None:
    sadad.control.pay(invoice.sadad_id)


def test_two_reconcilers_look_at_each_row_once(sadad: Sadad, order_of: Any) -> None:
    for _ in range(6):
        checkout(order_of("1.000"))
    Invoice.objects.update(next_check_at=clock.now())
    sadad.control.clear_log()
    results = race(reconcile.run, reconcile.run)
    assert unexpected(results) == []
    assert len(sadad.calls("Invoice/getbyid")) == 6
