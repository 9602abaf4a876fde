"""Customers at Sadad. Whose they are is shown to those who may see it."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from django_sadadpay.admin.mirrors import MirrorAdmin
from django_sadadpay.models import Customer


@admin.register(Customer)
class CustomerAdmin(MirrorAdmin):
    columns = ("ref_number", "name", "mobile", "email")
    layout = [
        (None, ("reference", "name", ("mobile", "email"))),
        (_("Bank"), (("account_holder_name", "bank_id"), ("account_number", "iban"))),
        (_("Other"), ("other",)),
    ]
    facts = ((None, ("shown_reference",)),)
    search_fields = ("ref_number",)
    personal_search = ("name", "mobile", "email")
    search_help_text = _(
        "Reference, or id or code at Sadad; name, phone or e-mail for those who may see them"
    )
