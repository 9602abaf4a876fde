"""Catalogue, basket, checkout and order page. Paying is one line: a redirect to ``checkout_url``."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from django_sadadpay import checkout_url
from example_project.shop.basket import Basket
from example_project.shop.forms import CheckoutForm, QuantityForm
from example_project.shop.models import Order, Product, place_order


@require_GET
def catalogue(request: HttpRequest) -> HttpResponse:
    return render(request, "shop/catalogue.html", {"products": Product.objects.all()})


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
    language = "ar" if get_language() == "ar" else "en"
    with transaction.atomic():
        order = place_order(basket, **form.cleaned_data, language=language)
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
