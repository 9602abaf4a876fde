"""Sadad's exchange rates (contract 9), kept so that a foreign checkout needs no call of its own."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_sadadpay.models.base import Row


class CurrencyRate(Row):
    """KWD for one unit of a foreign currency in one environment."""

    environment = models.CharField(_("environment"), max_length=10)
    code = models.CharField(_("currency"), max_length=3)
    rate = models.DecimalField(_("rate"), max_digits=18, decimal_places=9)
    fetched_at = models.DateTimeField(_("fetched"))

    class Meta(Row.Meta):
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        constraints = [models.UniqueConstraint(fields=["environment", "code"], name="sadadpay_rate_code")]

    def __str__(self) -> str:
        return f"{self.code} {self.rate}"
