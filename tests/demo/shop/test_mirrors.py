"""What the shop says in ``sadadpay.py`` is at Sadad once a worker has run, and its boxes are billed there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from django_sadadpay.models import Attention, Subscription
from django_sadadpay.services import push, subscriptions
from django_sadadpay.services.mirroring import row_of
from django_sadadpay.testing.gateway import Sadad
from example_project.demo.later import a_month_later
from example_project.shop.models import Category, Customer, Delivery, Product, Subscriber
from tests.demo.shop.buying import BUYER, order


@pytest.fixture(autouse=True)
def emulator(shop: Sadad, settings: Any) -> None:
    """The demo's clock is the emulator's."""
    settings.EMULATOR = shop.emulator.api_url.removesuffix("/api")


def there(shop: Sadad, kind: str) -> list[dict[str, Any]]:
    """What is at Sadad once everything that is due was sent."""
    push.run()
    found: list[dict[str, Any]] = shop.control.objects(kind)
    return found


def subscriber(client: Client) -> Subscriber:
    """Somebody who subscribed on the shop's page; Sadad knows by now."""
    client.post("/box/coffee-box/", BUYER)
    push.run()
    found = Subscriber.objects.get()
    follow(found)
    return found


def follow(found: Subscriber) -> None:
    row = row_of(found)
    assert isinstance(row, Subscription)
    subscriptions.follow(row)


def pay_what_is_due(shop: Sadad) -> None:
    (bill,) = [row for row in shop.control.invoices() if row["status"] == "Unpaid"]
    shop.control.pay(bill["id"])
    assert shop.deliver() == [200]


def test_the_whole_catalogue_is_at_sadad_in_both_languages_and_to_the_fils(shop: Sadad) -> None:
    assert [(row["nameEn"], row["nameAr"]) for row in there(shop, "ProductCategory")] == [
        ("To taste", "للتذوق"),
        ("For the table", "للضيافة"),
        ("For the home", "للمنزل"),
    ]
    prices = {row["nameEn"]: Decimal(str(row["price"])) for row in there(shop, "Product")}
    assert prices == dict(Product.objects.values_list("name_en", "price"))


def test_a_product_that_is_saved_or_deleted_is_so_at_sadad(shop: Sadad) -> None:
    there(shop, "Product")
    karak = Product.objects.get(slug="karak")
    karak.price = Decimal("3.999")
    karak.save()
    Product.objects.get(slug="dhow").delete()
    prices = {row["nameEn"]: row["price"] for row in there(shop, "Product")}
    assert prices["Karak glasses"] == 3.999
    assert "Model dhow" not in prices
    assert len(prices) == 5


def test_a_new_product_can_stand_in_a_new_category(shop: Sadad) -> None:
    sweets = Category.objects.create(name_en="Sweets", name_ar="حلويات")
    Product.objects.create(
        slug="halwa", name_en="Halwa", name_ar="حلوى", category=sweets, price=Decimal("1.250")
    )
    (halwa,) = [row for row in there(shop, "Product") if row["nameEn"] == "Halwa"]
    (category,) = [row for row in there(shop, "ProductCategory") if row["nameEn"] == "Sweets"]
    assert halwa["categoryId"] == category["id"]


def test_a_buyer_becomes_one_customer_however_often_they_buy(shop: Sadad, client: Client) -> None:
    order(client, "coffee")
    order(client, "dates")
    assert [(row["name"], row["mobile"]) for row in there(shop, "Customer")] == [
        ("Noor Al-Sabah", "51234567")
    ]


def test_somebody_who_gives_another_name_changes_nobody_elses(shop: Sadad, client: Client) -> None:
    order(client, "coffee")
    client.post("/box/coffee-box/", {**BUYER, "name": "Someone Else"})
    assert sorted(Customer.objects.values_list("name", flat=True)) == ["Noor Al-Sabah", "Someone Else"]


def test_a_subscriber_sees_six_months_and_pays_the_first(shop: Sadad, client: Client) -> None:
    found = subscriber(client)
    page = client.get(found.get_absolute_url()).content.decode()
    assert page.count("<td>") == 6 * 3
    assert 'data-status="due"' in page
    (bill,) = shop.control.invoices()
    assert f'href="{bill["url"]}"' in page
    pay_what_is_due(shop)
    page = client.get(found.get_absolute_url()).content.decode()
    assert 'data-status="paid"' in page
    assert 'id="pay"' not in page


def test_each_month_that_is_paid_is_one_box_however_often_the_payment_is_reported(
    shop: Sadad, client: Client
) -> None:
    found = subscriber(client)
    for month in (1, 2):
        pay_what_is_due(shop)
        follow(found)
        assert [box.month for box in Delivery.objects.all()] == list(range(1, month + 1))
        a_month_later()
        follow(found)


def test_a_month_that_nobody_paid_is_missed_and_brings_no_box(shop: Sadad, client: Client) -> None:
    found = subscriber(client)
    a_month_later()
    follow(found)
    page = client.get(found.get_absolute_url()).content.decode()
    assert "missed, no box" in page
    assert not Delivery.objects.exists()


def test_when_the_six_months_are_over_the_page_says_so(shop: Sadad, client: Client) -> None:
    found = subscriber(client)
    for _ in range(6):
        a_month_later()
    follow(found)
    found.refresh_from_db()
    assert found.is_over
    assert 'data-status="over"' in client.get(found.get_absolute_url()).content.decode()


def test_before_sadad_was_told_the_page_says_so_and_looks_again(shop: Sadad, client: Client) -> None:
    client.post("/box/coffee-box/", BUYER)
    answer = client.get(Subscriber.objects.get().get_absolute_url())
    assert 'data-status="preparing"' in answer.content.decode()
    assert answer["Refresh"] == "2"


def test_a_subscription_made_in_the_panel_sends_no_box(shop: Sadad) -> None:
    push.run()
    (template,) = shop.control.objects("SubscriptionTemplate")
    row = Subscription(account="default", environment="sandbox")
    shop.control.create_object("Subscription", templateId=template["id"], customerName="Panel")
    (made,) = shop.control.objects("Subscription")
    row.sadad_id = str(made["id"])
    row.state = Subscription.State.SYNCED
    row.save()
    subscriptions.follow(row)
    pay_what_is_due(shop)
    assert row.periods.get(number=1).told == "renewed"
    assert not Delivery.objects.exists()
    assert not Attention.objects.exists()


def test_the_month_later_button_moves_the_clock_and_brings_the_next_bill(shop: Sadad, client: Client) -> None:
    found = subscriber(client)
    pay_what_is_due(shop)
    answer = client.post(f"/a-month-later/{found.token}/")
    assert answer["Location"] == found.get_absolute_url()
    assert [row["status"] for row in shop.control.invoices()] == ["Paid", "Unpaid"]
    assert 'data-status="due"' in client.get(found.get_absolute_url()).content.decode()


def test_courses_are_shown_with_address_and_code_once_sadad_has_them(shop: Sadad, client: Client) -> None:
    assert "There are no courses now." in client.get("/courses/").content.decode()
    (link,) = there(shop, "PaymentLink")
    page = client.get("/courses/").content.decode()
    assert f"/paymentlink/{link['key']}" in page
    assert "12.500 KWD" in page
    assert 'src="data:image/svg+xml' in page


@pytest.mark.parametrize("address", ["/box/coffee-box/", "/courses/", "/"])
def test_nothing_of_it_is_loaded_from_elsewhere(shop: Sadad, client: Client, address: str) -> None:
    assert 'src="http' not in client.get(address).content.decode()
