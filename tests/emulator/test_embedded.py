"""Embedded payment: a session first, an invoice when the payer acts in the widget, each naming the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from django_sadadpay.emulator import Emulator, Refusal, UnknownInvoice
from tests.emulator.conftest import Merchant

if TYPE_CHECKING:
    from pathlib import Path

    from tests.emulator.conftest import Receiver

PATH = "EmbeddedPayment/intiate_order_session"


def body(**fields: Any) -> dict[str, Any]:
    """The documented body (contract 8.2)."""
    return {
        "ref_Number": "A-1",
        "amount": "7.250",
        "currency_Code": "KWD",
        "customer_Name": "Sara",
        "customer_Mobile": "+96551234567",
        "customer_Email": "sara@shop.example",
        "PaymentGatewayCode": "Knet",
        **fields,
    }


def start(merchant: Merchant, **fields: Any) -> str:
    reply = merchant.ask("POST", PATH, json=body(**fields))
    assert (reply["isValid"], reply["errorKey"], list(reply["response"])) == (True, None, ["session_Id"])
    return str(reply["response"]["session_Id"])


def refused(merchant: Merchant, **fields: Any) -> str:
    reply = merchant.ask("POST", PATH, json=body(**fields))
    assert (reply["isValid"], reply["response"]) == (False, None)
    return str(reply["errorKey"])


def test_session_has_32_characters_and_makes_no_invoice_yet(merchant: Merchant) -> None:
    first, second = start(merchant), start(merchant)
    assert (len(first), len(second)) == (32, 32)
    assert first != second
    assert merchant.emulator.control.invoices() == []


@pytest.mark.parametrize(("code", "gateway"), [("Knet", "KNET"), ("CCCSSA", "Credit Card")])
def test_payer_in_the_widget_makes_the_invoice_and_pays_it(
    merchant: Merchant, receiver: Receiver, code: str, gateway: str
) -> None:
    merchant.emulator.webhook_url = receiver.url
    start(merchant)
    session = start(merchant, PaymentGatewayCode=code)
    number = merchant.emulator.control.pay_session(session)["id"]
    merchant.emulator.control.deliver_webhooks()
    invoice = merchant.read(number)

    assert (invoice["status"], invoice["amount"], invoice["ref_Number"]) == ("Paid", 7.25, "A-1")
    assert (invoice["paymentGateway"], invoice["paymentGatewayCode"]) == (gateway, code)
    assert invoice["orderSession_Id"] == 2
    assert (receiver.bodies[0]["invoiceId"], receiver.bodies[0]["session_Id"]) == (number, session)


def test_invoice_of_no_session_has_none_in_its_webhook(merchant: Merchant, receiver: Receiver) -> None:
    merchant.emulator.webhook_url = receiver.url
    start(merchant)
    number = merchant.insert()
    merchant.emulator.control.pay(number)
    merchant.emulator.control.deliver_webhooks()

    assert merchant.read(number)["orderSession_Id"] == 0
    assert receiver.bodies[0]["session_Id"] is None


def test_failed_payment_can_be_tried_again_in_the_same_widget_and_paid_once(merchant: Merchant) -> None:
    control = merchant.emulator.control
    session = start(merchant)
    failed = control.fail_session(session, "DECLINED")
    paid = control.pay_session(session)

    assert (failed["status"], failed["transactions"][0]["response"]) == ("Unpaid", "DECLINED")
    assert (paid["id"], paid["status"]) == (failed["id"], "Paid")
    with pytest.raises(Refusal, match="InvoiceAlreadyPaid"):
        control.pay_session(session)


def test_days_to_pay_count_from_when_the_payer_acts(merchant: Merchant) -> None:
    session = start(merchant)
    merchant.emulator.control.advance(30 * 86400)
    merchant.log_in()
    assert merchant.emulator.control.pay_session(session)["status"] == "Paid"


def test_lines_and_suppliers_come_with_the_invoice(merchant: Merchant) -> None:
    lines = [{"name": "x", "quantity": 2, "amount": 2, "supplierId": 5}]
    lines += [{"name": "y", "quantity": 1, "amount": "3.25", "supplierId": 6}]
    invoice = merchant.emulator.control.pay_session(start(merchant, Items=lines))

    assert invoice["type"] == "MultiVendorInvoice"
    assert [(line["quantity"], line["amount"], line["supplierId"]) for line in invoice["items"]] == [
        (2, 2, 5),
        (1, 3.25, 6),
    ]


@pytest.mark.parametrize(
    ("fields", "error_key"),
    [
        ({"PaymentGatewayCode": "NBKMasterCard"}, "InvalidPaymentMethod"),
        ({"PaymentGatewayCode": None}, "InvalidPaymentMethod"),
        ({"amount": "0"}, "AmountRequired"),
        ({"amount": "1.0005"}, "AmountRequired"),
        ({"customer_Name": " "}, "CustomerNameRequired"),
        ({"currency_Code": "XXX"}, "InvalidCurrencyCode"),
        (
            {"Items": [{"name": "x", "quantity": 1, "amount": 7}]},
            "InvoiceAmountMustEqualsToTotalItemsAmount",
        ),
        (
            {
                "Items": [
                    {"name": "x", "quantity": 1, "amount": 7, "supplierId": 5},
                    {"name": "y", "quantity": 1, "amount": "0.25"},
                ]
            },
            "SupplierIdRequired",
        ),
    ],
)
def test_what_could_never_be_paid_gets_no_session(
    merchant: Merchant, fields: dict[str, Any], error_key: str
) -> None:
    assert refused(merchant, **fields) == error_key


def test_session_needs_a_token(merchant: Merchant) -> None:
    for path in (PATH, "EmbeddedPayment/allow_domain"):
        assert merchant.send("POST", path, token="", json=body(domain="x.example")).status_code == 401


def test_domain_is_allowed_as_often_as_it_is_asked(merchant: Merchant) -> None:
    for domain in ("Shop.example", "shop.example", "other.example"):
        reply = merchant.ask("POST", "EmbeddedPayment/allow_domain", json={"domain": domain})
        assert reply == {"isValid": True, "errorKey": None, "response": True}
    kept = merchant.emulator.world.objects["AllowedDomain"].values()
    assert [row.key for row in kept] == ["shop.example", "other.example"]


@pytest.mark.parametrize("sent", [{}, {"domain": " "}])
def test_domain_is_needed(merchant: Merchant, sent: dict[str, Any]) -> None:
    reply = merchant.ask("POST", "EmbeddedPayment/allow_domain", json=sent)
    assert (reply["isValid"], reply["errorKey"]) == (False, "DomainRequired")


def test_control_over_http_pays_and_fails_and_knows_no_other_session(merchant: Merchant) -> None:
    session = start(merchant)
    url = f"{merchant.emulator.base_url}/control"
    failed = requests.post(f"{url}/fail_session", json={"session_id": session}, timeout=5)
    paid = requests.post(f"{url}/pay_session", json={"session_id": session}, timeout=5)
    unknown = requests.post(f"{url}/pay_session", json={"session_id": "x"}, timeout=5)

    assert failed.json()["result"]["transactions"][0]["response"] == "NOT CAPTURED"
    assert paid.json()["result"]["status"] == "Paid"
    assert unknown.status_code == 404
    with pytest.raises(UnknownInvoice):
        merchant.emulator.control.fail_session("x")


def test_session_survives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    line = {"name": "x", "quantity": 1, "amount": "7.25"}
    with Emulator(deliver="manual", state_file=file) as emulator:
        session = start(Merchant(emulator), Items=[line])
    again = Emulator(deliver="manual", state_file=file)
    paid = again.control.pay_session(session)
    assert (paid["status"], paid["items"][0]["name"]) == ("Paid", "x")
