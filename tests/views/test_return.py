"""The buyer's return: what Sadad is asked, how often, and what the page says (money-flow 3.8)."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import DisallowedRedirect
from django.db import connections
from django.test import Client
from django.utils import timezone

from django_sadadpay import cancel
from django_sadadpay.models import Attention, Invoice, PaymentAttempt
from django_sadadpay.registry import payables
from django_sadadpay.services import clock, verify
from django_sadadpay.services.errors import TryAgain
from django_sadadpay.testing.factories import InvoiceFactory
from django_sadadpay.testing.gateway import Sadad
from tests.shop.models import Order
from tests.views.buying import back, fresh, no_sql, with_account

pytestmark = pytest.mark.django_db(transaction=True)
READ = "Invoice/getbyid"


@pytest.fixture
def asked(sadad: Sadad, invoice: Invoice) -> Callable[[], int]:
    """How often Sadad was asked about an invoice since checkout."""
    before = len(sadad.calls(READ))
    return lambda: len(sadad.calls(READ)) - before


def state(answer: Any) -> str:
    assert answer.status_code in (200, 404)
    # Not from answer.context: with threads, Django's test client mixes up whose it is.
    found = re.search(r'<main class="sadadpay sadadpay-(\w+)"', answer.content.decode())
    assert found is not None
    return found[1]


# What is asked


def test_the_page_shows_a_payment_that_no_webhook_told_of(
    sadad: Sadad, invoice: Invoice, order: Order, asked: Callable[[], int]
) -> None:
    sadad.pay(invoice)
    assert state(back(invoice)) == "paid"
    assert (fresh(order).status, asked()) == ("paid", 1)


def test_what_the_query_says_is_ignored(sadad: Sadad, invoice: Invoice, order: Order) -> None:
    other = InvoiceFactory(paid=True)
    answer = back(invoice, f"?invoice_id={other.sadad_id}&payment=success")
    assert (state(answer), answer.context["invoice"].pk) == ("not_yet", invoice.pk)
    assert fresh(order).status == "new"


def test_sadad_is_asked_at_most_once_in_five_seconds(invoice: Invoice, asked: Callable[[], int]) -> None:
    for _ in range(3):
        back(invoice)
    assert asked() == 1
    Invoice.objects.update(looked_at=clock.now() - timedelta(seconds=5))
    back(invoice)
    assert asked() == 2


@pytest.mark.races
def test_many_tabs_at_once_ask_once(sadad: Sadad, invoice: Invoice, asked: Callable[[], int]) -> None:
    sadad.pay(invoice)
    sadad.control.faults.add(READ, "latency", seconds=0.5)
    states: list[str] = []
    gate = threading.Barrier(5)

    def tab() -> None:
        gate.wait()
        states.append(state(back(invoice)))
        connections.close_all()

    threads = [threading.Thread(target=tab) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked() == 1
    assert (sorted(states), state(back(invoice))) == (["confirming"] * 4 + ["paid"], "paid")


def test_nothing_is_asked_about_what_is_paid(
    sadad: Sadad, invoice: Invoice, asked: Callable[[], int]
) -> None:
    sadad.pay(invoice)
    back(invoice)
    Invoice.objects.update(looked_at=None)
    assert (state(back(invoice)), asked()) == ("paid", 1)


def test_a_slow_sadad_does_not_keep_the_buyer_waiting(sadad: Sadad, invoice: Invoice, settings: Any) -> None:
    settings.SADADPAY = {**settings.SADADPAY, "RETURN_VIEW_DEADLINE": 1}
    sadad.control.faults.add(READ, "latency", seconds=4)
    began = time.monotonic()
    assert state(back(invoice)) == "confirming"
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "fault", ["error_before", "unreadable", "wrong_id", "rate_limited", "unauthorized_401"]
)
def test_a_sadad_that_fails_is_no_failed_payment(fault: str, sadad: Sadad, invoice: Invoice) -> None:
    sadad.control.faults.add(READ, fault)
    answer = back(invoice)
    assert (state(answer), "Refresh" in answer) == ("confirming", True)


def test_a_busy_database_is_no_failed_payment(invoice: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any) -> bool:
        raise TryAgain("database_busy")

    monkeypatch.setattr(verify, "claim_look", busy)
    assert state(back(invoice)) == "confirming"


# What is shown


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"state": "new", "sadad_id": None}, "confirming"),
        ({"state": "unknown", "sadad_id": None, "open_slot": None}, "confirming"),
        ({"state": "refused", "sadad_id": None, "open_slot": None}, "ended"),
        ({"state": "lost", "sadad_id": None, "open_slot": None}, "ended"),
        ({"state": "open", "environment": "live"}, "not_yet"),
    ],
)
def test_what_cannot_be_asked_is_shown_as_it_stands(values: dict[str, Any], expected: str) -> None:
    assert state(back(InvoiceFactory(**values))) == expected


def test_a_refused_card_is_shown_as_failed_with_a_way_to_try_again(sadad: Sadad, invoice: Invoice) -> None:
    sadad.fail(invoice)
    answer = back(invoice)
    assert (state(answer), "Refresh" in answer) == ("failed", False)
    again = Client().get(answer.context["again"].removeprefix("https://shop.example"))
    assert again["Location"] == invoice.pay_url


def test_a_success_of_the_bank_that_the_invoice_lacks_is_being_confirmed(invoice: Invoice) -> None:
    PaymentAttempt.objects.create(invoice=invoice, key="id:1", status="Failed")
    PaymentAttempt.objects.create(invoice=invoice, key="id:2", status="Success")
    assert state(back(invoice)) == "confirming"


@pytest.mark.parametrize("status", ["Pending", "", "Whatever"])
def test_an_attempt_that_may_still_succeed_is_not_called_failed(status: str, invoice: Invoice) -> None:
    PaymentAttempt.objects.create(invoice=invoice, key="id:1", status="Failed")
    PaymentAttempt.objects.create(invoice=invoice, key="id:2", status=status)
    assert state(back(invoice)) == "not_yet"


def test_a_cancelled_invoice_offers_a_new_start(sadad: Sadad, invoice: Invoice) -> None:
    cancel(invoice)
    answer = back(invoice)
    assert state(answer) == "ended"
    url = Client().get(answer.context["again"].removeprefix("https://shop.example"))["Location"]
    assert url == Invoice.objects.get(open_slot__isnull=False).pay_url != invoice.pay_url


def test_while_a_person_looks_into_it_nobody_is_told_to_pay_again(sadad: Sadad, invoice: Invoice) -> None:
    sadad.control.faults.add(READ, "reply_field", path="amount", value=1)
    sadad.pay(invoice)
    answer = back(invoice)
    assert [row.code for row in Attention.objects.all()] == ["mismatch"]
    assert (state(answer), answer.context["again"]) == ("waiting", "?")
    assert "Please do not pay again" in answer.content.decode()


def test_a_gone_order_leaves_nothing_to_try_again(invoice: Invoice) -> None:
    Order.objects.all().delete()
    answer = back(invoice)
    assert (state(answer), answer.context["again"]) == ("not_yet", "")


def test_a_payable_that_is_registered_no_more_is_no_obstacle() -> None:
    answer = back(InvoiceFactory(payable="gone", sadad_id=None, state="new"))
    assert (state(answer), answer.context["again"]) == ("confirming", "?")
    assert back(InvoiceFactory(payable="gone", environment="live")).context["again"] == ""


def test_a_donation_can_be_tried_again() -> None:
    answer = back(InvoiceFactory(payable="donation", object_id="gift 7", environment="live"))
    assert "/checkout/" in answer.context["again"]


def test_a_foreign_amount_is_shown_with_what_is_taken() -> None:
    row = InvoiceFactory(shop_currency="USD", shop_amount="18.000", amount="5.580", environment="live")
    text = back(row).content.decode()
    assert "18.00 USD" in text
    assert "5.580 KWD" in text


def test_the_page_never_shows_who_paid(sadad: Sadad, invoice: Invoice) -> None:
    sadad.pay(invoice)
    text = back(invoice).content.decode()
    assert "A-1" in text
    assert "12.345 KWD" in text
    assert fresh(invoice).transaction_id in text
    for word in ("Noor", "Sabah", "965", "example.com</", "noor@"):
        assert word not in text


# Language


@pytest.mark.parametrize(
    ("language", "direction", "amount", "heading"),
    [("en", "ltr", "12.345 KWD", "Payment received"), ("ar", "rtl", "12.345 د.ك", "تم استلام الدفعة")],
)
def test_the_page_speaks_the_invoices_language(
    language: str, direction: str, amount: str, heading: str, sadad: Sadad, invoice: Invoice
) -> None:
    Invoice.objects.update(language=language)
    sadad.pay(invoice)
    answer = back(invoice, headers={"accept-language": "fr"})
    text = answer.content.decode()
    assert f'<html lang="{language}" dir="{direction}">' in text
    assert answer["Content-Language"] == language
    assert amount in text
    assert heading in text


# Foreign references


@pytest.mark.parametrize("reference", ["A-1-aaaaaaaaaa", "x", "é", "a b", "%00", "..", "x" * 32])
def test_a_foreign_reference_is_told_nothing(reference: str) -> None:
    answer = Client().get(f"/payments/return/{reference}/")
    assert (answer.status_code, state(answer)) == (404, "unknown")
    assert "<dl>" not in answer.content.decode()


def test_what_can_be_no_reference_costs_no_sql() -> None:
    with no_sql():
        Client().get("/payments/return/%00/")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_reading_is_allowed(method: str) -> None:
    assert Client().generic(method, "/payments/return/x/").status_code == 405


def test_head_is_answered_as_get(invoice: Invoice) -> None:
    url = f"/payments/return/{invoice.reference}/"
    assert Client().head(url).status_code == 200


# The shop's own page


@pytest.fixture
def going_to(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Let the shop's payable answer ``return_url`` so."""
    payable = payables.get("order")

    def answer(result: Any) -> None:
        def return_url(obj: Order, invoice: Invoice) -> Any:
            if isinstance(result, Exception):
                raise result
            return result.format(order=obj.pk, state=invoice.state)

        monkeypatch.setattr(payable, "return_url", return_url)

    return answer


