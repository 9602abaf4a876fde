"""Access to Sadad's API: one row for each account and environment, encrypted."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_sadadpay.models.base import AccountRow


class GatewayToken(AccountRow):
    """The tokens of an account, encrypted, and the lease of whoever renews them (money-flow 8)."""

    access = models.TextField(blank=True, editable=False)
    refresh = models.TextField(blank=True, editable=False)
    access_expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    fetched_at = models.DateTimeField(_("fetched"), null=True, blank=True)
    lease_holder = models.CharField(max_length=40, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(AccountRow.Meta):
        verbose_name = _("gateway token")
        verbose_name_plural = _("gateway tokens")
        constraints = [
            models.UniqueConstraint(fields=["account", "environment"], name="sadadpay_token_account"),
        ]

    def __str__(self) -> str:
        return f"{self.account} ({self.environment})"
