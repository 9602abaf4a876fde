from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.emulator.conftest import Merchant


@pytest.fixture
def paid(merchant: Merchant) -> int:
    number = merchant.insert(amount="10")
    merchant.emulator.control.pay(number)
    return number


def test_refund_answers_true_as_documented_and_the_amount_grows(merchant: Merchant, paid: int) -> None:
    assert merchant.refund(paid, "4.250") == {
        "isValid": True,
        "errorKey": None,
        "response": {"refund_Id": True},
    }

    invoice = merchant.read(paid)
    assert (invoice["refunded_Amount"], invoice["status"]) == (4.25, "Paid")
    assert merchant.emulator.control.refunds()[0]["amount"] == 4.25


def test_full_refund_in_parts_ends_as_refunded(merchant: Merchant, paid: int) -> None:
    merchant.refund(paid, "4")
    merchant.refund(paid, "6")
    assert merchant.read(paid)["status"] == "Refunded"
    assert merchant.refund(paid, "0.001")["errorKey"] == "RefundAmountExceedBalance"


@pytest.mark.parametrize(("form", "shown"), [("number", 501), ("text", "501"), ("empty", ""), ("true", True)])
def test_refund_id_may_have_other_forms(merchant: Merchant, paid: int, form: str, shown: Any) -> None:
    merchant.emulator.control.settings(refund_id=form)
    assert merchant.refund(paid, "1")["response"] == {"refund_Id": shown}


@pytest.mark.parametrize(
    ("amount", "error_key"),
    [
        ("10.001", "RefundAmountExceedBalance"),
        ("0", "InvalidRefundAmount"),
        ("-1", "InvalidRefundAmount"),
        ("1.0001", "InvalidRefundAmount"),
        (None, "InvalidRefundAmount"),
    ],
)
def test_wrong_amounts_are_refused(merchant: Merchant, paid: int, amount: Any, error_key: str) -> None:
    reply = merchant.refund(paid, amount)
    assert (reply["isValid"], reply["errorKey"]) == (False, error_key)
    assert merchant.read(paid)["refunded_Amount"] == 0


@pytest.mark.parametrize(
    ("fields", "error_key"),
    [
        ({"currency_Code": "USD"}, "InvalidCurrencyCode"),
        ({"invoice_Id": None}, "InvoiceIdRequired"),
        ({"invoice_Id": 999}, "UnauthorizedAccess"),
    ],
)
def test_wrong_fields_are_refused(
    merchant: Merchant, paid: int, fields: dict[str, Any], error_key: str
) -> None:
    assert merchant.refund(paid, "1", **fields)["errorKey"] == error_key


def test_other_refund_types_do_not_bind(merchant: Merchant, paid: int) -> None:
    body = {"invoice_Id": paid, "amount": "1", "refund_Type": "PayAmount", "currency_Code": "KWD"}
    assert merchant.send("POST", "Refund/insert", json=body).status_code == 400


def test_unpaid_invoice_cannot_be_refunded(merchant: Merchant) -> None:
    assert merchant.refund(merchant.insert(), "1")["errorKey"] == "InvoiceNotPaidYet"


def test_merchant_without_balance_cannot_refund(merchant: Merchant, paid: int) -> None:
    merchant.emulator.control.balance = Decimal("0.999")
    assert merchant.refund(paid, "1")["errorKey"] == "VendorBalanceLessThanInvoiceAmount"
    merchant.refund(paid, "0.999")
    assert merchant.emulator.control.balance == 0


def test_balance_follows_payments_refunds_and_deposits(merchant: Merchant) -> None:
    control = merchant.emulator.control
    control.balance = 0
    number = merchant.insert(amount="10")

    control.pay(number)
    assert control.balance == 10
    merchant.refund(number, "2.5")
    assert control.balance == Decimal("7.5")
    control.deposit(number)
    assert control.balance == 0


def test_deposited_invoice_stays_deposited_after_a_part_is_refunded(merchant: Merchant, paid: int) -> None:
    merchant.emulator.control.deposit(paid)
    merchant.refund(paid, "1")
    assert merchant.read(paid)["status"] == "Deposited"


def test_slow_refund_waits_and_its_money_is_spoken_for(merchant: Merchant, paid: int) -> None:
    control = merchant.emulator.control
    control.settings(refund_delay=60)
    merchant.refund(paid, "6")
    invoice = merchant.read(paid)
    assert (invoice["status"], invoice["refunded_Amount"]) == ("WaitingRefund", 0)
    assert merchant.refund(paid, "5")["errorKey"] == "RefundAmountExceedBalance"

    control.advance(59)
    assert merchant.read(paid)["refunded_Amount"] == 0
    control.advance(2)
    invoice = merchant.read(paid)
    assert (invoice["status"], invoice["refunded_Amount"]) == ("Paid", 6)


def test_invoice_waits_until_its_last_refund_is_through(merchant: Merchant, paid: int) -> None:
    control = merchant.emulator.control
    control.settings(refund_delay=60)
    merchant.refund(paid, "4")
    control.advance(30)
    merchant.refund(paid, "4")
    control.advance(40)

    invoice = merchant.read(paid)
    assert (invoice["status"], invoice["refunded_Amount"]) == ("WaitingRefund", 4)
    assert control.complete_refunds() == 1
    assert merchant.read(paid)["refunded_Amount"] == 8


def test_refund_may_show_as_a_transaction_before_the_payment(merchant: Merchant, paid: int) -> None:
    merchant.emulator.control.settings(refund_transactions=True)
    merchant.refund(paid, "4")

    first, second = merchant.read(paid)["transactions"]
    assert (first["request_Type"], first["status"], first["amount"]) == ("Refund", "RefundedSuccess", 4)
    assert (second["request_Type"], second["status"], second["amount"]) == ("Capture", "Success", 10)


def test_refunds_are_listed_newest_first_also_those_of_the_panel(merchant: Merchant, paid: int) -> None:
    merchant.refund(paid, "1")
    merchant.emulator.control.refund(paid, "2")
    reply = merchant.ask("GET", "Refund/getall")

    assert [(row["invoice_Id"], row["amount"], row["status"]) for row in reply["response"]] == [
        (paid, 2, "Success"),
        (paid, 1, "Success"),
    ]
    page = merchant.ask("GET", "Refund/getall", params={"listOptions": json.dumps({"take": 1})})["response"]
    assert [(row["amount"], row["totalCount"]) for row in page] == [(2, 2)]
    assert merchant.ask("GET", "Refund/getall?invoice_Id=1")["errorKey"] == "EmptyResult"
