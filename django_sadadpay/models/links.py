"""Pages at Sadad on which anybody can pay: an amount, or a choice of products."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_sadadpay.models.base import MoneyField, Row
from django_sadadpay.models.catalog import Product
from django_sadadpay.models.mirror import Mirror


class PaymentLink(Mirror):
    SHOWN = {"title": "title", "amount": "amount", "inactive": "inactive"}

    title = models.CharField(_("title"), max_length=250, blank=True)
    amount = MoneyField(_("amount (KWD)"), null=True, blank=True)
    inactive = models.BooleanField(_("inactive"), default=False)

    class Meta(Mirror.Meta):
        verbose_name = _("payment link")
        verbose_name_plural = _("payment links")

    def __str__(self) -> str:
        return self.title or super().__str__()


class ProductLink(Mirror):
    SHOWN = {"name_en": "name_en", "name_ar": "name_ar", "inactive": "inactive"}

    products = models.ManyToManyField(
        Product, through="ProductLinkItem", related_name="links", verbose_name=_("products")
    )
    name_en = models.CharField(_("English name"), max_length=250, blank=True)
    name_ar = models.CharField(_("Arabic name"), max_length=250, blank=True)
    inactive = models.BooleanField(_("inactive"), default=False)

    class Meta(Mirror.Meta):
        verbose_name = _("product link")
        verbose_name_plural = _("product links")

    def listed(self) -> list[Mirror]:
        return [item.product for item in self.items.select_related("product__category")]

    def __str__(self) -> str:
        return self.name_en or self.name_ar or super().__str__()


class ProductLinkItem(Row):
    """A product on a product link, in its place. Ours: nothing at Sadad has this id."""

    link = models.ForeignKey(ProductLink, models.PROTECT, related_name="items")
    product = models.ForeignKey(Product, models.PROTECT, related_name="items")
    position = models.PositiveIntegerField(default=0)

    class Meta(Row.Meta):
        verbose_name = _("product on a link")
        verbose_name_plural = _("products on a link")
        ordering = ("position", "pk")
        constraints = [
            models.UniqueConstraint(fields=["link", "product"], name="sadadpay_productlinkitem_once"),
        ]

    def __str__(self) -> str:
        return f"{self.link_id}: {self.product_id}"
