"""The inbox: stored first, handled once, nothing lost (money-flow 6)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError

from django_sadadpay import checkout, conf
from django_sadadpay.gateway.webhook import parse
from django_sadadpay.models import Attention, Invoice, WebhookEvent
from django_sadadpay.services import clock, inbox, maintenance, reconcile, transactions
from django_sadadpay.testing.gateway import Sadad
from tests.services.conftest import fresh, waiting
from tests.shop.models import Order

State, Code = WebhookEvent.State, Attention.Code
Shift = Callable[[float], None]
DAY = 24 * 3600


def store(**payload: Any) -> WebhookEvent:
    body = json.dumps(payload)
    event = inbox.store(conf.current().account("default"), parse(body.encode()), body)
    assert event is not None
    return event


def test_an_event_is_stored_and_then_handled(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    sadad.pay(invoice)
    event = store(invoiceId=int(invoice.sadad_id or 0), status="Paid")
    assert (event.state, fresh(order).paid_calls) == (State.WAITING, 0)
    assert inbox.process(event.pk)
    event = fresh(event)
    assert (event.state, event.invoice, event.next_try_at) == (State.DONE, invoice, None)
    assert fresh(order).paid_calls == 1


def test_duplicates_that_wait_raise_one_counter(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    first = store(invoiceId=invoice.sadad_id)
    for _ in range(4):
        assert store(invoiceId=int(invoice.sadad_id or 0)).pk == first.pk
    assert fresh(first).count == 5
    assert WebhookEvent.objects.count() == 1


def test_a_call_that_comes_while_one_is_handled_makes_a_new_row(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    first = store(invoiceId=invoice.sadad_id)
    assert transactions.run(lambda: inbox._claim(first.pk)) is not None
    assert store(invoiceId=invoice.sadad_id).pk != first.pk


def test_an_event_that_another_worker_has_is_left_alone(sadad: Sadad, order: Order) -> None:
    event = store(invoiceId=checkout(order).sadad_id)
    transactions.run(lambda: inbox._claim(event.pk))
    sadad.control.clear_log()
    assert inbox.process(event.pk)
    assert sadad.calls() == []


def test_an_event_whose_worker_died_is_handled_by_the_next(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    invoice = checkout(order)
    event = store(invoiceId=invoice.sadad_id)
    transactions.run(lambda: inbox._claim(event.pk))
    sadad.pay(invoice)
    sadad_clock(130)
    reconcile.run()
    assert fresh(event).state == State.DONE
    assert fresh(order).paid_calls == 1


def test_the_row_that_was_claimed_between_two_statements_is_not_counted_on(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interleaving: our insert meets the slot, the worker clears it before we can count."""
    event_id = checkout(order).sadad_id
    real, tries = inbox._new, []

    def new(*args: Any, **values: Any) -> WebhookEvent:
        tries.append(1)
        if len(tries) == 1:
            raise IntegrityError("taken")
        return real(*args, **values)

    monkeypatch.setattr(inbox, "_new", new)
    assert store(invoiceId=event_id).count == 1
    assert len(tries) == 2


