from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from django_sadadpay.gateway.webhook import WebhookError, WebhookPayload, parse

# Contract 5: as documented, and as a developer found it after logging real calls.
DOCUMENTED = {
    "InvoiceId": "68141",
    "InvoiceCode": "INV-68141",
    "InvoiceKey": "9565391268141",
    "Status": "Paid",
    "Amount": "1.250",
    "PaymentMethod": "KNET",
    "TransactionId": "100",
}
SEEN = {
    "invoiceId": 68141,
    "invoiceCode": "INV-68141",
    "invoiceKey": 9565391268141,
    "status": "Paid",
    "amount": 1.25,
    "paymentMethod": "KNET",
    "transactionId": "100",
    "session_Id": None,
    "transactionStatus": "Success",
}


@pytest.mark.parametrize("body", [DOCUMENTED, SEEN, {name.upper(): value for name, value in SEEN.items()}])
def test_both_spellings_say_the_same(body: dict[str, Any]) -> None:
    payload = parse(json.dumps(body).encode())
    assert payload.raw.keys() == body.keys()
    assert payload == WebhookPayload(
        "68141",
        "INV-68141",
        "9565391268141",
        "Paid",
        Decimal("1.25"),
        "KNET",
        "100",
        "",
        "Success" if "transactionStatus".casefold() in {name.casefold() for name in body} else "",
        payload.raw,
    )


@pytest.mark.parametrize(
    "value", [None, "", 0, "0", "abc", "6 8", "٦٨", 1.5, True, [1], {"a": 1}, -5, "9" * 21]
)
def test_an_id_is_digits_or_nothing(value: Any) -> None:
    assert parse(json.dumps({"invoiceId": value}).encode()).invoice_id == ""


@pytest.mark.parametrize(("value", "found"), [(" 12 ", "12"), (12, "12"), ("12", "12"), (12.0, "12")])
def test_an_id_in_each_form(value: Any, found: str) -> None:
    assert parse(json.dumps({"invoiceId": value}).encode()).invoice_id == found


def test_an_object_that_names_no_invoice_is_a_payload() -> None:
    assert parse(b"{}") == WebhookPayload()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"invoiceId=5",
        b"[]",
        b"null",
        b'"text"',
        b"5",
        b'{"invoiceId": NaN}',
        b'{"invoiceId": ' + b"9" * 5000 + b"}",
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b"[" * 200_000,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_json_object(body: bytes) -> None:
    with pytest.raises(WebhookError) as caught:
        parse(body)
    assert caught.value.code == "not_json"


def test_of_a_key_that_comes_twice_the_last_counts() -> None:
    assert parse(b'{"invoiceId": 1, "invoiceId": 2}').invoice_id == "2"


def test_a_payload_does_not_show_its_raw_body() -> None:
    assert "secret" not in repr(parse(b'{"invoiceId": 1, "customerName": "secret"}'))


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary())
def test_any_bytes_give_a_payload_or_a_webhook_error(body: bytes) -> None:
    try:
        assert parse(body).invoice_id == ""
    except WebhookError:
        pass


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@settings(deadline=None)  # a busy machine is no failure
@given(st.dictionaries(st.sampled_from([*DOCUMENTED, *SEEN]) | st.text(), VALUES))
def test_any_object_gives_a_payload_or_a_webhook_error(body: dict[str, Any]) -> None:
    try:
        payload = parse(json.dumps(body).encode())
    except WebhookError:
        return
    assert payload.invoice_id == "" or payload.invoice_id.isdigit()
    assert payload.amount is None or payload.amount.is_finite()
