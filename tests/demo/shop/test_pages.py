"""The pages, as a buyer meets them."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from django_sadadpay.models import Invoice
from example_project.shop.forms import CheckoutForm
from example_project.shop.models import Order
from tests.demo.shop.buying import BUYER, fill, order

pytestmark = pytest.mark.usefixtures("products")


def test_the_catalogue_shows_every_product_with_its_price_and_picture(client: Client) -> None:
    page = client.get("/").content.decode()
    assert page.count("<li>") == 6
    assert "4.750 KWD" in page
    assert "/static/shop/pictures/coffee.svg" in page


def test_nothing_is_loaded_from_elsewhere(client: Client) -> None:
    fill(client, "coffee")
    for address in ("/", "/basket/", "/checkout/"):
        page = client.get(address).content.decode()
        assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", page)


def test_the_arabic_catalogue_runs_from_right_to_left_with_latin_digits_in_prices(client: Client) -> None:
    page = client.get("/", headers={"accept-language": "ar"}).content.decode()
    assert '<html lang="ar" dir="rtl">' in page
    assert "قهوة عربية" in page
    assert "4.750 د.ك" in page


def test_checking_out_needs_something_in_the_basket(client: Client) -> None:
    assert client.get("/checkout/")["Location"] == "/basket/"


def test_an_order_is_sent_to_pay_and_the_basket_is_empty_again(client: Client) -> None:
    fill(client, "coffee")
    answer = client.post("/checkout/", BUYER)
    assert answer["Location"].startswith("http://127.0.0.1:8000/payments/checkout/")
    assert Order.objects.get().customer.phone == "51234567"
    assert "Your basket is empty" in client.get("/basket/").content.decode()


def test_no_invoice_is_made_until_the_buyer_opens_the_link(client: Client) -> None:
    fill(client, "coffee")
    client.post("/checkout/", BUYER)
    assert not Invoice.objects.exists()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("5123 4567", "51234567"),
        ("+965 5123-4567", "+96551234567"),
        ("٥١٢٣٤٥٦٧", "51234567"),
        ("0096551234567", "0096551234567"),
    ],
)
def test_phone_numbers_are_taken_as_people_write_them(typed: str, kept: str) -> None:
    form = CheckoutForm({**BUYER, "phone": typed})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["phone"] == kept


@pytest.mark.parametrize("typed", ["", "1234", "call me", "5123x4567", "123456789012345678"])
def test_what_is_no_phone_number_is_sent_back(typed: str) -> None:
    assert "phone" in CheckoutForm({**BUYER, "phone": typed}).errors


def test_the_name_is_needed_and_the_mail_address_is_not(client: Client) -> None:
    assert list(CheckoutForm({"phone": "51234567"}).errors) == ["name"]


def test_an_order_is_shown_to_whoever_has_its_address_and_to_nobody_else(client: Client) -> None:
    found = order(client, "coffee")
    assert Client().get(found.get_absolute_url()).status_code == 200
    assert Client().get(f"/order/{found.pk}/").status_code == 404
    assert len(found.token) >= 22, "128 bits"


def test_the_order_page_names_no_phone_and_no_mail_address(client: Client) -> None:
    page = client.get(order(client, "coffee").get_absolute_url()).content.decode()
    assert BUYER["email"] not in page
    assert "51234567" not in page
    assert "Noor" not in page


def test_nonsense_in_the_quantity_changes_nothing(client: Client) -> None:
    fill(client, "coffee")
    for nonsense in ("-1", "1.5", "many", "99999"):
        client.post("/basket/change/coffee/", {"quantity": nonsense})
    assert "5.750 KWD" in client.get("/basket/").content.decode()
