"""The checkout view: a signed link that makes or reuses the invoice, or says clearly why not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.test import Client

from django_sadadpay import cancel
from django_sadadpay.models import Attention, Invoice
from django_sadadpay.registry import payables
from django_sadadpay.services.errors import (
    AlreadyPaid,
    InsideTransaction,
    OutcomePending,
    PaymentError,
    Refused,
)
from django_sadadpay.services.links import checkout_url
from django_sadadpay.testing.gateway import Sadad
from tests.shop.models import Order
from tests.views.buying import fresh, make_order

pytestmark = pytest.mark.django_db(transaction=True)


def follow(url: str, **options: Any) -> Any:
    return Client().get(url.removeprefix("https://shop.example"), **options)


def told(answer: Any) -> tuple[int, str]:
    """The status and the page's sentence."""
    return answer.status_code, str(answer.context["sentence"])


def test_an_anonymous_buyer_is_sent_to_the_pay_page(sadad: Sadad, order: Order) -> None:
    answer = follow(checkout_url(order))
    assert (answer.status_code, answer["Location"]) == (302, Invoice.objects.get().pay_url)
    assert "no-store" in answer["Cache-Control"]
    assert not answer.cookies


def test_opening_the_link_again_makes_no_second_invoice(sadad: Sadad, order: Order) -> None:
    url = checkout_url(order)
    assert len({follow(url)["Location"] for _ in range(3)}) == 1
    assert sadad.calls("Invoice/insert") == ["Invoice/insert"]


def test_a_donation_needs_no_object(sadad: Sadad) -> None:
    assert follow(checkout_url("gift 7", name="donation")).status_code == 302
    assert Invoice.objects.get().object_id == "gift 7"


@pytest.mark.parametrize(
    "headers",
    [{"sec-purpose": "prefetch;prerender"}, {"purpose": "prefetch"}, {"x-moz": "prefetch"}],
)
def test_a_prefetch_makes_no_invoice(headers: dict[str, str], sadad: Sadad, order: Order) -> None:
    assert follow(checkout_url(order), headers=headers).status_code == 503
    assert not Invoice.objects.exists()


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS"])
def test_only_a_real_visit_makes_an_invoice(method: str, sadad: Sadad, order: Order) -> None:
    url = checkout_url(order).removeprefix("https://shop.example")
    assert Client().generic(method, url).status_code == 405
    assert not Invoice.objects.exists()


# Links that lead nowhere


def test_a_tampered_link_is_404(order: Order) -> None:
    url = checkout_url(order)
    status, sentence = told(follow(url[:-5] + "AAAA/"))
    assert (status, sentence) == (404, "This payment link is not valid. Please start again from the shop.")


def test_a_link_signed_for_something_else_is_404() -> None:
    signed = signing.dumps(["order", "1"], salt="another")
    assert follow(f"/payments/checkout/{signed}/").status_code == 404


def test_a_link_of_yesterday_is_410(order: Order) -> None:
    with time_machine.travel("2026-11-20 10:00:00+00:00"):
        url = checkout_url(order)
    with time_machine.travel("2026-11-21 10:00:01+00:00"):
        status, sentence = told(follow(url))
    assert (status, sentence) == (410, "This payment link is too old. Please start again from the shop.")


def test_a_gone_order_is_410(order: Order) -> None:
    url = checkout_url(order)
    Order.objects.all().delete()
    assert told(follow(url)) == (410, "This order no longer exists.")


def test_an_id_of_another_type_than_the_models_is_410() -> None:
    signed = signing.dumps(["order", "seven"], salt="django_sadadpay.checkout")
    assert follow(f"/payments/checkout/{signed}/").status_code == 410


