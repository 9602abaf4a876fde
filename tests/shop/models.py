"""A tiny shop: what the app's tests pay for."""

from __future__ import annotations

from django.db import models


class Order(models.Model):
    number = models.CharField(max_length=40)
    amount = models.DecimalField(max_digits=15, decimal_places=3)
    currency = models.CharField(max_length=3, default="KWD")
    status = models.CharField(max_length=20, default="new")
    refunded = models.DecimalField(max_digits=15, decimal_places=3, default=0)
    #: Raised to see exactly-once: how often each hook took effect.
    paid_calls = models.PositiveIntegerField(default=0)
    refund_calls = models.PositiveIntegerField(default=0)
    #: What the hook does: "" works, "raise" fails, "cannot" cannot fulfil, "lock" meets a lock once.
    behaviour = models.CharField(max_length=20, default="", blank=True)
    account = models.CharField(max_length=40, default="default")
    customer_name = models.CharField(max_length=100, default="Noor Al-Sabah")


class OrderLine(models.Model):
    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    name = models.CharField(max_length=100)
    price = models.DecimalField(max_digits=15, decimal_places=3)
    quantity = models.PositiveIntegerField(default=1)


class Category(models.Model):
    name = models.CharField(max_length=300)


class Product(models.Model):
    category = models.ForeignKey(Category, models.CASCADE, related_name="products")
    name = models.CharField(max_length=300)
    name_ar = models.CharField(max_length=300, blank=True)
    price = models.DecimalField(max_digits=15, decimal_places=4)
    stock = models.IntegerField(default=0)
    #: Sold in the shop only.
    hidden = models.BooleanField(default=False)
    #: Says nothing to Sadad.
    note = models.CharField(max_length=100, blank=True)


class Gadget(Product):
    """A child model: Django sends its signals under its own name."""

    watts = models.PositiveIntegerField(default=0)


class CheapProduct(Product):
    class Meta:
        proxy = True


class Client(models.Model):
    number = models.CharField(max_length=40)
    name = models.CharField(max_length=100, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    email = models.CharField(max_length=100, blank=True)
    account = models.CharField(max_length=40, default="default")


class Choice(models.Model):
    """A page with a choice of products."""

    title = models.CharField(max_length=100)
    products = models.ManyToManyField(Product)


class Membership(models.Model):
    client = models.ForeignKey(Client, models.CASCADE, null=True)
    level = models.ForeignKey("Level", models.CASCADE)


class Level(models.Model):
    name = models.CharField(max_length=100)
    fee = models.DecimalField(max_digits=15, decimal_places=3)
