"""Asking Sadad and giving money back over the API, against the emulator."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client

from django_sadadpay.api import problems
from django_sadadpay.models import Attention, Invoice, InvoiceEvent, Refund
from django_sadadpay.services import errors
from django_sadadpay.testing.factories import InvoiceFactory, RefundFactory
from django_sadadpay.testing.gateway import Sadad
from tests.api.conftest import give_back, problem, url
from tests.shop.models import Order

pytestmark = pytest.mark.django_db(transaction=True)


# Verify


def test_verify_asks_sadad_and_answers_with_what_is_so_now(
    sadad: Sadad, open_invoice: Invoice, office: Client
) -> None:
    sadad.pay(open_invoice)
    answer = office.post(url("invoice-verify", open_invoice))
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["paid_amount"]) == ("paid", "12.345")
    assert Order.objects.get().paid_calls == 1
    event = InvoiceEvent.objects.get(kind="paid")
    assert (event.source, event.by) == (InvoiceEvent.Source.STAFF, User.objects.get())


def test_verify_when_sadad_cannot_be_reached_says_so(
    sadad: Sadad, open_invoice: Invoice, office: Client
) -> None:
    sadad.control.faults.add("Invoice/getbyid", "error_before")
    assert problem(office.post(url("invoice-verify", open_invoice)), 503)[0] == "try_again"


def test_verify_of_an_invoice_without_a_sadad_id_is_refused(office: Client) -> None:
    answer = office.post(url("invoice-verify", InvoiceFactory(new=True)))
    assert problem(answer, 409) == ("no_sadad_id", "", "Sadad has not confirmed this invoice yet.")


def test_verify_of_an_invoice_that_sadad_does_not_know_is_refused(sadad: Sadad, office: Client) -> None:
    assert problem(office.post(url("invoice-verify", InvoiceFactory())), 409)[0] == "not_found"


def test_verify_of_another_environment_s_invoice_is_refused(office: Client) -> None:
    answer = office.post(url("invoice-verify", InvoiceFactory(environment="live")))
    assert problem(answer, 409)[0] == "parked"


# Refund


def test_a_refund_is_given_and_remembers_who_asked(
    sadad: Sadad, paid_invoice: Invoice, office: Client
) -> None:
    answer = give_back(office, paid_invoice, amount="2.345", reason="one was broken")
    assert answer.status_code == 201
    shown = answer.json()
    user = User.objects.get()
    assert (shown["invoice"], shown["amount"], shown["state"], shown["reason"], shown["by_name"]) == (
        paid_invoice.reference,
        "2.345",
        "done",
        "one was broken",
        user.username,
    )
    assert Refund.objects.get().by == user
    assert len(sadad.calls("Refund/insert")) == 1


@pytest.mark.parametrize("body", [{}, {"amount": None}])
def test_without_an_amount_all_that_is_left_is_given_back(
    paid_invoice: Invoice, office: Client, body: dict[str, Any]
) -> None:
    give_back(office, paid_invoice, key="first", amount="2")
    assert give_back(office, paid_invoice, key="second", **body).json()["amount"] == "10.345"


def test_the_same_key_refunds_once(sadad: Sadad, paid_invoice: Invoice, office: Client) -> None:
    first = give_back(office, paid_invoice, amount="1.000")
    again = give_back(office, paid_invoice, amount="1.000")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert len(sadad.calls("Refund/insert")) == 1


def test_the_same_key_sent_at_the_same_moment_refunds_once(
    sadad: Sadad, paid_invoice: Invoice, office: Client
) -> None:
    together = threading.Barrier(4)
    answers: list[Any] = []

    def post() -> None:
        client = Client()
        client.cookies = office.cookies
        together.wait()
        answers.append(give_back(client, paid_invoice, amount="1.000"))
        connections.close_all()

    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(answers) == 4
    assert len(sadad.calls("Refund/insert")) == 1
    assert Order.objects.get().refund_calls == 1


def test_keys_that_differ_in_case_or_invoice_are_different_refunds(
    sadad: Sadad, paid_invoice: Invoice, office: Client
) -> None:
    give_back(office, paid_invoice, key="Form-1", amount="1.000")
    assert give_back(office, paid_invoice, key="form-1", amount="1.000").status_code == 201
    assert len(sadad.calls("Refund/insert")) == 2


def test_a_key_with_another_amount_is_refused(paid_invoice: Invoice, office: Client) -> None:
    give_back(office, paid_invoice, amount="1.000")
    assert problem(give_back(office, paid_invoice, amount="2.000"), 409)[:2] == ("key_used", "key")


def test_a_refund_without_a_key_is_refused_before_anything_is_done(
    paid_invoice: Invoice, office: Client
) -> None:
    for headers in ({}, {"Idempotency-Key": "  "}):
        answer = office.post(
            url("invoice-refunds", paid_invoice),
            {"reason": "x"},
            content_type="application/json",
            headers=headers,
        )
        assert problem(answer, 400)[:2] == ("required", "Idempotency-Key")
    assert Refund.objects.count() == 0


def test_a_key_that_cannot_be_stored_is_refused(paid_invoice: Invoice, office: Client) -> None:
    assert problem(give_back(office, paid_invoice, key="k" * 101), 400)[:2] == ("bad_key", "key")


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"amount": 1.25}, "bad_amount", "amount"),
        ({"amount": 1}, "bad_amount", "amount"),
        ({"amount": True}, "bad_amount", "amount"),
        ({"amount": "1,250"}, "bad_amount", "amount"),
        ({"amount": "1.2505"}, "bad_amount", "amount"),
        ({"amount": "-1.000"}, "bad_amount", "amount"),
        ({"amount": "NaN"}, "bad_amount", "amount"),
        ({"amount": "١"}, "bad_amount", "amount"),
        ({"amount": "0.000"}, "bad_amount", "amount"),
        ({"amount": ""}, "blank", "amount"),
        ({"amount": ["1.000"]}, "bad_amount", "amount"),
        ({"reason": ""}, "blank", "reason"),
        ({"reason": None}, "null", "reason"),
        ({"reason": "x" * 251}, "max_length", "reason"),
    ],
)
def test_a_wrong_request_is_refused_and_says_what_to_mend(
    paid_invoice: Invoice, office: Client, body: dict[str, Any], code: str, field: str
) -> None:
    assert problem(give_back(office, paid_invoice, **body), 400)[:2] == (code, field)
    assert Refund.objects.count() == 0


def test_all_faults_of_a_request_are_told_at_once(paid_invoice: Invoice, office: Client) -> None:
    answer = give_back(office, paid_invoice, amount="x", reason="")
    assert [(one["field"], one["code"]) for one in answer.json()["errors"]] == [
        ("amount", "bad_amount"),
        ("reason", "blank"),
    ]


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "parse_error"),
        (b"[]", "application/json", 400, "invalid"),
        (b'{"reason": NaN}', "application/json", 400, "parse_error"),
        (b"reason=x", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
    ],
)
def test_what_is_not_a_json_object_is_refused(
    paid_invoice: Invoice, office: Client, body: bytes, kind: str, status: int, code: str
) -> None:
    address, headers = url("invoice-refunds", paid_invoice), {"Idempotency-Key": "k"}
    answer = office.post(address, body, content_type=kind, headers=headers)
    assert problem(answer, status)[:2] == (code, "")


def test_more_than_is_left_is_refused(sadad: Sadad, paid_invoice: Invoice, office: Client) -> None:
    answer = give_back(office, paid_invoice, amount="12.346")
    assert problem(answer, 409) == ("exceeds_left", "amount", "This is more than what is left to refund.")
    give_back(office, paid_invoice)
    assert problem(give_back(office, paid_invoice, key="k-2"), 409)[0] == "nothing_left"
    assert len(sadad.calls("Refund/insert")) == 1


def test_an_unpaid_invoice_cannot_be_refunded(open_invoice: Invoice, office: Client) -> None:
    assert problem(give_back(office, open_invoice), 409)[0] == "not_paid"


def test_a_refund_that_sadad_refuses_is_told_in_its_state(
    sadad: Sadad, paid_invoice: Invoice, office: Client
) -> None:
    sadad.control.faults.add("Refund/insert", "refuse", error_key="RefundAmountExceedBalance")
    answer = give_back(office, paid_invoice, amount="1.000")
    assert answer.status_code == 201
    shown = answer.json()
    assert (shown["state"], shown["error_code"]) == ("refused", "RefundAmountExceedBalance")
    assert shown["error"] == "The refund is more than your balance at Sadad."


def test_a_refund_whose_answer_is_lost_is_unknown_and_never_sent_again(
    sadad: Sadad, paid_invoice: Invoice, office: Client
) -> None:
    sadad.control.faults.add("Refund/insert", "error_before", times=1)
    assert give_back(office, paid_invoice, amount="1.000").json()["state"] == "unknown"
    again = give_back(office, paid_invoice, amount="1.000")
    assert (again.status_code, again.json()["state"]) == (200, "unknown")
    assert len(sadad.calls("Refund/insert")) == 1


def test_refunds_by_admin_and_api_share_their_keys(paid_invoice: Invoice, office: Client) -> None:
    row = RefundFactory(invoice=paid_invoice, key="0123abcd", amount="1.000")
    answer = give_back(office, paid_invoice, key="0123abcd", amount="1.000")
    assert (answer.status_code, answer.json()["id"]) == (200, row.pk)


# Problems


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.TryAgain(), 503),
        (errors.TryAgain("database_busy"), 503),
        (errors.OutcomePending(), 202),
        (errors.InsideTransaction(), 500),
        (errors.AlreadyPaid(), 409),
        (errors.NothingToPay(), 409),
        (errors.NeedsAttention(), 409),
        (errors.Refused("exceeds_left", field="amount"), 409),
        (errors.Refused("bad_amount", field="amount"), 400),
        (errors.PaymentError(), 409),
    ],
)
def test_each_public_error_has_its_status(error: errors.PaymentError, status: int) -> None:
    response = problems.handler(error, {})
    assert response is not None
    assert (response.status_code, response.data["code"]) == (status, error.code)
    assert response.data["detail"] == error.sentence


def test_a_fault_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch, office: Client) -> None:
    """Django logs it and answers 500; no traceback becomes an answer."""
    monkeypatch.setattr(Attention.objects, "filter", None)
    office.raise_request_exception = False
    assert office.get(url("attention-list")).status_code == 500
