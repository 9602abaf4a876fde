"""Catalogue, basket, checkout and order page. Paying is one line: a redirect to ``checkout_url``.

Boxes are subscribed to, courses are paid by a link: their bills and pages are Sadad's own.
"""

from __future__ import annotations

import segno
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from django_sadadpay import checkout_url
from django_sadadpay.models import Invoice, PaymentLink, Subscription
from django_sadadpay.services.mirroring import row_of
from django_sadadpay.services.pages import page_of
from example_project.shop.basket import Basket
from example_project.shop.forms import CheckoutForm, QuantityForm
from example_project.shop.models import Box, Order, Product, Subscriber, place_order, subscribe


@require_GET
def catalogue(request: HttpRequest) -> HttpResponse:
    return render(
        request, "shop/catalogue.html", {"products": Product.objects.all(), "boxes": Box.objects.all()}
    )


@require_POST
def add(request: HttpRequest, slug: str) -> HttpResponse:
    Basket(request.session).add(get_object_or_404(Product, slug=slug))
    return redirect("shop:basket")


@require_POST
def change(request: HttpRequest, slug: str) -> HttpResponse:
    form = QuantityForm(request.POST)
    if form.is_valid():
        Basket(request.session).set(get_object_or_404(Product, slug=slug), form.cleaned_data["quantity"])
    return redirect("shop:basket")


@require_GET
def basket(request: HttpRequest) -> HttpResponse:
    return render(request, "shop/basket.html")


@require_http_methods(["GET", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    basket = Basket(request.session)
    if not basket:
        return redirect("shop:basket")
    form = CheckoutForm(request.POST or None)
    if not form.is_valid():
        return render(request, "shop/checkout.html", {"form": form})
    with transaction.atomic():
        order = place_order(basket, **form.cleaned_data, language=_language())
        basket.clear()
    request.session["order"] = order.token  # the way back, for a buyer without an account
    return redirect(checkout_url(order, request))


@require_GET
@never_cache
def order(request: HttpRequest, token: str) -> HttpResponse:
    """For whoever has the address: buyers have no account here."""
    found = get_object_or_404(Order, token=token)
    pay = "" if found.is_paid else checkout_url(found, request)
    response = render(request, "shop/order.html", {"order": found, "pay_url": pay})
    response["Referrer-Policy"] = "same-origin"  # its address must not leak to the pay page
    return response


@require_http_methods(["GET", "POST"])
def box(request: HttpRequest, slug: str) -> HttpResponse:
    box, form = get_object_or_404(Box, slug=slug), CheckoutForm(request.POST or None)
    if not form.is_valid():
        return render(request, "shop/box.html", {"box": box, "form": form})
    with transaction.atomic():
        subscriber = subscribe(box, **form.cleaned_data, language=_language())
    request.session["subscription"] = subscriber.token
    return redirect(subscriber)


@require_GET
@never_cache
def subscription(request: HttpRequest, token: str) -> HttpResponse:
    """The schedule as Sadad told it last, and the bill that is to be paid next. Calls nobody."""
    subscriber = get_object_or_404(Subscriber.objects.select_related("box"), token=token)
    kept = row_of(subscriber)
    months = list(kept.periods.select_related("invoice")) if isinstance(kept, Subscription) else []
    bills = [month.invoice for month in months if month.invoice and month.told != "missed"]
    bill = next((bill for bill in bills if bill.state == Invoice.State.OPEN and bill.pay_url), None)
    context = {"subscriber": subscriber, "months": months, "bill": bill}
    response = render(request, "shop/subscription.html", context)
    response["Referrer-Policy"] = "same-origin"
    if not months:
        response["Refresh"] = "2"  # a worker is telling Sadad
    return response


@require_GET
def courses(request: HttpRequest) -> HttpResponse:
    """Payment links that staff made in the admin: for this page, a message or a poster."""
    links = PaymentLink.objects.filter(wanted=PaymentLink.Wanted.PRESENT, inactive=False)
    pages = [(link, page) for link in links if (page := page_of(link))]
    shown = [(link, page.url, segno.make(page.url).svg_data_uri(scale=5)) for link, page in pages]
    return render(request, "shop/courses.html", {"courses": shown})


def _language() -> str:
    return "ar" if get_language() == "ar" else "en"
