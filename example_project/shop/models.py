"""What is sold, to whom, and what became of it. All money is KWD with three places."""

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


class Named(models.Model):
    """A name in both languages."""

    name_en = models.CharField(_("name (English)"), max_length=80)
    name_ar = models.CharField(_("name (Arabic)"), max_length=80)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.name_ar if get_language() == "ar" else self.name_en


class Offer(Named):
    """Something with a picture, a text and a price."""

    slug = models.SlugField(unique=True, help_text=_("Its picture is static/shop/pictures/<slug>.svg."))
    text_en = models.CharField(_("text (English)"), max_length=200)
    text_ar = models.CharField(_("text (Arabic)"), max_length=200)
    price = models.DecimalField(_("price (KWD)"), max_digits=15, decimal_places=3)

    class Meta:
        abstract = True

    @property
    def text(self) -> str:
        return self.text_ar if get_language() == "ar" else self.text_en

    @property
    def picture(self) -> str:
        return f"shop/pictures/{self.slug}.svg"


class Category(Named):
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ("position", "pk")


class Product(Offer):
    category = models.ForeignKey(
        Category, models.PROTECT, related_name="products", verbose_name=_("category")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ("position", "pk")


class Box(Offer):
    """Sent every month, paid every month: what people subscribe to."""

    months = models.PositiveSmallIntegerField(_("months"), default=6)

    class Meta:
        verbose_name = _("box")
        verbose_name_plural = _("boxes")


class Customer(models.Model):
    """Whoever gave these three. Nobody logs in here, so nothing is changed by the next one who gives them."""

    name = models.CharField(_("name"), max_length=100)
    phone = models.CharField(_("phone"), max_length=20)
    email = models.EmailField(_("e-mail"), blank=True)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [models.UniqueConstraint(fields=["name", "phone", "email"], name="shop_customer_once")]

    def __str__(self) -> str:
        return self.name


class Order(models.Model):
    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting for payment")
        PAID = "paid", _("paid")

    token = models.CharField(max_length=30, unique=True, default=new_token, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="orders", verbose_name=_("customer"))
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


class Subscriber(models.Model):
    """Gets a box every month, once the month is paid. Sadad makes the bills."""

    token = models.CharField(max_length=30, unique=True, default=new_token, editable=False)
    box = models.ForeignKey(Box, models.PROTECT, related_name="subscribers", verbose_name=_("box"))
    customer = models.ForeignKey(
        Customer, models.PROTECT, related_name="subscriptions", verbose_name=_("customer")
    )
    language = models.CharField(_("language"), max_length=2)
    is_over = models.BooleanField(_("ended"), default=False)
    created_at = models.DateTimeField(_("subscribed"), auto_now_add=True)

    class Meta:
        verbose_name = _("subscriber")
        verbose_name_plural = _("subscribers")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("shop:subscription", args=[self.token])

    @property
    def number(self) -> str:
        return f"B-{FIRST_NUMBER + self.pk}"


class Delivery(models.Model):
    """A box that is to be sent: one for each month that was paid."""

    subscriber = models.ForeignKey(Subscriber, models.CASCADE, related_name="deliveries")
    month = models.PositiveSmallIntegerField(_("month"))
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.subscriber} {self.month}"


def place_order(basket: Basket, *, name: str, phone: str, email: str, language: str) -> Order:
    """The basket becomes an order. Call it inside a transaction; the basket itself is left as it is."""
    customer, _made = Customer.objects.get_or_create(name=name, phone=phone, email=email)
    order = Order.objects.create(customer=customer, language=language, amount=basket.total)
    lines = [OrderLine(order=order, name=x.name, price=x.price, quantity=x.quantity) for x in basket.lines]
    OrderLine.objects.bulk_create(lines)
    return order


def subscribe(box: Box, *, name: str, phone: str, email: str, language: str) -> Subscriber:
    """Call it inside a transaction."""
    customer, _made = Customer.objects.get_or_create(name=name, phone=phone, email=email)
    return Subscriber.objects.create(box=box, customer=customer, language=language)
