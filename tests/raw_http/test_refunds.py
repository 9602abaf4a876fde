"""Contract 6: refunds of what was paid."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.raw_http.wire import Api


def paid(api: Api, amount: str = "12.500") -> int:
    number = api.invoice(amount=amount)
    api.pay(number)
    return number


def test_a_refund_answers_the_documented_true_and_grows_on_the_invoice(api: Api) -> None:
    number = paid(api)
    assert api.refund(number, "5.000").ok() == {"refund_Id": True}
    got = api.read(number)
    assert (got["refunded_Amount"], got["status"], got["amount"]) == (5, "Paid", 12.5)
    api.refund(number, "7.500").ok()
    got = api.read(number)
    assert (got["refunded_Amount"], got["status"]) == (12.5, "Refunded")


@pytest.mark.parametrize("amount", [2.5, "2.5", "2.500"])
def test_amount_and_invoice_may_be_text_or_number(api: Api, amount: str | float) -> None:
    number = paid(api)
    for invoice_id in (number, str(number)):
        body = {"invoice_Id": invoice_id, "amount": amount, "refund_Type": "DeductFromBalance"}
        api.post("Refund/insert", {**body, "currency_Code": "KWD"}).ok()
    assert api.read(number)["refunded_Amount"] == 5


def test_keys_are_read_in_any_case(api: Api) -> None:
    number = paid(api)
    body = {"INVOICE_ID": number, "Amount": "1", "refund_type": "DeductFromBalance", "Currency_Code": "KWD"}
    api.post("Refund/insert", body).ok()
    assert api.read(number)["refunded_Amount"] == 1


@pytest.mark.parametrize("amount", ["0", "-1", "0.0001", "", "much"])
def test_an_amount_that_is_none_is_refused(api: Api, amount: str) -> None:
    number = paid(api)
    assert api.refund(number, amount).error_key in ("InvalidRefundAmount", "AmountRequired", "WrongObject")
    assert api.read(number)["refunded_Amount"] == 0


def test_more_than_is_left_is_refused(api: Api) -> None:
    number = paid(api)
    over = ("RefundAmountExceedBalance", "InvalidRefundAmount")
    assert api.refund(number, "12.501").refused() in over
    api.refund(number, "12.000").ok()
    assert api.refund(number, "0.501").refused() in over
    api.refund(number, "0.500").ok()
    assert api.read(number)["refunded_Amount"] == 12.5


def test_an_unpaid_invoice_has_nothing_to_refund(api: Api) -> None:
    number = api.invoice()
    assert api.refund(number, "1.000").refused() == "InvoiceNotPaidYet"


def test_a_refund_needs_a_balance(api: Api) -> None:
    number = paid(api)
    api.emulator.control.balance = Decimal("4.999")
    assert api.refund(number, "5.000").refused() == "VendorBalanceLessThanInvoiceAmount"
    assert api.read(number)["refunded_Amount"] == 0
    api.refund(number, "4.999").ok()


def test_a_refund_names_an_invoice_that_exists(api: Api) -> None:
    assert api.refund(999999, "1.000").refused() in ("UnauthorizedAccess", "InvoiceNotExist")
    assert api.refund(0, "1.000").error_key == "InvoiceIdRequired"


def test_refunds_are_listed(api: Api) -> None:
    assert api.get("Refund/getall").remark() == "EmptyResult"
    first, second = paid(api), paid(api)
    for number, amount in ((first, "1.000"), (second, "2.000"), (first, "3.250")):
        api.refund(number, amount).ok()
    rows = api.rows("Refund")
    assert [(int(row["invoice_Id"]), row["amount"]) for row in rows] == [
        (first, 3.25),
        (second, 2),
        (first, 1),
    ]
    assert len({row["id"] for row in rows}) == 3
    assert all(isinstance(row["status"], str) and row["status"] for row in rows)


def test_a_settled_invoice_can_still_be_refunded(api: Api) -> None:
    """Contract 3.10: Deposited is paid and settled; 6.1: any time after."""
    number = paid(api)
    api.emulator.control.deposit(number)
    assert api.read(number)["status"] == "Deposited"
    api.refund(number, "1.000").ok()
    assert api.read(number)["refunded_Amount"] == 1
