"""Instalment plans: an amount that is paid in parts, each with an invoice of its own."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_sadadpay.models.base import MoneyField, Row
from django_sadadpay.models.invoice import Invoice
from django_sadadpay.models.mirror import Mirror


class InstallmentPlan(Mirror):
    """A plan. ``status`` and the paid amounts are Sadad's words; what is wanted stands in ``payload``."""

    SHOWN = {"customer_name": "customer_name", "ref_number": "ref_number", "amount": "amount"}
    PERSONAL: ClassVar[tuple[str, ...]] = ("customer_name", "customer_mobile", "customer_email")

    customer_name = models.CharField(_("customer"), max_length=200, blank=True)
    ref_number = models.CharField(_("reference"), max_length=200, blank=True)
    amount = MoneyField(_("amount (KWD)"), null=True, blank=True)
    status = models.CharField(_("Sadad's status"), max_length=40, blank=True)
    paid_amount = MoneyField(_("paid (KWD)"), null=True, blank=True)
    remaining_amount = MoneyField(_("left (KWD)"), null=True, blank=True)
    next_check_at = models.DateTimeField(_("next check"), null=True, blank=True, db_index=True)

    class Meta(Mirror.Meta):
        indexes = [*Mirror.Meta.indexes, models.Index(fields=["ref_number"], name="sp_plan_ref")]
        verbose_name = _("instalment plan")
        verbose_name_plural = _("instalment plans")

    def __str__(self) -> str:
        return self.ref_number or super().__str__()


class Installment(Row):
    """One part of a plan, as Sadad told it last. The down payment is number 0 (assumed)."""

    plan = models.ForeignKey(InstallmentPlan, models.PROTECT, related_name="installments")
    number = models.PositiveIntegerField(_("number"))
    sadad_id = models.CharField(_("Sadad id"), max_length=40, blank=True)
    amount = MoneyField(_("amount (KWD)"), null=True, blank=True)
    late_fees = MoneyField(_("late fees (KWD)"), null=True, blank=True)
    due_on = models.DateField(_("due"), null=True, blank=True)
    status = models.CharField(_("Sadad's status"), max_length=40, blank=True)
    sadad_invoice_id = models.CharField(_("invoice at Sadad"), max_length=40, blank=True)
    invoice = models.ForeignKey(
        Invoice, models.PROTECT, null=True, blank=True, related_name="installments", verbose_name=_("invoice")
    )
    told = models.CharField(
        max_length=10, blank=True, editable=False, help_text="The last signal sent: paid."
    )

    class Meta(Row.Meta):
        verbose_name = _("instalment")
        verbose_name_plural = _("instalments")
        ordering = ("plan_id", "number")
        indexes = [models.Index(fields=["sadad_invoice_id"], name="sp_installment_invoice")]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="sadadpay_installment_number"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_id}: {self.number}"
