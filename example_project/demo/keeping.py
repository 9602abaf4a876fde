"""The steps of ``./run demo --check`` about what is kept at Sadad: catalogue, coffee box, payment link."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

from django_sadadpay.models import Invoice, PaymentLink
from django_sadadpay.models import Product as ProductRow
from django_sadadpay.services import paid_links
from django_sadadpay.tasks import run_pull
from example_project.demo import books
from example_project.demo.later import a_month_later
from example_project.demo.visitor import Visitor
from example_project.demo.walk import Walk, need, until
from example_project.shop.models import Category, Product, Subscriber

HALWA = {
    "slug": "halwa",
    "name_en": "Halwa",
    "name_ar": "حلوى",
    "text_en": "With pistachios.",
    "text_ar": "بالفستق.",
    "position": "9",
}


def keeps_a_product(walk: Walk) -> str:
    """Staff save, change and delete a product in the shop's admin; Sadad follows"""
    staff = walk.logs_in()
    category = str(Category.objects.values_list("pk", flat=True)[0])
    address = "/admin/shop/product/add/"
    for price in ("1.250", "1.375"):
        page = staff.get(address)
        form = page.form(has="slug")
        form.values |= {**HALWA, "category": category, "price": price}
        page = staff.submit(page, form, "_save=Save")
        need(page.status == 200 and page.url.endswith("/admin/shop/product/"), f"not saved: {page.url}")
        until(f"Sadad has it for {price}", partial(_costs, walk, price))
        address = f"/admin/shop/product/{Product.objects.get(slug='halwa').pk}/change/"
    page = staff.get(address.replace("change", "delete"))
    staff.submit(page, page.form(has="post"))
    until("Sadad has it no more", partial(_costs, walk, None))
    return "a product saved in the shop's admin, changed, deleted: a worker did the same at Sadad each time"


def _costs(walk: Walk, price: str | None) -> bool:
    """At Sadad; None: it is not there."""
    found = [Decimal(str(row["price"])) for row in walk.sadad.objects("Product") if row["nameEn"] == "Halwa"]
    return found == ([] if price is None else [Decimal(price)])


def takes_over_a_product(walk: Walk) -> str:
    """A product is made in Sadad's panel; a pull brings it"""
    category = walk.sadad.make("ProductCategory", nameEn="Services")
    walk.sadad.make("Product", categoryId=category["id"], nameEn="Gift wrapping", price="0.500")
    run_pull.apply_async()
    rows = ProductRow.objects.filter(name_en="Gift wrapping", price="0.500", category__name_en="Services")
    until("the shop knows it", rows.exists)
    walk.all_agree()
    return "a product made in Sadad's panel: pulled, with its category; every field of all objects agrees"


def gets_boxes(walk: Walk) -> str:
    """Somebody subscribes to the coffee box and pays two months"""
    buyer = Visitor(walk.stack.shop_url)
    page = buyer.get("/box/coffee-box/")
    page = buyer.submit(page, page.form(id="details"), name="Fahad Al-Mutairi", phone="6655 4433")
    subscriber = Subscriber.objects.get(customer__name="Fahad Al-Mutairi")
    for month in (1, 2):
        until(f"month {month} is billed", lambda: _status(buyer, subscriber) == "due")
        page = buyer.get(buyer.get(subscriber.get_absolute_url()).link("pay"))
        need(page.texts.get("amount") == "6.500 KWD", f"{page.url} asks for {page.texts.get('amount')}")
        walk.pay(buyer, page)
        until(f"month {month} is paid", lambda: _status(buyer, subscriber) == "paid")
        if month == 1:
            a_month_later()
            books.make_due()
    walk.three_reconcile_runs()
    sent = [box.month for box in subscriber.deliveries.all()]
    need(sent == [1, 2], f"boxes sent for months {sent}")
    return (
        "a coffee box: billed by Sadad, paid; a month later (skipped) again; one box was sent for each month"
    )


def _status(buyer: Visitor, subscriber: Subscriber) -> str:
    return buyer.get(subscriber.get_absolute_url()).attributes["status"]["data-status"]


def books_a_course(walk: Walk) -> str:
    """A payment link is opened from the shop's page and paid"""
    buyer = Visitor(walk.stack.shop_url)
    page = buyer.get("/courses/")
    page = buyer.get(page.link("Book and pay"))
    page = buyer.submit(page, page.form(id="link"), customerName="Dana", customerMobile="55556666")
    need(page.texts["amount"] == "12.500 KWD", f"the pay page asks for {page.texts['amount']}")
    walk.pay(buyer, page)
    link = PaymentLink.objects.get()
    # Sadad may not say which link it was (contract 3.7).
    rows = paid_links.invoices_of(link) | paid_links.unassigned(link)
    until("the payment is known", rows.filter(state=Invoice.State.PAID).exists)
    walk.all_agree()
    return "a course booked by a payment link: its invoice was taken over and every field agrees"


STEPS: tuple[Callable[[Walk], str], ...] = (keeps_a_product, takes_over_a_product, gets_boxes, books_a_course)
