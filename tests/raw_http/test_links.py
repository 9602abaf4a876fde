"""Contract 3.7, 3.8: a payer turns a payment link or a product link into an invoice, and pays it."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import pytest

from tests.raw_http import groups
from tests.raw_http.shapes import INVOICE, amiss

if TYPE_CHECKING:
    from tests.raw_http.wire import Answer, Api

PAYER = {"customerName": "Ali", "customerMobile": "+96555111111", "customerEmail": "ali@example.com"}


def link_key(api: Api, **fields: Any) -> str:
    return str(api.post("PaymentLink/insert", groups.payment_link(api, **fields)).ok()["key"])


def donate(api: Api, key: Any, amount: Any = "12.500", **fields: Any) -> Answer:
    body = {"paymentLinkKey": key, "amount": amount, **PAYER, **fields}
    return api.post("Invoice/createpaymentlinkinvoice", body, token="")


def test_the_payer_s_view_of_a_payment_link_names_the_merchant(api: Api) -> None:
    key = link_key(api)
    view = api.ask("GET", "PaymentLink/getforpayment", token="", key=key).ok()
    assert (view["title"], view["amount"], view["key"]) == ("Donation", 12.5, key)
    for name in ("vendorCompany", "vendorLogo", "vendorLogoPath"):
        assert name in view


def test_a_payment_link_becomes_an_invoice_that_can_be_paid(api: Api) -> None:
    key = link_key(api)
    number = donate(api, key, comment="For you").ok()
    assert type(number) is int
    got = api.read(number)
    assert amiss(INVOICE, got) == []
    assert (got["type"], got["status"], got["amount"]) == ("PaymentLink", "Unpaid", 12.5)
    assert (got["customer_Name"], got["customer_Mobile"], got["customer_Email"]) == tuple(PAYER.values())
    assert got["comment"] == "For you"
    api.pay(number)
    assert api.read(number)["status"] == "Paid"
    assert api.get("Invoice/GetByTypeKey", type="PaymentLink", key=got["key"]).ok()["id"] == number


def test_a_link_s_key_may_be_sent_as_a_number(api: Api) -> None:
    assert donate(api, int(link_key(api))).ok() != donate(api, link_key(api)).ok()


def test_a_payment_link_may_be_used_again(api: Api) -> None:
    key = link_key(api)
    first, second = donate(api, key).ok(), donate(api, key).ok()
    api.pay(first)
    assert [api.read(number)["status"] for number in (first, second)] == ["Paid", "Unpaid"]


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"paymentLinkKey": None}, "PaymentLinkKeyRequired"),
        ({"paymentLinkKey": "123456789999"}, "InvalidKey"),
        ({"amount": None}, "AmountRequired"),
        ({"amount": 0}, "AmountRequired"),
        ({"amount": "12.499"}, "InvalidAmount"),
        ({"customerName": ""}, "CustomerNameRequired"),
        ({"customerMobile": None}, "CustomerMobileRequired"),
    ],
)
def test_a_donation_is_refused_by_its_own_key(api: Api, fields: dict[str, Any], key: str) -> None:
    body = {"paymentLinkKey": link_key(api), "amount": "12.500", **PAYER, **fields}
    assert api.post("Invoice/createpaymentlinkinvoice", body, token="").refused() == key
    assert api.get("Invoice/getall", invoiceType="PaymentLink").remark() == "EmptyResult"


def test_the_payer_of_an_open_link_chooses_within_its_limits(api: Api) -> None:
    body = {**groups.payment_link(api), "isOpenAmount": True, "minAmount": "5.000", "maxAmount": "20.000"}
    del body["amount"]
    made = api.post("PaymentLink/insert", body).ok()
    view = api.get("PaymentLink/getbykey", key=made["key"]).ok()
    assert (view["isOpenAmount"], view["minAmount"], view["maxAmount"]) == (True, 5, 20)
    for amount in ("5.000", "20.000", "7.125"):
        assert api.read(donate(api, made["key"], amount).ok())["amount"] == float(amount)
    for amount in ("4.999", "20.001"):
        assert donate(api, made["key"], amount).refused() == "InvalidAmount"


def test_a_deleted_link_takes_no_money(api: Api) -> None:
    made = api.post("PaymentLink/insert", groups.payment_link(api)).ok()
    api.delete("PaymentLink/delete", id=made["id"]).ok()
    assert donate(api, made["key"]).refused() == "InvalidKey"
    assert api.get("PaymentLink/getforpayment", key=made["key"]).error_key == "InvalidKey"


# Product links


class Store:
    """A link with two products: dates (5 in stock, 2.250) and coffee (not counted, 1.500)."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.sweets, self.drinks = groups.a_category(api), groups.a_category(api, nameEn="Drinks")
        self.dates = groups.a_product(api, categoryId=self.sweets)
        self.coffee = groups.a_product(
            api, categoryId=self.drinks, nameEn="Coffee", price="1.500", stockable=False, quantity=0
        )
        link = groups.product_link(api, products=[self.dates, self.coffee])
        self.key = str(api.post("ProductLink/insert", link).ok()["key"])

    def lines(self, dates: int, coffee: int) -> list[dict[str, Any]]:
        counted = ((self.dates, dates, "2.250"), (self.coffee, coffee, "1.500"))
        return [{"productId": item, "quantity": n, "amount": price} for item, n, price in counted if n]

    def order(self, dates: int = 2, coffee: int = 1, **fields: Any) -> Answer:
        total = f"{dates * 2.25 + coffee * 1.5:.3f}"
        body = {"productLinkKey": self.key, "totalAmount": total, "products": self.lines(dates, coffee)}
        return self.api.post(
            "Invoice/createproductlinkinvoice", {**body, **PAYER, "lang": "en", **fields}, token=""
        )


