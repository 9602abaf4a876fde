"""The inbox: webhook calls, stored before they are answered."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_sadadpay.models.base import AccountRow
from django_sadadpay.models.invoice import Invoice


class WebhookEvent(AccountRow):
    """A webhook call that names an invoice to look at. Nothing in it is believed (money-flow 6)."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        WORKING = "working", _("being handled")
        DONE = "done", _("handled")
        FOREIGN = "foreign", _("not one of ours")
        MERGED = "merged", _("merged into a later call")
        DEAD = "dead", _("needs a person")

    sadad_id = models.CharField(_("Sadad id"), max_length=40, blank=True)
    waiting_slot = models.CharField(max_length=255, null=True, unique=True, editable=False)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.WAITING)
    count = models.PositiveIntegerField(_("calls"), default=1)
    body = models.TextField(_("body"), blank=True)
    error_code = models.CharField(_("error"), max_length=80, blank=True)
    tries = models.PositiveIntegerField(_("tries"), default=0)
    invoice = models.ForeignKey(
        Invoice,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="webhook_events",
        verbose_name=_("invoice"),
    )
    received_at = models.DateTimeField(_("received"))
    handled_at = models.DateTimeField(_("handled"), null=True, blank=True)
    next_try_at = models.DateTimeField(
        _("next try"), null=True, blank=True, db_index=True, help_text=_("Empty once nothing is left to do.")
    )

    class Meta(AccountRow.Meta):
        verbose_name = _("webhook call")
        verbose_name_plural = _("webhook inbox")
        ordering = ("-pk",)
        indexes = [
            # The daily limit of calls that name no invoice.
            models.Index(fields=["account", "received_at"], name="sadadpay_event_received"),
        ]

    def __str__(self) -> str:
        return f"{self.sadad_id or '–'} {self.state}"
