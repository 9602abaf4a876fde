"""Products and orders. All money is KWD with three places."""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import models
from django.urls import reverse
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from example_project.shop.basket import Basket

FIRST_NUMBER = 1000


def new_token() -> str:
    """What makes an order page's address unguessable: 128 random bits."""
    return secrets.token_urlsafe(16)


class Product(models.Model):
    slug = models.SlugField(unique=True, help_text=_("Its picture is static/shop/pictures/<slug>.svg."))
    name_en = models.CharField(_("name (English)"), max_length=80)
    name_ar = models.CharField(_("name (Arabic)"), max_length=80)
    text_en = models.CharField(_("text (English)"), max_length=200)
    text_ar = models.CharField(_("text (Arabic)"), max_length=200)
    price = models.DecimalField(_("price (KWD)"), max_digits=15, decimal_places=3)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ("position", "pk")

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.name_ar if get_language() == "ar" else self.name_en

    @property
    def text(self) -> str:
        return self.text_ar if get_language() == "ar" else self.text_en

    @property
    def picture(self) -> str:
        return f"shop/pictures/{self.slug}.svg"


class Order(models.Model):
    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting for payment")
        PAID = "paid", _("paid")

    token = models.CharField(max_length=30, unique=True, default=new_token, editable=False)
    name = models.CharField(_("name"), max_length=100)
    phone = models.CharField(_("phone"), max_length=20)
    email = models.EmailField(_("e-mail"), blank=True)
    language = models.CharField(_("language"), max_length=2)
    amount = models.DecimalField(_("amount (KWD)"), max_digits=15, decimal_places=3)
    refunded = models.DecimalField(_("refunded (KWD)"), max_digits=15, decimal_places=3, default=Decimal(0))
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.WAITING)
    created_at = models.DateTimeField(_("ordered"), auto_now_add=True)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("shop:order", args=[self.token])

    @property
    def number(self) -> str:
        """What buyer and staff call it, e.g. ``S-1001``."""
        return f"S-{FIRST_NUMBER + self.pk}"

    @property
    def is_paid(self) -> bool:
        return self.status == self.Status.PAID

    def log(self, what: Note.What, amount: Decimal) -> None:
        """One line for the order's history."""
        Note.objects.create(order=self, what=what, amount=amount)


class OrderLine(models.Model):
    """A copy of what was bought: a later price or name does not change the order."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    name = models.CharField(_("name"), max_length=100)
    price = models.DecimalField(_("price (KWD)"), max_digits=15, decimal_places=3)
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("line")
        verbose_name_plural = _("lines")
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"

    @property
    def total(self) -> Decimal:
        return self.price * self.quantity


class Note(models.Model):
    """The order's history: each payment and refund once."""

    class What(models.TextChoices):
        PAID = "paid", pgettext_lazy("history", "Paid")
        REFUNDED = "refunded", pgettext_lazy("history", "Refunded")

    order = models.ForeignKey(Order, models.CASCADE, related_name="notes")
    what = models.CharField(_("what"), max_length=10, choices=What.choices)
    amount = models.DecimalField(_("amount (KWD)"), max_digits=15, decimal_places=3)
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("history line")
        verbose_name_plural = _("history")
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.get_what_display()


def place_order(basket: Basket, *, name: str, phone: str, email: str, language: str) -> Order:
    """The basket becomes an order. Call it inside a transaction; the basket itself is left as it is."""
    order = Order.objects.create(name=name, phone=phone, email=email, language=language, amount=basket.total)
    lines = [OrderLine(order=order, name=x.name, price=x.price, quantity=x.quantity) for x in basket.lines]
    OrderLine.objects.bulk_create(lines)
    return order
