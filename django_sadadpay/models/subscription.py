"""Subscriptions: a template says how often what is billed; each period becomes an invoice at Sadad."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_sadadpay.models.base import MoneyField, Row
from django_sadadpay.models.customer import Customer
from django_sadadpay.models.invoice import Invoice
from django_sadadpay.models.mirror import Mirror


class SubscriptionTemplate(Mirror):
    SHOWN = {
        "name_en": "name_en",
        "name_ar": "name_ar",
        "amount": "amount",
        "bill_period": "bill_period",
        "inactive": "inactive",
    }

    name_en = models.CharField(_("English name"), max_length=250, blank=True)
    name_ar = models.CharField(_("Arabic name"), max_length=250, blank=True)
    amount = MoneyField(_("amount (KWD)"), null=True, blank=True)
    bill_period = models.CharField(_("billed"), max_length=40, blank=True)
    inactive = models.BooleanField(_("inactive"), default=False)

    class Meta(Mirror.Meta):
        verbose_name = _("subscription template")
        verbose_name_plural = _("subscription templates")

    def __str__(self) -> str:
        return self.name_en or self.name_ar or super().__str__()


class Subscription(Mirror):
    """A customer's subscription. ``ref_number`` ties Sadad's invoices to it."""

    SHOWN = {"customer_name": "customer_name", "ref_number": "ref_number"}
    PARENTS = {"template": "template_id", "customer": "customer_id"}
    PERSONAL: ClassVar[tuple[str, ...]] = ("customer_name", "customer_mobile", "customer_email")
    #: An update sends the whole object: without it, a paused one would be billed again.
    KEPT: ClassVar[tuple[str, ...]] = ("status",)

    template = models.ForeignKey(
        SubscriptionTemplate,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="subscriptions",
        verbose_name=_("template"),
    )
    customer = models.ForeignKey(
        Customer,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="subscriptions",
        verbose_name=_("customer"),
    )
    customer_name = models.CharField(_("customer"), max_length=200, blank=True)
    ref_number = models.CharField(_("reference"), max_length=200, blank=True)
    status = models.CharField(_("Sadad's status"), max_length=40, blank=True)
    next_bill_on = models.DateField(_("next bill"), null=True, blank=True)
    ended_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When subscription_ended was sent."
    )
    next_check_at = models.DateTimeField(_("next check"), null=True, blank=True, db_index=True)

    class Meta(Mirror.Meta):
        indexes = [*Mirror.Meta.indexes, models.Index(fields=["ref_number"], name="sp_subscription_ref")]
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")

    def __str__(self) -> str:
        return self.ref_number or super().__str__()


class SubscriptionPeriod(Row):
    """One period of a subscription's schedule, with the invoice that bills it."""

    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="periods")
    number = models.PositiveIntegerField(_("number"))
    bill_on = models.DateField(_("billed on"), null=True, blank=True)
    amount = MoneyField(_("amount (KWD)"), null=True, blank=True)
    status = models.CharField(_("Sadad's status"), max_length=40, blank=True)
    sadad_invoice_id = models.CharField(_("invoice at Sadad"), max_length=40, blank=True)
    invoice = models.ForeignKey(
        Invoice, models.PROTECT, null=True, blank=True, related_name="periods", verbose_name=_("invoice")
    )
    told = models.CharField(
        max_length=10, blank=True, editable=False, help_text="The last signal sent: renewed or missed."
    )

    class Meta(Row.Meta):
        verbose_name = _("period")
        verbose_name_plural = _("periods")
        ordering = ("subscription_id", "number")
        indexes = [models.Index(fields=["sadad_invoice_id"], name="sp_period_invoice")]
        constraints = [
            models.UniqueConstraint(fields=["subscription", "number"], name="sadadpay_period_number"),
        ]

    def __str__(self) -> str:
        return f"{self.subscription_id}: {self.number}"


class SubscriptionLink(Mirror):
    """A page at Sadad on which anybody can subscribe to a template."""

    SHOWN = {"name_en": "name_en", "name_ar": "name_ar", "inactive": "inactive"}
    PARENTS = {"template": "template_id"}

    template = models.ForeignKey(
        SubscriptionTemplate,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="links",
        verbose_name=_("template"),
    )
    name_en = models.CharField(_("English name"), max_length=250, blank=True)
    name_ar = models.CharField(_("Arabic name"), max_length=250, blank=True)
    inactive = models.BooleanField(_("inactive"), default=False)

    class Meta(Mirror.Meta):
        verbose_name = _("subscription link")
        verbose_name_plural = _("subscription links")

    def __str__(self) -> str:
        return self.name_en or self.name_ar or super().__str__()
