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
