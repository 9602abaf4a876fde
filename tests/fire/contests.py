"""The races that money-flow names. Each function is one round, with an order of its own, and judges it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from django.test import Client
from django.urls import reverse

from django_sadadpay import cancel, checkout, refund, signals, verify
from django_sadadpay.emulator import Refusal
from django_sadadpay.models import Attention, Invoice, Refund, WebhookEvent
from django_sadadpay.services import clock, reconcile
from django_sadadpay.testing.gateway import Sadad
from tests.fire.racing import race, unexpected
from tests.services.conftest import fresh, make_order
from tests.shop.models import Order

Contest = Callable[[Sadad, Any], None]


def many_tabs_get_one_invoice(sadad: Sadad, staff: Any) -> None:
    order = make_order()
    results = race(*[lambda: checkout(Order.objects.get(pk=order.pk))] * 20)
    assert unexpected(results) == []
    invoice = Invoice.objects.for_object(order).get()
    assert {row.pk for row in results if isinstance(row, Invoice)} == {invoice.pk}
    assert sum(row["ref_Number"] == invoice.reference for row in sadad.control.invoices()) == 1
    assert len(sadad.control.invoices()) == Invoice.objects.count()


def everybody_settles_one_payment(sadad: Sadad, staff: Any) -> None:
    """Webhook, browser return, reconcile and staff at once: one ``paid()``, one signal."""
    order = make_order()
    invoice = checkout(order)
    sadad.pay(invoice)
    Invoice.objects.filter(pk=invoice.pk).update(next_check_at=clock.now())
    told: list[int] = []

    def receiver(invoice: Invoice, **_: Any) -> None:
        told.append(invoice.pk)

    signals.invoice_paid.connect(receiver)
    try:
        results = race(
            *[lambda: sadad.post({"invoiceId": int(invoice.sadad_id or 0)})] * 4,
            *[lambda: Client().get(reverse("sadadpay:return", args=[invoice.reference])).status_code] * 3,
            *[lambda: verify(invoice, by=staff)] * 2,
            *[reconcile.run] * 2,
        )
    finally:
        signals.invoice_paid.disconnect(receiver)
    assert unexpected(results) == []
    assert set(results[:4]) <= {200, 503}
    assert set(results[4:7]) == {200}
    row = fresh(invoice)
    assert (row.is_applied, fresh(order).paid_calls, told) == (True, 1, [row.pk])
    assert row.events.filter(kind="paid").count() == row.events.filter(kind="handled").count() == 1


def two_invoices_of_one_order_are_paid(sadad: Sadad, staff: Any) -> None:
    """One counts, the other is flagged."""
    order = make_order()
    first = checkout(order)
    order.lines.update(name="Tea")
    sadad.control.faults.add("Invoice/delete", "refuse", times=1, error_key="InvoiceCannotBeDeleted")
    second = checkout(order)
    for invoice in (first, second):
        sadad.pay(invoice)
    results = race(lambda: verify(first), lambda: verify(second))
    assert unexpected(results) == []
    assert fresh(order).paid_calls == 1
    assert sorted((fresh(first).is_applied, fresh(second).is_applied)) == [False, True]
    waiting = Attention.objects.filter(resolved_at=None, invoice__in=(first, second))
    assert [row.code for row in waiting] == ["paid_twice"]


def _partial_refunds_race(sadad: Sadad, staff: Any, *, threads: int) -> None:
    """The sum never passes what was paid; each goes to Sadad once at most."""
    invoice = checkout(make_order())
    sadad.pay(invoice)
    verify(invoice)
    # odd, so that each can be told apart; together they are several times what was paid
    amounts = [Decimal(25_000 // threads + n) / 1000 for n in range(threads)]
    results = race(*[partial(refund, invoice, amount, reason="race") for amount in amounts])
    assert unexpected(results) == []
    row = fresh(invoice)
    for _ in range(2):  # what waited its turn is sent
        row.refunds.filter(state=Refund.State.REQUESTED).update(next_check_at=clock.now())
        reconcile.run()
    row = fresh(invoice)
    sent = Counter(
        Decimal(str(call.body["amount"]))
        for call in sadad.control.log
        if call.endpoint == "Refund/insert" and str(call.body["invoice_Id"]) == invoice.sadad_id
    )
    assert max(sent.values()) == 1
    done = {one.amount for one in row.refunds.filter(state=Refund.State.DONE)}
    assert set(sent) == done
    assert sum(done) <= row.paid_amount
    there = Decimal(str(sadad.control.invoice(row.sadad_id)["refunded_Amount"]))
    assert there == row.refunded_amount == sum(done)
    assert fresh(row).object.refund_calls == len(done)


def partial_refunds_race(sadad: Sadad, staff: Any) -> None:
    _partial_refunds_race(sadad, staff, threads=12)


def fifty_partial_refunds_race(sadad: Sadad, staff: Any) -> None:
    _partial_refunds_race(sadad, staff, threads=50)


def many_clicks_with_one_key_refund_once(sadad: Sadad, staff: Any) -> None:
    invoice = checkout(make_order())
    sadad.pay(invoice)
    verify(invoice)
    results = race(*[lambda: refund(invoice, "1.111", reason="click", key="form")] * 8)
    assert unexpected(results) == []
    assert len({row.pk for row in results if isinstance(row, Refund)}) == 1
    back = [one for one in sadad.control.refunds() if str(one["invoice_id"]) == invoice.sadad_id]
    assert [one["fils"] for one in back] == [1111]


def superseding_meets_paying(sadad: Sadad, staff: Any) -> None:
    """The buyer pays in one tab while the basket changes in another: the payment is not lost."""
    order = make_order()
    invoice = checkout(order)
    order.lines.update(name="Tea")
    results = race(
        lambda: checkout(Order.objects.get(pk=order.pk)), lambda: sadad.control.pay(invoice.sadad_id)
    )
    assert [error for error in unexpected(results) if not isinstance(error, Refusal)] == []
    rows = Invoice.objects.for_object(order).exclude(sadad_id=None)
    for row in rows:
        verify(row)
    paid = [row for row in rows if sadad.control.invoice(row.sadad_id)["status"] == "Paid"]
    assert fresh(order).paid_calls == len(paid) <= 1
    assert Invoice.objects.for_object(order).filter(open_slot__isnull=False).count() <= 1


def cancelling_meets_paying(sadad: Sadad, staff: Any) -> None:
    order = make_order()
    invoice = checkout(order)
    results = race(lambda: cancel(invoice, by=staff), lambda: sadad.control.pay(invoice.sadad_id))
    assert [error for error in unexpected(results) if not isinstance(error, Refusal)] == []
    row = verify(invoice)
    paid = sadad.control.invoice(row.sadad_id)["status"] == "Paid"
    assert (row.is_paid, fresh(order).paid_calls) == (paid, int(paid))


def two_reconcilers_look_at_each_row_once(sadad: Sadad, staff: Any) -> None:
    rows = [checkout(make_order("1.000")) for _ in range(6)]
    Invoice.objects.update(next_check_at=None)
    Invoice.objects.filter(pk__in=[row.pk for row in rows]).update(next_check_at=clock.now())
    before = len(sadad.calls("Invoice/getbyid"))
    results = race(reconcile.run, reconcile.run)
    assert unexpected(results) == []
    assert len(sadad.calls("Invoice/getbyid")) - before == 6


def events_arrive(sadad: Sadad, count: int, threads: int = 20, copies: int = 4) -> None:
    """``count`` webhook calls over all threads, each message ``copies`` times: handled once, none lost."""
    orders = [make_order("1.000") for _ in range(count // copies)]
    invoices = [checkout(order) for order in orders]
    for invoice in invoices:
        sadad.pay(invoice)
    bodies = [{"invoiceId": int(invoice.sadad_id or 0)} for invoice in invoices] * copies
    answers: Counter[int] = Counter()

    def deliver(index: int) -> None:
        for body in bodies[index::threads]:
            answers[sadad.post(body)] += 1

    results = race(*[partial(deliver, index) for index in range(threads)])
    assert unexpected(results) == []
    assert sum(answers.values()) == len(bodies)
    assert set(answers) <= {200, 503}
    WebhookEvent.objects.exclude(next_try_at=None).update(next_try_at=clock.now())
    reconcile.run(max_calls=10_000)
    assert set(WebhookEvent.objects.values_list("state", flat=True)) <= {"done", "merged"}
    assert sum(WebhookEvent.objects.values_list("count", flat=True)) >= answers[200]
    assert {fresh(order).paid_calls for order in orders} == {1}
    assert not Attention.objects.filter(resolved_at=None).exists()


CONTESTS: tuple[Contest, ...] = (
    many_tabs_get_one_invoice,
    everybody_settles_one_payment,
    two_invoices_of_one_order_are_paid,
    partial_refunds_race,
    many_clicks_with_one_key_refund_once,
    superseding_meets_paying,
    cancelling_meets_paying,
    two_reconcilers_look_at_each_row_once,
)
