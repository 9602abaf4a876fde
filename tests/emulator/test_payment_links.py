"""Payment links, and the invoices that payers make from them without a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.emulator.conftest import Merchant

PATH = "Invoice/createpaymentlinkinvoice"
OPEN = {"title": "Gift", "lang": "en", "isOpenAmount": True, "minAmount": "2", "maxAmount": "10"}


def new_link(merchant: Merchant, **fields: Any) -> str:
    """The key of a new payment link."""
    return str(merchant.make("PaymentLink", **fields)["key"])


@pytest.fixture
def link(merchant: Merchant) -> str:
    return new_link(
        merchant,
        title="Rent",
        amount="120.500",
        lang="en",
        comment="Each month",
        termsConditionEnabled=True,
        termsCondition="No refund",
    )


def body(key: str, **fields: Any) -> dict[str, Any]:
    return {
        "paymentLinkKey": key,
        "customerName": "Noura",
        "customerMobile": "+96550000002",
        "amount": "120.500",
        **fields,
    }


def order(merchant: Merchant, key: str, **fields: Any) -> int:
    """A payer's invoice, made without a token."""
    reply = merchant.ask("POST", PATH, token="", json=body(key, **fields))
    assert (reply["isValid"], reply["errorKey"]) == (True, None)
    assert type(reply["response"]) is int
    return int(reply["response"])


def refused(merchant: Merchant, key: str, **fields: Any) -> str:
    return merchant.error("POST", PATH, token="", json=body(key, **fields))


def test_link_reads_in_three_views(merchant: Merchant, link: str) -> None:
    (row,) = merchant.ask("GET", "PaymentLink/getall")["response"]
    whole = merchant.ask("GET", "PaymentLink/getbykey", params={"key": link})["response"]
    payers = merchant.ask("GET", "PaymentLink/getforpayment", token="", params={"key": link})["response"]

    assert len(row.pop("createDate")) == 19
    assert row == {
        "id": 1,
        "key": link,
        "code": "PL-00001",
        "title": "Rent",
        "lang": "en",
        "amount": 120.5,
        "isOpenAmount": False,
        "minAmount": 0,
        "maxAmount": 0,
        "inActive": False,
    }
    extra = {
        "currency": "KWD",
        "comment": "Each month",
        "termsConditionEnabled": True,
        "termsCondition": "No refund",
    }
    assert whole == {**row, **extra, "createDate": whole["createDate"]}
    vendor = {"vendorCompany": "Test shop", "vendorLogo": "", "vendorLogoPath": ""}
    assert payers == {**whole, **vendor}


def test_links_are_filtered_by_title(merchant: Merchant, link: str) -> None:
    new_link(merchant, **OPEN)
    rows = merchant.ask("GET", "PaymentLink/getall", params={"title": "REN"})["response"]
    assert [row["key"] for row in rows] == [link]


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"title": ""}, "TitleRequired"),
        ({"amount": None}, "AmountRequired"),
        ({"amount": 0}, "AmountRequired"),
        ({"amount": "1.2345"}, "InvalidAmount"),
        ({"lang": "english"}, "InvalidLanguageCode"),
        ({"currency": "XXX"}, "InvalidCurrencyCode"),
        ({"minAmount": 3, "maxAmount": 2, "isOpenAmount": True}, "InvalidMaxAmount"),
    ],
)
def test_link_that_sadad_would_refuse(
    merchant: Merchant, link: str, fields: dict[str, Any], key: str
) -> None:
    sent = {"title": "x", "amount": 1, **fields}
    assert merchant.error("POST", "PaymentLink/insert", json=sent) == key
    assert merchant.error("PUT", "PaymentLink/update", json={**sent, "id": 1}) == key


def test_payer_makes_an_invoice_that_the_merchant_reads(merchant: Merchant, link: str) -> None:
    number = order(merchant, link, customerEmail="n@example.com", comment="hello", lang="ar")
    invoice = merchant.read(number)

    assert (invoice["type"], invoice["status"], invoice["orderStatus"]) == ("PaymentLink", "Unpaid", "")
    assert (invoice["amount"], invoice["lang"], invoice["comment"]) == (120.5, "ar", "hello")
    assert (invoice["customer_Name"], invoice["customer_Mobile"]) == ("Noura", "+96550000002")
    assert (invoice["customer_Email"], invoice["currency_Code"]) == ("n@example.com", "KWD")
    assert (invoice["terms_Condition_Enabled"], invoice["terms_Condition"]) == (True, "No refund")
    assert [(row["name"], row["quantity"], row["amount"]) for row in invoice["items"]] == [("Rent", 1, 120.5)]


