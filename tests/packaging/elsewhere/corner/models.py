from __future__ import annotations

from django.db import models


class Order(models.Model):
    """All that a shop's order needs to be payable."""

    total = models.DecimalField(max_digits=15, decimal_places=3)
    is_paid = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"order {self.pk}"
