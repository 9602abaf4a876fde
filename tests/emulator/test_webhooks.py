"""Webhook messages: their form, their tries, and the faults that disturb their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from django_sadadpay.emulator import Emulator
from tests.emulator.conftest import wait_until

if TYPE_CHECKING:
    from tests.emulator.conftest import Merchant, Receiver


@pytest.fixture
def hooked(merchant: Merchant, receiver: Receiver) -> Merchant:
    merchant.emulator.webhook_url = receiver.url
    return merchant


def pay(merchant: Merchant) -> int:
    number = merchant.insert()
    merchant.emulator.control.pay(number)
    return number


def test_payment_is_reported_in_the_spelling_and_types_really_seen(
    hooked: Merchant, receiver: Receiver
) -> None:
    number = pay(hooked)
    invoice = hooked.read(number)

    assert hooked.emulator.control.deliver_webhooks() == 1
    assert receiver.bodies == [
        {
            "invoiceId": number,
            "invoiceCode": invoice["code"],
            "invoiceKey": int(invoice["key"]),
            "status": "Paid",
            "amount": 12.5,
            "paymentMethod": "Knet",
            "transactionId": invoice["transactionID"],
            "session_Id": None,
            "transactionStatus": "Success",
        }
    ]


def test_payment_may_be_reported_in_the_documented_spelling(hooked: Merchant, receiver: Receiver) -> None:
    hooked.emulator.control.settings(webhook_style="documented")
    number = pay(hooked)
    hooked.emulator.control.deliver_webhooks()

    invoice = hooked.read(number)
    assert receiver.bodies == [
        {
            "InvoiceId": str(number),
            "InvoiceCode": invoice["code"],
            "InvoiceKey": invoice["key"],
            "Status": "Paid",
            "Amount": "12.5",
            "PaymentMethod": "Knet",
            "TransactionId": invoice["transactionID"],
        }
    ]


def test_only_payments_are_reported(hooked: Merchant, receiver: Receiver) -> None:
    control = hooked.emulator.control
    number = hooked.insert()
    control.fail(number)
    control.expire(number)
    control.cancel(hooked.insert())
    assert control.webhooks == []

    paid = pay(hooked)
    control.refund(paid, 1)
    control.deposit(paid)
    assert len(control.webhooks) == 1


def test_nothing_is_reported_without_a_webhook_url(merchant: Merchant) -> None:
    pay(merchant)
    assert merchant.emulator.control.webhook_history == []


def test_message_waits_when_its_url_is_taken_away(hooked: Merchant) -> None:
    pay(hooked)
    hooked.emulator.webhook_url = None
    assert hooked.emulator.webhook_url is None
    assert hooked.emulator.control.deliver_webhooks() == 0
    assert len(hooked.emulator.control.webhooks) == 1


def test_200_ends_it(hooked: Merchant, receiver: Receiver) -> None:
    control = hooked.emulator.control
    pay(hooked)
    control.deliver_webhooks()
    control.advance(1000)

    assert control.deliver_webhooks() == 0
    assert [(row.state, row.tries, row.last_status) for row in control.webhook_history] == [
        ("accepted", 1, 200)
    ]


@pytest.mark.parametrize("status", [201, 302, 404, 503])
def test_anything_else_is_tried_again_after_three_minutes(
    hooked: Merchant, receiver: Receiver, status: int
) -> None:
    control = hooked.emulator.control
    receiver.answers = [status]
    pay(hooked)
    control.deliver_webhooks()

    control.advance(179)
    assert control.deliver_webhooks() == 0
    control.advance(2)
    assert control.deliver_webhooks() == 1
    assert len(receiver.bodies) == 2
    assert control.webhooks == []


def test_it_gives_up_after_five_tries(hooked: Merchant, receiver: Receiver) -> None:
    control = hooked.emulator.control
    receiver.answers = [500] * 9
    pay(hooked)
    sent = []
    for _ in range(7):
        sent.append(control.deliver_webhooks())
        control.advance(181)

    assert sent == [1, 1, 1, 1, 1, 0, 0]
    assert [(row.state, row.tries) for row in control.webhook_history] == [("given_up", 5)]


def test_shop_that_does_not_listen_is_tried_again(merchant: Merchant) -> None:
    control = merchant.emulator.control
    merchant.emulator.webhook_url = "http://127.0.0.1:1/"
    pay(merchant)

    assert control.deliver_webhooks() == 1
    assert [(row.state, row.tries, row.last_status) for row in control.webhooks] == [("waiting", 1, None)]


def test_shop_may_ask_the_api_before_it_answers(merchant: Merchant, receiver: Receiver) -> None:
    """A lock held while sending would deadlock here."""
    control = merchant.emulator.control
    merchant.emulator.webhook_url = f"{merchant.emulator.base_url}/control/complete_refunds"
    pay(merchant)
    control.deliver_webhooks()
    assert control.webhook_history[0].last_status == 400


def test_duplicate_is_sent_as_often_as_asked(hooked: Merchant, receiver: Receiver) -> None:
    control = hooked.emulator.control
    control.faults.add("webhook", "duplicate", times=1, copies=2)
    first, second = pay(hooked), pay(hooked)

    assert control.deliver_webhooks() == 4
    assert receiver.ids == [first, first, first, second]


def test_delay_keeps_it_back_for_a_while(hooked: Merchant, receiver: Receiver) -> None:
    control = hooked.emulator.control
    control.faults.add("webhook", "delay", times=1, seconds=100)
    first, second = pay(hooked), pay(hooked)

    control.deliver_webhooks()
    assert receiver.ids == [second]
    control.advance(101)
    control.deliver_webhooks()
    assert receiver.ids == [second, first]


def test_reordered_message_is_overtaken_by_the_next(hooked: Merchant, receiver: Receiver) -> None:
    control = hooked.emulator.control
    control.faults.add("webhook", "reorder", times=1)
    first = pay(hooked)
    assert control.deliver_webhooks() == 0

    second = pay(hooked)
    assert control.deliver_webhooks() == 2
    assert receiver.ids == [second, first]


def test_reordered_message_goes_by_itself_when_no_other_comes(hooked: Merchant, receiver: Receiver) -> None:
    control = hooked.emulator.control
    control.faults.add("webhook", "reorder", times=1, seconds=30)
    first = pay(hooked)
    control.advance(31)
    control.deliver_webhooks()
    second = pay(hooked)
    control.deliver_webhooks()
    assert receiver.ids == [first, second]


def test_two_reordered_messages_wait_for_the_third(hooked: Merchant, receiver: Receiver) -> None:
    control = hooked.emulator.control
    control.faults.add("webhook", "reorder", times=2)
    first, second, third = pay(hooked), pay(hooked), pay(hooked)
    control.deliver_webhooks()
    assert receiver.ids == [third, first, second]


def test_dropped_message_is_never_sent(hooked: Merchant, receiver: Receiver) -> None:
    control = hooked.emulator.control
    control.faults.add("webhook", "drop", times=1)
    pay(hooked)
    control.advance(10_000)

    assert control.deliver_webhooks() == 0
    assert [row.state for row in control.webhook_history] == ["dropped"]


def test_thread_sends_by_itself(receiver: Receiver) -> None:
    with Emulator(webhook_url=receiver.url) as emulator:
        emulator.control.pay(emulator.control.create(1)["id"])
        assert receiver.came.wait(5)
    assert len(receiver.bodies) == 1


def test_thread_tries_again_after_the_interval(receiver: Receiver) -> None:
    receiver.answers = [500]
    with Emulator(webhook_url=receiver.url) as emulator:
        emulator.control.pay(emulator.control.create(1)["id"])
        assert receiver.came.wait(5)
        wait_until(lambda: emulator.control.webhooks[0].tries == 1)
        receiver.came.clear()
        emulator.control.advance(180)
        assert receiver.came.wait(5)
    assert len(receiver.bodies) == 2


def test_two_senders_at_once_send_a_message_once(hooked: Merchant, receiver: Receiver) -> None:
    """The message is taken by another sender between the look and the turn."""
    world = hooked.emulator.world
    pay(hooked)
    world.webhooks[0].sending = True
    assert hooked.emulator.control.deliver_webhooks() == 0
    world.webhooks[0].sending = False
    assert hooked.emulator.control.deliver_webhooks() == 1
    assert len(receiver.bodies) == 1