def test_while_sadad_is_away_the_event_waits_and_is_tried_again(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    invoice = checkout(order)
    sadad.pay(invoice)
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    event = store(invoiceId=invoice.sadad_id)
    assert not inbox.process(event.pk)
    assert (fresh(event).state, fresh(event).error_code) == (State.WAITING, "Unavailable")
    assert store(invoiceId=invoice.sadad_id).pk == event.pk  # it has its slot back
    sadad.control.faults.clear()
    sadad_clock(120)
    assert maintenance.process_inbox() == maintenance.Handled(handled=1)
    assert fresh(order).paid_calls == 1


def test_a_later_call_takes_the_place_of_one_that_failed(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    first = store(invoiceId=invoice.sadad_id)
    claimed = transactions.run(lambda: inbox._claim(first.pk))
    second = store(invoiceId=invoice.sadad_id)
    assert claimed is not None
    inbox._later(claimed, None)
    assert (fresh(first).state, fresh(second).state) == (State.MERGED, State.WAITING)


def test_refused_keys_ask_a_person_and_the_event_waits(sadad: Sadad, order: Order) -> None:
    invoice = checkout(order)
    sadad.control.faults.add("Invoice/getbyid", "refuse", error_key="AccessPermissionDenied")
    assert not inbox.process(store(invoiceId=invoice.sadad_id).pk)
    assert waiting() == [Code.ACCESS_DENIED]


def test_invoices_that_are_not_ours_are_closed_without_attention(sadad: Sadad, order: Order) -> None:
    there = sadad.control.create("3.000", ref_Number="POS 17", customer_Name="Walk-in")
    sadad.control.pay(there["id"])
    event = store(invoiceId=there["id"])
    assert inbox.process(event.pk)
    assert (fresh(event).state, waiting()) == (State.FOREIGN, [])


def test_a_reference_of_our_form_without_a_row_asks(sadad: Sadad, order: Order) -> None:
    there = sadad.control.create("3.000", ref_Number="A-1-abcdefghij", customer_Name="Noor")
    event = store(invoiceId=there["id"])
    assert inbox.process(event.pk)
    assert (fresh(event).state, waiting()) == (State.DEAD, [Code.EVENT_WITHOUT_ROW])
    assert inbox.retry(event.pk)
    assert waiting() == [Code.EVENT_WITHOUT_ROW]


def test_an_id_that_sadad_does_not_know_asks_after_a_day(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    event = store(invoiceId=4711)
    assert not inbox.process(event.pk)
    assert (fresh(event).state, waiting()) == (State.WAITING, [])
    sadad_clock(DAY + 60)
    reconcile.run()
    assert (fresh(event).state, waiting()) == (State.DEAD, [Code.EVENT_UNKNOWN_ID])


def test_an_event_matched_by_its_reference_closes_its_case_when_retried(
    sadad: Sadad, order: Order, sadad_clock: Shift
) -> None:
    invoice = checkout(order)
    sadad.pay(invoice)
    real = invoice.sadad_id
    Invoice.objects.update(reference="x-abcdefghij")
    event = store(invoiceId=real)
    Invoice.objects.update(sadad_id=None)
    assert inbox.process(event.pk)
    assert waiting() == [Code.EVENT_WITHOUT_ROW]
    Invoice.objects.update(reference=invoice.reference)
    assert inbox.retry(event.pk)
    assert (fresh(event).state, fresh(event).invoice, waiting()) == (State.DONE, invoice, [])
    assert fresh(order).paid_calls == 1


def test_a_call_that_names_no_invoice_is_kept_dead(sadad: Sadad, order: Order) -> None:
    event = store(hello="world")
    assert (event.state, waiting()) == (State.DEAD, [Code.EVENT_NAMES_NOTHING])
    assert inbox.retry(event.pk)
    assert fresh(event).state == State.DEAD


def test_at_most_a_hundred_of_those_are_kept_a_day(
    sadad: Sadad, order: Order, sadad_clock: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "DEAD_A_DAY", 3)
    account = conf.current().account("default")
    payload = parse(b"{}")
    stored = [inbox.store(account, payload, "{}") for _ in range(5)]
    assert [event is not None for event in stored] == [True, True, True, False, False]
    sadad_clock(DAY + 60)
    assert inbox.store(account, payload, "{}") is not None


def test_the_inbox_is_emptied_oldest_first_up_to_a_limit(sadad: Sadad, order: Order, order_of: Any) -> None:
    events = [store(invoiceId=checkout(order_of("1.000")).sadad_id) for _ in range(3)]
    sadad.control.faults.add("Invoice/getbyid", "error_before", skip=1)
    assert maintenance.process_inbox(limit=2) == maintenance.Handled(handled=1, waiting=1)
    assert [fresh(event).state for event in events] == [State.DONE, State.WAITING, State.WAITING]


def test_a_retry_of_a_waiting_event_handles_it_now(sadad: Sadad, order: Order) -> None:
    event = store(invoiceId=checkout(order).sadad_id)
    WebhookEvent.objects.update(next_try_at=clock.now().replace(year=2099))
    assert inbox.retry(event.pk)
    assert fresh(event).state == State.DONE
