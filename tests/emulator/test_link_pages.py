"""The pages of payment links and product links as a browser meets them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests

if TYPE_CHECKING:
    from tests.emulator.conftest import Merchant

PAYER = {"customerName": "Noura", "customerMobile": "+96550000002"}


def new_link(merchant: Merchant, **fields: Any) -> str:
    """The address of the page of a new payment link."""
    made = merchant.emulator.control.create_object("PaymentLink", **{"title": "Rent", "lang": "en", **fields})
    return f"{merchant.emulator.base_url}/paymentlink/{made['key']}"


@pytest.fixture
def shop(merchant: Merchant) -> str:
    """The address of a page that sells Baklava (1.250, five in stock) and Tea (0.300)."""
    control = merchant.emulator.control
    control.create_object("ProductCategory", nameEn="Sweets <1>", nameAr="حلويات")
    product = {"categoryId": 1, "nameEn": "Baklava <b>", "nameAr": "بقلاوة", "price": "1.250", "quantity": 5}
    texts = {"descEn": "With & nuts", "descAr": "بالمكسرات"}
    control.create_object("Product", **product, **texts, stockable=True, stockableShow=True)
    control.create_object("Product", categoryId=1, nameEn="Tea", price="0.300")
    link = control.create_object("ProductLink", nameEn="Shop & more", nameAr="متجر", products=[1, 2])
    return f"{merchant.emulator.base_url}/productlink/{link['key']}"


def page(url: str, **query: str) -> str:
    reply = requests.get(url, params=query, timeout=5)
    assert reply.status_code == 200
    return reply.text


def send(url: str, *, lang: str = "en", **form: str) -> requests.Response:
    return requests.post(url, params={"lang": lang}, data={**PAYER, **form}, allow_redirects=False, timeout=5)


def only_invoice(merchant: Merchant) -> Any:
    (invoice,) = merchant.emulator.control.invoices()
    return invoice


def complaint(reply: requests.Response) -> str:
    """The error key of a form that came back, which says it in a sentence too."""
    assert reply.status_code == 400
    found = re.search(r'role="alert" id="error" data-key="(\w+)">([^<]+)</p>', reply.text)
    assert found
    assert found[1] not in found[2]
    return found[1]


def test_page_of_a_fixed_amount_asks_for_the_person_only(merchant: Merchant) -> None:
    text = page(new_link(merchant, title="Rent <b>", amount="1234.500", comment="Flat & garage"))

    assert '<html lang="en" dir="ltr">' in text
    assert "Rent &lt;b&gt;" in text
    assert "Flat &amp; garage" in text
    assert "<bdi>1,234.500</bdi> <bdi>KWD</bdi>" in text
    for name in ("customerName", "customerMobile", "customerEmail", "comment"):
        assert f'<label for="{name}">' in text
        assert f'id="{name}" name="{name}"' in text
    assert 'name="amount"' not in text
    assert 'id="agree"' not in text


def test_filling_it_in_makes_the_invoice_and_goes_on_to_its_pay_page(merchant: Merchant) -> None:
    reply = send(new_link(merchant, amount="5"), customerEmail="n@example.com", comment="hello")
    invoice = only_invoice(merchant)

    assert (reply.status_code, reply.headers["Location"]) == (303, invoice["url"])
    assert (invoice["type"], invoice["amount"], invoice["lang"]) == ("PaymentLink", 5, "en")
    assert (invoice["customer_Name"], invoice["customer_Mobile"]) == ("Noura", "+96550000002")
    assert (invoice["customer_Email"], invoice["comment"]) == ("n@example.com", "hello")
    assert "5.000" in page(invoice["url"])

    form = {"method": "knet", "outcome": "success"}
    requests.post(invoice["url"], data=form, timeout=5)
    assert only_invoice(merchant)["status"] == "Paid"


def test_address_carries_no_personal_data(merchant: Merchant) -> None:
    url = new_link(merchant, amount="5")
    action = re.search(r'<form method="post" action="([^"]*)"', page(url))
    assert action
    assert action[1] == "?lang=en"
    assert urlsplit(send(url).headers["Location"]).query == ""


def test_open_amount_is_entered_also_in_arabic_digits(merchant: Merchant) -> None:
    url = new_link(merchant, isOpenAmount=True, minAmount="2", maxAmount="10")
    text = page(url)

    assert 'name="amount"' in text
    assert "<bdi>2.000</bdi>" in text
    assert "<bdi>10.000</bdi>" in text
    assert send(url, amount=" ٥٫٢٥٠ ").status_code == 303
    assert only_invoice(merchant)["amount"] == 5.25


def test_open_amount_without_bounds_names_none(merchant: Merchant) -> None:
    text = page(new_link(merchant, isOpenAmount=True))
    assert 'name="amount"' in text
    assert 'class="money"' not in text


@pytest.mark.parametrize(
    ("form", "key"),
    [
        ({"customerName": ""}, "CustomerNameRequired"),
        ({"customerMobile": " "}, "CustomerMobileRequired"),
        ({"amount": ""}, "AmountRequired"),
        ({"amount": "1"}, "InvalidAmount"),
        ({"amount": "five"}, "WrongObject"),
    ],
)
@pytest.mark.parametrize("lang", ["en", "ar"])
def test_what_is_wrong_is_said_and_what_was_entered_stays(
    merchant: Merchant, form: dict[str, str], key: str, lang: str
) -> None:
    url = new_link(merchant, isOpenAmount=True, minAmount="2")
    reply = send(url, lang=lang, **{"amount": "3", "comment": '"><script>', **form})

    assert complaint(reply) == key
    assert f'<html lang="{lang}"' in reply.text
    assert 'value="&quot;&gt;&lt;script&gt;"' in reply.text
    assert merchant.emulator.control.invoices() == []


def test_page_is_arabic_and_right_to_left_when_the_link_is(merchant: Merchant) -> None:
    url = new_link(merchant, amount=1, lang="ar")

    assert '<html lang="ar" dir="rtl">' in page(url)
    assert "المتابعة إلى الدفع" in page(url)
    assert '<html lang="en" dir="ltr">' in page(url, lang="en")
    assert '<html lang="ar" dir="rtl">' in page(send(url, lang="ar").headers["Location"])


def test_terms_are_shown_and_agreed_to(merchant: Merchant) -> None:
    text = page(new_link(merchant, amount=1, termsConditionEnabled=True, termsCondition="No <refund>"))
    assert "No &lt;refund&gt;" in text
    assert 'type="checkbox" id="agree" required' in text


@pytest.mark.parametrize("kind", ["paymentlink", "productlink"])
def test_unknown_link_is_404_in_both_languages(merchant: Merchant, kind: str) -> None:
    url = f"{merchant.emulator.base_url}/{kind}/123456781"
    english, arabic = requests.get(url, timeout=5), requests.get(url, params={"lang": "ar"}, timeout=5)

    assert (english.status_code, arabic.status_code) == (404, 404)
    assert "There is no such link" in english.text
    assert 'dir="rtl"' in arabic.text
    assert requests.post(url, data=PAYER, timeout=5).status_code == 404


def test_inactive_link_has_no_page(merchant: Merchant) -> None:
    assert requests.get(new_link(merchant, amount=1, inActive=True), timeout=5).status_code == 404


def test_shop_shows_products_prices_and_what_is_left(shop: str) -> None:
    text = page(shop, lang="en")

    for part in ("Shop &amp; more", "Sweets &lt;1&gt;", "Baklava &lt;b&gt;", "With &amp; nuts", "5 left"):
        assert part in text
    assert text.count(" left</small>") == 1
    assert "<bdi>1.250</bdi>" in text
    for number in (1, 2):
        assert f'name="quantity-{number}"' in text


def test_shop_is_arabic_unless_asked(shop: str) -> None:
    text = page(shop)
    for part in ('dir="rtl"', "متجر", "حلويات", "بقلاوة", "بالمكسرات", "Tea", "5 متبقٍ"):
        assert part in text


def test_ordering_makes_the_invoice_and_goes_on_to_its_pay_page(merchant: Merchant, shop: str) -> None:
    reply = send(shop, **{"quantity-1": "٢", "quantity-2": "1"})
    invoice = only_invoice(merchant)

    assert (reply.status_code, reply.headers["Location"]) == (303, invoice["url"])
    assert (invoice["type"], invoice["orderStatus"], invoice["amount"]) == ("Order", "Pending", 2.8)
    assert [(row["name"], row["quantity"]) for row in invoice["items"]] == [("Baklava <b>", 2), ("Tea", 1)]

    requests.post(invoice["url"], data={"method": "card", "outcome": "success"}, timeout=5)
    assert merchant.emulator.control.objects("Product")[0]["quantity"] == 3
    assert "3 left" in page(shop, lang="en")


@pytest.mark.parametrize(
    ("form", "key"),
    [
        ({}, "TotalAmountRequired"),
        ({"quantity-1": "0", "quantity-2": ""}, "TotalAmountRequired"),
        ({"quantity-1": "-1"}, "ProductQuantityRequired"),
        ({"quantity-1": "1.5"}, "ProductQuantityRequired"),
        ({"quantity-1": "9" * 5000}, "ProductQuantityRequired"),
        ({"quantity-1": "6"}, "YouExceededAvailableQuantity"),
        ({"quantity-1": "1", "customerName": ""}, "CustomerNameRequired"),
    ],
)
def test_order_that_is_refused_says_why(
    merchant: Merchant, shop: str, form: dict[str, str], key: str
) -> None:
    reply = send(shop, **form)

    assert complaint(reply) == key
    if "quantity-1" in form:
        assert f'value="{form["quantity-1"]}"' in reply.text
    assert merchant.emulator.control.invoices() == []


def test_a_stock_that_was_oversold_shows_as_none_left(merchant: Merchant, shop: str) -> None:
    for _ in range(2):
        send(shop, **{"quantity-1": "4"})
    for invoice in merchant.emulator.control.invoices():
        merchant.emulator.control.pay(invoice["id"])
    assert "0 left" in page(shop, lang="en")
