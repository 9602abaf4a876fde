"""Contract 3.3, 4, 7: what a payer does with an invoice, and where the browser goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.raw_http.shapes import INVOICE, ITEM, TRANSACTION, amiss
from tests.raw_http.wire import moment

if TYPE_CHECKING:
    from tests.raw_http.wire import Answer, Api


def test_a_payment_shows_on_the_invoice_and_in_its_transactions(api: Api) -> None:
    number = api.invoice(amount="12.500")
    location = api.pay(number)
    got = api.read(number)
    assert location.endswith(f"/pay/{got['key']}/Success")
    assert (
        amiss({**INVOICE, "payment_Date": "date", "transactionID": "text", "paymentGateway": "text"}, got)
        == []
    )
    assert (got["status"], got["paymentGatewayCode"]) == ("Paid", "Knet")
    (attempt,) = got["transactions"]
    assert amiss(TRANSACTION, attempt) == []
    assert (attempt["status"], attempt["amount"], attempt["invoice_Id"]) == ("Success", 12.5, number)
    assert (attempt["transactionId"], attempt["request_Type"]) == (got["transactionID"], "Capture")


def test_a_failed_attempt_leaves_the_invoice_payable_and_the_newest_stands_first(api: Api) -> None:
    number = api.invoice()
    assert api.pay(number, "failure").endswith("/Failed")
    got = api.read(number)
    assert (got["status"], got["transactionID"], got["payment_Date"]) == ("Unpaid", None, None)
    assert [attempt["status"] for attempt in got["transactions"]] == ["Failed"]
    api.pay(number)
    assert [attempt["status"] for attempt in api.read(number)["transactions"]] == ["Success", "Failed"]


@pytest.mark.parametrize(
    ("outcome", "field", "word"),
    [("success", "Success_ReturnURL", "success"), ("failure", "Fail_ReturnURL", "failed")],
)
@pytest.mark.parametrize("mark", ["", "?wc-api=sadad_callback"])
def test_the_browser_goes_back_to_the_shop(api: Api, outcome: str, field: str, word: str, mark: str) -> None:
    number = api.invoice(**{field: f"https://shop.example/back{mark}"})
    location = api.pay(number, outcome)
    if location.startswith(api.emulator.pay_url):
        location = api.browse(location)[1]
    own, _, query = location.partition("?")
    assert own == "https://shop.example/back"
    told = dict(pair.split("=") for pair in query.split("&"))
    assert (told["invoice_id"], told["payment"]) == (str(number), word)
    assert told.get("wc-api", "") == ("sadad_callback" if mark else "")


def test_an_invoice_past_its_date_expires_when_its_page_is_opened(api: Api) -> None:
    today = api.noon()
    number = api.invoice(expiry_Date=today.isoformat())
    url = api.read(number)["url"]
    api.advance(2 * 86400)
    api.browse(url)
    got = api.read(number)
    assert (got["status"], moment(got["expiry_Date"]).date()) == ("Expired", today)
    api.browse(url, method="knet", outcome="success")
    assert api.read(number)["status"] == "Expired"


def test_dates_are_kuwait_s_and_follow_the_clock(api: Api) -> None:
    before = api.clock()
    kuwait = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=3)
    assert abs(before - kuwait) < timedelta(minutes=1)
    api.advance(3600)
    assert timedelta(minutes=59) < api.clock() - before < timedelta(minutes=61)


# Several suppliers (contract 7)


def supplied(api: Api, **fields: Any) -> Answer:
    lines = [
        {"name": "A", "quantity": 1, "amount": 60, "supplierId": 11},
        {"name": "B", "quantity": 2, "amount": "70", "supplierId": 12},
    ]
    body = {"customer_Name": "Sara", "type": "MultiVendorInvoice", "amount": 200, "items": lines, **fields}
    return api.post("Invoice/insert", {"Invoices": [body]})


def test_a_multi_supplier_invoice_keeps_each_line_s_supplier(api: Api) -> None:
    number = supplied(api).ok()["invoiceId"]
    got = api.read(number)
    assert (got["type"], got["amount"]) == ("MultiVendorInvoice", 200)
    assert [item["supplierId"] for item in got["items"]] == [11, 12]
    assert [amiss(ITEM, item) for item in got["items"]] == [[], []]
    api.pay(number)
    assert api.read(number)["status"] == "Paid"
    assert api.get("Invoice/GetByTypeKey", type="MultiVendorInvoice", key=got["key"]).ok()["id"] == int(
        number
    )


def test_a_multi_supplier_invoice_must_add_up_too(api: Api) -> None:
    assert supplied(api, amount=201).refused() == "InvoiceAmountMustEqualsToTotalItemsAmount"


def test_a_plain_line_has_no_supplier(api: Api) -> None:
    (item,) = api.read(api.invoice(items=[{"name": "A", "quantity": 1, "amount": "12.5"}]))["items"]
    assert item["supplierId"] == 0