@pytest.fixture
def store(api: Api) -> Store:
    return Store(api)


def test_a_product_link_shows_its_products_in_their_categories(api: Api, store: Store) -> None:
    for view in (
        api.get("ProductLink/getbykey", key=store.key).ok(),
        api.ask("GET", "ProductLink/getforpayment", token="", key=store.key).ok(),
    ):
        found = {row["id"]: row for row in view["categories"]}
        assert {row["nameEn"] for row in found.values()} == {"Sweets", "Drinks"}
        (dates,), (coffee,) = found[store.sweets]["products"], found[store.drinks]["products"]
        assert (dates["id"], dates["nameEn"], dates["price"], dates["quantity"]) == (
            store.dates,
            "Dates",
            2.25,
            5,
        )
        assert (coffee["id"], coffee["stockable"], dates["stockable"]) == (store.coffee, False, True)
        for row in (dates, coffee):
            assert [name for name in ("code", "nameAr", "descEn", "descAr") if name not in row] == []


def test_an_order_from_a_product_link_can_be_paid(api: Api, store: Store) -> None:
    number = store.order().ok()
    assert type(number) is int
    got = api.read(number)
    assert amiss(INVOICE, got) == []
    assert (got["type"], got["status"], got["orderStatus"]) == ("Order", "Unpaid", "Pending")
    assert (got["amount"], got["lang"], got["customer_Name"]) == (6, "en", "Ali")
    lines = [(item["name"], item["quantity"], item["amount"]) for item in got["items"]]
    assert lines == [("Dates", 2, 2.25), ("Coffee", 1, 1.5)]
    api.pay(number)
    assert api.read(number)["status"] == "Paid"
    assert api.get("Invoice/GetByTypeKey", type="Order", key=got["key"]).ok()["id"] == number


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"productLinkKey": None}, "ProductLinkKeyRequired"),
        ({"productLinkKey": "123456789999"}, "InvalidKey"),
        ({"totalAmount": None}, "TotalAmountRequired"),
        ({"totalAmount": "6.001"}, "InvoiceAmountMustEqualsToTotalItemsAmount"),
        ({"products": []}, "ProductsRequired"),
        ({"products": None}, "ProductsRequired"),
        ({"customerName": None}, "CustomerNameRequired"),
        ({"customerMobile": ""}, "CustomerMobileRequired"),
    ],
)
def test_an_order_is_refused_by_its_own_key(api: Api, store: Store, fields: dict[str, Any], key: str) -> None:
    assert store.order(**fields).refused() == key
    assert api.get("Invoice/getall", invoiceType="Order").remark() == "EmptyResult"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"quantity": None}, "ProductQuantityRequired"),
        ({"quantity": 0}, "ProductQuantityRequired"),
        ({"amount": None}, "ProductAmountRequired"),
        ({"productId": 999999}, "ProductNotExist"),
    ],
)
def test_a_line_of_an_order_is_refused_by_its_own_key(store: Store, change: dict[str, Any], key: str) -> None:
    lines = store.lines(2, 1)
    lines[0] |= change
    assert store.order(products=lines).refused() == key


