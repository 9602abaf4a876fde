"""Contract 5: the message of a payment, in both spellings, and its tries."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.raw_http import groups

if TYPE_CHECKING:
    from tests.raw_http.conftest import Shop
    from tests.raw_http.wire import Api

SECONDS_BETWEEN_TRIES = 180


def test_a_payment_is_told_in_the_spelling_that_was_logged(api: Api, shop: Shop) -> None:
    number = api.invoice(amount="12.500")
    api.pay(number)
    assert api.emulator.control.deliver_webhooks() == 1
    (told,), got = shop.bodies, api.read(number)
    assert {name: type(value) for name, value in told.items() if name != "session_Id"} == {
        "invoiceId": int,
        "invoiceCode": str,
        "invoiceKey": int,
        "amount": float,
        "status": str,
        "paymentMethod": str,
        "transactionId": str,
        "transactionStatus": str,
    }
    assert (told["invoiceId"], told["invoiceCode"], told["status"]) == (number, got["code"], "Paid")
    assert (str(told["invoiceKey"]), told["amount"]) == (got["key"], 12.5)
    assert told["transactionId"] == got["transactionID"]
    assert not told["session_Id"]


def test_a_payment_can_be_told_in_the_documented_spelling(api: Api, shop: Shop) -> None:
    api.emulator.control.settings(webhook_style="documented")
    number = api.invoice(amount="12.500")
    api.pay(number)
    api.emulator.control.deliver_webhooks()
    (told,), got = shop.bodies, api.read(number)
    names = {"InvoiceId", "InvoiceCode", "InvoiceKey", "Status", "Amount", "PaymentMethod", "TransactionId"}
    assert set(told) >= names
    assert all(isinstance(told[name], str) for name in names)
    assert (told["InvoiceId"], told["InvoiceKey"], told["Status"]) == (str(number), got["key"], "Paid")
    assert float(told["Amount"]) == 12.5


def test_the_message_is_a_post_of_json_without_a_signature(api: Api, shop: Shop) -> None:
    api.pay(api.invoice())
    api.emulator.control.deliver_webhooks()
    assert shop.verbs == ["POST"]
    (headers,) = shop.headers
    assert headers["content-type"].startswith("application/json")
    assert [name for name in headers if "sign" in name or "token" in name or name == "authorization"] == []


def test_an_invoice_from_a_link_is_told_like_any_other(api: Api, shop: Shop) -> None:
    key = api.post("PaymentLink/insert", groups.payment_link(api)).ok()["key"]
    payer = {"customerName": "Ali", "customerMobile": "+96555111111"}
    order = {"paymentLinkKey": key, "amount": "12.500", **payer}
    number = api.post("Invoice/createpaymentlinkinvoice", order, token="").ok()
    api.pay(number)
    api.emulator.control.deliver_webhooks()
    assert [(told["invoiceId"], told["amount"]) for told in shop.bodies] == [(number, 12.5)]


@pytest.mark.parametrize("outcome", ["failure", "cancel"])
def test_what_was_not_paid_is_not_told(api: Api, shop: Shop, outcome: str) -> None:
    number = api.invoice()
    api.pay(number, outcome)
    api.delete("Invoice/delete", id=number).ok()
    assert api.emulator.control.deliver_webhooks() == 0
    assert shop.bodies == []


def test_a_refund_is_not_told(api: Api, shop: Shop) -> None:
    number = api.invoice()
    api.pay(number)
    api.emulator.control.deliver_webhooks()
    api.refund(number, "12.500").ok()
    api.emulator.control.deliver_webhooks()
    assert len(shop.bodies) == 1


@pytest.mark.parametrize("status", [500, 404, 201, 302])
def test_what_is_not_answered_with_200_comes_again_after_three_minutes(
    api: Api, shop: Shop, status: int
) -> None:
    shop.answers = [status]
    api.pay(api.invoice())
    control = api.emulator.control
    assert control.deliver_webhooks() == 1
    control.advance(SECONDS_BETWEEN_TRIES - 5)
    assert control.deliver_webhooks() == 0
    control.advance(6)
    assert control.deliver_webhooks() == 1
    assert shop.bodies[0] == shop.bodies[1]
    control.advance(SECONDS_BETWEEN_TRIES + 1)
    assert control.deliver_webhooks() == 0


def test_five_tries_are_the_most(api: Api, shop: Shop) -> None:
    shop.answers = [500] * 9
    api.pay(api.invoice())
    for _ in range(8):
        api.emulator.control.deliver_webhooks()
        api.emulator.control.advance(SECONDS_BETWEEN_TRIES + 1)
    assert len(shop.bodies) == 5


def test_a_shop_that_does_not_listen_is_tried_again(api: Api, shop: Shop) -> None:
    with socket.socket() as deaf:  # bound, so that nobody else takes the port, and not listening
        deaf.bind(("127.0.0.1", 0))
        api.emulator.webhook_url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        api.pay(api.invoice())
        api.emulator.control.deliver_webhooks()
    assert len(api.emulator.control.webhooks) == 1