def test_invoice_of_a_link_is_paid_listed_and_found_by_its_key(merchant: Merchant, link: str) -> None:
    number = order(merchant, link)
    merchant.emulator.control.pay(number)
    invoice = merchant.read(number)
    query = {"type": "paymentlink", "key": invoice["key"]}

    assert invoice["status"] == "Paid"
    assert merchant.ask("GET", "Invoice/getall")["errorKey"] == "EmptyResult"
    rows = merchant.ask("GET", "Invoice/getall", params={"invoiceType": "PaymentLink"})["response"]
    assert [row["id"] for row in rows] == [number]
    assert merchant.ask("GET", "Invoice/GetByTypeKey", params=query)["response"] == invoice


def test_state_keeps_which_link_made_the_invoice(merchant: Merchant, link: str) -> None:
    kept = merchant.emulator.world.invoices[order(merchant, link)]
    assert (kept.origin, kept.origin_id) == ("PaymentLink", 1)


def test_invoice_takes_the_links_language_and_currency(merchant: Merchant) -> None:
    key = new_link(merchant, title="x", amount="5.58", currency="usd")
    invoice = merchant.read(order(merchant, key, amount="5.58"))
    assert (invoice["lang"], invoice["currency_Code"]) == ("ar", "USD")
    assert invoice["alt_Amount"] == pytest.approx(18)


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"paymentLinkKey": None}, "PaymentLinkKeyRequired"),
        ({"paymentLinkKey": "123456781"}, "InvalidKey"),
        ({"amount": None}, "AmountRequired"),
        ({"amount": "0"}, "AmountRequired"),
        ({"amount": "120.501"}, "InvalidAmount"),
        ({"customerName": " "}, "CustomerNameRequired"),
        ({"customerMobile": ""}, "CustomerMobileRequired"),
        ({"lang": "xyz"}, "InvalidLanguageCode"),
    ],
)
def test_payers_invoice_that_sadad_would_refuse(
    merchant: Merchant, link: str, fields: dict[str, Any], key: str
) -> None:
    assert refused(merchant, link, **fields) == key
    assert merchant.emulator.control.invoices() == []


def test_key_may_be_sent_as_a_number(merchant: Merchant, link: str) -> None:
    assert merchant.read(order(merchant, link, paymentLinkKey=int(link)))["type"] == "PaymentLink"


@pytest.mark.parametrize(
    ("amount", "key"), [("1.999", "InvalidAmount"), ("10.001", "InvalidAmount"), ("2", None), ("10", None)]
)
def test_open_link_takes_an_amount_within_its_bounds(
    merchant: Merchant, amount: str, key: str | None
) -> None:
    link = new_link(merchant, **OPEN)
    reply = merchant.ask("POST", PATH, token="", json=body(link, amount=amount))
    assert reply["errorKey"] == key


def test_open_link_without_bounds_takes_any_amount(merchant: Merchant) -> None:
    link = new_link(merchant, title="Gift", isOpenAmount=True)
    assert merchant.read(order(merchant, link, amount="9999.999"))["amount"] == 9999.999


def test_inactive_link_is_unknown_to_payers_only(merchant: Merchant, link: str) -> None:
    update = {"id": 1, "title": "Rent", "amount": "120.500", "inActive": True}
    merchant.ask("PUT", "PaymentLink/update", json=update)
    query = {"key": link}

    assert refused(merchant, link) == "InvalidKey"
    assert merchant.error("GET", "PaymentLink/getforpayment", token="", params=query) == "InvalidKey"
    assert merchant.ask("GET", "PaymentLink/getbykey", params=query)["response"]["inActive"] is True


def test_deleting_a_link_leaves_its_invoices(merchant: Merchant, link: str) -> None:
    number = order(merchant, link)
    merchant.ask("DELETE", "PaymentLink/delete", params={"id": 1})

    assert refused(merchant, link) == "InvalidKey"
    assert merchant.emulator.control.pay(number)["status"] == "Paid"


def test_invoice_of_a_link_cannot_be_rewritten_but_cancelled(merchant: Merchant, link: str) -> None:
    number = order(merchant, link)
    update = {"id": number, "amount": "1", "customer_Name": "x"}

    assert merchant.error("PUT", "Invoice/update", json=update) == "InvoiceCannotBeUpdated"
    assert merchant.ask("DELETE", "Invoice/delete", params={"id": number})["errorKey"] is None
    assert merchant.read(number)["status"] == "Canceled"


def test_invoice_is_found_by_its_type_and_key_only(merchant: Merchant) -> None:
    key = merchant.read(merchant.insert())["key"]

    def find(**query: Any) -> Any:
        return merchant.ask("GET", "Invoice/GetByTypeKey", params=query)

    assert find(type="Invoice", key=key)["response"]["key"] == key
    assert find(key=key)["response"]["key"] == key
    assert find(type="Invoice")["errorKey"] == "KeyRequired"
    for wrong in (key[:-1], "x", "1" * 5000, key + "9"):
        assert find(type="Invoice", key=wrong)["errorKey"] == "InvalidKey"
    assert find(type="Order", key=key)["errorKey"] == "InvalidKey"
    unknown = merchant.send("GET", "Invoice/GetByTypeKey", token="", params={"key": key})
    assert unknown.status_code == 401
