"""Contract 8: the session of an embedded payment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.raw_http.shapes import INVOICE, amiss

if TYPE_CHECKING:
    from tests.raw_http.conftest import Shop
    from tests.raw_http.wire import Answer, Api

ORDER = {
    "ref_Number": "E-1",
    "amount": "10",
    "currency_Code": "KWD",
    "customer_Name": "Sara",
    "customer_Mobile": "+96555000000",
    "customer_Email": "sara@example.com",
    "PaymentGatewayCode": "Knet",
}
LINES = [{"name": "A", "quantity": 2, "amount": "2"}, {"name": "B", "quantity": 6, "amount": "1"}]


def start(api: Api, **fields: Any) -> Answer:
    return api.post("EmbeddedPayment/intiate_order_session", {**ORDER, **fields})


@pytest.mark.parametrize("code", ["Knet", "CCCSSA"])
@pytest.mark.parametrize("fields", [{}, {"Items": LINES}, {"items": LINES}])
def test_a_session_is_32_characters_and_always_another(api: Api, code: str, fields: dict[str, Any]) -> None:
    made = [start(api, PaymentGatewayCode=code, **fields).ok() for _ in range(2)]
    assert [set(one) for one in made] == [{"session_Id"}] * 2
    assert [len(one["session_Id"]) for one in made] == [32, 32]
    assert made[0] != made[1]


def test_keys_are_read_in_any_case(api: Api) -> None:
    shouted = {name.upper(): value for name, value in ORDER.items()}
    assert api.post("EmbeddedPayment/intiate_order_session", shouted).ok()["session_Id"]


def test_a_session_makes_no_invoice_before_the_payer_acts(api: Api) -> None:
    start(api).ok()
    assert api.get("Invoice/getall").remark() == "EmptyResult"


def test_the_payer_s_act_makes_an_invoice_that_names_its_session(api: Api, shop: Shop) -> None:
    session = start(api, Items=LINES).ok()["session_Id"]
    api.emulator.control.pay_session(session)
    (row,) = api.rows("Invoice")
    got = api.read(row["id"])
    assert amiss(INVOICE, got) == []
    assert (got["status"], got["amount"], got["ref_Number"]) == ("Paid", 10, "E-1")
    assert (got["paymentGatewayCode"], len(got["items"])) == ("Knet", 2)
    assert got["orderSession_Id"] > 0
    api.emulator.control.deliver_webhooks()
    (told,) = shop.bodies
    assert (told["invoiceId"], told["session_Id"], told["status"]) == (got["id"], session, "Paid")


def test_a_payment_that_fails_in_a_session_can_be_tried_again(api: Api) -> None:
    session = start(api).ok()["session_Id"]
    api.emulator.control.fail_session(session)
    (row,) = api.rows("Invoice")
    assert row["status"] == "Unpaid"
    api.emulator.control.pay_session(session)
    assert [(row["id"], row["status"]) for row in api.rows("Invoice")] == [(row["id"], "Paid")]
    assert [attempt["status"] for attempt in api.read(row["id"])["transactions"]] == ["Success", "Failed"]


def test_a_payment_method_that_the_merchant_has_not_is_refused(api: Api) -> None:
    assert start(api, PaymentGatewayCode="Cheque").refused() == "InvalidPaymentMethod"


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"amount": None}, "AmountRequired"),
        ({"amount": "0"}, "AmountRequired"),
        ({"customer_Name": ""}, "CustomerNameRequired"),
        ({"currency_Code": "KW"}, "InvalidCurrencyCode"),
        ({"amount": "11", "Items": LINES}, "InvoiceAmountMustEqualsToTotalItemsAmount"),
    ],
)
def test_a_session_obeys_the_rules_of_an_invoice(api: Api, fields: dict[str, Any], key: str) -> None:
    assert start(api, **fields).refused() == key


def test_the_wrapper_of_an_invoice_is_not_the_body_of_a_session(api: Api) -> None:
    answer = api.post("EmbeddedPayment/intiate_order_session", {"Invoices": [ORDER]})
    assert answer.error_key
    assert answer.envelope["response"] is None or answer.status == 400


def test_a_domain_is_allowed(api: Api) -> None:
    assert api.post("EmbeddedPayment/allow_domain", {"domain": "shop.example"}).ok() is True
    for body in ({}, {"domain": ""}, {"domain": None}):
        assert api.post("EmbeddedPayment/allow_domain", body).refused() == "DomainRequired"
