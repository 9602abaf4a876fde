"""When background work last ran, and counters that someone should see."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_sadadpay.models.base import Row


class Mark(Row):
    """``reconcile`` holds when it last finished; ``lock_reruns`` counts transactions that were run again;
    ``push`` when everything was last pushed; ``push_hold:<account>:<environment>`` until when Sadad asked us
    to send nothing; ``push_slot:…`` until when a call may be under way; ``push_woken:…`` when there was none.
    """

    name = models.CharField(_("name"), max_length=120, unique=True)
    at = models.DateTimeField(_("at"), null=True, blank=True)
    count = models.BigIntegerField(_("count"), default=0)
    detail = models.JSONField(_("detail"), default=dict, blank=True)

    class Meta(Row.Meta):
        verbose_name = _("mark")
        verbose_name_plural = _("marks")

    def __str__(self) -> str:
        return self.name
