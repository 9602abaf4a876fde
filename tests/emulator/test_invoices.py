"""Insert, getbyid, update, delete as the contract says, and every refusal of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from django_sadadpay.emulator import wire

if TYPE_CHECKING:
    from tests.emulator.conftest import Merchant


def test_body_keys_are_read_in_any_case(merchant: Merchant) -> None:
    body = {
        "INVOICES": [
            {"AMOUNT": 3, "CUSTOMER_NAME": "Sara", "Ref_number": "A-1", "SUCCESS_returnurl": "http://s/"}
        ]
    }
    reply = merchant.ask("POST", "Invoice/insert", json=body)
    invoice = merchant.read(reply["response"]["invoiceId"])

    assert (invoice["amount"], invoice["ref_Number"], invoice["success_ReturnURL"]) == (3, "A-1", "http://s/")


def test_paths_are_matched_in_any_case(merchant: Merchant) -> None:
    assert merchant.ask("GET", f"invoice/GetById?id={merchant.insert()}")["isValid"]


@pytest.mark.parametrize("amount", ["12.500", "12.5", 12.5, " 12.5 "])
def test_amount_may_be_text_or_number(merchant: Merchant, amount: Any) -> None:
    assert merchant.read(merchant.insert(amount=amount))["amount"] == 12.5


def test_server_keeps_its_own_fields_to_itself(merchant: Merchant) -> None:
    number = merchant.insert(
        id=5, code="X", status="Paid", vendor_Id=1, transactionID="9", key="1", deleted=True, surprise=[1]
    )
    invoice = merchant.read(number)

    assert (invoice["id"], invoice["code"], invoice["status"]) == (number, f"INV-{number}", "Unpaid")
    assert (invoice["vendor_Id"], invoice["transactionID"], invoice["deleted"]) == (20456, None, False)


def test_defaults_are_arabic_dinars_and_a_week(merchant: Merchant) -> None:
    merchant_id = merchant.insert(lang=None)
    invoice = merchant.read(merchant_id)
    created = merchant.emulator.world.invoices[merchant_id].created_at
    week = wire.local_time(created) + timedelta(days=7)

    assert (invoice["lang"], invoice["currency_Code"], invoice["type"]) == ("ar", "KWD", "Invoice")
    assert invoice["expiry_Date"] == f"{week:%m/%d/%Y} 00:00:00"


def test_every_option_of_an_invoice_comes_back(merchant: Merchant) -> None:
    sent = {
        "customer_Mobile": "+965600000000",
        "customer_Email": "sara@example.com",
        "ref_Number": "A-1",
        "lang": "En",
        "sendType": "SMS",
        "remind_After": 3,
        "comment": "gift",
        "terms_Condition": "none",
        "terms_Condition_Enabled": True,
    }
    invoice = merchant.read(merchant.insert(Fail_ReturnURL="http://s/f", expiry_Date="2030-01-02", **sent))

    assert {name: invoice[name] for name in sent} == sent
    assert (invoice["fail_ReturnURL"], invoice["expiry_Date"]) == ("http://s/f", "01/02/2030 00:00:00")


def test_expiry_date_may_carry_a_time_and_a_zone(merchant: Merchant) -> None:
    invoice = merchant.read(merchant.insert(expiry_Date="2030-01-02T10:00:00+00:00"))
    assert invoice["expiry_Date"] == "01/02/2030 13:00:00"


@pytest.mark.parametrize(
    ("fields", "error_key"),
    [
        ({"amount": None}, "AmountRequired"),
        ({"amount": "0"}, "AmountRequired"),
        ({"amount": -1}, "AmountRequired"),
        ({"amount": "1.2345"}, "AmountRequired"),
        ({"customer_Name": " "}, "CustomerNameRequired"),
        ({"sendType": "SMS"}, "CustomerMobileRequired"),
        ({"sendType": "Email"}, "CustomerEmailRequired"),
        ({"sendType": "Pigeon"}, "InvalidSendType"),
        ({"lang": "eng"}, "InvalidLanguageCode"),
        ({"currency_Code": "US"}, "InvalidCurrencyCode"),
        ({"currency_Code": "XXX"}, "InvalidCurrencyCode"),
        ({"discount_Type": "Fixed"}, "InvalidInvoiceDiscountType"),
        ({"discount_Type": "Amount"}, "DiscountAmountRequired"),
        ({"expiry_Date": "06/04/2026"}, "InvalidDateFormat"),
        ({"expiry_Date": "0001-01-01"}, "InvalidDateFormat"),
        ({"items": [{"name": "x", "quantity": 2, "amount": 6}]}, "InvoiceAmountMustEqualsToTotalItemsAmount"),
        ({"items": [{"name": "x", "quantity": 0, "amount": 6}]}, "AmountRequired"),
        ({"items": [{"name": "x", "quantity": 1, "amount": 0}]}, "AmountRequired"),
        ({"type": "MultiVendorInvoice"}, "SupplierIdRequired"),
        (
            {"type": "MultiVendorInvoice", "items": [{"name": "x", "quantity": 1, "amount": "12.5"}]},
            "SupplierIdRequired",
        ),
    ],
)
def test_insert_refuses_what_sadad_refuses(
    merchant: Merchant, fields: dict[str, Any], error_key: str
) -> None:
    assert merchant.refused(**fields) == error_key
    assert merchant.emulator.control.invoices() == []


def test_lines_are_added_in_fils_so_that_tenths_do_not_go_astray(merchant: Merchant) -> None:
    items = [{"name": "x", "quantity": 3, "amount": 0.1}, {"name": "y", "quantity": 1, "amount": "0.005"}]
    assert merchant.read(merchant.insert(amount="0.305", items=items))["amount"] == 0.305


@pytest.mark.parametrize(("kind", "given", "taken"), [("Amount", "2.5", 2.5), ("Percent", 20, 2.5)])
def test_discount_is_what_the_lines_exceed_the_amount_by(
    merchant: Merchant, kind: str, given: Any, taken: float
) -> None:
    items = [{"name": "x", "quantity": 1, "amount": "12.5"}]
    number = merchant.insert(amount="10", discount_Type=kind, discount_Amount=given, items=items)
    invoice = merchant.read(number)

    assert (invoice["total"], invoice["subtotal"], invoice["discount_Amount_Total"]) == (10, 12.5, taken)
    assert (invoice["discount_Type"], invoice["discount_Amount"]) == (kind, float(given))


def test_supplier_invoice_keeps_its_suppliers(merchant: Merchant) -> None:
    items = [{"name": "x", "quantity": 1, "amount": "12.5", "supplierId": 4}]
    invoice = merchant.read(merchant.insert(type="MultiVendorInvoice", items=items))
    assert (invoice["type"], invoice["items"][0]["supplierId"]) == ("MultiVendorInvoice", 4)


@pytest.mark.parametrize("body", [{}, {"Invoices": []}, {"Invoices": None}, {"invoice": {"amount": 1}}])
def test_insert_without_invoices_is_an_empty_object(merchant: Merchant, body: Any) -> None:
    assert merchant.ask("POST", "Invoice/insert", json=body)["errorKey"] == "ObjectIsEmpty"


def test_several_invoices_are_stored_together_and_the_last_is_named(merchant: Merchant) -> None:
    row = {"amount": 1, "customer_Name": "Sara"}
    reply = merchant.ask("POST", "Invoice/insert", json={"Invoices": [row, row]})
    assert reply["response"]["invoiceId"] == str(merchant.emulator.control.invoices()[-1]["id"])

    merchant.ask("POST", "Invoice/insert", json={"Invoices": [row, {**row, "amount": 0}]})
    assert len(merchant.emulator.control.invoices()) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"Invoices": 1}',
        b'{"Invoices": [1]}',
        b'{"Invoices": [{"amount": NaN}]}',
        b'{"Invoices": [{"amount": true}]}',
        b'{"Invoices": [{"amount": "ten"}]}',
        b'{"Invoices": [{"amount": 1e99}]}',
        b'{"Invoices": [{"amount": {}}]}',
        b'{"Invoices": [{"amount": 1, "customer_Name": {}}]}',
        b'{"Invoices": [{"amount": 1, "customer_Name": true}]}',
        b'{"Invoices": [{"amount": 1, "items": {}}]}',
        b'{"Invoices": [{"amount": 1, "items": [{"quantity": 1.5, "amount": 1}]}]}',
        b'{"Invoices": [{"amount": 1, "customer_Name": "S", "terms_Condition_Enabled": "no"}]}',
    ],
)
def test_body_that_does_not_bind_is_http_400(merchant: Merchant, body: bytes) -> None:
    reply = merchant.send("POST", "Invoice/insert", data=body)

    assert reply.status_code == 400
    assert (reply.json()["isValid"], reply.json()["errorKey"]) == (False, "WrongObject")
    assert isinstance(reply.json()["response"], dict)


@pytest.mark.parametrize("query", ["", "?id=0", "?id=-3", "?id=abc", f"?id={'9' * 30}"])
def test_missing_id_is_valid_with_an_error_key(merchant: Merchant, query: str) -> None:
    expected = {"isValid": True, "errorKey": "InvoiceIdRequired", "response": None}
    assert merchant.ask("GET", f"Invoice/getbyid{query}") == expected


def test_foreign_id_is_unauthorized_in_http_200(merchant: Merchant) -> None:
    expected = {"isValid": False, "errorKey": "UnauthorizedAccess", "response": None}
    assert merchant.ask("GET", "Invoice/getbyid?id=999") == expected
    assert merchant.ask("DELETE", "Invoice/delete?id=999") == expected


def update(merchant: Merchant, **fields: Any) -> Any:
    return merchant.ask("PUT", "Invoice/update", json={"customer_Name": "Sara", "amount": "9", **fields})


def test_update_rewrites_an_unpaid_invoice_and_keeps_its_link(merchant: Merchant) -> None:
    number = merchant.insert(comment="old")
    before = merchant.read(number)
    items = [{"name": "x", "quantity": 2, "amount": "4.500"}]

    assert update(merchant, id=number, items=items) == {"isValid": True, "errorKey": None, "response": True}
    after = merchant.read(number)
    assert (after["amount"], after["comment"], after["items"][0]["quantity"]) == (9, "", 2)
    assert (after["key"], after["createDate"]) == (before["key"], before["createDate"])


def test_update_refuses_what_insert_refuses_and_changes_nothing(merchant: Merchant) -> None:
    number = merchant.insert()
    before = merchant.read(number)

    assert update(merchant, id=number, amount="0")["errorKey"] == "AmountRequired"
    assert update(merchant)["errorKey"] == "InvoiceIdRequired"
    assert merchant.read(number) == before


def test_paid_invoice_can_be_neither_updated_nor_deleted(merchant: Merchant) -> None:
    number = merchant.insert()
    merchant.emulator.control.pay(number)

    assert update(merchant, id=number)["errorKey"] == "InvoiceCannotBeUpdated"
    assert merchant.ask("DELETE", f"Invoice/delete?id={number}")["errorKey"] == "InvoiceCannotBeDeleted"
    assert merchant.read(number)["status"] == "Paid"


def test_delete_is_soft_and_works_once(merchant: Merchant) -> None:
    number = merchant.insert()

    assert merchant.ask("DELETE", f"Invoice/delete?id={number}") == {
        "isValid": True,
        "errorKey": None,
        "response": None,
    }
    invoice = merchant.read(number)
    assert (invoice["status"], invoice["deleted"]) == ("Canceled", True)
    assert merchant.ask("DELETE", f"Invoice/delete?id={number}")["errorKey"] == "InvoiceCannotBeDeleted"
