"""The least that a payment needs: an event seen once, an invoice, an order."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

# Managers and order_id are written out for mypy, whose settings do not know this app.


class PlainOrder(models.Model):
    status = models.CharField(max_length=20, default="new")
    objects: ClassVar[models.Manager[PlainOrder]] = models.Manager()

    class Meta:
        app_label = "floor"

    def __str__(self) -> str:
        return self.status


class PlainInvoice(models.Model):
    order = models.ForeignKey(PlainOrder, models.PROTECT)
    order_id: int
    reference = models.CharField(max_length=31, unique=True)
    amount = models.DecimalField(max_digits=15, decimal_places=3)
    state = models.CharField(max_length=12, default="open")
    objects: ClassVar[models.Manager[PlainInvoice]] = models.Manager()

    class Meta:
        app_label = "floor"

    def __str__(self) -> str:
        return self.reference


class PlainEvent(models.Model):
    key = models.CharField(max_length=64, unique=True)
    body = models.TextField()
    objects: ClassVar[models.Manager[PlainEvent]] = models.Manager()

    class Meta:
        app_label = "floor"

    def __str__(self) -> str:
        return self.key
