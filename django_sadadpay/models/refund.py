"""Refunds: ours, and those found to have been made in Sadad's panel."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from django_sadadpay.models.base import AccountRow, MoneyField, person
from django_sadadpay.models.invoice import Invoice


class Refund(AccountRow):
    """A refund of part of an invoice, in KWD. Its row reaches Sadad at most once (money-flow 5)."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("waiting to be sent")
        SENDING = "sending", _("being sent")
        DONE = "done", _("refunded")
        REFUSED = "refused", _("refused")
        UNKNOWN = "unknown", _("outcome unknown")
        DID_NOT_HAPPEN = "did_not_happen", _("did not happen")

    class Source(models.TextChoices):
        SHOP = "shop", _("shop")
        PANEL = "panel", _("Sadad's panel")

    #: States that free the amount again.
    FREED: ClassVar = (State.REFUSED, State.DID_NOT_HAPPEN)
    #: States of a refund that was sent and of which nobody knows yet what became of it.
    IN_FLIGHT: ClassVar = (State.SENDING, State.UNKNOWN)

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="refunds")
    amount = MoneyField(_("amount (KWD)"))
    reason = models.CharField(_("reason"), max_length=250, blank=True)
    source = models.CharField(_("source"), max_length=6, choices=Source.choices, default=Source.SHOP)
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.REQUESTED)
    key = models.CharField(
        _("key"), max_length=255, null=True, blank=True, help_text=_("The same key gives the same refund.")
    )
    in_flight_slot = models.BigIntegerField(
        null=True,
        unique=True,
        editable=False,
        help_text="The invoice, while this refund is being sent or unknown.",
    )
    refunded_before = MoneyField(_("refunded before"), null=True, blank=True)
    sadad_refund_id = models.CharField(_("Sadad's id"), max_length=60, blank=True)
    error_code = models.CharField(_("error"), max_length=80, blank=True)
    by = person(_("Who asked for it."))
    by_name = models.CharField(_("asked by"), max_length=150, blank=True)
    decided_by = person(_("Who decided what became of it."))
    decided_by_name = models.CharField(_("decided by"), max_length=150, blank=True)

    created_at = models.DateTimeField(_("created"))
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    handled_at = models.DateTimeField(_("order told"), null=True, blank=True)
    hook_tries = models.PositiveIntegerField(default=0, editable=False)
    next_hook_at = models.DateTimeField(null=True, blank=True, db_index=True, editable=False)
    next_check_at = models.DateTimeField(_("next check"), null=True, blank=True, db_index=True)

    class Meta(AccountRow.Meta):
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(fields=["invoice", "key"], name="sadadpay_refund_key"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="sadadpay_refund_amount_positive"),
            models.CheckConstraint(
                condition=Q(
                    in_flight_slot__isnull=True, state__in=["requested", "done", "refused", "did_not_happen"]
                )
                | Q(in_flight_slot__isnull=False, state__in=["sending", "unknown"]),
                name="sadadpay_refund_in_flight",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} KWD, {self.state}"
