"""The shop's payable against an emulator: what becomes of the order."""

from __future__ import annotations

from decimal import Decimal

from django.test import Client

from django_sadadpay import checkout, refund, verify
from django_sadadpay.models import Invoice
from django_sadadpay.services import push
from django_sadadpay.services.mirroring import row_of
from django_sadadpay.testing.gateway import Sadad
from example_project.demo import books
from example_project.shop.models import Note, Order, Product, Subscriber
from tests.demo.shop.buying import BUYER, order


def paid(shop: Sadad, client: Client, *slugs: str) -> tuple[Order, Invoice]:
    found = order(client, *slugs)
    invoice = checkout(found)
    shop.pay(invoice)
    assert shop.deliver() == [200]
    found.refresh_from_db()
    invoice.refresh_from_db()
    return found, invoice


def test_sadad_is_asked_for_the_order_to_the_fils(shop: Sadad, client: Client) -> None:
    found = order(client, "coffee", "coffee", "karak")
    there = shop.control.invoice(checkout(found).sadad_id)
    assert (there["amount"], there["lang"]) == (14.125, "en")
    assert there["ref_Number"].startswith(f"{found.number}-")
    assert [(line["name"], line["quantity"], line["amount"]) for line in there["items"]] == [
        ("Arabic coffee", 2, 4.75),
        ("Karak glasses", 1, 3.625),
        ("Delivery", 1, 1),
    ]


def test_an_arabic_buyer_gets_an_arabic_pay_page(shop: Sadad, client: Client) -> None:
    found = order(client, "coffee", **{"accept-language": "ar"})
    there = shop.control.invoice(checkout(found).sadad_id)
    assert there["lang"] == "ar"
    assert [line["name"] for line in there["items"]] == ["قهوة عربية", "التوصيل"]


def test_a_payment_is_written_down_once_however_often_it_is_reported(shop: Sadad, client: Client) -> None:
    found = order(client, "dhow")
    invoice = checkout(found)
    shop.pay(invoice)
    assert shop.deliver(times=3) == [200, 200, 200]
    verify(invoice)
    found.refresh_from_db()
    assert found.is_paid
    assert [(note.what, note.amount) for note in found.notes.all()] == [(Note.What.PAID, Decimal("34.900"))]


def test_refunds_add_up_on_the_order(shop: Sadad, client: Client) -> None:
    found, invoice = paid(shop, client, "dhow")
    refund(invoice, Decimal("4.900"), reason="a scratch", key="1")
    refund(invoice, Decimal("0.125"), reason="another", key="2")
    found.refresh_from_db()
    assert (found.refunded, found.is_paid) == (Decimal("5.025"), True)
    assert [note.amount for note in found.notes.filter(what=Note.What.REFUNDED)] == [
        Decimal("4.900"),
        Decimal("0.125"),
    ]


def test_the_buyer_comes_back_to_the_order_when_it_is_paid(shop: Sadad, client: Client) -> None:
    found, invoice = paid(shop, client, "dates")
    answer = client.get(f"/payments/return/{invoice.reference}/")
    assert answer["Location"] == found.get_absolute_url()
    page = client.get(found.get_absolute_url()).content.decode()
    assert 'data-status="paid"' in page
    assert 'id="pay"' not in page


def test_the_buyer_whose_card_was_refused_stays_on_the_page_that_offers_another_try(
    shop: Sadad, client: Client
) -> None:
    invoice = checkout(order(client, "dates"))
    shop.fail(invoice)
    answer = client.get(f"/payments/return/{invoice.reference}/")
    assert answer.status_code == 200
    assert "/payments/checkout/" in answer.content.decode()


def test_staff_find_the_invoice_from_the_order(shop: Sadad, admin_client: Client) -> None:
    found, invoice = paid(shop, admin_client, "dates")
    page = admin_client.get(f"/admin/shop/order/{found.pk}/change/").content.decode()
    assert f"/admin/sadadpay/invoice/{invoice.pk}/change/" in page
    assert 'name="amount"' not in page, "no money is changed by hand"


class _Control(books.Sadad):
    """The emulator of the test, in the same process."""

    def __init__(self, sadad: Sadad) -> None:
        self._control = sadad.control

    def see(self, what: str) -> list[dict[str, object]]:
        return list(getattr(self._control, what)())

    def objects(self, kind: str) -> list[dict[str, object]]:
        return list(self._control.objects(kind))


def test_the_comparison_of_the_two_sides_finds_nothing_when_they_agree(shop: Sadad, client: Client) -> None:
    _, invoice = paid(shop, client, "dallah", "karak")
    refund(invoice, Decimal("1.001"), reason="x", key="1")
    push.run()
    assert books.differences(_Control(shop)) == []


def test_the_comparison_names_what_differs_of_the_catalogue(shop: Sadad) -> None:
    push.run()
    Product.objects.filter(slug="karak").update(price=Decimal("9.999"))
    Product.objects.filter(slug="dhow").update(category=Product.objects.get(slug="dates").category)
    shop.control.create_object("Customer", name="Of the panel")
    dates = row_of(Product.objects.get(slug="dates"))
    assert dates is not None
    type(dates).objects.filter(pk=dates.pk).update(state="pending")
    found = "\n".join(books.differences(_Control(shop)))
    assert "price: Decimal('9.999') here, 3.625 there" in found
    assert "stands in another category there" in found
    assert "Customer 1 is on one side only" in found
    assert f"Product {dates.pk} is pending" in found


def test_the_comparison_names_a_box_that_was_sent_for_nothing(shop: Sadad, client: Client) -> None:
    client.post("/box/coffee-box/", BUYER)
    push.run()
    Subscriber.objects.get().deliveries.create(month=1)
    assert any("paid for [], sent [1]" in one for one in books.differences(_Control(shop)))


def test_the_comparison_names_a_payment_that_the_shop_does_not_know(shop: Sadad, client: Client) -> None:
    shop.pay(checkout(order(client, "dates")))
    found = " ".join(books.differences(_Control(shop)))
    for fact in ("state", "status", "paid", "transaction", "attempts"):
        assert f": {fact}: " in found


def test_the_comparison_names_a_refund_made_behind_our_back(shop: Sadad, client: Client) -> None:
    _, invoice = paid(shop, client, "dates")
    shop.control.refund(invoice.sadad_id, "0.001")
    found = "\n".join(books.differences(_Control(shop)))
    assert ": refunded: " in found
    assert ": refunds: " in found


def test_the_comparison_names_an_order_that_was_paid_twice_or_not_at_all(shop: Sadad, client: Client) -> None:
    found, _ = paid(shop, client, "dates")
    found.log(Note.What.PAID, found.amount)
    assert any("payments" in one for one in books.differences(_Control(shop)))
    found.notes.all().delete()
    assert any("payments" in one for one in books.differences(_Control(shop)))


def test_the_comparison_names_an_invoice_that_only_one_side_has(shop: Sadad, client: Client) -> None:
    shop.control.create("5.000", ref_Number="till")
    assert any("one side only" in one for one in books.differences(_Control(shop)))