def test_a_price_of_the_payer_s_own_is_refused(store: Store) -> None:
    lines = store.lines(2, 0)
    lines[0]["amount"] = "0.100"
    assert store.order(products=lines, totalAmount="0.200").refused() == "InvalidProductAmount"


def test_a_product_that_is_not_on_the_link_cannot_be_ordered(api: Api, store: Store) -> None:
    other = groups.a_product(api, categoryId=store.sweets, price="1.000")
    lines = [{"productId": other, "quantity": 1, "amount": "1.000"}]
    assert store.order(products=lines, totalAmount="1.000").refused() == "ProductNotExist"


def test_no_more_is_sold_than_there_is(api: Api, store: Store) -> None:
    assert store.order(dates=6).refused() == "YouExceededAvailableQuantity"
    store.order(dates=0, coffee=60).ok()
    api.pay(store.order(dates=5).ok())
    assert store.order(dates=1).refused() == "YouExceededAvailableQuantity"
    assert api.get("Product/getbyid", id=store.dates).ok()["quantity"] == 0


def test_a_link_names_products_that_exist(api: Api) -> None:
    assert (
        api.post("ProductLink/insert", groups.product_link(api, products=[999999])).refused()
        == "ProductNotExist"
    )


def test_other_kinds_stay_out_of_the_list_of_plain_invoices(api: Api, store: Store) -> None:
    """Contract 3.4: invoiceType, by default "Invoice"."""
    plain, order, gift = api.invoice(), store.order().ok(), donate(api, link_key(api)).ok()
    assert [row["id"] for row in api.rows("Invoice")] == [plain]
    assert [row["id"] for row in api.rows("Invoice", invoiceType="Order")] == [order]
    assert [row["id"] for row in api.rows("Invoice", invoiceType="PaymentLink")] == [gift]


class Inputs(HTMLParser):
    """Names of a page's form fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        name = dict(attributes).get("name")
        if tag in ("input", "select", "textarea") and name:
            self.names.append(name)


def fill_in(api: Api, address: str) -> str:
    """The payer fills in whatever the page asks for, two of each product; gives the page of the invoice."""
    status, _, page = api.browse(f"{address}?lang=en")
    assert status == 200
    known = {name: PAYER.get(name, "2" if "quantity" in name.lower() else "") for name in Inputs(page).names}
    assert {"customerName", "customerMobile"} <= set(known)
    status, location, page = api.browse(address, **known)
    assert status in (302, 303), page
    return urljoin(address, location)


@pytest.mark.parametrize("kind", ["PaymentLink", "Order"])
def test_a_payer_pays_a_link_in_a_browser(api: Api, store: Store, kind: str) -> None:
    path = f"paymentlink/{link_key(api)}" if kind == "PaymentLink" else f"productlink/{store.key}"
    page = fill_in(api, f"{api.emulator.base_url}/{path}")
    (row,) = api.rows("Invoice", invoiceType=kind)
    got = api.read(row["id"])
    assert page == got["url"]
    assert (got["type"], got["customer_Name"], got["customer_Mobile"]) == (kind, "Ali", "+96555111111")
    assert got["amount"] == (12.5 if kind == "PaymentLink" else 7.5)
    api.pay(got["id"])
    assert api.read(got["id"])["status"] == "Paid"


def test_a_page_shows_what_is_sold_and_an_unknown_key_shows_nothing(api: Api, store: Store) -> None:
    base = api.emulator.base_url
    assert "Donation" in api.browse(f"{base}/paymentlink/{link_key(api)}?lang=en")[2]
    page = api.browse(f"{base}/productlink/{store.key}?lang=en")[2]
    assert [name for name in ("Dates", "Coffee", "Sweets", "Drinks") if name not in page] == []
    for kind in ("paymentlink", "productlink"):
        assert api.browse(f"{base}/{kind}/123456789999")[0] == 404
