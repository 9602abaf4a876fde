"""The catalogue that the merchant keeps at Sadad: categories and their products."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_sadadpay.models.base import MoneyField
from django_sadadpay.models.mirror import Mirror


class ProductCategory(Mirror):
    SHOWN = {"name_en": "name_en", "name_ar": "name_ar", "inactive": "inactive"}

    name_en = models.CharField(_("English name"), max_length=250, blank=True)
    name_ar = models.CharField(_("Arabic name"), max_length=250, blank=True)
    inactive = models.BooleanField(_("inactive"), default=False)

    class Meta(Mirror.Meta):
        verbose_name = _("product category")
        verbose_name_plural = _("product categories")

    def __str__(self) -> str:
        return self.name_en or self.name_ar or super().__str__()


class Product(Mirror):
    SHOWN = {"name_en": "name_en", "name_ar": "name_ar", "price": "price"}
    PARENTS = {"category": "category_id"}

    category = models.ForeignKey(
        ProductCategory,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="products",
        verbose_name=_("category"),
    )
    name_en = models.CharField(_("English name"), max_length=250, blank=True)
    name_ar = models.CharField(_("Arabic name"), max_length=250, blank=True)
    price = MoneyField(_("price (KWD)"), null=True, blank=True)

    class Meta(Mirror.Meta):
        verbose_name = _("product")
        verbose_name_plural = _("products")

    def __str__(self) -> str:
        return self.name_en or self.name_ar or super().__str__()
