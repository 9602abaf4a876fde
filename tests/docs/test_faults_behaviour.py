"""Faults of docs/faults.md, seen from the shop's side."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from django_sadadpay import Refused, checkout, refund
from django_sadadpay.gateway.client import SadadClient
from django_sadadpay.models import Attention, Invoice, Refund
from django_sadadpay.registry import payables
from django_sadadpay.services import gateway, reconcile
from django_sadadpay.testing.gateway import Sadad
from tests.services.conftest import fresh, make_order, waiting
from tests.shop.models import Order
from tests.shop.sadadpay import OrderPayable

Shift = Callable[[float], None]
State, Code = Invoice.State, Attention.Code


@pytest.fixture
def order(transactional_db: None) -> Order:
    return make_order()


def assert_one_open_invoice(sadad: Sadad, invoice: Invoice) -> None:
    assert (invoice.state, sadad.calls("Invoice/insert")) == (State.OPEN, ["Invoice/insert"])
    (there,) = sadad.control.invoices()
    assert (Invoice.objects.get(), invoice.sadad_id) == (invoice, str(there["id"]))
    assert invoice.pay_url == there["url"]


@pytest.mark.parametrize("body", ["html", "broken", "empty", "list"])
def test_an_unreadable_answer_to_insert_makes_one_invoice(sadad: Sadad, order: Order, body: str) -> None:
    sadad.control.faults.add("Invoice/insert", "unreadable", times=1, body=body)
    assert_one_open_invoice(sadad, checkout(order))


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_after_the_insert_makes_one_invoice(sadad: Sadad, order: Order, status: int) -> None:
    sadad.control.faults.add("Invoice/insert", "error_after", times=1, status=status)
    assert_one_open_invoice(sadad, checkout(order))


def test_an_answer_that_trickles_is_a_lost_answer(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    sadad.control.faults.add("Invoice/insert", "slow_drip", times=1, seconds=30)
    monkeypatch.setattr(gateway, "SadadClient", partial(SadadClient, deadline=1.0))
    assert_one_open_invoice(sadad, checkout(order))


def test_a_revoked_token_costs_the_buyer_nothing(sadad: Sadad, order: Order, sadad_clock: Shift) -> None:
    checkout(order)
    sadad_clock(120)  # a fresh token that is refused is another matter: it would be refused again
    sadad.control.revoke_tokens("access")
    sadad.control.clear_log()
    assert checkout(make_order("3.000", number="A-2")).state == State.OPEN
    done = [call.endpoint for call in sadad.control.log if call.authenticated]
    assert done.count("Invoice/insert") == 1
    assert waiting() == []


def test_a_bad_phone_number_is_named_and_nothing_is_stored(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from django_sadadpay import Customer

    real, bad = OrderPayable.draft, Customer("Noor", mobile="call me")
    monkeypatch.setattr(OrderPayable, "draft", lambda self, obj: replace(real(self, obj), customer=bad))
    with pytest.raises(Refused) as caught:
        checkout(order)
    assert (caught.value.code, caught.value.field) == ("bad_draft", "customer.mobile")
    assert "call me" not in str(caught.value)
    assert not Invoice.objects.exists()
    assert sadad.calls("Invoice/insert") == []


def test_an_older_answer_to_the_webhook_only_delays_the_payment(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    invoice = checkout(order)
    sadad.pay(invoice)
    sadad.control.faults.add("Invoice/getbyid", "older", times=1)
    assert sadad.deliver() == [200]
    assert (fresh(invoice).state, fresh(order).paid_calls) == (State.OPEN, 0)
    sadad_clock(300)
    reconcile.run()
    assert (fresh(invoice).is_applied, fresh(order).paid_calls, waiting()) == (True, 1, [])


def test_a_payment_for_an_unregistered_payable_waits_for_its_return(
    sadad: Sadad, order: Order, sadad_clock: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = checkout(order)
    registered: dict[str, Any] = dict(payables._by_name)
    monkeypatch.setattr(payables, "_by_name", {})
    sadad.pay(invoice)
    assert sadad.deliver() == [200]
    assert (fresh(invoice).is_paid, waiting()) == (True, [Code.NOT_REGISTERED])
    assert Attention.objects.get().params == {"name": "order"}
    monkeypatch.setattr(payables, "_by_name", registered)
    sadad_clock(120)
    reconcile.run()
    assert (fresh(order).paid_calls, waiting()) == (1, [])


def test_no_refund_is_sent_on_a_reply_that_is_not_believed(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    invoice = checkout(order)
    sadad.pay(invoice)
    sadad.deliver()
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="amount", value=1)
    row = refund(fresh(invoice), "2.000", reason="a")
    assert (row.state, waiting()) == (Refund.State.REQUESTED, [Code.MISMATCH])
    assert sadad.calls("Refund/insert") == []
    sadad.control.faults.clear()
    sadad_clock(3600)
    reconcile.run()
    assert (fresh(row).state, waiting()) == (Refund.State.DONE, [])
    assert len(sadad.control.refunds()) == 1
