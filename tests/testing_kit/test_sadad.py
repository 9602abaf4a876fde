from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from django_sadadpay import checkout, conf
from django_sadadpay.models import Invoice
from django_sadadpay.services import clock
from django_sadadpay.testing.factories import InvoiceFactory
from django_sadadpay.testing.gateway import Sadad, account_settings
from tests.shop.models import Order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def invoice(sadad: Sadad) -> Invoice:
    order = Order.objects.create(number="A-1", amount=Decimal("12.345"))
    return checkout(order)


def test_the_settings_point_at_it(sadad: Sadad) -> None:
    account = conf.current().account("default")
    assert (account.api_url, account.pay_url) == (sadad.emulator.api_url, sadad.emulator.pay_url)
    assert conf.current().site_url == "https://shop.example"


def test_it_tells_what_was_called(sadad: Sadad, invoice: Invoice) -> None:
    assert sadad.calls("Invoice/insert") == ["Invoice/insert"]
    assert sadad.calls()[-2:] == ["Invoice/insert", "Invoice/getbyid"]


def test_a_payment_reaches_the_shop_when_the_test_delivers_it(sadad: Sadad, invoice: Invoice) -> None:
    sadad.pay(invoice, "card")
    assert Order.objects.get().status == "new"
    assert sadad.deliver() == [200]
    assert Order.objects.get().status == "paid"
    assert sadad.deliver() == []


def test_a_webhook_may_come_more_than_once(sadad: Sadad, invoice: Invoice) -> None:
    sadad.pay(invoice)
    assert sadad.deliver(times=3) == [200, 200, 200]
    assert Order.objects.get().paid_calls == 1


def test_a_refused_card_leaves_the_invoice_payable(sadad: Sadad, invoice: Invoice) -> None:
    sadad.fail(invoice)
    sadad.deliver()
    assert Order.objects.get().status == "new"
    sadad.pay(invoice)
    sadad.deliver()
    assert Order.objects.get().status == "paid"


@pytest.mark.parametrize(
    ("body", "status"), [({"invoiceId": "68141"}, 200), ('{"invoiceId": 68141}', 200), ("no JSON", 400)]
)
def test_any_webhook_can_be_posted(sadad: Sadad, invoice: Invoice, body: Any, status: int) -> None:
    assert sadad.post(body) == status


def test_what_has_not_reached_sadad_cannot_be_paid_there(sadad: Sadad) -> None:
    with pytest.raises(AssertionError, match="has not reached Sadad"):
        sadad.pay(InvoiceFactory(new=True))


def test_every_account_points_at_it_and_a_shop_without_settings_gets_one(sadad: Sadad) -> None:
    emulator = sadad.emulator
    made = account_settings(emulator, {"SITE_URL": "https://a.example", "ACCOUNTS": {"a": {}, "b": {"X": 1}}})
    assert [row["API_URL"] for row in made["ACCOUNTS"].values()] == [emulator.api_url] * 2
    assert (made["SITE_URL"], made["ACCOUNTS"]["b"]["X"]) == ("https://a.example", 1)
    assert account_settings(emulator, {})["ACCOUNTS"]["default"]["ENVIRONMENT"] == "sandbox"


def test_the_apps_clock_can_be_moved(sadad_clock: Callable[[float], None]) -> None:
    before = clock.now()
    sadad_clock(3600)
    assert clock.now() - before >= timedelta(hours=1)
