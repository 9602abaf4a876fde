"""Customers that the merchant keeps at Sadad."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from django_sadadpay.models.mirror import Mirror


class Customer(Mirror):
    """A person or company. Name, phone and e-mail never stand in logs, repr or messages."""

    SHOWN = {"name": "name", "mobile": "mobile", "email": "email", "ref_number": "ref_number"}
    PERSONAL: ClassVar[tuple[str, ...]] = (
        "name",
        "mobile",
        "email",
        "account_holder_name",
        "account_number",
        "iban",
        "other",
    )

    name = models.CharField(_("name"), max_length=200, blank=True)
    mobile = models.CharField(_("phone"), max_length=50, blank=True)
    email = models.CharField(_("e-mail"), max_length=254, blank=True)
    ref_number = models.CharField(_("reference"), max_length=200, blank=True)

    class Meta(Mirror.Meta):
        # Not db_index: on PostgreSQL that is two indexes, the other for LIKE. The same with other references.
        indexes = [*Mirror.Meta.indexes, models.Index(fields=["ref_number"], name="sp_customer_ref")]
        verbose_name = _("customer at Sadad")
        verbose_name_plural = _("customers at Sadad")

    def __str__(self) -> str:
        return self.ref_number or self.code or f"{self._meta.verbose_name} {self.pk}"
