"""Product links, the orders that payers make from them, and the stock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from django_sadadpay.emulator import Refusal

if TYPE_CHECKING:
    from tests.emulator.conftest import Merchant

PATH = "Invoice/createproductlinkinvoice"


@pytest.fixture
def link(merchant: Merchant) -> str:
    """The key of a link with Baklava (1.250, five in stock) and Tea (0.300, no stock kept)."""
    drinks = merchant.make("ProductCategory", nameEn="Drinks", nameAr="مشروبات", sort=2)["id"]
    sweets = merchant.make("ProductCategory", nameEn="Sweets", nameAr="حلويات", sort=1)["id"]
    merchant.make("ProductCategory", nameEn="Empty")
    baklava = {"nameEn": "Baklava", "nameAr": "بقلاوة", "price": "1.250", "quantity": 5, "stockable": True}
    tea = {"nameEn": "Tea", "price": "0.300"}
    numbers = [
        merchant.make("Product", categoryId=sweets, **baklava)["id"],
        merchant.make("Product", categoryId=drinks, **tea)["id"],
    ]
    merchant.make("Product", categoryId=drinks, nameEn="Not on the link", price=1)
    names = {"nameEn": "Shop", "nameAr": "متجر"}
    terms = {"termsConditionEnabled": True, "termsCondition": "Fresh"}
    return str(merchant.make("ProductLink", products=[*numbers, numbers[0]], **names, **terms)["key"])


def line(number: int, quantity: Any, amount: Any) -> dict[str, Any]:
    return {"productId": number, "quantity": quantity, "amount": amount}


def body(key: str, **fields: Any) -> dict[str, Any]:
    """Two Baklava and one Tea: 2.800 KWD."""
    return {
        "productLinkKey": key,
        "customerName": "Noura",
        "customerMobile": "+96550000002",
        "totalAmount": "2.800",
        "products": [line(1, 2, "1.250"), line(2, 1, 0.3)],
        **fields,
    }


def order(merchant: Merchant, key: str, **fields: Any) -> int:
    reply = merchant.ask("POST", PATH, token="", json=body(key, **fields))
    assert (reply["isValid"], reply["errorKey"]) == (True, None)
    assert type(reply["response"]) is int
    return int(reply["response"])


def stock(merchant: Merchant, number: int = 1) -> Any:
    return merchant.ask("GET", "Product/getbyid", params={"id": number})["response"]["quantity"]


def test_link_shows_its_products_under_their_categories(merchant: Merchant, link: str) -> None:
    whole = merchant.ask("GET", "ProductLink/getbykey", params={"key": link})["response"]
    payers = merchant.ask("GET", "ProductLink/getforpayment", token="", params={"key": link})["response"]

    shelves = [
        (shelf["nameEn"], shelf["nameAr"], [row["nameEn"] for row in shelf["products"]])
        for shelf in whole["categories"]
    ]
    assert shelves == [("Sweets", "حلويات", ["Baklava"]), ("Drinks", "مشروبات", ["Tea"])]
    assert whole["categories"][0]["products"][0] == {
        "id": 1,
        "code": "PRD-00001",
        "nameEn": "Baklava",
        "nameAr": "بقلاوة",
        "descEn": "",
        "descAr": "",
        "price": 1.25,
        "quantity": 5,
        "stockable": True,
    }
    assert set(whole) == {
        "id",
        "key",
        "code",
        "nameEn",
        "nameAr",
        "termsConditionEnabled",
        "termsCondition",
        "inActive",
        "createDate",
        "categories",
    }
    assert payers == whole


def test_list_of_links_has_no_products(merchant: Merchant, link: str) -> None:
    (row,) = merchant.ask("GET", "ProductLink/getall")["response"]
    assert set(row) == {"id", "key", "code", "nameEn", "nameAr", "inActive", "createDate"}
    assert row["key"] == link


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"nameEn": ""}, "NameEnRequired"),
        ({"nameAr": None}, "NameArRequired"),
        ({"products": [1, 99]}, "ProductNotExist"),
    ],
)
def test_link_that_sadad_would_refuse(
    merchant: Merchant, link: str, fields: dict[str, Any], key: str
) -> None:
    sent = {"nameEn": "a", "nameAr": "b", "products": [1], **fields}
    assert merchant.error("POST", "ProductLink/insert", json=sent) == key
    assert merchant.error("PUT", "ProductLink/update", json={**sent, "id": 1}) == key


def test_deleted_product_cannot_be_put_on_a_link(merchant: Merchant, link: str) -> None:
    merchant.ask("DELETE", "Product/delete", params={"id": 3})
    sent = {"nameEn": "a", "nameAr": "b", "products": [3]}
    assert merchant.error("POST", "ProductLink/insert", json=sent) == "ProductNotExist"


def test_payers_order_is_an_invoice(merchant: Merchant, link: str) -> None:
    number = order(merchant, link, lang="ar", comment="fast", customerEmail="n@example.com")
    invoice = merchant.read(number)
    kept = merchant.emulator.world.invoices[number]

    assert (invoice["type"], invoice["status"], invoice["orderStatus"]) == ("Order", "Unpaid", "Pending")
    assert (invoice["amount"], invoice["lang"], invoice["comment"]) == (2.8, "ar", "fast")
    assert (invoice["customer_Name"], invoice["customer_Email"]) == ("Noura", "n@example.com")
    assert (invoice["terms_Condition_Enabled"], invoice["terms_Condition"]) == (True, "Fresh")
    lines = [(row["name"], row["quantity"], row["amount"]) for row in invoice["items"]]
    assert lines == [("بقلاوة", 2, 1.25), ("Tea", 1, 0.3)]
    assert (kept.origin, kept.origin_id) == ("ProductLink", 1)


def test_order_in_english_names_products_in_english(merchant: Merchant, link: str) -> None:
    names = [row["name"] for row in merchant.read(order(merchant, link, lang="En"))["items"]]
    assert names == ["Baklava", "Tea"]


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"productLinkKey": None}, "ProductLinkKeyRequired"),
        ({"productLinkKey": "123456781"}, "InvalidKey"),
        ({"totalAmount": None}, "TotalAmountRequired"),
        ({"products": []}, "ProductsRequired"),
        ({"products": None}, "ProductsRequired"),
        ({"products": [line(1, None, "1.250")]}, "ProductQuantityRequired"),
        ({"products": [line(1, 0, "1.250")]}, "ProductQuantityRequired"),
        ({"products": [line(1, 1, None)]}, "ProductAmountRequired"),
        ({"products": [line(99, 1, "1.250")]}, "ProductNotExist"),
        ({"products": [line(3, 1, "1")]}, "ProductNotExist"),
        ({"products": [line(1, 1, "1.251")]}, "InvalidProductAmount"),
        ({"products": [line(1, 6, "1.250")]}, "YouExceededAvailableQuantity"),
        ({"products": [line(1, 3, "1.250"), line(1, 3, "1.250")]}, "YouExceededAvailableQuantity"),
        ({"totalAmount": "2.801"}, "InvoiceAmountMustEqualsToTotalItemsAmount"),
        ({"customerName": None}, "CustomerNameRequired"),
        ({"customerMobile": None}, "CustomerMobileRequired"),
    ],
)
def test_order_that_sadad_would_refuse(
    merchant: Merchant, link: str, fields: dict[str, Any], key: str
) -> None:
    assert merchant.error("POST", PATH, token="", json=body(link, **fields)) == key
    assert merchant.emulator.control.invoices() == []
    assert stock(merchant) == 5


def test_stock_falls_when_an_order_is_paid_and_not_before(merchant: Merchant, link: str) -> None:
    number = order(merchant, link)
    merchant.emulator.control.fail(number)
    assert stock(merchant) == 5

    merchant.emulator.control.pay(number)

    assert (stock(merchant, 1), stock(merchant, 2)) == (3, 0)
    four = [line(1, 4, "1.250")]
    sent = body(link, products=four, totalAmount="5.000")
    assert merchant.error("POST", PATH, token="", json=sent) == "YouExceededAvailableQuantity"


def test_an_order_is_taken_from_the_stock_once(merchant: Merchant, link: str) -> None:
    number = order(merchant, link)
    merchant.emulator.control.pay(number)
    with pytest.raises(Refusal, match="InvoiceAlreadyPaid"):
        merchant.emulator.control.pay(number)
    assert stock(merchant) == 3


def test_two_who_ordered_the_last_pieces_may_both_pay(merchant: Merchant, link: str) -> None:
    four = {"products": [line(1, 4, "1.250")], "totalAmount": "5.000"}
    numbers = [order(merchant, link, **four) for _ in range(2)]
    for number in numbers:
        assert merchant.emulator.control.pay(number)["status"] == "Paid"
    assert stock(merchant) == -3


def test_paid_order_of_a_product_that_was_deleted_meanwhile(merchant: Merchant, link: str) -> None:
    number = order(merchant, link)
    merchant.ask("DELETE", "ProductLink/delete", params={"id": 1})
    merchant.ask("DELETE", "Product/delete", params={"id": 1})

    assert merchant.emulator.control.pay(number)["status"] == "Paid"


def test_inactive_link_is_unknown_to_payers_only(merchant: Merchant, link: str) -> None:
    update = {"id": 1, "nameEn": "Shop", "nameAr": "متجر", "products": [1, 2], "inActive": True}
    merchant.ask("PUT", "ProductLink/update", json=update)

    assert merchant.error("POST", PATH, token="", json=body(link)) == "InvalidKey"
    assert merchant.ask("GET", "ProductLink/getbykey", params={"key": link})["response"]["inActive"] is True


def test_order_is_listed_and_found_as_an_order(merchant: Merchant, link: str) -> None:
    number = order(merchant, link)
    invoice = merchant.read(number)

    rows = merchant.ask("GET", "Invoice/getall", params={"invoiceType": "Order"})["response"]
    found = merchant.ask("GET", "Invoice/GetByTypeKey", params={"type": "Order", "key": invoice["key"]})

    assert [row["id"] for row in rows] == [number]
    assert found["response"] == invoice