def test_a_payable_that_is_registered_no_more_is_409(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    url = checkout_url(order)
    monkeypatch.setattr(payables, "_by_name", {})
    assert told(follow(url)) == (409, "This order cannot be paid now.")


# Every public error


def test_a_paid_order_leads_to_its_payment(sadad: Sadad, order: Order, settings: Any) -> None:
    settings.SADADPAY = {**settings.SADADPAY, "SITE_URL": None}
    url = checkout_url(order, request=_request())
    follow(url.removeprefix("http://testserver"))
    sadad.pay(Invoice.objects.get())
    assert sadad.deliver() == [200]
    answer = follow(url.removeprefix("http://testserver"))
    assert answer["Location"] == f"http://testserver/payments/return/{Invoice.objects.get().reference}/"


def test_a_payment_seen_while_checking_out_leads_to_it(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paid in the panel between insert and getbyid: there is no pay page to go to any more."""
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="status", value="Paid")
    answer = follow(checkout_url(order))
    row = Invoice.objects.get()
    assert row.is_paid
    assert answer["Location"] == f"https://shop.example/payments/return/{row.reference}/"


def test_a_free_order_is_409(sadad: Sadad) -> None:
    order = Order.objects.create(number="free", amount=0)
    assert told(follow(checkout_url(order))) == (409, "There is nothing to pay for this order.")


def test_a_bad_draft_is_409_and_logged_for_the_developer(
    sadad: Sadad, caplog: pytest.LogCaptureFixture
) -> None:
    order = make_order(currency="XXX")
    status, sentence = told(follow(checkout_url(order)))
    assert (status, sentence) == (409, "The order's data cannot be used for a payment: currency.")
    assert "checkout: Refused: currency: bad_draft" in caplog.text


def test_a_payment_that_waits_for_a_person_is_409_in_its_own_language(sadad: Sadad, order: Order) -> None:
    url = checkout_url(order)
    follow(url)
    Invoice.objects.update(language="ar")
    sadad.control.faults.add("Invoice/getbyid", "reply_field", path="amount", value=1)
    sadad.pay(Invoice.objects.get())
    sadad.deliver()
    assert Attention.objects.get().code == "mismatch"
    answer = follow(url)
    assert answer.status_code == 409
    assert 'dir="rtl"' in answer.content.decode()


def test_a_gateway_that_is_down_is_503_and_can_be_tried_again(sadad: Sadad, order: Order) -> None:
    sadad.control.faults.add("*", "error_before")
    answer = follow(checkout_url(order))
    assert (answer.status_code, answer.context["again"], answer["Retry-After"]) == (503, "?", "5")
    sadad.control.faults.clear()
    assert follow(checkout_url(order)).status_code == 302


def test_a_lost_answer_is_202_and_asks_again_by_itself(
    sadad: Sadad, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    sadad.control.faults.add("Invoice/insert", "cut_after")
    sadad.control.faults.add("Invoice/getall", "error_before")
    answer = follow(checkout_url(order))
    assert (answer.status_code, answer.context["state"]) == (202, "preparing")
    assert answer["Refresh"] == "3; url=?look=1"


def raising(error: PaymentError) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (InsideTransaction(), 500, "Something went wrong. Nothing was charged."),
        (OutcomePending(), 202, "Your payment page is being prepared. It opens by itself in a few seconds."),
        (Refused("CustomerNameRequired"), 409, "The customer's name is missing."),
        (Refused("SomethingNew"), 409, "Sadad refused it: SomethingNew"),
        (AlreadyPaid(), 409, "This order is already paid."),
        (PaymentError(), 409, "Something went wrong. Nothing was charged."),
    ],
)
def test_every_error_has_its_page(
    error: PaymentError, status: int, sentence: str, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_sadadpay.views.checkout", raising(error))
    assert told(follow(checkout_url(order))) == (status, sentence)


def test_a_changed_basket_gets_a_new_invoice(sadad: Sadad, order: Order) -> None:
    first = follow(checkout_url(order))["Location"]
    order.lines.create(name="Tea", price="1.000")
    Order.objects.filter(pk=order.pk).update(amount="13.345")
    assert follow(checkout_url(fresh(order)))["Location"] != first


def test_a_cancelled_invoice_is_followed_by_a_new_one(sadad: Sadad, order: Order) -> None:
    follow(checkout_url(order))
    cancel(Invoice.objects.get())
    assert follow(checkout_url(order)).status_code == 302
    assert Invoice.objects.count() == 2


def _request() -> Any:
    from django.test import RequestFactory

    return RequestFactory().get("/")
