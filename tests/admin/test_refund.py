"""A member of staff gives money back, from the invoice's page to Sadad."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connections
from django.test import Client
from django.utils import translation

from django_sadadpay import refund
from django_sadadpay.models import Invoice, Refund
from django_sadadpay.services import reconcile, transactions
from django_sadadpay.services.errors import TryAgain
from django_sadadpay.testing.gateway import Sadad
from tests.admin.conftest import StaffMaker, hidden, pay, text, told, url
from tests.shop.models import Order

pytestmark = pytest.mark.django_db(transaction=True)


def ask(client: Client, invoice: Invoice, **values: str) -> dict[str, str]:
    """Open the page and fill it in; what the confirmation would send."""
    page = url("invoice", "refund", invoice.pk)
    filled = {**hidden(client.get(page)), "reason": "returned", **values}
    confirmation = client.post(page, filled)
    assert confirmation.status_code == 200
    assert "Refund now" in confirmation.content.decode()
    return {**hidden(confirmation), "confirmed": "Refund now"}


def send(client: Client, invoice: Invoice, form: dict[str, str]) -> Any:
    answer = client.post(url("invoice", "refund", invoice.pk), form)
    assert answer.status_code == 302
    assert answer["Location"] == url("invoice", "change", invoice.pk)
    return answer


def test_the_whole_walk(sadad: Sadad, paid_invoice: Invoice, staff: StaffMaker) -> None:
    client = staff("refund_invoice")
    page = url("invoice", "refund", paid_invoice.pk)
    assert page in client.get(url("invoice", "change", paid_invoice.pk)).content.decode()
    first = client.get(page)
    assert "Left to refund 12.345 KWD" in text(first)
    assert hidden(first)["amount"] == "12.345"

    confirmation = client.post(page, {**hidden(first), "amount": "2.345", "reason": "one cup broke"})
    said = text(confirmation)
    assert "Refund 2.345 KWD of order A-1?" in said
    assert "10.000 KWD will be left to refund." in said
    assert "Reason: one cup broke" in said
    assert sadad.calls("Refund/insert") == []

    answer = send(client, paid_invoice, {**hidden(confirmation), "confirmed": "Refund now"})
    assert told(answer) == [("success", "2.345 KWD refunded.")]
    row = Refund.objects.get()
    assert (row.state, row.amount, row.reason, row.by_name) == (
        Refund.State.DONE,
        Decimal("2.345"),
        "one cup broke",
        "staff0",
    )
    assert Order.objects.get().refunded == Decimal("2.345")
    shown = text(client.get(url("invoice", "change", paid_invoice.pk)))
    assert "Left to refund: 10.000 KWD" in shown
    assert "staff: staff0" in shown


def test_it_stands_in_the_history_once_and_in_the_readers_language(
    paid_invoice: Invoice, staff: StaffMaker
) -> None:
    client = staff("refund_invoice")
    form = ask(client, paid_invoice, amount="1")
    send(client, paid_invoice, form)
    send(client, paid_invoice, form)
    entry = LogEntry.objects.get()
    assert entry.get_change_message() == f"Added refund “1.000 KWD ({Refund.objects.get().pk})”."
    with translation.override("ar"):
        assert "Added" not in entry.get_change_message()


@pytest.mark.parametrize("amount", ["12.345", "5"])
def test_sending_the_same_form_again_gives_the_same_refund(
    sadad: Sadad, paid_invoice: Invoice, boss: Client, amount: str
) -> None:
    form = ask(boss, paid_invoice, amount=amount)
    first, second = (told(send(boss, paid_invoice, form)) for _ in range(2))
    assert first == second == [("success", f"{Decimal(amount):.3f} KWD refunded.")]
    assert len(sadad.calls("Refund/insert")) == 1
    assert Refund.objects.count() == 1


@pytest.mark.races
def test_two_clicks_at_once_give_one_refund(sadad: Sadad, paid_invoice: Invoice, boss: Client) -> None:
    form = ask(boss, paid_invoice, amount="12.345")
    page, together = url("invoice", "refund", paid_invoice.pk), Barrier(2)

    def click(_number: int) -> list[tuple[str, str]]:
        try:
            client = Client()
            client.cookies = boss.cookies
            together.wait(10)
            return told(client.post(page, form))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(click, range(2)))
    row = Refund.objects.get()
    assert row.state == Refund.State.DONE
    assert len(sadad.calls("Refund/insert")) == 1
    # The second may come while the first is still on its way, and then says so; never that it failed.
    assert [level for answer in answers for level, _ in answer].count("error") == 0
    assert ("success", "12.345 KWD refunded.") in [message for answer in answers for message in answer]


def test_the_same_form_with_another_amount_refunds_nothing(paid_invoice: Invoice, boss: Client) -> None:
    form = ask(boss, paid_invoice, amount="1")
    send(boss, paid_invoice, form)
    answer = send(boss, paid_invoice, {**form, "amount": "2"})
    assert told(answer) == [("error", "This key belongs to a refund of another amount.")]
    assert Refund.objects.count() == 1


def test_a_page_opened_anew_makes_a_new_refund(paid_invoice: Invoice, boss: Client) -> None:
    for _ in range(2):
        send(boss, paid_invoice, ask(boss, paid_invoice, amount="1"))
    assert Refund.objects.count() == 2


def test_a_key_is_only_known_where_it_was_used(sadad: Sadad, paid_invoice: Invoice, boss: Client) -> None:
    """A refund made without a key, as panel refunds are, must not pass for a form that was sent before."""
    sadad.control.refund(paid_invoice.sadad_id, "12.345")
    reconcile_now(paid_invoice)
    answer = boss.get(url("invoice", "refund", paid_invoice.pk))
    assert told(answer) == [("error", "Nothing is left to refund.")]


def reconcile_now(invoice: Invoice) -> None:
    Invoice.objects.filter(pk=invoice.pk).update(next_check_at=invoice.created_at)
    reconcile.run()


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"amount": "12.346"}, "This is more than what is left to refund."),
        ({"amount": "0"}, "Ensure this value is greater than or equal to 0.001."),
        ({"amount": "-1"}, "Ensure this value is greater than or equal to 0.001."),
        ({"amount": "1.0001"}, "Ensure that there are no more than 3 decimal places."),
        ({"amount": "1,250"}, "Enter a number."),
        ({"amount": "NaN"}, "Enter a number."),
        ({"amount": ""}, "This field is required."),
        ({"reason": " "}, "This field is required."),
        ({"reason": "x" * 251}, "Ensure this value has at most 250 characters (it has 251)."),
    ],
)
def test_what_cannot_be_refunded_is_marked(
    sadad: Sadad, paid_invoice: Invoice, boss: Client, values: dict[str, str], complaint: str
) -> None:
    page = url("invoice", "refund", paid_invoice.pk)
    answer = boss.post(page, {"amount": "1", "reason": "x", "key": "k", **values, "confirmed": "yes"})
    assert complaint in text(answer)
    assert "Continue" in answer.content.decode()
    assert not Refund.objects.exists()


def test_a_form_without_a_key_refunds_nothing(paid_invoice: Invoice, boss: Client) -> None:
    page = url("invoice", "refund", paid_invoice.pk)
    answer = boss.post(page, {"amount": "1", "reason": "x", "confirmed": "yes"})
    assert answer.status_code == 200
    assert not Refund.objects.exists()


def test_the_confirmation_can_be_changed(paid_invoice: Invoice, boss: Client) -> None:
    form = ask(boss, paid_invoice, amount="1")
    del form["confirmed"]
    answer = boss.post(url("invoice", "refund", paid_invoice.pk), {**form, "edit": "Change"})
    assert hidden(answer) == form
    assert "Continue" in answer.content.decode()


def test_a_refund_that_sadad_refuses_says_why(sadad: Sadad, paid_invoice: Invoice, boss: Client) -> None:
    sadad.control.balance = "0"
    answer = send(boss, paid_invoice, ask(boss, paid_invoice, amount="1"))
    ((level, sentence),) = told(answer)
    assert level == "error"
    assert sentence.startswith("The refund of 1.000 KWD was refused. ")
    assert "balance" in sentence


def test_a_lost_answer_is_told_as_unknown(sadad: Sadad, paid_invoice: Invoice, boss: Client) -> None:
    sadad.control.faults.add("Refund/insert", "cut_after", times=1)
    answer = send(boss, paid_invoice, ask(boss, paid_invoice, amount="1"))
    ((level, sentence),) = told(answer)
    assert level == "warning"
    assert sentence == (
        "Nobody knows yet whether the refund of 1.000 KWD happened. "
        "It is looked into by itself; do not refund it again."
    )
    assert "Sadad's answer was lost" in text(boss.get(url("invoice", "change", paid_invoice.pk)))


def test_a_second_refund_waits_for_one_in_flight(sadad: Sadad, paid_invoice: Invoice, boss: Client) -> None:
    sadad.control.faults.add("Refund/insert", "cut_after", times=1)
    refund(paid_invoice, "1", reason="first")
    page = url("invoice", "refund", paid_invoice.pk)
    confirmation = boss.post(page, {**hidden(boss.get(page)), "amount": "2", "reason": "second"})
    assert "Another refund of this invoice is on its way" in text(confirmation)
    answer = send(boss, paid_invoice, {**hidden(confirmation), "confirmed": "yes"})
    assert told(answer) == [("info", "The refund of 2.000 KWD waits and is sent by itself.")]


def test_a_refund_found_not_to_have_happened_says_so(
    sadad: Sadad, paid_invoice: Invoice, boss: Client
) -> None:
    form = ask(boss, paid_invoice, amount="1")
    refund(paid_invoice, "1", reason="x", key=form["key"])
    Refund.objects.update(state=Refund.State.DID_NOT_HAPPEN)
    answer = send(boss, paid_invoice, form)
    assert told(answer) == [("warning", "The refund of 1.000 KWD did not happen.")]


def test_an_open_invoice_has_no_refund(open_invoice: Invoice, boss: Client) -> None:
    answer = boss.get(url("invoice", "refund", open_invoice.pk))
    assert told(answer) == [("error", "Only a paid invoice can be refunded.")]


def test_an_invoice_of_another_environment_is_left_alone(
    sadad: Sadad, paid_invoice: Invoice, boss: Client
) -> None:
    Invoice.objects.update(environment="live")
    calls = len(sadad.calls())
    answer = boss.get(url("invoice", "refund", paid_invoice.pk))
    assert [level for level, _ in told(answer)] == ["error"]
    page = text(boss.get(url("invoice", "change", paid_invoice.pk)))
    assert "This row belongs to another Sadad environment" in page
    assert "Verify with Sadad now" not in page
    assert len(sadad.calls()) == calls


def test_what_the_service_refuses_in_the_end_is_a_message(
    paid_invoice: Invoice, boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = ask(boss, paid_invoice, amount="1")

    def locked(block: object) -> None:
        raise TryAgain("database_busy")

    monkeypatch.setattr(transactions, "run", locked)
    answer = send(boss, paid_invoice, form)
    assert told(answer)[0][0] == "error"
    assert "We are very busy just now" in told(answer)[0][1]


def test_a_second_order_is_refunded_on_its_own(sadad: Sadad, paid_invoice: Invoice, boss: Client) -> None:
    """The key belongs to one invoice: used for another, it is another refund."""
    from django_sadadpay import checkout
    from tests.admin.conftest import make_order

    other = pay(sadad, checkout(make_order(number="A-2")))
    form = ask(boss, paid_invoice, amount="1")
    send(boss, paid_invoice, form)
    send(boss, other, form)
    assert Refund.objects.filter(state=Refund.State.DONE).count() == 2
