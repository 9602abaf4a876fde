from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from django_sadadpay import checkout, conf
from django_sadadpay.gateway.webhook import parse
from django_sadadpay.models import Attention, Invoice, WebhookEvent
from django_sadadpay.services import gateway, inbox, maintenance
from django_sadadpay.services.errors import InsideTransaction, TryAgain
from django_sadadpay.testing.gateway import Sadad
from tests.services.conftest import fresh, make_order, waiting
from tests.shop.models import Order

pytestmark = pytest.mark.django_db(transaction=True)
Shift = Callable[[float], None]


def paid(sadad: Sadad, number: str = "A-1") -> Invoice:
    """An invoice that is paid at Sadad, and whose webhook call was stored and not handled."""
    invoice = checkout(make_order(number=number))
    sadad.pay(invoice)
    call(invoice.sadad_id)
    return invoice


def call(sadad_id: Any) -> WebhookEvent:
    body = json.dumps({"invoiceId": sadad_id}).encode()
    event = inbox.store(conf.current().account("default"), parse(body), body.decode())
    assert event is not None
    return event


# The inbox


def test_stored_calls_are_handled(sadad: Sadad) -> None:
    invoices = [paid(sadad, number) for number in ("A-1", "A-2")]
    result = maintenance.process_inbox()
    assert (result.handled, result.waiting) == (2, 0)
    assert all(fresh(invoice).is_applied for invoice in invoices)
    assert [order.paid_calls for order in Order.objects.all()] == [1, 1]
    assert maintenance.process_inbox() == maintenance.Handled(0, 0)


def test_the_oldest_come_first_and_no_more_than_asked_for(sadad: Sadad, sadad_clock: Shift) -> None:
    late, early = paid(sadad, "late"), paid(sadad, "early")
    first = WebhookEvent.objects.get(sadad_id=early.sadad_id)
    WebhookEvent.objects.filter(pk=first.pk).update(next_try_at=first.received_at.replace(year=2020))
    assert maintenance.process_inbox(limit=1).handled == 1
    assert (fresh(early).is_paid, fresh(late).is_paid) == (True, False)


def test_calls_that_are_not_due_wait(sadad: Sadad, sadad_clock: Shift) -> None:
    paid(sadad)
    sadad.control.faults.add("Invoice/getbyid", "error_before", times=10)
    assert maintenance.process_inbox() == maintenance.Handled(0, 1)
    sadad.control.faults.clear()
    assert maintenance.process_inbox() == maintenance.Handled(0, 0)
    sadad_clock(61)
    assert maintenance.process_inbox() == maintenance.Handled(1, 0)
    assert Order.objects.get().status == "paid"


@pytest.mark.parametrize("error", [TryAgain("database_busy"), ValueError("noor@example.com")])
def test_a_call_that_cannot_be_handled_does_not_stop_the_others(
    sadad: Sadad, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    stuck, other = paid(sadad, "stuck"), paid(sadad, "other")
    busy = WebhookEvent.objects.get(sadad_id=stuck.sadad_id).pk
    process = inbox.process

    def process_some(pk: int) -> bool:
        if pk == busy:
            raise error
        return process(pk)

    monkeypatch.setattr(inbox, "process", process_some)
    with caplog.at_level(logging.WARNING, "django_sadadpay"):
        assert maintenance.process_inbox() == maintenance.Handled(1, 1)
    assert fresh(other).is_paid
    assert f"webhook event {busy} waits: {type(error).__name__}" in caplog.text
    assert "noor" not in caplog.text


def test_background_work_is_refused_inside_a_transaction() -> None:
    with transaction.atomic():
        with pytest.raises(InsideTransaction):
            maintenance.process_inbox()
        with pytest.raises(InsideTransaction):
            maintenance.refresh_tokens()


# Tokens


def with_key(settings: Any, key: str) -> None:
    account = {**settings.SADADPAY["ACCOUNTS"]["default"], "CLIENT_KEY": key}
    settings.SADADPAY = {**settings.SADADPAY, "ACCOUNTS": {"default": account}}


def test_a_token_that_lasts_is_left_alone(sadad: Sadad) -> None:
    assert maintenance.refresh_tokens() == {"default": True}
    calls = sadad.calls()
    assert calls.count("User/GenerateAccessToken") == 1
    assert maintenance.refresh_tokens() == {"default": True}
    assert sadad.calls() == calls


def test_every_account_has_a_token_of_its_own(sadad: Sadad, settings: Any) -> None:
    account = settings.SADADPAY["ACCOUNTS"]["default"]
    broken = {**account, "API_URL": "http://127.0.0.1:9/api"}
    settings.SADADPAY = {**settings.SADADPAY, "ACCOUNTS": {"closed": broken, "default": account}}
    assert maintenance.refresh_tokens() == {"closed": False, "default": True}
    assert not Attention.objects.exists()


def test_refused_keys_ask_a_person_until_they_are_accepted(sadad: Sadad, settings: Any) -> None:
    right = sadad.emulator.client_key
    with_key(settings, "wrong")
    assert maintenance.refresh_tokens() == {"default": False}
    assert maintenance.refresh_tokens() == {"default": False}
    assert waiting() == ["keys_refused"]
    with_key(settings, right)
    assert maintenance.refresh_tokens() == {"default": True}
    assert waiting() == []


def test_a_database_that_stays_locked_is_told_as_not_refreshed(
    sadad: Sadad, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(account: conf.Account) -> None:
        raise TryAgain("database_busy")

    monkeypatch.setattr(gateway, "client_for", busy)
    assert maintenance.refresh_tokens() == {"default": False}
