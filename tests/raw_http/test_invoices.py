"""Contract 3: an invoice from its insert to its end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.raw_http.shapes import INVOICE, ITEM, amiss, differing
from tests.raw_http.wire import sample

if TYPE_CHECKING:
    from tests.raw_http.wire import Api


def insert(api: Api, *invoices: dict[str, Any], wrapper: str = "Invoices", **options: Any) -> Any:
    return api.ask("POST", "Invoice/insert", {wrapper: list(invoices)}, **options)


def line(name: str, quantity: Any, amount: Any, **fields: Any) -> dict[str, Any]:
    return {"name": name, "quantity": quantity, "amount": amount, **fields}


PLAIN = {"amount": "12.500", "customer_Name": "Sara"}


@pytest.mark.parametrize("number", [1, 2])
def test_our_shapes_are_those_of_the_real_replies(number: int) -> None:
    real = sample(f"invoice-getbyid-reply-{number}")["response"]
    assert set(real) == set(INVOICE)
    assert amiss(INVOICE, real) == []
    for item in real["items"]:
        assert set(item) == set(ITEM)
        assert amiss(ITEM, item) == []


@pytest.mark.parametrize("number", [1, 2])
def test_a_real_request_gives_an_invoice_of_the_real_shape(api: Api, number: int) -> None:
    request = sample(f"invoice-insert-request-{number}")
    response = api.post("Invoice/insert", request).ok()
    assert set(response) == {"invoiceId"}
    assert isinstance(response["invoiceId"], str)
    assert response["invoiceId"].isdigit()
    got, real = api.read(response["invoiceId"]), sample(f"invoice-getbyid-reply-{number}")["response"]
    assert set(got) == set(INVOICE)
    assert amiss(INVOICE, got) == []
    assert [amiss(ITEM, item) for item in got["items"]] == [[]] * len(real["items"])
    own = {"id", "key", "code", "url", "qr", "short_url", "shortLink", "createDate", "vendor_Id", "items"}
    assert {k: v for k, v in got.items() if k not in own} == {k: v for k, v in real.items() if k not in own}
    for ours, theirs in zip(got["items"], real["items"], strict=True):
        assert {**ours, "id": 0} == {**theirs, "id": 0}


def test_id_key_code_and_addresses_belong_together(api: Api) -> None:
    number = api.invoice()
    got = api.read(number)
    assert (got["id"], got["code"]) == (number, f"INV-{number:05d}")
    assert (got["key"][8:], len(got["key"][:8])) == (str(number), 8)
    assert got["url"] == got["short_url"] == f"{api.emulator.pay_url}/{got['key']}"
    assert got["qr"].endswith(f"/qr/{got['key']}/download")
    assert got["shortLink"].rstrip().ljust(50) == got["shortLink"]


def test_server_owned_fields_are_ignored(api: Api) -> None:
    owned = {"id": 4, "code": "X", "status": "Paid", "vendor_Id": 4, "transactionID": "9"}
    owned |= {
        "paymentGateway": "9",
        "paymentGatewayCode": "9",
        "key": "9",
        "callback_url": "https://x.example",
    }
    got = api.read(api.invoice(**owned))
    assert got["id"] != 4
    assert got["status"] == "Unpaid"
    assert (got["transactionID"], got["paymentGateway"], got["paymentGatewayCode"]) == (None, None, None)
    assert "callback_url" not in got


@pytest.mark.parametrize("wrapper", ["Invoices", "invoices", "INVOICES"])
@pytest.mark.parametrize("amount", ["10", 10, "10.000", 10.0])
def test_keys_are_read_in_any_case_and_amounts_as_text_or_number(api: Api, wrapper: str, amount: Any) -> None:
    lines = [line("A", 2, 2), {"NAME": "B", "Quantity": 6, "AMOUNT": "1"}]
    body = {"AMOUNT": amount, "Customer_name": "Sara", "Items": lines, "Ref_NUMBER": "7"}
    got = api.read(insert(api, body, wrapper=wrapper).ok()["invoiceId"])
    assert (got["amount"], got["ref_Number"], len(got["items"])) == (10, "7", 2)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/*+json"])
def test_both_known_content_types_are_taken(api: Api, content_type: str) -> None:
    assert insert(api, PLAIN, content_type=content_type).ok()["invoiceId"]


def test_what_was_sent_is_echoed(api: Api) -> None:
    sent = {
        "customer_Name": "سارة",
        "customer_Mobile": "+96555000000",
        "customer_Email": "sara@example.com",
        "ref_Number": "A-7",
        "lang": "ar",
        "comment": "Ring the bell",
        "remind_After": 3,
        "terms_Condition_Enabled": True,
        "terms_Condition": "No returns",
        "sendType": "Email",
        "Success_ReturnURL": "https://shop.example/ok?x=1",
        "Fail_ReturnURL": "https://shop.example/no",
        "expiry_Date": "2091-02-03",
        "amount": "1.234",
    }
    got = api.read(api.invoice(**sent))
    spelt = {name[0].lower() + name[1:]: value for name, value in sent.items()}
    assert differing(spelt, got) == {}
    assert got["expiry_Date"] == "02/03/2091 00:00:00"


def test_a_foreign_currency_is_shown_beside_kwd(api: Api) -> None:
    got = api.read(api.invoice(amount="5.580", currency_Code="USD", items=[line("Box", 1, "5.58")]))
    assert (got["amount"], got["currency_Code"]) == (5.58, "USD")
    assert got["alt_Amount"] == pytest.approx(18)
    assert api.read(api.invoice())["alt_Amount"] == 0


def test_an_invoice_s_own_words_are_unset_until_it_is_paid(api: Api) -> None:
    got = api.read(api.invoice())
    assert (got["status"], got["type"], got["deleted"]) == ("Unpaid", "Invoice", False)
    assert (got["transactions"], got["payment_Date"], got["transactionID"]) == ([], None, None)
    assert (got["refunded_Amount"], got["orderSession_Id"], got["orderStatus"]) == (0, 0, "")
    assert got["currency_Code"] == "KWD"


def test_a_repeated_insert_makes_a_second_invoice(api: Api) -> None:
    assert api.invoice(ref_Number="same") != api.invoice(ref_Number="same")


REFUSED: dict[str, list[dict[str, Any]]] = {
    "AmountRequired": [{"amount": None}, {"amount": 0}, {"amount": "0.000"}, {"amount": "-1"}],
    "CustomerNameRequired": [{"customer_Name": ""}, {"customer_Name": None}],
    "CustomerMobileRequired": [{"sendType": "SMS"}, {"sendType": "SMS", "customer_Mobile": ""}],
    "CustomerEmailRequired": [{"sendType": "Email"}],
    "InvalidSendType": [{"sendType": "Pigeon"}],
    "InvalidLanguageCode": [{"lang": "eng"}, {"lang": "e"}],
    "InvalidCurrencyCode": [{"currency_Code": "KW"}, {"currency_Code": "DINAR"}],
    "InvalidInvoiceDiscountType": [{"discount_Type": "Gift", "discount_Amount": 1}],
    "DiscountAmountRequired": [
        {"discount_Type": "Amount"},
        {"discount_Type": "Amount", "discount_Amount": 0},
    ],
    "InvalidDateFormat": [{"expiry_Date": "tomorrow"}, {"expiry_Date": "2091-13-01"}],
    "InvoiceAmountMustEqualsToTotalItemsAmount": [
        {"items": [line("A", 2, "6.200")]},
        {"items": [line("A", 1, "12.501")]},
        {"items": [line("A", 1, "12.500"), line("B", 1, "0.001")]},
    ],
}


@pytest.mark.parametrize(
    ("key", "fields"), [(key, fields) for key, wrongs in REFUSED.items() for fields in wrongs]
)
def test_an_insert_is_refused_by_its_own_key_and_leaves_nothing(
    api: Api, key: str, fields: dict[str, Any]
) -> None:
    assert insert(api, {**PLAIN, **fields}).refused() == key
    assert api.get("Invoice/getall").remark() == "EmptyResult"


def test_an_insert_without_invoices_is_an_empty_object(api: Api) -> None:
    bodies: tuple[dict[str, Any], ...] = ({}, {"Invoices": []}, {"Invoices": None}, PLAIN)
    for body in bodies:
        assert api.post("Invoice/insert", body).error_key == "ObjectIsEmpty"


@pytest.mark.parametrize(
    "body", [{"Invoices": 5}, {"Invoices": "x"}, {"Invoices": [5]}, {"Invoices": [{**PLAIN, "items": 7}]}]
)
def test_an_insert_of_another_shape_does_not_bind(api: Api, body: Any) -> None:
    answer = api.post("Invoice/insert", body)
    assert (answer.status, answer.envelope["isValid"], answer.error_key) == (400, False, "WrongObject")


def test_items_are_added_up_in_fils(api: Api) -> None:
    lines = [line("A", 3, "0.100"), line("B", 1, 0.2), line("C", 7, "0.001")]
    got = api.read(api.invoice(amount="0.507", items=lines))
    assert got["amount"] == got["total"] == got["subtotal"] == 0.507


def test_a_discount_stands_between_the_items_and_the_amount(api: Api) -> None:
    fields = {"discount_Type": "Amount", "discount_Amount": 2.5, "items": [line("A", 3, 5)]}
    got = api.read(api.invoice(amount="12.500", **fields))
    assert (got["amount"], got["discount_Type"], got["discount_Amount"]) == (12.5, "Amount", 2.5)


# Reading


@pytest.mark.parametrize("query", [{}, {"id": ""}, {"id": 0}, {"id": -1}])
def test_an_id_must_be_told(api: Api, query: dict[str, Any]) -> None:
    assert api.get("Invoice/getbyid", **query).remark() == "InvoiceIdRequired"


def test_an_unknown_invoice_is_nobody_s(api: Api) -> None:
    assert api.get("Invoice/getbyid", id=999999).refused() == "UnauthorizedAccess"


def test_an_invoice_is_found_by_type_and_key(api: Api) -> None:
    number = api.invoice()
    got = api.read(number)
    assert api.get("Invoice/GetByTypeKey", type="Invoice", key=got["key"]).ok() == got
    assert api.get("Invoice/GetByTypeKey", type="Order", key=got["key"]).error_key == "InvalidKey"
    assert api.get("Invoice/GetByTypeKey", type="Invoice", key="123456789999").error_key == "InvalidKey"
    assert api.get("Invoice/GetByTypeKey", type="Invoice").error_key == "KeyRequired"


def test_the_list_has_the_fields_of_an_invoice_newest_first(api: Api) -> None:
    assert api.get("Invoice/getall").remark() == "EmptyResult"
    ids = [api.invoice(ref_Number=f"R{n}") for n in range(3)]
    rows = api.rows("Invoice")
    assert [row["id"] for row in rows] == ids[::-1]
    known = [
        "id",
        "key",
        "code",
        "status",
        "amount",
        "total",
        "customer_Name",
        "customer_Mobile",
        "customer_Email",
        "ref_Number",
        "currency_Code",
        "expiry_Date",
        "payment_Date",
        "createDate",
    ]
    for row in rows:
        got = api.read(row["id"])
        assert {name: row[name] for name in known} == {name: got[name] for name in known}


def test_the_list_comes_in_pages(api: Api) -> None:
    ids = [api.invoice() for _ in range(3)]
    seen = []
    for skip in (0, 2):
        sort = {"selector": "Id", "desc": True}
        options = json.dumps({"loadingAll": False, "skip": skip, "take": 2, "sort": sort})
        rows = api.rows("Invoice", listOptions=options)
        assert {row["totalCount"] for row in rows} == {3}
        seen.append([row["id"] for row in rows])
    assert seen == [[ids[2], ids[1]], [ids[0]]]


@pytest.mark.parametrize(
    "query",
    [
        {"code": "INV-{id:05d}"},
        {"refNumber": "R-2"},
        {"customerName": "Noura"},
        {"customerMobile": "+96566000000"},
        {"customerEmail": "noura@example.com"},
        {"status": "Paid"},
        {"amountFrom": "20", "amountTo": "30"},
    ],
)
def test_the_list_can_be_searched(api: Api, query: dict[str, str]) -> None:
    api.invoice(ref_Number="R-1")
    person = {
        "customer_Name": "Noura",
        "customer_Mobile": "+96566000000",
        "customer_Email": "noura@example.com",
    }
    wanted = api.invoice(ref_Number="R-2", amount="25", **person)
    api.pay(wanted)
    query = {name: value.format(id=wanted) for name, value in query.items()}
    assert [row["id"] for row in api.rows("Invoice", **query)] == [wanted]


# Changing


def test_an_unpaid_invoice_can_be_changed(api: Api) -> None:
    number = api.invoice(amount="12.500", ref_Number="A", items=[line("A", 1, "12.5")])
    before = api.read(number)
    change = {"id": number, "amount": "7", "customer_Name": "Noura", "ref_Number": "B", "lang": "ar"}
    api.put("Invoice/update", {**change, "items": [line("C", 7, 1)]}).ok()
    after = api.read(number)
    assert differing({**change, "status": "Unpaid"}, after) == {}
    assert [(item["name"], item["quantity"], item["amount"]) for item in after["items"]] == [("C", 7, 1)]
    assert (after["key"], after["code"], after["url"]) == (before["key"], before["code"], before["url"])
    assert [row["amount"] for row in api.rows("Invoice")] == [7]


def test_a_paid_invoice_is_neither_changed_nor_deleted(api: Api) -> None:
    number = api.invoice()
    api.pay(number)
    before = api.read(number)
    assert (
        api.put("Invoice/update", {**PLAIN, "id": number, "amount": "1"}).refused()
        == "InvoiceCannotBeUpdated"
    )
    assert api.delete("Invoice/delete", id=number).refused() == "InvoiceCannotBeDeleted"
    assert api.read(number) == before


def test_a_change_obeys_the_rules_of_an_insert(api: Api) -> None:
    number = api.invoice()
    before = api.read(number)
    for key in ("AmountRequired", "CustomerNameRequired", "InvalidLanguageCode", "InvalidCurrencyCode"):
        body = {**PLAIN, **REFUSED[key][0], "id": number}
        assert api.put("Invoice/update", body).refused() == key
    assert api.read(number) == before


def test_an_unknown_invoice_is_neither_changed_nor_deleted(api: Api) -> None:
    assert api.put("Invoice/update", {**PLAIN, "id": 999999}).error_key in (
        "UnauthorizedAccess",
        "InvoiceNotExist",
    )
    assert api.delete("Invoice/delete", id=999999).error_key in ("UnauthorizedAccess", "InvoiceNotExist")
    assert api.delete("Invoice/delete").error_key == "InvoiceIdRequired"
    assert api.put("Invoice/update", PLAIN).error_key == "InvoiceIdRequired"


def test_a_deleted_invoice_is_marked_and_its_page_takes_no_money(api: Api) -> None:
    number = api.invoice()
    url = api.read(number)["url"]
    assert api.delete("Invoice/delete", id=number).ok() in (None, True)
    got = api.read(number)
    assert (got["deleted"], got["status"]) == (True, "Canceled")
    api.browse(url, method="knet", outcome="success")
    assert api.read(number)["status"] == "Canceled"
