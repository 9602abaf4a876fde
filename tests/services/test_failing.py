"""Rows on which background work fails as nobody foresaw, and an account whose keys are refused."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError

from django_sadadpay import checkout
from django_sadadpay.models import Attention, Invoice, WebhookEvent
from django_sadadpay.services import clock, failing, reconcile
from django_sadadpay.testing.factories import InvoiceFactory, RefundFactory, SubscriptionFactory
from django_sadadpay.testing.gateway import Sadad
from tests.services.conftest import fresh, waiting
from tests.shop.models import Order

pytestmark = pytest.mark.django_db
Code = Attention.Code
Shift = Callable[[float], None]
#: What breaks the work of a kind, if anything.
Break = Callable[[str, Exception | None], None]


def event(due: datetime) -> WebhookEvent:
    row: WebhookEvent = WebhookEvent.objects.create(
        account="default", environment="sandbox", sadad_id="7", received_at=due, next_try_at=due
    )
    return row


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Break:
    whole = reconcile._KINDS

    def put(name: str, error: Exception | None) -> None:
        def work(pk: int) -> None:
            if error is not None:
                raise error

        kinds = tuple(dataclasses.replace(k, work=work) if k.name == name else k for k in whole)
        monkeypatch.setattr(reconcile, "_KINDS", kinds)

    return put


def test_a_person_is_told_and_it_is_tried_later_and_later(
    sadad: Sadad, order: Order, sadad_clock: Shift, broken: Break
) -> None:
    invoice = checkout(order)
    broken("invoice", ValueError("+96550000001"))
    pauses = []
    for _ in range(12):
        due = fresh(invoice).next_check_at
        assert due is not None
        sadad_clock(max((due - clock.now()).total_seconds(), 0) + 1)
        began = clock.now()
        assert reconcile.run().failed == {"invoice": 1}
        later = fresh(invoice).next_check_at
        assert later is not None
        pauses.append(min(later - began, timedelta(days=1)))
    assert pauses == sorted(pauses)
    assert timedelta(minutes=4) < pauses[0] < timedelta(minutes=6)
    assert timedelta(hours=23) < pauses[-1] <= timedelta(days=1, minutes=1)
    (case,) = Attention.objects.all()
    assert (case.code, case.params, case.invoice) == (Code.WORK_FAILED, {"error": "ValueError"}, invoice)


def test_the_case_is_closed_once_it_works(
    sadad: Sadad, order: Order, sadad_clock: Shift, broken: Break
) -> None:
    invoice = checkout(order)
    broken("invoice", ValueError())
    sadad_clock(300)
    reconcile.run()
    assert waiting(invoice) == [Code.WORK_FAILED]
    broken("", None)
    sadad_clock(600)
    assert reconcile.run().done == {"invoice": 1}
    assert waiting(invoice) == []


def test_one_that_is_dismissed_is_tried_once_a_day(
    sadad: Sadad, order: Order, sadad_clock: Shift, broken: Break
) -> None:
    invoice = checkout(order)
    broken("invoice", ValueError())
    sadad_clock(300)
    reconcile.run()
    Attention.objects.update(open_slot=None, resolved_at=clock.now(), resolution="dismissed: we know")
    sadad_clock(600)
    reconcile.run()
    assert waiting(invoice) == []
    due = fresh(invoice).next_check_at
    assert due is not None
    assert timedelta(hours=23) < due - clock.now() <= timedelta(days=1)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("event", event),
        ("invoice", lambda due: InvoiceFactory(next_check_at=due)),
        ("refund", lambda due: RefundFactory(next_check_at=due)),
        ("subscription", lambda due: SubscriptionFactory(next_check_at=due)),
    ],
)
def test_every_kind_of_row_has_a_case_of_its_own(
    sadad: Sadad, sadad_clock: Shift, broken: Break, name: str, make: Callable[[Any], Any]
) -> None:
    row = make(clock.now())
    broken(name, KeyError("x"))
    assert reconcile.run().failed[name] == 1
    assert failing.subjects() == {failing.named(type(row), row.pk)}
    broken(name, None)
    sadad_clock(2 * 86400)
    reconcile.run()
    assert failing.subjects() == set()


def test_work_that_has_ended_stays_ended(
    sadad: Sadad, order: Order, sadad_clock: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = checkout(order)

    def work(pk: int) -> None:
        Invoice.objects.filter(pk=pk).update(next_check_at=None)
        raise ValueError

    kinds = tuple(dataclasses.replace(k, work=work) if k.name == "invoice" else k for k in reconcile._KINDS)
    monkeypatch.setattr(reconcile, "_KINDS", kinds)
    sadad_clock(300)
    reconcile.run()
    assert fresh(invoice).next_check_at is None


def test_a_row_that_is_gone_meanwhile_asks_nobody(
    sadad: Sadad, sadad_clock: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = event(clock.now())

    def work(pk: int) -> None:
        WebhookEvent.objects.filter(pk=pk).delete()
        raise ValueError

    kinds = tuple(dataclasses.replace(k, work=work) if k.name == "event" else k for k in reconcile._KINDS)
    monkeypatch.setattr(reconcile, "_KINDS", kinds)
    assert reconcile.run().failed == {"event": 1}
    assert not WebhookEvent.objects.filter(pk=called.pk).exists()
    assert waiting() == []


def test_a_database_that_is_away_is_nobodys_case(
    sadad: Sadad, order: Order, sadad_clock: Shift, broken: Break
) -> None:
    checkout(order)
    broken("invoice", OperationalError("server closed the connection"))
    sadad_clock(300)
    assert reconcile.run().failed == {"invoice": 1}
    assert waiting() == []


def test_an_account_with_refused_keys_does_not_keep_the_others_waiting(
    sadad: Sadad, order: Order, sadad_clock: Shift, settings: Any
) -> None:
    invoice = checkout(order)
    sadad.control.faults.add("webhook", "drop")
    sadad.pay(invoice)
    whole = copy.deepcopy(settings.SADADPAY)
    whole["ACCOUNTS"]["branch"] = {
        **whole["ACCOUNTS"]["default"],
        "CLIENT_KEY": "ck_wrong",
        "WEBHOOK_SECRET": "another-unguessable-secret-of-the-tests",
    }
    settings.SADADPAY = whole
    long_ago = clock.now() - timedelta(days=1)
    for number in range(reconcile._BATCH + 5):
        InvoiceFactory(account="branch", object_id=f"b{number}", next_check_at=long_ago)
    sadad_clock(300)
    reconcile.run()
    assert fresh(invoice).is_applied
    assert {case.account for case in Attention.objects.filter(code=Code.KEYS_REFUSED)} == {"branch"}