def test_the_buyer_goes_on_to_the_shops_page_after_the_look(
    sadad: Sadad, invoice: Invoice, order: Order, going_to: Callable[[Any], None]
) -> None:
    going_to("/orders/{order}/?{state}")
    sadad.pay(invoice)
    answer = back(invoice)
    assert (answer.status_code, answer["Location"]) == (302, f"/orders/{order.pk}/?paid")


@pytest.mark.parametrize(
    "fault", [RuntimeError("noor@example.com"), DisallowedRedirect("x"), "javascript:alert(1)"]
)
def test_a_fault_of_the_shops_page_leaves_the_buyer_on_ours(
    fault: Any,
    sadad: Sadad,
    invoice: Invoice,
    going_to: Callable[[Any], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    going_to(fault)
    sadad.pay(invoice)
    assert state(back(invoice)) == "paid"
    assert "return_url of payable order" in caplog.text
    assert "noor" not in caplog.text


# Headers


def test_the_page_keeps_to_itself(invoice: Invoice) -> None:
    answer = back(invoice)
    assert answer["Referrer-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]
    text = answer.content.decode()
    assert "<script" not in text
    assert "style=" not in text
    assert "<style" not in text


def test_a_page_that_waits_asks_again_ever_later_and_then_rests(
    invoice: Invoice, sadad_clock: Callable[[float], None]
) -> None:
    query, pauses = "", []
    while "Refresh" in (answer := back(invoice, query)):
        pause, _, target = answer["Refresh"].partition("; url=")
        query = target
        pauses.append(int(pause))
        sadad_clock(10)
    assert pauses == [10, 20, 40, 80, 160, 320]


@pytest.mark.parametrize("look", ["-1", "99", "x", "٣", "", "1e9"])
def test_a_forged_count_changes_nothing(look: str, invoice: Invoice) -> None:
    assert back(invoice, f"?look={look}")["Refresh"] == "10; url=?look=1"


def test_without_a_site_url_the_way_home_is_the_sites_root(invoice: Invoice, settings: Any) -> None:
    settings.SADADPAY = {**settings.SADADPAY, "SITE_URL": None}
    assert 'href="/"' in back(invoice).content.decode()


def test_pages_are_shown_while_an_account_is_parked(invoice: Invoice, settings: Any) -> None:
    settings.SADADPAY = with_account(ENVIRONMENT="live")
    assert state(back(invoice)) == "not_yet"


def test_the_answer_of_a_moment_ago_is_not_told_as_todays(invoice: Invoice) -> None:
    """The first attempt fails and is looked at; the buyer pays within 5 s: the page must not say "failed"."""
    now = timezone.now()
    Invoice.objects.update(looked_at=now, fetch_ended_at=now)
    assert state(back(invoice)) == "confirming"
